"""Scripts of the repository, run as on a command line.

A new interpreter needs seconds to load torch and scml, many times in a test run. So most scripts run in a process that
is forked from one that has loaded such packages, and nothing of this one: it differs from a new interpreter by that,
and by the state of NumPy's global generator. `in_new_interpreter` starts one, for tests of what a process is from its
start on (its hash seed, what it loads).
"""

import atexit
import functools
import gc
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

TIMEOUT = 300
"""Seconds that a script may take."""

LOADED = ("duckdb", "gymnasium", "matplotlib.pyplot", "numba", "pandas", "pettingzoo", "pyarrow.parquet", "rich")
LOADED += ("sb3_contrib", "scml.oneshot", "scml.std", "stable_baselines3", "torch", "torch._dynamo")
LOADED += ("torch.utils.tensorboard", "typer", "yaml")
"""What scripts find loaded: of the packages that they use, those that take long. No test changes what these read of the
environment when they are loaded."""


def in_new_interpreter(folder, command, variables):
    """Run ``[sys.executable, ...]`` in a folder, with further environment variables; as `subprocess.run`."""
    environment = _environment() | variables
    return subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT
    )


def in_forked_process(folder, command):
    """Run ``[sys.executable, script, *arguments]`` or ``[sys.executable, "-m", module, *arguments]`` in a folder."""
    if sys.platform == "darwin":  # whose libraries do not work in a process that was forked
        return in_new_interpreter(folder, command, {})
    with tempfile.TemporaryDirectory() as kept:
        paths = [f"{kept}/out", f"{kept}/err"]
        environment = _environment() | {"PYTHONHASHSEED": "0"}
        code = _Server.running().ask(
            {"folder": str(folder), "command": command[1:], "environment": environment, "output": paths}
        )
        return subprocess.CompletedProcess(command, code, *(Path(path).read_text() for path in paths))


def _environment():
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))}


class _Server:
    """The process that is forked, seen from the tests."""

    def __init__(self):
        command = [sys.executable, "-m", __name__]
        environment = _environment() | {"PYTHONHASHSEED": "0"}
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        atexit.register(self._process.communicate)

    @classmethod
    @functools.cache
    def running(cls):
        """The one of this process."""
        return cls()

    def ask(self, request):
        """Have a script run; its exit code."""
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def _serve():
    """Run one script after the other, each in a child."""
    for package in LOADED:
        importlib.import_module(package)
    gc.collect()
    gc.freeze()
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            answers.close()
            return _run(json.loads(line))
        answers.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")
        answers.flush()
    return None


def _run(request):
    """Be the process of a script: it ends as one, as this function is the last thing of the process."""
    for descriptor, path in enumerate([os.devnull, *request["output"]]):
        file = os.open(path, os.O_RDWR | os.O_CREAT)
        os.dup2(file, descriptor)
        os.close(file)
    signal.alarm(TIMEOUT)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    script, *arguments = request["command"]
    if script == "-m":
        sys.path[0] = os.getcwd()
        sys.argv = arguments
        runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = str(Path(script).resolve().parent)
        sys.argv = [script, *arguments]
        runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    _serve()
