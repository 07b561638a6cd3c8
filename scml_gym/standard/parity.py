"""Parity: the same world played in the reference world and in the compiled one, compared to the last bit."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any, Literal

import numpy as np

from scml_gym.game.parity import compare_decisions, compare_episodes, compare_results
from scml_gym.standard.actions import ACTIONS
from scml_gym.standard.players import player_maker
from scml_gym.standard.rewards import REWARDS
from scml_gym.standard.rules import STOCK_RULES
from scml_gym.standard.strategies import STRATEGIES
from scml_gym.standard.view import MAX_LEVELS, MAX_PER_LEVEL, MIN_LEVELS, MOST_HORIZON
from scml_gym.standard.worlds.compiled.world import CompiledWorld
from scml_gym.standard.worlds.generation import league_spec
from scml_gym.standard.worlds.reference import ReferenceWorld

LEVELS = ("first", "middle", "last")
ENVIRONMENT_ID = "scml_gym/StandardConcurrent-v0"
RESULTS = ("profits", "stock", "trading_prices", "bankrupt", "scores")

Stock = Literal["league", "physical"]


@dataclasses.dataclass(frozen=True)
class Case:
    """A world to be played twice.

    Attributes:
        spec: Its parameters, a `WorldSpec`.
        strategies: Who plays each factory.
        seed: Of the strategies' draws.
        stock: The stock rule.
        horizon: Days ahead that goods are traded for.
        poor: Whether the factories were left short of cash.
    """

    spec: Any
    strategies: tuple[str, ...]
    seed: int
    stock: Stock
    horizon: int
    poor: bool


def draw_case(
    seed: int,
    index: int,
    days: tuple[int, int] = (4, 60),
    factories: tuple[int, int] = (1, MAX_PER_LEVEL),
) -> Case:
    """A world of random levels, sizes and length, drawn by scml's own generator, with random strategies.

    Even indices have the league's stock rule; every third world is short of cash, and every fourth has a random
    horizon.

    Args:
        seed: Of the whole comparison.
        index: Of the case in it.
        days: Range of the number of days; scml needs more of them than there are levels.
        factories: Range of the factories of a level.
    """
    rng = np.random.default_rng([seed, index])
    levels = int(rng.integers(MIN_LEVELS, MAX_LEVELS + 1))
    low, high = max(days[0], levels + 1), max(days[1], levels + 1)
    spec = league_spec(int(rng.integers(2**62)), (low, high), factories, levels)
    poor = index % 3 == 0
    if poor:
        share = rng.uniform(0.02, 0.3, size=spec.n_factories)
        spec = dataclasses.replace(spec, initial_balance=1 + (spec.initial_balance * share).astype(np.int64))
    strategies = tuple(rng.choice(sorted(STRATEGIES), size=spec.n_factories).tolist())
    horizon = int(rng.integers(MOST_HORIZON + 1)) if index % 4 == 0 else MOST_HORIZON
    return Case(spec, strategies, int(rng.integers(2**62)), STOCK_RULES[index % 2], horizon, poor)


def make_worlds(case: Case, external: tuple[int, ...] = ()) -> tuple[list[Any], list[list[Any]]]:
    """The reference world and the compiled one of a case, and the policies of its factories for each of them.

    Args:
        case: The world.
        external: Indices of the factories that are decided from outside.
    """
    worlds: list[Any] = []
    policies: list[list[Any]] = []
    for kind in (ReferenceWorld, CompiledWorld):
        players: list[Any] = [player_maker(name)(case.seed) for name in case.strategies]
        policies.append(players)
        played = [None if i in external else player for i, player in enumerate(players)]
        worlds.append(kind(case.spec, played, case.seed, stock=case.stock, horizon=case.horizon))
    return worlds, policies


def compare_worlds(case: Case, counts: Counter[str]) -> str | None:
    """Play a case in both worlds.

    Args:
        case: The world.
        counts: Receives what was covered: ``worlds``, ``contracts``, ``futures`` (contracts for later days),
            ``nullified`` (contracts), ``bankruptcies``, ``short of cash`` (worlds), and worlds by levels and by stock
            rule.

    Returns:
        The first difference in words, or None where there is none.
    """
    (reference, compiled), _ = make_worlds(case)
    reference.run()
    compiled.run()
    contracts = reference.contracts
    counts.update(worlds=1, contracts=len(contracts), bankruptcies=int(reference.bankrupt.sum()))
    counts["futures"] += int((contracts["delivery"] > contracts["day"]).sum())
    counts["nullified"] += int(contracts["nullified"].sum())
    counts["short of cash"] += case.poor
    counts[f"{case.spec.n_levels} levels"] += 1
    counts[case.stock] += 1
    return compare_results(reference, compiled, RESULTS)


def compare_external(case: Case, n_external: int) -> str | None:
    """Play a case in both worlds, some of whose factories are answered for from outside: by their own strategies.

    Args:
        case: The world.
        n_external: How many are; which ones is drawn from the case's seed.

    Returns:
        The first difference in words, of what is pending, what the external factories see (books among it) and what
        becomes of them; or None where there is none.
    """
    n = case.spec.n_factories
    chosen = np.random.default_rng(case.seed).choice(n, size=min(n, n_external), replace=False)
    worlds, policies = make_worlds(case, tuple(sorted(chosen.tolist())))
    return compare_decisions(worlds, policies) or compare_results(worlds[0], worlds[1], RESULTS)


def compare_episode(seed: int, index: int, counts: Counter[str], **arguments: Any) -> str | None:
    """An episode of ``StandardConcurrent-v0`` against all strategies; see `scml_gym.game.parity.compare_episodes`.

    The stock rule, the learner's level, how much it sees, what it decides and what it is paid for are drawn.

    Args:
        seed: Of the whole comparison.
        index: Of the episode in it.
        counts: Receives ``episodes`` and ``steps``.
        arguments: Further ones of the environment.
    """
    choices = {
        "stock": STOCK_RULES,
        "level": LEVELS,
        "observability": ("partial", "full"),
        "action": sorted(ACTIONS),
        "reward": sorted(REWARDS),
    }
    rng = np.random.default_rng([seed, index])
    arguments |= {name: str(rng.choice(values)) for name, values in choices.items()}
    arguments["opponents"] = sorted(STRATEGIES)
    return compare_episodes(ENVIRONMENT_ID, seed * 1_000_003 + index, counts, **arguments)


def compare_case(seed: int, index: int, counts: Counter[str]) -> str | None:
    """A random world of at most 12 days, then a random episode.

    Args:
        seed: Of the whole comparison.
        index: Of the case in it; see `draw_case` and `compare_episode`.
        counts: As `compare_worlds` and `compare_episode`.

    Returns:
        The first difference in words, or None where there is none.
    """
    difference = compare_worlds(draw_case(seed, index, days=(4, 12)), counts)
    return difference or compare_episode(seed, index, counts, days=(4, 12))
