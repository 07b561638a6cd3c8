"""What pages are made of: choices, tables and figures. Names of players and worlds are text in all of them."""

from __future__ import annotations

import html as html_text
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import dash_ag_grid as dag
from dash import dcc, html

from scml_gym.analyzer.sources import rows
from scml_gym.core.text import printable

Link = Callable[[dict[str, Any]], str | None]
"""``link(row) -> address`` of what a cell leads to; None for nothing."""

FEW = 12
"""Rows that a table shows without scrolling."""

EXACT = 2**53
"""Whole numbers up to here are exact in a browser."""


def section(title: str, help_text: str, *content: Any) -> Any:
    """A part of a page: its title, what it shows, and the content."""
    return html.Section([html.H2(title), html.P(help_text, className="help"), *content])


def absent(sentence: str) -> Any:
    """Says that there is nothing to show, and why."""
    return html.P(printable(sentence), className="absent")


def attributes(**values: object) -> dict[str, Any]:
    """Attributes of an element that Python cannot name: ``data_round=3`` for ``data-round="3"``."""
    return {name.replace("_", "-"): str(value) for name, value in values.items()}


def choices(*parts: Any) -> Any:
    """Choices beside each other."""
    return html.Div(list(parts), className="choices", role="group")


def choice(
    name: str, label: str, options: Mapping[Any, str], chosen: Any, drops: str = "", any_label: str | None = None
) -> Any:
    """One choice out of some, which stands in the address.

    Args:
        name: In the address.
        label: Above it.
        options: Values in the address, and what is shown for each.
        chosen: One of the values; None for any.
        drops: Names of the choices that are dropped where this one changes, with spaces between.
        any_label: What is shown where any may be; None if one must be chosen.
    """
    known = [{"label": printable(text), "value": str(value)} for value, text in options.items()]
    now = "" if chosen is None else str(chosen)
    key = {"choice": name, "now": now, "drops": drops}
    dropdown = dcc.Dropdown(
        known, now or None, id=key, clearable=any_label is not None, placeholder=any_label or "", searchable=True
    )
    return html.Div([html.Label(label, htmlFor=_html_id(key)), dropdown], className="choice")


def number_choice(name: str, label: str, default: float, chosen: str | None) -> Any:
    """A number that can be typed, which stands in the address.

    Args:
        name: In the address.
        label: Above it.
        default: That counts where none is typed.
        chosen: What stands in the address, which may be no number; None for nothing.
    """
    now = printable(chosen or "")
    key = {"choice": name, "now": now, "drops": ""}
    typed = dcc.Input(value=now, id=key, debounce=True, placeholder=str(default))
    return html.Div([html.Label(label, htmlFor=_html_id(key)), typed], className="choice")


def _html_id(key: Mapping[str, str]) -> str:
    """The id that Dash gives to an element of a composed key."""
    import json

    return json.dumps(dict(sorted(key.items())), separators=(",", ":"))


def table(
    name: str,
    frame: Any,
    links: Mapping[str, Link] | None = None,
    meanings: Mapping[str, str] | None = None,
    hidden: Sequence[str] = (),
) -> Any:
    """A table that can be sorted, filtered and downloaded.

    Args:
        name: Of the table on its page, of the file that is downloaded, and in the address, which keeps how the table is
            sorted and filtered.
        frame: The rows.
        links: Where cells of a column lead to.
        meanings: What a column says, by its name.
        hidden: Columns that only links need.
    """
    name, links, meanings = file_name(name), links or {}, meanings or {}
    content = []
    names = {str(column) for column in frame.columns if _is_name(str(column), frame[column])}
    for row in rows(frame):
        record = {column: _value(value, column in names) for column, value in row.items()}
        for column, link in links.items():
            record[f"link {column}"] = link(row)
        content.append(record)
    shown = [column for column in frame.columns if column not in hidden]
    few = len(content) <= FEW
    options = {
        "domLayout": "autoHeight" if few else "normal",
        "enableCellTextSelection": True,
        "ensureDomOrder": True,
        "suppressColumnVirtualisation": True,
        "suppressFieldDotNotation": True,
        "tooltipShowDelay": 300,
        "animateRows": False,
    }
    grid = dag.AgGrid(
        id={"table": name, "what": "grid"},
        columnDefs=[_column(str(c), frame[c], str(c) in links, meanings.get(str(c))) for c in shown],
        defaultColDef={"filter": "agTextColumnFilter", "floatingFilter": not few, "minWidth": 110},
        rowData=content,
        columnSize="autoSize",
        csvExportParams={"fileName": f"{name}.csv"},
        eventListeners={event: [f"keepTable(params, '{name}')"] for event in ("sortChanged", "filterChanged")},
        dashGridOptions=options,
        className="grid few" if few else "grid many",
    )
    button = html.Button("CSV", id={"table": name, "what": "csv"}, title=f"Download {name}.csv", className="export")
    return html.Div([button, grid], className="table")


def _column(name: str, values: Any, linked: bool, meaning: str | None) -> dict[str, Any]:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    column: dict[str, Any] = {"field": name, "headerName": name.replace("_", " ")}
    if _is_name(name, values):
        column["type"] = "rightAligned"
    elif is_numeric_dtype(values) and not is_bool_dtype(values):
        column |= {"filter": "agNumberColumnFilter", "type": "rightAligned"}
        column["valueFormatter"] = {"function": "readable(params)"}
    if linked:
        column["cellRenderer"] = "LinkCell"
    if meaning:
        column["headerTooltip"] = meaning
    return column


def _is_name(column: str, values: Any) -> bool:
    """Whether the numbers of a column are shown as texts, digit by digit: seeds, and what a browser would round."""
    from pandas.api.types import is_integer_dtype

    return is_integer_dtype(values) and (column == "seed" or bool((values.abs() > EXACT).any()))


def _value(value: Any, is_name: bool = False) -> Any:
    """A value as JSON has it, a number that is a name as text; None where there is none."""
    import pandas as pd

    if isinstance(value, str):
        return printable(value)
    if isinstance(value, (list, tuple)) or (hasattr(value, "tolist") and getattr(value, "shape", ())):
        return ", ".join(map(str, value))
    if pd.isna(value):
        return None
    value = value.item() if hasattr(value, "item") else value
    return str(value) if is_name else value


def file_name(text: str) -> str:
    """A name for files, ids and expressions, of a text that may hold anything."""
    return re.sub(r"[^0-9A-Za-z-]+", "-", text)


def plain(text: object) -> str:
    """A text for a figure, in which Plotly finds no markup."""
    return html_text.escape(printable(text), quote=False)


def chart(name: str, figure: Any, label: str, height: int = 340) -> Any:
    """A figure, and buttons that download it as a picture.

    Args:
        name: Of the file that is downloaded.
        figure: Of Plotly.
        label: What it shows, for those who do not see it.
        height: In pixels.
    """
    name = file_name(name)
    figure.update_layout(height=height)
    config: Any = {
        "displaylogo": False,
        "responsive": True,
        "modeBarButtonsToRemove": ["toImage", "select2d", "lasso2d", "autoScale2d"],
    }
    graph = dcc.Graph(id={"chart": name}, figure=figure, config=config)
    pictures = [
        html.Button(
            form.upper(),
            title=f"Download {name}.{form}",
            className="picture",
            **attributes(data_name=name, data_format=form),
        )
        for form in ("png", "svg")
    ]
    shown = html.Div(graph, role="img", **attributes(aria_label=label))
    return html.Figure([html.Div(pictures, className="export"), shown], className="chart")


def names_of(recordings: Any) -> dict[int, str]:
    """The recordings that are open, by number, as choices."""
    return {run.run: f"{run.run}: {run.label}" for run in recordings.runs}


def run_choice(recordings: Any, run: int, drops: str = "world day factory competitor") -> Any:
    """The choice of a recording."""
    return choice("run", "Recording", names_of(recordings), run, drops)


class FactoryNames(dict[int, str]):
    """Names of a world's factories by number; of one that a damaged recording does not have, its number."""

    def __missing__(self, factory: int) -> str:
        return f"{factory}: unknown"


def numbered(factories: Any) -> FactoryNames:
    """The factories of a world by number, with who plays each."""
    return FactoryNames({int(row["factory"]): f"{row['factory']}: {row['competitor']}" for row in rows(factories)})


def with_links(parts: Sequence[tuple[str, str]]) -> Any:
    """Links in a row: text and address of each."""
    return html.Nav([dcc.Link(printable(text), href=href) for text, href in parts], className="links")
