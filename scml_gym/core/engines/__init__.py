"""Engines: where the jobs of a command are computed. Local processes are the default; ``ray`` takes several machines.

A command asks its engine for workers, for a pool of processes or for a process of its own, and is given the same
results by each engine: jobs get the same seeds in the same order, and are computed in processes that are started alike.
"""

from __future__ import annotations

from scml_gym.core.engines.base import Engine
from scml_gym.core.errors import InputError
from scml_gym.core.registry import Registry

ENGINES = Registry("engine")
ENGINES.register("local", "scml_gym.core.engines.local:Local")
ENGINES.register("ray", "scml_gym.core.engines.ray_engine:Ray")

DEFAULT_ENGINE = "local"


def find_engine(name: str = DEFAULT_ENGINE, address: str | None = None) -> Engine:
    """An engine that is not used yet; what it needs is looked for, so that a wrong address is refused at once.

    Args:
        name: In `ENGINES`, or ``module:Class``.
        address: Of the cluster, ``HOST:PORT``; None for this machine.

    Raises:
        InputError: if there is no such engine, if what it needs is not installed, or if nobody answers there.
    """
    if address is not None and name == DEFAULT_ENGINE:
        raise InputError(f"--address {address}: local processes have no address; give --engine ray with it")
    make = ENGINES.get(name, "engine")
    engine = make() if address is None else make(address)
    if not isinstance(engine, Engine):
        raise InputError(f"--engine {name} makes a {type(engine).__name__}, which is no engine")
    return engine
