"""A submission: a folder that plays in scml's league with scml and NumPy alone."""

from __future__ import annotations

import io
import json
import keyword
import math
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import scml_gym
from scml_gym.core.calls import Array, Arrays, Call, Code, Given, Name, parts_of
from scml_gym.core.errors import InputError
from scml_gym.core.files import make_folder, new_folder
from scml_gym.export.parsing import is_own
from scml_gym.export.players import Exported
from scml_gym.export.sources import check_package, copy_sources

SOURCE = "source"
"""The folder of the copied modules in a submission."""

NUMBERS = "numbers.npz"
TRIAL_SECONDS = 600


@dataclass(frozen=True)
class Trial:
    """How a submission did in a short world of scml.

    Attributes:
        name: Of its class.
        decisions: That it took.
        mean: Seconds of one on average.
        most: Of the longest.
    """

    name: str
    decisions: int
    mean: float
    most: float


def write_submission(player: Exported, out: Path, name: str = "") -> Trial:
    """Write a submission and try it in a process that has nothing but scml and NumPy.

    Args:
        player: What plays.
        out: The new folder, which is a Python package: its name is an identifier.
        name: Of the agent's class; made of the folder's by default.

    Raises:
        InputError: if the folder is not empty or its name is none of a package; if a part cannot be exported, or the
            trial fails. Nothing is left behind then.
    """
    out, name = check_folder(out, name)
    files = submission_files(player, name)
    make_folder(out.parent)
    temporary = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        with new_folder(out, temporary / out.name) as filling:
            for path, content in files.items():
                file = filling / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
            trial = _try(temporary, out.name, name, player.game.name)
            (filling / "README.md").write_text(_readme(player, out.name, trial), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{out}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return trial


def check_folder(out: Path, name: str) -> tuple[Path, str]:
    """The whole path of a submission that could be written there, and the name of its class.

    Args:
        out: See `write_submission`.
        name: Likewise; where it is empty, ``my_agent`` gives ``MyAgent``.

    Raises:
        InputError: as `write_submission`, of the folder and the name.
    """
    out = Path(os.path.abspath(out))
    name = name or "".join(part[:1].upper() + part[1:] for part in out.name.split("_"))
    for what, text in (("folder", out.name), ("class", name)):
        if not text.isidentifier() or keyword.iskeyword(text):
            raise InputError(f"{text!r} is no name of a {what} that Python imports; valid: letters, digits and _")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} exists already; valid: a new folder, or an empty one")
    return out, name


def submission_files(player: Exported, name: str) -> dict[str, bytes]:
    """The files of a submission but for its README: path -> content.

    Args:
        player: What plays.
        name: Of the agent's class.

    Raises:
        InputError: if a part cannot be exported, saying which.
    """
    bases = player.game.adapters[player.synchronous]
    paths = [*bases, *(part.path for part in parts_of(player.made, Name))]
    paths += [f"{part.module}:{part.name}" for part in parts_of(player.made, Code)]
    modules = {part.module: part.text for part in parts_of(player.made, Code)}
    own = [path for path in paths if _is_copied(path, modules)]
    for path in set(paths) - set(own):
        check_package(path.partition(":")[0], player.of)
    own += [text for text in parts_of(player.made, str) if ":" in text and is_own(text.partition(":")[0])]
    files = {f"{SOURCE}/{path}": text for path, text in copy_sources(own, modules).items()}
    files[f"{SOURCE}/__init__.py"] = ""
    arrays = {part.name: part.value for part in parts_of(player.made, Array)}
    arrays |= {key: value for part in parts_of(player.made, Arrays) for key, value in part.values.items()}
    learnt = bool(parts_of(player.made, Array) or parts_of(player.made, Arrays))
    files["agent.py"] = _agent(player, name, bases, paths, modules, learnt)
    files["__init__.py"] = (
        f'"""{name}, an agent of SCML\'s league."""\n\nfrom .agent import {name}\n\nMAIN_AGENT = {name}\n'
        f'__all__ = ["{name}"]\n\n__author__ = ""\n__team__ = ""\n__email__ = ""\n__version__ = "0.1.0"\n'
    )
    content = {path: text.encode() for path, text in files.items()}
    if learnt:
        data = io.BytesIO()
        np.savez_compressed(data, allow_pickle=False, **arrays)
        content[NUMBERS] = data.getvalue()
    return content


def _told(player: Exported) -> str:
    """What it is, as it may stand in a docstring."""
    text = "".join(c for c in player.of if c.isprintable()).replace("\\", "/").replace('"', "'")
    return text[0].upper() + text[1:]


def _is_copied(path: str, modules: Mapping[str, str]) -> bool:
    module = path.partition(":")[0]
    return module in modules or is_own(module)


AGENT = '''"""{of}, as an agent of SCML's league."""

from __future__ import annotations

{imports}

__all__ = ["{name}"]
{numbers}

class {name}({bases}):
    """{of}.

    Args:
        seed: Of whatever the policy draws.
    """

    def __init__(self, *args: Any, seed: int = 0, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.policy = {policy}
'''

READ_NUMBERS = f'''
with np.load(Path(__file__).with_name("{NUMBERS}"), allow_pickle=False) as _file:
    NUMBERS = dict(_file)
'''


def _agent(
    player: Exported, name: str, bases: tuple[str, ...], paths: list[str], modules: Mapping[str, str], numbers: bool
) -> str:
    """The file with the agent's class."""
    names: dict[str, str] = {}
    own, others = [], ["import numpy as np"] if numbers else []
    standard = (["from pathlib import Path"] if numbers else []) + ["from typing import Any"]
    for path in dict.fromkeys(paths):
        module, _, attribute = path.partition(":")
        known = attribute
        while known in {*names.values(), name, "NUMBERS", "Any", "Path", "np"}:
            known += "_"
        names[path] = known
        rename = "" if known == attribute else f" as {known}"
        copied = _is_copied(path, modules)
        line = f"from {f'.{SOURCE}.' if copied else ''}{module} import {attribute}{rename}"
        (own if copied else standard if module in sys.stdlib_module_names else others).append(line)
    return AGENT.format(
        of=_told(player),
        imports="\n\n".join("\n".join(sorted(lines)) for lines in (standard, others, own) if lines),
        name=name,
        numbers=READ_NUMBERS if numbers else "",
        bases=", ".join(names[path] for path in bases),
        policy=_expression(player.made, names, 2),
    )


def _expression(part: Any, names: Mapping[str, str], depth: int) -> str:
    """A part as Python; calls have a line for each argument where they are long."""
    if isinstance(part, Name):
        return names[part.path]
    if isinstance(part, Code):
        return names[f"{part.module}:{part.name}"]
    if isinstance(part, Given):
        if part.name != "seed":
            raise InputError(f"cannot be exported: {part.name!r} is not known")
        return part.name
    if isinstance(part, Array):
        return f'NUMBERS["{part.name}"]'
    if isinstance(part, Arrays):
        return "NUMBERS"
    if isinstance(part, Call):
        pad = "    " * (depth + 1)
        arguments = [_expression(a, names, depth + 1) for a in part.args]
        arguments += [f"{k}={_expression(v, names, depth + 1)}" for k, v in part.kwargs.items()]
        short = f"({', '.join(arguments)})"
        long = "(\n" + "".join(f"{pad}{argument},\n" for argument in arguments) + f"{pad[4:]})"
        return _expression(part.target, names, depth) + (short if len(short) < 80 and "\n" not in short else long)
    if isinstance(part, tuple | list):
        inner = ", ".join(_expression(p, names, depth) for p in part)
        return f"[{inner}]" if isinstance(part, list) else f"({inner}{',' * (len(part) == 1)})"
    if isinstance(part, dict):
        items = (f"{_expression(k, names, depth)}: {_expression(v, names, depth)}" for k, v in part.items())
        return "{" + ", ".join(items) + "}"
    if isinstance(part, str) and ":" in part and is_own(part.partition(":")[0]):
        return f'__name__.removesuffix("agent") + "{SOURCE}.{part}"'
    if isinstance(part, str):
        return json.dumps(part, ensure_ascii=False)
    if isinstance(part, float):
        return repr(float(part)) if math.isfinite(part) else f'float("{part}")'
    if part is None or isinstance(part, bool | int):
        return repr(part)
    raise InputError(f"cannot be exported: {part!r} is no number or text that can be written down")


def _try(folder: Path, package: str, name: str, track: str) -> Trial:
    """Play a short world by itself.

    Raises:
        InputError: if it fails, with the last line of what was said.
    """
    script = Path(__file__).with_name("trial.py")
    command = [sys.executable, "-E", "-P", "-B", str(script), str(folder), package, name, track]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=TRIAL_SECONDS, cwd=folder, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired as error:
        raise InputError(f"cannot be exported: it plays no short world within {TRIAL_SECONDS} s") from error
    if done.returncode != 0:
        raise InputError(f"cannot be exported: it does not play without this package ({_last_error(done.stderr)})")
    return Trial(name, **json.loads(done.stdout.splitlines()[-1]))


def _last_error(said: str) -> str:
    """What a traceback ends with, and where, in one line."""
    errors = [line for line in said.splitlines() if re.match(r"[A-Za-z_][\w.]*(: |$)", line)]
    places = re.findall(r'File "(.*)", line (\d+)', said)
    where = f", {Path(places[-1][0]).name}:{places[-1][1]}" if places else ""
    return f"{errors[-1] if errors else 'it was stopped'}{where}"


def _readme(player: Exported, folder: str, trial: Trial) -> str:
    track = {"oneshot": "anac2024_oneshot", "standard": "anac2024_std"}[player.game.name]
    return f"""# {trial.name}

{_told(player)}, as an agent of SCML's league ({player.game.name} track). It needs scml and NumPy
alone. Made by scml_gym {scml_gym.__version__}.

How is it played? The folder that `{folder}` lies in is on Python's path, and the agent's class is
`{folder}.agent.{trial.name}`:

```python
from scml.utils import {track}
from {folder} import {trial.name}

results = {track}(competitors=[{trial.name}, ...])
```

What is where? `agent.py` has the class, `{NUMBERS}` what was learnt, if anything, and `{SOURCE}/` the parts of scml_gym
and of own modules that it is made of, as they were written, without a compiler.

How fast is it? In a trial, each of {trial.decisions} decisions took {1000 * trial.mean:.1f} ms on average, and
{1000 * trial.most:.0f} ms at most.
"""
