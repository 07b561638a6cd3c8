"""What an episode's seed decides besides the world itself. The same in Python and compiled."""

from __future__ import annotations

import numpy as np

from scml_gym.jit.compile import jittable
from scml_gym.jit.random import below, next_bits, open_stream


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
def draw_opponents(stream: np.ndarray, n: int, n_players: int, choices: np.ndarray) -> int:
    """Which of the possible players each factory gets; returns the seed of the simulation, 0 to 2**62 - 1.

    Args:
        stream: After what was drawn before.
        n: Factories of the world.
        n_players: How many players there are to choose from.
        choices: int64, shape ``(>= n,)``; receives the player of each factory.
    """
    for i in range(n):
        choices[i] = below(stream, n_players)
    return next_bits(stream) >> 2
