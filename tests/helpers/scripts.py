"""Scripts of the repository, run as on a command line.

Most run in a process that is forked (`tests.helpers.forks`). `in_new_interpreter` starts one, for tests of what a
process is from its start on: its hash seed, what it loads.
"""

import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from scml_gym.evaluation import pool
from tests.helpers import forks

ROOT = forks.ROOT

TIMEOUT = 300
"""Seconds that a script may take."""


def in_new_interpreter(folder, command, variables):
    """Run ``[sys.executable, ...]`` in a folder, with further environment variables; as `subprocess.run`."""
    environment = forks.environment() | variables
    return subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT
    )


def start_with_pipes(command):
    """Start such a script, with pipes to it and a session of its own."""
    return pool.start_process(list(map(str, command)), forks.environment() | {"PYTHONHASHSEED": "0"})


class Script:
    """``[sys.executable, script, *arguments]``, started in a folder; or with ``"-m", module`` or ``"-c", code``.

    It is the leader of a process group of its own, as in a terminal; ``process`` is what `subprocess.Popen` gives.
    """

    def __init__(self, folder, command, variables=None):
        self._folder = tempfile.TemporaryDirectory()
        self._told = [Path(self._folder.name, name) for name in ("stdout", "stderr")]
        command = [str(word) for word in command]
        environment = forks.environment() | {"PYTHONHASHSEED": "0"} | (variables or {})
        with open(os.devnull) as nothing, self._told[0].open("w") as out, self._told[1].open("w") as err:
            if forks.WORKS:
                descriptors = {number: file.fileno() for number, file in enumerate((nothing, out, err))}
                self.process = forks.start(command, folder, environment, descriptors)
            else:
                streams = {"stdin": nothing, "stdout": out, "stderr": err}
                self.process = subprocess.Popen(command, cwd=folder, env=environment, start_new_session=True, **streams)

    def wait_for(self, condition):
        """Wait until something is true, while the script runs."""
        end = time.monotonic() + TIMEOUT
        while not condition():
            assert self.process.poll() is None, self.ended()
            assert time.monotonic() < end, "too late"
            time.sleep(0.02)

    def signal(self, number):
        """Send a signal to its whole group."""
        os.killpg(self.process.pid, number)

    def ended(self):
        """How it ended, as of `subprocess.run`."""
        try:
            code = self.process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
            raise
        with self._folder:
            told = [path.read_text() for path in self._told]
        return subprocess.CompletedProcess(self.process.args, code, *told)


def in_forked_process(folder, command, variables=None):
    """Run such a script to its end, with further environment variables that no package reads when it is loaded."""
    return Script(folder, command, variables).ended()
