"""The engine ``ray``: the machines of a Ray cluster. Actors are used (Ray Core), and nothing that is built on them.

Each job runs in a process that is started on its machine just as a local one is; an actor stands beside it and carries
jobs, results and files between it and this process.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from scml_gym.core.engines.base import Member, Process
from scml_gym.core.engines.ray_actors import Actors
from scml_gym.core.engines.ray_address import check_address, connected, import_ray
from scml_gym.core.engines.ray_host import Origin
from scml_gym.core.engines.ray_pool import RayPool, ray_pool
from scml_gym.core.engines.ray_process import FolderProcess, RayProcess
from scml_gym.core.engines.sent_files import SentFiles


class Ray:
    """See `scml_gym.core.engines.base.Engine`.

    Args:
        address: Of the cluster's head, ``HOST:PORT``; this machine must be part of the cluster. None for a cluster of
            this machine alone, which is started and ended.

    Raises:
        InputError: if Ray is not installed, or if nobody answers there.
    """

    def __init__(self, address: str | None = None):
        if address is not None:
            check_address(address)
        import_ray()
        self._address = address
        self._sent = SentFiles()
        self._packed: Any = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._ray = self._stack.enter_context(connected(self._address))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._packed = None
        self._stack.close()

    def cores(self) -> int:
        """Of all machines, as the cluster counts them."""
        return max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def here(self, workers: int) -> bool:
        """Nothing is computed in this process."""
        return False

    def bring(self, data: Any) -> Any:
        """See `Engine.bring`: what is in the current folder is sent; all else must be on each machine."""
        return self._sent.add(data)

    def hold(self, make: Callable[[Path | None], Member], most: int, output: Path | None = None) -> Actors:
        """See `Engine.hold`."""
        if self._packed is None:
            self._packed = self._ray.put(self._sent.pack())
        origin = Origin.here(tuple(sorted(self._sent.elsewhere)))
        actors = Actors(self._ray, self._packed, origin, make, most, output)
        self._stack.callback(actors.close)
        return actors

    def pool(
        self, workers: int, begin: Callable[..., object], arguments: Sequence[Any] = (), output: Path | None = None
    ) -> AbstractContextManager[RayPool]:
        """See `Engine.pool`."""
        return ray_pool(self.hold, workers, begin, arguments, output)

    def start(
        self, target: Callable[..., object], arguments: Sequence[Any], name: str, folder: Path, brought: Sequence[str]
    ) -> Process:
        """See `Engine.start`."""
        actors = self.hold(FolderProcess, 1)
        relative = Path(os.path.relpath(folder))
        there = relative if ".." not in relative.parts else Path(folder.name)
        process = RayProcess(actors, target, arguments, name, folder, there, brought)
        self._stack.callback(process.join)
        self._stack.callback(process.kill)
        return process
