"""Hyperparameters and worlds of the tests of Q-learning."""

from scml_gym.agents.q_learning.hyperparameters import QLearningHyperparameters
from scml_gym.core.config import CONFIGS, merge, read_yaml, validate

ENV = {
    "id": "any",
    "opponents": ["best-subset"],
    "days": 4,
    "factories_per_level": 3,
    "generator": "compiled",
    "backend": "compiled",
}

CHANGES = [
    {},
    {"learning__backward": False, "states__time_bins": 4},
    {"reward__settle": "day", "reward__scaling": "share", "heuristics__order": "random"},
    {"states__kind": "full", "heuristics__margin": None, "heuristics__reserve": None, "heuristics__greedy_first": 0.5},
]
"""Hyperparameters that lead through other branches of learning."""


def config(**changes):
    over: dict = {}
    for key, value in changes.items():
        section, name = key.split("__")
        over.setdefault(section, {})[name] = value
    return merge(read_yaml(CONFIGS / "agent" / "q_learning.yaml"), over)


def hyperparameters(**changes) -> QLearningHyperparameters:
    return validate(QLearningHyperparameters, config(**changes))
