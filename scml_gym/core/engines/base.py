"""What an engine is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, runtime_checkable


@dataclass(frozen=True)
class Context:
    """What a process of a `Pool` has from whoever leads it.

    Attributes:
        report: Tells the leading process something, see `Pool.reported`.
        output: A folder; what stands in it when a job ends, stands in the leader's folder then. None where there is
            none.
    """

    report: Callable[[Any], None]
    output: Path | None


class Member(Protocol):
    """What an engine holds, see `Engine.hold`."""

    @property
    def alive(self) -> bool:
        """Whether it can be called again; it is replaced otherwise."""
        ...

    def close(self) -> None:
        """End it, also while it is called."""
        ...


class Held(Protocol):
    """Several objects that are alike, each called by one thread at a time."""

    def call(self, method: str, *arguments: Any) -> Any:
        """Call a method of an object that is free, waiting for one; from as many threads as there are objects."""
        ...

    def close(self) -> None:
        """End all objects; calls that are running end by an exception, or by what a closed object answers."""
        ...


class Pool(Protocol):
    """Processes that compute."""

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Future[Any]:
        """Compute a function, which its process imports by name."""
        ...

    def reported(self) -> list[Any]:
        """What the processes have reported since the last call."""
        ...


class Process(Protocol):
    """A process of its own, as in `multiprocessing`."""

    @property
    def exitcode(self) -> int | None:
        """None while it runs."""
        ...

    @property
    def sentinel(self) -> int:
        """For `multiprocessing.connection.wait`: ready when it has ended."""
        ...

    def terminate(self) -> None:
        """Ask it to stop, by SIGTERM."""
        ...

    def kill(self) -> None:
        """Stop it at once."""
        ...

    def join(self) -> None:
        """Wait for its end."""
        ...


@runtime_checkable
class Engine(Protocol):
    """Where jobs are computed: for a ``with`` block, in which the methods are called."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def cores(self) -> int:
        """How many jobs it can compute at once."""
        ...

    def here(self, workers: int) -> bool:
        """Whether so many workers are no more than this process, which then computes by itself."""
        ...

    def bring(self, data: Any) -> Any:
        """See that files and folders are there where jobs are computed; before anything is asked for.

        Args:
            data: Texts, paths, and sequences and mappings of them; those that name no file are left alone.

        Returns:
            The same, with the names that the files have there.
        """
        ...

    def hold(self, make: Callable[[Path | None], Member], most: int, output: Path | None = None) -> Held:
        """Have objects made where jobs are computed.

        Args:
            make: Makes one; it is given the folder that stands for ``output``.
            most: How many, at most.
            output: What a call has written into that folder stands here when it ends.
        """
        ...

    def pool(
        self, workers: int, begin: Callable[..., object], arguments: Sequence[Any] = (), output: Path | None = None
    ) -> AbstractContextManager[Pool]:
        """Processes that are ended with the ``with`` block, at once where an exception leaves it.

        Args:
            workers: How many.
            begin: ``begin(context, *arguments)`` is called in each process first, with a `Context`.
            arguments: Further ones of ``begin``.
            output: See `Context.output`.

        Raises:
            InputError: when the block ends, if one of them was killed.
        """
        ...

    def start(
        self, target: Callable[..., object], arguments: Sequence[Any], name: str, folder: Path, brought: Sequence[str]
    ) -> Process:
        """Start a process that works in a folder, and goes on there where it is started again.

        Args:
            target: ``target(folder, *arguments)`` is called in it.
            arguments: Further ones of ``target``.
            name: Of the process.
            folder: Whose files it reads and writes.
            brought: Names of what it needs in that folder; what is not there is left out.
        """
        ...
