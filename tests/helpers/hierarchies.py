"""Hierarchies of drawn weights, and small worlds for them."""

import numpy as np
import torch

from scml_gym.agents.hrl_xf.agent_hyperparameters import HRLXFHyperparameters
from scml_gym.agents.hrl_xf.coordinator import Coordinator
from scml_gym.agents.hrl_xf.hierarchy import Hierarchy
from scml_gym.core.config import load_experiment, validate
from scml_gym.standard.envs.config import StandardConfig
from tests.helpers.negotiations import SMALL_AGENT, untrained

SETTINGS = validate(HRLXFHyperparameters, load_experiment("hrl_xf", SMALL_AGENT).config["agent"], "agent")
LEARNING = SETTINGS.learning.model_copy(update={"learning_rate": 1e-4})
DAILY = {"id": "scml_gym/StandardDaily-v0", "action": "goals-by-day", "observation": "plan"}


class Planner:
    """A manager that sets the same goals every day."""

    def __init__(self, quantity=4):
        self._choice = np.tile([quantity, 0], 22)

    def predict(self, observation, state=None, mask=None, deterministic=True):
        return self._choice, None


def hierarchy(way="learnt", manager=True, *options):
    torch.manual_seed(0)
    executor = untrained("agent.context=20", "env.shield=covered", *options)
    with torch.no_grad():
        executor.network.heads.options.bias[1:3] += 2.0  # it rather accepts, or offers
    return Hierarchy(executor, (Planner(), DAILY) if manager else None, way, Coordinator(8, 4, 1))


def worlds(backend="compiled"):
    opponents = ["stock-planner", "greedy"]
    return StandardConfig(opponents=opponents, days=4, factories_per_level=3, n_levels=3, backend=backend)
