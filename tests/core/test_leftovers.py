"""What a kill left of a file or folder goes when it is written again; what others are writing stays."""

import os
import subprocess
import sys

from scml_gym.core.leftovers import remove_leftovers, remove_leftovers_of


def test_leftovers_of_a_kill_go_and_nothing_else(tmp_path):
    mine = [".a.12.unfinished", ".run.json.7.unfinished"]
    others = [".a.12", "a.12.unfinished", ".unfinished", ".a.x.unfinished", "b"]
    for name in [*mine, *others]:
        (tmp_path / name).write_text("x")
    (tmp_path / ".f.3.unfinished").mkdir()
    (tmp_path / ".l.4.unfinished").symlink_to(tmp_path / "b")
    remove_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(others)


def test_files_and_folders_of_processes_that_are_gone_are_removed(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    target, long = tmp_path / "out[1]", tmp_path / ("x" * 60)
    names = [f".out[1].{os.getpid()}", ".out[1].txt", f".out1.{ended.pid}", f"out[1].{ended.pid}"]
    stays = [f"{name}.unfinished" for name in names]
    for name in (f".out[1].{ended.pid}.unfinished", f".{'x' * 40}.{ended.pid}.unfinished", *stays):
        (tmp_path / name).write_text("")
    folder = tmp_path / ".out[1].99999999999.unfinished"
    folder.mkdir()
    (folder / "part").write_text("")
    remove_leftovers_of(target)
    remove_leftovers_of(long)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(stays)
