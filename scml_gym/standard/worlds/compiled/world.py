"""The compiled world behind the World protocol: the reference world's results, thousands of times faster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scml_gym.game.world import PlayerMaker
from scml_gym.jit.compile import require_numba
from scml_gym.simulator.recording.log import WorldLog
from scml_gym.standard.players import player_maker
from scml_gym.standard.rules import stock_rule
from scml_gym.standard.strategies.base import STANDARD_INTERFACE
from scml_gym.standard.view import HIDDEN_DTYPE, MAX_FACTORIES, MOST_HORIZON
from scml_gym.standard.worlds.protocol import CONTRACT_DTYPE, check_players
from scml_gym.standard.worlds.spec import WorldSpec

require_numba()

from scml_gym.simulator.compiled.world import CompiledSimulation, compiled_maker  # noqa: E402
from scml_gym.standard.worlds.compiled.advance import ROWS, hidden_state_one  # noqa: E402
from scml_gym.standard.worlds.compiled.layout import (  # noqa: E402
    DEAL_DTYPE,
    MAX_PRODUCTS,
    WORLD_DTYPE,
)
from scml_gym.standard.worlds.spec_record import DAILY_DTYPE, fill_spec  # noqa: E402


class CompiledWorld(CompiledSimulation):
    """One Standard simulation in machine code; see `scml_gym.standard.worlds.protocol.StandardWorld`. A copy plays on
    by itself.

    Args:
        spec: The world's parameters.
        players: For each factory the `StrategyPolicy` that plays it; None marks it external.
        seed: Not used: nothing but the strategies draws, each with a seed of its own.
        stock: ``"league"``: what production takes out of stock stays there all the same; ``"physical"``: it is gone.
            See `scml_gym.standard.rules.stock_after`.
        horizon: Days ahead that goods are traded for, 0 to ``MOST_HORIZON``.
        log: Receives what happens, where the world is recorded; see `scml_gym.standard.recording`.

    Raises:
        InputError: if the number of players is not that of the spec's factories, a player is no strategy of the track
            or one that does not compile, or the stock rule or the horizon is unknown.
    """

    rows, interface = ROWS, STANDARD_INTERFACE

    def __init__(
        self,
        spec: WorldSpec,
        players: Sequence[Any],
        seed: int = 0,
        stock: str = "league",
        horizon: int = MOST_HORIZON,
        log: WorldLog | None = None,
    ):
        check_players(spec, players, stock, horizon)
        worlds = np.zeros(1, dtype=WORLD_DTYPE)
        daily = np.zeros((1, spec.n_days, MAX_FACTORIES), dtype=DAILY_DTYPE)
        self.stock_rule, self.horizon = stock, int(horizon)
        worlds["physical"], worlds["horizon"] = stock_rule(stock), horizon
        fill_spec(spec, worlds[0]["spec"], daily[0])
        super().__init__(spec, players, worlds, daily, np.zeros((1, spec.n_days + 1, MAX_PRODUCTS)), log)
        self._nullified: set[int] = set()  # contracts, by their place in the order of conclusion

    @staticmethod
    def player_maker(opponent: Any) -> PlayerMaker:
        """What makes an opponent's players: strategies, and run folders as policy files; see `compiled_maker`."""
        return compiled_maker(player_maker, opponent)

    def _keep_day(self, day: int) -> None:
        super()._keep_day(day)
        futures = self._record["futures"]
        self._nullified.update(futures["number"][futures["nullified"] != 0].tolist())

    @property
    def contracts(self) -> np.ndarray:
        """Negotiated contracts so far, ``CONTRACT_DTYPE``, in order of conclusion."""
        deals = super().contracts
        contracts = np.zeros(len(deals), dtype=CONTRACT_DTYPE)
        for name in DEAL_DTYPE.names or ():
            contracts[name] = deals[name]
        contracts["day"] = np.repeat(np.arange(self.day), [len(deals) for deals in self._contracts[1:]])
        contracts["nullified"][sorted(self._nullified)] = 1
        return contracts

    @property
    def stock(self) -> np.ndarray:
        """Inputs in stock at the start of each day, int64, shape ``(n_factories, n_days + 1)``; days to come repeat
        what is known last."""
        table = np.zeros((self.spec.n_factories, self.spec.n_days + 1), dtype=np.int64)
        table[:, : self.day] = self._daily[0, : self.day, : self.spec.n_factories]["stock"].T
        table[:, self.day :] = self._record["stock"][: self.spec.n_factories, None]
        return table

    @property
    def trading_prices(self) -> np.ndarray:
        """Trading prices of the products at the start of each day, float64, shape ``(n_levels + 1, n_days + 1)``; days
        to come repeat what is known last."""
        return super().trading_prices[: self.spec.n_levels + 1]

    def hidden_state(self) -> np.ndarray:
        """The hidden state of all factories, ``HIDDEN_DTYPE``, shape ``(MAX_FACTORIES,)``; books are from today on, and
        empty when all days are over."""
        table = np.zeros(MAX_FACTORIES, dtype=HIDDEN_DTYPE)
        hidden_state_one(self._worlds, self._daily, 0, table)
        return table
