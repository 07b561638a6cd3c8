"""Whoever dies, nobody waits for it: a worker, the world that it plays, or the process that leads them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scml_gym.evaluation import pool as worker_pool
from scml_gym.evaluation.isolation.descendants import descendants
from scml_gym.evaluation.pool import WorkerPool
from scml_gym.game.definition import Setting

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="the children of a process are not told here"),
]

START = worker_pool.start_process

HANGS, SLOW = (["greedy", f"tests.helpers.evaluation_players:{name}"] for name in ("Hangs", "Slow"))


@pytest.fixture(autouse=True)
def new_interpreters(monkeypatch):
    """Workers start as users' do: other tests have them forked."""
    monkeypatch.setattr(worker_pool, "start_process", START)


def wait_for(condition):
    """What a condition gives, when it gives something."""
    end = time.monotonic() + 300
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return found


def gone(pids):
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_workers_have_one_hash_seed_whatever_that_of_the_process_that_leads_them(monkeypatch):
    given = []
    monkeypatch.setenv("PYTHONHASHSEED", "5")
    monkeypatch.setattr(worker_pool, "start_process", lambda command, environment: given.append(environment))
    worker_pool.Worker()
    assert [environment["PYTHONHASHSEED"] for environment in given] == ["0"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_worker_that_is_killed_or_stopped_costs_time_alone(number):
    before = set(descendants(os.getpid()))
    with WorkerPool(1, limit=60.0) as pool:
        pool.load(SLOW)
        world = pool.play(SLOW, 1, Setting(3))
        # the worker, the process in which players are loaded, and that of the world
        playing = wait_for(lambda: (found := sorted(set(descendants(os.getpid())) - before))[2:] and found)
        os.kill(playing[0], number)
        again = pool.play(SLOW, 1, Setting(3))
        assert world.result(timeout=120.0) == again.result(timeout=120.0)
        assert len(world.result()["value"]) == 2
        wait_for(lambda: gone(playing))


def test_worlds_end_with_the_process_that_leads_them():
    script = (
        "from scml_gym.evaluation.pool import WorkerPool\n"
        "from scml_gym.game.definition import Setting\n"
        f"with WorkerPool(1, limit=500.0) as pool:\n    pool.load({HANGS})\n"
        f"    pool.play({HANGS}, 1, Setting(3)).result()\n"
    )
    leader = subprocess.Popen([sys.executable, "-c", script])
    playing = wait_for(lambda: (found := descendants(leader.pid))[2:] and found)
    leader.kill()
    leader.wait()
    wait_for(lambda: gone(playing))
