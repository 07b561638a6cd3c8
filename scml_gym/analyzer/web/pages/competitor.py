"""The page of a competitor: what it lost and why, and how it negotiates."""

from __future__ import annotations

from typing import Any

from scml_gym.analyzer.queries import competitors
from scml_gym.analyzer.sources import Recordings
from scml_gym.analyzer.web.figures import lines, stacked
from scml_gym.analyzer.web.page import Page, Query, address
from scml_gym.analyzer.web.pages.negotiation import gained
from scml_gym.analyzer.web.parts import chart, choice, choices, run_choice, section, table, with_links

CAUSES = ("untraded", "price", "excess")
MEANINGS = {
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
    "acts": "acceptances and offers",
    "covered": "those beyond what stock, signed supplies and money cover",
    "possible": "those beyond the lines, or the money",
}


def show(recordings: Recordings, query: Query) -> list[Any]:
    """See `Page`."""
    run, who, names = _chosen(recordings, query)
    picked = choices(
        run_choice(recordings, run), choice("competitor", "Competitor", {name: name for name in names}, who)
    )
    links = with_links(
        [
            ("What the detectors found", address("/findings", run=run, competitor=who)),
            ("Compare it in the same seats", address("/compare", run=run, competitor=who)),
            ("What it told of its decisions", address("/decisions", run=run, competitor=who)),
        ]
    )
    lost = competitors.losses(recordings, run)
    parts = [_losses(who, lost)] if len(lost) else _profits(recordings, run, who)
    return [picked, links, *parts, *_unsafe(recordings, run, who), *gained(recordings, run, who)]


def _chosen(recordings: Recordings, query: Query) -> tuple[int, str, list[str]]:
    """The run and the competitor that are looked at, and all competitors of the run."""
    run = query.run(recordings)
    names = competitors.competitors(recordings, run)["competitor"].tolist()
    return run, query.one_of("competitor", names), names


def _losses(who: str, lost: Any) -> Any:
    order = sorted(range(len(lost)), key=lambda i: (lost["competitor"].iloc[i] != who, i))
    shown = lost.iloc[order]
    labels = [f"{c}, {p}" for c, p in zip(shown["competitor"], shown["place"], strict=True)]
    figure = stacked(labels, {cause: shown[cause].tolist() for cause in CAUSES}, "money a factory and day")
    return section(
        "What was lost, and why",
        "Money a factory and day less than the best that the day could have brought. Three causes add up to it: needs "
        "that were not traded, prices worse than the day's best, and items beyond the need.",
        chart("losses", figure, "Losses by cause, of this competitor first", 110 + 26 * len(order)),
        table("losses", lost[lost["competitor"] == who].drop(columns="competitor"), meanings=MEANINGS),
    )


def _profits(recordings: Recordings, run: int, who: str) -> list[Any]:
    profits: Any = competitors.profits(recordings, run, by=["competitor", "level", "place"])
    mine = profits[profits["competitor"] == who].drop(columns="competitor").dropna(axis=1, how="all")
    if not len(mine):
        return []
    told = (
        "Money a factory and day. What was lost against the best day is known of OneShot only: in the Standard track "
        "goods keep, so that nobody knows the best day."
    )
    return [section("Where the profit comes from", told, table("profits", mine))]


def _unsafe(recordings: Recordings, run: int, who: str) -> list[Any]:
    """How often it accepted or offered more than it could deliver or pay; nothing where nobody looked."""
    acts: Any = competitors.unsafe_acts(recordings, run, ["competitor", "place"])
    mine = acts[acts["competitor"] == who].drop(columns="competitor")
    if not len(mine):
        return []
    told = (
        "Acceptances and offers that the safety audit saw, and how many of them were unsafe: beyond what stock, signed "
        "supplies and money cover, or beyond what is possible at all. The page Findings has their days."
    )
    days = address("/findings", run=run, competitor=who, detector="unsafe-acts")
    found = with_links([("Its unsafe acts, by day", days)])
    return [section("What was unsafe", told, table("unsafe", mine, meanings=MEANINGS), found)]


def worst_days(recordings: Recordings, query: Query) -> list[Any]:
    """The days that cost it most."""
    run, who, _ = _chosen(recordings, query)
    worst = competitors.worst_days(recordings, run, who).drop(columns=["run", "competitor"])
    if not len(worst):
        return []
    links = {
        "world": lambda row: address("/world", run=run, world=row["world"], factory=row["factory"]),
        "day": lambda row: address("/day", run=run, world=row["world"], day=row["day"], factory=row["factory"]),
    }
    told = "The days that cost most. The day's number leads to what was said on it, round by round."
    return [section("Worst days", told, table("worst-days", worst, links, MEANINGS))]


def by_partner(recordings: Recordings, query: Query) -> list[Any]:
    """How its negotiations with each partner end, and what their prices cost."""
    run, who, _ = _chosen(recordings, query)
    links = {"partner": lambda row: address("/competitor", run=run, competitor=row["partner"])}
    lost = competitors.lost_to(recordings, run, who).drop(columns=["run", "competitor"])
    ends = competitors.partners(recordings, run, who).drop(columns=["run", "competitor"])
    parts = []
    if len(lost):
        told = "What was traded with each partner, and how much money its prices cost against the day's best."
        parts.append(section("Lost to whom", told, table("lost-to", lost, links, MEANINGS)))
    if len(ends):
        told = "By partner: how many negotiations, how many agreements, and at which price."
        parts.append(section("How negotiations end", told, table("partners", ends, links)))
    return parts


def accepts(recordings: Recordings, query: Query) -> list[Any]:
    """Which offers it accepts."""
    run, who, _ = _chosen(recordings, query)
    answers: Any = competitors.acceptance(recordings, run, by=["place", "above", "round"], receiver=who)
    if not len(answers):
        return []
    curves = {
        f"as {place}, at {above:+d}": (part["round"].tolist(), part["share"].tolist())
        for (place, above), part in answers.groupby(["place", "above"])
        if part["offers"].sum() >= answers["offers"].sum() / 50
    }
    told = (
        "Share of the offers made to it that it accepted in each round, by its place and by the price: +0 is the day's "
        "trading price, rounded up. Rare prices are in the table only."
    )
    figure = lines(curves, "round", "share accepted")
    return [
        section(
            "What it accepts",
            told,
            chart("acceptance", figure, "Acceptance curves"),
            table("acceptance", answers, meanings=MEANINGS),
        )
    ]


def offers(recordings: Recordings, query: Query) -> list[Any]:
    """What it offers."""
    run, who, _ = _chosen(recordings, query)
    made: Any = competitors.offers_made(recordings, run, who).drop(columns=["run", "competitor"])
    if not len(made):
        return []
    shown = {
        f"{title}, as {place}": (part["round"].tolist(), part[column].tolist())
        for title, column in (("items", "items"), ("price", "above"))
        for place, part in made.groupby("place")
    }
    told = "The mean offer in each round: its items, and its price less the day's trading price (rounded up)."
    figure = lines(shown, "round", "items; money an item")
    return [
        section(
            "What it offers",
            told,
            chart("offers", figure, "Offers by round"),
            table("offers", made, meanings=MEANINGS),
        )
    ]


COMPETITOR = Page(
    "/competitor",
    "Competitor",
    "Where does this player lose money, to whom, and what does it offer and accept?",
    show,
    {"worst-days": worst_days, "by-partner": by_partner, "accepts": accepts, "offers": offers},
)
