"""Judging what ``train.py acceptance`` learnt: negotiations in a problem of one's choice.

    python examples/judge_acceptance.py runs/acceptance --scenario Party --opponent AgentK

What is not given is as in the training: side, rounds, who opens, whose offers the learner makes.
"""

import argparse
import os
import sys
from pathlib import Path

import gymnasium
import numpy as np

import scml_gym  # noqa: F401 (registers the environments)
from scml_gym.core.errors import InputError
from scml_gym.experiments.checkpoints import run_of
from scml_gym.policies.run_folders import load_agent

sys.path.append(os.getcwd())  # where modules of one's own are, which the run folder or the options may name

parser = argparse.ArgumentParser(description="Judge a run folder of train.py acceptance.")
parser.add_argument("run", help="run folder, or zoo:acceptance")
parser.add_argument("--scenario", help="name, file or folder")
parser.add_argument("--opponent", help="a negotiator")
parser.add_argument("--rounds", type=int)
parser.add_argument("--negotiations", type=int, default=100)
parser.add_argument("--seed", type=int, default=0)
options = parser.parse_args()

given = {name: getattr(options, name) for name in ("scenario", "opponent", "rounds")}
try:
    agent = load_agent(options.run)
    problem = run_of(Path(options.run)).config["env"] | {k: v for k, v in given.items() if v is not None}
    if problem["id"] != "scml_gym/BilateralAcceptance-v0":
        parser.error(f"{options.run} was trained in {problem['id']}; valid: scml_gym/BilateralAcceptance-v0")
    env = gymnasium.make(**{key: value for key, value in problem.items() if key != "name"})
except InputError as error:
    parser.error(str(error))

ends = []
for negotiation in range(options.negotiations):
    observation, info = env.reset(seed=options.seed + negotiation)
    state, ended = None, False
    while not ended:
        action, state = agent.predict(observation, state, info["action_mask"])
        observation, _, terminated, truncated, info = env.step(int(action))
        ended = terminated or truncated
    ends.append((info["utility"], info["agreement"], info["round"]))

utility, agreement, last_round = np.array(ends, dtype=float).T
error = utility.std(ddof=1) / np.sqrt(len(utility))
print(f"{problem['scenario']} against {problem['opponent']}, {len(utility)} negotiations:")
print(f"mean utility {utility.mean():.4f} (standard error {error:.4f}), ", end="")
print(f"agreement rate {agreement.mean():.3f}, mean round {last_round.mean():.1f}")
