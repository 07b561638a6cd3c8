"""What every world of the Standard track offers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from scml_gym.core.arguments import whole
from scml_gym.core.errors import InputError
from scml_gym.game.world import PlayerMaker, World
from scml_gym.simulator.world_spec import check_spec
from scml_gym.standard.rules import stock_rule
from scml_gym.standard.view import MOST_HORIZON
from scml_gym.standard.worlds.spec import WorldSpec

CONTRACT_DTYPE = np.dtype(
    [
        ("day", np.int64),  # of its conclusion
        ("delivery", np.int64),  # day of its delivery
        ("seller", np.int64),  # index of a factory
        ("buyer", np.int64),
        ("quantity", np.int64),
        ("price", np.int64),  # of one item
        ("nullified", np.int64),  # 1 where it is not delivered because a party went bankrupt first
    ]
)
"""A negotiated contract."""


def check_players(spec: WorldSpec, players: Sequence[Any], stock: str, horizon: int) -> None:
    """Refuse what no world can be made of.

    Raises:
        InputError: if the spec is of another track, the number of players is not that of its factories, there is no
            such stock rule, or the horizon is outside 0 to ``MOST_HORIZON``.
    """
    check_spec(spec, WorldSpec)
    if len(players) != spec.n_factories:
        raise InputError(f"{len(players)} players for {spec.n_factories} factories")
    stock_rule(stock)
    whole("horizon", horizon, 0, MOST_HORIZON)


class StandardWorld(World, Protocol):
    """One Standard simulation in which some factories are decided from outside.

    Factories are counted level by level, as in the `WorldSpec`. ``day`` goes from 0 to ``spec.n_days``; ``profits`` are
    money; ``hidden_state`` gives the hidden state of all factories, ``HIDDEN_DTYPE``, shape ``(MAX_FACTORIES,)``;
    ``summary`` ``score``, ``profit`` (money), ``agreements``, ``negotiations``, ``decisions``, ``invalid_actions`` and
    ``bankrupt``.
    """

    spec: WorldSpec

    @staticmethod
    def player_maker(opponent: Any) -> PlayerMaker:
        """What makes an opponent's players in this kind of world.

        Args:
            opponent: A name (see `scml_gym.standard.players`), or ``(seed) -> player``.

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

    @property
    def bankrupt(self) -> np.ndarray:
        """Which factories have gone bankrupt, bool, shape ``(n_factories,)``."""
        ...

    @property
    def stock(self) -> np.ndarray:
        """Inputs in stock at the start of each day, int64, shape ``(n_factories, n_days + 1)``; days to come repeat
        what is known last."""
        ...

    @property
    def trading_prices(self) -> np.ndarray:
        """Trading prices of the products at the start of each day, float64, shape ``(n_levels + 1, n_days + 1)``; days
        to come repeat what is known last."""
        ...

    @property
    def contracts(self) -> np.ndarray:
        """Negotiated contracts so far, ``CONTRACT_DTYPE``, in order of conclusion."""
        ...
