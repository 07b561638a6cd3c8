"""What ``evaluate.py`` prints: names and messages as they are, whole wherever the terminal has room for them."""

import json

import pytest

from scml_gym.evaluation.config import TournamentConfig
from scml_gym.evaluation.console import show
from scml_gym.evaluation.report import render
from scml_gym.evaluation.table import COLUMNS, FAILURE_COLUMNS, write_table

NAMES = ["tests.helpers.evaluation_players:Raises", "scml-agents:2025/CostAverseAgent", "[/red]"]
MESSAGE = "RuntimeError: [/red] list index [0] is <out> of *range*, " + "which takes many words " * 10 + "(x.py:3)"


@pytest.fixture
def results(tmp_path):
    numbers = dict.fromkeys(COLUMNS, 1)
    rows = [
        numbers | {"configuration": c, "competitor": name, "role": "competitor", "level": level, "score": 1.0 + c / 10}
        for c in range(3)
        for name in NAMES
        for level in ("seller", "buyer")
    ]
    failure = dict.fromkeys(FAILURE_COLUMNS, "") | {
        "player": NAMES[2],
        "failure": "exception",
        "message": MESSAGE,
        "consequence": "played again with a substitute; withdrawn",
    }
    write_table(rows, tuple(COLUMNS), tmp_path / "scores.csv")
    write_table([failure], FAILURE_COLUMNS, tmp_path / "failures.csv")
    config = TournamentConfig(competitors=tuple(NAMES), background=("greedy?own_needs=0", "a_b"))
    (tmp_path / "config.yaml").write_text(json.dumps(config.model_dump(mode="json", exclude={"out", "workers"})))
    render(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("width", [None, 200, 120, 80, 60, 45, 40])
def test_a_name_is_whole_in_every_terminal_that_is_wide_enough_for_it(results, width, capsys):
    show(results, width)
    lines = capsys.readouterr().out.splitlines()
    for name in NAMES:
        assert sum(name in line for line in lines) >= 3, lines
    ranking = lines[: lines.index("")]
    if width:
        assert all(len(line) <= max(width, 48) for line in lines), lines
    assert sum("1.100" in line for line in ranking) == 3


def test_a_message_has_lines_of_its_own(results, capsys):
    show(results, 80)
    lines = capsys.readouterr().out.splitlines()
    failures = lines[lines.index("Failures") + 1 :]
    assert failures[0] == "[/red]"
    assert failures[1] == "  exception; played again with a substitute; withdrawn"
    message = [line.strip() for line in failures[2:] if line]
    assert " ".join(message) == MESSAGE
    assert len(message) <= len(MESSAGE) // 65 + 1


def test_without_a_terminal_every_row_is_a_line(results, capsys):
    show(results)
    assert f"  {MESSAGE}" in capsys.readouterr().out.splitlines()


def test_a_name_is_broken_where_the_terminal_is_narrower_than_it_is(results, capsys):
    show(results, 24)
    assert all(len(line) <= 48 for line in capsys.readouterr().out.splitlines())


def test_the_page_shows_names_and_messages_as_they_are(results):
    page = (results / "ranking.md").read_text()
    assert "\\[/red\\] list index \\[0\\] is \\<out\\> of \\*range\\*" in page
    assert "Background opponents: greedy?own_needs=0, a_b." in page
    assert page.count("\n| ") - page.count("\\|") > 0
    rows = [line for line in page.splitlines() if line.startswith("| \\[/red\\]")]
    assert rows, page
