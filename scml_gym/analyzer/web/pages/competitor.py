"""The page of a competitor: what it lost and why, and how it negotiates."""

from __future__ import annotations

from typing import Any

from scml_gym.analyzer.queries import competitors
from scml_gym.analyzer.sources import Recordings
from scml_gym.analyzer.web.figures import lines, stacked
from scml_gym.analyzer.web.page import Page, Query, address
from scml_gym.analyzer.web.parts import absent, chart, choice, choices, run_choice, section, table, with_links

CAUSES = ("untraded", "price", "excess")
LOSSES = {
    "hindsight": "the best that the days could have brought",
    "loss": "profit less than that",
    "untraded": "items that were needed, and not traded or not produced",
    "price": "items cost more, or brought less, than at the best price of the day",
    "excess": "items beyond the need: penalties, or their price and disposal",
    "price_loss": "money that this partner got beyond the best price of each day",
    "loss_an_item": "the same per item",
    "above": "price less the day's trading price, rounded up",
    "needed": "items to buy or to sell in the morning",
    "left_over": "of them in the evening; below 0 too many were agreed",
}


def show(recordings: Recordings, query: Query) -> list[Any]:
    """See `Page`."""
    run = query.run(recordings)
    names = competitors.competitors(recordings, run)["competitor"].tolist()
    who = query.one_of("competitor", names)
    picked = choices(
        run_choice(recordings, run), choice("competitor", "Competitor", {name: name for name in names}, who)
    )
    links = with_links(
        [
            ("What the detectors found", address("/findings", run=run, competitor=who)),
            ("Compare it in the same seats", address("/compare", run=run, competitor=who)),
        ]
    )
    lost = competitors.losses(recordings, run)
    parts = _losses(recordings, run, who, lost) if len(lost) else [_profits(recordings, run, who)]
    return [picked, links, *parts, *_negotiations(recordings, run, who)]


def _losses(recordings: Recordings, run: int, who: str, lost: Any) -> list[Any]:
    mine = lost[lost["competitor"] == who]
    labels = [f"{c}, {p}" for c, p in zip(lost["competitor"], lost["place"], strict=True)]
    order = sorted(range(len(lost)), key=lambda i: (lost["competitor"].iloc[i] != who, i))
    parts = {cause: [float(lost[cause].iloc[i]) for i in order] for cause in CAUSES}
    figure = stacked([labels[i] for i in order], parts, "money a factory and day")
    worst = competitors.worst_days(recordings, run, who).drop(columns=["run", "competitor"])
    days = {
        "world": lambda row: address("/world", run=run, world=row["world"], factory=row["factory"]),
        "day": lambda row: address("/day", run=run, world=row["world"], day=row["day"], factory=row["factory"]),
    }
    partners = competitors.lost_to(recordings, run, who).drop(columns=["run", "competitor"])
    return [
        section(
            "What was lost, and why",
            "Money a factory and day less than the best that the day could have brought. Three causes add up to it: "
            "needs that were not traded, prices worse than the day's best, and items beyond the need.",
            chart("losses", figure, "Losses by cause, of this competitor first", 110 + 26 * len(order)),
            table("losses", mine.drop(columns="competitor"), meanings=LOSSES),
        ),
        section(
            "Worst days",
            "The days that cost most. The day's number leads to what was said on it, round by round.",
            table("worst-days", worst, days, LOSSES),
        ),
        section(
            "By partner",
            "What was traded with each partner, and how much money its prices cost against the day's best.",
            table("partners-lost", partners, {"partner": _partner(run)}, LOSSES),
        ),
    ]


def _profits(recordings: Recordings, run: int, who: str) -> Any:
    profits: Any = competitors.profits(recordings, run, by=["competitor", "level", "place"])
    mine = profits[profits["competitor"] == who].drop(columns="competitor").dropna(axis=1, how="all")
    told = (
        "Money a factory and day. What was lost against the best day is known of OneShot only: in the Standard track "
        "goods keep, so that nobody knows the best day."
    )
    return section("Where the profit comes from", told, table("profits", mine))


def _negotiations(recordings: Recordings, run: int, who: str) -> list[Any]:
    partners = competitors.partners(recordings, run, who).drop(columns=["run", "competitor"])
    if not len(partners):
        return [absent("No offers of this competitor were recorded.")]
    answers: Any = competitors.acceptance(recordings, run, by=["place", "above"], receiver=who)
    curves = {
        f"as {place}": (part["above"].tolist(), part["share"].tolist()) for place, part in answers.groupby("place")
    }
    made: Any = competitors.offers_made(recordings, run, who)
    offered = {f"as {place}": (part["round"].tolist(), part["above"].tolist()) for place, part in made.groupby("place")}
    return [
        section(
            "What it accepts",
            "Share of the offers made to it that it accepted, by the price less the day's trading price.",
            chart("acceptance", lines(curves, "price above the trading price", "share accepted"), "Acceptance curves"),
            table("acceptance", answers, meanings=LOSSES),
        ),
        section(
            "What it offers",
            "The mean price of its offers in each round, less the day's trading price.",
            chart("offers", lines(offered, "round", "price above the trading price"), "Prices offered by round"),
            table("offers", made.drop(columns=["run", "competitor"]), meanings=LOSSES),
        ),
        section(
            "How negotiations end",
            "By partner: how many negotiations, how many agreements, and at which price.",
            table("partners", partners, {"partner": _partner(run)}),
        ),
    ]


def _partner(run: int) -> Any:
    return lambda row: address("/competitor", run=run, competitor=row["partner"])


COMPETITOR = Page(
    "/competitor",
    "Competitor",
    "Where does this player lose money, to whom, and what does it offer and accept?",
    show,
)
