"""What every world offers, and what plays a factory in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from scml_gym.core.errors import InputError
from scml_gym.oneshot.view import ActionArray, FactoryView
from scml_gym.oneshot.worlds.spec import WorldSpec


@runtime_checkable
class FactoryPolicy(Protocol):
    """Whatever plays one factory: a strategy, a learner, a deployed run folder.

    ``synchronous`` says when it is asked: True where the offers of all partners are in (as scml's
    ``OneShotSyncAgent``), False in each negotiation when that is its turn, so that exactly one partner has ``my_turn``
    set.
    The views passed in are live records of the world: copy what is to be kept.
    """

    synchronous: bool

    def begin(self, view: FactoryView) -> None:
        """A world starts: called once on its first day, before any decision."""
        ...

    def act(self, view: FactoryView) -> ActionArray:
        """Answer every partner whose ``my_turn`` is set; shape ``(MAX_PARTNERS,)``, no-ops elsewhere."""
        ...

    def end_day(self, view: FactoryView) -> None:
        """The day's negotiations are over: every partner shows its agreement or none."""
        ...


def check_players(spec: WorldSpec, players: Sequence[Any], timing: str) -> None:
    """Refuse what no world can be made of.

    Raises:
        InputError: if the number of players is not that of the spec's factories, or the timing is unknown.
    """
    if len(players) != spec.n_factories:
        raise InputError(f"{len(players)} players for {spec.n_factories} factories")
    if timing not in ("rounds", "moves"):
        raise InputError(f"timing={timing!r}; valid: 'rounds', 'moves'")


class World(Protocol):
    """One OneShot simulation in which some factories are decided from outside.

    Indices of factories: sellers first, then buyers, as in the `WorldSpec`.
    """

    spec: WorldSpec
    external: tuple[int, ...]

    @staticmethod
    def player_maker(opponent: Any) -> Any:
        """What makes an opponent's players in this kind of world.

        Args:
            opponent: A name (see `scml_gym.policies.players`), or ``(seed) -> player``.

        Returns:
            ``(seed) -> player``.

        Raises:
            InputError: if nothing has that name; naming the backend, if the opponent cannot play in this world.
        """
        ...

    def start(self) -> None:
        """Run to the first decision of an external factory, or to the end where there is none."""
        ...

    def step(self, actions: Mapping[int, ActionArray]) -> None:
        """Give the pending factories' answers and run on to the next decision."""
        ...

    def close(self) -> None:
        """End an unfinished world; nobody decides in it any more."""
        ...

    @property
    def pending(self) -> tuple[int, ...]:
        """The external factories whose decision is due; empty where the world has ended."""
        ...

    @property
    def done(self) -> bool:
        """Whether all days are over."""
        ...

    @property
    def day(self) -> int:
        """Days whose profits are settled, 0 to ``spec.n_days``."""
        ...

    def view(self, factory: int) -> FactoryView:
        """What an external factory sees now: a live record, to be copied where it is kept."""
        ...

    def closed_days(self, factory: int) -> list[FactoryView]:
        """The last views of the days that an external factory saw end since this was last called (copies)."""
        ...

    def hidden_state(self) -> np.ndarray:
        """The private fields of all factories, ``HIDDEN_DTYPE``, shape ``(2 * MAX_PARTNERS,)``."""
        ...

    @property
    def profits(self) -> np.ndarray:
        """Daily profits in money, float64, shape ``(n_factories, n_days)``; 0 for days to come."""
        ...

    @property
    def scores(self) -> np.ndarray:
        """(initial balance + profits so far) / initial balance, float64, shape ``(n_factories,)``."""
        ...

    def summary(self, factory: int) -> dict[str, Any]:
        """What became of one external factory: ``score``, ``profit`` (money), ``agreements``, ``negotiations``,
        ``decisions``, ``invalid_actions`` and ``bankrupt``."""
        ...
