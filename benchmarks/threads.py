"""What worker threads that wait in compiled code gain over plain ones that each call one compiled slice of the rows.

The batch is that of ``OneShotConcurrent`` with two threads. The plain variants are below: a sleeping Python thread is
given the second half of the rows, or both threads take portions from a counter. Both step the same batch by turns;
what is said is the median ratio of decisions a second (wall time) and a bootstrap interval of 95 %. So
many more processes are busy on the machine; the caller steps at once, or computes for half a millisecond between two
steps, as a small network does.

    python benchmarks/threads.py --rows 64 512 4096 --busy 0 1 2 --turns 20 --seconds 1
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import threading
import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

import gymnasium
import numpy as np
from rich.console import Console
from rich.table import Table

from scml_gym.oneshot.strategies import STRATEGIES
from scml_gym.oneshot.view import MAX_PARTNERS
from scml_gym.vector.jobs import ASLEEP, PORTIONS, BatchStep
from scml_gym.vector.workers import PreparedStep, Workers

ENVIRONMENT = "scml_gym/OneShotConcurrent-v0"
WORLDS: dict[str, Any] = {"days": 50, "factories_per_level": 6, "opponents": sorted(STRATEGIES)}
THINKING = 5e-4
"""Seconds that a slow caller computes between two steps."""


class PlainThreads(ABC):
    """Runs a step with one more Python thread, where the environment has its workers."""

    def __init__(self, step: BatchStep):
        self._step, self._of_thread = step, threading.local()

    @abstractmethod
    def __call__(self, n: int, *arguments: Any) -> None:
        """Run the step on rows 0 to ``n - 1``."""

    def slice(self, arguments: tuple[Any, ...], low: int, high: int) -> None:
        """Run the step in this thread alone."""
        counters = np.zeros(ASLEEP, dtype=np.int64)
        counters[PORTIONS] = 1
        first, *others = arguments
        if not hasattr(self._of_thread, "step"):
            self._of_thread.step = PreparedStep(self._step)
        step = self._of_thread.step
        step.prepare(first, tuple(others))
        step.run(counters, (low, high), tuple(others))


class Executor(PlainThreads):
    """Halves, the second in a ``ThreadPoolExecutor``."""

    def __init__(self, step: BatchStep):
        super().__init__(step)
        self._executor = ThreadPoolExecutor(1)

    def __call__(self, n: int, *arguments: Any) -> None:
        """See `PlainThreads`."""
        other = self._executor.submit(self.slice, arguments, n // 2, n)
        self.slice(arguments, 0, n // 2)
        other.result()


class Queue(PlainThreads):
    """Halves, the second in a thread that waits at a ``SimpleQueue``."""

    def __init__(self, step: BatchStep):
        super().__init__(step)
        self._jobs: SimpleQueue[Any] = SimpleQueue()
        self._done: SimpleQueue[None] = SimpleQueue()
        threading.Thread(target=self._work, daemon=True).start()

    def __call__(self, n: int, *arguments: Any) -> None:
        """See `PlainThreads`."""
        self._jobs.put((arguments, n // 2, n))
        self.slice(arguments, 0, n // 2)
        self._done.get()

    def _work(self) -> None:
        while True:
            self.slice(*self._jobs.get())
            self._done.put(None)


class Portions(Queue):
    """Four portions, each for the thread that asks first."""

    portions = 4

    def __call__(self, n: int, *arguments: Any) -> None:
        """See `PlainThreads`."""
        take = itertools.count()
        self._jobs.put((n, take, arguments))
        self._share(n, take, arguments)
        self._done.get()

    def _share(self, n: int, take: itertools.count[int], arguments: tuple[Any, ...]) -> None:
        while (k := next(take)) < self.portions:
            self.slice(arguments, n * k // self.portions, n * (k + 1) // self.portions)

    def _work(self) -> None:
        while True:
            self._share(*self._jobs.get())
            self._done.put(None)


PLAIN: dict[str, type[PlainThreads]] = {"queue": Queue, "executor": Executor, "portions": Portions}


def compute_for(seconds: float) -> None:
    """What a small network does in that time."""
    x, weights = np.ones((16, 64), dtype=np.float32), np.full((64, 64), 1e-2, dtype=np.float32)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        np.tanh(x @ weights)


def step_for(envs: Any, actions: list[np.ndarray], thinking: float, seconds: float) -> float:
    """Decisions a second in that time."""
    for i in range(3):
        envs.step(actions[i])
    steps, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        if thinking:
            compute_for(thinking)
        envs.step(actions[steps % len(actions)])
        steps += 1
    return envs.num_envs * steps / (time.perf_counter() - start)


def be_busy() -> None:
    """Take a core."""
    while True:
        pass


def make_envs(n: int) -> tuple[Any, dict[str, Callable[..., None]]]:
    """A batch with two threads, and what can run its step."""
    envs = gymnasium.make_vec(ENVIRONMENT, num_envs=n, threads=2, **WORLDS).unwrapped
    envs.reset(seed=0)
    workers: Any = vars(envs)["_step"]
    return envs, {"workers": workers} | {name: make(workers._step._step) for name, make in PLAIN.items()}


def compile_all() -> None:
    """Step once with all threads, so that the code is on disk: in the process that compiles, it is slower."""
    envs, runs = make_envs(4)
    for run in runs.values():
        envs._step = run
        envs.step(np.zeros((4, MAX_PARTNERS), dtype=np.int64))


def compare(n: int, variants: list[str], thinking: float, turns: int, seconds: float) -> dict[str, np.ndarray]:
    """Decisions a second in each turn, of the environment's workers and of the plain variants, on one batch."""
    envs, runs = make_envs(n)
    rng = np.random.default_rng(0)
    actions = [rng.integers(0, 22, size=(n, MAX_PARTNERS)) for _ in range(16)]
    names = ["workers", *variants]
    found: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(turns):
        for name in names if turn % 2 == 0 else names[::-1]:
            envs._step = runs[name]
            found[name].append(step_for(envs, actions, thinking, seconds))
    workers = runs["workers"]
    assert isinstance(workers, Workers)  # of the two kinds, workers alone have threads to end
    workers.close()
    return {name: np.array(rates) for name, rates in found.items()}


def gain(rates: np.ndarray, plain: np.ndarray) -> str:
    """The median of the turns' ratios, as a gain in per cent, with its interval."""
    ratios = rates / plain
    drawn = np.median(np.random.default_rng(1).choice(ratios, (5000, len(ratios))), axis=1)
    middle, low, high = (100.0 * (x - 1.0) for x in (np.median(ratios), *np.percentile(drawn, [2.5, 97.5])))
    return f"{middle:+.1f} % ({low:+.1f}, {high:+.1f})"


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[64, 512, 4096])
    parser.add_argument("--plain", nargs="+", choices=sorted(PLAIN), default=["queue"])
    parser.add_argument("--busy", type=int, nargs="+", default=[0, 1, 2], help="other busy processes on the machine")
    parser.add_argument("--caller", nargs="+", choices=["quick", "slow"], default=["quick", "slow"])
    parser.add_argument("--turns", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=1.0, help="of a turn")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    processes = multiprocessing.get_context("spawn")
    child = processes.Process(target=compile_all)
    child.start()
    child.join()
    table = Table("rows", "busy", "caller", "plain", "workers, a second", "plain, a second", "gain")
    for n, busy, caller in itertools.product(options.rows, options.busy, options.caller):
        others = [processes.Process(target=be_busy, daemon=True) for _ in range(busy)]
        for other in others:
            other.start()
        thinking = THINKING if caller == "slow" else 0.0
        found = compare(n, options.plain, thinking, options.turns, options.seconds)
        for other in others:
            other.terminate()
            other.join()
        for name in options.plain:
            rates = [f"{np.median(found[key]):,.0f}" for key in ("workers", name)]
            table.add_row(str(n), str(busy), caller, name, *rates, gain(found["workers"], found[name]))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
