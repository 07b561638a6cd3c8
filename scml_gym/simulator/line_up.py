"""Worlds of a real simulation with named line-ups, and what became of every factory: what the tracks share."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from scml_gym.core.errors import InputError
from scml_gym.game.definition import Setting
from scml_gym.simulator.compiled.scores import breach_rate, score_of
from scml_gym.simulator.guard import Guard
from scml_gym.simulator.lockstep import Lockstep
from scml_gym.simulator.looking import look_at
from scml_gym.simulator.pending import Look
from scml_gym.simulator.players import Player
from scml_gym.simulator.recording.log import WorldLog

ENTRY_POINTS = (
    "init",
    "before_step",
    "step",
    "first_proposals",
    "counter_all",
    "propose",
    "respond",
    "take_turn",
    "on_negotiation_success",
    "on_negotiation_failure",
    "on_negotiation_end",
    "on_preferences_changed",
)
"""Where the simulation enters an agent; ``take_turn`` is that of `scml_gym.simulator.adapters.AsyncAdapter`."""


Watch = Callable[[Any, int, Sequence[str]], None]
"""Called with every agent, its factory and `ENTRY_POINTS`, before the world starts."""


class Outcome(NamedTuple):
    """What became of the factories of a world.

    Attributes:
        table: What was settled, a structured array of shape ``(n_factories, n_days)``: money and items.
        bankrupt: Whether a factory was bankrupt at the end of each day, of the same shape.
        levels: Of each factory, the name of its level.
        columns: Likewise, what the track alone tells of it.
    """

    table: np.ndarray
    bankrupt: np.ndarray
    levels: Sequence[str]
    columns: Sequence[Mapping[str, Any]]


class Played(NamedTuple):
    """What a process that plays a world hands over: lists and numbers, as JSON has them.

    Attributes:
        contracts: The negotiated ones in order of their conclusion, each with the fields of `LineUp.contract`.
        profits: What the simulation says that each factory earned, day by day.
        bankrupt: Whether it says that a factory went bankrupt.
        audits: Of each factory, the counts of its audit, see `LineUp.counts`.
        changed: What somebody changed in the simulation, see `scml_gym.simulator.guard.Guard`; None for nothing.
    """

    contracts: list[list[int]]
    profits: list[list[float]]
    bankrupt: list[bool]
    audits: list[dict[str, int]]
    changed: str | None = None


class MismatchError(Exception):
    """What a world is said to have brought is not what its rules make of its contracts."""


@dataclasses.dataclass(frozen=True)
class LineUp:
    """How a track plays named line-ups in its real simulation.

    Attributes:
        spec: ``(seed, setting, factories) -> spec``: a world's parameters.
        make: ``(spec, players, seed, setting, log) -> world``: a world that has not started.
        settle: ``(spec, contracts, stock) -> Outcome``: what became of a world, from its contracts alone.
        audit: ``(world, log) -> tallies``: looks on at what the agents promise; a tally has ``counts``.
        agent: ``(player) -> (class, arguments)``: the scml agent that plays for a player.
        parts: Names of what a profit consists of, in the table.
        contract: The fields of a contract, ``day``, ``seller``, ``buyer``, ``quantity`` and ``price`` among them.
        counts: Names of what an audit counts.
        prepare: ``()``: has what an audit computes with compiled, or taken from disk, as that takes longer than a short
            world: processes that are forked then have it.
    """

    spec: Callable[[int, Setting, int], Any]
    make: Callable[[Any, Sequence[Player], int, Setting, WorldLog | None], Any]
    settle: Callable[[Any, np.ndarray, str], Outcome]
    audit: Callable[[Any, Any], Sequence[Any]]
    agent: Callable[[Player], tuple[type, dict[str, Any]]]
    parts: tuple[str, ...]
    contract: np.dtype
    counts: tuple[str, ...]
    prepare: Callable[[], None]

    def play(
        self, players: Sequence[Player], seed: int, setting: Setting, watch: Watch, log: WorldLog | None = None
    ) -> list[dict[str, Any]]:
        """Play one world to its end.

        Args:
            players: Of every factory, level by level, as many on each.
            seed: Of the world's parameters and of the simulation.
            setting: Days; levels and the stock rule, where the track has several.
            watch: See `Watch`.
            log: Receives what happens, where the world is recorded.

        Returns:
            For each factory: score, initial_balance, profit and its parts (money over the whole world), agreements,
            negotiations, bankrupt (0 or 1), what the track alone tells, and the columns of its audit.

        Raises:
            MismatchError: if the simulation does not say the same as the settlement of its contracts.
        """
        spec = self.spec(seed, setting, len(players))
        world = self.make(spec, players, seed, setting, log)
        return self.account(spec, setting, self.hand_over(world, watch))

    def play_on(
        self, players: Sequence[Player], seed: int, setting: Setting, watch: Watch, log: WorldLog | None = None
    ) -> list[dict[str, Any]]:
        """`play`, but a negotiation in which an agent raises ends, and the world goes on."""
        spec = self.spec(seed, setting, len(players))
        world = self.make(spec, players, seed, setting, log)
        self.begin(world, "play_on")
        return self.account(spec, setting, self.hand_over(world, watch))

    def begin(self, world: Any, played_by: str) -> None:
        """Say what an exception costs in a world that has not started.

        Args:
            world: Of `make`.
            played_by: ``"play"``, the world, or ``"play_on"``, its negotiation.
        """
        world.world.ignore_negotiation_exceptions = _IGNORED[played_by]

    def hand_over(self, world: Any, watch: Watch) -> Played:
        """Play a world that was made to its end: its contracts, and what the simulation says that they brought."""
        for factory, agent in enumerate(world.agents):
            watch(agent, factory, ENTRY_POINTS)
        tallies = self.audit(world, world.log)  # after `watch`: what a player raises is judged as its own
        guard = Guard(world, range(len(world.agents)), ENTRY_POINTS)
        world.run()
        return _played(world, tallies, guard)

    def part(self, world: Any, own: int, watch: Watch, lockstep: Lockstep) -> Played:
        """`hand_over` in the process of one player, with the audit of its factory alone."""
        watch(world.agents[own], own, ENTRY_POINTS)
        lockstep.attach(world)
        tally = self.audit(_Own(world, own), None)[own]
        guard = Guard(world, [i for i in range(len(world.agents)) if i != own], ENTRY_POINTS)
        world.run()
        return _played(world, [tally], guard)

    def account(self, spec: Any, setting: Setting, played: Played) -> list[dict[str, Any]]:
        """What became of a world's factories, computed anew from its contracts and its parameters alone.

        Args:
            spec: Its parameters, from a source that no player reaches.
            setting: Days; the stock rule.
            played: What was handed over, by whomever.

        Returns:
            What `play` returns.

        Raises:
            MismatchError: if there could be no such contracts or counts, or the profits are not theirs.
        """
        contracts = _checked(spec, played.contracts, self.contract)
        rows, table = self._rows(spec, contracts, setting.stock)
        if table["profit"].tolist() != played.profits:
            raise MismatchError("the simulation's profits are not those that its contracts brought")
        if [row["bankrupt"] for row in rows] != played.bankrupt:
            raise MismatchError("the simulation has others go bankrupt than its contracts do")
        counts = [{name: count for name, count in audit.items() if _is_count(count)} for audit in played.audits]
        if [tuple(audit) for audit in counts] != [self.counts] * spec.n_factories:
            raise MismatchError("what the audit is said to have counted is no counts")
        return [row | counts[i] | {"breach_rate": breach_rate(table[i])} for i, row in enumerate(rows)]

    def measure(self, world: Any) -> tuple[list[dict[str, Any]], np.ndarray]:
        """What became of the factories of a world that is over, a compiled one too.

        Returns:
            For each factory what `play` returns, but for the columns of the audit; `Outcome.table`.
        """
        return self._rows(world.spec, world.contracts, getattr(world, "stock_rule", ""))

    def _rows(self, spec: Any, contracts: np.ndarray, stock: str) -> tuple[list[dict[str, Any]], np.ndarray]:
        table, bankrupt, levels, columns = self.settle(spec, contracts, stock)
        traders = np.append(contracts["seller"], contracts["buyer"])
        agreements = np.bincount(traders, minlength=spec.n_factories)
        negotiations = negotiation_counts(spec.level, bankrupt)
        totals = {part: [float(sum(row)) for row in table[part].tolist()] for part in self.parts}
        scores = score_of(spec.initial_balance, np.array(totals["profit"]))
        rows = [
            {
                "level": levels[i],
                "score": float(scores[i]),
                "initial_balance": int(spec.initial_balance[i]),
                **{part: totals[part][i] for part in self.parts},
                **columns[i],
                "agreements": int(agreements[i]),
                "negotiations": int(negotiations[i]),
                "bankrupt": int(bankrupt[i, -1] != 0),
            }
            for i in range(spec.n_factories)
        ]
        return rows, table


_IGNORED = {"play": False, "play_on": True}
"""Whether negmas lets a world go on in which an exception ends a negotiation."""


class _Own:
    """A world of which one factory is looked at."""

    def __init__(self, world: Any, factory: int):
        self.spec, self._world, self._factory = world.spec, world, factory

    def look(self, looks: Sequence[Look]) -> None:
        """See `scml_gym.simulator.paused_world.PausedWorld.look`."""
        look_at(self._world.agents[self._factory], self._world.seen, looks[self._factory])


def contracts_of(world: Any) -> list[list[int]]:
    """The negotiated contracts of a world, as `Played` has them."""
    return [list(contract) for contract in world.contracts.tolist()]


def _played(world: Any, tallies: Sequence[Any], guard: Guard) -> Played:
    counts = [tally.counts() for tally in tallies]
    return Played(contracts_of(world), world.profits.tolist(), world.bankrupt.tolist(), counts, guard.found())


def _checked(spec: Any, rows: Any, contract: np.dtype) -> np.ndarray:
    """Contracts of neighbours, at most one of two on a day, as an array.

    Raises:
        MismatchError: if they are no such contracts.
    """
    names, widths = contract.names or (), {len(row) for row in rows}
    if widths - {len(names)} or any(type(number) is not int for row in rows for number in row):
        raise MismatchError("what was handed over is no list of contracts")
    try:
        table = np.array([tuple(row) for row in rows], dtype=contract)
    except OverflowError as error:
        raise MismatchError("a contract has a number that is too large") from error
    seller, buyer, day = table["seller"], table["buyer"], table["day"]
    parties, known = np.append(seller, buyer), range(spec.n_factories)
    valid = len(table) == 0 or (parties.min() in known and parties.max() in known)
    valid = valid and bool(np.all(spec.level[seller] + 1 == spec.level[buyer]))
    due = table["delivery"] if "delivery" in names else day
    valid = valid and bool(np.all((day >= 0) & (due >= day) & (due < spec.n_days) & (table["quantity"] >= 0)))
    if not valid or len(set(zip(day.tolist(), seller.tolist(), buyer.tolist(), strict=True))) != len(table):
        raise MismatchError("there can be no such contracts in this world")
    return table


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def try_player(player: Player, name: str) -> None:
    """Make an agent that is thrown away.

    Raises:
        InputError: if it is no player of a factory.
    """
    checked = check_player(player, name)
    if isinstance(checked, tuple):
        agent_class, parameters = checked
        agent_class(**parameters)


def check_player(player: Any, name: str) -> Player:
    """The player itself.

    Raises:
        InputError: if it is none.
    """
    is_class = isinstance(player, tuple) and len(player) == 2 and isinstance(player[0], type)
    if not is_class and not all(hasattr(player, part) for part in ("synchronous", "begin", "act", "end_day")):
        raise InputError(f"{name!r} makes a {type(player).__name__}, which is no player of a factory")
    return player


def negotiation_counts(level: np.ndarray, bankrupt: np.ndarray) -> np.ndarray:
    """How many negotiations each factory had: one a day with each factory of the levels beside its own, bankrupt ones
    left out.

    Args:
        level: Of each factory, shape ``(n_factories,)``.
        bankrupt: Whether a factory was bankrupt at the end of each day, shape ``(n_factories, n_days)``.

    Returns:
        int64, shape ``(n_factories,)``.
    """
    active = np.ones(bankrupt.shape, dtype=np.int64)
    active[:, 1:] -= bankrupt[:, :-1]
    beside = np.abs(level[:, None] - level[None]) == 1
    return (active * (beside.astype(np.int64) @ active)).sum(axis=1)
