"""Processes that are forked from one that has loaded torch and scml, and nothing of this package.

A new interpreter needs seconds to load them, many times in a test run. A forked process differs from it by what it
finds loaded, and by the state of NumPy's global generator; its hash seed is 0.
"""

import atexit
import contextlib
import fcntl
import functools
import gc
import importlib
import io
import json
import multiprocessing.popen_spawn_posix
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import types
import warnings
from pathlib import Path

from tests.helpers.huge_pages import join_pages
from tests.helpers.plain_errors import without_colours

ROOT = Path(__file__).resolve().parents[2]

LOADED = ("duckdb", "gymnasium", "matplotlib.pyplot", "numba", "pandas", "pettingzoo", "pyarrow.parquet", "rich")
LOADED += ("pydantic", "sb3_contrib", "scml.oneshot", "scml.std", "stable_baselines3", "torch", "torch._dynamo")
LOADED += ("torch.utils.tensorboard", "typer", "yaml")
"""What a forked process finds loaded: of the packages that ours uses, those that take long. No test changes what these
read of the environment when they are loaded."""

WORKS = sys.platform != "darwin"
"""Whether the libraries of this system work in a process that was forked."""

_SERVER = "SCML_GYM_TESTS_SERVER"  # environment variable: the socket of the process that is forked
_SIZE = 8  # bytes of the number that says how long a request is
_MOST_DESCRIPTORS = 64  # of a process
_AWAY = 512  # descriptors from here on are in no process's way


def environment():
    """The variables of this process, with the repository where modules are found."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))}


class Forked:
    """A forked process, as far as tests and package use `subprocess.Popen`."""

    def __init__(self, command, link, stdin=None, stdout=None):
        self.args, self.stdin, self.stdout, self.returncode = command, stdin, stdout, None
        self._link, self._lock = link, threading.Lock()
        self.pid = self._told()

    def poll(self):
        """The exit code; None while it runs."""
        with self._lock:
            if self.returncode is None and select.select([self._link], [], [], 0)[0]:
                self.returncode = self._told()
                self._link.close()
        return self.returncode

    def wait(self, timeout=None):
        """The exit code, once it has ended."""
        if self.returncode is None and not select.select([self._link], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(self.args, timeout)
        return self.poll()

    def send_signal(self, number):
        """Send a signal, if it runs."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self):
        """End it."""
        self.send_signal(signal.SIGKILL)

    def _told(self):
        return int.from_bytes(self._link.recv(_SIZE), "big", signed=True)


def start(command, folder, environment, descriptors, stdin=None, stdout=None, own_workers="forked"):
    """Fork a process for ``[sys.executable, *options, script or "-m" and module or "-c" and code, *arguments]``.

    It is in a session of its own.

    Args:
        command: Of the options, only ``-W`` with an action.
        folder: Where it runs.
        environment: All variables.
        descriptors: What it has open, by the number that it has there; of a process that is to answer, 0 to 2 too.
        stdin: The other end of its stdin, for who asks for it.
        stdout: The other end of its stdout.
        own_workers: How it starts its own: ``forked``, or ``as users do``.
    """
    link = socket.socket(socket.AF_UNIX)
    link.connect(_server())
    request = {"command": command[1:], "folder": str(folder), "environment": environment, "numbers": list(descriptors)}
    request["own_workers"] = own_workers
    data = json.dumps(request).encode()
    socket.send_fds(link, [len(data).to_bytes(_SIZE, "big")], list(descriptors.values()))
    link.sendall(data)
    return Forked(command, link, stdin, stdout)


def start_worker(command, environment, own_workers="forked"):
    """`scml_gym.evaluation.pool.start_process`, forked; ``own_workers`` as `start`."""
    (its_stdin, stdin), (stdout, its_stdout) = os.pipe(), os.pipe()
    descriptors = {0: its_stdin, 1: its_stdout, 2: 2}
    process = start(
        command, os.getcwd(), environment, descriptors, os.fdopen(stdin, "wb"), os.fdopen(stdout, "rb"), own_workers
    )
    for descriptor in (its_stdin, its_stdout):
        os.close(descriptor)
    return process


def start_for_all():
    """Have all processes that this one starts fork from one: those of a test run, of which each would load its own."""
    os.environ[_SERVER] = _start_server()


def server():
    """The environment variable by which processes that others start find the one that they fork from."""
    return {_SERVER: _server()} if WORKS else {}


def variables():
    """Environment variables with which a new interpreter has its workers forked."""
    folders = [str(ROOT), str(Path(__file__).with_name("forking")), os.environ.get("PYTHONPATH")]
    return {"PYTHONPATH": os.pathsep.join(filter(None, folders))} | server()


def _server():
    """The address of the process that is forked: the one of the tests, in their scripts too."""
    return os.environ.get(_SERVER) or _start_server()


@functools.cache
def _start_server():
    """Who connects before it is ready waits."""
    folder = tempfile.TemporaryDirectory()
    address = f"{folder.name}/socket"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(64)
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.helpers.forks", str(listener.fileno()), address],
            cwd=ROOT,
            env=environment() | {"PYTHONHASHSEED": "0"},
            stdin=subprocess.PIPE,
            pass_fds=[listener.fileno()],
        )
    atexit.register(_end, folder, process)
    return address


def _end(folder, process):
    process.communicate()
    folder.cleanup()


def serve(descriptor, address):
    """Fork for those who connect to a listening socket, until stdin is closed."""
    for package in LOADED:
        importlib.import_module(package)
    sys.modules["numba"].njit(lambda x: x)(0)  # which fills Numba's tables
    without_colours()
    _draw()
    gc.collect()
    gc.freeze()
    join_pages()
    with socket.socket(fileno=descriptor) as listener:
        while 0 not in select.select([0, listener], [], [])[0]:
            link = listener.accept()[0]
            if os.fork() == 0:
                listener.close()
                return _keep(link, address)
            link.close()
            _reap()
    _reap()
    return None


def _draw():
    """A figure, before which Matplotlib looks for fonts and makes tables: a third of a second in each process."""
    from matplotlib.figure import Figure

    figure = Figure(layout="constrained")
    figure.add_subplot().plot([0.0, 1.0], label="a line")
    figure.axes[0].legend()
    figure.savefig(io.BytesIO())


def _reap():
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _keep(link, address):
    """Fork a process; tell its id, and how it ended."""
    size, descriptors, _, _ = socket.recv_fds(link, _SIZE, _MOST_DESCRIPTORS)
    left, parts = int.from_bytes(size, "big"), []
    while left:
        parts.append(link.recv(left))
        left -= len(parts[-1])
    request = json.loads(b"".join(parts))
    pid = os.fork()
    if pid == 0:
        link.close()
        return _run(request, descriptors, address)
    for descriptor in descriptors:
        os.close(descriptor)
    with contextlib.suppress(OSError):  # nobody wants to know
        link.sendall(pid.to_bytes(_SIZE, "big", signed=True))
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        link.sendall(code.to_bytes(_SIZE, "big", signed=True))
    os._exit(0)


def _run(request, descriptors, address):
    """Be that process, to its end: this function is the last thing of the process."""
    os.setsid()
    away = [fcntl.fcntl(given, fcntl.F_DUPFD, _AWAY) for given in descriptors]
    for given in descriptors:
        os.close(given)
    for number, given in zip(request["numbers"], away, strict=True):
        os.dup2(given, number)
        os.close(given)
    os.environ.clear()
    os.environ.update(request["environment"] | {_SERVER: address})
    os.chdir(request["folder"])
    first, *arguments = request["command"]
    if first == "-W":
        warnings.simplefilter(arguments[0])
        first, *arguments = arguments[1:]
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:] = [*paths, *(path for path in sys.path[1:] if path not in paths)]
    if not os.environ.get("PYTHONSAFEPATH"):
        sys.path.insert(0, os.getcwd() if first in ("-m", "-c") else str(Path(first).resolve().parent))
    if request["own_workers"] == "forked":
        fork_workers()
    try:
        if first == "-m":
            sys.argv = arguments
            runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
        elif first == "-c":
            sys.argv = [first, *arguments[1:]]
            main = sys.modules["__main__"] = types.ModuleType("__main__")
            exec(compile(arguments[0], "<string>", "exec"), vars(main))
        else:
            sys.argv = [first, *arguments]
            runpy.run_path(first, run_name="__main__")
    except SystemExit as end:
        if not isinstance(end.code, int | None):
            raise
        _end_as_interpreter(end.code or 0)
    else:
        _end_as_interpreter(0)


def _end_as_interpreter(code):
    """End with what an interpreter still runs, but not with the search through all that was loaded.

    That takes half a second: it writes into all memory that this process shares with the one that it was forked from.
    """
    threading._shutdown()
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        sys.exit(code)  # the interpreter says what is wrong with them
    os._exit(code)


def fork_workers():
    """Have the workers that this process needs forked, see `scml_gym.evaluation.pool`, and those of multiprocessing."""
    if WORKS:
        from scml_gym.evaluation import pool
        from tests.helpers.spawns import Popen

        pool.start_process = start_worker
        multiprocessing.popen_spawn_posix.Popen = Popen


if __name__ == "__main__":
    from tests.helpers import forks

    forks.serve(int(sys.argv[1]), sys.argv[2])
