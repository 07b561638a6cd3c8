"""The results folder of a tournament: written as a whole, all but its tables made from them."""

from __future__ import annotations

import json
import math
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from scml_gym.core.data_files import content_of
from scml_gym.core.errors import InputError
from scml_gym.core.files import flush_tree, make_folder
from scml_gym.core.provenance import versions
from scml_gym.core.text import in_markdown, printable
from scml_gym.core.trust import trust
from scml_gym.evaluation.config import TournamentConfig, competition_of, saved_config
from scml_gym.evaluation.exceptions import LEAGUE
from scml_gym.evaluation.statistics import parts_of
from scml_gym.evaluation.table import FAILURE_COLUMNS, columns_of, read_failures, read_scores, write_table
from scml_gym.evaluation.tournament import Outcome

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = "scml-gym-ranking-1"


def output_folder(config: TournamentConfig) -> Path:
    """Where the results will be: the configured folder, or a new one in ``runs/`` named by the time.

    Raises:
        InputError: if it exists and is not empty, or could not be made; nothing is made yet.
    """
    folder = (config.out or Path("runs") / time.strftime("evaluate-%Y%m%d-%H%M%S")).absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} exists and is not empty; nothing is overwritten", "out")
    above = next(path for path in folder.parents if path.exists())
    if not above.is_dir():
        raise InputError(f"{folder}: {above} is no folder", "out")
    if not os.access(above, os.W_OK):
        raise InputError(f"{folder}: {above} cannot be written to", "out")
    return folder


def write_results(folder: Path, config: TournamentConfig, outcome: Outcome, command: str) -> str:
    """Write the results folder, which appears as a whole.

    It holds ``scores.csv``, ``failures.csv``, ``config.yaml``, ``command.txt``, ``versions.json`` and what `render`
    makes of them.

    Returns:
        The text of ``ranking.md``.

    Raises:
        InputError: if the folder is not empty any more; what was written stays beside it, as the message says.
    """
    make_folder(folder.parent)
    temporary = remove_unfinished(folder)
    try:
        temporary.mkdir()
        trust(temporary)
        content = temporary / "results"
        content.mkdir()
        write_table(outcome.rows, tuple(columns_of(config.game)), content / "scores.csv")
        write_table(outcome.failures, FAILURE_COLUMNS, content / "failures.csv")
        settings = config.model_dump(mode="json", exclude={"out", "workers"})
        (content / "config.yaml").write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
        (content / "command.txt").write_text(command + "\n", encoding="utf-8")
        (content / "versions.json").write_text(json.dumps(versions(), indent=1) + "\n", encoding="utf-8")
        text = render(content)
        flush_tree(content)
        os.replace(content, folder)
    except OSError as error:
        raise InputError(f"{folder}: {error.strerror or error}; the results are left in {temporary}") from error
    except Exception as error:
        error.add_note(f"the tables are left in {temporary}")
        raise
    shutil.rmtree(temporary, ignore_errors=True)
    return text


def remove_unfinished(folder: Path) -> Path:
    """Where results are written before they appear in their folder; what is left there, of a start that was killed or
    could not write all, is removed."""
    temporary = folder.with_name(f".{folder.name}.results")
    shutil.rmtree(temporary, ignore_errors=True)
    return temporary


def render(folder: Path) -> str:
    """Make rankings, comparisons, report and plots from the saved tables of a results folder.

    Writes ``ranking.csv``, ``paired.csv``, ``losses.csv`` (where the game measures them), ``ranking.json``,
    ``ranking.md`` and the plots.

    Returns:
        The text of ``ranking.md``.

    Raises:
        InputError: if the folder holds no readable table of scores.
    """
    from scml_gym.evaluation.plots import draw
    from scml_gym.evaluation.statistics import losses, paired, ranking

    config = saved_config(folder)
    table = read_scores(folder / "scores.csv", config.game)
    failures = read_failures(folder / "failures.csv")
    with content_of(folder, "the results of a tournament"):
        ranks, pairs, background = ranking(table), paired(table), ranking(table, role="background")
        lost = losses(table)
    ranks.to_csv(folder / "ranking.csv", index=False, lineterminator="\n")
    pairs.to_csv(folder / "paired.csv", index=False, lineterminator="\n")
    if len(lost):
        lost.to_csv(folder / "losses.csv", index=False, lineterminator="\n")
    content = {
        "schema": SCHEMA,
        "config": config.model_dump(mode="json", exclude={"out", "workers"}),
        "ranking": _records(ranks),
        "paired": _records(pairs),
        "losses": _records(lost),
        "background": _records(background),
        "failures": failures,
    }
    (folder / "ranking.json").write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    text = _markdown(config, ranks, pairs, lost, background, failures)
    (folder / "ranking.md").write_text(text, encoding="utf-8")
    for name, picture in draw(table, config.format).items():
        (folder / name).write_bytes(picture)
    return text


def headline(config: TournamentConfig, shown: Callable[[object], str] = printable) -> str:
    """What is played, in one paragraph: worlds, days, positions and background opponents, on whom scores depend.

    Args:
        config: Of the tournament.
        shown: How a name is shown, on a terminal or on a page.
    """
    plays = f"{config.worlds} configurations, each also played with the levels swapped"
    days = f"{_span(config.days)} days"
    size = f"{_on_levels(config, 2)} factories a level, {days}, seed {config.seed}"
    if competition_of(config.game).most_levels > 2:
        plays = f"{config.worlds} configurations, each played with everyone on each level in turn"
        levels = dict.fromkeys(config.levels)
        chains = " or ".join(f"{n} levels of {_on_levels(config, n)} factories" for n in levels)
        size = f"{chains}, {days}, {config.stock} stock rule, seed {config.seed}"
    if config.one_on_one:
        others = "One on one: half of each level each, no background opponents."
    elif all(
        n * config.factories_on(n, factories) * config.n_blocks == len(config.competitors)
        for n in config.levels
        for factories in config.factories_range
    ):
        others = "No background opponents: the competitors fill all positions."
    else:
        names = ", ".join(map(shown, config.background))
        others = f"Background opponents: {names}. Scores depend on who else plays."
    if config.errors == LEAGUE:
        others += " Exceptions cost the negotiation, as in scml's tournaments."
    blocks = f" in {config.n_blocks} blocks" if config.n_blocks > 1 else ""
    if config.same_seat:
        blocks = ", each alone in the same seats"
    return f"{len(config.competitors)} competitors{blocks}; {plays}; {size}.\n{others}\n"


def _on_levels(config: TournamentConfig, levels: int) -> str:
    """How many factories are on a level of worlds of so many."""
    few, many = (config.factories_on(levels, factories) for factories in config.factories_range)
    return _span((few, many))


def _span(size: int | tuple[int, int]) -> str:
    """A size in words."""
    low, high = size if isinstance(size, tuple) else (size, size)
    return str(low) if low == high else f"{low} to {high}"


def _markdown(
    config: TournamentConfig,
    ranks: pd.DataFrame,
    pairs: pd.DataFrame,
    lost: pd.DataFrame,
    background: pd.DataFrame,
    failures: Sequence[Mapping[str, str]],
) -> str:
    parts = ["# Ranking\n", headline(config, in_markdown)]
    parts.append(_table(ranks) if len(ranks) else "No competitor finished a world.\n")
    if len(ranks):
        parts.append("Score and standard error over configurations; " + _explained(ranks))
    if len(pairs):
        parts += ["## Paired comparison\n", _table(pairs)]
        parts.append(
            "Differences on the same configurations, with 95 % interval, p of the paired t-test and of Wilcoxon's "
            "signed-rank test; share: of the configurations not tied that the first one won, with Wilson's interval. "
            "The p-values are not corrected for the number of pairs.\n"
        )
    if len(lost):
        parts += ["## Loss against the ideal\n", _table(lost)]
        parts.append(
            "ideal: the score of who trades all that each day needs at the best price, or nothing where an item costs "
            "more than it brings; loss: ideal less score, by cause: needed items that were not traded, prices worse "
            "than the best, items beyond the need.\n"
        )
    if len(background):
        parts += ["## Background opponents\n", _table(background)]
    if failures:
        parts += [
            "## Failures\n",
            _rows(list(FAILURE_COLUMNS), [[_cell(f[c]) for c in FAILURE_COLUMNS] for f in failures]),
        ]
    return "\n".join(parts)


def _explained(ranks: pd.DataFrame) -> str:
    """What the columns of a ranking say, of those that its game has."""
    if "revenue" not in ranks:
        return "then the score on each side.\n"
    levels = [level for level in ("seller", "buyer", "first", "middle", "last") if level in ranks]
    parts = parts_of(ranks)
    return (
        f"{', '.join(levels)}: score on that level; {', '.join(parts[:-1])} and {parts[-1]} as shares of the initial "
        f"balance (score = 1 + {' - '.join(parts)}).\n"
    )


def _table(frame: pd.DataFrame) -> str:
    return _rows([str(c) for c in frame.columns], [[_cell(v) for v in row] for row in frame.itertuples(index=False)])


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "-" if math.isnan(value) else f"{value:.4f}"
    return in_markdown(value)


def _rows(header: list[str], rows: list[list[str]]) -> str:
    """An aligned Markdown table of finished cells: readable in a terminal too."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    lines = [header, ["-" * width for width in widths], *rows]
    return "".join("| " + " | ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)) + " |\n" for r in lines)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain Python values, None for NaN."""
    plain = frame.astype(object).where(frame.notna(), None)
    return [{str(key): value for key, value in row.items()} for row in plain.to_dict("records")]
