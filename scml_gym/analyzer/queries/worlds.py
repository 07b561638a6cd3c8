"""Questions about worlds: which there are, how their days went, who traded with whom, what was said on a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scml_gym.analyzer.sources import Recordings
from scml_gym.core.data_files import content_of
from scml_gym.core.errors import InputError
from scml_gym.evaluation.table import FAILURE_COLUMNS, read_failures
from scml_gym.games import GAMES
from scml_gym.simulator.recording.tables import Recomputed

if TYPE_CHECKING:
    import pandas as pd


def runs(recordings: Recordings) -> pd.DataFrame:
    """What is open? A row a recording: its worlds, days, factories, offers, contracts and errors."""
    answer = recordings.ask(
        """
        SELECT run, count(*) AS worlds, min(game) AS game, min(backend) AS backend, min(days) AS days,
            (SELECT count(DISTINCT competitor) FROM factories f WHERE f.run = w.run AND role = 'competitor')
                AS competitors,
            (SELECT count(*) FROM offers o WHERE o.run = w.run) AS offers,
            (SELECT count(*) FROM contracts c WHERE c.run = w.run) AS contracts,
            (SELECT count(*) FROM errors e WHERE e.run = w.run) AS errors
        FROM worlds w GROUP BY run ORDER BY run
        """
    )
    labels = {run.run: run.label for run in recordings.runs}
    answer.insert(1, "label", [labels[run] for run in answer["run"]])
    return answer


def worlds(recordings: Recordings, run: int | None = None) -> pd.DataFrame:
    """Which worlds are there? A row a world, with means over its factories, in the order of the schedule."""
    return recordings.ask(
        """
        SELECT w.run, w.world, w.configuration, w.block, w.play, w.seed, w.game, w.scenario, w.days, f.factories,
            f.score, f.best_score, f.bankrupt, d.missing, d.unused, coalesce(c.contracts, 0) AS contracts
        FROM worlds w
        JOIN (SELECT run, world, count(*) AS factories, avg(score) AS score, max(score) AS best_score,
                count(*) FILTER (bankrupt) AS bankrupt FROM factories GROUP BY ALL) f USING (run, world)
        LEFT JOIN (SELECT run, world, sum(missing) AS missing, sum(unused) AS unused FROM days GROUP BY ALL) d
            USING (run, world)
        LEFT JOIN (SELECT run, world, count(*) AS contracts FROM contracts GROUP BY ALL) c USING (run, world)
        WHERE $run IS NULL OR w.run = $run
        ORDER BY w.run, w.world
        """,
        run=run,
    )


def names(recordings: Recordings, run: int) -> list[str]:
    """Which worlds are there? Their names, in the order of the schedule."""
    return recordings.ask("SELECT world FROM worlds WHERE run = $run ORDER BY world", run=run)["world"].tolist()


def scores(recordings: Recordings, run: int | None = None) -> pd.DataFrame:
    """Who scored what? A row a factory, in the form of ``scores.csv`` as far as it goes, for
    `scml_gym.evaluation.statistics`; labels are those of `scml_gym.analyzer.views.PLAYERS`."""
    return recordings.ask(
        """
        SELECT run, world,
            coalesce(configuration, dense_rank() OVER (PARTITION BY run ORDER BY world)) AS configuration,
            block, play, seed, competitor, role, factory,
            place AS level,
            score, initial_balance, profit, bankrupt
        FROM seats WHERE $run IS NULL OR run = $run ORDER BY run, world, factory
        """,
        run=run,
    )


def factories(recordings: Recordings, run: int, world: str) -> pd.DataFrame:
    """Who plays which factory of a world, and with what end? A row a factory."""
    return recordings.ask(
        """
        SELECT factory, competitor, role, level, lines, production_cost, initial_balance, profit, score, bankrupt,
            decisions, invalid
        FROM players WHERE run = $run AND world = $world ORDER BY factory
        """,
        run=run,
        world=world,
    )


def summary_of_days(recordings: Recordings, run: int, world: str) -> pd.DataFrame:
    """What happened on the days of a world, all factories together? A row a day, without nullified contracts.

    Needs are those of the first and of the last level, see `scml_gym.analyzer.views.FACTORY_DAYS`.
    """
    return recordings.ask(
        """
        SELECT d.*, coalesce(c.contracts, 0) AS contracts, coalesce(c.items, 0) AS items
        FROM (SELECT day, sum(profit) AS profit, sum(needed) AS needed,
                sum(greatest(left_over, 0)) AS untraded,
                sum(greatest(-left_over, 0)) AS too_many, sum(produced) AS produced,
                sum(missing) AS missing, sum(unused) AS unused, count(*) FILTER (bankrupt) AS bankrupt
            FROM factory_days WHERE run = $run AND world = $world GROUP BY day) d
        LEFT JOIN (SELECT day, count(*) AS contracts, sum(quantity) AS items
            FROM contracts WHERE run = $run AND world = $world AND nullified IS NOT TRUE GROUP BY day) c USING (day)
        ORDER BY day
        """,
        run=run,
        world=world,
    )


def days_of_world(recordings: Recordings, run: int, world: str) -> pd.DataFrame:
    """How did the days of a world go? A row a factory and day, all columns of ``days`` and who plays it."""
    return recordings.ask(
        "SELECT * FROM factory_days WHERE run = $run AND world = $world ORDER BY day, factory", run=run, world=world
    )


def flows(recordings: Recordings, run: int, world: str | None = None) -> pd.DataFrame:
    """Who traded how much with whom? A row a pair, over one world by factory; over all worlds by competitor.
    Contracts that were nullified are left out."""
    if world is None:
        return recordings.ask(
            """
            SELECT s.competitor AS seller, b.competitor AS buyer, count(*) AS contracts,
                sum(c.quantity) AS items, sum(c.quantity * c.price) AS money,
                sum(c.quantity * c.price) / sum(c.quantity) AS mean_price
            FROM contracts c
            JOIN players s ON (s.run, s.world, s.factory) = (c.run, c.world, c.seller)
            JOIN players b ON (b.run, b.world, b.factory) = (c.run, c.world, c.buyer)
            WHERE c.run = $run AND c.nullified IS NOT TRUE GROUP BY ALL ORDER BY ALL
            """,
            run=run,
        )
    return recordings.ask(
        """
        SELECT seller, buyer, count(*) AS contracts, sum(quantity) AS items, sum(quantity * price) AS money,
            sum(quantity * price) / sum(quantity) AS mean_price
        FROM contracts WHERE run = $run AND world = $world AND nullified IS NOT TRUE GROUP BY ALL ORDER BY ALL
        """,
        run=run,
        world=world,
    )


def day(recordings: Recordings, run: int, world: str, day: int) -> pd.DataFrame:
    """What was said on a day? A row an offer in the order in which they were made, with how it was answered."""
    return recordings.ask(
        """
        SELECT number, round, least(sender, receiver) AS seller, greatest(sender, receiver) AS buyer,
            CASE WHEN sender < receiver THEN 'seller' ELSE 'buyer' END AS speaker, quantity, price, delivery, answer
        FROM offers WHERE run = $run AND world = $world AND day = $day ORDER BY number
        """,
        run=run,
        world=world,
        day=day,
    )


def contracts(recordings: Recordings, run: int, world: str, day: int | None = None) -> pd.DataFrame:
    """What was agreed in a world, or on one of its days? A row a contract, in order of conclusion."""
    return recordings.ask(
        """
        SELECT number, day, round, seller, buyer, quantity, price, delivery, executed, nullified
        FROM contracts WHERE run = $run AND world = $world AND ($day IS NULL OR day = $day) ORDER BY number
        """,
        run=run,
        world=world,
        day=day,
    )


def decisions(
    recordings: Recordings, run: int, world: str, day: int | None = None, factory: int | None = None
) -> pd.DataFrame:
    """What did policies tell of their decisions? A row a number; see `scml_gym.game.telling.tell`."""
    return recordings.ask(
        """
        SELECT day, factory, decision, partner, name, value FROM decisions
        WHERE run = $run AND world = $world AND ($day IS NULL OR day = $day)
            AND ($factory IS NULL OR factory = $factory)
        ORDER BY day, factory, decision, partner NULLS FIRST, name
        """,
        run=run,
        world=world,
        day=day,
        factory=factory,
    )


def unsafe_acts(
    recordings: Recordings, run: int, world: str, day: int | None = None, factory: int | None = None
) -> pd.DataFrame:
    """Which acceptances and offers were unsafe, and why? A row an act and bound, in the order of the decisions; the
    reason is of all acts of the decision together, see `scml_gym.simulator.recording.schema.TABLES`."""
    return recordings.ask(
        """
        SELECT day, decision, factory, partner, bound, act, quantity, price, delivery, short_day, missing, unpaid, idle
        FROM unsafe
        WHERE run = $run AND world = $world AND ($day IS NULL OR day = $day)
            AND ($factory IS NULL OR factory = $factory)
        ORDER BY day, factory, decision, bound, partner
        """,
        run=run,
        world=world,
        day=day,
        factory=factory,
    )


def recompute(recordings: Recordings, run: int, world: str) -> Recomputed:
    """What did a world bring, by its parameters and contracts (or offers) alone? To check a recording, or to change it.

    Raises:
        InputError: if there is no such world.
    """
    tables = {
        name: recordings.ask(f"SELECT * FROM {name} WHERE run = $run AND world = $world", run=run, world=world)
        for name in ("worlds", "factories", "days", "contracts", "offers")
    }
    if not len(tables["worlds"]):
        raise InputError(f"world={world!r}: run {run} has no such world", "world")
    played = GAMES.known(tables["worlds"]["game"].iloc[0]).load("recompute")
    with content_of(f"world {world!r} of run {run}", "parameters and contracts"):
        return played(tables)


def failures(recordings: Recordings, run: int) -> pd.DataFrame:
    """Which players failed so that a world could not be played? The rows of the tournament's ``failures.csv``; empty
    where the recording belongs to no results."""
    import pandas as pd

    results = next((known.results for known in recordings.runs if known.run == run), None)
    rows = read_failures(results / "failures.csv") if results is not None else []
    return pd.DataFrame(rows, columns=list(FAILURE_COLUMNS))


def recorded(recordings: Recordings, run: int) -> pd.DataFrame:
    """When did the worlds of a run end? Name, time (UTC) and mean score, the latest first; packed worlds, which are
    those of a tournament that is over, have no time of their own and come last."""
    answer = recordings.ask(
        "SELECT world, avg(score) AS score FROM factories WHERE run = $run GROUP BY world ORDER BY world DESC", run=run
    )
    times = recordings.ended(run)
    answer.insert(1, "ended", [times.get(world) for world in answer["world"]])
    return answer.sort_values("ended", ascending=False, na_position="last", kind="stable")
