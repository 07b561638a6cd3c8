"""Speed of the Standard track's compiled world, beside the league's environment with a Standard context, in one run.

The league's environment is scml's ``OneShotEnv`` with a ``GeneralStdContext``; its ``StdEnv`` cannot be made. Both
sides play worlds of the same size, with random actions, and opponents in equal shares: ``greedy``, ``random`` and
``sync-random``, or the scml agents that these resemble, which are that context's own. What a unit is:

- step: of ``OneShotEnv``, a pass through all negotiations of the world.
- decision: a step of the environment, with observation, mask, reward and the next worlds.
- world: all days of a world in which every factory is played by a strategy.

The league's rate leaves out the making of its worlds, ours includes it. CPU time of one thread where nothing else is
said; wall time for two, or, where that says "2, CPU", half of their CPU time together.

    PYTHONHASHSEED=0 python benchmarks/standard_throughput.py --seconds 8 --json standard_throughput.json
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
from speed import (
    BATCH,
    SIZES,
    TWO_BY_CPU,
    Report,
    Run,
    add_row,
    bytes_a_world,
    in_threads,
    league_steps,
    new_batch,
    rates,
    report,
)

from scml_gym.core.provenance import versions
from scml_gym.standard.envs.config import OPPONENTS, StandardConfig
from scml_gym.standard.envs.vector.track import TRACK
from scml_gym.standard.players import player_maker
from scml_gym.standard.strategies import STRATEGIES
from scml_gym.standard.view import MAX_LEVELS, MAX_PER_LEVEL
from scml_gym.standard.worlds.compiled.generation import compiled_spec
from scml_gym.standard.worlds.reference import ReferenceWorld

ENVIRONMENT = "scml_gym/StandardConcurrent-v0"
LEAGUE = ("greedy", "random", "sync-random")
"""The strategies like the agents of the league's context."""

SHORT = 10
"""Days of worlds in which batches of several sizes are compared."""

LENGTHS = (25, 50, 100, 200)
"""Days of worlds whose time a day is compared."""

play_worlds, draw_worlds = speed.programs(TRACK.functions)
single = partial(speed.single, ENVIRONMENT)
batched = partial(speed.batched, ENVIRONMENT)


def league_environment(days: int, factories: int, levels: int) -> Any:
    """scml's environment with random worlds of that size."""
    from scml.oneshot.rl.action import FlexibleActionManager
    from scml.oneshot.rl.env import OneShotEnv
    from scml.oneshot.rl.observation import FlexibleObservationManager
    from scml.std.context import GeneralStdContext

    context = GeneralStdContext(n_steps=days, n_processes=(levels, levels), n_agents_per_process=(factories, factories))
    return OneShotEnv(FlexibleActionManager(context), FlexibleObservationManager(context), context=context)


def make_batch(n: int, arguments: dict[str, Any]) -> tuple[Any, Any, Any]:
    """A batch of worlds without a learner."""
    config = StandardConfig(**arguments)
    return new_batch(TRACK, config, n, 0, TRACK.settings(config))


def reference_worlds(days: int, factories: int, levels: int) -> Run:
    """Worlds of the lean reference, with strategies of `LEAGUE`."""
    rng, seeds = np.random.default_rng(0), itertools.count()

    def run() -> float:
        seed = next(seeds)
        spec = compiled_spec(seed, days, factories, levels)
        players = [player_maker(LEAGUE[i])(seed) for i in rng.integers(len(LEAGUE), size=spec.n_factories)]
        ReferenceWorld(spec, players, seed).run()
        return 1

    return run


def compile_all(arguments: dict[str, Any]) -> None:
    """Run once what is measured, so that its code is on disk."""
    single(arguments)()
    batched(2, 1, arguments | {"opponents": list(STRATEGIES)})()
    batch, source, _table = make_batch(1, arguments)
    play_worlds(batch, source, 0, 1)
    draw_worlds(batch, source, 0, 1)


def measure_decisions(rows: list[Report], arguments: dict[str, Any], steps: float, seconds: float) -> None:
    """Decisions against the league's steps: with its opponents and others, and by the number of rows."""
    found = rates({1: (single(arguments), 1)}, seconds)
    add_row(rows, "decisions, one environment", found[1], steps)
    for what, opponents in {"": LEAGUE, ", default opponents": OPPONENTS, ", all strategies": STRATEGIES}.items():
        others = arguments | {"opponents": list(opponents)}
        one, two = batched(BATCH, 1, others, before=60), batched(BATCH, 2, others, before=60)
        for threads, rate in rates({1: (one, 1), 2: (two, 2), TWO_BY_CPU: (two, TWO_BY_CPU)}, seconds).items():
            add_row(rows, f"decisions{what}", rate, steps, BATCH, threads)
    short = arguments | {"days": SHORT}  # so that many rows come to be on different days soon
    found = rates({n: (batched(n, 1, short, before=30), 1) for n in SIZES}, seconds)
    for n, rate in found.items():
        add_row(rows, f"decisions, worlds of {SHORT} days", rate, steps, n)


def measure_worlds(rows: list[Report], arguments: dict[str, Any], reference: Run, seconds: float, worlds: int) -> None:
    """Whole worlds against the lean reference's."""
    add = partial(add_row, rows)
    batch, source, _player_table = make_batch(BATCH, arguments)
    runs: dict[Any, Any] = {
        threads: (in_threads(partial(play_worlds, batch, source), BATCH, threads), threads) for threads in (1, 2)
    }
    found = rates(runs | {"reference": (reference, 1)}, max(seconds, 2.0 * worlds), worlds)
    add("lean reference world, worlds", found["reference"])
    for threads in (1, 2):
        add("worlds", found[threads], found["reference"], BATCH, threads)
    drawn = rates({1: (partial(draw_worlds, batch, source, 0, BATCH), 1)}, seconds)
    add("worlds drawn", drawn[1], found["reference"], BATCH)


def measure_lengths(rows: list[Report], arguments: dict[str, Any], seconds: float) -> None:
    """Days a second in worlds of several lengths, against the first."""
    batches = {days: make_batch(64, arguments | {"days": days}) for days in LENGTHS}
    runs: dict[Any, Any] = {days: (in_threads(partial(play_worlds, *batches[days][:2]), 64, 1), 1) for days in LENGTHS}
    found = rates(runs, seconds)
    for days in LENGTHS:
        add_row(rows, f"days, in worlds of {days}", days * found[days], LENGTHS[0] * found[LENGTHS[0]], 64)


def main() -> None:
    """Measure, print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=50)
    parser.add_argument("--factories", type=int, default=6, help="factories a level")
    parser.add_argument("--levels", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument(
        "--worlds", type=int, default=1, help="of the league's environment, and at least of the reference"
    )
    parser.add_argument("--json", type=Path, help="where to write the raw numbers")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    days, size = options.days, (options.factories, options.levels)
    arguments: dict[str, Any] = {"days": days, "factories_per_level": size[0], "n_levels": size[1], "opponents": LEAGUE}
    speed.compile_elsewhere(compile_all, arguments)
    rows: list[Report] = []
    steps = league_steps(partial(league_environment, days, *size), options.worlds)
    add_row(rows, "OneShotEnv with a Standard context, steps", steps)
    measure_decisions(rows, arguments, steps, options.seconds)
    measure_worlds(rows, arguments, reference_worlds(days, *size), options.seconds, options.worlds)
    measure_lengths(rows, arguments, options.seconds)
    largest = make_batch(1, {"days": 50, "factories_per_level": MAX_PER_LEVEL, "n_levels": MAX_LEVELS})[0]
    print(
        f"memory of a world of {MAX_LEVELS} levels of {MAX_PER_LEVEL}, 50 days: {bytes_a_world(largest) / 1000:.1f} kB"
    )
    print(", ".join(f"{name} {version}" for name, version in versions().items()))
    report(rows, f"{size[1]} levels of {size[0]} factories, {days} days", options.json)


if __name__ == "__main__":
    main()
