"""Whether trained agents play the optimum of the negotiation ``shared-needs``, which enumeration finds.

    python train.py mappo --seeds 0-9 --out runs/mappo
    python benchmarks/shared_needs.py runs/mappo/seed-?

All agents take the actions that they think likeliest; as nothing is drawn in the game, that is one episode.
"""

from __future__ import annotations

import argparse
import itertools

import numpy as np

from scml_gym.commitment import make_game
from scml_gym.commitment.base import MarkovGame
from scml_gym.core.cli import run_main
from scml_gym.evaluation.one_play import play_together
from scml_gym.experiments.run_folder import Run
from scml_gym.policies.run_folders import load_agent


def optimum(game: MarkovGame) -> tuple[float, int, int]:
    """The most that a sequence of joint actions brings; how many bring it; how many there are."""
    sequences = itertools.product(range(game.actions), repeat=game.agents * game.horizon)
    joint = np.array(list(sequences)).reshape(-1, game.horizon, game.agents)
    state, total = game.initial((len(joint),)), np.zeros(len(joint))
    for t in range(game.horizon):
        state, rewards = game.step(state, joint[:, t])
        total += rewards[:, 0]
    return float(total.max()), int((total == total.max()).sum()), len(total)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", help="run folders")
    print("| run | profit | optimum | sequences that bring it |\n|---|---|---|---|")
    for folder in parser.parse_args().runs:
        arguments = {key: value for key, value in Run.open(folder).config["env"].items() if key not in ("name", "id")}
        best, n_best, n = optimum(make_game(**arguments))
        total = next(iter(play_together(load_agent(folder), Run.open(folder).config["env"], 0).values()))
        print(f"| {folder} | {total:g} | {best:g} | {n_best} of {n} |")


if __name__ == "__main__":
    run_main(main)
