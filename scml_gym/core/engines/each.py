"""A function over jobs, one call each, by whatever engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scml_gym.core.arguments import whole
from scml_gym.core.engines.base import Context, Engine
from scml_gym.core.process import limit_threads

_worker: dict[str, Any] = {}
"""Of a process: its context."""

Execute = Callable[[Iterable[Any]], Iterator[Any]]
"""``execute(jobs)``: what the function gives of each job, in their order."""


@contextmanager
def each(
    function: Callable[[Any, Path | None], Any], engine: Engine, workers: int | None = None, output: Path | None = None
) -> Iterator[Execute]:
    """Have jobs computed, for a ``with`` block inside the engine's.

    Args:
        function: ``function(job, folder)``, which processes import by name; what it writes into that folder stands in
            ``output`` when it ends.
        engine: Where it is called.
        workers: In how many processes; None for as many as the engine has cores. It changes no result.
        output: A folder; None for none.

    Raises:
        InputError: if ``workers`` is no whole number above 0; when the block ends, if a process was killed.
    """
    workers = engine.cores() if workers is None else whole("workers", workers)
    if engine.here(workers):
        yield lambda jobs: (function(job, output) for job in jobs)
        return
    with engine.pool(workers, _begin, output=output) as pool:

        def execute(jobs: Iterable[Any]) -> Iterator[Any]:
            futures = [pool.submit(_call, function, job) for job in jobs]
            return (future.result() for future in futures)

        yield execute


def _begin(context: Context) -> None:
    limit_threads(1)
    _worker["context"] = context


def _call(function: Callable[[Any, Path | None], Any], job: Any) -> Any:
    return function(job, _worker["context"].output)
