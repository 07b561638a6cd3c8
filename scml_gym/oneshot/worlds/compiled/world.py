"""The compiled world behind the World protocol: the reference world's results, thousands of times faster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from scml_gym.core.copying import Independent
from scml_gym.core.errors import InputError
from scml_gym.game.world import PlayerMaker
from scml_gym.jit.compile import require_numba
from scml_gym.oneshot.players import player_maker
from scml_gym.oneshot.strategies.base import StrategyPolicy
from scml_gym.oneshot.view import HIDDEN_DTYPE, MAX_PARTNERS, ActionArray, FactoryView
from scml_gym.oneshot.worlds.compiled.layout import ASYNCHRONOUS, CONTRACT_DTYPE, EXTERNAL, SYNCHRONOUS, WORLD_DTYPE
from scml_gym.oneshot.worlds.protocol import check_players
from scml_gym.oneshot.worlds.spec import MAX_FACTORIES, WorldSpec
from scml_gym.oneshot.worlds.spec_record import DAILY_DTYPE
from scml_gym.simulator.compiled.scores import score_of

require_numba()

from scml_gym.game.calls import fill_player, strategy_addresses  # noqa: E402
from scml_gym.oneshot.worlds.compiled.advance import (  # noqa: E402
    DAY,
    DECISION,
    OVER,
    advance_one,
    answer_one,
    begin_one,
    hidden_state_one,
)
from scml_gym.oneshot.worlds.spec_record import fill_spec  # noqa: E402


class CompiledWorld(Independent):
    """One OneShot simulation in machine code; see `scml_gym.oneshot.worlds.protocol.OneShotWorld`. A copy plays on by
    itself.

    Args:
        spec: The world's parameters.
        players: For each factory the `StrategyPolicy` that plays it; None marks it external.
        seed: Not used: nothing but the strategies draws, each with a seed of its own.
        timing: ``"rounds"`` or ``"moves"``; see `scml_gym.oneshot.worlds.reference.ReferenceWorld`.

    Raises:
        InputError: if the number of players is not that of the spec's factories, a player is no strategy or one that
            does not compile, or the timing is unknown.
    """

    def __init__(self, spec: WorldSpec, players: Sequence[Any], seed: int = 0, timing: str = "rounds"):
        check_players(spec, players, timing)
        self.spec = spec
        self.timing = timing
        self.external = tuple(i for i, p in enumerate(players) if p is None)
        self.profits = np.zeros((spec.n_factories, spec.n_days))
        self._worlds = np.zeros(1, dtype=WORLD_DTYPE)
        self._daily = np.zeros((1, spec.n_days, MAX_FACTORIES), dtype=DAILY_DTYPE)
        self._prices = np.zeros((1, spec.n_days + 1, 3))
        self._record: Any = self._worlds[0]
        self._record["moves"] = timing == "moves"
        fill_spec(spec, self._record["spec"], self._daily[0])
        self._players = tuple(players)
        self._states = [_new_state(p) for p in players]
        self._fill_players()
        self._closed: dict[int, list[FactoryView]] = {i: [] for i in self.external}
        self._contracts: list[np.ndarray] = []
        self._status = DAY
        begin_one(self._worlds, self._prices, 0)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_record"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._record = self._worlds[0]
        self._fill_players()

    def _fill_players(self) -> None:
        for record, player, state in zip(self._record["players"], self._players, self._states, strict=False):
            _fill_player(record, player, state)

    @staticmethod
    def player_maker(opponent: Any) -> PlayerMaker:
        """What makes an opponent's players: strategies, and run folders as policy files.

        Raises:
            InputError: naming ``backend='reference'``, if the opponent is no strategy or one that does not compile.
        """
        make = player_maker(opponent, "policy file") if isinstance(opponent, str) else opponent
        player: Any = make(0)
        if not isinstance(player, StrategyPolicy):
            raise InputError(
                f"opponents: {opponent!r} plays in the real simulation only: use backend='reference'", "opponents"
            )
        strategy_addresses(player.strategy)
        return make

    def start(self) -> None:
        """Run to the first decision of an external factory, or to the end where there is none."""
        self._run()

    def step(self, actions: Mapping[int, ActionArray]) -> None:
        """Give the pending factories' answers and run on to the next decision.

        Raises:
            InputError: if the world has ended or an answer is missing.
        """
        pending = self.pending
        if not pending:
            raise InputError("the world has ended: start a new one")
        for factory in pending:
            if factory not in actions:
                raise InputError(f"no action for factory {factory}, whose decision is due")
        for factory in pending:
            answer_one(self._worlds, 0, factory, actions[factory])
        self._run()

    def run(self) -> None:
        """Play a world without external factories to its end."""
        self.start()
        assert self.done, "a world with external factories is played with step"

    def close(self) -> None:
        """End an unfinished world; nobody decides in it any more."""
        self._status = OVER

    def _run(self) -> None:
        while (status := advance_one(self._worlds, self._daily, self._prices, 0)) == DAY:
            day = self.day - 1
            self.profits[:, day] = self._daily[0, day, : self.spec.n_factories]["profit"]
            self._contracts.append(self._record["contracts"][: self._record["n_contracts"]].copy())
            for factory, closed in self._closed.items():
                closed.append(self.view(factory).copy())
        self._status = status

    @property
    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The world, its days and its trading prices as a batch of one, for compiled code that runs it by itself with
        `advance`: ``WORLD_DTYPE (1,)``, ``DAILY_DTYPE (1, days, MAX_FACTORIES)``, float64 ``(1, days + 1, 3)``."""
        return self._worlds, self._daily, self._prices

    @property
    def pending(self) -> tuple[int, ...]:
        """The external factories whose decision is due; empty where the world has ended."""
        if self._status != DECISION:
            return ()
        return tuple(i for i in self.external if self._record["pending"][i])

    @property
    def done(self) -> bool:
        """Whether all days are over."""
        return self.day == self.spec.n_days

    @property
    def day(self) -> int:
        """Days whose profits are settled, 0 to ``spec.n_days``."""
        return int(self._record["day"])

    def view(self, factory: int) -> FactoryView:
        """What a factory sees now: a live record."""
        return self._record["views"][factory]

    def closed_days(self, factory: int) -> list[FactoryView]:
        """The last views of the days that an external factory saw end since this was last called (copies)."""
        closed, self._closed[factory] = self._closed[factory], []
        return closed

    @property
    def scores(self) -> np.ndarray:
        """(initial balance + profits so far) / initial balance, float64, shape ``(n_factories,)``."""
        return score_of(self.spec.initial_balance, self._record["players"]["total_profit"][: self.spec.n_factories])

    @property
    def bankrupt(self) -> np.ndarray:
        """Which factories have gone bankrupt, bool, shape ``(n_factories,)``."""
        return self._record["players"]["bankrupt"][: self.spec.n_factories] > 0

    @property
    def trading_prices(self) -> np.ndarray:
        """Trading prices of the three products at the start of each day, float64, shape ``(3, n_days + 1)``."""
        prices = self._prices[0].T.copy()
        prices[:, self.day + 1 :] = prices[:, self.day : self.day + 1]
        return prices

    @property
    def contracts(self) -> np.ndarray:
        """Negotiated contracts so far, in order of conclusion; factories by index."""
        return np.concatenate(self._contracts or [np.zeros(0, dtype=CONTRACT_DTYPE)])

    def summary(self, factory: int) -> dict[str, Any]:
        """What became of one factory so far."""
        player = self._record["players"][factory]
        return {
            "score": float(self.scores[factory]),
            "profit": float(player["total_profit"]),
            "agreements": int(player["agreements"]),
            "negotiations": int(player["negotiations"]),
            "decisions": int(player["decisions"]),
            "invalid_actions": int(player["invalid"]),
            "bankrupt": bool(player["bankrupt"]),
        }

    def hidden_state(self) -> np.ndarray:
        """The hidden state of all factories, ``HIDDEN_DTYPE``, shape ``(2 * MAX_PARTNERS,)``."""
        table = np.zeros(2 * MAX_PARTNERS, dtype=HIDDEN_DTYPE)
        hidden_state_one(self._worlds, self._daily, 0, table)
        return table


def _new_state(player: Any) -> np.ndarray:
    """What a player remembers in a new world.

    Raises:
        InputError: if it is no strategy.
    """
    if player is not None and not isinstance(player, StrategyPolicy):
        raise InputError(f"{type(player).__name__}: only strategies play in the compiled world: use ReferenceWorld")
    return np.zeros(0 if player is None else player.strategy.state_size)


def _fill_player(record: Any, player: StrategyPolicy | None, state: np.ndarray) -> None:
    """Fill the record of a player with addresses of its parameters and the state: both live as long as the world."""
    if player is None:
        record["kind"] = EXTERNAL
        return
    record["kind"] = SYNCHRONOUS if player.synchronous else ASYNCHRONOUS
    record["seed"] = player.seed & 0xFFFFFFFFFFFFFFFF
    fill_player(record, player)
    record["state"] = state.ctypes.data
