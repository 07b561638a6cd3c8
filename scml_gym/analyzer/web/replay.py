"""The parts of a day's replay: what happens in a round says so (``data-round``), and is shown from that round on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from dash import dcc, html

from scml_gym.analyzer.sources import rows
from scml_gym.analyzer.web.parts import absent, attributes
from scml_gym.core.text import printable

ANSWERS = {"accepted": "✓ accepted", "ended": "✗ ended", "none": "no answer", "countered": ""}
"""How an answer is shown; a counter offer is the next line."""


def slider(last: int, at: int | None) -> Any:
    """The slider over the rounds, from 0 to the last one, and the round at which it stands; the last one for None."""
    marks = {0: "0", last: str(last)} if last else {0: "0"}
    value = last if at is None else min(at, last)
    control = dcc.Slider(0, last, 1, value=value, id="round", updatemode="drag", marks=marks, allow_direct_input=False)
    return html.Div([html.Output(id="round-told", htmlFor="round"), control], className="replay")


def negotiations(names: Mapping[int, str], day: int, offers: Any) -> Any:
    """A box for each negotiation with all its offers.

    Args:
        names: Of the factories.
        day: On which they were held.
        offers: Of them, see `answered`.
    """
    boxes = [
        html.Article(
            [
                html.H3([_who(names, seller), html.Span(" → ", title="sells to"), _who(names, buyer)]),
                html.Ol([_offer(row, day) for row in rows(part)]),
            ],
            className="negotiation",
        )
        for (seller, buyer), part in offers.groupby(["seller", "buyer"])
    ]
    return html.Div(boxes, className="negotiations")


def answered(offers: Any) -> Any:
    """The offers with the round in which each was answered: of that one who speaks first in a negotiation in the same
    round, of the other one in the next.

    Args:
        offers: Of a day, in the order in which they were made.
    """
    first = offers.groupby(["seller", "buyer"])["speaker"].transform("first")
    return offers.assign(answer_round=offers["round"] + (offers["speaker"] != first))


def _who(names: Mapping[int, str], factory: Any) -> Any:
    return html.Span(printable(names[int(factory)]))


def _offer(row: Mapping[str, Any], day: int) -> Any:
    when = "" if row["delivery"] == day else f" for day {row['delivery']}"
    told = f"{row['quantity']} x {row['price']}{when}"
    answer = ANSWERS.get(row["answer"], row["answer"])
    return html.Li(
        [
            html.Span(told, className="said"),
            html.Span(answer, className="answer", **attributes(data_round=row["answer_round"])),
        ],
        className=f"offer {row['speaker']} {row['answer']}",
        title=f"round {row['round']}, the {row['speaker']} offers",
        **attributes(data_round=row["round"]),
    )


def needs_so_far(names: Mapping[int, str], day: int, last: int, contracts: Any, today: Any) -> Any:
    """What each factory needs today, and what it has agreed on up to each round; a row for each side of a middle level,
    where what is agreed on one side is needed on the other.

    Args:
        names: Of the factories.
        day: Today.
        last: Round of the day.
        contracts: Of the day.
        today: The factories' day, see `scml_gym.analyzer.queries.worlds.days_of_world`.
    """
    due = contracts[contracts["delivery"] == day]
    factories = sorted({*contracts["seller"], *contracts["buyer"]})
    lines = []
    for row in rows(today[today["factory"].isin(factories)]):
        bought, sold = (_agreed(due[due[side] == row["factory"]], last) for side in ("buyer", "seller"))
        sides = []
        if row["place"] != "seller":
            sides.append((", buys", int(row["needed_supplies"]), bought, sold))
        if row["place"] != "buyer":
            sides.append((", sells", int(row["needed_sales"]), sold, bought))
        for side, needed, agreed, other in sides:
            name = f"{names[int(row['factory'])]}{side if len(sides) > 1 else ''}"
            cells = [
                html.Td(f"{agreed[-1]}", **_by_round(agreed.tolist())),
                html.Td("", **_by_round((needed - agreed + other).tolist())),
            ]
            lines.append(html.Tr([html.Th(printable(name), scope="row"), html.Td(needed), *cells]))
    head = [html.Th(text, scope="col") for text in ("factory", "needed today", "agreed so far", "still needed")]
    return html.Div(html.Table([html.Thead(html.Tr(head)), html.Tbody(lines)]), className="scroll")


def _agreed(contracts: Any, last: int) -> np.ndarray:
    """Items of contracts that are concluded up to each round."""
    items = np.zeros(last + 1, dtype=int)
    np.add.at(items, contracts["round"].clip(0, last).to_numpy(int), contracts["quantity"].to_numpy(int))
    return np.cumsum(items)


def contracts_so_far(names: Mapping[int, str], contracts: Any) -> Any:
    """The contracts of a day as they come."""
    if not len(contracts):
        return absent("Nothing was agreed on this day.")
    items = [
        html.Li(
            printable(f"{row['quantity']} x {row['price']}: {names[row['seller']]} to {names[row['buyer']]}"),
            **attributes(data_round=row["round"]),
        )
        for row in rows(contracts)
    ]
    return html.Details([html.Summary("Contracts so far"), html.Ol(items)], open=True, className="contracts")


def _by_round(values: list[int]) -> dict[str, Any]:
    return attributes(data_by_round=" ".join(map(str, values)))
