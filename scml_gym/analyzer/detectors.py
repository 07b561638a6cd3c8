"""Detectors: what went wrong in recorded worlds, each a question with the evidence for every finding.

A detector gives a row for each finding, with ``run``, ``world``, ``day``, ``factory`` and ``competitor``, so that the
day can be looked at, and the numbers that show it. ``cost`` is in money, NaN where nobody can say.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from scml_gym.analyzer.sources import Recordings
from scml_gym.core.arguments import real, whole
from scml_gym.core.errors import InputError, nearest

if TYPE_CHECKING:
    import pandas as pd


class Threshold(NamedTuple):
    """A number of a detector that can be changed.

    Attributes:
        label: What it is, for a newcomer.
        default: The number.
        check: ``check(name, value, *valid) -> value`` of another one.
        valid: Which ones are.
    """

    label: str
    default: float
    check: Callable[..., float]
    valid: tuple[Any, ...]


@dataclass(frozen=True)
class Detector:
    """A detector.

    Attributes:
        title: In a few words.
        help: What it finds, for a newcomer.
        query: Of the findings, in SQL.
        thresholds: Numbers in it that can be changed, by name.
    """

    title: str
    help: str
    query: str
    thresholds: Mapping[str, Threshold] = field(default_factory=dict)

    def find(
        self,
        recordings: Recordings,
        run: int | None = None,
        competitor: str | None = None,
        n: int | None = None,
        **thresholds: float,
    ) -> pd.DataFrame:
        """What it finds, the costliest first.

        Args:
            recordings: Open.
            run: Of one recording.
            competitor: Of one competitor.
            n: Findings at most; None for all.
            thresholds: Those that are changed.

        Raises:
            InputError: if there is no such threshold, or its value is not valid.
        """
        order = "ORDER BY cost DESC NULLS LAST, run, world, day, factory LIMIT coalesce($n, 9223372036854775807)"
        more = self._checked(thresholds) | {"n": None if n is None else whole("n", n)}
        return recordings.ask(f"SELECT * FROM ({self._filtered()}) {order}", run=run, competitor=competitor, **more)

    def count(
        self, recordings: Recordings, run: int | None = None, competitor: str | None = None, **thresholds: float
    ) -> int:
        """How much it finds; arguments and errors as of `find`."""
        query = f"SELECT count(*) AS n FROM ({self._filtered()})"
        answer = recordings.ask(query, run=run, competitor=competitor, **self._checked(thresholds))
        return int(answer["n"].iloc[0])

    def _filtered(self) -> str:
        """The query, with filters for a recording and a competitor."""
        filters = "($run IS NULL OR run = $run) AND ($competitor IS NULL OR competitor = $competitor)"
        return f"SELECT * FROM ({self.query}) WHERE {filters}"

    def _checked(self, given: Mapping[str, float]) -> dict[str, Any]:
        for name in given:
            if name not in self.thresholds:
                raise InputError(f"{self.title} has no threshold {name!r}{nearest(name, self.thresholds)}", name)
        return {
            name: known.check(name, given.get(name, known.default), *known.valid)
            for name, known in self.thresholds.items()
        }


OVER_COMMITMENT = """
SELECT run, world, day, factory, competitor, place, excess AS cost, needed, needed - left_over AS agreed,
    -left_over AS too_many, missing, unused
FROM losses WHERE left_over < 0 AND needed - left_over > 0
"""
"""OneShot, where what is agreed too much cannot be used later."""

MISSING_ITEMS = """
WITH spare AS (
    SELECT run, world, day, level, sum(greatest(left_sales, 0)) AS spare FROM factory_days GROUP BY ALL
)
SELECT d.run, d.world, d.day, d.factory, d.competitor, d.place, d.shortfall AS cost, d.missing, s.spare,
    d.needed_supplies AS needed, d.bought
FROM factory_days d
JOIN spare s ON (s.run, s.world, s.day, s.level) = (d.run, d.world, d.day, d.level - 1)
WHERE d.missing > 0 AND s.spare > 0 AND d.bought < d.needed_supplies
"""

FAR_PRICES = """
WITH sides AS (
    SELECT run, world, day, seller AS factory, buyer AS partner, quantity, price, -1 AS sign, nullified FROM contracts
    UNION ALL
    SELECT run, world, day, buyer AS factory, seller AS partner, quantity, price, 1 AS sign, nullified FROM contracts
), priced AS (
    SELECT c.*, d.competitor, d.place, CASE WHEN sign < 0 THEN d.output_price ELSE d.input_price END AS trading
    FROM sides c JOIN factory_days d USING (run, world, day, factory)
)
SELECT run, world, day, factory, competitor, place, sign * (price - trading) * quantity AS cost, partner,
    quantity, price, trading AS trading_price
FROM priced WHERE nullified IS NOT TRUE AND sign * (price - trading) > $share * trading
"""
"""Further from the trading price than a share of it; contracts that were nullified cost nothing."""

SALES_BELOW_COST = """
WITH costs AS (
    SELECT *, supplies / nullif(bought + exogenous_supply, 0) + production_cost AS unit_cost FROM factory_days
)
SELECT d.run, d.world, d.day, d.factory, d.competitor, d.place, (d.unit_cost - c.price) * c.quantity AS cost,
    c.buyer AS partner, c.quantity, c.price, d.unit_cost
FROM contracts c JOIN costs d ON (d.run, d.world, d.day, d.factory) = (c.run, c.world, c.delivery, c.seller)
WHERE c.executed AND c.price < d.unit_cost
"""
"""Only days that had inputs are judged."""

IDLE_LINES = """
WITH idle AS (
    SELECT run, world, day, factory, competitor, place, produced, lines,
        day - row_number() OVER (PARTITION BY run, world, factory ORDER BY day) AS stretch
    FROM factory_days WHERE produced < $share * lines
)
SELECT run, world, min(day) AS day, factory, competitor, place, CAST('NaN' AS DOUBLE) AS cost,
    count(*) AS days, sum(produced) AS produced, sum(lines) AS possible
FROM idle GROUP BY run, world, factory, competitor, place, stretch HAVING count(*) >= $days
"""
"""Less than a share of the lines worked, for at least so many days; a row a stretch, at its first day."""

FAILING_NEGOTIATIONS = """
WITH pairs AS (
    SELECT run, world, seller, buyer, count(*) AS negotiations,
        count(*) FILTER (result <> 'accepted') AS failed, min(day) FILTER (result <> 'accepted') AS day,
        sum(rounds) AS rounds, count(*) FILTER (result = 'ended') AS ended
    FROM negotiations GROUP BY ALL
), sides AS (
    SELECT *, seller AS factory, buyer AS partner FROM pairs
    UNION ALL
    SELECT *, buyer AS factory, seller AS partner FROM pairs
)
SELECT s.run, s.world, s.day, s.factory, f.competitor, s.partner, p.competitor AS partner_competitor,
    CAST('NaN' AS DOUBLE) AS cost, s.negotiations, s.failed, s.ended, s.rounds
FROM sides s
JOIN players f ON (f.run, f.world, f.factory) = (s.run, s.world, s.factory)
JOIN players p ON (p.run, p.world, p.factory) = (s.run, s.world, s.partner)
WHERE s.negotiations >= $least AND s.failed >= $share * s.negotiations
"""
"""Pairs of factories of a world with at least so many negotiations, of which so great a share failed; a row a side, at
the first day that failed."""

ERRORS = """
SELECT e.run, e.world, e.day, e.factory, f.competitor, CAST('NaN' AS DOUBLE) AS cost, e.partner, e.message
FROM errors e JOIN players f USING (run, world, factory)
"""
"""Exceptions that the simulation went on from."""

UNSAFE_ACTS = """
WITH days AS (
    SELECT run, world, day, factory, count(*) FILTER (bound = 'covered') AS covered,
        count(*) FILTER (bound = 'possible') AS possible, min(short_day) AS short_day, max(missing) AS missing,
        max(unpaid) AS unpaid, max(idle) AS idle
    FROM unsafe GROUP BY ALL
)
SELECT run, world, day, factory, d.competitor, d.place,
    CASE WHEN u.missing > 0 THEN u.missing * d.shortfall_penalty * d.output_price
        ELSE CAST('NaN' AS DOUBLE) END AS cost,
    u.covered, u.possible, u.short_day, u.missing, u.unpaid, u.idle
FROM days u JOIN factory_days d USING (run, world, day, factory)
"""
"""What the safety audit found: a row a day, with how many acts were unsafe by each bound, the first day that falls
short, and at most how many items and how much money are missing, and how many inputs can never be used, by one
decision; ``cost`` is the day's penalty for such items. Each act stands in the table ``unsafe``."""

BANKRUPTCIES = """
SELECT run, world, min(day) AS day, factory, competitor, place, -arg_min(profit, day) AS cost,
    arg_min(balance, day) AS balance, arg_min(shortfall, day) AS shortfall, arg_min(supplies, day) AS supplies
FROM factory_days WHERE bankrupt GROUP BY run, world, factory, competitor, place
"""
"""The day on which a factory went bankrupt, and what that day cost."""

SHARE, FROM_0 = (0.0, 1.0, "0 to 1"), (0.0, math.inf, "a number from 0 on")
"""What `real` takes for valid."""

DETECTORS = {
    "over-commitment": Detector("Over-commitment", "More was agreed on a day than was needed.", OVER_COMMITMENT),
    "missing-items": Detector(
        "Missing items", "Items were missing although suppliers had some left that they could have sold.", MISSING_ITEMS
    ),
    "far-prices": Detector(
        "Far prices",
        "A price was far from the trading price, to this side's loss.",
        FAR_PRICES,
        {"share": Threshold("Further than this share of the price", 0.2, real, FROM_0)},
    ),
    "sales-below-cost": Detector(
        "Sales below cost", "Items were sold for less than their inputs and production cost.", SALES_BELOW_COST
    ),
    "idle-lines": Detector(
        "Idle lines",
        "Nearly nothing was produced for several days in a row.",
        IDLE_LINES,
        {
            "share": Threshold("Less than this share of the lines worked", 0.2, real, SHARE),
            "days": Threshold("For so many days at least", 3, whole, (1,)),
        },
    ),
    "failing-negotiations": Detector(
        "Failing negotiations",
        "Negotiations of two factories failed nearly always.",
        FAILING_NEGOTIATIONS,
        {
            "share": Threshold("This share or more failed", 0.9, real, SHARE),
            "least": Threshold("Of so many negotiations at least", 5, whole, (1,)),
        },
    ),
    "unsafe-acts": Detector(
        "Unsafe acts",
        "More was accepted or offered than can be delivered or paid, as the safety audit of recorded worlds found.",
        UNSAFE_ACTS,
    ),
    "errors": Detector("Errors", "A player raised an exception.", ERRORS),
    "bankruptcies": Detector("Bankruptcies", "A balance fell below zero.", BANKRUPTCIES),
}
"""All detectors by name."""


def findings(recordings: Recordings, run: int | None = None, competitor: str | None = None) -> dict[str, pd.DataFrame]:
    """What all detectors find, by name."""
    return {name: detector.find(recordings, run, competitor) for name, detector in DETECTORS.items()}


def counts(recordings: Recordings, run: int | None = None, competitor: str | None = None) -> dict[str, int]:
    """How much all detectors find, by name."""
    return {name: detector.count(recordings, run, competitor) for name, detector in DETECTORS.items()}
