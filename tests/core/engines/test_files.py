"""Files that go from one machine to another."""

import pytest

from scml_gym.core.engines import sent_files
from scml_gym.core.engines.files import Changes, Watched, apply, put_files, put_output, read_files, take_files
from scml_gym.core.engines.sent_files import SentFiles, unpack
from scml_gym.core.errors import InputError


def tree(folder):
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_that_is_changed_as_another_one_is_equal_to_it(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    files = {"run.json": b"1", "checkpoints/1/policy": b"a", "checkpoints/1/more/x": b"b"}
    for folder in (one, other):
        put_files(folder, files)
    watched = Watched(one)
    assert watched.changes() == Changes()
    (one / "run.json").write_text("22")
    put_files(one, {"checkpoints/2/policy": b"c"})
    (one / "checkpoints" / "1" / "more" / "x").unlink()
    (one / ".lock").touch()
    changes = watched.changes()
    assert changes == Changes({"checkpoints/2/policy": b"c", "run.json": b"22"}, ("checkpoints/1/more/x",))
    apply(other, changes)
    assert tree(other) == {"run.json": "22", "checkpoints/1/policy": "a", "checkpoints/2/policy": "c"}
    assert not (other / "checkpoints" / "1" / "more").exists()
    assert watched.changes() == Changes()


def test_named_files_are_read_and_a_folder_is_emptied(tmp_path):
    put_files(tmp_path, {"a": b"1", "b/c": b"2", "b/.d": b"3", "e": b"4"})
    assert read_files(tmp_path, ["a", "b", "none"]) == {"a": b"1", "b/c": b"2"}
    assert take_files(tmp_path) == {"a": b"1", "b/c": b"2", "e": b"4"}
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_output_is_replaced_as_a_whole(tmp_path):
    put_output(tmp_path, {"head": b"1", "worlds/a/offers": b"1", "worlds/a/days": b"1", "worlds/b/days": b"1"})
    put_output(tmp_path, {"head": b"2", "worlds/a/days": b"2"})
    assert tree(tmp_path) == {"head": "2", "worlds/a/days": "2", "worlds/b/days": "1"}


@pytest.fixture
def here(tmp_path, monkeypatch):
    folder = tmp_path / "here"
    files = {
        "own.py": b"",
        "part/more.py": b"",
        ".venv/x.py": b"",
        "env/pyvenv.cfg": b"",
        "env/x.py": b"",
        "data": b"1",
    }
    put_files(folder, files | {"runs/a/run.json": b"{}", "runs/a/best/policy": b"p", "runs/b/run.json": b"{}"})
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_modules_and_what_is_named_are_sent(here, tmp_path):
    sent = SentFiles()
    data = {"names": ["greedy", "runs/a/best", str(here / "data")], "n": 3, "path": here / "data", "null": "\0"}
    there = sent.add(data)
    assert there == data | {"names": ["greedy", "runs/a/best", "data"], "path": there["path"]}
    assert str(there["path"]) == "data"
    unpack(sent.pack(), tmp_path / "there")
    assert set(tree(tmp_path / "there")) == {"own.py", "part/more.py", "data", "runs/a/run.json", "runs/a/best/policy"}
    assert sent.elsewhere == set()


def test_what_is_outside_the_current_folder_must_be_on_each_machine(here, tmp_path):
    sent = SentFiles()
    assert sent.add(["../there", str(tmp_path / "there")]) == [str(tmp_path / "there")] * 2
    assert sent.elsewhere == {str(tmp_path / "there")}


def test_too_much_is_refused(here, monkeypatch):
    monkeypatch.setattr(sent_files, "MOST_MODULES", 1)
    with pytest.raises(InputError, match=r"here has more than 1 Python files, .*; start in a folder of your own$"):
        SentFiles().pack()
    monkeypatch.setattr(sent_files, "MOST_MODULES", 10)
    monkeypatch.setattr(sent_files, "MOST_BYTES", 1)
    sent = SentFiles()
    sent.add("runs/a")
    with pytest.raises(InputError, match=r"are more than 1 bytes, too much to be sent: have files on each machine"):
        sent.pack()
