"""The monitor of L4: what all negotiations of a factory have in common now, and what the coordinator is shown of each.

Both are functions of the factory's view, which has today's agreements, and of the manager's goals. So they are new at
each decision, and an agreement in one negotiation is known in all others from the next decision on.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scml_gym.agents.hrl_xf.observing import GAPS, LIMITS, MOST_LINES, SAFE, SEEN, SIDES, Shown
from scml_gym.standard.observations.encoding import N_PARTNER
from scml_gym.standard.observations.features import PARTNER_FEATURES
from scml_gym.standard.view import BOOK_DAYS, MAX_PER_LEVEL, StandardView

LACKING, ROOM, AHEAD, AFFORDED = range(N_PARTNER + 1, N_PARTNER + 5)
"""Of a negotiation, after its partner's features (`scml_gym.standard.observations.features.PARTNER_FEATURES`) and
whether its standing offer is safe, for the day that it is about: what the goals still lack / lines; how much more is
safe / lines; days from today / 10; the share of what is lacking that the free money pays for, 0 to 1, 1 for sales."""

NEGOTIATION = AFFORDED + 1
"""Numbers of a negotiation."""

BROADCAST = (
    *("day", "days_left", "balance", "free_money", "stock", "goals_known", "rounds_left"),
    *(f"{what}_{side}" for what in ("agreed", "running", "due") for side in ("supplies", "sales")),
    *(f"{what}_{side}_{d}" for what in ("lacking", "room") for side in ("supplies", "sales") for d in range(BOOK_DAYS)),
)
"""What is told to all negotiations. Money is in initial balances, items in lines, negotiations in 8, days and rounds as
shares; what is lacking (negative where more than the goals is agreed on) and what is safe, by side and days from today.
"""

MOST_MONEY = 4.0
"""Initial balances that money is clipped to."""

_NAMES = [feature.name for feature in PARTNER_FEATURES]
CONSUMER, TIME, OFFERED, OFFER_DAY = (_NAMES.index(n) for n in ("consumer", "time", "offer_quantity", "offer_day"))


class Situation(NamedTuple):
    """What the coordinator is shown.

    Attributes:
        negotiations: Of each that asks for an answer, float32 ``(n, NEGOTIATION)``.
        broadcast: Float32 ``(len(BROADCAST),)``.
    """

    negotiations: np.ndarray
    broadcast: np.ndarray


def monitor(view: StandardView, shown: Shown, rows: np.ndarray, goals: np.ndarray | None) -> Situation:
    """The situation of a factory.

    Args:
        view: What it sees.
        shown: Of the same view, see `scml_gym.agents.hrl_xf.observing.observe`.
        rows: What the executor is shown of each negotiation that is due, with goals told; float32 ``(n, SIZE)``.
        goals: Items that shall be agreed on today, by side and days from today, ``(2, BOOK_DAYS)``; None where nobody
            sets any, and then nothing is lacking.
    """
    lines, money = max(int(view["lines"]), 1), max(float(view["initial_balance"]), 1.0)
    free = max(float(view["balance"]) - float(view["supplies_cost"].sum()), 0.0)
    lacking = np.zeros((SIDES, BOOK_DAYS)) if goals is None else (goals - shown.agreed) / lines
    partners, sides = view["partners"], np.arange(len(view["partners"])) // MAX_PER_LEVEL
    running, due = partners["running"] != 0, partners["my_turn"] != 0
    time = float(partners["relative_time"][due].max(initial=0.0))
    told = [
        *(view["day"] / view["n_days"], min((view["n_days"] - view["day"]) / BOOK_DAYS, 1.0)),
        *np.clip((view["balance"] / money, free / money), -1.0, MOST_MONEY),
        *(min(view["stock"] / lines, MOST_LINES), goals is not None, 1.0 - time),
        *shown.agreed.sum(axis=1) / lines,
        *(np.bincount(sides[who], minlength=SIDES)[side] / MAX_PER_LEVEL for who in (running, due) for side in (0, 1)),
        *np.clip(lacking, -MOST_LINES, MOST_LINES).ravel(),
        *np.minimum(shown.limits / lines, MOST_LINES),
    ]
    return Situation(_negotiations(view, rows, free), np.array(told, np.float32))


def _negotiations(view: StandardView, rows: np.ndarray, free: float) -> np.ndarray:
    """What is shown of each; it is about the day of the offer that stands, else about the one that lacks most."""
    made = np.zeros((len(rows), NEGOTIATION), np.float32)
    partner = made[:, :N_PARTNER] = rows[:, SEEN - N_PARTNER : SEEN]
    made[:, N_PARTNER] = rows[:, SAFE]
    gaps, each = rows[:, GAPS], np.arange(len(rows))
    offered = np.rint(partner[:, OFFER_DAY] * (BOOK_DAYS - 1)).astype(np.int64)
    day = np.where(partner[:, OFFERED] > 0, offered, gaps.argmax(axis=1))
    made[:, LACKING], made[:, ROOM], made[:, AHEAD] = gaps[each, day], rows[:, LIMITS][each, day], day / (BOOK_DAYS - 1)
    cost = float(view["input_price"]) * np.maximum(made[:, LACKING], 0.0) * int(view["lines"])
    made[:, AFFORDED] = np.where(partner[:, CONSUMER] > 0, 1.0, np.minimum(free / np.maximum(cost, 1e-6), 1.0))
    return made
