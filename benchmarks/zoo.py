"""Trains the agents that come with the package, and writes their cards: scml_gym/zoo/NAME.

    python benchmarks/zoo.py planner flat --worlds 20
    python benchmarks/zoo.py planner --check --seed 7    # only play again, with other worlds, and compare with the card

A run folder is copied as far as it is data: no pickles, nothing that only a training needs. What plays a factory is
judged in scml's own simulation beside scml's best agent and a strategy, each alone in the same positions.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scml_gym.core.provenance import versions
from scml_gym.core.trained import CARD, PREFIX, run_path
from scml_gym.evaluation.one_play import one_play
from scml_gym.experiments.checkpoints import checkpoint_of
from scml_gym.experiments.run_folder import Run

ROOT = Path(__file__).resolve().parents[1]
ZOO = ROOT / "scml_gym" / "zoo"

ENTRIES = {
    "planner": ["fast_planner"],
    "planner_mlp": ["fast_planner", "--set", "agent.features=flatten"],
    "flat": ["fast_flat"],
    "q_learning": ["q_learning"],
    "dnb": ["dnb_accept_logistic"],
    "dcl": ["dcl"],
    "dcl_grid": ["dcl_grid"],
    "ippo": ["ippo"],
    "mediated": ["mediated"],
    "moca": ["moca"],
}
"""Name -> the arguments of ``train.py``."""

BESIDE = ["best-subset", "scml:SyncRandomOneShotAgent"]
"""Who is judged in the same positions."""

LEFT = {"training.npz", "replay.npz", "model.zip"}
"""Files of checkpoints that only a training needs, or that may hold code."""


def main() -> None:
    """Make or check entries."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=list(ENTRIES), metavar="NAME", help=", ".join(ENTRIES))
    parser.add_argument("--worlds", type=int, default=20, help="configurations in which it is judged")
    parser.add_argument("--seed", type=int, default=1, help="of these")
    parser.add_argument("--check", action="store_true", help="play again, and compare with the card")
    options = parser.parse_args()
    for name in options.names:
        if options.check:
            check(name, options.worlds, options.seed)
        else:
            make(name, options.worlds, options.seed)


def make(name: str, worlds: int, seed: int) -> None:
    """Train, copy, judge, and write the card."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / name
        arguments = [*ENTRIES[name], "--seed", "0"]
        minutes = _called("train.py", *arguments, "--out", str(run))
        shutil.rmtree(ZOO / name, ignore_errors=True)
        copy_data(run, ZOO / name)
    trained = Run.open(ZOO / name)
    card: dict[str, Any] = {
        "name": name,
        "learner": trained.info["agent"],
        "command": " ".join(["scml-gym", "train", *arguments]),
        "seed": 0,
        "steps": trained.step,
        "cpu_minutes": round(minutes, 1),
        "commit": versions()["commit"],
        "versions": {key: value for key, value in versions().items() if key not in ("commit", "platform") and value},
    }
    write_card(name, card)  # its name is known from now on
    card["one_play"] = one_play(f"{PREFIX}{name}")
    card["scores"] = scores(name, worlds, seed) or {"learning_curve": _last_row(trained)}
    write_card(name, card)
    print(json.dumps(card, indent=1))


def write_card(name: str, card: Mapping[str, Any]) -> None:
    """As JSON, in its folder."""
    (ZOO / name / CARD).write_text(json.dumps(card, indent=1) + "\n")


def copy_data(run: Path, folder: Path) -> None:
    """Copy a run folder as far as it is data that playing needs, with its learning curve."""
    _, checkpoint = checkpoint_of(run)
    for name in ("run.json", "config.yaml", "learning_curve.csv"):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(run / name, folder / name)
    for path in sorted(checkpoint.rglob("*")):
        if path.is_file() and path.name not in LEFT:
            copy = folder / path.relative_to(run)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)


def scores(name: str, worlds: int, seed: int) -> dict[str, Any] | None:
    """What it reaches in scml's own simulation; None of what plays no factory."""
    if Run.open(ZOO / name).info["agent"] in ("dcl", "ippo", "mediated", "moca"):
        return None
    arguments = [f"{PREFIX}{name}", *BESIDE, "--same-seat", "--worlds", str(worlds), "--seed", str(seed)]
    with tempfile.TemporaryDirectory() as folder:
        _called("evaluate.py", *arguments, "--out", f"{folder}/judged")
        found = json.loads((Path(folder) / "judged" / "ranking.json").read_text())
    own = next(row for row in found["ranking"] if row["competitor"] == f"{PREFIX}{name}")
    return {
        "command": " ".join(["scml-gym", "evaluate", *arguments]),
        "opponents": found["config"]["background"],
        "score": own["score"],
        "standard_error": own["standard_error"],
        "differences": [_difference(pair, f"{PREFIX}{name}") for pair in found["paired"] if _of(pair, name)],
    }


def check(name: str, worlds: int, seed: int) -> None:
    """Measure the differences again in other worlds, and say how far they are from those of the card."""
    card = json.loads((run_path(Path(f"{PREFIX}{name}")) / CARD).read_text())
    found = scores(name, worlds, seed)
    for then in card["scores"].get("differences", []):
        now = next(row for row in found["differences"] if row["other"] == then["other"]) if found else then
        error = math.hypot(then["error"], now["error"])
        apart = (now["difference"] - then["difference"]) / error
        print(f"{name} - {then['other']}: {then['difference']:+.4f}, now {now['difference']:+.4f}: {apart:+.1f} errors")


def _of(pair: Mapping[str, Any], name: str) -> bool:
    return f"{PREFIX}{name}" in (pair["competitor"], pair["other"])


def _difference(pair: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A paired difference as seen from one of both."""
    sign = 1 if pair["competitor"] == name else -1
    low, high = sorted((sign * pair["low"], sign * pair["high"]))
    other = pair["other"] if sign == 1 else pair["competitor"]
    return {"other": other, "difference": sign * pair["difference"], "error": pair["error"], "low": low, "high": high}


def _last_row(run: Run) -> dict[str, float]:
    return {name: float(value) for name, value in run.curve()[-1].items() if value}


def _called(script: str, *arguments: str) -> float:
    """Call a script of the repository; the CPU minutes that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, str(ROOT / script), *arguments], env=environment, check=True, stdout=sys.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / 60


if __name__ == "__main__":
    main()
