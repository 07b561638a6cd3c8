"""Tournaments that are recorded: the same scores, and a killed one goes on without a world twice."""

import sys
from concurrent.futures import Future
from types import SimpleNamespace

import pandas as pd
import pyarrow.parquet as pq
import pytest

from scml_gym.core.errors import InputError
from scml_gym.evaluation import evaluate_command
from scml_gym.evaluation.config import TournamentConfig
from scml_gym.evaluation.journal import Journal
from scml_gym.evaluation.recording import Recorder, world_name
from scml_gym.game.definition import Setting
from scml_gym.simulator.recording.folder import Recording
from tests.helpers.recordings import write_by_hand
from tests.helpers.scripts import ROOT, Script, in_forked_process

SMALL = {"competitors": ["best-subset"], "background": ["greedy"], "days": 3, "factories": 2, "workers": 1}

pytestmark = pytest.mark.slow


def evaluated(folder, **options):
    assert evaluate_command(None, SMALL | {"out": folder} | options, "") == 0
    return folder


def tables(folder, name):
    return pq.ParquetFile(folder / "recording" / "packed" / f"{name}.parquet").read().to_pandas()


def test_a_recorded_tournament_has_the_same_scores_and_records_every_kth_configuration(tmp_path):
    failing = "tests.helpers.evaluation_players:Raises"  # so the first configuration is played again without it
    players = ["best-subset", failing]
    plain = evaluated(tmp_path / "plain", competitors=players, worlds=3)
    recorded = evaluated(tmp_path / "recorded", competitors=players, worlds=3, record=2)
    assert (plain / "scores.csv").read_bytes() == (recorded / "scores.csv").read_bytes()
    assert (recorded / "failures.csv").read_text().count("\n") > 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plain", "recorded"]
    assert Recording(recorded / "recording").names() == ["000000-0-0", "000000-0-1", "000002-0-0", "000002-0-1"]
    scores = pd.read_csv(recorded / "scores.csv").sort_values(["configuration", "play", "factory"])
    scores = scores[scores["configuration"] != 1].reset_index()
    factories = tables(recorded, "factories")
    for name in ("competitor", "role", "factory", "score", "initial_balance"):
        assert factories[name].equals(scores[name].astype(factories[name].dtype)), name
    assert tables(recorded, "worlds")["configuration"].tolist() == [0, 0, 2, 2]


def test_only_games_with_a_recording_are_recorded():
    with pytest.raises(ValueError, match="are not recorded"):
        TournamentConfig(competitors=("claim",), game="tests.helpers.toy_game:TOY", record=1)
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        TournamentConfig(competitors=("greedy",), record=0)


def test_a_killed_recording_keeps_what_was_played_and_goes_on(tmp_path):
    command = [sys.executable, str(ROOT / "evaluate.py"), "best-subset", "--background", "greedy", "--days", "3"]
    command += ["--record", "--factories", "1", "--worlds", "8", "--workers", "1", "--out", str(tmp_path / "out")]
    journal, beside = tmp_path / "out.plays.jsonl", tmp_path / "out.recording"
    killed = Script(ROOT, command)
    killed.wait_for(lambda: journal.exists() and len(journal.read_text().splitlines()) > 2)
    killed.process.kill()
    killed.ended()
    played = len(journal.read_text().splitlines()) - 1
    kept = Recording(beside).names()
    assert 2 <= played <= len(kept) <= played + 2
    for name in kept:
        assert pq.ParquetFile(beside / "worlds" / name / "factories.parquet").read().num_rows == 2
    done = in_forked_process(ROOT, command)
    assert done.returncode == 0, done.stderr
    assert not beside.exists()
    assert tables(tmp_path / "out", "worlds")["world"].tolist() == [f"{i // 2:06d}-0-{i % 2}" for i in range(16)]


def test_a_journal_of_unrecorded_worlds_is_not_gone_on_with(tmp_path):
    plain = TournamentConfig(**SMALL, worlds=1)
    with Journal(tmp_path / "out", plain) as journal:
        world = Future()
        world.set_result({"value": []})
        journal.play(SimpleNamespace(play=lambda *_: world), ["x"], 0, Setting(3))
    with pytest.raises(InputError, match="record is None there, 1 here"):
        Journal(tmp_path / "out", TournamentConfig(**SMALL, worlds=1, record=1))


def test_a_world_of_other_players_than_in_the_scores_is_not_kept(tmp_path):
    recorder = Recorder.of_results(tmp_path / "out", 1)
    rows = []
    for play in range(3):
        played = [{"factory": i, "competitor": f"player {i}", "role": "competitor"} for i in range(4)]
        rows += [row | {"configuration": 0, "block": 0, "play": play} for row in reversed(played)]
        if play == 1:  # once played again with a substitute, and then not
            played[2] |= {"competitor": "greedy", "role": "substitute"}
        if play < 2:
            write_by_hand(recorder.folder, world_name(0, 0, play), factories=played)
    assert recorder.pack(rows) == 2
    assert Recording(recorder.folder).names() == ["000000-0-0"]
    assert recorder.pack(rows) == 2
