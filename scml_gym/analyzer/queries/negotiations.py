"""Questions about bilateral negotiations: how they ended, what was offered, who gained how much, who accepted what.

Utilities are from 0 to 1; a negotiation without agreement is worth 0 to both sides. ``profile`` says whose preferences
of the scenario a side had.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from scml_gym.analyzer.queries.answers import shares_of_answers
from scml_gym.analyzer.queries.columns import grouped_by
from scml_gym.analyzer.sources import Recordings

if TYPE_CHECKING:
    import pandas as pd

SIDES = ("competitor", "other", "scenario", "profile", "backend", "run")
"""What `utilities` may tell apart: who gains, against whom, in which scenario, with which preferences."""

ANSWERED = ("receiver", "sender", "scenario", "profile", "round", "utility", "run")
"""What `acceptance` may tell apart: who answers, who offers, the preferences of the one who answers, the round, and the
offer's utility to the one who answers, in tenths, rounded down."""


def endings(recordings: Recordings, run: int | None = None) -> pd.DataFrame:
    """How did the negotiations end? A row each, in the order in which they were played.

    Args:
        recordings: Open.
        run: Of one recording.

    Returns:
        Per negotiation: scenario, both competitors with their profiles and utilities, rounds, offers, the agreement in
        words (null for none), who accepted, and the result: accepted, ended, or none where the time ran out.
    """
    return recordings.ask(
        """
        SELECT w.run, w.world, w.seed, w.backend, w.scenario, a.competitor AS first, a.profile AS first_profile,
            b.competitor AS second, b.profile AS second_profile, a.score AS first_utility, b.score AS second_utility,
            n.rounds, o.offers, coalesce(n.result, 'none') AS result,
            CASE WHEN n.result = 'accepted' THEN n.last_outcome END AS agreement,
            CASE WHEN n.result = 'accepted' THEN if(n.last_sender = 0, b.competitor, a.competitor) END AS accepted_by
        FROM worlds w
        JOIN players a ON (a.run, a.world, a.factory) = (w.run, w.world, 0)
        JOIN players b ON (b.run, b.world, b.factory) = (w.run, w.world, 1)
        LEFT JOIN negotiations n ON (n.run, n.world) = (w.run, w.world)
        LEFT JOIN (SELECT run, world, count(*) AS offers FROM offers GROUP BY ALL) o
            ON (o.run, o.world) = (w.run, w.world)
        WHERE w.game = 'bilateral' AND ($run IS NULL OR w.run = $run) ORDER BY w.run, w.world
        """,
        run=run,
    )


def replay(recordings: Recordings, run: int, world: str) -> pd.DataFrame:
    """What was said? A row an offer in the order in which they were made, with its utilities to both sides.

    Args:
        recordings: Open.
        run: Number of the recording.
        world: Name of the negotiation.

    Returns:
        Per offer: number, round, who made it (0 or 1, and the competitor), the outcome in words, its utility to the
        first and to the second side, and how it was answered.
    """
    return recordings.ask(
        """
        SELECT o.number, o.round, o.sender, f.competitor, o.outcome,
            if(o.sender = 0, o.sender_utility, o.receiver_utility) AS first_utility,
            if(o.sender = 1, o.sender_utility, o.receiver_utility) AS second_utility, o.answer
        FROM offers o JOIN players f ON (f.run, f.world, f.factory) = (o.run, o.world, o.sender)
        WHERE o.run = $run AND o.world = $world ORDER BY o.number
        """,
        run=run,
        world=world,
    )


def utilities(
    recordings: Recordings, run: int | None = None, by: Sequence[str] = ("competitor", "other", "scenario", "profile")
) -> pd.DataFrame:
    """Who gained how much, against whom? The best first.

    Args:
        recordings: Open.
        run: Of one recording.
        by: What to tell apart, see `SIDES`.

    Returns:
        Per group: negotiations, the share that was agreed upon, mean utility of all and its standard error, mean
        utility of the agreements, the other side's mean utility, and mean rounds.

    Raises:
        InputError: if ``by`` names something else.
    """
    columns = grouped_by(by, SIDES)
    return recordings.ask(
        f"""
        WITH sides AS (
            SELECT a.*, b.competitor AS other, b.score AS other_score, n.result, n.rounds
            FROM seats a
            JOIN players b ON (b.run, b.world, b.factory) = (a.run, a.world, 1 - a.factory)
            LEFT JOIN negotiations n ON (n.run, n.world) = (a.run, a.world)
            WHERE a.game = 'bilateral' AND ($run IS NULL OR a.run = $run)
        )
        SELECT {columns}, count(*) AS negotiations, count(*) FILTER (result = 'accepted') / negotiations AS agreed,
            avg(score) AS utility, stddev_samp(score) / sqrt(count(*)) AS error,
            avg(score) FILTER (result = 'accepted') AS agreement_utility, avg(other_score) AS other_utility,
            avg(rounds) AS rounds
        FROM sides GROUP BY {columns} ORDER BY utility DESC, {columns}
        """,
        run=run,
    )


def acceptance(
    recordings: Recordings,
    run: int | None = None,
    by: Sequence[str] = ("receiver", "utility"),
    receiver: str | None = None,
) -> pd.DataFrame:
    """How often was an offer accepted, by whom, of which utility, in which round?

    Args:
        recordings: Open.
        run: Of one recording.
        by: What to tell apart, see `ANSWERED`.
        receiver: Of one competitor's answers.

    Returns:
        Per group: offers, how many were accepted, countered, and ended the negotiation, and the share accepted.

    Raises:
        InputError: if ``by`` names something else.
    """
    return shares_of_answers(recordings, _ANSWERED, by, ANSWERED, run, receiver)


_ANSWERED = """
SELECT o.run, o.round, o.answer, floor(10 * o.receiver_utility) / 10 AS utility, w.scenario, r.profile,
    r.competitor AS receiver, s.competitor AS sender
FROM offers o
JOIN worlds w USING (run, world)
JOIN players r ON (r.run, r.world, r.factory) = (o.run, o.world, o.receiver)
JOIN players s ON (s.run, s.world, s.factory) = (o.run, o.world, o.sender)
WHERE w.game = 'bilateral'
"""
