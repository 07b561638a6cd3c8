"""Trains the agents that come with the package, and writes their cards: scml_gym/zoo/NAME.

    python benchmarks/zoo.py planner flat         # train
    python benchmarks/zoo.py --measure            # measure what they reach, into the cards
    python benchmarks/zoo.py --check --seed 7     # measure again, with other seeds, and compare with the cards

A run folder is copied as far as it is data: no pickles, nothing that only a training needs. How what was learnt is
measured: benchmarks/zoo_scores.py. A card names the commit that it was made at, so there must be no changes beside it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo_scores import called, numbers_of, scores_of

from scml_gym.core.provenance import versions
from scml_gym.core.trained import CARD, PREFIX, run_path
from scml_gym.evaluation.one_play import one_play
from scml_gym.experiments.checkpoints import checkpoint_of
from scml_gym.experiments.run_folder import Run
from scml_gym.policies.run_folders import load_agent

ZOO = Path(__file__).resolve().parents[1] / "scml_gym" / "zoo"

EXPERIMENTS = {
    "planner": ["planner"],
    "flat": ["flat", "--set", "agent.total_steps=400000"],
    "fast_planner": ["fast_planner"],
    "fast_flat": ["fast_flat"],
    "recurrent_ppo": ["recurrent_ppo"],
    "q_learning": ["q_learning"],
    "dnb": ["dnb_accept_logistic", "--set", "agent.data.worlds=60"],
    "acceptance": ["acceptance"],
    "dcl": ["dcl"],
    "dcl_grid": ["dcl_grid"],
    "independent_ppo": ["independent_ppo"],
    "mappo": ["mappo"],
    "ippo": ["ippo"],
    "mediated": ["mediated"],
    "moca": ["moca"],
}
"""Name -> the arguments of the training, but for the seed."""

NEVER = {"training.npz", "replay.npz", "model.zip"}
"""Files of checkpoints that only a training needs, or that may hold code."""


def main() -> None:
    """Make or check entries."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=list(EXPERIMENTS), metavar="NAME", help=", ".join(EXPERIMENTS))
    parser.add_argument("--worlds", type=int, default=20, help="configurations in which factories are judged")
    parser.add_argument("--days", type=int, default=15, help="of these")
    parser.add_argument("--seed", type=int, default=1, help="of what is measured")
    task = parser.add_mutually_exclusive_group()
    task.add_argument("--measure", action="store_true", help="what they reach, into the cards")
    task.add_argument("--check", action="store_true", help="measure again, and compare with the cards")
    options = parser.parse_args()
    if options.check:
        check(options.names, options.worlds, options.days, options.seed)
        return
    commit = versions()["commit"]
    if commit is None or commit.endswith("+changes"):
        parser.error("cards name a commit: commit first")
    if options.measure:
        for name, scores in scores_of(options.names, options.worlds, options.days, options.seed).items():
            write_card(name, card_of(name) | {"scores": scores | {"commit": commit}})
    else:
        for name in options.names:
            make(name, commit)


def make(name: str, commit: str) -> None:
    """Train and copy, with a card that has no scores yet."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / name
        arguments = [*EXPERIMENTS[name], "--seed", "0"]
        _, minutes = called("train.py", *arguments, "--out", str(run))
        shutil.rmtree(ZOO / name, ignore_errors=True)
        copy_data(run, ZOO / name)
    trained = Run.open(ZOO / name)
    card = {
        "name": name,
        "learner": trained.info["agent"],
        "command": " ".join(["scml-gym", "train", *arguments]),
        "seed": 0,
        "steps": trained.step,
        "cpu_minutes": round(minutes, 2),
        "commit": commit,
        "versions": {key: value for key, value in versions().items() if key not in ("commit", "platform") and value},
    }
    write_card(name, card)  # its name is known from now on
    write_card(name, card | {"one_play": one_play(f"{PREFIX}{name}")})


def card_of(name: str) -> dict[str, Any]:
    """A trained agent's card."""
    return json.loads((run_path(Path(f"{PREFIX}{name}")) / CARD).read_text())


def write_card(name: str, card: Mapping[str, Any]) -> None:
    """As JSON, in its folder."""
    (ZOO / name / CARD).write_text(json.dumps(card, indent=1) + "\n")


def copy_data(run: Path, folder: Path) -> None:
    """Copy a run folder as far as it is data that playing needs, with its learning curve."""
    _, checkpoint = checkpoint_of(run)
    for name in ("run.json", "config.yaml", "learning_curve.csv"):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(run / name, folder / name)
    copy = folder / checkpoint.relative_to(run)
    shutil.copytree(checkpoint, copy, ignore=lambda _, names: NEVER & set(names))
    if (checkpoint / "model.zip").exists():
        load_agent(run).write_weights(copy)


def check(names: Sequence[str], worlds: int, days: int, seed: int) -> None:
    """Measure again with other seeds, and say how far all numbers are from those of the cards.

    Exits with 1 where more than one in ten is outside the 95 % interval of the difference, or one is beyond 3 errors.
    """
    found, rows = scores_of(names, worlds, days, seed), []
    for name in names:
        now = numbers_of(found[name])
        rows += [(name, what, then, now[what]) for what, then in numbers_of(card_of(name)["scores"]).items()]
    print("| agent | number | card | measured again | apart, in standard errors | within the 95 % interval |")
    print("|---|---|---|---|---|---|")
    for name, what, then, now in rows:
        told = f"{then.value:+.4f} ± {then.error:.4f} | {now.value:+.4f} ± {now.error:.4f} | {then.apart(now):+.2f}"
        print(f"| {name} | {what} | {told} | {'yes' if then.agrees(now) else 'no'} |")
    n_within, most = (
        sum(then.agrees(now) for *_, then, now in rows),
        max(abs(then.apart(now)) for *_, then, now in rows),
    )
    print(f"\n{n_within} of {len(rows)} within the 95 % interval of the difference; at most {most:.2f} standard errors")
    raise SystemExit(n_within < 0.9 * len(rows) or most > 3)


if __name__ == "__main__":
    main()
