"""The analyzer in a real browser: chromium, as Debian has it."""

import csv
import shutil
from contextlib import closing, contextmanager
from dataclasses import replace
from urllib.parse import quote, urlsplit

import PIL.Image
import pytest

pytest.importorskip("duckdb", reason="pip install 'scml-gym[analyzer]'")
pytest.importorskip("dash_ag_grid", reason="pip install 'scml-gym[analyzer]'")

from scml_gym.analyzer import open_recordings
from scml_gym.analyzer.web.pages import PAGES
from tests.helpers.analyzer_runs import EVIL, LINE_UP, RUNS, make, serving
from tests.helpers.recordings import play_recorded

pytestmark = pytest.mark.browser

WIDE, NARROW = {"width": 1200, "height": 900}, {"width": 390, "height": 800}
"""Screens."""


@pytest.fixture(scope="module")
def chromium():
    """A browser without a window."""
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("no chromium: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        # pages are gone before it pays to optimise their scripts
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox", "--js-flags=--no-opt"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def window(recordings, chromium):
    """All recordings as they are served, for tabs that share what the browser has kept."""
    with serving(recordings) as address:
        context = chromium.new_context(base_url=address, viewport=WIDE)
        context.set_default_timeout(30_000)
        yield context
        context.close()


@pytest.fixture(scope="module")
def only_tab(window):
    """Whose process keeps what it has made of the pages' scripts: a tab of its own costs a test two processes more."""
    with closing(window.new_page()) as tab:
        yield tab


@pytest.fixture
def tab(only_tab):
    """A tab in which nothing may fail, and that asks nobody but the server."""
    with watched(only_tab):
        yield only_tab
    only_tab.goto("about:blank")


@contextmanager
def watched(tab):
    """A tab in which nothing may fail meanwhile, and that asks nobody but the server."""
    wrong, local = [], ("http://127.0.0.1:", "data:", "blob:")
    watching = {
        "console": lambda line: wrong.append(line.text) if line.type in ("error", "warning") else None,
        "pageerror": lambda error: wrong.append(str(error)),
        "dialog": lambda dialog: (wrong.append(f"dialog {dialog.message}"), dialog.dismiss()),
        "request": lambda asked: None if asked.url.startswith(local) else wrong.append(f"asks {asked.url}"),
    }
    for event, tell in watching.items():
        tab.on(event, tell)
    yield tab
    for event, tell in watching.items():
        tab.remove_listener(event, tell)
    assert not wrong


@contextmanager
def watched_tab(context):
    """One more tab."""
    with closing(context.new_page()) as tab, watched(tab):
        yield tab


def until(tab, condition, arg=None):
    """Wait until JavaScript says so; asked at each frame, a page is drawn all the time."""
    tab.wait_for_function(condition, arg=arg, polling=50)


def complete(tab, title):
    """Wait until a page, with the parts that come later, is there."""
    until(
        tab,
        """title => document.querySelector('main h1')?.textContent === title
            && !document.querySelector('main').textContent.includes('Asking ...')""",
        arg=title,
    )
    tab.wait_for_selector(".ag-cell, .absent", state="attached")


def look(tab, path):
    """Open a page by its address."""
    tab.goto(path)
    complete(tab, PAGES[urlsplit(path).path].title)


def test_each_page_opens_without_an_error_and_narrow_screens_need_no_scrolling_aside(tab):
    look(tab, "/")
    for path, page in PAGES.items():
        tab.set_viewport_size(NARROW)
        tab.get_by_role("link", name=page.title, exact=True).click()
        tab.wait_for_url(f"**{path}**")
        complete(tab, page.title)
        assert tab.evaluate("document.documentElement.scrollWidth") <= NARROW["width"], path
        until(tab, "title => document.title === `${title} - SCML analyzer`", arg=page.title)
        assert not tab.locator("text=This page failed").count()
        tab.set_viewport_size(WIDE)


def test_from_the_ranking_to_what_was_said_in_a_round(tab):
    look(tab, "/ranking")
    tab.locator(".ag-cell a", has_text="scml:Greedy").first.click()
    complete(tab, "Competitor")
    worst = tab.locator("section:has(h2:text-is('Worst days')) .ag-cell[col-id=day] a").first
    day, before = worst.inner_text(), tab.url
    worst.click()
    complete(tab, "Day")
    assert f"day={day}" in tab.url
    said, handle = tab.locator(".offer:visible"), tab.locator("#round [role=slider]")
    everything = said.count()
    handle.press("Home")
    tab.wait_for_selector("#round-told:text-is('Round 0')")
    first = said.count()
    assert 0 < first < everything
    assert "round=0" in tab.url
    handle.press("ArrowRight")
    tab.wait_for_selector("#round-told:text-is('Round 1')")
    assert first < said.count() <= everything
    tab.reload()  # the address has the round
    tab.wait_for_selector("#round-told:text-is('Round 1')")
    tab.go_back()
    tab.wait_for_url(before)


def test_tables_and_figures_are_downloaded_as_they_are_filtered(tab, tmp_path):
    def download(where, button):
        with tab.expect_download() as waiting:
            where.locator(button).click()
        waiting.value.save_as(tmp_path / waiting.value.suggested_filename)
        return tmp_path / waiting.value.suggested_filename

    look(tab, "/day?day=1")
    offers = tab.locator("section:has(h2:text-is('All offers'))")
    offers.scroll_into_view_if_needed()
    everything = list(csv.DictReader(download(offers, "button.export").open(encoding="utf-8-sig")))
    offers.locator(".ag-floating-filter input").first.fill(everything[2]["number"])
    until(tab, "() => document.querySelectorAll('.ag-filter-active').length")
    assert list(csv.DictReader(download(offers, "button.export").open(encoding="utf-8-sig"))) == [everything[2]]
    look(tab, "/ranking")
    figure = tab.locator("figure").first
    figure.locator(".main-svg").first.wait_for()
    picture = download(figure, ".picture >> text=SVG")
    assert picture.name == "ranking-competitor.svg"
    assert "<svg" in picture.read_text() and "rgb(255, 255, 255)" in picture.read_text()
    image = PIL.Image.open(download(figure, ".picture >> text=PNG"))
    assert image.format == "PNG" and image.width > 1000
    assert image.convert("RGB").getpixel((5, 5)) == (255, 255, 255)


def test_how_a_table_is_sorted_and_filtered_stands_in_the_address(tab, window):
    look(tab, "/day?day=1&round=1")
    offers = tab.locator("section:has(h2:text-is('All offers'))")

    def rows(where):
        cells = where.locator("section:has(h2:text-is('All offers')) .ag-row")
        return cells.evaluate_all("rows => rows.sort((a, b) => a.rowIndex - b.rowIndex).map((row) => row.innerText)")

    offers.locator(".ag-header-cell[col-id=price] .ag-header-cell-label").click()
    offers.locator(".ag-header-cell[col-id=price] .ag-header-cell-label").click()
    until(tab, "() => location.search.includes('sort.offers=-price')")
    column = offers.locator("input[type=number][aria-label='round Filter Input']")
    column.fill("0")
    until(tab, "() => location.search.includes('filter.offers=')")
    assert "round=1" in tab.url
    tab.wait_for_timeout(500)
    expected = rows(tab)
    with watched_tab(window) as other:  # of a colleague, to whom the address is sent
        look(other, tab.url)
        until(other, "() => document.querySelectorAll('.ag-filter-active').length")
        assert rows(other) == expected
        assert expected and other.locator("[col-id=price][aria-sort=descending]").count()
    tab.locator(".choice", has_text="Factory").locator("button").click()
    tab.locator("label, [role=option]", has_text="3: ").last.click()
    tab.wait_for_url("**factory=3**")
    assert "sort.offers=-price" in tab.url


@pytest.mark.parametrize(
    "search",
    [
        *("sort.worlds=nothing,-score,,-", "sort.worlds=-%22%3E%3Cscript%3E", "filter.worlds={", "filter.worlds=null"),
        *("filter.worlds=[1]", 'filter.worlds={"score":1}', 'filter.worlds={"__proto__":{"filterType":"text"}}'),
        'filter.worlds={"score":{"filterType":"number","type":"alert(1)","filter":"x"}}',
        'filter.worlds={"world":{"filterType":"text","operator":"AND","conditions":[null,{"filterType":"text"}]}}',
    ],
)
def test_nonsense_about_a_table_in_an_address_is_passed_over(tab, search):
    look(tab, f"/worlds?run=0&{search}")
    tab.wait_for_selector(".ag-row")
    assert tab.locator(".ag-center-cols-container .ag-row").count() == 4


def test_a_choice_changes_the_address_and_the_page(tab):
    look(tab, "/world?factory=1")
    tab.locator(".choice", has_text="Recording").locator("button").click()
    tab.locator("label, [role=option]", has_text="1: standard").last.click()
    tab.wait_for_url("**/world?run=1")  # the factory is dropped with the run
    tab.wait_for_selector(".choice:has-text('whole')")


def test_a_threshold_that_is_typed_changes_the_address_and_the_findings(tab):
    def type_and_wait(label, text):
        """The page is made anew: its title then says another count."""
        before = tab.locator("h2", has_text="Idle lines").inner_text()
        field = tab.get_by_label(label)
        field.fill(text)
        field.press("Enter")
        until(
            tab,
            "before => !['', before].includes([...document.querySelectorAll('h2')]"
            ".map((title) => title.innerText).filter((text) => text.startsWith('Idle lines')).join(''))",
            arg=before,
        )
        return tab.locator("h2", has_text="Idle lines").inner_text()

    look(tab, "/findings?run=0&detector=idle-lines")
    days = tab.get_by_label("For so many days at least")
    assert (days.input_value(), days.get_attribute("placeholder")) == ("", "3")
    some = type_and_wait("Less than this share", "1")
    assert "share=1" in tab.url
    assert type_and_wait("For so many days at least", "1") != some
    assert "share=1" in tab.url and "days=1" in tab.url
    assert type_and_wait("For so many days at least", "") == some
    assert "share=1" in tab.url and "days" not in tab.url


SHOWN = {
    "/ranking": ".ytick text",
    "/world?factory=0": ".sankey-node text, .sankey text",
    "/competitor?competitor=" + quote(EVIL): ".choice:has-text('Competitor')",
    "/day?day=1": ".negotiation h3",
    "/findings?run=1&detector=errors": ".ag-cell[col-id=message]",
    "/negotiation?run=2": ".ag-cell[col-id=first]",
    "/decisions?run=1": ".ytitle",
    "/decisions?run=1&world=whole&day=1": ".ag-cell[col-id=name]",
}
"""Where a name that looks like markup stands on pages."""


@pytest.mark.parametrize("path", SHOWN)
def test_names_are_text_everywhere(tab, path):
    look(tab, path)
    tab.wait_for_selector(SHOWN[path], state="attached")
    assert any(EVIL in text for text in tab.locator(SHOWN[path]).all_text_contents())
    assert not tab.locator("main script, main b").count()


def test_dark_is_kept(tab):
    look(tab, "/")
    light = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    tab.locator("#theme").click()
    tab.reload()
    complete(tab, "Runs")
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") != light
    tab.locator("#theme").click()


def test_pages_can_be_used_without_a_mouse(tab):
    look(tab, "/worlds")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "skip"
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "Runs"
    tab.locator(".ag-row[row-index='0'] .ag-cell[col-id=world]").focus()
    tab.keyboard.press("Enter")
    complete(tab, "World")


def test_worlds_of_a_tournament_that_runs_appear(chromium, tmp_path, monkeypatch):
    monkeypatch.setitem(PAGES, "/live", replace(PAGES["/live"], every=1.0))
    play_recorded(tmp_path / "run.recording", "a", LINE_UP, days=3, make=make)
    with open_recordings(tmp_path / "run") as running, serving(running) as address:
        context = chromium.new_context(base_url=address)
        with watched_tab(context) as tab:
            look(tab, "/live")
            tab.wait_for_selector("h2:has-text('1 worlds so far')")
            play_recorded(tmp_path / "run.recording", "b", LINE_UP, seed=6, days=3, make=make)
            tab.wait_for_selector("h2:has-text('2 worlds so far')")
        context.close()


def test_what_was_asked_on_a_page_that_was_left_does_not_replace_the_next_one(chromium, recordings, monkeypatch):
    monkeypatch.setitem(PAGES, "/live", replace(PAGES["/live"], every=2.0))
    held = []

    def hold(route):
        if "n_intervals" in (route.request.post_data or ""):
            held.append(route)
        else:
            route.continue_()

    with serving(recordings) as address:
        context = chromium.new_context(base_url=address)
        with watched_tab(context) as tab:
            tab.route("**/_dash-update-component*", hold)
            look(tab, "/live")
            tab.wait_for_timeout(3000)
            tab.get_by_role("link", name="Runs", exact=True).click()
            complete(tab, "Runs")
            before = tab.locator("main").inner_text()
            assert held
            for route in held:
                answer = route.fetch()
                assert "worlds so far" in answer.text()
                route.fulfill(response=answer)
            tab.wait_for_timeout(500)
            assert tab.locator("main").inner_text() == before
        context.close()


def test_what_a_spreadsheet_would_compute_is_text_in_a_download(tab):
    look(tab, "/worlds")
    texts = ["=1+1", "+a", "-b", "@c", "\tx", "-5", "1e3", "plain", "", None, -5, 2.5]
    cells = tab.evaluate("texts => texts.map((value) => window.dash_clientside.analyzer.cell({value}))", texts)
    assert cells == ["'=1+1", "'+a", "'-b", "'@c", "'\tx", "-5", "1e3", "plain", "", "", -5, 2.5]


def test_all_recordings_are_listed(tab):
    look(tab, "/")
    for name in RUNS:
        # the table's rows come after the page
        until(tab, "name => document.querySelector('main').innerText.includes(name)", arg=name)
