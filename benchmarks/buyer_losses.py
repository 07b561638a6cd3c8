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
    """In which round, and on whose offer, buyers agreed: shares of their items."""
    return recordings.ask(
        """
        SELECT b.competitor, o.round, if(o.sender = b.factory, 'own', 'theirs') AS offer, sum(o.quantity) AS items,
            sum(o.quantity) / sum(sum(o.quantity)) OVER (PARTITION BY b.competitor) AS share
        FROM offers o
        JOIN seats b ON (b.run, b.world, b.factory) = (o.run, o.world, greatest(o.sender, o.receiver))
        WHERE o.answer = 'accepted' GROUP BY ALL ORDER BY b.competitor, o.round, offer
        """
    )


def first_offers(recordings: Recordings) -> pd.DataFrame:
    """What buyers asked for in their first offers of a day, of the items that they needed, and what came of it."""
    return recordings.ask(
        """
        WITH asked AS (
            SELECT run, world, day, sender AS factory, sum(quantity) AS asked,
                coalesce(sum(quantity) FILTER (answer = 'accepted'), 0) AS taken
            FROM offers WHERE round = 0 AND sender > receiver GROUP BY ALL
        )
        SELECT competitor, count(*) AS days, avg(needed) AS needed, sum(asked) / sum(needed) AS asked_for_one_needed,
            sum(taken) / sum(asked) AS taken_share, avg(taken - needed) AS mean_difference,
            stddev_samp(taken - needed) AS deviation, avg((taken < needed)::INT) AS short_after_them
        FROM asked JOIN factory_days USING (run, world, day, factory)
        WHERE place = 'buyer' AND needed > 0 GROUP BY ALL ORDER BY competitor
        """
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


@app.command()
def main(
    recording: Annotated[Path, typer.Argument(help="A recording of OneShot, or the results folder that has it.")],
    out: Annotated[Path, typer.Option(help="Folder of the tables.")],
    competitor: Annotated[str, typer.Option(help="Whose worst days are listed.")] = "dnb",
) -> None:
    """Write a CSV file for each question, and print it."""
    with open_recordings(recording) as recordings:
        tables = {question.__name__: question(recordings) for question in (causes, days, rounds, first_offers, supply)}
        tables["needs"] = competitors.needs(recordings).drop(columns="run")
        tables["losses"] = competitors.losses(recordings)
        tables["worst_days"] = competitors.worst_days(recordings, competitor=competitor).drop(columns="run")
    make_folder(out)
    for name, table in tables.items():
        replace_file(out / f"{name}.csv", table.round(4).to_csv(index=False, lineterminator="\n"))
        print(f"{name}\n{table.round(3).to_string(index=False)}\n")


if __name__ == "__main__":
    run_cli(app)
