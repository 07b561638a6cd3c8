"""How the safety audit of a world reaches its recording, and how it looks at a world."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import numpy as np

from scml_gym.simulator.recording.log import Judged, WorldLog


class Tally(Protocol):
    """The acts of one factory; shown every decision, it judges and adds it."""

    def __call__(self, view: Any, actions: np.ndarray) -> object:
        """Add a decision."""
        ...


AnyTally = TypeVar("AnyTally", bound=Tally)


def audit_world(
    world: Any, new_tally: Callable[[Judged | None], AnyTally], consumers_from: int, log: WorldLog | None
) -> list[AnyTally]:
    """Audit what is decided in a world, whoever plays it; to be called before it is started.

    Args:
        world: Of either backend.
        new_tally: Makes the tally of a factory, which tells the recording what it finds, if it is given one.
        consumers_from: The lowest partner index of those that a factory sells to.
        log: Of the world, where it is recorded.

    Returns:
        A tally for each factory, filled while the world runs.
    """
    level = world.spec.level
    tallies = [
        new_tally(None if log is None else log.audit(i, partners_of(level, i, consumers_from)))
        for i in range(len(level))
    ]
    world.look(tallies)
    return tallies


def partners_of(level: np.ndarray, factory: int, consumers_from: int) -> dict[int, int]:
    """The factories that a factory trades with, by its partner index: on each level in order, suppliers from 0 on.

    Args:
        level: Of each factory, in order.
        factory: Index of the one.
        consumers_from: The lowest index of a consumer.
    """
    suppliers, consumers = (np.flatnonzero(level == level[factory] + step).tolist() for step in (-1, 1))
    return dict(enumerate(suppliers)) | dict(enumerate(consumers, consumers_from))
