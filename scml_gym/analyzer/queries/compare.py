"""Comparisons in the same seats: the same factory of the same world, played by two players or in two runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from scml_gym.analyzer.sources import Recordings
from scml_gym.core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


class Who(NamedTuple):
    """A competitor in a run."""

    run: int
    competitor: str


def same_seats(recordings: Recordings, first: Who, second: Who) -> pd.DataFrame:
    """In which seats did both play, and who gained more there? A row a seat, the greatest differences first.

    A seat is a factory of a world; worlds of a game with the same seed, days, levels, stock rule, horizon and size are
    the same world, and one ``configuration``, numbered here from 0. A seat of a bilateral negotiation is a side of the
    same scenario with the same seed.

    Raises:
        InputError: if there is no seat in which both played.
    """
    answer = recordings.ask(
        f"""
        WITH {_PAIRS}
        SELECT configuration, seed, factory, place, world, other_world, score, other_score,
            score - other_score AS difference
        FROM pairs ORDER BY abs(difference) DESC, seed, factory
        """,
        **_parameters(first, second),
    )
    if not len(answer):
        raise InputError(
            f"{first.competitor} (run {first.run}) and {second.competitor} (run {second.run}) never had the same seat"
        )
    return answer


def day_by_day(recordings: Recordings, first: Who, second: Who, seed: int | None = None) -> pd.DataFrame:
    """When did the one gain what the other did not? Mean differences over the same seats, a row a day; none for
    bilateral negotiations. As with scores, the mean is over configurations, each with the mean of its seats.

    Args:
        recordings: Open.
        first: The one.
        second: The other.
        seed: Of one world; None for all.

    Returns:
        Per day: seats, the difference of profits that day and since the first day, and of the profit's parts: revenue,
        supplies, production, disposal, storage and shortfall.

    Raises:
        InputError: if there is no seat in which both played.
    """
    same_seats(recordings, first, second)
    parts = ("revenue", "supplies", "production", "disposal", "storage", "shortfall")
    differences = ", ".join(f"avg(a.{part} - b.{part}) AS {part}" for part in ("profit", *parts))
    means = ", ".join(f"avg({part}) AS {part}" for part in parts)
    return recordings.ask(
        f"""
        WITH {_PAIRS}
        , configurations AS (
            SELECT configuration, day, count(*) AS seats, {differences}
            FROM pairs p
            JOIN days a ON (a.run, a.world, a.factory) = (p.run, p.world, p.factory)
            JOIN days b USING (day)
            WHERE (b.run, b.world, b.factory) = (p.other_run, p.other_world, p.factory)
                AND ($seed IS NULL OR seed = $seed)
            GROUP BY configuration, day
        )
        SELECT day, sum(seats)::BIGINT AS seats, avg(profit) AS profit, sum(avg(profit)) OVER (ORDER BY day) AS total,
            {means}
        FROM configurations GROUP BY day ORDER BY day
        """,
        **_parameters(first, second),
        seed=seed,
    )


_PAIRS = """
sized AS (
    SELECT * REPLACE (
            coalesce(scenario, '') AS scenario, coalesce(days, 0) AS days, coalesce(levels, 0) AS levels,
            coalesce(stock, '') AS stock, coalesce(horizon, 0) AS horizon
        ), count(*) OVER (PARTITION BY run, world) AS size
    FROM seats
), numbered AS (
    SELECT *, row_number() OVER (
            PARTITION BY run, competitor, game, scenario, seed, days, levels, stock, horizon, size, factory
            ORDER BY block, play, world
        ) AS time
    FROM sized
    WHERE (run = $run AND competitor = $competitor) OR (run = $other_run AND competitor = $other_competitor)
), pairs AS (
    SELECT dense_rank() OVER (ORDER BY game, scenario, seed, days, levels, stock, horizon, size) - 1 AS configuration,
        a.seed, a.factory, a.place, a.run, a.world, b.run AS other_run, b.world AS other_world, a.score,
        b.score AS other_score
    FROM numbered a
    JOIN numbered b USING (game, scenario, seed, days, levels, stock, horizon, size, factory, time)
    WHERE a.run = $run AND a.competitor = $competitor AND b.run = $other_run AND b.competitor = $other_competitor
)
"""
"""Where both had a seat several times, the first time of the one is compared with the first time of the other, the
second with the second, and so on."""


def _parameters(first: Who, second: Who) -> dict[str, object]:
    return {
        "run": first.run,
        "competitor": first.competitor,
        "other_run": second.run,
        "other_competitor": second.competitor,
    }
