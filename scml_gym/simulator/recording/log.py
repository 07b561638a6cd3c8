"""What happens in one world while it is played, as far as its contracts and settlements do not tell it.

A world that is recorded is given a `WorldLog` and writes into it: every answer in every negotiation, in the order in
which they were given. Players write into it too, by `scml_gym.game.telling.tell`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from scml_gym.core.copying import Independent
from scml_gym.core.errors import InputError
from scml_gym.game.telling import listen

EVENT_DTYPE = np.dtype(
    [(n, np.int64) for n in ("day", "sender", "receiver", "round", "response", "quantity", "price", "delivery")]
)
"""An answer: who gave it to whom and when, and the offer of an ``OFFER``, 0 elsewhere. Responses are those of
`scml_gym.simulator.compiled.alternating_offers`. A bilateral negotiation has the outcome's index as ``quantity``."""


class Moment(NamedTuple):
    """Who speaks, and when."""

    factory: int
    day: int
    decision: int | None
    """Of the day; None where nobody counts them."""


Find = Callable[[Any], Moment | None]
"""``(seen) -> moment``: whose view, or which scml agent, that is; None for another world's."""

Partner = Callable[[int, Any], int | None]
"""``(factory, partner) -> factory``: whom it calls so: by a partner index, or by an id; None for nobody."""


class UnsafeAct(NamedTuple):
    """An acceptance or an offer that the safety audit calls unsafe, and what would come of its decision as a whole.

    Attributes:
        bound: ``covered`` or ``possible``.
        partner: Index in the view.
        act: ``accepts`` or ``offers``.
        quantity: Items.
        price: Of one item.
        delivery: Day of delivery.
        short_day: The first day that falls short.
        missing: Items that are missing on it.
        unpaid: Money that is missing on it.
        idle: Inputs that can never be used; None where goods perish.
    """

    bound: str
    partner: int
    act: str
    quantity: int
    price: int
    delivery: int
    short_day: int
    missing: int
    unpaid: float
    idle: int | None


Judged = Callable[[Any, int, Sequence[UnsafeAct]], None]
"""``(view, acts, unsafe)``: is told what the safety audit found in a decision: how many acts, and which are unsafe."""

AUDITED = ("acts", "unsafe_covered", "unsafe_possible")
"""What is counted of a factory that is audited."""


def _no_end(world: Any) -> None:
    """A log that is only looked at."""


class WorldLog(Independent):
    """The log of one world.

    Args:
        end: ``(world)``: called when the world is over.

    Attributes:
        end: As given.
        errors: ``(day, factory, partner or None, message)``.
        decisions: ``(day, factory, decision or None, partner or None, name, value)``.
        audits: Of each factory that is audited, how many of `AUDITED` there were.
        unsafe: ``(day, factory, decision, partner, bound, act, quantity, price, delivery, short_day, missing, unpaid,
            idle)``, see `UnsafeAct`.
    """

    def __init__(self, end: Callable[[Any], None] = _no_end):
        self.end = end
        self.errors: list[tuple[int, int, int | None, str]] = []
        self.decisions: list[tuple[int, int, int | None, int | None, str, float]] = []
        self.audits: dict[int, dict[str, int]] = {}
        self.unsafe: list[tuple[Any, ...]] = []
        self._parts: list[np.ndarray] = []
        self._events: list[tuple[int, ...]] = []
        self._find: Find = _nowhere
        self._partner: Partner = _nobody
        listen(self)

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_find": _nowhere, "_partner": _nobody}  # a copied world says anew where its players are

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        listen(self)

    def answered(self, *event: int) -> None:
        """An answer was given: the fields of ``EVENT_DTYPE``."""
        self._events.append(event)

    def add(self, events: np.ndarray) -> None:
        """More answers, ``EVENT_DTYPE``, in order; they are copied."""
        self._parts.append(events.copy())

    @property
    def events(self) -> np.ndarray:
        """All answers so far, ``EVENT_DTYPE``, in order."""
        return np.concatenate([*self._parts, np.array(self._events, dtype=EVENT_DTYPE)])

    def failed(self, day: int, factory: int, partner: int | None, message: str) -> None:
        """A player raised."""
        self.errors.append((day, factory, partner, message))

    def audit(self, factory: int, partners: Mapping[int, int]) -> Judged:
        """What is to be told of every decision of a factory that is audited.

        Args:
            factory: Its index.
            partners: Partner index in its view -> factory.
        """
        self.audits[factory] = dict.fromkeys(AUDITED, 0)
        return partial(self._judge, factory, dict(partners))

    def _judge(
        self, factory: int, partners: Mapping[int, int], view: Any, acts: int, unsafe: Sequence[UnsafeAct]
    ) -> None:
        counts = self.audits[factory]
        counts["acts"] += acts
        for found in unsafe:
            bound, partner, *rest = found
            counts[f"unsafe_{bound}"] += 1
            moment = int(view["day"]), factory, int(view["decision"])
            self.unsafe.append((*moment, partners[partner], bound, *rest))

    def watch(self, find: Find, partner: Partner) -> None:
        """Say how players are found that tell something."""
        self._find, self._partner = find, partner

    def hears(self, seen: Any) -> bool:
        """See `scml_gym.game.telling.Listener`."""
        return self._find(seen) is not None

    def hear(self, seen: Any, partner: Any, values: Mapping[str, float]) -> None:
        """See `scml_gym.game.telling.Listener`."""
        found = self._find(seen)
        assert found is not None, "it is asked first whether it hears"
        factory, day, decision = found
        other = None if partner is None else self._partner(factory, partner)
        if other is None and partner is not None:
            raise InputError(f"partner={partner!r}: factory {factory} has no such partner", "partner")
        for name, value in values.items():
            self.decisions.append((day, factory, decision, other, name, _number(name, value)))


def moment_of(factory: int, view: Any) -> Moment:
    """When a factory speaks, by its view."""
    return Moment(factory, int(view["day"]), int(view["decision"]))


def place_of(view: Any) -> int | None:
    """Where a view stands in memory, by which a live record is known again; None for what is no record."""
    return view.__array_interface__["data"][0] if isinstance(view, np.void) else None


def _nowhere(seen: Any) -> Moment | None:
    return None


def _nobody(factory: int, partner: Any) -> int | None:
    return None


def _number(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name}={value!r}; valid: a number", name) from error
