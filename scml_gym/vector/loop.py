"""The loop over the rows of a batch, written once for all games: a row answers, restarts or rests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scml_gym.jit.compile import jittable
from scml_gym.vector.jobs import BatchStep, Counters, take

ACT, RESTART, REST = 0, 1, 2
"""Tasks of a row: it answers and runs on to its next decision, starts its next episode, or stays as it is."""


def make_step(act: Callable[..., None], restart: Callable[..., None]) -> BatchStep:
    """Compile the step of a batch: one for all tasks, as compiling takes long.

    Its arguments are ``(game, seeds, outputs, tasks, actions)``, with the tasks, uint8 ``(n,)``, of all rows; what the
    others are is known to the two functions alone.

    Args:
        act: ``(game, outputs, actions, i)``: row ``i`` answers with its part of ``actions``.
        restart: ``(game, seeds, outputs, i)``: row ``i`` starts its next episode.
    """

    act, restart = jittable(act), jittable(restart)

    @BatchStep
    @jittable
    def step(arguments: tuple[Any, Any, Any, np.ndarray, np.ndarray], counters: Counters) -> None:
        game, seeds, outputs, tasks, actions = arguments
        low, high = take(counters)
        while low < high:
            for i in range(low, high):
                if tasks[i] == ACT:
                    act(game, outputs, actions, i)
                elif tasks[i] == RESTART:
                    restart(game, seeds, outputs, i)
            low, high = take(counters)

    return step
