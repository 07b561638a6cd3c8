"""Pages without a browser: each answers for every recording, names are text, and what is absent or wrong is told."""

import json

import pytest

pytest.importorskip("duckdb", reason="pip install 'scml-gym[analyzer]'")
pytest.importorskip("dash_ag_grid", reason="pip install 'scml-gym[analyzer]'")

from scml_gym.analyzer.web.app import answer, menu, page_content
from scml_gym.analyzer.web.figures import heat, interval_margin, lines, stacked
from scml_gym.analyzer.web.page import Query, address
from scml_gym.analyzer.web.pages import PAGES
from scml_gym.analyzer.web.parts import table
from scml_gym.core.errors import InputError
from tests.helpers.analyzer_runs import EVIL, RUNS
from tests.helpers.components import as_json, texts


def whole(recordings, path, search=""):
    """A page with all its parts, as JSON."""
    parts = page_content(recordings, path, search)
    later = [answer(show, recordings, search) for show in PAGES[path].later.values()] if path in PAGES else []
    return as_json([*parts, *later])


@pytest.mark.parametrize("run", range(len(RUNS)), ids=list(RUNS))
@pytest.mark.parametrize("path", PAGES)
def test_each_page_answers_for_every_recording(recordings, path, run, capsys):
    shown = whole(recordings, path, f"?run={run}")
    assert PAGES[path].title in texts(shown)
    assert not [text for text in texts(shown) if "This page failed" in text], capsys.readouterr().err
    assert any(run.label in json.dumps(shown) for run in recordings.runs)


WRONG = {
    "?run=9": "only 5 recordings",
    "?run=-1": "no whole number",
    "?world=nowhere": "is not in this recording",
    "?day=99": "has the days 0 to 3",
    "?factory=99": "has the factories 0 to 3",
    "?competitor=nobody": "is not in this recording",
    f"?competitor={EVIL[:-1]}": f"did you mean {EVIL!r}",
    "?detector=idle-line": "did you mean 'idle-lines'",
    "?other_run=7": "only 5 recordings",
    "?round=x": "no whole number",
    "?%00=%ff&run": "",
}
"""Addresses by hand, and what some page says to each."""


@pytest.mark.slow
@pytest.mark.parametrize("search", WRONG)
def test_a_wrong_address_is_told_in_a_sentence(recordings, search):
    shown = [text for path in PAGES for text in texts(as_json(page_content(recordings, path, search)))]
    assert not [text for text in shown if "This page failed" in text]
    assert any(WRONG[search] in text for text in shown)


@pytest.mark.parametrize("path", ["/world", "/day"])
def test_a_factory_that_a_world_has_not_is_refused(recordings, path):
    shown = texts(as_json(page_content(recordings, path, "?factory=99")))
    assert any("factory=99: the world w<b>0-0 has the factories 0 to 3" in text for text in shown)
    shown = texts(as_json(page_content(recordings, path, "?factory=3")))
    assert sum("Goods perish" in text for text in shown) == (path == "/world")


def test_thresholds_of_a_detector_stand_in_the_address(recordings):
    def shown(search):
        return texts(as_json(page_content(recordings, "/findings", f"?run=0&detector=idle-lines{search}")))

    def found(search):
        return next(text for text in shown(search) if text.startswith("Idle lines: "))

    assert {"Less than this share of the lines worked", "For so many days at least"} <= set(shown(""))
    page = json.dumps(as_json(page_content(recordings, "/findings", "")))
    assert '"choice": "detector", "now": "over-commitment", "drops": "days least share"' in page
    assert found("") == found("&share=0.2&days=3&least=7") == "Idle lines: none"
    assert found("&share=1&days=1") != "Idle lines: none"
    for search, words in (
        ("&share=2", "share=2; valid: 0 to 1"),
        ("&share=nan", "share=nan; valid: 0 to 1"),
        ("&days=1.5", "days=1.5; valid: a whole number, 1 or more"),
        ("&days=" + 999 * "x", "in the address is no number"),
        ("&days=1e308", "days=1e+308; valid: a whole number, 1 or more"),
    ):
        assert any(words in text and len(text) < 200 for text in shown(search)), search
        assert "For so many days at least" in shown(search)  # to be typed anew


def test_seeds_and_large_numbers_reach_the_browser_digit_by_digit():
    import pandas as pd

    seed = 7896617691693857887
    frame = pd.DataFrame({"seed": [3, seed], "count": [1, 2], "large": [-seed, 0], "share": [0.5, 1.0]})
    grid = as_json(table("t", frame))["props"]["children"][1]["props"]
    assert [list(row.values()) for row in grid["rowData"]] == [["3", 1, str(-seed), 0.5], [str(seed), 2, "0", 1.0]]
    filters = [column.get("filter") for column in grid["columnDefs"]]
    assert filters == [None, "agNumberColumnFilter", None, "agNumberColumnFilter"]
    assert ["valueFormatter" in column for column in grid["columnDefs"]] == [False, True, False, True]


def test_what_is_looked_at_again_is_one_page_with_what_is_chosen_on_it(recordings):
    def places(path, search, kind):
        return [part["props"]["id"] for part in as_json(page_content(recordings, path, search))
                if kind in (part["props"].get("id") or ())]  # fmt: skip

    assert places("/live", "?run=1", "tick") == [{"tick": "/live?run=1"}]
    assert places("/live", "?run=1", "live") == [{"live": "/live?run=1"}]
    assert places("/", None, "live") == [{"live": "/?"}]
    assert places("/", None, "tick") == []


def test_there_is_no_other_page(recordings):
    assert "There is no such page" in texts(whole(recordings, "/etc/passwd"))


@pytest.mark.slow
def test_files_that_cannot_be_read_are_told_on_every_page(recordings):
    for path in PAGES:
        told = [text for text in texts(whole(recordings, path)) if "world cut is left out" in text]
        assert len(told) == 1, path


def test_the_menu_keeps_what_is_chosen(recordings):
    links = [link.href for link in menu("/day", Query("?run=1&world=w&round=3&competitor=a%26b"))]
    assert links == [address(path, run=1, world="w", competitor="a&b") for path in PAGES]


def test_names_are_no_markup_in_figures():
    import pandas as pd

    figures = [
        lines({EVIL: ([0, 1], [1, 2])}, EVIL, EVIL),
        stacked([EVIL], {EVIL: [1.0]}, EVIL),
        heat(pd.DataFrame([[1.0]], index=[EVIL]), EVIL, EVIL, EVIL),
    ]
    for figure in figures:
        assert EVIL not in figure.to_json().replace("\\u003c", "<").replace("\\u003e", ">")
        assert "&lt;script&gt;" in figure.to_json()


def test_intervals_are_students():
    assert interval_margin(2.0, 6) == pytest.approx(5.14116, abs=1e-5)
    assert interval_margin(float("nan"), 1) is None


def test_a_query_is_read_as_it_was_written():
    query = Query(address("/day", run=3, world="a b&c=d", day=None)[4:])
    assert (query.whole("run"), query.text("world"), query.whole("day")) == (3, "a b&c=d", None)
    assert query.one_of("missing", ["first", "second"]) == "first"
    for search in ("?run=1.5", "?run=²", "?run=99999999999"):
        with pytest.raises(InputError, match="no whole number"):
            Query(search).whole("run")
    with pytest.raises(InputError, match="did you mean 'second'"):
        Query("?x=secnd").one_of("x", ["first", "second"])
    with pytest.raises(InputError, match="no x to be shown"):
        Query("").one_of("x", [])
