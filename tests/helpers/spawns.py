"""Processes that multiprocessing spawns, forked instead (`tests.helpers.forks`): a new interpreter needs seconds.

Those of processes that tests start as new interpreters are spawned, as those of users are.
"""

import multiprocessing.popen_spawn_posix
import os
import threading
from multiprocessing import resource_tracker, util
from unittest.mock import patch

from tests.helpers import forks

_STARTING = threading.Lock()


class Popen(multiprocessing.popen_spawn_posix.Popen):
    """What a spawned process is for the one that started it. It runs the same, with hash seed 0."""

    def _launch(self, process_obj):
        resource_tracker.ensure_running()  # which is not forked
        with _STARTING, patch.object(util, "spawnv_passfds", self._fork):
            super()._launch(process_obj)

    def _fork(self, path, command, descriptors):
        command = [path, *command[command.index("-c") :]]  # without the options of this interpreter
        self._forked = forks.start(command, os.getcwd(), dict(os.environ), {n: n for n in (0, 1, 2, *descriptors)})
        return self._forked.pid

    def poll(self, flag=os.WNOHANG):
        """The exit code; None while it runs."""
        if self.returncode is None:
            self.returncode = self._forked.poll() if flag == os.WNOHANG else self._forked.wait()
        return self.returncode
