"""A compiled world as an object: the part that is the same for all tracks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np

from scml_gym.core.copying import Independent
from scml_gym.core.errors import InputError
from scml_gym.game.calls import fill_player, strategy_addresses
from scml_gym.game.strategy import (
    Strategy,
    StrategyError,
    StrategyInterface,
    StrategyPolicy,
    check_interface,
    tell_decision,
)
from scml_gym.game.world import PlayerMaker
from scml_gym.simulator.compiled.advance import DAY, DECISION, OVER, Rows
from scml_gym.simulator.compiled.layout import ASYNCHRONOUS, EXTERNAL, SYNCHRONOUS
from scml_gym.simulator.compiled.looking import look_at
from scml_gym.simulator.compiled.recording import room_for_a_day, take_day, use_log
from scml_gym.simulator.compiled.scores import score_of
from scml_gym.simulator.pending import Look, due_answers, refuse_external
from scml_gym.simulator.recording.log import WorldLog


class CompiledSimulation(Independent):
    """One simulation in machine code: a `scml_gym.game.world.World` over a batch of one. A copy plays on by itself.

    A track sets ``rows`` and ``interface``, what its strategies read and write, and says what its world's record, days
    and prices are.

    Args:
        spec: The world's parameters, with ``n_factories`` and ``n_days``.
        players: For each factory the `StrategyPolicy` that plays it; None marks it external.
        worlds: The track's record, shape ``(1,)``: its spec and parameters are filled in.
        daily: Its table of days, shape ``(1, days, factories)``, likewise.
        prices: float64, shape ``(1, days + 1, products)``.
        log: Of a world that is recorded; None for one that is not.

    Attributes:
        log: As given.
        external: Indices of the external factories.
        profits: What each factory gained on each day, float64, shape ``(n_factories, n_days)``; 0 for days to come.

    Raises:
        InputError: if a player is no strategy, one of another game, or one that does not compile.
    """

    backend: ClassVar = "compiled"
    rows: ClassVar[Rows]
    interface: ClassVar[StrategyInterface]

    def __init__(
        self,
        spec: Any,
        players: Sequence[Any],
        worlds: np.ndarray,
        daily: np.ndarray,
        prices: np.ndarray,
        log: WorldLog | None = None,
    ) -> None:
        self.spec = spec
        self.log = log
        self.external = tuple(i for i, p in enumerate(players) if p is None)
        self.profits = np.zeros((spec.n_factories, spec.n_days))
        self._worlds, self._daily, self._prices = worlds, daily, prices
        self._record: Any = worlds[0]
        self._players = tuple(players)
        self._states = [_new_state(p, self.interface) for p in players]
        self._fill_players()
        self._closed: dict[int, list[Any]] = {i: [] for i in self.external}
        self._contracts = [self._record["contracts"][:0].copy()]
        self._status = DAY
        self._looks: tuple[Look, ...] = ()
        self._look_failures: list[BaseException] = []
        self.rows.begin(worlds, prices, 0)
        if log is not None:
            self._events = room_for_a_day(self._record)
            use_log(self._record, self._events, log)
        self._watch()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_record", "_watching")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._record = self._worlds[0]
        self._fill_players()
        if self.log is not None:
            use_log(self._record, self._events, self.log)
        self._watch()

    def look(self, looks: Sequence[Look]) -> None:
        """Show functions every decision; to be called before the world is started.

        Args:
            looks: ``(view, actions)`` for each factory, see `scml_gym.simulator.pending.Look`; none for no look.

        Raises:
            InputError: if there are not as many as factories.
        """
        if looks and len(looks) != self.spec.n_factories:
            raise InputError(f"{len(looks)} looks; valid: one for each of {self.spec.n_factories} factories", "looks")
        self._looks = tuple(looks)
        self._fill_players()
        self._watch()

    def _watch(self) -> None:
        """Have all that is to see the decisions of strategies called with them; players are filled in."""
        self._watching = []  # lives as long as the world is played
        for i, player in enumerate(self._players):
            if player is None:
                continue
            if self._looks:
                self._watching.append(look_at(self._record, i, self._looks[i], self._look_failures))
            if self.log is not None and player.strategy.thoughts is not None:
                told = partial(_tell, player.strategy, self._states[i])
                self._watching.append(look_at(self._record, i, told, self._look_failures))

    def _fill_players(self) -> None:
        for record, player, state in zip(self._record["players"], self._players, self._states, strict=False):
            _fill_player(record, player, state)

    def start(self) -> None:
        """Run to the first decision of an external factory, or to the end where there is none.

        Raises:
            InputError: if it was started or closed before.
        """
        if self._status != DAY:
            raise InputError("the world was started already: make another one")
        self._run()

    def step(self, actions: Mapping[int, np.ndarray]) -> None:
        """Give the pending factories' answers and run on to the next decision.

        Raises:
            InputError: if the world has ended, or an answer is missing or of another form.
        """
        for factory, answers in due_answers(actions, self.pending, self._record["actions"]).items():
            if self._looks:
                answers = answers.copy()
                self._looks[factory](self.view(factory), answers)
            self.rows.answer(self._worlds, 0, factory, answers)
        self._run()

    def run(self) -> None:
        """Play a world without external factories to its end.

        Raises:
            InputError: if it has some.
        """
        refuse_external(self.external)
        self.start()

    def close(self) -> None:
        """End an unfinished world; nobody decides in it any more."""
        self._status = OVER

    def _run(self) -> None:
        """Run on to the next decision of an external factory, or to the end.

        Raises:
            StrategyError: if a strategy raised.
        """
        self._status = OVER  # it does not go on where a strategy fails
        try:
            while (status := self.rows.advance(self._worlds, self._daily, self._prices, 0)) == DAY:
                self._keep_day(self.day - 1)
        except StrategyError:
            if self._look_failures:
                raise self._look_failures.pop() from None
            raise
        self._status = status
        if self.log is not None and status == OVER:
            self.log.end(self)

    def _keep_day(self, day: int) -> None:
        """A day is settled: keep what the next one overwrites."""
        self.profits[:, day] = self._daily[0, day, : self.spec.n_factories]["profit"]
        self._contracts.append(self._record["contracts"][: self._record["n_contracts"]].copy())
        for factory, closed in self._closed.items():
            closed.append(self.view(factory).copy())
        if self.log is not None:
            take_day(self._record, self._events, self.log)

    @property
    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The world, its days and its trading prices as a batch of one, for compiled code that runs it by itself:
        ``(1,)``, ``(1, days, factories)``, float64 ``(1, days + 1, products)``."""
        return self._worlds, self._daily, self._prices

    @property
    def states(self) -> list[np.ndarray]:
        """What the strategy of each factory keeps, float64, shape ``(strategy.state_size,)``; live arrays."""
        return self._states

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

    def view(self, factory: int) -> Any:
        """What a factory sees now: a live record."""
        return self._record["views"][factory]

    def closed_days(self, factory: int) -> list[Any]:
        """The last views of the days that an external factory saw end since this was last called (copies)."""
        closed, self._closed[factory] = self._closed[factory], []
        return closed

    @property
    def bankrupt(self) -> np.ndarray:
        """Which factories have gone bankrupt, bool, shape ``(n_factories,)``."""
        return self._record["players"]["bankrupt"][: self.spec.n_factories] > 0

    @property
    def trading_prices(self) -> np.ndarray:
        """Trading prices of the products at the start of each day, float64, shape ``(n_products, n_days + 1)``."""
        prices = self._prices[0].T.copy()
        prices[:, self.day + 1 :] = prices[:, self.day : self.day + 1]
        return prices

    @property
    def contracts(self) -> np.ndarray:
        """Negotiated contracts so far, in order of conclusion; factories by index."""
        return np.concatenate(self._contracts)

    @property
    def scores(self) -> np.ndarray:
        """(initial balance + profits so far) / initial balance, float64, shape ``(n_factories,)``."""
        profits = self._record["players"]["total_profit"][: self.spec.n_factories]
        return score_of(self.spec.initial_balance, profits)

    @property
    def decision_counts(self) -> list[tuple[int, int]]:
        """Of each factory, the decisions so far, and the answers among them that were not playable."""
        players = self._record["players"][: self.spec.n_factories]
        return list(zip(players["decisions"].tolist(), players["invalid"].tolist(), strict=True))

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


def compiled_maker(resolve: Callable[[str, str], PlayerMaker], opponent: Any) -> PlayerMaker:
    """What makes an opponent's players in a compiled world: strategies, and run folders as policy files.

    Args:
        resolve: A game's ``player_maker(name, run_folders)``.
        opponent: A name, or ``(seed) -> player``.

    Raises:
        InputError: naming ``backend='reference'``, if the opponent is no strategy or one that does not compile.
    """
    make = resolve(opponent, "policy file") if isinstance(opponent, str) else opponent
    player: Any = make(0)
    if not isinstance(player, StrategyPolicy):
        raise InputError(
            f"opponents: {opponent!r} plays in the real simulation only: use backend='reference'", "opponents"
        )
    strategy_addresses(player.strategy)
    return make


def _tell(strategy: Strategy, state: np.ndarray, view: Any, actions: np.ndarray) -> None:
    """A strategy has decided: tell what it thinks."""
    tell_decision(strategy, view, state, actions)


def _new_state(player: Any, interface: StrategyInterface) -> np.ndarray:
    """What a player remembers in a new world.

    Raises:
        InputError: if it is no strategy of the game.
    """
    if player is None:
        return np.zeros(0)
    if not isinstance(player, StrategyPolicy):
        raise InputError(f"{type(player).__name__}: only strategies play in the compiled world: use ReferenceWorld")
    check_interface(player.strategy, interface)
    return np.zeros(player.strategy.state_size)


def _fill_player(record: Any, player: StrategyPolicy | None, state: np.ndarray) -> None:
    """Fill the record of a player with addresses of its parameters and the state: both live as long as the world."""
    if player is None:
        record["kind"] = EXTERNAL
        return
    record["kind"] = SYNCHRONOUS if player.synchronous else ASYNCHRONOUS
    record["seed"] = player.seed & 0xFFFFFFFFFFFFFFFF
    fill_player(record, player)
    record["state"] = state.ctypes.data
