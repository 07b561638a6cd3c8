"""Random answers, valid and not, in batches of worlds of any track, and what has to hold after each of them.

The checks raise by themselves: ``python -O`` leaves every ``assert`` out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium import spaces

from scml_gym.simulator.compiled.layout import NEGOTIATING

CheckWorld = Callable[[Any, np.ndarray], None]
"""``(world, days)``: one record and its table of days."""


class NotConservedError(AssertionError):
    """Money or goods came from nowhere, went nowhere, or were written down in two ways."""


def demand(held: Any, message: str) -> None:
    """Go on where something holds, or every element of an array does.

    Raises:
        NotConservedError: with that message, where it does not.
    """
    if not np.all(held):
        raise NotConservedError(message)


def play_random_actions(envs: Any, actions: int, per_row: int, seed: int, check: CheckWorld) -> int:
    """Play at least that many random actions in a batch, and check every world after each step.

    Of discrete actions half of the rows play valid ones only; continuous ones lie beyond the space too, and are clipped
    to it.

    Args:
        envs: A native vector environment over worlds, observed by a ``Box``.
        actions: How many.
        per_row: Of them in a row's step: one for each partner, say.
        seed: Of worlds and actions.
        check: What has to hold in each world.

    Returns:
        The actions played.

    Raises:
        NotConservedError: if something is not conserved, not a number or out of range.
    """
    envs.action_space.seed(seed)
    rng = np.random.default_rng(seed)
    infos = envs.reset(seed=seed)[1]
    low, high = envs.single_observation_space.low, envs.single_observation_space.high
    played = 0
    while played < actions:
        observations, rewards, _, _, infos = envs.step(_random_actions(envs, infos["action_mask"], rng))
        demand(np.isfinite(observations), "an observation that is not finite")
        demand(np.isfinite(rewards), "a reward that is not finite")
        demand((observations >= low) & (observations <= high), "an observation out of range")
        batch = envs._batch
        for world, days in zip(batch.worlds, batch.daily, strict=True):
            check(world, days)
        played += envs.num_envs * per_row
    return played


def _random_actions(envs: Any, masks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An action for each row."""
    chosen, space = envs.action_space.sample(), envs.single_action_space
    if not isinstance(space, spaces.MultiDiscrete):
        return chosen * 3.0
    choices = np.split(rng.random(masks.shape) * masks, np.cumsum(space.nvec)[:-1], axis=1)
    valid = np.stack([part.argmax(axis=1) for part in choices], axis=1)
    return np.where((np.arange(len(masks)) % 2 == 0)[:, None], valid, chosen)


def check_world(world: Any, days: np.ndarray) -> None:
    """Each agreement is one of both sides and a contract, and balances are what was there and what was earned.

    Args:
        world: A record of any track's worlds.
        days: Its table, shape ``(days or more, factories)``.

    Raises:
        NotConservedError: if not.
    """
    _check_agreements(world)
    n, day = world["n_factories"], world["day"]
    view, player = world["views"][:n], world["players"][:n]
    earned = np.cumsum(days["profit"][:day, :n], axis=0)[-1] if day > 0 else np.zeros(n)
    demand(player["total_profit"] == earned, "the profit is not the sum of the days' profits")
    balance = player["total_profit"] + view["initial_balance"]
    demand(np.isfinite(balance), "a balance that is not finite")
    demand(player["bankrupt"][balance < 0] == 1, "a negative balance that is not bankrupt")
    if world["phase"] == NEGOTIATING:
        demand(balance == view["balance"], "a balance is not what was there and earned")


def _check_agreements(world: Any) -> None:
    pairs, partners = world["negotiations"][: world["n_negotiations"]], world["views"]["partners"]
    sold, bought = partners[pairs["seller"], pairs["consumer"]], partners[pairs["buyer"], pairs["supplier"]]
    for name in (*_agreed_names(sold.dtype).values(), "running"):
        demand(sold[name] == bought[name], f"{name} differs between seller and buyer")
    made, contracts = sold["agreed_quantity"] > 0, world["contracts"][: world["n_contracts"]]
    demand(np.count_nonzero(made) == len(contracts), "contracts and agreements differ in number")
    sold, pairs = sold[made], pairs[made]
    agreed, kept = (np.lexsort((sides["buyer"], sides["seller"])) for sides in (pairs, contracts))
    for name in ("seller", "buyer"):
        demand(pairs[name][agreed] == contracts[name][kept], "contracts and agreements are of other factories")
    for name, field in _agreed_names(sold.dtype).items():
        demand(sold[field][agreed] == contracts[name][kept], f"the {name} of a contract is not what was agreed")


def _agreed_names(partner: np.dtype) -> dict[str, str]:
    """Column of contracts -> field of partners, as far as the track has them."""
    names = {"quantity": "agreed_quantity", "price": "agreed_price", "delivery": "agreed_day"}
    return {name: field for name, field in names.items() if field in (partner.names or ())}
