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

EAGER = {"epochs": 12, "batch_size": 128, "hidden": 16, "learning_rate": 1e-2}
"""Settings of ``agent.alpha`` of the same."""

SMALL_EXECUTOR = [f"agent.record={RECORD}", "agent.batch_size=200", "agent.width=8", "agent.layers=1"]
SMALL_EXECUTOR += ["agent.attention_heads=2", "agent.context=20", "agent.epochs=2"]
SMALL_EXECUTOR += [f"agent.alpha.{name}={value}" for name, value in EAGER.items()]

SMALL_AGENT = [
    *(option.replace("agent.", "agent.executor.settings.", 1) for option in SMALL_EXECUTOR),
    *("agent.manager.expert=ten-once", "agent.manager.experiment=standard_manager", "agent.manager.episodes=4"),
    "agent.manager.imitation={batch_size: 32, net_arch: [8], epochs: 1}",
    "agent.manager.learning={batch_size: 32, net_arch: [8], total_steps: 32, n_envs: 8, n_steps: 4, n_epochs: 1}",
    *("agent.coordinator.take=train", "agent.coordinator.worlds=1"),
    *("agent.coordinator.epochs=2", "agent.coordinator.width=8"),
    *("agent.dagger.worlds=2", "agent.dagger.n_epochs=1"),
    *("agent.ippo.worlds=2", "agent.mappo.worlds=2", "agent.self_play.worlds=4", "agent.self_play.every=2"),
    *("agent.check_worlds=1", "agent.mappo.check=1"),
    *("agent.learning.n_worlds=1", "agent.learning.batch_size=64", "agent.learning.n_epochs=2"),
    *("agent.learning.hidden=8", "env.opponents=[stock-planner, greedy]", "env.days=3", "env.factories_per_level=3"),
    "env.n_levels=2",
]
"""Settings of the learner ``hrl-xf``, all of whose stages take some seconds."""


@functools.cache
def small_recording(compiled=True, worlds=4, days=3):
    """Of strategies."""
    return record([Line(STRATEGIES, worlds, compiled)], days, 2, 3, "league", 0, PartnerChoices(), lambda done: None)


DRAWN = 6
"""Seed of the weights of `untrained`, of which much hangs what it does."""


def untrained(*options):
    """An executor with drawn weights, which does all kinds of things."""
    config = load_experiment("executor", [f"agent.record={RECORD}", *options]).config
    learner = AGENTS.get("executor").build(config["agent"], config["env"])
    learner.network = learner._new_network(DRAWN)
    with torch.no_grad():
        learner.network.heads.options.weight.mul_(20.0)
    return learner
