"""The protocol of learners, and their registry."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, runtime_checkable

import numpy as np

from scml_gym.core.calls import Call
from scml_gym.game.world import FactoryPolicy

if TYPE_CHECKING:
    from scml_gym.experiments.run_folder import Run


@runtime_checkable
class BeginsFrom(Protocol):
    """A learner that can begin with what another training of the same learner has learnt, or of the learners that its
    ``takes_over`` names, where it has one."""

    def begin_from(self, checkpoint: Path) -> None:
        """Take that over; `Agent.train` then begins with it where the run has no checkpoint of its own.

        Args:
            checkpoint: A folder that ``save`` of one of these learners wrote.

        Raises:
            InputError: if it is not readable, or its networks, tables or spaces are not those of this learner.
        """
        ...


@runtime_checkable
class Exports(Protocol):
    """A learner whose players can be handed in to scml's league."""

    def exported(self) -> Call:
        """How a player like those of `Agent.policy` is made of ``seed`` without this package, torch and Numba.

        Raises:
            InputError: if it is not trained, or a part of it cannot be exported; the message says which.
        """
        ...


class Agent(Protocol):
    """A learner: built from a validated configuration, trained into a run folder, saved as data, played anywhere."""

    @classmethod
    def build(cls, config: Mapping[str, Any], env: Mapping[str, Any]) -> Self:
        """A new, untrained learner.

        Args:
            config: The ``agent`` section of an experiment, complete (defaults of configs/agent/ merged in).
            env: Its ``env`` section: ``id`` and keyword arguments of ``gymnasium.make``.

        Raises:
            InputError: if a key is unknown or a value of the wrong type.
        """
        ...

    def train(self, run: Run) -> None:
        """Learn until the configured end, from the run's last checkpoint where there is one, saving as it goes.

        Raises:
            KeyboardInterrupt: if the user stops it: at once, or, in a loop within `Run.stops_at_checkpoints`, when the
                checkpoint that is due then is saved.
        """
        ...

    def predict(
        self, observation: Any, state: Any = None, mask: np.ndarray | None = None, deterministic: bool = True
    ) -> tuple[Any, Any]:
        """The action for an observation of the learner's environment, and the next recurrent state (None for none)."""
        ...

    def policy(self, seed: int) -> FactoryPolicy:
        """A player for one factory of one world; players of one learner share nothing that changes."""
        ...

    def save(self, folder: Path) -> None:
        """Write weights, tables and counters as data with a schema version."""
        ...

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what ``save`` wrote.

        Raises:
            InputError: if the folder is missing or corrupt, or of another schema or shape.
        """
        ...
