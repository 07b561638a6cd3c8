"""Tournaments that are recorded: the same scores, and a killed one goes on without a world twice."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from scml_gym.core.errors import InputError
from scml_gym.evaluation import evaluate_command
from scml_gym.evaluation.config import TournamentConfig
from scml_gym.simulator.recording.folder import Recording

ROOT = Path(__file__).resolve().parents[2]
SMALL = {"competitors": ["best-subset"], "background": ["greedy"], "days": 3, "factories": 2, "workers": 1}

pytestmark = pytest.mark.slow


def evaluated(folder, **options):
    assert evaluate_command(None, SMALL | {"out": folder} | options, "") == 0
    return folder


def test_a_recorded_tournament_has_the_same_scores_and_records_every_kth_configuration(tmp_path):
    plain = evaluated(tmp_path / "plain", worlds=3)
    recorded = evaluated(tmp_path / "recorded", worlds=3, record=2)
    assert (plain / "scores.csv").read_bytes() == (recorded / "scores.csv").read_bytes()
    recording = Recording(recorded / "recording")
    assert recording.names() == ["000000-0-0", "000000-0-1", "000002-0-0", "000002-0-1"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plain", "recorded"]
    scores = pd.read_csv(recorded / "scores.csv")
    for name in recording.names():
        where = pq.ParquetFile(recording.folder / "worlds" / name / "worlds.parquet").read().to_pandas().iloc[0]
        same = (scores["configuration"] == where["configuration"]) & (scores["play"] == where["play"])
        factories = pq.ParquetFile(recording.folder / "worlds" / name / "factories.parquet").read().to_pandas()
        assert factories["competitor"].tolist() == scores[same]["competitor"].tolist()
        assert factories["score"].tolist() == scores[same]["score"].tolist()


def test_worlds_of_a_withdrawn_player_are_recorded_as_they_count(tmp_path):
    failing = "tests.helpers.evaluation_players:Sometimes"
    folder = evaluated(tmp_path / "out", competitors=["best-subset", failing], worlds=4, record=1)
    scores = pd.read_csv(folder / "scores.csv").sort_values(["configuration", "play", "factory"])
    assert (folder / "failures.csv").read_text().count("\n") > 1
    tables = [pq.ParquetFile(p).read().to_pandas() for p in sorted(folder.glob("recording/worlds/*/factories.parquet"))]
    assert pd.concat(tables)["competitor"].tolist() == scores["competitor"].tolist()


def test_only_recorded_games_are_recorded():
    with pytest.raises(ValueError, match="worlds of bilateral are not recorded"):
        TournamentConfig(competitors=("boulware",), game="bilateral", record=1)
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        TournamentConfig(competitors=("greedy",), record=0)


def test_a_killed_recording_keeps_what_was_played_and_goes_on(tmp_path):
    command = [sys.executable, ROOT / "evaluate.py", "best-subset", "--background", "greedy", "--days", "3", "--record"]
    command += ["--factories", "2", "--worlds", "30", "--workers", "1", "--out", tmp_path / "out"]
    journal, beside = tmp_path / "out.plays.jsonl", tmp_path / "out.recording"
    killed = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while killed.poll() is None and not (journal.exists() and len(journal.read_text().splitlines()) > 3):
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    played = len(journal.read_text().splitlines()) - 1
    kept = Recording(beside).names()
    assert played <= len(kept) <= played + 2
    for name in kept:
        assert pq.ParquetFile(beside / "worlds" / name / "factories.parquet").read().num_rows == 4
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not beside.exists()
    names = Recording(tmp_path / "out" / "recording").names()
    assert len(names) == 60
    assert len((tmp_path / "out" / "scores.csv").read_text().splitlines()) == 1 + 60 * 4


def test_a_journal_of_unrecorded_worlds_is_not_gone_on_with(tmp_path):
    from scml_gym.evaluation.journal import Journal
    from scml_gym.evaluation.tournament import run_tournament

    plain = TournamentConfig(**SMALL, worlds=1)
    with Journal(tmp_path / "out", plain) as journal:
        run_tournament(plain, journal=journal)
    with pytest.raises(InputError, match="record is None there, 1 here"):
        Journal(tmp_path / "out", TournamentConfig(**SMALL, worlds=1, record=1))
