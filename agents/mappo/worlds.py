"""Many worlds of one parallel environment, stepped side by side: what is seen, and what came of a step.

All kinds begin the next episode of a world in the step that ended the one before, and can go on in another process
where they stood, to the last bit, from arrays: native batches from their states; environments that are stepped one by
one from the seeds and actions of the episodes that run, which are played again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

import numpy as np

from scml_gym.agents.mappo.layout import Layout

SUMMARY = ("score", "invalid_actions")
"""What infos say of a world with its last step."""

CHANGED = "shielded"
"""Key of an info that says that a shield changed an agent's answer: not 0."""


class Seen(NamedTuple):
    """What agents see, by ``(worlds, agents)``."""

    inputs: np.ndarray  # float32 (..., inputs)
    masks: np.ndarray  # bool (..., options of all heads)
    present: np.ndarray  # bool: whether the agent is there
    active: np.ndarray  # bool: whether it has something to answer


class Outcome(NamedTuple):
    """What came of a step, by ``(worlds, agents)``."""

    rewards: np.ndarray  # float64
    ended: np.ndarray  # bool: nothing that follows counts for this agent
    cut: np.ndarray  # bool: it would have gone on, but the episode was stopped
    changed: np.ndarray  # bool: its answer was not played as it was
    last: Seen | None  # what agents saw last where an episode was stopped; None where none was
    over: np.ndarray  # bool (worlds,): whose episode ended
    told: Mapping[str, np.ndarray]  # of these worlds, `SUMMARY` as far as infos tell it


class Worlds(Protocol):
    """See the module."""

    layout: Layout

    def reset(self, seed: int) -> Seen:
        """Begin an episode in every world, with what is drawn from a seed."""
        ...

    def step(self, actions: np.ndarray) -> tuple[Seen, Outcome]:
        """Play choices, int64 ``(worlds, agents, heads)``; those of agents that are not there mean nothing."""
        ...

    def arrays(self) -> dict[str, np.ndarray]:
        """Where they stand."""
        ...

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Go on where `arrays` were given."""
        ...

    def close(self) -> None:
        """End them."""
        ...


def has_choice(masks: np.ndarray, heads: np.ndarray) -> np.ndarray:
    """Whether there is more than one valid action: bool ``(..., options)`` -> bool ``(...)``."""
    starts = np.concatenate([[0], np.cumsum(heads)[:-1]])
    return np.asarray((np.add.reduceat(masks, starts, axis=-1, dtype=np.int64) > 1).any(axis=-1))
