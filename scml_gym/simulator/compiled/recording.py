"""Compiled worlds that are recorded: their records hold the address of an array into which every answer is written.

Only worlds that are played one at a time can be: batches are compiled without it, and lose no time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scml_gym.jit.callbacks import integers_at
from scml_gym.jit.compile import jittable
from scml_gym.simulator.compiled.alternating_offers import OFFER, SELLER, WAIT
from scml_gym.simulator.compiled.layout import NO_NEGOTIATION
from scml_gym.simulator.recording.log import EVENT_DTYPE, Moment, WorldLog, moment_of, place_of

_FIELDS = len(EVENT_DTYPE.names or ())

LOG_FIELDS = [
    ("log", np.int64),  # address of an array of EVENT_DTYPE; 0 in a world that is not recorded
    ("log_size", np.int64),  # its numbers, int64
    ("logged", np.int64),  # answers of the day that stand in it
]
"""Of a world's record, behind all others."""


def compile_note(delivery: Callable[[np.void, np.void], int]) -> Callable[[np.void, np.void, int], None]:
    """What writes the answers of a recorded world down, jittable; see
    `scml_gym.simulator.compiled.negotiations.compile_negotiations`.

    Args:
        delivery: ``(world, negotiation) -> int``: the day of delivery of the standing offer; jittable.
    """

    @jittable
    def note(world: np.void, negotiation: np.void, response: int) -> None:
        if world["log"] != 0 and response != WAIT:
            log, at = integers_at(world["log"], world["log_size"]), world["logged"] * _FIELDS
            world["logged"] += 1
            if world["logged"] * _FIELDS > world["log_size"]:
                return  # `take_day` tells
            sells = negotiation["turn"] == SELLER
            log[at] = world["day"]
            log[at + 1] = negotiation["seller"] if sells else negotiation["buyer"]
            log[at + 2] = negotiation["buyer"] if sells else negotiation["seller"]
            log[at + 3] = negotiation["step"]
            log[at + 4] = response
            if response == OFFER:
                log[at + 5], log[at + 6] = negotiation["offer_quantity"], negotiation["offer_price"]
                log[at + 7] = delivery(world, negotiation)
            else:
                log[at + 5] = log[at + 6] = log[at + 7] = 0

    return note


def room_for_a_day(record: Any) -> np.ndarray:
    """An array of ``EVENT_DTYPE`` with room for the answers of a day: two a round and negotiation, and a last one.

    Args:
        record: Of the world, which has begun.
    """
    return np.zeros(int(record["n_negotiations"]) * (2 * int(record["spec"]["rounds"]) + 2), dtype=EVENT_DTYPE)


def use_log(record: Any, events: np.ndarray, log: WorldLog) -> None:
    """Let a world write into an array, which must live as long as it, and a log know its players.

    Args:
        record: Of the world, which has begun.
        events: See `room_for_a_day`.
        log: Of the world.
    """
    record["log"], record["log_size"] = events.ctypes.data, events.size * _FIELDS
    players, negotiations = record["players"], record["negotiations"]
    places = {place_of(view): factory for factory, view in enumerate(record["views"][: record["n_factories"]])}

    def partner(factory: int, k: Any) -> int | None:
        with_each = players[factory]["negotiation_with"]
        if not (isinstance(k, int | np.integer) and 0 <= k < len(with_each)) or with_each[k] == NO_NEGOTIATION:
            return None
        negotiation = negotiations[with_each[k]]
        return int(negotiation["buyer"] if negotiation["seller"] == factory else negotiation["seller"])

    def find(seen: Any) -> Moment | None:
        factory = places.get(place_of(seen))
        return None if factory is None else moment_of(factory, seen)

    log.watch(find, partner)


def take_day(record: Any, events: np.ndarray, log: WorldLog) -> None:
    """A day is settled: hand its answers to the log."""
    assert record["logged"] <= len(events), f"{record['logged']} answers on a day with room for {len(events)}"
    log.add(events[: record["logged"]])
    record["logged"] = 0
