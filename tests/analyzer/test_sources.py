"""Recordings that are opened: bad folders and damaged files cost a line each, and what is still written is seen."""

import json
import re
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from scml_gym.core.cli import INTERRUPTED
from scml_gym.core.errors import InputError
from scml_gym.simulator.recording.folder import Recording
from scml_gym.simulator.recording.packing import pack
from scml_gym.simulator.recording.schema import TABLES, VERSION, schema_name
from tests.helpers.recordings import NAMES, play_recorded
from tests.helpers.scripts import Script

pytest.importorskip("duckdb", reason="pip install 'scml-gym[analyzer]'")

from scml_gym.analyzer import open_recordings
from scml_gym.analyzer.queries import competitors, worlds
from scml_gym.analyzer.sources import open_readable


def test_bad_folders_are_refused_in_one_line(tmp_path):
    for folder, told in ((tmp_path / "none", "does not exist"), (tmp_path, "holds no recording")):
        with pytest.raises(InputError, match=re.escape(f"{folder} {told}")):
            open_recordings(folder)
    (tmp_path / "recording.json").write_text('{"schema": "scml-gym-recording-9"}')
    with pytest.raises(InputError, match="scml-gym-recording-9"):
        open_recordings(tmp_path)
    with pytest.raises(InputError, match="at least one"):
        open_recordings()


def test_a_recording_of_the_version_before_can_be_read_and_not_added_to(tmp_path):
    play_recorded(tmp_path, "a", NAMES[:1] * 2, days=3)
    path = tmp_path / "worlds" / "a" / "factories.parquet"
    table = pq.ParquetFile(path).read()
    new = [name for name, column in TABLES["factories"].items() if column.since == VERSION]
    pq.write_table(table.drop_columns(new), path)
    (tmp_path / "recording.json").write_text(json.dumps({"schema": schema_name(VERSION - 1)}))
    with open_recordings(tmp_path) as recordings:
        (answer,) = worlds.factories(recordings, 0, "a")["competitor"].unique()
        assert answer == NAMES[0]
        assert recordings.ask("SELECT acts FROM players")["acts"].isna().all()
        assert not len(competitors.unsafe_acts(recordings))
    with pytest.raises(InputError, match="can be looked at, and not added to"):
        Recording(tmp_path)


def test_a_file_that_is_cut_off_costs_its_world_and_new_worlds_are_seen(tmp_path):
    for name in ("a", "b"):
        play_recorded(tmp_path / "run.recording", name, NAMES[:1] * 2, days=3)
    path = tmp_path / "run.recording" / "worlds" / "a" / "offers.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    with open_recordings(tmp_path / "run") as recordings:  # by the name that the results will have
        assert recordings.problems == ["run: world a is left out: offers.parquet cannot be read"]
        assert worlds.worlds(recordings)["world"].tolist() == ["b"]
        play_recorded(tmp_path / "run.recording", "c", NAMES[:1] * 2, days=3)
        recordings.refresh()
        assert worlds.worlds(recordings)["world"].tolist() == ["b", "c"]


def test_a_packed_table_that_is_cut_off_costs_that_table(tmp_path):
    play_recorded(tmp_path, "a", NAMES[:1] * 2, days=3)
    pack(Recording(tmp_path))
    for table, told in (("offers", "offers of the packed worlds are left out"), ("worlds", "worlds of the packed")):
        path = tmp_path / "packed" / f"{table}.parquet"
        path.write_bytes(path.read_bytes()[:-9])
        with open_recordings(tmp_path) as recordings:
            assert any(told in problem for problem in recordings.problems)
            assert not len(recordings.ask(f"SELECT * FROM {table}"))
            assert len(recordings.ask("SELECT * FROM days"))


def test_a_file_that_is_damaged_inside_is_told(tmp_path):
    for name in ("a", "b"):
        play_recorded(tmp_path, name, NAMES[:1] * 2, days=3)
    path = tmp_path / "worlds" / "a" / "days.parquet"
    content = path.read_bytes()
    with open_recordings(tmp_path) as recordings:
        footer = 8 + int.from_bytes(content[-8:-4], "little")
        path.write_bytes(content[:4] + bytes(len(content) - 4 - footer) + content[-footer:])  # its rows
        with pytest.raises(InputError, match="a file of the recordings cannot be read"):
            worlds.days_of_world(recordings, 0, "a")
        assert worlds.names(recordings, 0) == ["a", "b"]
        path.write_bytes(content[:-footer] + bytes(footer - 8) + content[-8:])  # what it says of itself
        recordings.refresh()
        assert recordings.problems == [f"{tmp_path.name}: world a is left out: days.parquet cannot be read"]
        assert worlds.names(recordings, 0) == ["b"]


def test_a_tournament_that_ends_while_it_is_looked_at(tmp_path):
    play_recorded(tmp_path / "run.recording", "a", NAMES[:1] * 2, days=3)
    with open_recordings(tmp_path / "run") as recordings:
        asked = worlds.day(recordings, 0, "a", 1)
        pack(Recording(tmp_path / "run.recording"))
        (tmp_path / "run").mkdir()
        (tmp_path / "run.recording").rename(tmp_path / "run" / "recording")
        pd.testing.assert_frame_equal(worlds.day(recordings, 0, "a", 1), asked)
        assert recordings.runs[0].results == tmp_path / "run"


def test_what_is_closed_says_so(tmp_path):
    play_recorded(tmp_path, "a", NAMES[:1] * 2, days=3)
    recordings = open_recordings(tmp_path)
    with ThreadPoolExecutor(4) as threads:
        asked = [threads.submit(worlds.scores, recordings) for _ in range(8)]
        recordings.close()
    assert all(one.exception() is None or "are closed" in str(one.exception()) for one in asked)
    recordings.close()
    with pytest.raises(InputError, match="these recordings are closed"):
        worlds.runs(recordings)


@pytest.mark.parametrize("folder", ["", 3, True, None, ["x"], "a\0b", "\udcff\0"])
def test_what_is_no_folder_is_recorded_to_in_no_way(folder):
    with pytest.raises(InputError, match=r"^recording=.*; valid: the path of a folder$|null byte") as error:
        Recording(folder)
    assert "\n" not in str(error.value)


def test_a_recording_stays_where_it_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recording = Recording("here")
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "there")
    assert recording.folder == tmp_path / "here"


def test_questions_and_limits_that_duckdb_does_not_know_are_told(tmp_path):
    play_recorded(tmp_path, "a", NAMES[:1] * 2, days=3)
    for memory in ("", "much", 3):
        with pytest.raises(InputError, match=r"^memory=.*Memory must|^memory=.*nknown unit"):
            open_recordings(tmp_path, memory=memory)
    with open_recordings(tmp_path) as recordings, pytest.raises(InputError, match="the question is empty"):
        recordings.ask(" ")


ENDLESS = """\
from pathlib import Path
from scml_gym.analyzer import open_recordings
from scml_gym.core.cli import run_main

def ask():
    with open_recordings("recording") as recordings:
        Path("asks").touch()
        while True:
            recordings.ask("SELECT sum(sqrt(a.range * b.range)) FROM range(20000) a, range(2000) b")

if __name__ == "__main__":
    run_main(ask)
"""


@pytest.mark.slow
def test_questions_are_interrupted_as_everything_is(tmp_path):
    play_recorded(tmp_path / "recording", "a", NAMES[:1] * 2, days=3)
    (tmp_path / "endless.py").write_text(ENDLESS)
    script = Script(tmp_path, [sys.executable, tmp_path / "endless.py"])
    script.wait_for((tmp_path / "asks").exists)
    time.sleep(0.5)  # DuckDB works
    script.signal(signal.SIGINT)
    done = script.ended()
    assert (done.returncode, done.stdout, done.stderr) == (INTERRUPTED, "", "interrupted\n")


def test_what_can_be_opened_is_opened(tmp_path):
    play_recorded(tmp_path / "good", "a", NAMES[:1] * 2, days=3)
    with open_readable(tmp_path / "none", tmp_path / "good") as recordings:
        assert [run.label for run in recordings.runs] == ["good"]
        assert recordings.problems == [
            f"{tmp_path / 'none'} does not exist; a recording is made by scml-gym evaluate --record"
        ]
    with pytest.raises(InputError, match="does not exist"):
        open_readable(tmp_path / "none")
    with pytest.raises(InputError, match="at least one"):
        open_readable()


def test_a_folder_that_is_named_like_a_column_is_none(tmp_path):
    play_recorded(tmp_path / "seed=3" / "day=1", "a", NAMES[:1] * 2, seed=5, days=3)
    with open_recordings(tmp_path / "seed=3" / "day=1") as recordings:
        assert worlds.worlds(recordings, 0)["seed"].tolist() == [5]
        assert worlds.days_of_world(recordings, 0, "a")["day"].max() == 2


def test_what_duckdb_spills_goes_to_a_temporary_folder_that_is_removed(tmp_path):
    Recording(tmp_path)
    with open_recordings(tmp_path) as recordings:
        (place,) = recordings.ask("SELECT current_setting('temp_directory') AS place")["place"]
        assert Path(place).is_absolute()
        assert Path(place).name.startswith("scml-gym-")
    assert not Path(place).exists()


def broken_footer(path):
    """A Parquet file that has its end, and says nothing of itself that can be read."""
    content = path.read_bytes()
    footer = 8 + int.from_bytes(content[-8:-4], "little")
    path.write_bytes(content[:-footer] + bytes(footer - 8) + content[-8:])


@pytest.mark.parametrize("packed", [False, True])
def test_a_footer_that_is_damaged_costs_its_world_wherever_it_stands(tmp_path, packed):
    for name in ("a", "b"):
        play_recorded(tmp_path / "run", name, NAMES[:1] * 2, days=3)
    if packed:
        pack(Recording(tmp_path / "run"))
    broken_footer(tmp_path / "run" / ("packed/worlds.parquet" if packed else "worlds/b/days.parquet"))
    with open_readable(tmp_path / "run") as recordings:
        told = "worlds of the packed worlds are left out: worlds" if packed else "world b is left out: days"
        assert recordings.problems == [f"run: {told}.parquet cannot be read"]
        assert worlds.names(recordings, 0) == ([] if packed else ["a"])
        assert len(recordings.ask("SELECT DISTINCT world FROM days")) == (2 if packed else 1)


def test_packed_names_that_are_damaged_cost_the_table_of_worlds(tmp_path):
    play_recorded(tmp_path / "run", "a", NAMES[:1] * 2, days=3)
    pack(Recording(tmp_path / "run"))
    path = tmp_path / "run" / "packed" / "worlds.parquet"
    content = path.read_bytes()
    footer = 8 + int.from_bytes(content[-8:-4], "little")
    path.write_bytes(content[:4] + bytes(len(content) - 4 - footer) + content[-footer:])
    with open_readable(tmp_path / "run") as recordings:
        assert recordings.problems == ["run: worlds of the packed worlds are left out: worlds.parquet cannot be read"]
        assert len(recordings.ask("SELECT * FROM days"))


def test_a_tournament_that_ends_is_found_by_the_name_of_its_recording_too(tmp_path):
    play_recorded(tmp_path / "run.recording", "a", NAMES[:1] * 2, days=3)
    with open_recordings(tmp_path / "run.recording") as recordings:
        (tmp_path / "run").mkdir()
        (tmp_path / "run.recording").rename(tmp_path / "run" / "recording")
        recordings.refresh()
        assert not recordings.problems
        assert worlds.names(recordings, 0) == ["a"]
        assert recordings.runs[0].results == tmp_path / "run"
        (tmp_path / "run").rename(tmp_path / "elsewhere")
        recordings.refresh()
        assert recordings.problems == [f"run.recording: its recording is no longer in {tmp_path / 'run' / 'recording'}"]


@pytest.mark.parametrize("name", [".", "..", "/", "x" * 300])
def test_folders_by_any_name_are_refused_in_a_line(tmp_path, monkeypatch, name):
    (tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a" / "b")
    with pytest.raises(InputError, match=r"holds no recording|too long"):
        open_recordings(name)


def test_the_current_folder_can_be_opened(tmp_path, monkeypatch):
    play_recorded(tmp_path / "run", "a", NAMES[:1] * 2, days=3)
    (tmp_path / "run" / "inner").mkdir()
    for folder, name in (("run", "."), ("run/inner", "..")):
        monkeypatch.chdir(tmp_path / folder)
        with open_recordings(name) as recordings:
            assert [run.label for run in recordings.runs] == ["run"]


def test_an_empty_recording_can_be_asked(tmp_path):
    Recording(tmp_path)
    with open_recordings(tmp_path) as recordings:
        assert not len(worlds.runs(recordings))
        assert not len(competitors.acceptance(recordings))
