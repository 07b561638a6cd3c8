"""Which factory a learner of OneShot plays, drawn from an episode's seed. The same in Python and compiled."""

from __future__ import annotations

import numpy as np

from scml_gym.game.sampling import draw_opponents
from scml_gym.jit.compile import jittable
from scml_gym.jit.random import below
from scml_gym.oneshot.view import SELLER


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
        stream: As `scml_gym.game.sampling.begin_sampling` left it.
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
    return factory, draw_opponents(stream, n_sellers + n_buyers, n_players, choices)
