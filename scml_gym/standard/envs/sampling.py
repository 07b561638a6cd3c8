"""Which factory a learner of the Standard track plays, from an episode's seed. The same in Python and compiled."""

from __future__ import annotations

import numpy as np

from scml_gym.game.sampling import draw_opponents
from scml_gym.jit.compile import jittable
from scml_gym.jit.random import below

ANY, FIRST, MIDDLE, LAST = range(4)
"""Where in the chain the learner's factory may be."""


@jittable
def draw_players(
    stream: np.ndarray, sizes: np.ndarray, n_levels: int, place: int, n_players: int, choices: np.ndarray
) -> tuple[int, int]:
    """Which factory the learner plays, and which of the possible players each factory gets.

    Args:
        stream: As `scml_gym.game.sampling.begin_sampling` left it.
        sizes: int64, shape ``(>= n_levels,)``, factories of each level.
        n_levels: Levels of the world; at least 3 where the learner's is a middle one.
        place: ``ANY``, ``FIRST``, ``MIDDLE`` or ``LAST``.
        n_players: How many players there are to choose from.
        choices: int64, one for each factory; receives the player of each factory.

    Returns:
        The learner's factory, and the seed of the simulation, 0 to 2**62 - 1.
    """
    first, last = 0, n_levels - 1
    if place == FIRST:
        last = 0
    elif place == LAST:
        first = last
    elif place == MIDDLE:
        first, last = 1, n_levels - 2
    level = first + below(stream, last - first + 1)
    n, offset = 0, 0
    for i in range(n_levels):
        if i < level:
            offset += sizes[i]
        n += sizes[i]
    factory = offset + below(stream, sizes[level])
    return factory, draw_opponents(stream, n, n_players, choices)
