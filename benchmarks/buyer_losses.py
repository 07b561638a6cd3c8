"""Where a competitor loses as a buyer of OneShot, by a recorded tournament: tables of docs/results/buyer_losses.md.

    python benchmarks/buyer_losses.py runs/finding --competitor dnb --out docs/results/buyer_losses

Everything is asked of the recording by the questions of `scml_gym.analyzer`; no world is played.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from scml_gym.analyzer import open_recordings
from scml_gym.analyzer.queries import competitors
from scml_gym.analyzer.sources import Recordings
from scml_gym.core.cli import command_app, run_cli
from scml_gym.core.files import make_folder, replace_file

app = command_app()

RIVAL = "scml:GreedyOneShotAgent"
"""Whose place turns out to decide what a buyer loses, see `beside`."""


def causes(recordings: Recordings) -> pd.DataFrame:
    """What is lost against the hindsight optimum by cause, as score: money over all days by the initial balance."""
    return recordings.ask(
        """
        SELECT competitor, place, count(DISTINCT (world, factory)) AS seats, 1 + avg(hindsight * share) AS ideal,
            1 + avg(profit * share) AS score, avg(loss * share) AS loss, avg(untraded * share) AS untraded,
            avg(price * share) AS price, avg(excess * share) AS excess
        FROM (SELECT l.*, w.days / f.initial_balance AS share FROM losses l
            JOIN worlds w USING (run, world) JOIN factories f USING (run, world, factory))
        GROUP BY ALL ORDER BY place, score DESC
        """
    )


def days(recordings: Recordings) -> pd.DataFrame:
    """Buyers' days on which something was needed: how often too little, the need exactly, and too much was agreed on,
    and what an item missing or too many cost, in score if it happened on each of the days."""
    return recordings.ask(
        """
        SELECT competitor, count(*) AS days, avg((left_over > 0)::INT) AS short, avg((left_over = 0)::INT) AS exact,
            avg((left_over < 0)::INT) AS over, avg(greatest(left_over, 0)) AS items_short,
            avg(greatest(-left_over, 0)) AS items_over,
            sum(untraded * share) / sum(greatest(left_over, 0)) AS cost_of_a_missing_item,
            sum(excess * share) / sum(greatest(-left_over, 0)) AS cost_of_an_item_too_many
        FROM (SELECT l.*, w.days / f.initial_balance AS share FROM losses l
            JOIN worlds w USING (run, world) JOIN factories f USING (run, world, factory)
            WHERE place = 'buyer' AND needed > 0)
        GROUP BY ALL ORDER BY items_short
        """
    )


def rounds(recordings: Recordings) -> pd.DataFrame:
    """In which round, and on whose offer, buyers agreed: items, and their share of a buyer's."""
    return recordings.ask(
        """
        WITH agreed AS (
            SELECT b.competitor, least(o.round, 3) AS round, if(o.sender = b.factory, 'own', 'theirs') AS offer,
                sum(o.quantity)::INT AS items
            FROM offers o
            JOIN seats b ON (b.run, b.world, b.factory) = (o.run, o.world, greatest(o.sender, o.receiver))
            WHERE o.answer = 'accepted' GROUP BY ALL
        )
        SELECT competitor, round, offer, items, items / sum(items) OVER (PARTITION BY competitor) AS share
        FROM agreed ORDER BY competitor, round, offer
        """
    )


def first_offers(recordings: Recordings) -> pd.DataFrame:
    """What buyers asked for in their first offers of a day, of the items that they needed, and what came of it; apart
    where `RIVAL` buys too, and where it sells."""
    return recordings.ask(
        """
        WITH asked AS (
            SELECT run, world, day, sender AS factory, sum(quantity) AS asked,
                coalesce(sum(quantity) FILTER (answer = 'accepted'), 0) AS taken
            FROM offers WHERE round = 0 AND sender > receiver GROUP BY ALL
        )
        SELECT d.competitor, r.place AS rival, count(*) AS days, avg(needed) AS needed,
            sum(asked) / sum(needed) AS asked_for_one_needed, sum(taken) / sum(asked) AS taken_share,
            avg(taken - needed) AS mean_difference, stddev_samp(taken - needed) AS deviation,
            avg((taken < needed)::INT) AS short_after_them, avg((left_over > 0)::INT) AS short_in_the_evening
        FROM asked JOIN factory_days d USING (run, world, day, factory) JOIN seats r USING (run, world)
        WHERE d.place = 'buyer' AND needed > 0 AND r.competitor = $rival AND r.factory <> d.factory
        GROUP BY ALL ORDER BY rival, asked_for_one_needed
        """,
        rival=RIVAL,
    )


def first_prices(recordings: Recordings) -> pd.DataFrame:
    """At which price buyers made their first offers, less the day's trading price (rounded up), and how often they were
    accepted; apart where `RIVAL` buys too, and where it sells."""
    return recordings.ask(
        """
        SELECT d.competitor, r.place AS rival, (o.price - ceil(d.input_price))::INT AS above, count(*) AS offers,
            sum(o.quantity)::INT AS items, items / sum(items) OVER (PARTITION BY d.competitor, rival) AS items_share,
            avg((o.answer = 'accepted')::INT) AS accepted
        FROM offers o
        JOIN factory_days d ON (d.run, d.world, d.factory, d.day) = (o.run, o.world, o.sender, o.day)
        JOIN seats r ON (r.run, r.world) = (o.run, o.world)
        WHERE o.round = 0 AND d.place = 'buyer' AND r.competitor = $rival AND r.factory <> d.factory
        GROUP BY d.competitor, r.place, above ORDER BY d.competitor, r.place, above
        """,
        rival=RIVAL,
    )


def supply(recordings: Recordings) -> pd.DataFrame:
    """What was left with sellers in the evening of the days on which a buyer lacked items, and who had too many."""
    return recordings.ask(
        """
        WITH evening AS (
            SELECT run, world, day, sum(greatest(left_over, 0)) FILTER (place = 'seller') AS unsold,
                sum(greatest(-left_over, 0)) FILTER (place = 'buyer') AS too_many
            FROM factory_days GROUP BY ALL
        )
        SELECT d.competitor, count(*) AS short_days, avg(d.left_over) AS lacked,
            avg(least(d.left_over, e.unsold)) AS of_them_unsold, avg(e.unsold) AS unsold,
            avg(e.too_many) AS too_many_with_other_buyers, avg((e.unsold = 0)::INT) AS nothing_unsold
        FROM factory_days d JOIN evening e USING (run, world, day)
        WHERE d.place = 'buyer' AND d.left_over > 0 GROUP BY ALL ORDER BY d.competitor
        """
    )


def beside(recordings: Recordings) -> pd.DataFrame:
    """What a buyer fails to trade where another competitor buys beside it, and where that one sells, as score.

    Positions are drawn, so the difference is what the other one's place does. Its standard error is Welch's.
    """
    return recordings.ask(
        """
        WITH lost AS (
            SELECT l.world, l.factory, l.competitor, avg(l.untraded * w.days / f.initial_balance) AS untraded,
                avg(greatest(l.left_over, 0)) AS short
            FROM losses l JOIN worlds w USING (run, world) JOIN factories f USING (run, world, factory)
            WHERE l.place = 'buyer' GROUP BY ALL
        )
        SELECT l.competitor, o.competitor AS other, avg(l.untraded) FILTER (o.place = 'buyer') AS where_it_buys,
            avg(l.untraded) FILTER (o.place = 'seller') AS where_it_sells, where_it_buys - where_it_sells AS difference,
            sqrt(var_samp(l.untraded) FILTER (o.place = 'buyer') / count(*) FILTER (o.place = 'buyer')
                + var_samp(l.untraded) FILTER (o.place = 'seller') / count(*) FILTER (o.place = 'seller')) AS error,
            avg(l.short) FILTER (o.place = 'buyer') AS short_where_it_buys,
            avg(l.short) FILTER (o.place = 'seller') AS short_where_it_sells
        FROM lost l JOIN seats o USING (world) WHERE o.factory <> l.factory
        GROUP BY ALL ORDER BY l.competitor, difference DESC
        """
    )


QUESTIONS = (causes, days, rounds, first_offers, first_prices, supply, beside)


@app.command()
def main(
    recording: Annotated[Path, typer.Argument(help="A recording of OneShot, or the results folder that has it.")],
    out: Annotated[Path, typer.Option(help="Folder of the tables.")],
    competitor: Annotated[str, typer.Option(help="Whose worst days are listed.")] = "dnb",
) -> None:
    """Write a CSV file for each question, and print it."""
    with open_recordings(recording) as recordings:
        tables = {question.__name__: question(recordings) for question in QUESTIONS}
        tables["needs"] = competitors.needs(recordings).drop(columns="run")
        tables["losses"] = competitors.losses(recordings)
        tables["worst_days"] = competitors.worst_days(recordings, competitor=competitor).drop(columns="run")
    make_folder(out)
    for name, table in tables.items():
        replace_file(out / f"{name}.csv", table.round(4).to_csv(index=False, lineterminator="\n"))
        print(f"{name}\n{table.round(3).to_string(index=False)}\n")


if __name__ == "__main__":
    run_cli(app)
