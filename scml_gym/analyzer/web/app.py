"""The Dash application: a header with the menu, and the page that the address names.

The address is the only state: a choice on a page changes it, and the page is made anew from it. What happens in the
browser alone (choices, downloads, the replay of a day, dark and light) is in ``assets/analyzer.js``.
"""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

from dash import ALL, MATCH, ClientsideFunction, Dash, Input, Output, State, dcc, html

from scml_gym.analyzer.sources import Recordings
from scml_gym.analyzer.web.page import Page, Query, Show, address
from scml_gym.analyzer.web.pages import PAGES
from scml_gym.analyzer.web.parts import attributes
from scml_gym.core.errors import InputError
from scml_gym.core.text import printable

TITLE = "SCML analyzer"
KEPT = ("run", "world", "day", "factory", "competitor")
"""What is chosen on a page, and is kept when another page is opened from the menu."""

INDEX = """<!DOCTYPE html>
<html lang="en">
<head>{%metas%}<title>{%title%}</title>{%favicon%}{%css%}</head>
<body>{%app_entry%}<footer>{%config%}{%scripts%}{%renderer%}</footer></body>
</html>
"""


def make_app(recordings: Recordings) -> Dash:
    """The application over recordings that are open.

    Args:
        recordings: Open; they stay open as long as it is served.
    """
    app = Dash(
        __name__,
        assets_folder=str(Path(__file__).parent / "assets"),
        title=TITLE,
        update_title="",  # the title stays as it is
        suppress_callback_exceptions=True,
        serve_locally=True,
        index_string=INDEX,
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
        add_log_handler=False,
    )
    app.layout = html.Div(
        [
            dcc.Location(id="address", refresh="callback-nav"),
            html.A("To the page", href="#page", className="skip"),
            html.Header(
                [html.Nav(id="menu", **attributes(aria_label="Pages")), html.Button("Dark or light", id="theme")]
            ),
            html.Main(id="page", tabIndex=-1),
            html.Div(id="title", hidden=True),
        ]
    )

    @app.callback(
        Output("menu", "children"), Output("page", "children"), Input("address", "pathname"), Input("address", "search")
    )
    def open_page(path: str | None, search: str | None) -> tuple[list[Any], list[Any]]:
        return menu(path, Query(search)), page_content(recordings, path, search)

    @app.callback(
        Output({"live": MATCH}, "children"),
        Input({"tick": MATCH}, "n_intervals"),
        State({"tick": MATCH}, "id"),
        prevent_initial_call=True,
    )
    def look_again(_ticks: int, place: dict[str, str]) -> list[Any]:
        path, _, search = place["tick"].partition("?")  # an answer that comes late finds another page, and is dropped

        def fresh(recordings: Recordings, _query: Query) -> list[Any]:
            recordings.refresh()
            return content(recordings, PAGES.get(path), search)

        return answer(fresh, recordings, search)

    @app.callback(
        Output({"part": MATCH}, "children"),
        Input({"part": MATCH}, "id"),
        State("address", "pathname"),
        State("address", "search"),
    )
    def show_part(part: dict[str, str], path: str | None, search: str | None) -> list[Any]:
        page = PAGES.get(path or "/")
        show = None if page is None else page.later.get(part["part"])
        return [] if show is None else answer(show, recordings, search)

    _in_the_browser(app)
    return app


def _in_the_browser(app: Dash) -> None:
    """The callbacks that need no server."""
    chosen = {"choice": ALL, "now": ALL, "drops": ALL}
    app.clientside_callback(
        ClientsideFunction("analyzer", "choose"),
        Output("address", "search"),
        Input(chosen, "value"),
        State(chosen, "id"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("analyzer", "download"),
        Output({"table": MATCH, "what": "grid"}, "exportDataAsCsv"),
        Input({"table": MATCH, "what": "csv"}, "n_clicks"),
        State({"table": MATCH, "what": "csv"}, "id"),
        State({"table": MATCH, "what": "grid"}, "csvExportParams"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("analyzer", "restore"),
        Output({"table": MATCH, "what": "csv"}, "title"),
        Input({"table": MATCH, "what": "grid"}, "id"),
    )
    app.clientside_callback(
        ClientsideFunction("analyzer", "replay"), Output("round-told", "children"), Input("round", "value")
    )
    app.clientside_callback(
        ClientsideFunction("analyzer", "entitle"), Output("title", "children"), Input("page", "children")
    )


def menu(path: str | None, query: Query) -> list[Any]:
    """The links to all pages, which keep what is chosen."""
    kept = {name: query.text(name) for name in KEPT}
    return [
        dcc.Link(page.title, href=address(page.path, **kept), className="here" if page.path == path else "")
        for page in PAGES.values()
    ]


def page_content(recordings: Recordings, path: str | None, search: str | None) -> list[Any]:
    """What stands below the menu: the title and the help of a page, and its content."""
    page = PAGES.get(path or "/")
    if page is None:
        return [html.H1("There is no such page"), html.P(f"{printable(path)} is no page; the menu has all of them.")]
    head = [html.H1(page.title), html.P(page.help, className="help")]
    problems = [html.Li(printable(problem)) for problem in recordings.problems]
    told = [html.Details([html.Summary("Some of the files could not be read"), html.Ul(problems)])] if problems else []
    place = f"{page.path}?{(search or '').removeprefix('?')}"
    again = [] if page.every is None else [dcc.Interval(id={"tick": place}, interval=1000 * page.every)]
    return [*head, *told, *again, html.Div(content(recordings, page, search), id={"live": place})]


def content(recordings: Recordings, page: Page | None, search: str | None) -> list[Any]:
    """The content of a page, with a place for each part that comes later."""
    if page is None:
        return []
    later = [html.Div(html.P("Asking ..."), id={"part": name}) for name in page.later]
    return answer(lambda recordings, query: [*page.show(recordings, query), *later], recordings, search)


def answer(show: Show, recordings: Recordings, search: str | None) -> list[Any]:
    """What a page or a part of it shows, or a sentence that says why there is nothing."""
    try:
        return show(recordings, Query(search))
    except InputError as error:
        again = dcc.Link("The page without what is chosen", href="?")
        return [html.P([printable(error), " ", again], className="absent", role="alert")]
    except Exception:
        traceback.print_exc()
        told = "This page failed; the terminal of the analyzer says why. Please report it."
        return [html.P(told, className="absent", role="alert")]
