"""Strategies whose offers are recorded, with all that was known and what became of them.

A recorded strategy is a strategy itself: it calls the one that it stands for by address and keeps a factory's memory
behind its state. So every strategy can be recorded, in both worlds, and the worlds know nothing of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scml_gym.agents.dnb.events import fill_context, fill_history, fill_offer
from scml_gym.agents.dnb.records import MEMORY_DTYPE, MEMORY_SIZE, SAMPLE_DTYPE, Memory
from scml_gym.agents.dnb.tracking import (
    COUNTERED,
    SILENT,
    TAKEN,
    answer_to,
    begin_day,
    hear,
    needs_of_offers,
    note,
    take_answer,
)
from scml_gym.core.copying import Uncopied
from scml_gym.game.calls import PLAYER_DTYPE, call_decide, call_learn, fill_player
from scml_gym.game.strategy import Strategy as AnyStrategy
from scml_gym.jit.callbacks import floats_at, integers_at
from scml_gym.jit.compile import compiled, jittable
from scml_gym.jit.once import compiled_once
from scml_gym.jit.random import fill_draws
from scml_gym.oneshot.rules import repair
from scml_gym.oneshot.strategies.base import Strategy, StrategyPolicy
from scml_gym.oneshot.view import MAX_PARTNERS, OFFER, VIEW_DTYPE, ActionArray, FactoryView

RECORD_DTYPE = np.dtype(
    [
        ("sample", SAMPLE_DTYPE),
        ("factory", np.int64),  # that offered
        ("partner", np.int64),  # its index
        ("index", np.int64),  # of the offer among the factory's in this negotiation
        ("round", np.int64),  # rounds of the negotiation that had passed
        ("answer", np.int64),  # SILENT until it is known, see scml_gym.agents.dnb.tracking
    ],
    align=True,
)
"""An offer and what became of it."""

RECORDER_DTYPE = np.dtype(
    [
        *PLAYER_DTYPE.descr,  # the inner strategy, whose state comes first
        ("records", np.int64),  # address, and how many there is room for
        ("capacity", np.int64),
        ("count", np.int64),  # address of the number of records
        ("seed", np.uint64),  # of the draws that decide whose offers are kept
        ("share", np.float64),  # of the pairs whose offers are kept
    ],
    align=True,
)
"""The parameters of a recorded strategy; 8 bytes each, as its other numbers."""

_RECORD_SIZE = RECORD_DTYPE.itemsize // 8
_PARTNERS_OFFSET = VIEW_DTYPE.fields["partners"][1] if VIEW_DTYPE.fields else 0
_SEED = 0x5851F42D4C957F2D
"""Keeps the draws of records apart from those of strategies."""


class Records(Uncopied):
    """The recorded offers of one world's running day.

    Args:
        rounds: Of a negotiation; each side makes at most one offer in each.
        share: Of the pairs of a factory and a partner of its, whose offers are kept, all or none of a world.
        seed: Of the world; with the two of a pair it determines whether they are drawn.
    """

    why_not = "running worlds write into it; make another one and record players anew"

    def __init__(self, rounds: int, share: float, seed: int):
        self._records = np.zeros(2 * rounds * MAX_PARTNERS**2, RECORD_DTYPE)
        self._count = np.zeros(1, np.int64)
        self._share, self._seed = share, (seed ^ _SEED) & 0xFFFFFFFFFFFFFFFF
        self._players: list[StrategyPolicy] = []

    def record(self, player: StrategyPolicy) -> StrategyPolicy:
        """A player that plays as this one and records its offers here; this object must live as long as it plays.

        Raises:
            InputError: if the player's strategy does not compile.
        """
        self._players.append(player)  # whose parameters are read by address
        recorder = np.zeros(1, RECORDER_DTYPE)
        fill_player(recorder, player)
        recorder["records"], recorder["capacity"] = self._records.ctypes.data, len(self._records)
        recorder["count"] = self._count.ctypes.data
        recorder["seed"], recorder["share"] = self._seed, self._share
        return RecordedPlayer(recorded_strategy(player.strategy), player.seed, recorder.view(np.float64))

    def take(self) -> np.ndarray:
        """The offers that were answered explicitly since the last call, ``RECORD_DTYPE``; to be called after a day."""
        records = self._records[: self._count[0]]
        self._count[0] = 0
        return records[(records["answer"] == TAKEN) | (records["answer"] == COUNTERED)]


class RecordedPlayer(Uncopied, StrategyPolicy):
    """A player whose parameters point to `Records`."""

    why_not = "it writes into its records; record a player anew, in a world of its own"


def recorded_strategy(strategy: AnyStrategy) -> Strategy:
    """A strategy that plays as another one and records its offers; its parameters are a ``RECORDER_DTYPE``."""
    return Strategy(
        name=strategy.name,
        decide=decide,
        state_size=strategy.state_size + MEMORY_SIZE + MAX_PARTNERS,
        synchronous=strategy.synchronous,
        summary=f"{strategy.name}, recorded",
        learn=learn,
        n_draws=strategy.n_draws,
    )


def decide(view: FactoryView, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: ActionArray) -> None:
    """See `Strategy.decide`. The state is the inner strategy's, a memory, and for each partner the record of the
    pending offer, counted from 1, or 0."""
    _decide(view, state, params, draws, actions)


def learn(view: FactoryView, state: np.ndarray, params: np.ndarray) -> None:
    """See `Strategy.learn`: the answers of the day are known now."""
    _learn(view, state, params)


@compiled_once
def _decide(view: FactoryView, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: ActionArray) -> None:
    recorder = params.view(RECORDER_DTYPE)[0]
    n_state = recorder["n_state"]
    memory, pending = state[n_state : n_state + MEMORY_SIZE].view(MEMORY_DTYPE)[0], state[n_state + MEMORY_SIZE :]
    records = floats_at(recorder["records"], recorder["capacity"] * _RECORD_SIZE)
    begin_day(view, memory)
    _hear_answers(view, memory, pending, records, False)
    hear(view, memory)
    seen = view["partners"].ctypes.data - _PARTNERS_OFFSET
    call_decide(recorder, seen, state.ctypes.data, draws.ctypes.data, actions.ctypes.data)
    repair(view, actions)
    _record_offers(view, actions, memory, recorder, pending, records)
    note(view, actions, memory)


@compiled
def _learn(view: FactoryView, state: np.ndarray, params: np.ndarray) -> None:
    recorder = params.view(RECORDER_DTYPE)[0]
    n_state = recorder["n_state"]
    memory, pending = state[n_state : n_state + MEMORY_SIZE].view(MEMORY_DTYPE)[0], state[n_state + MEMORY_SIZE :]
    records = floats_at(recorder["records"], recorder["capacity"] * _RECORD_SIZE)
    begin_day(view, memory)
    _hear_answers(view, memory, pending, records, True)
    call_learn(recorder, view["partners"].ctypes.data - _PARTNERS_OFFSET, state.ctypes.data)


@jittable
def _hear_answers(view: FactoryView, memory: Memory, pending: np.ndarray, records: np.ndarray, day_over: bool) -> None:
    rows = records.view(RECORD_DTYPE)
    for k in range(view["n_partners"]):
        if memory["partners"][k]["pending"] != 0:
            answer = answer_to(view, k, day_over)
            take_answer(memory, k, answer)
            if answer != SILENT and pending[k] > 0.0:
                rows[int(pending[k]) - 1]["answer"] = answer
                pending[k] = 0.0


@jittable
def _record_offers(
    view: FactoryView, actions: ActionArray, memory: Memory, recorder: np.void, pending: np.ndarray, records: Any
) -> None:
    rows, count = records.view(RECORD_DTYPE), integers_at(recorder["count"], 1)
    needs, draw = needs_of_offers(view, actions), np.zeros(1)
    for k in range(view["n_partners"]):
        if actions[k]["response"] != OFFER:
            continue
        partner, known = view["partners"][k], memory["partners"][k]
        pending[k] = 0.0
        place = view["factory"] * MAX_PARTNERS + k
        fill_draws(recorder["seed"], place, 0, 0, 1, draw)
        n = count[0]
        if draw[0] >= recorder["share"] or n == len(rows):
            continue
        records[n * _RECORD_SIZE : (n + 1) * _RECORD_SIZE] = 0.0
        row = rows[n]
        fill_context(view, needs, row["sample"])
        fill_history(known, partner["relative_time"], row["sample"])
        fill_offer(actions[k]["quantity"], actions[k]["price"], row["sample"])
        row["factory"], row["partner"] = view["factory"], k
        row["index"], row["round"] = known["n_offers"], partner["step"]
        count[0] = n + 1
        pending[k] = n + 1.0
