"""Detectors: what went wrong in recorded worlds, each a question with the evidence for every finding.

A detector gives a row for each finding, with ``run``, ``world``, ``day``, ``factory`` and ``competitor``, so that the
day can be looked at, and the numbers that show it. ``cost`` is in money, NaN where nobody can say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from scml_gym.analyzer.sources import Recordings
from scml_gym.core.arguments import real, whole

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Detector:
    """A detector.

    Attributes:
        title: In a few words.
        help: What it finds, for a newcomer.
        find: ``(recordings, run=None, competitor=None, **thresholds) -> findings``.
    """

    title: str
    help: str
    find: Callable[..., pd.DataFrame]


def _find(recordings: Recordings, query: str, run: int | None, competitor: str | None, **more: Any) -> pd.DataFrame:
    filtered = "($run IS NULL OR run = $run) AND ($competitor IS NULL OR competitor = $competitor)"
    query = f"SELECT * FROM ({query}) WHERE {filtered} ORDER BY cost DESC NULLS LAST, run, world, day, factory"
    return recordings.ask(query, run=run, competitor=competitor, **more)


def over_commitment(recordings: Recordings, run: int | None = None, competitor: str | None = None) -> pd.DataFrame:
    """Days on which more was agreed than needed; OneShot, where it cannot be used later."""
    query = """
        SELECT run, world, day, factory, competitor, place, excess AS cost, needed, needed - left_over AS agreed,
            -left_over AS too_many, missing, unused
        FROM losses WHERE left_over < 0 AND needed - left_over > 0
    """
    return _find(recordings, query, run, competitor)


def missing_items(recordings: Recordings, run: int | None = None, competitor: str | None = None) -> pd.DataFrame:
    """Days on which a factory lacked items while its suppliers had some left that they could have sold."""
    query = """
        WITH spare AS (
            SELECT run, world, day, level, sum(greatest(left_sales, 0)) AS spare FROM factory_days GROUP BY ALL
        )
        SELECT d.run, d.world, d.day, d.factory, d.competitor, d.place, d.shortfall AS cost, d.missing, s.spare,
            d.needed_supplies AS needed, d.bought
        FROM factory_days d
        JOIN spare s ON (s.run, s.world, s.day, s.level) = (d.run, d.world, d.day, d.level - 1)
        WHERE d.missing > 0 AND s.spare > 0 AND d.bought < d.needed_supplies
    """
    return _find(recordings, query, run, competitor)


def far_prices(
    recordings: Recordings, run: int | None = None, competitor: str | None = None, share: float = 0.2
) -> pd.DataFrame:
    """Contracts whose price is further from the day's trading price than a share of it, to a side's disadvantage.

    Raises:
        InputError: if the share is no number from 0 on.
    """
    query = """
        WITH sides AS (
            SELECT run, world, day, seller AS factory, buyer AS partner, quantity, price, -1 AS sign FROM contracts
            UNION ALL
            SELECT run, world, day, buyer AS factory, seller AS partner, quantity, price, 1 AS sign FROM contracts
        ), priced AS (
            SELECT c.*, d.competitor, d.place, CASE WHEN sign < 0 THEN d.output_price ELSE d.input_price END AS trading
            FROM sides c JOIN factory_days d USING (run, world, day, factory)
        )
        SELECT run, world, day, factory, competitor, place, sign * (price - trading) * quantity AS cost, partner,
            quantity, price, trading AS trading_price
        FROM priced WHERE sign * (price - trading) > $share * trading
    """
    return _find(recordings, query, run, competitor, share=real("share", share, 0.0))


def sales_below_cost(recordings: Recordings, run: int | None = None, competitor: str | None = None) -> pd.DataFrame:
    """Sales at less than the day's inputs and their production cost; only days that had inputs are judged."""
    query = """
        WITH costs AS (
            SELECT *, supplies / nullif(bought + exogenous_supply, 0) + production_cost AS unit_cost FROM factory_days
        )
        SELECT d.run, d.world, d.day, d.factory, d.competitor, d.place, (d.unit_cost - c.price) * c.quantity AS cost,
            c.buyer AS partner, c.quantity, c.price, d.unit_cost
        FROM contracts c JOIN costs d ON (d.run, d.world, d.day, d.factory) = (c.run, c.world, c.delivery, c.seller)
        WHERE c.executed AND c.price < d.unit_cost
    """
    return _find(recordings, query, run, competitor)


def idle_lines(
    recordings: Recordings, run: int | None = None, competitor: str | None = None, share: float = 0.2, days: int = 3
) -> pd.DataFrame:
    """Stretches of days on which less than a share of the lines worked; a row a stretch, at its first day.

    Raises:
        InputError: if the share is no number from 0 to 1, or the days no whole number from 1 on.
    """
    query = """
        WITH idle AS (
            SELECT run, world, day, factory, competitor, place, produced, lines,
                day - row_number() OVER (PARTITION BY run, world, factory ORDER BY day) AS stretch
            FROM factory_days WHERE produced < $share * lines
        )
        SELECT run, world, min(day) AS day, factory, competitor, place, CAST('NaN' AS DOUBLE) AS cost,
            count(*) AS days, sum(produced) AS produced, sum(lines) AS possible
        FROM idle GROUP BY run, world, factory, competitor, place, stretch HAVING count(*) >= $days
    """
    return _find(recordings, query, run, competitor, share=real("share", share, 0.0, 1.0), days=whole("days", days))


def failing_negotiations(
    recordings: Recordings, run: int | None = None, competitor: str | None = None, share: float = 0.9, least: int = 5
) -> pd.DataFrame:
    """Pairs of factories of a world whose negotiations fail nearly always; a row a side, at the first day that failed.

    Raises:
        InputError: if the share is no number from 0 to 1, or ``least``, the negotiations of a pair, no whole number.
    """
    query = """
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
        JOIN factories f ON (f.run, f.world, f.factory) = (s.run, s.world, s.factory)
        JOIN factories p ON (p.run, p.world, p.factory) = (s.run, s.world, s.partner)
        WHERE s.negotiations >= $least AND s.failed >= $share * s.negotiations
    """
    limits = {"share": real("share", share, 0.0, 1.0), "least": whole("least", least)}
    return _find(recordings, query, run, competitor, **limits)


def errors(recordings: Recordings, run: int | None = None, competitor: str | None = None) -> pd.DataFrame:
    """Exceptions of players that the simulation went on from."""
    query = """
        SELECT e.run, e.world, e.day, e.factory, f.competitor, CAST('NaN' AS DOUBLE) AS cost, e.partner, e.message
        FROM errors e JOIN factories f USING (run, world, factory)
    """
    return _find(recordings, query, run, competitor)


def bankruptcies(recordings: Recordings, run: int | None = None, competitor: str | None = None) -> pd.DataFrame:
    """Factories that went bankrupt, with the day and what it cost."""
    query = """
        SELECT run, world, min(day) AS day, factory, competitor, place, -arg_min(profit, day) AS cost,
            arg_min(balance, day) AS balance, arg_min(shortfall, day) AS shortfall, arg_min(supplies, day) AS supplies
        FROM factory_days WHERE bankrupt GROUP BY run, world, factory, competitor, place
    """
    return _find(recordings, query, run, competitor)


DETECTORS = {
    "over-commitment": Detector("Over-commitment", "More was agreed on a day than was needed.", over_commitment),
    "missing-items": Detector(
        "Missing items", "Items were missing although suppliers had some left that they could have sold.", missing_items
    ),
    "far-prices": Detector("Far prices", "A price was far from the trading price, to this side's loss.", far_prices),
    "sales-below-cost": Detector(
        "Sales below cost", "Items were sold for less than their inputs and production cost.", sales_below_cost
    ),
    "idle-lines": Detector("Idle lines", "Nearly nothing was produced for several days in a row.", idle_lines),
    "failing-negotiations": Detector(
        "Failing negotiations", "Negotiations of two factories failed nearly always.", failing_negotiations
    ),
    "errors": Detector("Errors", "A player raised an exception.", errors),
    "bankruptcies": Detector("Bankruptcies", "A balance fell below zero.", bankruptcies),
}
"""All detectors by name."""


def findings(recordings: Recordings, run: int | None = None, competitor: str | None = None) -> dict[str, pd.DataFrame]:
    """What all detectors find, by name."""
    look = partial(_look, recordings, run, competitor)
    return {name: look(detector) for name, detector in DETECTORS.items()}


def counts(recordings: Recordings, run: int | None = None, competitor: str | None = None) -> dict[str, int]:
    """How often all detectors find something, by name."""
    return {name: len(found) for name, found in findings(recordings, run, competitor).items()}


def _look(recordings: Recordings, run: int | None, competitor: str | None, detector: Detector) -> pd.DataFrame:
    return detector.find(recordings, run=run, competitor=competitor)
