"""Questions about what policies told of their decisions, see `scml_gym.game.telling.tell`.

A number is told of a decision of a factory, or of one of its partners in it. What the numbers are, each policy says by
their names: what it still needs, how much it expects of its offers, the chance it counts on, a network's value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scml_gym.analyzer.sources import Recordings

if TYPE_CHECKING:
    import pandas as pd


def told(recordings: Recordings, run: int | None = None, competitor: str | None = None) -> pd.DataFrame:
    """Who told what? A row a competitor and name: in how many worlds, how often, and the mean, the least and the
    greatest number."""
    return recordings.ask(
        """
        SELECT d.run, p.competitor, d.name, count(DISTINCT d.world) AS worlds, count(*) AS told,
            count(d.partner) > 0 AS of_partners, avg(d.value) AS mean, min(d.value) AS least, max(d.value) AS greatest
        FROM decisions d JOIN players p USING (run, world, factory)
        WHERE ($run IS NULL OR d.run = $run) AND ($competitor IS NULL OR p.competitor = $competitor)
        GROUP BY ALL ORDER BY d.run, p.competitor, d.name
        """,
        run=run,
        competitor=competitor,
    )


def by_day(recordings: Recordings, run: int, competitor: str, world: str | None = None) -> pd.DataFrame:
    """How did what a competitor told go over the days? Means of each name and day by place: over all its worlds, or by
    factory in one of them.

    Args:
        recordings: Open.
        run: Number of the recording.
        competitor: Who told it.
        world: Of one world.

    Returns:
        Per name, line and day: what the line is (a place, or a factory), and the mean, the least and the greatest
        number.
    """
    return recordings.ask(
        """
        SELECT d.name, CASE WHEN $world IS NULL THEN s.place ELSE concat(d.factory, ': ', s.place) END AS who, d.day,
            avg(d.value) AS mean, min(d.value) AS least, max(d.value) AS greatest
        FROM decisions d JOIN seats s USING (run, world, factory)
        WHERE d.run = $run AND s.competitor = $competitor AND ($world IS NULL OR d.world = $world)
        GROUP BY ALL ORDER BY d.name, who, d.day
        """,
        run=run,
        competitor=competitor,
        world=world,
    )


def in_day(recordings: Recordings, run: int, competitor: str, world: str, day: int) -> pd.DataFrame:
    """What did a competitor tell on a day? A row a number, by factory and decision.

    Returns:
        Per number: name, factory, decision of the day (counted from 0 for agents of scml's, of which nobody counts
        them), the factory that it is about and who plays that (null where it is about none), and the number.
    """
    return recordings.ask(
        """
        SELECT d.name, d.factory,
            coalesce(
                d.decision, row_number() OVER (PARTITION BY d.factory, d.name, d.partner ORDER BY d.number) - 1
            ) AS decision,
            d.partner, p.competitor AS partner_competitor, d.value
        FROM decisions d
        JOIN players f USING (run, world, factory)
        LEFT JOIN players p ON (p.run, p.world, p.factory) = (d.run, d.world, d.partner)
        WHERE d.run = $run AND f.competitor = $competitor AND d.world = $world AND d.day = $day
        ORDER BY d.factory, decision, d.partner NULLS FIRST, d.name
        """,
        run=run,
        competitor=competitor,
        world=world,
        day=day,
    )
