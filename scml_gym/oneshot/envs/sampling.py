"""What an episode's seed decides besides the world itself. The same in Python and compiled."""

from __future__ import annotations

import numpy as np

from scml_gym.jit.compile import jittable
from scml_gym.jit.random import below, next_bits, open_stream
from scml_gym.oneshot.view import SELLER


@jittable
def begin_sampling(stream: np.ndarray, seed: int) -> int:
    """Open the stream of an episode; returns the seed of its world's parameters, 0 to 2**62 - 1.

    Args:
        stream: uint64, shape ``(1,)``.
        seed: Of the episode, 0 to 2**64 - 1.
    """
    open_stream(stream, seed)
    return next_bits(stream) >> 2


@jittable
def draw_players(
    stream: np.ndarray,
    n_sellers: int,
    n_buyers: int,
    levels: np.ndarray,
    n_players: int,
    choices: np.ndarray,
) -> tuple[int, int]:
    """Which factory the learner plays, and which of the possible players each factory gets.

    Args:
        stream: As `begin_sampling` left it.
        n_sellers: Factories of level 0.
        n_buyers: Factories of level 1.
        levels: int64, the levels that the learner's factory may be of.
        n_players: How many players there are to choose from.
        choices: int64, shape ``(>= n_sellers + n_buyers,)``; receives the player of each factory.

    Returns:
        The learner's factory, and the seed of the simulation, 0 to 2**62 - 1.
    """
    level = levels[below(stream, len(levels))]
    factory = below(stream, n_sellers) if level == SELLER else n_sellers + below(stream, n_buyers)
    for i in range(n_sellers + n_buyers):
        choices[i] = below(stream, n_players)
    return factory, next_bits(stream) >> 2
