"""Clusters of Ray on this machine: three nodes, of which tests kill some, and whatever runs on a node that is lost."""

import contextlib
import os
import signal
import time
from pathlib import Path

HEAD = "head"
"""File with the process id of the node that must live."""

MARK = "waited"
"""File with the process id of the node on which something waits for its end."""


UNWATCHED = {"include_log_monitor": False}
"""Of a node whose logs nobody reads."""

QUICK = str(Path(__file__).with_name("quick_ray"))
"""Folder for ``PYTHONPATH``, with which processes of Ray start sooner."""


class ThreeNodes:
    """One core each; the nodes that were killed come back when they are asked for."""

    def __init__(self):
        from ray.cluster_utils import Cluster

        noticed_soon = {
            "health_check_initial_delay_ms": 0,
            "health_check_period_ms": 500,
            "health_check_timeout_ms": 5000,
            "health_check_failure_threshold": 2,
        }
        head = {"num_cpus": 1, "include_dashboard": False, "no_monitor": True, "_system_config": noticed_soon}
        self._cluster = _patiently(Cluster, initialize_head=True, head_node_args=head | UNWATCHED)
        self.address = self._cluster.address
        self.complete()

    def complete(self):
        """Add the nodes that are missing."""
        for node in list(self._cluster.worker_nodes):
            if list(node.dead_processes()):
                self._cluster.remove_node(node, allow_graceful=False)
        while len(self._cluster.worker_nodes) < 2:
            _patiently(self._cluster.add_node, num_cpus=1, **UNWATCHED)

    def end(self):
        """End all nodes."""
        self._cluster.shutdown()

    def computing(self):
        """Commands of the processes that jobs have on the nodes."""
        found = []
        nodes = {f"RAY_RAYLET_PID={_raylet(node)}" for node in self._nodes()}
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if not nodes.isdisjoint((process / "environ").read_text().split("\0")):
                    found.append((process / "cmdline").read_text().replace("\0", " "))
        return [command for command in found if "scml_gym" in command or "spawn_main" in command or "Host" in command]

    def _nodes(self):
        return [self._cluster.head_node, *self._cluster.worker_nodes]

    def kill_workers(self):
        """All nodes but the head."""
        for node in self._cluster.worker_nodes:
            os.kill(_raylet(node), signal.SIGKILL)

    def head(self):
        """Process id of the head's raylet."""
        return _raylet(self._cluster.head_node)


def _raylet(node):
    (process,) = node.all_processes["raylet"]
    return process.process.pid


def _patiently(start, **arguments):
    """Ray gives a node half a minute to start, which it takes longer on a very busy machine."""
    for _ in range(3):
        with contextlib.suppress(Exception):
            return start(**arguments)
    return start(**arguments)


def wait_for_the_end_of_this_node(folder):
    """On a node that is not the head, and on which nobody has waited before, wait until it is killed."""
    folder = Path(folder)
    node = os.environ["RAY_RAYLET_PID"]
    if node != (folder / HEAD).read_text():
        try:
            with (folder / MARK).open("x") as file:
                file.write(node)
        except FileExistsError:
            return
        time.sleep(1000)


def kill_the_node_that_waits(folder):
    """When something waits on a node."""
    mark = Path(folder) / MARK
    while not mark.exists() or not mark.read_text():
        time.sleep(0.05)
    os.kill(int(mark.read_text()), signal.SIGKILL)
