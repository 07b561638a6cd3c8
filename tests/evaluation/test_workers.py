"""Whoever dies, nobody waits for it: a worker, the world that it plays, or the process that leads them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scml_gym.evaluation import pool
from scml_gym.evaluation.pool import WorkerPool
from scml_gym.game.definition import Setting

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="the children of a process are not told here"),
]

START = pool.start_process

PLAYERS = "tests.helpers.evaluation_players"
HANGS = [f"{PLAYERS}:Handles", f"{PLAYERS}:Hangs"]


@pytest.fixture(autouse=True)
def new_interpreters(monkeypatch):
    """Workers start as users' do: other tests have them forked."""
    monkeypatch.setattr(pool, "start_process", START)


def children(pid):
    return [int(child) for path in Path(f"/proc/{pid}/task").glob("*/children") for child in path.read_text().split()]


def wait_for(condition):
    """What a condition gives, when it gives something."""
    end = time.monotonic() + 300
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return found


def gone(pids):
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_a_worker_that_dies_is_replaced_and_its_world_ends_by_itself():
    before = set(children(os.getpid()))
    with WorkerPool(1, limit=15.0) as workers:  # to load and to compile takes none of it
        workers.load(HANGS)
        world = workers.play(HANGS, 1, Setting(3))
        (worker,) = wait_for(lambda: set(children(os.getpid())) - before)
        playing = wait_for(lambda: children(worker))
        os.kill(worker, signal.SIGKILL)
        assert world.result(timeout=30.0) == {"failure": "crash", "message": "the worker process died", "player": -1}
        assert len(workers.play(HANGS[:1] * 2, 1, Setting(3)).result(timeout=300.0)["value"]) == 2
        wait_for(lambda: gone(playing))


def test_worlds_end_with_the_process_that_leads_them():
    script = (
        "from scml_gym.evaluation.pool import WorkerPool\n"
        "from scml_gym.game.definition import Setting\n"
        f"with WorkerPool(1, limit=500.0) as pool:\n    pool.play({HANGS}, 1, Setting(3)).result()\n"
    )
    leader = subprocess.Popen([sys.executable, "-c", script])
    (worker,) = wait_for(lambda: children(leader.pid))
    playing = wait_for(lambda: children(worker))
    leader.kill()
    leader.wait()
    wait_for(lambda: gone([worker, *playing]))
