"""What a kill left beside a file or folder goes when it is written again; what others are writing stays."""

import os
import subprocess
import sys

from scml_gym.core.leftovers import remove_leftovers


def test_files_and_folders_of_processes_that_are_gone_are_removed(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    target = tmp_path / "out[1]"
    stays = [f".out[1].{os.getpid()}", ".out[1].txt", f".out1.{ended.pid}", f"out[1].{ended.pid}"]
    for name in (f".out[1].{ended.pid}", *stays):
        (tmp_path / name).write_text("")
    folder = tmp_path / ".out[1].99999999999"
    folder.mkdir()
    (folder / "part").write_text("")
    remove_leftovers(target)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(stays)
