"""Random actions, valid and not, over random worlds: after every step money and goods must be conserved."""

from __future__ import annotations

from collections import Counter
from typing import Any

import gymnasium
import numpy as np

from scml_gym.oneshot.strategies import STRATEGIES
from scml_gym.oneshot.view import MAX_PARTNERS
from scml_gym.simulator import conservation
from scml_gym.simulator.conservation import demand

PARTS = [(action, timing) for action in ("choice", "continuous") for timing in ("rounds", "moves")]


def soak(actions: int, rows: int, seed: int) -> Counter[str]:
    """Play at least that many random actions, in both forms and both timings.

    Returns:
        What was covered.

    Raises:
        NotConservedError: if something is not conserved, not a number or out of range.
    """
    counts = Counter[str]()
    for part, (action, timing) in enumerate(PARTS):
        played = play_random_actions(actions // len(PARTS), rows, action, seed * len(PARTS) + part, timing=timing)
        counts["actions"] += played
    return counts


def play_random_actions(actions: int, rows: int, action: str, seed: int, **arguments: Any) -> int:
    """Play that many random actions at least.

    Args:
        actions: Of one partner: a step of a row is ``MAX_PARTNERS`` of them.
        rows: Of the batch.
        action: Form of action.
        seed: Of worlds and actions.
        arguments: More of the environment; by default it is fully observed.

    Returns:
        The actions played.

    Raises:
        NotConservedError: if something is not conserved, not a number or out of range.
    """
    world: dict[str, Any] = {"opponents": sorted(STRATEGIES), "days": (1, 12), "factories_per_level": (1, 8)}
    world |= {"observability": "full", "timing": ("rounds", "moves")[seed % 2]} | arguments
    envs: Any = gymnasium.make_vec("scml_gym/OneShotConcurrent-v0", num_envs=rows, action=action, **world).unwrapped
    return conservation.play_random_actions(envs, actions, MAX_PARTNERS, seed, check_world)


def check_world(world: Any, days: np.ndarray) -> None:
    """What all tracks conserve, and needs follow from what was agreed.

    Args:
        world: A record of ``WORLD_DTYPE``.
        days: Its table.

    Raises:
        NotConservedError: if something does not hold.
    """
    conservation.check_world(world, days)
    view = world["views"][: world["n_factories"]]
    agreed = view["partners"]["agreed_quantity"].sum(axis=1)
    demand(agreed == view["agreed_quantity"], "the agreed quantity is not the sum over partners")
    needs = np.minimum(view["lines"], view["exogenous_quantity"] - agreed)
    demand(needs == view["needs"], "needs do not follow from what was agreed")
