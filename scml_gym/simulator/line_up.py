"""Worlds of a real simulation with named line-ups, and what became of every factory: what the tracks share."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from scml_gym.core.errors import InputError
from scml_gym.game.definition import Setting
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


@dataclasses.dataclass(frozen=True)
class LineUp:
    """How a track plays named line-ups in its real simulation.

    Attributes:
        make: ``(players, seed, setting, log) -> world``: a world that has not started.
        settle: ``(world) -> Outcome``: what became of a world that is over.
        audit: ``(world, log) -> tallies``: looks on at what the agents promise; a tally has ``columns(days)``.
        parts: Names of what a profit consists of, in the table.
    """

    make: Callable[[Sequence[Player], int, Setting, WorldLog | None], Any]
    settle: Callable[[Any], Outcome]
    audit: Callable[[Any, Any], Sequence[Any]]
    parts: tuple[str, ...]

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
        """
        return self._played(self.make(players, seed, setting, log), watch)

    def play_on(
        self, players: Sequence[Player], seed: int, setting: Setting, watch: Watch, log: WorldLog | None = None
    ) -> list[dict[str, Any]]:
        """`play`, but a negotiation in which an agent raises ends, and the world goes on."""
        world = self.make(players, seed, setting, log)
        world.world.ignore_negotiation_exceptions = True
        return self._played(world, watch)

    def _played(self, world: Any, watch: Watch) -> list[dict[str, Any]]:
        for factory, agent in enumerate(world.agents):
            watch(agent, factory, ENTRY_POINTS)
        tallies = self.audit(world, world.log)  # after `watch`: what a player raises is judged as its own
        world.run()
        rows, table = self.measure(world)
        return [row | tallies[i].columns(table[i]) for i, row in enumerate(rows)]

    def measure(self, world: Any) -> tuple[list[dict[str, Any]], np.ndarray]:
        """What became of the factories of a world that is over, a compiled one too.

        Returns:
            For each factory what `play` returns, but for the columns of the audit; `Outcome.table`.
        """
        spec = world.spec
        table, bankrupt, levels, columns = self.settle(world)
        traders = np.append(world.contracts["seller"], world.contracts["buyer"])
        agreements = np.bincount(traders, minlength=spec.n_factories)
        negotiations = negotiation_counts(spec.level, bankrupt)
        rows = [
            {
                "level": levels[i],
                "score": float(world.scores[i]),
                "initial_balance": int(spec.initial_balance[i]),
                **{part: float(sum(table[part][i].tolist())) for part in self.parts},
                **columns[i],
                "agreements": int(agreements[i]),
                "negotiations": int(negotiations[i]),
                "bankrupt": int(world.bankrupt[i]),
            }
            for i in range(spec.n_factories)
        ]
        return rows, table


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


def breach_rate(days: np.ndarray) -> float:
    """Items that were sold and not delivered, of all that were sold; 0 where nothing was.

    Args:
        days: Of a factory, settled; has fields ``produced``, what was sold and delivered, and ``missing``, what was
            not.
    """
    missing, produced = int(days["missing"].sum()), int(days["produced"].sum())
    return missing / (missing + produced) if missing else 0.0
