"""Files are written whole, on the disk before they appear, and what is refused is told about the file."""

import errno
import os
import resource
import sys
from pathlib import Path

import pytest

from scml_gym.core import files
from scml_gym.core.cli import PIPE_BROKEN, run_main
from scml_gym.core.errors import InputError
from scml_gym.core.files import new_folder, replace_file, write_arrays
from scml_gym.core.worker_processes import worker_processes


@pytest.fixture
def small_files():
    """No file may grow beyond 100 bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_where_there_is_no_room_the_error_names_the_file_and_the_old_one_stays(tmp_path, small_files):
    place = tmp_path / "x.txt"
    replace_file(place, "old")
    for write in (lambda: replace_file(place, "n" * 1000), lambda: write_arrays(place, {"a": list(range(1000))})):
        with pytest.raises(OSError) as error:
            write()
        assert (error.value.errno, error.value.filename) == (errno.EFBIG, str(place))
    with pytest.raises(OSError) as error, new_folder(tmp_path / "new") as filling:
        (filling / "y").write_bytes(b"y" * 1000)
    assert str(tmp_path) in str(error.value.filename)
    assert [path.name for path in tmp_path.iterdir()] == ["x.txt"] and place.read_text() == "old"


def test_what_is_written_is_on_the_disk_before_it_appears(tmp_path, monkeypatch):
    done = []
    for name in ("fsync", "replace"):
        known = getattr(os, name)
        monkeypatch.setattr(files.os, name, lambda *a, name=name, known=known: (done.append(name), known(*a))[1])
    replace_file(tmp_path / "x", "x")
    assert done == ["fsync", "replace", "fsync"]
    done.clear()
    with new_folder(tmp_path / "y") as filling:
        (filling / "a").write_text("a")
        (filling / "b").mkdir()
    assert done.index("replace") >= 3 and done[-1] == "fsync"


def test_a_link_is_replaced_and_not_written_through(tmp_path):
    (tmp_path / "letter").write_text("dear")
    (tmp_path / "x").symlink_to(tmp_path / "letter")
    replace_file(tmp_path / "x", "new")
    assert (tmp_path / "letter").read_text() == "dear" and not (tmp_path / "x").is_symlink()


def test_a_device_is_not_replaced(tmp_path):
    """`--out /dev/stdout`, for instance, as root."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileExistsError) as error:
        replace_file(tmp_path / "pipe", "new")
    assert error.value.filename == str(tmp_path / "pipe") and (tmp_path / "pipe").is_fifo()
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_the_longest_name_of_a_file_can_be_written(tmp_path):
    replace_file(tmp_path / ("x" * 250), "x")
    with pytest.raises(OSError) as error:
        replace_file(tmp_path / ("x" * 300), "x")
    assert error.value.errno == errno.ENAMETOOLONG


def test_without_room_in_shared_memory_workers_are_refused(monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("multiprocessing.synchronize.SemLock.__init__", full)
    with pytest.raises(InputError, match=r"^/dev/shm: No space left on device, where 2 worker"), worker_processes(2):
        pass


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG, errno.ENAMETOOLONG, errno.EIO, errno.EROFS, errno.ELOOP])
def test_a_command_tells_what_the_system_refuses_in_one_line(number, capsys):
    def main():
        raise OSError(number, os.strerror(number), "runs/x")

    with pytest.raises(SystemExit) as end:
        run_main(main)
    assert end.value.code == 2
    assert capsys.readouterr().err == f"error: runs/x: {os.strerror(number)}\n"


def test_without_memory_a_command_says_so(capsys):
    with pytest.raises(SystemExit) as end:
        run_main(lambda: [0] * 2**62)
    assert end.value.code == 2 and capsys.readouterr().err == "error: out of memory\n"


def test_a_reader_that_goes_ends_a_command_without_a_word(in_a_process):
    code = "from scml_gym.core.cli import run_main; run_main(lambda: [print('x' * 1000) for _ in range(1000)] and 0)"
    assert in_a_process(code) == (PIPE_BROKEN, "")


@pytest.fixture
def in_a_process():
    """Runs code whose stdout nobody reads; its exit code and stderr."""
    import subprocess

    def run(code):
        process = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        process.stdout.read(10)
        process.stdout.close()
        said = process.stderr.read()
        return process.wait(30), said

    return run


def test_the_temporary_name_is_no_glob_of_others(tmp_path):
    (tmp_path / "important").write_text("x")
    replace_file(Path(tmp_path / "important"), "y")
    assert [path.name for path in tmp_path.iterdir()] == ["important"]
