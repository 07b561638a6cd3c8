"""Parity: the same world or episode played in the reference world and in the compiled one, compared to the last bit."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any, cast

import numpy as np

from scml_gym.game.parity import compare_decisions, compare_episodes, compare_results
from scml_gym.oneshot.clones.files import PREFIX, clone_names
from scml_gym.oneshot.players import player_maker
from scml_gym.oneshot.strategies import STRATEGIES
from scml_gym.oneshot.worlds.compiled.world import CompiledWorld
from scml_gym.oneshot.worlds.generation import league_spec
from scml_gym.oneshot.worlds.protocol import TIMINGS
from scml_gym.oneshot.worlds.reference import ReferenceWorld, Timing

RESULTS = ("profits", "trading_prices", "bankrupt", "scores")
ENVIRONMENT_ID = "scml_gym/OneShotConcurrent-v0"


@dataclasses.dataclass(frozen=True)
class Case:
    """A world to be played twice.

    Attributes:
        spec: Its parameters, a `WorldSpec`.
        strategies: Who plays each factory.
        seed: Of the strategies' draws.
        timing: ``"rounds"``, ``"moves"`` or ``"negotiations"``.
        poor: Whether the factories were left short of cash.
    """

    spec: Any
    strategies: tuple[str, ...]
    seed: int
    timing: str
    poor: bool


def draw_case(seed: int, index: int, timing: str, poor: bool, days: tuple[int, int] = (3, 20)) -> Case:
    """A world of random size and length, drawn by scml's own generator, with random strategies of the registry and
    clones; in ``"negotiations"`` half of them wait.

    Args:
        seed: Of the whole comparison.
        index: Of the case in it.
        timing: ``"rounds"``, ``"moves"`` or ``"negotiations"``.
        poor: Leave the factories 2 to 30 % of their cash.
        days: Range of the number of days.
    """
    rng = np.random.default_rng([seed, index])
    spec = league_spec(int(rng.integers(2**62)), days=days, factories_per_level=(1, 8))
    if poor:
        share = rng.uniform(0.02, 0.3, size=spec.n_factories)
        spec = dataclasses.replace(spec, initial_balance=1 + (spec.initial_balance * share).astype(np.int64))
    names, draws = rng.choice([*sorted(STRATEGIES), PREFIX], size=spec.n_factories), int(rng.integers(2**62))
    strategies = np.where(names == PREFIX, rng.choice(clone_names(), size=spec.n_factories), names).tolist()
    if timing == "negotiations":
        waiting = rng.random(spec.n_factories) < 0.5
        strategies = np.where(waiting, "sequential", strategies).tolist()
    return Case(spec, tuple(strategies), draws, timing, poor)


def compare_worlds(case: Case, counts: Counter[str]) -> str | None:
    """Play a case in both worlds.

    Args:
        case: The world.
        counts: Receives what was covered: ``worlds``, ``contracts``, ``bankruptcies``, and the timing's name.

    Returns:
        The first difference in words, or None where there is none.
    """
    played = []
    for kind in (ReferenceWorld, CompiledWorld):
        players = [player_maker(name)(case.seed) for name in case.strategies]
        world = kind(case.spec, players, seed=case.seed, timing=cast(Timing, case.timing))
        world.run()
        played.append(world)
    reference, compiled = played
    counts.update(worlds=1, contracts=len(reference.contracts), bankruptcies=int(reference.bankrupt.sum()))
    counts[case.timing] += 1
    return compare_results(reference, compiled, RESULTS)


def compare_episode(seed: int, timing: str, counts: Counter[str], **arguments: Any) -> str | None:
    """An episode of ``OneShotConcurrent-v0`` in a timing, against all strategies; see `compare_episodes`."""
    arguments |= {"opponents": sorted(STRATEGIES), "timing": timing}
    return compare_episodes(ENVIRONMENT_ID, seed, counts, **arguments)


def compare_external(seed: int, timing: str, n_external: int) -> str | None:
    """Play a world of eight factories in both worlds, some of whose factories are answered for from outside.

    Args:
        seed: Of the world, of who plays, and of which factories are external.
        timing: ``"rounds"``, ``"moves"`` or ``"negotiations"``.
        n_external: How many are.

    Returns:
        The first difference in words, of what is pending, what the external factories see and what becomes of them; or
        None where there is none.
    """
    spec = league_spec(seed, days=4, factories_per_level=4)
    rng = np.random.default_rng(seed)
    external = sorted(rng.choice(spec.n_factories, size=n_external, replace=False).tolist())
    names = rng.choice(sorted(STRATEGIES), size=spec.n_factories)
    worlds: list[Any] = []
    policies: list[list[Any]] = []
    for kind in (ReferenceWorld, CompiledWorld):
        players: list[Any] = [player_maker(name)(5) for name in names]
        policies.append(list(players))
        played = [None if i in external else player for i, player in enumerate(players)]
        worlds.append(kind(spec, played, 5, cast(Timing, timing)))
    return compare_decisions(worlds, policies)


def compare_case(seed: int, index: int, counts: Counter[str]) -> str | None:
    """A random world, then a random episode, both in the timing of the index, which go round in `TIMINGS`.

    Args:
        seed: Of the whole comparison.
        index: Of the case in it; every fifth world is short of cash.
        counts: As `compare_worlds` and `compare_episode`.

    Returns:
        The first difference in words, or None where there is none.
    """
    timing = tuple(TIMINGS)[index % len(TIMINGS)]
    difference = compare_worlds(draw_case(seed, index, timing, index % 5 == 0), counts)
    return difference or compare_episode(seed * 1_000_003 + index, timing, counts, days=(3, 15))
