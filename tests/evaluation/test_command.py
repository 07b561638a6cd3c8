"""``evaluate.py``: its folder, its exit codes, its one-line errors."""

import hashlib
import importlib
import json
import sys
from pathlib import Path

import pytest

from scml_gym.core.errors import InputError
from scml_gym.evaluation.config import TournamentConfig
from scml_gym.evaluation.report import output_folder, render, write_results
from scml_gym.evaluation.table import COLUMNS, read_scores
from scml_gym.evaluation.tournament import Outcome
from tests.helpers import forks
from tests.helpers.scripts import in_new_interpreter

pytestmark = pytest.mark.slow

FILES = {
    "command.txt",
    "config.yaml",
    "failures.csv",
    "levels.png",
    "losses.csv",
    "paired.csv",
    "paired.png",
    "profit.png",
    "ranking.csv",
    "ranking.json",
    "ranking.md",
    "ranking.png",
    "scores.csv",
    "versions.json",
}


def contents(folder):
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}


@pytest.mark.slow
def test_a_results_folder(command_line, tmp_path):
    (tmp_path / "x.yaml").write_text("worlds: 2\ndays: 3\nfactories: 2\nbackground: [greedy]\n")
    options = (
        "best-subset",
        "scml:SyncRandomOneShotAgent",
        "tests.helpers.evaluation_players:Raises",
        "--config",
        "x.yaml",
    )
    done = command_line("evaluate.py", *options, "--workers", "1", "--out", "a/b")
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "a" / "b"
    assert {p.name for p in folder.iterdir()} == FILES
    assert [p.name for p in folder.parent.iterdir()] == ["b"]
    assert "Background opponents: greedy. Scores depend on who else plays." in done.stdout
    assert "Failures" in done.stdout
    assert "WARNING" in done.stderr
    table = read_scores(folder / "scores.csv")
    assert list(table.columns) == list(COLUMNS)
    assert len(table) == 2 * 2 * 4
    summary = json.loads((folder / "ranking.json").read_text())
    assert len(summary["ranking"]) == 2
    assert summary["failures"][0]["player"] == "tests.helpers.evaluation_players:Raises"
    before = contents(folder)
    for name in (
        "ranking.csv",
        "paired.csv",
        "losses.csv",
        "ranking.json",
        "ranking.md",
        "ranking.png",
        "levels.png",
        "paired.png",
        "profit.png",
    ):
        (folder / name).unlink()
    assert render(folder) == (folder / "ranking.md").read_text()
    assert contents(folder) == before

    for name, words in (("config.yaml", ("background:", "field:")), ("scores.csv", (",background,", ",field,"))):
        (folder / name).write_text((folder / name).read_text().replace(*words))
    assert render(folder) == (folder / "ranking.md").read_text()  # as earlier versions called them
    for name, words in (("config.yaml", ("field:", "background:")), ("scores.csv", (",field,", ",background,"))):
        (folder / name).write_text((folder / name).read_text().replace(*words))
    assert contents(folder) == before

    again = command_line("evaluate.py", *options, "--out", "a/b")
    assert again.returncode == 2
    assert "not empty" in again.stderr
    assert contents(folder) == before

    variables = forks.variables() | {"PYTHONHASHSEED": "5"}  # of the leading process: its workers are forked
    other = command_line("evaluate.py", *options, "--workers", "2", "--out", "c", **variables)
    assert other.returncode == 0, other.stderr
    changed = {name for name, digest in contents(tmp_path / "c").items() if digest != before[name]}
    assert changed - {"versions.json"} == {"command.txt"}  # the commit may change while the tests run


def test_where_all_fail_the_exit_code_is_3(command_line, tmp_path):
    options = ("--worlds", 1, "--days", 3, "--factories", 1, "--background", "greedy", "--workers", 1, "--out", "x")
    done = command_line("evaluate.py", "tests.helpers.evaluation_players:CannotBeMade", *options)
    assert done.returncode == 3
    assert "no competitor finished a world" in done.stderr
    assert "no model file" in (tmp_path / "x" / "failures.csv").read_text()


def test_results_are_not_lost_where_the_folder_is_taken_meanwhile(tmp_path):
    config = TournamentConfig(competitors=("greedy",), out=tmp_path / "x")
    folder = output_folder(config)
    folder.mkdir()
    (folder / "mine").touch()
    with pytest.raises(InputError, match="the results are left in") as refused:
        write_results(folder, config, Outcome(), "command")
    assert [p.name for p in folder.iterdir()] == ["mine"]
    left = Path(str(refused.value).rpartition(" ")[2])
    assert (left / "results" / "scores.csv").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("greedy", "--wrlds", "3"),
        ("greedy", "--worlds", "many"),
        ("greedy", "--worlds", "0"),
        ("greedy", "--one-on-one"),
        ("greedy", "--config", "missing.yaml"),
        ("gredy", "--workers", "1"),
        ("greedy", "--game", "onshot"),
        ("greedy", "--game", "bilateral"),
        ("greedy", "--background", "gredy", "--workers", "1"),
        ("os:getcwd", "--workers", "1"),
        ("greedy", "--background", "builtins:int"),
        ("greedy", "--field", "greedy"),
        ("builtins:print",),
        ("tests.helpers.evaluation_players:takes_nothing",),
        ("tests.helpers.evaluation_players:not_a_policy", "--workers", "1"),
        ("scml:NoSuchAgent",),
        ("scml-agents:soon/X",),
        ("no/run",),
        (".os:getcwd",),
        ("greedy", "--out", "file/below"),
    ],
    ids=" ".join,
)
def test_bad_input_is_one_line_and_nothing_is_written(command_line, tmp_path, arguments):
    (tmp_path / "file").write_text("mine")
    done = command_line("evaluate.py", *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert "gredy" not in arguments or "did you mean 'greedy'?" in line
    assert "--field" not in arguments or line.endswith("did you mean --background?")
    assert "onshot" not in arguments or "did you mean 'oneshot'?" in line
    assert [p.name for p in tmp_path.rglob("*")] == ["file"]


def test_a_year_that_the_league_does_not_have_is_bad_input(command_line, tmp_path):
    pytest.importorskip("scml_agents")
    done = command_line("evaluate.py", "scml-agents:1999/X", "--workers", "1")
    assert done.returncode == 2
    assert done.stderr.startswith("error: 'scml-agents:1999/X': scml-agents has no") and done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_what_a_failed_player_says_is_no_markup(command_line, tmp_path):
    options = ("--worlds", 1, "--days", 3, "--factories", 1, "--background", "greedy", "--workers", 1, "--out", "x")
    done = command_line("evaluate.py", "best-subset", "tests.helpers.evaluation_players:Brackets", *options)
    assert done.returncode == 0, done.stderr
    assert "IndexError: [/red] list index [0] <b>|</b>" in done.stdout
    assert "\\[/red\\] list index \\[0\\] \\<b\\>\\|\\</b\\>" in (tmp_path / "x" / "ranking.md").read_text()


@pytest.mark.parametrize("script", ["train", "evaluate"])
def test_help_shows_every_text_as_it_is_written(script, command_line):
    """Brackets included, which rich would take for markup."""
    from typer.main import get_command

    command = get_command(importlib.import_module(script).app)
    for name, sub in getattr(command, "commands", {None: command}).items():
        shown = command_line(f"{script}.py", *([name] if name else []), "--help").stdout
        words = " ".join(shown.split()).replace("- ", "-")
        texts = [sub.help, sub.epilog, *(p.help for p in sub.params)]
        assert any(texts)
        for text in filter(None, texts):
            assert " ".join(text.split()).replace("- ", "-") in words


def test_the_usage_is_what_can_be_typed(command_line):
    assert command_line("evaluate.py", "--help").stdout.startswith("Usage: evaluate.py [OPTIONS] [competitors]...")
    assert command_line("evaluate.py", "study", "--help").stdout.startswith("Usage: evaluate.py study [OPTIONS]")


def test_help_loads_no_simulation(tmp_path):
    script = "import evaluate, sys; sys.exit(any(m in sys.modules for m in ('scml', 'negmas', 'torch', 'pandas')))"
    assert in_new_interpreter(tmp_path, [sys.executable, "-c", script], {}).returncode == 0
