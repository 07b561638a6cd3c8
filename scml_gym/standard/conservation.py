"""Random actions, valid and not, over random worlds: after every step and every world money and goods are conserved."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np

from scml_gym.simulator import conservation
from scml_gym.simulator.compiled.layout import NEGOTIATING
from scml_gym.simulator.conservation import demand
from scml_gym.standard.ledger import check_played
from scml_gym.standard.rules import STOCK_RULES, prices_with
from scml_gym.standard.strategies import STRATEGIES
from scml_gym.standard.view import (
    ACCEPT,
    ACTION_DTYPE,
    BOOK_DAYS,
    MAX_LEVELS,
    MAX_PARTNERS,
    MAX_PER_LEVEL,
    MIN_LEVELS,
    MOST_HORIZON,
    OFFER,
    ActionArray,
    StandardView,
)
from scml_gym.standard.worlds.compiled.generation import compiled_spec
from scml_gym.standard.worlds.compiled.layout import MAX_FUTURES, NO_FUTURE
from scml_gym.standard.worlds.compiled.world import CompiledWorld

GROUPS = 8
"""Goals of an action: for each side and group of days a quantity with a price."""

BATCHES = (
    ("StandardConcurrent", "choice", MAX_PARTNERS),
    ("StandardConcurrent", "continuous", MAX_PARTNERS),
    ("StandardConcurrent", "goals", GROUPS),
    ("StandardDaily", "goals", GROUPS),
    ("StandardDaily", "goals-continuous", GROUPS),
)
"""Environment, form of action, and actions in a row's step."""


def soak(actions: int, rows: int, seed: int) -> Counter[str]:
    """Play at least that many random actions: half of them in batches, of every form and under both stock rules, the
    other half in whole worlds in which every factory answers at random.

    Returns:
        What was covered.

    Raises:
        NotConservedError: if something is not conserved, not a number or out of range.
    """
    counts = Counter[str]()
    parts = [(batch, stock) for batch in BATCHES for stock in STOCK_RULES]
    for part, (batch, stock) in enumerate(parts):
        share = actions // (2 * len(parts))
        counts["actions"] += play_random_actions(share, rows, batch, seed * len(parts) + part, stock=stock)
    index = 0
    while counts["actions"] < actions:
        counts += play_random_world(seed, index)
        index += 1
    return counts


def play_random_actions(actions: int, rows: int, batch: tuple[str, str, int], seed: int, **arguments: Any) -> int:
    """Play that many random actions at least in a batch.

    Args:
        actions: Answers to a partner, or goals.
        rows: Of the batch.
        batch: One of `BATCHES`.
        seed: Of worlds and actions.
        arguments: More of the environment; by default it is fully observed.

    Returns:
        The actions played.

    Raises:
        NotConservedError: if something is not conserved, not a number or out of range.
    """
    name, action, per_row = batch
    world: dict[str, Any] = {"opponents": sorted(STRATEGIES), "days": (1, 16), "factories_per_level": (1, 8)}
    world |= {"observability": "full", "n_levels": (MIN_LEVELS, MAX_LEVELS)} | arguments
    envs: Any = gymnasium.make_vec(f"scml_gym/{name}-v0", num_envs=rows, action=action, **world).unwrapped
    return conservation.play_random_actions(envs, actions, per_row, seed, check_world)


def check_world(world: Any, days: np.ndarray) -> None:
    """What all tracks conserve; books are the contracts that are due; stock is what the last day left.

    Args:
        world: A record of ``WORLD_DTYPE``.
        days: Its table.

    Raises:
        NotConservedError: if something does not hold.
    """
    conservation.check_world(world, days)
    if world["phase"] != NEGOTIATING:
        return
    n, day = world["n_factories"], world["day"]
    view, stock = world["views"][:n], days["stock"][: day + 1, :n]
    demand(view["stock"] == stock[-1], "a stock differs between the view and the table of days")
    demand(world["stock"][:n] == stock[-1], "a stock changes within a day")
    demand(stock >= 0, "a negative stock")
    demand(world["physical"] or (np.diff(stock, axis=0) >= 0).all(), "the league's stock became less")
    ahead, contracts = _due(world)
    for side, items, money in (("buyer", "supplies", "supplies_cost"), ("seller", "sales", "sales_revenue")):
        books = np.zeros((2, n, BOOK_DAYS), dtype=np.int64)
        np.add.at(books[0], (contracts[side], ahead), contracts["quantity"])
        np.add.at(books[1], (contracts[side], ahead), contracts["quantity"].astype(np.int64) * contracts["price"])
        demand(view[items] == books[0], f"the book of {items} is not the contracts that are due")
        demand(view[money] == books[1], f"{money} is not what the contracts that are due are worth")


_DUE = ("seller", "buyer", "quantity", "price")


def _due(world: Any) -> tuple[np.ndarray, np.ndarray]:
    """All contracts from today on, nullified ones too, and in how many days each is due."""
    futures, day = world["futures"], world["day"]
    following = futures["next"].tolist()
    places: list[int] = []
    ahead: list[int] = []
    for later in range(BOOK_DAYS):
        i, number = int(world["first_future"][(day + later) % BOOK_DAYS]), -1
        while i != NO_FUTURE:
            demand(futures["number"][i] > number, "futures are not in the order of their conclusion")
            places.append(i)
            ahead.append(later)
            i, number = following[i], futures["number"][i]
    free, i = 0, int(world["free_future"])
    while i != NO_FUTURE:
        free, i = free + 1, following[i]
    demand(free + len(places) == MAX_FUTURES, "a place of the pool of futures is lost")
    contracts = world["contracts"][: world["n_contracts"]]
    today = contracts[contracts["delivery"] == day][list(_DUE)]
    columns = [np.concatenate([futures[name][places], today[name]]) for name in _DUE]
    joined = np.zeros(len(columns[0]), dtype=[(name, np.int64) for name in _DUE])
    for name, column in zip(_DUE, columns, strict=True):
        joined[name] = column
    return np.array(ahead + [0] * len(today), dtype=np.int64), joined


def play_random_world(seed: int, index: int) -> Counter[str]:
    """Play a world to its end in which every factory answers at random, and settle its accounts.

    Args:
        seed: Of the whole soak.
        index: Of the world in it: even ones have the league's stock rule, every third one is short of cash.

    Returns:
        What was covered.

    Raises:
        NotConservedError: if the accounts do not add up.
    """
    rng = np.random.default_rng([seed, index])
    spec = compiled_spec(int(rng.integers(2**62)), (1, 16), (1, MAX_PER_LEVEL), (MIN_LEVELS, MAX_LEVELS))
    if index % 3 == 0:
        share = rng.uniform(0.02, 0.5, size=spec.n_factories)
        spec = dataclasses.replace(spec, initial_balance=1 + (spec.initial_balance * share).astype(np.int64))
    stock = STOCK_RULES[index % 2]
    horizon = int(rng.integers(MOST_HORIZON + 1)) if index % 4 == 0 else MOST_HORIZON
    world = CompiledWorld(spec, [None] * spec.n_factories, stock=stock, horizon=horizon)
    played = answer_at_random(world, rng)
    return played + check_played(world, stock, horizon)


def answer_at_random(world: Any, rng: np.random.Generator, until: Callable[[], bool] = lambda: False) -> Counter[str]:
    """Start a world and answer at random for its external factories.

    Args:
        world: A `scml_gym.standard.worlds.protocol.StandardWorld` that was not started yet.
        rng: Draws the answers.
        until: When to stop before its end.

    Returns:
        How many ``actions``, answers to a partner, there were.
    """
    played = 0
    world.start()
    while world.pending and not until():
        answers = {factory: random_answers(world.view(factory), rng) for factory in world.pending}
        world.step(answers)
        played += len(answers) * MAX_PARTNERS
    return Counter(actions=played)


def random_answers(view: StandardView, rng: np.random.Generator) -> ActionArray:
    """An answer to each partner: most offer or accept as they may, the others are numbers of any kind.

    Returns:
        ``ACTION_DTYPE``, shape ``(MAX_PARTNERS,)``.
    """
    actions = np.zeros(MAX_PARTNERS, dtype=ACTION_DTYPE)
    for name, (low, high) in {"response": (-2, 8), "quantity": (-5, 99), "day": (-5, 99), "price": (-9, 999)}.items():
        actions[name] = rng.integers(low, high, size=MAX_PARTNERS)
    for k in np.flatnonzero(rng.random(MAX_PARTNERS) < 0.8):
        low, high = prices_with(view, int(k))
        offer = actions[k]
        offer["response"] = ACCEPT if view["partners"][k]["offer_quantity"] > 0 and rng.random() < 0.3 else OFFER
        offer["quantity"] = view["min_quantity"] + int(rng.random() ** 4 * view["max_quantity"])  # few are too many
        offer["day"] = rng.integers(view["day"], view["last_day"], endpoint=True)
        offer["price"] = rng.integers(low, high, endpoint=True)
    return actions
