"""Does the executor of a trained hierarchy heed alpha? What it answers where the hierarchy comes to, at other alphas.

Held-out worlds of the experiment hrl_xf are played with alpha 0; at each decision the executor is asked what it would
do at alpha -1 to 1. ``accepts`` is the share of the answers that accept, where that is valid, ``ends`` that of ends,
and ``gain`` the position of offered prices in the day's range, 1 the best for who offers. Means over worlds;
differences to alpha 0 are paired by world (Student's t, 95 %).

    python benchmarks/hierarchy_alpha.py runs/hrl_xf-0 --worlds 20
"""

from __future__ import annotations

import argparse

import numpy as np
from executor_alpha import ALPHAS, cell

from scml_gym.agents.hrl_xf.eagerness import ACCEPT, END, OFFER, PRICE
from scml_gym.agents.hrl_xf.executing import narrowing
from scml_gym.agents.hrl_xf.heeding import MEASURES
from scml_gym.agents.hrl_xf.hierarchy import Decided
from scml_gym.agents.hrl_xf.learner import ExecutorLearner
from scml_gym.agents.hrl_xf.observing import ALPHA
from scml_gym.agents.hrl_xf.rollouts import play
from scml_gym.agents.hrl_xf.stages import OF_WORLDS
from scml_gym.core.cli import run_main
from scml_gym.policies.run_folders import load_agent
from scml_gym.standard.envs.config import StandardConfig
from scml_gym.standard.view import MAX_PER_LEVEL

SEED = 72_000_000


def answered(learner: ExecutorLearner, decided: list[Decided], alpha: float) -> tuple[float, float, float]:
    """What is done in the decisions of a world at an alpha: `MEASURES`."""
    found = []
    for one in decided:
        rows, asked = one.asked.rows.copy(), one.asked
        rows[:, ALPHA] = alpha
        chosen, _ = learner.continued(rows, asked.memories, asked.masks, narrowing(asked.safe))
        found.append((np.stack(chosen), asked.masks[:, ACCEPT], asked.shown.due >= MAX_PER_LEVEL))
    chosen, valid, consumer = (np.concatenate(part) for part in zip(*found, strict=True))
    response, offers = chosen[:, 0], chosen[:, 0] == OFFER
    place = chosen[:, PRICE] / (learner.choices.price_bins - 1)
    gain = np.where(consumer, place, 1.0 - place)[offers].mean()
    return float((response == ACCEPT)[valid].mean()), float((response == END).mean()), float(gain)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("run", help="a run folder of hrl-xf")
    parser.add_argument("--worlds", type=int, default=20, help="default: %(default)s")
    given = parser.parse_args()
    agent = load_agent(given.run)
    config = StandardConfig(**{key: agent.env[key] for key in OF_WORLDS if key in agent.env})
    episodes = play(agent.hierarchy("zero"), config, range(SEED, SEED + given.worlds))
    told = {a: np.array([answered(agent.executor, episode.decided, a) for episode in episodes]).T for a in ALPHAS}
    print(f"| alpha | {' | '.join(MEASURES)} |\n| --- | {' | '.join(['---'] * len(MEASURES))} |")
    for alpha, numbers in told.items():
        cells = [cell(own, reference) for own, reference in zip(numbers, told[0.0], strict=True)]
        print(f"| {alpha:+.1f} | {' | '.join(cells)} |")


if __name__ == "__main__":
    run_main(main)
