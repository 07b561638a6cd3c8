"""The grid game: a sequential social dilemma on a line."""

from __future__ import annotations

import numpy as np

from scml_gym.commitment.base import check_actions, one_hot, time_left
from scml_gym.core.arguments import MOST_BINS, whole


class GridGame:
    """Two agents on one line of cells, at its ends at first; to move towards the other gains less than it costs them.

    Actions are 0 (left) and 1 (right); a move off the line leaves an agent where it is. With positions p0 and p1 after
    the move and e = cells - 1, the rewards of a step are ``r0 = p0 - 2 (e - p1)`` and ``r1 = (e - p1) - 2 p0``. With 4
    cells and 16 steps, both staying returns 0 to each and both advancing -45.

    Observations are the share of the horizon that is left and the two positions as one-hot vectors.

    Source: "Learning to Negotiate via Voluntary Commitment", figure 4.

    Args:
        cells: From 2 on.
        horizon: Steps of an episode.

    Raises:
        InputError: if an argument is wrong.
    """

    agents = 2
    actions = 2
    action_names = ("left", "right")

    def __init__(self, cells: int = 4, horizon: int = 16) -> None:
        self.cells = whole("cells", cells, 2, MOST_BINS)
        self.horizon = whole("horizon", horizon)
        self.features = 1 + 2 * self.cells

    def initial(self, rows: tuple[int, ...]) -> np.ndarray:
        """Step 0, agents at the ends."""
        return np.broadcast_to(np.array([0, 0, self.cells - 1]), (*rows, 3)).copy()

    def observe(self, state: np.ndarray) -> np.ndarray:
        """Share of the horizon left, and both positions."""
        places = one_hot(state[..., 1:], self.cells)
        return np.concatenate([time_left(state, self.horizon), places.reshape(*places.shape[:-2], -1)], axis=-1)

    def step(self, state: np.ndarray, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Both move, then both are paid."""
        check_actions(state, actions, self.agents, self.actions)
        places = np.clip(state[..., 1:] + 2 * actions - 1, 0, self.cells - 1)
        away = np.stack([places[..., 0], self.cells - 1 - places[..., 1]], axis=-1)
        rewards = (away - 2 * away[..., ::-1]).astype(np.float64)
        return np.concatenate([state[..., :1] + 1, places], axis=-1), rewards
