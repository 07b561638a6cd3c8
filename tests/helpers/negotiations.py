"""Small recordings of negotiations."""

import functools

import torch

from scml_gym.agents import AGENTS
from scml_gym.agents.hrl_xf.recording import Line, record
from scml_gym.core.config import load_experiment
from scml_gym.standard.actions import PartnerChoices

STRATEGIES = ("stock-planner", "penguin", "sync-random")
RECORD = {"real": [], "real_worlds": 0, "compiled": list(STRATEGIES), "compiled_worlds": 4, "days": 3, "levels": 2}
RECORD |= {"factories": 3, "seed": 0}
"""Settings of the learner ``executor``."""


@functools.cache
def small_recording(compiled=True, worlds=4, days=3):
    """Of strategies."""
    return record([Line(STRATEGIES, worlds, compiled)], days, 2, 3, "league", 0, PartnerChoices(), lambda done: None)


def untrained(*options):
    """An executor with drawn weights, which does all kinds of things."""
    config = load_experiment("executor", [f"agent.record={RECORD}", *options]).config
    learner = AGENTS.get("executor").build(config["agent"], config["env"])
    learner.network = learner._new_network(1)
    with torch.no_grad():
        learner.network.heads.options.weight.mul_(20.0)
    return learner
