"""Speed of the compiled world and of the reference world, beside scml's own ``OneShotEnv``, in one run.

Opponents come in equal shares from every registered strategy; the peer's from scml's agents that they resemble. Random
actions everywhere. What a unit is:

- raw move: a pass through all negotiations of a world, one move in each; a step of ``OneShotEnv`` is one.
- decision: a step of the environment in the league's timing, with observation, mask, reward and the next worlds.
- world: all days of a world in which every factory is played by a strategy.

The peer's rate leaves out the making of its worlds, ours includes it. CPU time of one thread where nothing else is
said; wall time for two.

    python benchmarks/throughput.py --seconds 3 --json throughput.json
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from rich.console import Console
from rich.table import Table

import scml_gym  # noqa: F401  (registers the environments)
from scml_gym.core.registry import load_object
from scml_gym.jit.arrays import borrow
from scml_gym.jit.compile import compiled
from scml_gym.jit.random import below
from scml_gym.oneshot.envs.config import OneShotConfig
from scml_gym.oneshot.envs.vector.track import TRACK
from scml_gym.oneshot.players import player_maker
from scml_gym.oneshot.strategies import STRATEGIES
from scml_gym.oneshot.view import ACCEPT, MAX_PARTNERS, OFFER
from scml_gym.oneshot.worlds.compiled.generation import compiled_spec
from scml_gym.oneshot.worlds.compiled.negotiation import answer
from scml_gym.oneshot.worlds.reference import ReferenceWorld
from scml_gym.simulator.compiled.advance import DAY, DECISION, OVER
from scml_gym.simulator.compiled.player_table import make_player_table
from scml_gym.simulator.vector.batch import allocate, make_source
from scml_gym.simulator.vector.rows import compile_rows

ENVIRONMENT = "scml_gym/OneShotConcurrent-v0"
ROWS = compile_rows(TRACK.functions)
draw_world, advance_row = ROWS.draw, ROWS.advance
PEERS = (
    "SyncRandomOneShotAgent",
    "EqualDistOneShotAgent",
    "GreedyOneShotAgent",
    "GreedySyncAgent",
    "RandomOneShotAgent",
    "SingleAgreementAspirationAgent",
    "OneshotDoNothingAgent",
)
"""scml's agents that the registered strategies resemble."""

SIZES = (1, 64, 512, 4096)
BATCH = 512
Report = dict[str, float]


Run = Callable[[], float]
"""Does some work and returns how many units that was."""

CLOCKS = {1: time.process_time, 2: time.perf_counter}
"""By the number of threads."""


def rates(runs: dict[Any, tuple[Run, int]], seconds: float, turns: int = 4) -> dict[Any, float]:
    """Units a second of runs in one or two threads; by turns, so that the machine's speed of the moment is that of all.

    Args:
        runs: What is to be compared: the run, which is first called once to warm up, and its threads.
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


def peer(days: int, factories: int, worlds: int) -> float:
    """Steps a second of ``OneShotEnv``."""
    from scml.oneshot.context import FixedPartnerNumbersOneShotContext
    from scml.oneshot.rl.action import FlexibleActionManager
    from scml.oneshot.rl.env import OneShotEnv
    from scml.oneshot.rl.observation import FlexibleObservationManager

    context = FixedPartnerNumbersOneShotContext(
        level=0,
        n_consumers=factories,
        n_competitors=factories - 1,
        n_steps=days,
        non_competitors=tuple(load_object(f"scml.oneshot.agents:{name}") for name in PEERS),
    )
    env = OneShotEnv(FlexibleActionManager(context), FlexibleObservationManager(context), context=context)
    steps, seconds = 0, 0.0
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


def single(arguments: dict[str, Any]) -> Run:
    """Decisions of one environment through ``gymnasium.make``, with the resets between its episodes."""
    env = gymnasium.make(ENVIRONMENT, **arguments)
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    actions = rng.integers(0, 22, size=(97, MAX_PARTNERS))

    def run() -> float:
        for action in actions:
            if env.step(action)[2]:
                env.reset()
        return len(actions)

    return run


def batched(n: int, threads: int, arguments: dict[str, Any]) -> Run:
    """Decisions of the native vector environment."""
    envs = gymnasium.make_vec(ENVIRONMENT, num_envs=n, threads=threads, **arguments)
    envs.reset(seed=0)
    rng = np.random.default_rng(0)
    actions = [rng.integers(0, 22, size=(n, MAX_PARTNERS)) for _ in range(16)]
    steps = max(1, 4096 // n)

    def run() -> float:
        for i in range(steps):
            envs.step(actions[i % len(actions)])
        return n * steps

    return run


@compiled
def random_moves(batch: Any, source: Any, most: int, low: int, high: int) -> int:
    """Play rows in "moves" timing with random valid answers for that many decisions each; returns the passes."""
    batch = borrow(batch)
    passes, stream = 0, np.full(1, low, dtype=np.uint64)
    for i in range(low, high):
        world, row = batch.worlds[i], batch.rows[i]
        for _ in range(most):
            if row["status"] == OVER:
                row["seed"] += np.uint64(1)
                draw_world(batch.worlds, batch.daily, batch.prices, batch.state, batch.rows, source, i)
            before = world["passes"]
            if row["status"] == DECISION:
                view, actions = world["views"][row["factory"]], world["actions"]
                for k in range(MAX_PARTNERS):
                    actions[k]["response"] = 0
                    if view["partners"][k]["my_turn"] != 0:
                        accepts = view["partners"][k]["offer_quantity"] > 0 and below(stream, 22) == 0
                        actions[k]["response"] = ACCEPT if accepts else OFFER
                        actions[k]["quantity"] = 1 + below(stream, view["max_quantity"])
                        actions[k]["price"] = view["min_price"] + below(stream, 2)
                answer(world, row["factory"])
            status = advance_row(batch, i)
            while status == DAY:
                status = advance_row(batch, i)
            row["status"] = status
            passes += world["passes"] - before
    return passes


@compiled
def play_worlds(batch: Any, source: Any, low: int, high: int) -> int:
    """Play a new world in each row to its end; returns how many."""
    batch = borrow(batch)
    for i in range(low, high):
        batch.rows[i]["seed"] += np.uint64(1)
        draw_world(batch.worlds, batch.daily, batch.prices, batch.state, batch.rows, source, i)
        while advance_row(batch, i) != OVER:
            pass
    return high - low


@compiled
def draw_worlds(batch: Any, source: Any, low: int, high: int) -> int:
    """Only draw a new world in each row."""
    batch = borrow(batch)
    for i in range(low, high):
        batch.rows[i]["seed"] += np.uint64(1)
        draw_world(batch.worlds, batch.daily, batch.prices, batch.state, batch.rows, source, i)
    return high - low


def make_batch(n: int, moves: bool, learners: int, arguments: dict[str, Any]) -> tuple[Any, Any, Any]:
    """A batch of worlds without an environment around it; the player_table must be kept alive."""
    setting = OneShotConfig(**arguments)
    player_table = make_player_table(setting.makers, TRACK.interface)
    source, days = make_source(TRACK, setting, player_table, n)
    batch = allocate(TRACK.layout, n, days, {"moves": int(moves)}, player_table)
    batch.rows["seed"] = np.arange(n, dtype=np.uint64) << np.uint64(32)
    return batch, source._replace(learners=learners), player_table


def in_threads(program: Callable[[int, int], int], n: int, threads: int) -> Callable[[], float]:
    """A run of a program over ``n`` rows, split for threads."""
    if threads == 1:
        return lambda: program(0, n)
    from concurrent.futures import ThreadPoolExecutor

    executor = ThreadPoolExecutor(threads)
    cuts = np.linspace(0, n, threads + 1).astype(int).tolist()
    return lambda: sum(executor.map(program, cuts[:-1], cuts[1:]))


def reference_worlds(days: int, factories: int) -> Run:
    """Worlds of the lean reference, with the same strategies."""
    names, rng, seeds = sorted(STRATEGIES), np.random.default_rng(0), itertools.count()

    def run() -> float:
        seed = next(seeds)
        spec = compiled_spec(seed, days, (factories, factories))
        players = [player_maker(names[i])(seed) for i in rng.integers(len(names), size=spec.n_factories)]
        ReferenceWorld(spec, players, seed).run()
        return 1

    return run


def compile_all(arguments: dict[str, Any]) -> None:
    """Run once what is measured, so that its code is on disk."""
    single(arguments)()
    batched(2, 1, arguments)()
    batch, source, _table = make_batch(1, True, 1, arguments)
    random_moves(batch, source, 1, 0, 1)
    batch, source, _table = make_batch(1, False, 0, arguments)
    play_worlds(batch, source, 0, 1)


def compile_elsewhere(arguments: dict[str, Any]) -> None:
    """Compile in another process: in the one that compiles it code stands on pages of its own for each function, which
    makes it a tenth slower than what is loaded from disk."""
    child = multiprocessing.get_context("spawn").Process(target=compile_all, args=(arguments,))
    child.start()
    child.join()


def measure(days: int, factories: int, seconds: float, worlds: int) -> list[Report]:
    """All rates, in one run; ratios are to the peer's steps, and of worlds to the reference's."""
    arguments: dict[str, Any] = {"days": days, "factories_per_level": factories, "opponents": sorted(STRATEGIES)}
    rows: list[Report] = []
    compile_elsewhere(arguments)

    def add(what: Any, rate: float, against: float | None = None, batch: Any = "", threads: Any = 1) -> None:
        row = {"measured": what, "batch": batch, "threads": threads, "a second": rate}
        rows.append(row | {"ratio": rate / against if against else float("nan")})

    steps = peer(days, factories, worlds)
    add("OneShotEnv, steps", steps)
    for backend in ("reference", "compiled"):
        found = rates({1: (single(arguments | {"backend": backend}), 1)}, seconds)
        add(f"{backend}, decisions, one environment", found[1], steps)
    for n in SIZES:
        runs: dict[Any, Any] = {
            threads: (batched(n, threads, arguments), threads) for threads in (1, 2) if n >= threads
        }
        for threads, found in rates(runs, seconds).items():
            add("compiled, decisions", found, steps, n, threads)
    batch, source, player_table = make_batch(BATCH, True, 1, arguments)
    program = partial(random_moves, batch, source, 16)
    runs = {threads: (in_threads(program, BATCH, threads), threads) for threads in (1, 2)}
    for threads, found in rates(runs, seconds).items():
        add("compiled, raw moves", found, steps, BATCH, threads)
    batch, source, player_table = make_batch(BATCH, False, 0, arguments)
    program = partial(play_worlds, batch, source)
    runs = {threads: (in_threads(program, BATCH, threads), threads) for threads in (1, 2)}
    found = rates(runs | {"reference": (reference_worlds(days, factories), 1)}, max(seconds, 2.0 * worlds), worlds)
    add("reference, worlds", found["reference"])
    for threads in (1, 2):
        add("compiled, worlds", found[threads], found["reference"], BATCH, threads)
    drawn = rates({1: (partial(draw_worlds, batch, source, 0, BATCH), 1)}, seconds)
    add("compiled, worlds drawn", drawn[1], found["reference"], BATCH)
    size = sum(array.nbytes for array in batch[:6])
    print(f"memory: {size / BATCH / 1000:.1f} kB a world of {days} days; players: {len(player_table.players)}")
    return rows


def main() -> None:
    """Measure, print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=50)
    parser.add_argument("--factories", type=int, default=6, help="factories a level")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--worlds", type=int, default=2, help="of the peer, and at least of the reference")
    parser.add_argument("--json", type=Path, help="where to write the raw numbers")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = measure(options.days, options.factories, options.seconds, options.worlds)
    table = Table(*rows[0], title=f"{options.factories} factories a level, {options.days} days")
    for row in rows:
        table.add_row(*(f"{v:,.1f}" if isinstance(v, float) else str(v) for v in row.values()))
    Console(markup=False).print(table)
    if options.json is not None:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
