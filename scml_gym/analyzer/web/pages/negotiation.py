"""The page of bilateral negotiations: how they ended, and the replay of one of them."""

from __future__ import annotations

from typing import Any

from dash import html

from scml_gym.analyzer.queries import negotiations
from scml_gym.analyzer.sources import Recordings, rows
from scml_gym.analyzer.web.figures import by_column, lines
from scml_gym.analyzer.web.page import Page, Query, address
from scml_gym.analyzer.web.parts import absent, attributes, chart, choice, choices, run_choice, section, table
from scml_gym.analyzer.web.replay import ANSWERS, slider
from scml_gym.core.text import printable

MEANINGS = {
    "first": "the side whose profile comes first in the scenario",
    "first_utility": "what the agreement is worth to the first side, 0 to 1; 0 without agreement",
    "second_utility": "likewise to the second side",
    "result": "accepted, ended by a side, or none where the time ran out",
    "rounds": "until it ended",
}


def show(recordings: Recordings, query: Query) -> list[Any]:
    """See `Page`."""
    run = query.run(recordings)
    ended: Any = negotiations.endings(recordings, run)
    if not len(ended):
        told = "This recording holds no bilateral negotiations. What was said in its worlds is on the page Day."
        return [choices(run_choice(recordings, run)), absent(told)]
    known = {row["world"]: f"{row['world']}: {row['first']} and {row['second']}" for row in rows(ended)}
    world = query.one_of("world", known)
    picked = choices(run_choice(recordings, run), choice("world", "Negotiation", known, world, "round"))
    links = {"world": lambda row: address("/negotiation", run=run, world=row["world"])}
    told = "Each is a world of its own, with two sides. Its name leads to what was said in it."
    return [
        picked,
        *_replay(negotiations.replay(recordings, run, world), next(rows(ended[ended["world"] == world])), query),
        section("All negotiations", told, table("negotiations", ended.drop(columns="run"), links, MEANINGS)),
    ]


def _replay(offers: Any, ending: dict[str, Any], query: Query) -> list[Any]:
    agreement = ending["agreement"]
    agreed = f"They agreed on {agreement}." if isinstance(agreement, str) else "They did not agree."
    sides = (
        f"{ending['first']} ({ending['first_profile']}) on the left and {ending['second']} "
        f"({ending['second_profile']}) on the right, scenario {ending['scenario']}."
    )
    if not len(offers):
        return [section("Replay", printable(f"{sides} {agreed}"), absent("Nothing was offered."))]
    last = int(offers["round"].max())
    values = {
        f"utility to {ending[side]} ({side})": (offers["number"].tolist(), offers[f"{side}_utility"].tolist())
        for side in ("first", "second")
    }
    told = "What each offer, in the order in which they were made, is worth to both sides."
    return [
        section(
            "Replay",
            printable(f"Move the slider to see what was said up to a round: {sides} {agreed}"),
            slider(last, query.whole("round")),
            html.Ol([_offer(row) for row in rows(offers)], className="negotiation said-in-turn"),
        ),
        section("Utilities", told, chart("utilities", lines(values, "offer", "utility"), told)),
        section(
            "All offers", "With their utilities, and how they were answered.", table("offers", offers, {}, MEANINGS)
        ),
    ]


def _offer(row: dict[str, Any]) -> Any:
    worth = f"{row['first_utility']:.2f} / {row['second_utility']:.2f}"
    return html.Li(
        [
            html.Span(printable(row["outcome"]), className="said"),
            html.Span(worth, title="worth to the first / the second side", className="answer"),
            html.Span(ANSWERS.get(row["answer"], row["answer"]), className="answer"),
        ],
        className=f"offer {('seller', 'buyer')[int(row['sender'])]} {row['answer']}",
        title=f"round {row['round']}",
        **attributes(data_round=row["round"]),
    )


def gained(recordings: Recordings, run: int, who: str) -> list[Any]:
    """What a competitor gained in bilateral negotiations, and what it accepted; nothing where it had none."""
    utilities: Any = negotiations.utilities(recordings, run)
    mine = utilities[utilities["competitor"] == who].drop(columns="competitor")
    if not len(mine):
        return []
    answers: Any = negotiations.acceptance(recordings, run, by=["profile", "utility"], receiver=who)
    curves = by_column(answers, "utility", "share", "profile")
    told = "Share of the offers made to it that it accepted, by what they were worth to it (in tenths, rounded down)."
    return [
        section(
            "What it gained",
            "Mean utility in bilateral negotiations, 0 to 1, against each partner; without agreement it is 0.",
            table("utilities", mine),
        ),
        section(
            "What it accepts",
            told,
            chart("acceptance", lines(curves, "utility", "share accepted"), told),
            table("acceptance", answers),
        ),
    ]


NEGOTIATION = Page(
    "/negotiation",
    "Negotiation",
    "Bilateral negotiations, of two sides about one agreement: what was offered, and what it was worth to both.",
    show,
)
