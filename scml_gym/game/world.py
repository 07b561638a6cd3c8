"""What every simulation offers, and who plays in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

View = Any
"""What one player sees, a structured NumPy record of its game's dtype."""

Actions = Any
"""What answers a view: an array of its game's dtype."""

PlayerMaker = Callable[[int], Any]
"""``make(seed) -> player``: a fresh player for one world with that seed."""


class Predict(Protocol):
    """``predict(observation, state, mask, deterministic) -> (action, next state)``, of `scml_gym.agents.base.Agent`."""

    def __call__(
        self, observation: Any, state: Any = None, mask: np.ndarray | None = None, deterministic: bool = True
    ) -> tuple[Any, Any]:
        """The action for one observation."""
        ...


@runtime_checkable
class FactoryPolicy(Protocol):
    """Whatever plays one factory: a strategy, a learner, a deployed run folder.

    ``synchronous`` says when it is asked: True where the offers of all partners are in (as scml's
    ``OneShotSyncAgent``), False in each negotiation when that is its turn, so that exactly one partner has ``my_turn``
    set; in OneShot it may then answer ``WAIT``, too.
    The views passed in are live records of the world: copy what is to be kept.
    """

    synchronous: bool

    def begin(self, view: View) -> None:
        """A world starts: called once on its first day, before any decision."""
        ...

    def act(self, view: View) -> Actions:
        """Answer every partner whose ``my_turn`` is set; an array of the game's answers, no-ops elsewhere."""
        ...

    def end_day(self, view: View) -> None:
        """The day's negotiations are over: every partner shows its agreement or none."""
        ...


class World(Protocol):
    """One simulation in which some players are decided from outside: the *external* ones, known by their indices."""

    external: tuple[int, ...]

    def start(self) -> None:
        """Run to the first decision of an external player, or to the end where there is none."""
        ...

    def step(self, actions: Mapping[int, Actions]) -> None:
        """Give the answers of the pending players and run on to the next decision."""
        ...

    def close(self) -> None:
        """End an unfinished world; nobody decides in it any more."""
        ...

    @property
    def pending(self) -> tuple[int, ...]:
        """The external players whose decision is due; empty where the world has ended."""
        ...

    @property
    def done(self) -> bool:
        """Whether all days are over."""
        ...

    @property
    def day(self) -> int:
        """Days whose profits are settled."""
        ...

    def view(self, player: int) -> View:
        """What an external player sees now: a live record, to be copied where it is kept; has a field ``day``."""
        ...

    def closed_days(self, player: int) -> list[View]:
        """The last views of the days that an external player saw end since this was last called (copies)."""
        ...

    def hidden_state(self) -> np.ndarray:
        """What nobody sees, as records; only encoders of full observability read it."""
        ...

    @property
    def profits(self) -> np.ndarray:
        """What each player gained on each day, float64, shape ``(players, days)``; 0 for days to come."""
        ...

    def summary(self, player: int) -> dict[str, Any]:
        """What became of one external player: numbers by name, ``score`` among them."""
        ...


@dataclass(frozen=True)
class Drawn:
    """A world that was drawn, not yet started.

    Attributes:
        world: The world.
        players: Indices of the learner's players in it.
    """

    world: Any
    players: tuple[int, ...]
