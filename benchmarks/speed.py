"""What the benchmarks of the tracks' compiled worlds share: rates by turns, batches of worlds, the table."""

from __future__ import annotations

import functools
import json
import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from rich.console import Console
from rich.table import Table

from scml_gym.jit.arrays import borrow
from scml_gym.jit.compile import compiled
from scml_gym.simulator.compiled.advance import OVER
from scml_gym.simulator.compiled.player_table import PlayerTable, make_player_table
from scml_gym.simulator.vector.batch import Batch, Source, allocate, make_source
from scml_gym.simulator.vector.rows import compile_rows
from scml_gym.simulator.vector.track import BatchedTrack

SIZES = (1, 64, 512, 4096)
BATCH = 512
Report = dict[str, Any]

Run = Callable[[], float]
"""Does some work and returns how many units that was."""

TWO_BY_CPU = "2, CPU"
"""Two threads by their own CPU time: what they make in wall time where nothing else runs on their cores."""

CLOCKS = {1: time.process_time, 2: time.perf_counter, TWO_BY_CPU: lambda: time.process_time() / 2}
"""By the number of threads."""


def rates(runs: dict[Any, tuple[Run, Any]], seconds: float, turns: int = 4) -> dict[Any, float]:
    """Units a second of runs in one or two threads; by turns, so that the machine's speed of the moment is that of all.

    Args:
        runs: What is to be compared: the run, which is first called once to warm up, and its threads, of ``CLOCKS``.
        seconds: Of each one, in all.
        turns: That many.
    """
    units, spent = dict.fromkeys(runs, 0.0), dict.fromkeys(runs, 0.0)
    for run, _ in runs.values():
        run()
    for _ in range(turns):
        for key, (run, threads) in runs.items():
            clock = CLOCKS[threads]
            start = clock()
            while clock() - start < seconds / turns:
                units[key] += run()
            spent[key] += clock() - start
    return {key: units[key] / spent[key] for key in runs}


def add_row(
    rows: list[Report], what: str, rate: float, against: float | None = None, batch: Any = "", threads: Any = 1
) -> None:
    """Add what was measured to a table, as a multiple of another rate where there is one."""
    row = {"measured": what, "batch": batch, "threads": threads, "a second": rate}
    rows.append(row | {"ratio": rate / against if against else float("nan")})


def report(rows: list[Report], title: str, path: Path | None) -> None:
    """Print a table, and write it as JSON where a path is given."""
    table = Table(*rows[0], title=title)
    for row in rows:
        table.add_row(*(f"{v:,.1f}" if isinstance(v, float) else str(v) for v in row.values()))
    Console(markup=False).print(table)
    if path is not None:
        path.write_text(json.dumps(rows, indent=1) + "\n")


def compile_elsewhere(compile_all: Callable[[dict[str, Any]], None], arguments: dict[str, Any]) -> None:
    """Compile in another process: in the one that compiles it code stands on pages of its own for each function, which
    makes it a tenth slower than what is loaded from disk."""
    child = multiprocessing.get_context("spawn").Process(target=compile_all, args=(arguments,))
    child.start()
    child.join()


def random_actions(space: Any, n: int, *rows: int) -> list[np.ndarray]:
    """Actions of a MultiDiscrete space, ``n`` times an array of so many."""
    rng = np.random.default_rng(0)
    return [rng.integers(0, space.nvec, size=(*rows, len(space.nvec))) for _ in range(n)]


def single(environment: str, arguments: dict[str, Any]) -> Run:
    """Decisions of one environment through ``gymnasium.make``, with the resets between its episodes."""
    env = gymnasium.make(environment, **arguments)
    env.reset(seed=0)
    actions = random_actions(env.action_space, 97)

    def run() -> float:
        for action in actions:
            if env.step(action)[2]:
                env.reset()
        return len(actions)

    return run


def batched(environment: str, n: int, threads: int, arguments: dict[str, Any], before: int = 0) -> Run:
    """Decisions of the native vector environment, after so many steps, by which rows come to be on different days."""
    envs = gymnasium.make_vec(environment, num_envs=n, threads=threads, **arguments)
    envs.reset(seed=0)
    actions = random_actions(envs.single_action_space, 16, n)
    steps = max(1, 4096 // n)
    for i in range(before):
        envs.step(actions[i % len(actions)])

    def run() -> float:
        for i in range(steps):
            envs.step(actions[i % len(actions)])
        return n * steps

    return run


class Programs(NamedTuple):
    """What rows of a track's batch do, from row ``low`` to before ``high``: ``(batch, source, low, high) -> int``.

    Attributes:
        play_worlds: Play a new world in each row to its end; returns how many.
        draw_worlds: Only draw it.
    """

    play_worlds: Callable[[Any, Any, int, int], int]
    draw_worlds: Callable[[Any, Any, int, int], int]


@functools.cache
def programs(functions: Any) -> Programs:
    """The programs of a track with these functions."""
    rows = compile_rows(functions)
    draw_world, advance_row = rows.draw, rows.advance

    @compiled
    def play_worlds(batch: Any, source: Any, low: int, high: int) -> int:
        batch = borrow(batch)
        for i in range(low, high):
            batch.rows[i]["seed"] += np.uint64(1)
            draw_world(batch.worlds, batch.daily, batch.prices, batch.state, batch.rows, source, i)
            while advance_row(batch, i) != OVER:
                pass
        return high - low

    @compiled
    def draw_worlds(batch: Any, source: Any, low: int, high: int) -> int:
        batch = borrow(batch)
        for i in range(low, high):
            batch.rows[i]["seed"] += np.uint64(1)
            draw_world(batch.worlds, batch.daily, batch.prices, batch.state, batch.rows, source, i)
        return high - low

    return Programs(play_worlds, draw_worlds)


def new_batch(
    track: BatchedTrack, config: Any, n: int, learners: int, settings: dict[str, int]
) -> tuple[Batch, Source, PlayerTable]:
    """A batch of worlds without an environment around it; the player table must be kept alive."""
    player_table = make_player_table(config.makers, track.interface)
    source, days = make_source(track, config, player_table, n)
    batch = allocate(track.layout, n, days, settings, player_table)
    batch.rows["seed"] = np.arange(n, dtype=np.uint64) << np.uint64(32)
    return batch, source._replace(learners=learners), player_table


def bytes_a_world(batch: Batch) -> float:
    """Memory of a world: its record, its tables and what its strategies remember."""
    return sum(array.nbytes for array in batch[:4]) / len(batch.rows)


def in_threads(program: Callable[[int, int], int], n: int, threads: int) -> Run:
    """A run of a program over ``n`` rows, split for threads."""
    if threads == 1:
        return lambda: program(0, n)
    from concurrent.futures import ThreadPoolExecutor

    executor = ThreadPoolExecutor(threads)
    cuts = np.linspace(0, n, threads + 1).astype(int).tolist()
    return lambda: sum(executor.map(program, cuts[:-1], cuts[1:]))


def league_steps(make: Callable[[], Any], worlds: int) -> float:
    """Steps a CPU second of the league's environment with random actions, without the making of its worlds.

    Args:
        make: ``() -> env``.
        worlds: Played to their ends.
    """
    env, steps, seconds = make(), 0, 0.0
    for seed in range(worlds):
        env.reset(seed=seed)
        env.action_space.seed(seed)
        start = time.process_time()
        done = False
        while not done:
            done = env.step(env.action_space.sample())[2]
            steps += 1
        seconds += time.process_time() - start
    return steps / seconds
