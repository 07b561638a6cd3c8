"""Episodes of a commitment game for all seeds at once, and what is learnt from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from scml_gym.commitment.base import MarkovGame, one_hot
from scml_gym.commitment.envs.commitment_v0 import unanimous


class Policies(Protocol):
    """Three policies of every agent and seed, as logits of rows."""

    def propose(self, x: np.ndarray) -> np.ndarray:
        """``(seeds, 1, rows, features)`` -> ``(seeds, agents, rows, actions)``."""
        ...

    def commit(self, x: np.ndarray, m: np.ndarray) -> np.ndarray:
        """With all proposals, one-hot ``(seeds, 1, rows, agents * actions)`` -> ``(seeds, agents, rows, 2)``."""
        ...

    def act(self, x: np.ndarray) -> np.ndarray:
        """As `propose`."""
        ...


class Batch(NamedTuple):
    """Decisions of whole episodes; rows are (step, episode). Shapes begin with ``(seeds, agents, rows)``.

    Attributes:
        x: Observations, ``(seeds, 1, rows, features)``.
        m: Proposals.
        c: Commitments, 1 for accepting.
        a: Actions; sampled always, played where no agreement binds.
        noise: The Gumbel noise of the three samples, ``(seeds, agents, rows, 2 * actions + 2)``.
        mutual: Whether all commit, 0.0 or 1.0, ``(seeds, 1, rows)``.
        returns: Discounted, from the decision on.
        totals: Undiscounted returns of episodes, ``(seeds, agents, episodes)``.
    """

    x: np.ndarray
    m: np.ndarray
    c: np.ndarray
    a: np.ndarray
    noise: np.ndarray
    mutual: np.ndarray
    returns: np.ndarray
    totals: np.ndarray


def gumbel(rngs: Sequence[np.random.Generator], shape: tuple[int, ...]) -> np.ndarray:
    """Gumbel noise of each seed: ``(seeds, *shape)``; a seed's is the same whatever other seeds there are."""
    return -np.log(-np.log(np.stack([rng.random(shape) for rng in rngs]) + 1e-300) + 1e-300)


def run_episodes(
    game: MarkovGame, seeds: int, episodes: int, decide: Callable[[int, np.ndarray], Sequence[np.ndarray]]
) -> tuple[list[np.ndarray], np.ndarray]:
    """Play whole episodes of a game with all seeds at once.

    Args:
        game: A native batch.
        seeds: How many.
        episodes: Of each seed.
        decide: From the step and what is seen, ``(seeds, 1, episodes, features)``, to the actions played, ``(seeds,
            agents, episodes)``, and whatever else is to be kept, with the episodes on the third axis.

    Returns:
        What was seen and what ``decide`` returned, as rows (step, episode) on the third axis; and the rewards,
        ``(seeds, agents, steps, episodes)``.
    """
    state = game.initial((seeds, episodes))
    kept: list[tuple[np.ndarray, ...]] = []
    paid: list[np.ndarray] = []
    for t in range(game.horizon):
        x = game.observe(state)[:, None]
        decided = decide(t, x)
        state, rewards = game.step(state, decided[0].swapaxes(1, 2))
        kept.append((x, *decided))
        paid.append(rewards.swapaxes(1, 2))
    return [np.concatenate(parts, axis=2) for parts in zip(*kept, strict=True)], np.stack(paid, axis=2)


def play(
    game: MarkovGame, policies: Policies, rngs: Sequence[np.random.Generator], episodes: int, gamma: float
) -> Batch:
    """Play episodes of the commitment game of a game.

    Args:
        game: A native batch.
        policies: Of all seeds and agents.
        rngs: One generator for each seed.
        episodes: Of each seed.
        gamma: Discount of a decision.
    """
    seeds, agents, actions, steps = len(rngs), game.agents, game.actions, game.horizon
    noise = gumbel(rngs, (steps, agents, episodes, 2 * actions + 2))

    def decide(t: int, x: np.ndarray) -> Sequence[np.ndarray]:
        g = noise[:, t]
        m = np.argmax(policies.propose(x) + g[..., :actions], axis=-1)
        c = np.argmax(policies.commit(x, proposals_seen(m, actions)) + g[..., actions : actions + 2], axis=-1)
        a = np.argmax(policies.act(x) + g[..., actions + 2 :], axis=-1)
        mutual = unanimous(c.swapaxes(1, 2))[:, None]
        return np.where(mutual, m, a), m, c, a, mutual.astype(np.float64), g

    (x, _, m, c, a, mutual, rows), rewards = run_episodes(game, seeds, episodes, decide)
    returns = discounted(rewards, gamma).reshape(m.shape)
    return Batch(x, m, c, a, rows, mutual, returns, rewards.sum(axis=2))


def proposals_seen(m: np.ndarray, actions: int) -> np.ndarray:
    """Every agent's proposal as the commitment policies see them.

    Integers ``(seeds, agents, rows)`` -> one-hot ``(seeds, 1, rows, agents * actions)``.
    """
    seen = one_hot(m.swapaxes(1, 2), actions)
    return seen.reshape(*seen.shape[:2], -1)[:, None]


def discounted(rewards: np.ndarray, gamma: float) -> np.ndarray:
    """Returns from each step on: ``(seeds, agents, steps, episodes)`` -> the same."""
    returns = rewards.copy()
    for t in range(rewards.shape[2] - 2, -1, -1):
        returns[:, :, t] += gamma * returns[:, :, t + 1]
    return returns
