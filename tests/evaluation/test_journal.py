"""A tournament that was killed goes on: what was played is not played again, and nothing else is taken over."""

import contextlib
import json
import os
import re
import resource
import subprocess
import sys
from concurrent.futures import Future
from types import SimpleNamespace

import pytest

from scml_gym.core.errors import InputError
from scml_gym.evaluation.config import TournamentConfig
from scml_gym.evaluation.journal import Journal, remove_journal
from scml_gym.evaluation.pool import WorkerPool
from scml_gym.evaluation.report import write_results
from scml_gym.evaluation.sources import played_with
from scml_gym.evaluation.studies.files import digest
from scml_gym.evaluation.tournament import run_tournament
from scml_gym.game.definition import Setting
from tests.helpers.scripts import ROOT, Script, in_forked_process

pytestmark = pytest.mark.slow

SMALL = {"competitors": ("best-subset", "greedy"), "background": ("greedy",), "days": 3, "factories": 2, "workers": 1}


def config(**changes):
    return TournamentConfig(**(SMALL | changes))


@pytest.fixture(scope="module")
def two_worlds(tmp_path_factory):
    """What a tournament brought, and the text of its journal."""
    with Journal(tmp_path_factory.mktemp("played") / "out", config(worlds=1)) as journal:
        outcome = run_tournament(config(worlds=1), journal=journal)
    return outcome, journal.path.read_text()


@pytest.fixture
def played(two_worlds, tmp_path):
    """A journal with the two worlds of the first configuration, as a killed tournament leaves it."""
    path = tmp_path / "out.plays.jsonl"
    path.write_text(two_worlds[1])
    return path


def test_a_resumed_tournament_is_the_same_and_plays_what_is_missing(played, tmp_path, monkeypatch):
    whole = run_tournament(config(worlds=2))
    seeds = []
    real = WorkerPool.play
    monkeypatch.setattr(
        WorkerPool, "play", lambda pool, names, seed, setting: seeds.append(seed) or real(pool, names, seed, setting)
    )
    with played.open("a") as file:
        file.write('{"names": ["best-sub')  # the kill cut a line off
    with Journal(tmp_path / "out", config(worlds=2, workers=2)) as journal:
        assert len(journal) == 2
        again = run_tournament(config(worlds=2, workers=2), journal=journal)
        journal.remove()
    assert again.rows == whole.rows
    assert len(seeds) == 2
    assert set(seeds) == {row["seed"] for row in whole.rows if row["configuration"] == 1}
    assert not played.exists()


@pytest.mark.parametrize(
    ("changes", "told"),
    [({"days": 4}, "days is 3 there, 4 here"), ({"competitors": ("greedy",)}, "competitors is"), ({"seed": 1}, "seed")],
)
def test_worlds_of_another_tournament_are_refused(played, tmp_path, changes, told):
    before = played.read_bytes()
    with pytest.raises(InputError, match=re.escape(told)):
        Journal(tmp_path / "out", config(**changes))
    assert played.read_bytes() == before


def test_changed_run_folders_are_refused(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "run.json").write_text("{}")
    asked = config(competitors=(str(run),))
    with Journal(tmp_path / "out", asked) as journal:
        world = Future()
        world.set_result({"value": []})
        journal.play(SimpleNamespace(play=lambda *_: world), ["x"], 0, Setting(3))
    (run / "run.json").write_text('{"step": 2}')
    with pytest.raises(InputError, match="run has changed since"):
        Journal(tmp_path / "out", asked)


def test_the_best_checkpoint_of_a_run_is_noted_and_other_folders_are_not_read(tmp_path):
    run, other = tmp_path / "run", tmp_path / "other"
    for folder in (run, other):
        folder.mkdir()
    (run / "run.json").touch()
    noted = played_with(config(competitors=(f"{run}/best", str(other))))
    assert noted[f"{run}/best"] == played_with(config(competitors=(str(run),)))[str(run)]
    assert str(other) not in noted


def test_names_of_files_may_be_any_bytes(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "run.json").touch()
    with contextlib.suppress(OSError):  # there are file systems without such names
        (run / os.fsdecode(b"odd\xff")).touch()
    assert set(played_with(config(competitors=(str(run),)))) >= {str(run)}
    assert len(digest(run)) == 64


def test_changed_code_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own_agents.py").write_text("raise RuntimeError('nobody loads it here')\n")
    asked = config(competitors=("own_agents:One",))
    with Journal(tmp_path / "out", asked) as journal:
        world = Future()
        world.set_result({"value": []})
        journal.play(SimpleNamespace(play=lambda *_: world), ["x"], 0, Setting(3))
    Journal(tmp_path / "out", asked).__exit__(None, None, None)
    (tmp_path / "own_agents.py").write_text("raise RuntimeError('it has changed')\n")
    with pytest.raises(InputError, match="own_agents:One has changed since"):
        Journal(tmp_path / "out", asked)


@pytest.mark.parametrize("line", [1, 2, 3])
@pytest.mark.parametrize(
    "edit", [lambda text: text.replace("1", "2", 1), lambda text: text[:-9] + "\n", lambda text: ""]
)
def test_lines_that_are_not_what_was_written_are_refused_by_number(played, tmp_path, line, edit):
    lines = played.read_text().splitlines(keepends=True)
    lines[line - 1] = edit(lines[line - 1])
    played.write_text("".join(lines))
    if line == 3 and not lines[2]:
        return  # the last one: as if it had not been played
    with pytest.raises(InputError, match=f"line {line}: "):
        Journal(tmp_path / "out", config())


@pytest.mark.parametrize("content", ["", "{}\n", "no json\n", '[1]\n{"names": 3}\n'])
def test_unreadable_journals_are_refused(tmp_path, content):
    (tmp_path / "out.plays.jsonl").write_text(content)
    with pytest.raises(InputError, match=r"out\.plays\.jsonl"):
        Journal(tmp_path / "out", config())


def test_two_processes_do_not_share_a_journal(tmp_path):
    code = "import sys, fcntl; f = open(sys.argv[1], 'w'); fcntl.lockf(f, fcntl.LOCK_EX); print(1, flush=True); input()"
    path = tmp_path / "out.plays.jsonl"
    other = subprocess.Popen([sys.executable, "-c", code, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    other.stdout.readline()
    with pytest.raises(InputError, match="another process is playing"):
        Journal(tmp_path / "out", config())
    other.communicate(b"\n")


def test_nothing_is_left_of_a_tournament_that_played_nothing(tmp_path):
    with Journal(tmp_path / "out", config()):
        pass
    assert not list(tmp_path.iterdir())


def test_a_command_killed_when_its_results_are_written_has_ended(tmp_path):
    """Before it has removed the journal, moved the recording, and removed the folder in which it wrote."""
    command = [sys.executable, str(ROOT / "evaluate.py"), "best-subset", "--background", "greedy", "--days", "3"]
    command += ["--factories", "2", "--worlds", "1", "--workers", "1", "--record"]
    assert in_forked_process(tmp_path, [*command, "--out", "out"]).returncode == 0
    scores = (tmp_path / "out" / "scores.csv").read_bytes()
    asked = config(competitors=("best-subset",), record=1, worlds=1)
    world = Future()
    world.set_result({"value": []})
    for more, code in (([], 0), (["--seed", "1"], 2)):
        with Journal(tmp_path / "out", asked) as journal:
            journal.play(SimpleNamespace(play=lambda *_: world), ["x"], 0, Setting(3))
        (tmp_path / "out" / "recording").rename(tmp_path / "out.recording")
        (tmp_path / ".out.results").mkdir()
        again = in_forked_process(tmp_path, [*command, *more, "--out", "out"])
        assert again.returncode == code, again.stderr
        assert "all worlds are played already" in again.stdout or "nothing is overwritten" in again.stderr
        assert [path.name for path in tmp_path.iterdir()] == ["out"]
        assert (tmp_path / "out" / "recording").is_dir() and (tmp_path / "out" / "scores.csv").read_bytes() == scores


def test_a_journal_of_another_tournament_stays_beside_results(two_worlds, played, tmp_path):
    write_results(tmp_path / "out", config(seed=1), two_worlds[0], "test")
    assert remove_journal(tmp_path / "out", lambda played: None) is None
    assert played.exists()


def test_a_world_that_cannot_be_noted_is_told_at_once(played, tmp_path):
    limits, world = resource.getrlimit(resource.RLIMIT_FSIZE), Future()
    world.set_result({"value": []})
    pool = SimpleNamespace(play=lambda *_: world)
    before = played.read_bytes()
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 20, limits[1]))
        with Journal(tmp_path / "out", config()) as journal:
            noted = [journal.play(pool, [name], 0, Setting(3)) for name in "xy"]
            with pytest.raises(OSError, match="File too large") as error:
                noted[0].result()
            assert error.value.filename == str(played)
            assert noted[1].done()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    Journal(tmp_path / "out", config()).__exit__(None, None, None)
    assert played.read_bytes() == before  # the part of a line goes


def test_a_killed_command_goes_on(tmp_path):
    command = [sys.executable, str(ROOT / "evaluate.py"), "best-subset", "--background", "greedy", "--days", "3"]
    command += ["--factories", "2", "--worlds", "12", "--workers", "1", "--out", str(tmp_path / "out")]
    journal = tmp_path / "out.plays.jsonl"
    killed = Script(ROOT, command)
    killed.wait_for(lambda: journal.exists() and len(journal.read_text().splitlines()) > 3)
    killed.process.kill()
    killed.ended()
    kept = [json.loads(line) for line in journal.read_text().splitlines(keepends=True) if line.endswith("\n")]
    assert len(kept) > 3
    done = in_forked_process(ROOT, command)
    assert done.returncode == 0, done.stderr
    assert f"{len(kept) - 1} worlds are played already" in done.stdout
    assert not journal.exists()
    assert len((tmp_path / "out" / "scores.csv").read_text().splitlines()) == 1 + 12 * 2 * 4
