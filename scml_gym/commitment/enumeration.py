"""One-step commitment games enumerated: exact values, and equilibria in pure strategies."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from scml_gym.commitment.base import joint_actions, joint_index
from scml_gym.commitment.envs.commitment_v0 import ACCEPT, unanimous
from scml_gym.commitment.matrix import MatrixGame


class PureStrategy(NamedTuple):
    """What an agent does in a commitment game of one step.

    Attributes:
        proposal: An action.
        commitments: For each joint proposal (in the order of `joint_index`), 1 to accept and 0 to reject.
        action: Where no agreement binds.
    """

    proposal: int
    commitments: tuple[int, ...]
    action: int


def pure_strategies(game: MatrixGame) -> Iterator[PureStrategy]:
    """All of an agent: ``actions * 2 ** (actions ** agents) * actions``."""
    proposals = game.actions**game.agents
    for proposal, action in itertools.product(range(game.actions), repeat=2):
        for commitments in itertools.product((0, 1), repeat=proposals):
            yield PureStrategy(proposal, commitments, action)


def outcome(game: MatrixGame, profile: tuple[PureStrategy, ...]) -> tuple[tuple[float, ...], bool]:
    """Payoffs of a profile of pure strategies, and whether an agreement bound."""
    proposals = np.array([s.proposal for s in profile])
    joint = int(joint_index(proposals, game.actions))
    agreed = bool(unanimous(np.array([s.commitments[joint] for s in profile])))
    played = proposals if agreed else np.array([s.action for s in profile])
    return tuple(game.payoffs[tuple(played)].tolist()), agreed


def is_equilibrium(game: MatrixGame, profile: tuple[PureStrategy, ...]) -> bool:
    """Whether no agent gains by any other pure strategy while the others keep theirs (Nash)."""
    payoffs, _ = outcome(game, profile)
    for agent in range(game.agents):
        for other in pure_strategies(game):
            changed = (*profile[:agent], other, *profile[agent + 1 :])
            if outcome(game, changed)[0][agent] > payoffs[agent]:
                return False
    return True


def equilibrium_payoffs(game: MatrixGame) -> dict[tuple[float, ...], tuple[PureStrategy, ...]]:
    """The payoffs of all Nash equilibria in pure strategies, each with one profile that has them.

    Two agents only. Best responses are found by payoff tables, so that the ``(4 * 2 ** 4) ** 2`` profiles of a game of
    two actions take a moment.
    """
    strategies = list(pure_strategies(game))
    tables = np.array([[outcome(game, (mine, other))[0] for other in strategies] for mine in strategies])
    best_first = tables[:, :, 0] >= tables[:, :, 0].max(axis=0, keepdims=True)
    best_second = tables[:, :, 1] >= tables[:, :, 1].max(axis=1, keepdims=True)
    found: dict[tuple[float, ...], tuple[PureStrategy, ...]] = {}
    for i, j in zip(*np.nonzero(best_first & best_second), strict=True):
        found.setdefault(tuple(tables[i, j].tolist()), (strategies[i], strategies[j]))
    return found


def cooperative_strategy(game: MatrixGame, agreement: tuple[int, ...], agent: int, fallback: int) -> PureStrategy:
    """Propose an agent's part of a joint action, accept that joint action only, and play ``fallback`` without it."""
    joint = int(joint_index(np.array(agreement), game.actions))
    accepts = tuple(int(k == joint) * ACCEPT for k in range(game.actions**game.agents))
    return PureStrategy(agreement[agent], accepts, fallback)


def exact_value(payoffs: np.ndarray, propose: np.ndarray, accept: np.ndarray, act: np.ndarray) -> np.ndarray:
    """The expected payoffs of stochastic policies in a commitment game of one step.

    V^i = sum_m phi(m) [ psi(1 | m) Q^i(m) + (1 - psi(1 | m)) sum_a pi(a) Q^i(a) ], with phi, psi(1 | m) and pi the
    products over agents.

    Args:
        payoffs: Q of each joint action, shape ``(actions ** agents, agents)``.
        propose: Probabilities, shape ``(agents, actions)``.
        accept: Probability of accepting each joint proposal, shape ``(agents, actions ** agents)``.
        act: Probabilities, shape ``(agents, actions)``.

    Returns:
        Shape ``(agents,)``.
    """
    agents, actions = propose.shape
    joint = joint_actions(agents, actions)
    phi = np.prod([propose[k, joint[:, k]] for k in range(agents)], axis=0)
    pi = np.prod([act[k, joint[:, k]] for k in range(agents)], axis=0)
    bound = np.prod(accept, axis=0)
    return (phi * bound) @ payoffs + (phi @ (1.0 - bound)) * (pi @ payoffs)
