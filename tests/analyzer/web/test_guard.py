"""Who may ask the server, and what its answers let a browser do."""

import pytest

pytest.importorskip("duckdb", reason="pip install 'scml-gym[analyzer]'")
pytest.importorskip("dash_ag_grid", reason="pip install 'scml-gym[analyzer]'")

from scml_gym.analyzer.web.app import make_app
from scml_gym.analyzer.web.guard import COOKIE, guard, is_loopback, known_host


def client(recordings, token=None, host="127.0.0.1"):
    app = make_app(recordings)
    guard(app, host, token)
    return app.server.test_client()


@pytest.mark.parametrize(
    ("header", "known"),
    [("127.0.0.1:8000", True), ("localhost", True), ("[::1]:80", True), ("192.168.0.3:1", True), ("box:3", True)]
    + [("evil.example", False), ("127.0.0.1.evil.example", False), ("", False), ("[::1", False), ("a@box", True)],
)
def test_a_name_that_is_not_this_machines_is_refused(recordings, header, known):
    assert known_host(header, {"localhost", "box"}) == known
    if "box" not in header and header not in ("", "[::1"):
        assert client(recordings).get("/", headers={"Host": header}).status_code == (200 if known else 421)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.1.2.3", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("box", False)],
)
def test_what_only_this_machine_reaches_needs_no_token(host, loopback):
    assert is_loopback(host) == loopback


@pytest.mark.parametrize("path", ["/", "/day", "/_dash-layout", "/_dash-dependencies", "/assets/analyzer.js"])
def test_nothing_is_shown_without_the_token(recordings, path):
    browser = client(recordings, "secret", "0.0.0.0")
    assert browser.get(path).status_code == 401
    browser.set_cookie(COOKIE, "wrong")
    assert browser.get(path).status_code == 401
    browser.set_cookie(COOKIE, "sécret")
    assert browser.get(path).status_code == 401
    assert browser.post("/token", data={"token": "wrong"}).status_code == 403
    answer = browser.post("/token", data={"token": "secret"})
    assert answer.status_code == 303
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    assert "SameSite=Strict" in answer.headers["Set-Cookie"]
    browser.set_cookie(COOKIE, "secret")
    assert browser.get(path).status_code == 200


def test_pages_run_and_fetch_nothing_from_elsewhere(recordings):
    answer = client(recordings).get("/")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe-eval" not in policy
    assert "http" not in policy
    assert "frame-ancestors 'none'" in policy
    text = answer.get_data(as_text=True)
    assert "//cdn" not in text
    assert "https://" not in text


def test_only_what_was_named_is_read(recordings, runs_folder):
    browser = client(recordings)
    for path in ("/assets/../app.py", "/assets/%2e%2e/app.py", str(runs_folder), "/..%2f..%2fetc/passwd"):
        answer = browser.get(path)
        assert answer.status_code == 404 or b"_dash-config" in answer.data, path


UPDATE = "/_dash-update-component"
PAGE = {
    "output": "..menu.children...page.children..",
    "outputs": [{"id": "menu", "property": "children"}, {"id": "page", "property": "children"}],
    "inputs": [{"id": "address", "property": name, "value": "/"} for name in ("pathname", "search")],
}


@pytest.mark.parametrize(
    "asked",
    [
        *([], {"output": "x"}, {"output": PAGE["output"], "inputs": []}),
        *(PAGE | {"inputs": [{**PAGE["inputs"][0], "value": value}, PAGE["inputs"][1]]} for value in (["/"], {"a": 1})),
        *(PAGE | {"inputs": [PAGE["inputs"][0], {**PAGE["inputs"][1], "value": v}]} for v in (5, [1], "?run=\ud800")),
    ],
)
def test_what_no_page_asks_is_refused_and_told_in_a_line(recordings, asked, capsys):
    browser = client(recordings)
    answer = browser.post(UPDATE, json=asked)
    assert answer.status_code == 400
    assert answer.get_data() == b"No page of the analyzer asks this.\n"
    told = capsys.readouterr().err
    assert told.startswith(f"refused: POST {UPDATE}: ") and told.count("\n") == 1 and len(told) < 350
    assert browser.post(UPDATE, json=PAGE).status_code == 200
    assert browser.get("/_dash-component-suites/os/path.js").status_code == 400
    assert browser.get("/assets/none.js").status_code == 404
