"""Files from others: each reader gets damaged ones, and folders that would run code or reach out of themselves."""

from __future__ import annotations

import json
import resource
from collections.abc import Iterator
from pathlib import Path

from attacks.tries import GIGABYTE, Try, refusal, run
from tests.helpers.readers import READERS

COUNT, QUICK = 300, 6
"""Damaged files for each reader."""

EVIL = "import pathlib\npathlib.Path({owned!r}).touch()\nclass Learner:\n    pass\n"


def attack(quick: bool, seed: int, folder: Path) -> Iterator[Try]:
    """See `attack.AREAS`."""
    names = list(READERS)
    # one limited process a reader; a quick attack saves the time that it takes to start
    for part in [names] if quick else [[name] for name in names]:
        yield from _damaged(part, QUICK if quick else COUNT, seed, folder)
    yield from _code(folder)


def _damaged(names: list[str], count: int, seed: int, folder: Path) -> Iterator[Try]:
    limits, kind = {resource.RLIMIT_FSIZE: GIGABYTE}, names[0] if len(names) == 1 else "all readers"
    arguments = ["-m", "tests.helpers.readers", str(count), str(seed), *names]
    ended = run(arguments, folder, seconds=10.0 * count + 60.0 * len(names), limits=limits)
    lines = [json.loads(line) for line in ended.out.splitlines() if line.startswith("{")]
    wrong = [Try(line["what"], False, line["message"], kind) for line in lines if "what" in line]
    yield from wrong
    tried = next((line["tried"] for line in lines if "tried" in line), 0)
    for number in range(len(wrong), tried):
        yield Try(f"{kind} {number}", True, "", kind)
    if tried != count * len(names) or ended.code != 0:
        yield Try(kind, False, f"the process ended with {ended.code}: {ended.err[-300:]}", kind)


def _code(folder: Path) -> Iterator[Try]:
    """What would run code if it were read as more than data."""
    owned = folder / "OWNED"
    for what, arguments in _folders(folder, str(owned)).items():
        ended = run(arguments, folder, seconds=120.0, variables={"SCML_GYM_TRUST": ""})
        problem = "it ran code" if owned.exists() else refusal(ended)
        owned.unlink(missing_ok=True)
        yield Try(what, not problem, problem or ended.err.strip(), "folders that name code")


def _folders(folder: Path, owned: str) -> dict[str, list[str]]:
    """Folders with something in them, and commands that read them."""
    import shutil

    from attacks.tries import ROOT
    from scml_gym.core.trained import ZOO

    evaluate = [str(ROOT / "evaluate.py")]
    commands = {}
    for what, (file, change) in {
        "a learner in run.json": ("run.json", {"agent": "evil:Learner"}),
        "a wrapper in config.yaml": ("config.yaml", {"env": {"wrappers": ["evil:Learner"]}}),
        "an environment in config.yaml": ("config.yaml", {"env": {"id": "evil:scml_gym/OneShotConcurrent-v0"}}),
        "a checkpoint elsewhere": ("run.json", {"checkpoint": "../elsewhere"}),
    }.items():
        run_folder = folder / what.replace(" ", "_")
        shutil.copytree(ZOO / "flat", run_folder)
        (run_folder / "evil.py").write_text(EVIL.format(owned=owned))
        (folder / "evil.py").write_text(EVIL.format(owned=owned))
        _change(run_folder / file, change)
        commands[what] = [*evaluate, str(run_folder), "greedy", "--worlds", "1", "--days", "3", "--out", f"{what}-out"]
    return commands


def _change(file: Path, change: dict) -> None:
    import yaml

    content = yaml.safe_load(file.read_text())
    for key, value in change.items():
        content[key] = content[key] | value if isinstance(value, dict) else value
    file.write_text(json.dumps(content))
