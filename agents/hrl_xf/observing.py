"""What the executor is shown of one negotiation: the factory, the days, the partner, what is safe, and conditions.

The same function shows it while experts are recorded and while it plays.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from gymnasium import spaces

from scml_gym.jit.compile import compiled, jittable
from scml_gym.standard.observations.encoding import (
    N_DAY,
    N_FACTORY,
    N_PARTNER,
    encode_days,
    encode_factory,
    encode_partner,
)
from scml_gym.standard.rules import prices_with
from scml_gym.standard.safety.choices import write_safe_choices
from scml_gym.standard.strategies.market import BOTH_BOOKS
from scml_gym.standard.view import ACCEPT, BOOK_DAYS, MAX_PARTNERS, OFFER, ActionArray, StandardView, is_consumer

SIDES = 2
"""Supplies, then sales."""

SEEN = N_FACTORY + BOOK_DAYS * N_DAY + N_PARTNER
"""Numbers of `scml_gym.standard.observations.PartnerEncoder`, with which an observation begins."""

LIMITS = slice(SEEN, SEEN + BOOK_DAYS)
"""The most items that are safe for each day from today on, of the partner's side, / lines."""
SAFE = LIMITS.stop
"""Whether the standing offer may be accepted safely by itself."""
ALPHA = SAFE + 1
"""How eager the negotiation is to be, -1 to 1; 0 where nobody says."""
KNOWN = ALPHA + 1
"""1 where the goals of the day are told, else 0, and the goals too."""
GOALS = slice(KNOWN + 1, KNOWN + 1 + BOOK_DAYS)
"""Items that shall be agreed on today with the partner's side, by days from today, / lines."""
GAPS = slice(GOALS.stop, GOALS.stop + BOOK_DAYS)
"""Goals less what has been agreed on today."""
PLANNED = GAPS.stop
"""1 where the negotiation is told its part of the plan (`scml_gym.agents.hrl_xf.planned`), else 0, and its part too."""
TAKE = PLANNED + 1
"""Whether the plan takes the standing offer."""
PART = slice(TAKE + 1, TAKE + 1 + BOOK_DAYS)
"""Items that the plan takes or asks for here, by days from today, / lines; all 0 where the negotiation is to end."""
PRICE = PART.stop
"""The price of that, as a position in today's range: 0 the lowest, 1 the highest."""
PROMISED = PRICE + 1
"""1 where the return that is to come is told, else 0."""
SIZE = PROMISED + 1

MOST_LINES = 10.0
"""Limits are clipped to so many times the lines, as stock is."""

SPACE = spaces.Box(-MOST_LINES, MOST_LINES, (SIZE,), np.float32)
"""Of observations."""


@jittable
def show(view: StandardView, bound: int, rows: np.ndarray, accepts: np.ndarray, limits: np.ndarray) -> None:
    """Write what is seen in each negotiation that asks for an answer, without conditions.

    Args:
        view: What the factory sees.
        bound: Of the shield.
        rows: Float32 ``(MAX_PARTNERS, SIZE)``, zeros before.
        accepts: See `scml_gym.standard.safety.choices.write_safe_choices`; written too.
        limits: Likewise.
    """
    write_safe_choices(view, bound, accepts, limits)
    first, lines = -1, max(view["lines"], 1)
    for k in range(MAX_PARTNERS):
        if view["partners"][k]["my_turn"] == 0:
            continue
        days = rows[k, N_FACTORY : N_FACTORY + BOOK_DAYS * N_DAY]
        if first < 0:
            encode_factory(view, rows[k, :N_FACTORY])
            encode_days(view, days.reshape((BOOK_DAYS, N_DAY)))
            first = k
        else:
            rows[k, : SEEN - N_PARTNER] = rows[first, : SEEN - N_PARTNER]
        encode_partner(view, k, rows[k, SEEN - N_PARTNER : SEEN])
        side = BOOK_DAYS if is_consumer(k) else 0
        for ahead in range(BOOK_DAYS):
            rows[k, SEEN + ahead] = min(limits[side + ahead] / lines, MOST_LINES)
        rows[k, SAFE] = accepts[k]


@jittable
def add_agreed(view: StandardView, agreed: np.ndarray) -> None:
    """Add what was agreed on today, by side and days from today, to int64 ``(2, BOOK_DAYS)``."""
    for k in range(MAX_PARTNERS):
        partner = view["partners"][k]
        if partner["agreed_quantity"] > 0:
            agreed[int(is_consumer(k)), partner["agreed_day"] - view["day"]] += partner["agreed_quantity"]


OFFERED, ASKED = ("offer_quantity", "offer_day", "offer_price"), ("quantity", "day", "price")
"""What a partner offers, and what is offered to it, in its record and in the answer to it."""

_show, _add_agreed = compiled(show), compiled(add_agreed)


class Shown(NamedTuple):
    """What a factory is shown of its negotiations.

    Attributes:
        due: Partner indices of those that ask for an answer, int64 ``(n,)``.
        rows: Float32 ``(n, SIZE)``.
        agreed: Items agreed on today, int64 ``(2, BOOK_DAYS)``, by side and days from today.
        accepts, limits: What is safe, see `show`.
    """

    due: np.ndarray
    rows: np.ndarray
    agreed: np.ndarray
    accepts: np.ndarray
    limits: np.ndarray


def observe(view: StandardView, bound: int) -> Shown:
    """What is shown at a decision; goals and returns are not told.

    Args:
        view: What the factory sees.
        bound: Of the shield, `scml_gym.standard.safety.bounds.COVERED` or ``POSSIBLE``.
    """
    rows, agreed = np.zeros((MAX_PARTNERS, SIZE), np.float32), np.zeros((SIDES, BOOK_DAYS), np.int64)
    accepts, limits = np.zeros(MAX_PARTNERS, np.int64), np.zeros(BOTH_BOOKS, np.int64)
    _show(view, bound, rows, accepts, limits)
    _add_agreed(view, agreed)
    due = np.flatnonzero(view["partners"]["my_turn"])
    return Shown(due, rows[due], agreed, accepts, limits)


def tell_goals(rows: np.ndarray, goals: np.ndarray, agreed: np.ndarray, lines: int) -> None:
    """Write the goals of a day into observations.

    Args:
        rows: Float32 ``(n, SIZE)``, changed in place.
        goals: Items by days from today, ``(n, BOOK_DAYS)``, of each one's side.
        agreed: Likewise, what had been agreed on.
        lines: Of the factory.
    """
    rows[:, KNOWN] = 1.0
    rows[:, GOALS] = np.clip(goals / max(lines, 1), 0.0, MOST_LINES)
    rows[:, GAPS] = np.clip((goals - agreed) / max(lines, 1), -MOST_LINES, MOST_LINES)


def tell_parts(rows: np.ndarray, view: StandardView, due: np.ndarray, plan: ActionArray) -> None:
    """Write what a plan has each negotiation do into observations.

    Args:
        rows: Float32 ``(n, SIZE)``, changed in place.
        view: What the factory sees.
        due: Partner indices, int64 ``(n,)``.
        plan: Answers to all partners.
    """
    rows[:, PLANNED] = 1.0
    for row, k in zip(rows, due.tolist(), strict=True):
        answer, partner = plan[k], view["partners"][k]
        taken = answer["response"] == ACCEPT
        if not taken and answer["response"] != OFFER:
            continue
        quantity, day, price = (partner[name] for name in OFFERED) if taken else (answer[name] for name in ASKED)
        low, high = prices_with(view, k)
        row[TAKE] = taken
        row[PART.start + day - view["day"]] = min(quantity / max(view["lines"], 1), MOST_LINES)
        row[PRICE] = (price - low) / max(1, high - low)


def hide_goals(rows: np.ndarray) -> np.ndarray:
    """Copies of observations without goals."""
    hidden = rows.copy()
    hidden[:, KNOWN : GAPS.stop] = 0.0
    return hidden


def name_of(column: int) -> str:
    """What a number of an observation is, for messages."""
    for name, part in (("limits", LIMITS), ("goals", GOALS), ("gaps", GAPS), ("part", PART)):
        if part.start <= column < part.stop:
            return f"{name}[{column - part.start}]"
    told = {SAFE: "safe", ALPHA: "alpha", KNOWN: "known", PLANNED: "planned", TAKE: "take", PRICE: "price"}
    return (told | {PROMISED: "promised"}).get(column, f"seen[{column}]")
