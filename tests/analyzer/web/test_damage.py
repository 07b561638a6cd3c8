"""Recordings that are damaged, by accident or on purpose: what is whole is shown, the rest is told in a line."""

import copy
import json
import os
import pickle
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytest.importorskip("duckdb", reason="pip install 'scml-gym[analyzer]'")
pytest.importorskip("dash_ag_grid", reason="pip install 'scml-gym[analyzer]'")

from scml_gym.analyzer import open_recordings
from scml_gym.analyzer.queries import worlds
from scml_gym.analyzer.report import report
from scml_gym.analyzer.sources import open_readable
from scml_gym.analyzer.web.app import answer, page_content
from scml_gym.analyzer.web.pages import PAGES
from scml_gym.core.errors import InputError
from tests.helpers.components import as_json, texts
from tests.helpers.recordings import NAMES, play_recorded


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """A recording of two worlds, ``a`` and ``b``."""
    folder = tmp_path_factory.mktemp("damage") / "run"
    for name in ("a", "b"):
        play_recorded(folder, name, NAMES, days=3)
    return folder


@pytest.fixture
def folder(played, tmp_path):
    return shutil.copytree(played, tmp_path / "run")


def table(folder, name):
    return folder / "worlds" / "b" / f"{name}.parquet"


def replace_column(path, name, values):
    content = pq.ParquetFile(path).read()
    place = content.schema.get_field_index(name)
    pq.write_table(content.set_column(place, name, pa.array(values(content[name].to_pylist()))), path)


def empty(folder):
    table(folder, "offers").write_bytes(b"")


def text(folder):
    table(folder, "days").write_text("day,factory\n0,1\n")


def half(folder):
    path = table(folder, "contracts")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def other_columns(folder):
    pq.write_table(pa.table({"world": ["b"], "x": [1]}), table(folder, "days"))


def other_types(folder):
    replace_column(table(folder, "factories"), "level", lambda values: [f"{value}" for value in values])


def twice_the_column(folder):
    content = pq.ParquetFile(table(folder, "days")).read()
    pq.write_table(content.append_column("day", content["day"]), table(folder, "days"))


def a_pipe(folder):
    table(folder, "offers").unlink()
    os.mkfifo(table(folder, "offers"))


def a_folder(folder):
    table(folder, "offers").unlink()
    table(folder, "offers").mkdir()


def a_dangling_link(folder):
    table(folder, "offers").unlink()
    table(folder, "offers").symlink_to("/nowhere")


def no_worlds(folder):
    table(folder, "worlds").unlink()


def a_name_that_is_no_text(folder):
    os.rename(folder / "worlds" / "b", os.fsencode(folder / "worlds") + b"/\xff")


LEFT_OUT = [
    *(empty, text, half, other_columns, other_types, twice_the_column),
    *(a_pipe, a_folder, a_dangling_link, no_worlds, a_name_that_is_no_text),
]


@pytest.mark.parametrize("damage", LEFT_OUT, ids=lambda damage: damage.__name__)
def test_a_damaged_world_is_left_out_and_told_in_a_line(folder, damage):
    damage(folder)
    with open_readable(folder) as recordings:
        (problem,) = recordings.problems
        assert "run: world" in problem and "is left out: " in problem
        assert worlds.names(recordings, 0) == ["a"]
        json.dumps(as_json(page_content(recordings, "/", "")))


def strange_numbers(folder):
    replace_column(table(folder, "factories"), "score", lambda values: [float("inf"), float("nan"), -1e308, 1e308])


def factories_that_are_not_there(folder):
    for name in ("seller", "buyer"):
        replace_column(
            table(folder, "contracts"), name, lambda values: pa.array([value + 90 for value in values], pa.int8())
        )


def strange_names(folder):
    replace_column(table(folder, "factories"), "role", lambda values: ["competitor", "x'), alert(1), ('", "\x00", "🦆"])
    replace_column(table(folder, "factories"), "competitor", lambda values: ["", "%00&a=b#?", "'\"\\", "\ud7ff\n" * 50])


def no_factories(folder):
    table(folder, "factories").unlink()


def nothing_but_worlds(folder):
    for path in (folder / "worlds" / "b").iterdir():
        if path.stem != "worlds":
            path.unlink()


STRANGE = [strange_numbers, factories_that_are_not_there, strange_names, no_factories, nothing_but_worlds]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::UserWarning")
@pytest.mark.parametrize("damage", STRANGE, ids=lambda damage: damage.__name__)
def test_what_is_strange_is_shown_or_told_in_a_sentence(folder, damage):
    damage(folder)
    with open_readable(folder) as recordings:
        for path in PAGES:
            for search in ("?world=b&day=1", "?world=a"):
                later = [answer(show, recordings, search) for show in PAGES[path].later.values()]
                shown = as_json([*page_content(recordings, path, search), *later])
                assert not [text for text in texts(shown) if "This page failed" in text], (path, search)
                assert "alert(1), ('')" not in json.dumps([part for part in shown if "eventListeners" in str(part)])
        assert report(recordings).startswith("<!doctype html>")


@pytest.mark.parametrize(
    "head", ["[" * 100_000, '{"schema": 3}', '{"schema": null}', '{"schema": ["scml-gym-recording-3"]}', "\x00", "{}"]
)
def test_a_head_that_is_none_is_refused(folder, head):
    (folder / "recording.json").write_text(head)
    with pytest.raises(InputError, match=r"is no recording|of schema"):
        open_recordings(folder)


def test_open_recordings_are_no_things_to_copy(folder):
    with open_recordings(folder) as recordings:
        for twin in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(TypeError, match="Recordings cannot be copied or pickled"):
                twin(recordings)


def test_two_look_at_the_same_folder(folder):
    with open_recordings(folder) as one, open_recordings(folder) as other:
        assert worlds.names(one, 0) == worlds.names(other, 0) == ["a", "b"]
        one.close()
        assert worlds.names(other, 0) == ["a", "b"]
