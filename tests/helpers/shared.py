"""Folders that one process of a test run fills, and all of its processes use."""

import fcntl
import os


def made_once(tmp_path_factory, name, make):
    """The folder of that name, which ``make(folder)`` fills in one process, while others that need it wait."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    done = root / f"{name}.done"
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            (root / name).mkdir(exist_ok=True)
            make(root / name)
            done.touch()
    return root / name
