"""Makes what the documentation says about the code from the code itself.

    python docs/build.py            write the pages
    python docs/build.py --check    fail where a page is stale

A page in docs/environments for each environment, from its docstring, its signature and the features of its
observations; and, in pages written by hand, the blocks between ``<!-- made by docs/build.py: NAME -->`` and
``<!-- end -->``.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
from gymnasium import spaces

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from scml_gym.core.registry import load_object  # noqa: E402
from scml_gym.evaluation.table import COLUMNS, PLAY_COLUMNS, columns_of  # noqa: E402
from scml_gym.game.features import Feature  # noqa: E402
from scml_gym.registration import ENVIRONMENTS, PARALLEL_ENVIRONMENTS  # noqa: E402
from scml_gym.simulator.recording.schema import TABLES as RECORDING_TABLES  # noqa: E402

PAGES = ROOT / "docs" / "environments"
BY_HAND = ("README.md", "docs/analyzer.md", "docs/environments.md", "docs/evaluation.md")


class GamePages(NamedTuple):
    """What the pages of a game's environments are made of, beside the environments' classes."""

    config: str  # the class whose docstring tells of the arguments that they share
    observations: str | None  # the module of its `JointEncoder` and `PartnerEncoder`; None where docstrings tell enough


GAMES = {
    "oneshot": GamePages("scml_gym.oneshot.envs.config:OneShotConfig", "scml_gym.oneshot.observations.factory"),
    "standard": GamePages("scml_gym.standard.envs.config:StandardConfig", "scml_gym.standard.observations.factory"),
    "bilateral": GamePages("scml_gym.bilateral.envs.config:BilateralConfig", None),
}
"""By the folder of the game."""


def game_of(cls: type) -> GamePages:
    """The game that an environment is in."""
    return GAMES[cls.__module__.split(".")[1]]


NOTICE = "<!-- made by docs/build.py from the docstring of {}; do not edit -->\n"


def environments() -> dict[str, type]:
    """Every environment: id, or name of the PettingZoo module, and class."""
    found = {name: load_object(entry.single) for name, entry in ENVIRONMENTS.items()}
    for name, module in PARALLEL_ENVIRONMENTS.items():
        found[name] = importlib.import_module(module).parallel_env
    return found


def page_path(name: str) -> Path:
    """Of an environment's page: ``scml_gym/OneShotConcurrent-v0`` has docs/environments/oneshot_concurrent.md."""
    words = re.sub(r"[-_]v\d+$", "", name.rpartition("/")[2]).replace("OneShot", "Oneshot")
    return PAGES / (re.sub(r"(?<=[a-z])(?=[A-Z])", "_", words).lower() + ".md")


def docstring(cls: type) -> str:
    """In Markdown: literals in single backticks, a paragraph a line, ``Raises`` as a section."""
    text = re.sub(r"(?<!`)``(?!`)", "`", inspect.cleandoc(cls.__doc__ or ""))
    text = re.sub(r"\n\nRaises:\n +(\w+):", r"\n\n## Raises\n`\1`:", text)
    parts = []
    for part in re.split(r"(```.*?```|^## [^\n]*$)", text, flags=re.S | re.M):
        if not part.startswith(("```", "## ")):
            part = "\n\n".join(" ".join(line.strip() for line in p.splitlines()) for p in part.strip().split("\n\n"))
        parts.append(part)
    return "\n\n".join(filter(None, parts)) + "\n"


def page(name: str, cls: type) -> str:
    """A whole page."""
    body, _, raises = docstring(cls).partition("## Raises\n\n")
    parts = [f"# {name}\n", NOTICE.format(f"{cls.__module__}.{cls.__qualname__}"), body.rstrip() + "\n"]
    parts += ["## Signature\n", signature(cls)]
    observations = game_of(cls).observations
    if observations:
        parts += ["## Features of the flat observation\n", features_of(cls, observations)]
    return "\n".join([*parts, *(["## Raises\n", raises] if raises else [])])


def signature(cls: type) -> str:
    """The arguments with their defaults, those that environments of the game share last."""
    config = load_object(game_of(cls).config)
    own, told = dict(_arguments(cls)), _documented(config)
    valid = vars(cls.__init__)["arguments"]
    shared = {name: default for name, default in _arguments(config) if name in valid} | own
    common = [[f"`{name}`", f"`{shared[name]!r}`", meaning] for name, meaning in told.items() if name in shared]
    rows = [[f"`{name}`", f"`{default!r}`"] for name, default in own.items() if name not in told]
    return "\n".join([table(["argument", "default"], rows), table(["shared argument", "default", "meaning"], common)])


def _arguments(cls: type) -> Iterator[tuple[str, Any]]:
    for parameter in list(inspect.signature(cls.__init__).parameters.values())[1:]:
        if parameter.kind is not parameter.VAR_KEYWORD:
            yield parameter.name, parameter.default


def _documented(cls: type) -> dict[str, str]:
    """The ``Args`` section of a docstring."""
    text = inspect.cleandoc(cls.__doc__ or "").partition("Args:\n")[2].partition("\n\n")[0]
    entries = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", text, flags=re.M)
    return {name: " ".join(line.strip() for line in told.splitlines()).replace("``", "`") for name, told in entries}


def features_of(cls: type, observations: str) -> str:
    """The numbers of the ``"flat"`` observation: in which place, within which range, what they mean."""
    module = importlib.import_module(observations)
    partial = module.JointEncoder().features
    chosen = {"observation": "flat"} if "observation" in vars(cls.__init__)["arguments"] else {}
    if spaces_of(cls(**chosen))[1].shape != (len(partial),):
        return feature_table(module.PartnerEncoder().features)
    full = module.JointEncoder("full", history=2).features
    assert [s.name for s in full[: len(partial)]] == [s.name for s in partial]
    others = [s for s in full if s.name.startswith("others")]
    history = [s for s in full if s.name.startswith("history")]
    return "\n".join(
        [
            feature_table(partial),
            f'`observability="full"` adds {len(others)} features:\n',
            feature_table(others, len(partial)),
            f"`history=k` adds {len(history) // 2} features a decision, the latest first, after all others:\n",
            feature_table(history, None),
        ]
    )


def feature_table(features: Sequence[Feature], start: int | None = 0) -> str:
    """A row for each feature, one for all that differ by their indices alone; places are counted from ``start``."""
    rows: dict[str, tuple[Feature, dict[tuple[int, ...], int]]] = {}
    for place, feature in enumerate(features):
        name = re.sub(r"\[\d+\]\[\d+\]", "[h][k]", feature.name)
        name = re.sub(r"\[\d+\]", "[d]", re.sub(r"\[\d+\]", "[k]", name, count=1))
        indices = tuple(int(index) for index in re.findall(r"\[(\d+)\]", feature.name))
        rows.setdefault(name, (feature, {}))[1][indices] = place
    lines = []
    for name, (feature, places) in rows.items():
        shown = [f"`{name}`", f"{feature.low:g} to {feature.high:g}", feature.meaning]
        lines.append(shown if start is None else [place_text(start, re.findall(r"\[(\w)\]", name), places), *shown])
    return table([*(["place"] if start is not None else []), "name", "range", "meaning"], lines)


def place_text(start: int, letters: Sequence[str], places: dict[tuple[int, ...], int]) -> str:
    """Where a feature stands, by its indices: ``15 + 10k``."""
    first = places[(0,) * len(letters)]
    units = [tuple(int(i == j) for j in range(len(letters))) for i in range(len(letters))]
    strides = [places[unit] - first for unit in units]
    for indices, place in places.items():
        assert place == first + sum(index * stride for index, stride in zip(indices, strides, strict=True))
    terms = [f" + {'' if stride == 1 else stride}{letter}" for stride, letter in zip(strides, letters, strict=True)]
    return f"{start + first}{''.join(terms)}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in [head, ["---"] * len(head), *rows]]
    return "".join("| " + " | ".join(row) + " |\n" for row in cells)


def space(of: spaces.Space) -> str:
    """A space in few characters."""
    if isinstance(of, spaces.MultiDiscrete):
        numbers = of.nvec.tolist()
        period = next(p for p in range(1, len(numbers) + 1) if numbers == numbers[:p] * (len(numbers) // p))
        times = f" * {len(numbers) // period}" if period < len(numbers) else ""
        return f"MultiDiscrete({numbers[:period]}{times})"
    if isinstance(of, spaces.Box):
        return f"Box({', '.join(map(str, of.shape))})"
    return str(of)


def spaces_of(env: Any) -> tuple[spaces.Space, spaces.Space]:
    """Of actions and of observations; those of the first agent where there are several."""
    if isinstance(env, gymnasium.Env):
        return env.action_space, env.observation_space
    agent = env.possible_agents[0]
    return env.action_space(agent), env.observation_space(agent)


def environment_table(links: str) -> str:
    """One row for each environment; pages are linked from the folder in which ``links`` is."""
    rows = []
    for name, cls in environments().items():
        link = f"[`{name}`]({links}{page_path(name).name})"
        summary = docstring(cls).partition("\n\n")[0].rstrip(".")
        made = "Gymnasium" if issubclass(cls, gymnasium.Env) else "PettingZoo parallel"
        action, seen = spaces_of(cls())
        rows.append([link, made, summary, f"`{space(action)}`", f"`{space(seen)}`"])
    return table(["environment", "interface", "what it is", "action", "observation"], rows)


def recording_tables() -> str:
    """The tables of a recording, each with its columns."""
    return "\n".join(
        f"**{name}**\n\n" + table(["column", "meaning"], [[f"`{key}`", column.meaning] for key, column in rest.items()])
        for name, columns in RECORDING_TABLES.items()
        if (rest := {key: column for key, column in columns.items() if key != "world" or name == "worlds"})
    )


def blocks(page_name: str) -> dict[str, str]:
    """What goes between the markers of pages that are written by hand."""
    measured = {name: told for name, told in columns_of("standard").items() if name not in PLAY_COLUMNS}
    return {
        "environments": environment_table("docs/environments/" if page_name == "README.md" else "environments/"),
        "recordings": recording_tables(),
        "columns": column_table(COLUMNS),
        "standard_columns": column_table(measured),
    }


def column_table(columns: Mapping[str, str]) -> str:
    """A row for each column of a table of scores."""
    return table(["column", "meaning"], [[f"`{name}`", meaning] for name, meaning in columns.items()])


def filled(page_name: str) -> str:
    """A page written by hand with its marked blocks made anew."""
    made = blocks(page_name)

    def fill(match: re.Match[str]) -> str:
        return f"{match[1]}\n{made[match[2]]}{match[3]}"

    pattern = r"(<!-- made by docs/build\.py: (\w+) -->)\n.*?(<!-- end -->)"
    return re.sub(pattern, fill, (ROOT / page_name).read_text(encoding="utf-8"), flags=re.S)


def build() -> dict[Path, str]:
    """Every page that this script answers for, by path."""
    pages = {page_path(name): page(name, cls) for name, cls in environments().items()}
    return pages | {ROOT / name: filled(name) for name in BY_HAND}


def stale() -> list[str]:
    """Pages that are not as `build` makes them, and those that belong to no environment."""
    pages = build()
    wrong = [path for path, text in pages.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    wrong += [path for path in PAGES.glob("*.md") if path not in pages]
    return [str(path.relative_to(ROOT)) for path in wrong]


def main() -> int:
    """Write the pages, or with ``--check`` tell which are stale."""
    if sys.argv[1:] == ["--check"]:
        wrong = stale()
        if wrong:
            print(f"stale: {', '.join(wrong)}; run python docs/build.py", file=sys.stderr)
        return bool(wrong)
    if sys.argv[1:]:
        print("usage: python docs/build.py [--check]", file=sys.stderr)
        return 2
    PAGES.mkdir(exist_ok=True)
    for path, text in build().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
