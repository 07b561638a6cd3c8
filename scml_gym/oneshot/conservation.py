"""Random actions, valid and not, over random worlds: after every step money and goods must be conserved."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np

import scml_gym  # noqa: F401  (registers the environments)
from scml_gym.oneshot.strategies import STRATEGIES
from scml_gym.oneshot.view import MAX_PARTNERS, SELLER


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
        AssertionError: if something is not conserved, not a number or out of range.
    """
    world: dict[str, Any] = {"opponents": sorted(STRATEGIES), "days": (1, 12), "factories_per_level": (1, 8)}
    world |= {"observability": "full", "timing": ("rounds", "moves")[seed % 2]} | arguments
    envs: Any = gymnasium.make_vec("scml_gym/OneShotConcurrent-v0", num_envs=rows, action=action, **world).unwrapped
    envs.action_space.seed(seed)
    observations, infos = envs.reset(seed=seed)
    space = envs.single_observation_space
    rng = np.random.default_rng(seed)
    played = 0
    while played < actions:
        chosen = envs.action_space.sample()
        if action == "choice":  # half of the rows play valid answers only
            noise = rng.random(infos["action_mask"].shape) * infos["action_mask"]
            valid = noise.reshape(rows, MAX_PARTNERS, -1).argmax(axis=2)
            chosen = np.where((np.arange(rows) % 2 == 0)[:, None], valid, chosen)
        else:
            chosen = chosen * 3.0  # beyond the space, which is clipped to it
        observations, rewards, _, _, infos = envs.step(chosen)
        assert np.isfinite(observations).all() and np.isfinite(rewards).all(), "a number that is not finite"
        assert ((observations >= space.low) & (observations <= space.high)).all(), "an observation out of range"
        check_conservation(envs._batch.worlds)
        played += rows * MAX_PARTNERS
    return played


def check_conservation(worlds: np.ndarray) -> None:
    """Each agreement is one of both sides, needs follow from it, and balances are what was there and what was earned.

    Args:
        worlds: ``WORLD_DTYPE``, shape ``(n,)``.
    """
    views, players = worlds["views"], worlds["players"]
    partners = views["partners"]
    for world in range(len(worlds)):
        n_sellers, n_buyers = worlds["spec"]["n_sellers"][world], worlds["spec"]["n_buyers"][world]
        n = n_sellers + n_buyers
        for field in ("agreed_quantity", "agreed_price", "running"):
            sold = partners[field][world, :n_sellers, :n_buyers]
            bought = partners[field][world, n_sellers:n, :n_sellers]
            assert np.array_equal(sold, bought.T), f"{field} differs between seller and buyer"
        view = views[world, :n]
        agreed = view["partners"]["agreed_quantity"].sum(axis=1)
        assert np.array_equal(agreed, view["agreed_quantity"]), "the agreed quantity is not the sum over partners"
        needs = np.minimum(view["lines"], view["exogenous_quantity"] - agreed)
        assert np.array_equal(needs, view["needs"]), "needs do not follow from what was agreed"
        count = worlds["n_contracts"][world]
        total = worlds["contracts"]["quantity"][world, :count].sum()
        assert total == agreed[view["level"] == SELLER].sum(), "contracts and agreements differ"
        balance = view["initial_balance"] + players["total_profit"][world, :n]
        assert np.isfinite(balance).all(), "a balance that is not finite"
        open_day = worlds["phase"][world] == 1
        assert not open_day or np.array_equal(balance, view["balance"]), "a balance is not what was there and earned"
        assert (players["bankrupt"][world, :n][balance < 0] == 1).all(), "a negative balance that is not bankrupt"
