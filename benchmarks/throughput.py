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
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import speed
from speed import BATCH, SIZES, Report, Run, add_row, bytes_a_world, in_threads, league_steps, new_batch, rates, report

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
from scml_gym.simulator.vector.rows import compile_rows

ENVIRONMENT = "scml_gym/OneShotConcurrent-v0"
ROWS = compile_rows(TRACK.functions)
draw_world, advance_row = ROWS.draw, ROWS.advance
play_worlds, draw_worlds = speed.programs(TRACK.functions)
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
    return league_steps(
        lambda: OneShotEnv(FlexibleActionManager(context), FlexibleObservationManager(context), context=context),
        worlds,
    )


batched = partial(speed.batched, ENVIRONMENT)
single = partial(speed.single, ENVIRONMENT)


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


def make_batch(n: int, moves: bool, learners: int, arguments: dict[str, Any]) -> tuple[Any, Any, Any]:
    """See `speed.new_batch`."""
    return new_batch(TRACK, OneShotConfig(**arguments), n, learners, {"moves": int(moves)})


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


compile_elsewhere = partial(speed.compile_elsewhere, compile_all)


def measure(days: int, factories: int, seconds: float, worlds: int) -> list[Report]:
    """All rates, in one run; ratios are to the peer's steps, and of worlds to the reference's."""
    arguments: dict[str, Any] = {"days": days, "factories_per_level": factories, "opponents": sorted(STRATEGIES)}
    rows: list[Report] = []
    compile_elsewhere(arguments)
    add = partial(add_row, rows)
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
    print(f"memory: {bytes_a_world(batch) / 1000:.1f} kB a world of {days} days; players: {len(player_table.players)}")
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
    report(rows, f"{options.factories} factories a level, {options.days} days", options.json)


if __name__ == "__main__":
    main()
