"""What every world of OneShot offers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from scml_gym.core.arguments import one_of
from scml_gym.core.errors import InputError
from scml_gym.game.world import PlayerMaker, World
from scml_gym.oneshot.worlds.spec import WorldSpec
from scml_gym.simulator.world_spec import check_spec

TIMINGS = {"rounds": {"moves": 0, "one_by_one": 0}, "moves": {"moves": 1, "one_by_one": 0}}
TIMINGS |= {"negotiations": {"moves": 0, "one_by_one": 1}}
"""When external factories are asked, see `scml_gym.oneshot.worlds.reference.ReferenceWorld`; what the record of a
compiled world says of it, by field."""


def check_players(spec: WorldSpec, players: Sequence[Any], timing: str) -> None:
    """Refuse what no world can be made of.

    Raises:
        InputError: if the spec is of another track, the number of players is not that of its factories, or the timing
            is unknown.
    """
    check_spec(spec, WorldSpec)
    if len(players) != spec.n_factories:
        raise InputError(f"{len(players)} players for {spec.n_factories} factories")
    one_of("timing", timing, TIMINGS)


class OneShotWorld(World, Protocol):
    """One OneShot simulation in which some factories are decided from outside.

    Indices of factories: sellers first, then buyers, as in the `WorldSpec`. ``day`` goes from 0 to ``spec.n_days``;
    ``profits`` are money; ``hidden_state`` gives the hidden state of all factories, ``HIDDEN_DTYPE``, shape
    ``(2 * MAX_PARTNERS,)``; ``summary`` ``score``, ``profit`` (money), ``agreements``, ``negotiations``,
    ``decisions``, ``invalid_actions`` and ``bankrupt``.
    """

    spec: WorldSpec

    @staticmethod
    def player_maker(opponent: Any) -> PlayerMaker:
        """What makes an opponent's players in this kind of world.

        Args:
            opponent: A name (see `scml_gym.oneshot.players`), or ``(seed) -> player``.

        Returns:
            ``(seed) -> player``.

        Raises:
            InputError: if nothing has that name; naming the backend, if the opponent cannot play in this world.
        """
        ...

    @property
    def scores(self) -> np.ndarray:
        """(initial balance + profits so far) / initial balance, float64, shape ``(n_factories,)``."""
        ...
