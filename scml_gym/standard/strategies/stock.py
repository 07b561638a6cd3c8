"""Stock strategies: a family that decides how much material to hold, from weak to strong, and a population of it.

A member sells for each of the coming days what it has material for, and buys up to the material that it means to hold.
What tells members from each other are the traits below. What material it has depends on the stock rule, which nobody
tells: a member counts on stock that stays from the start, or when it has seen that its own stock did. The measuring
sticks ``ten-once`` and ``ten-once-dear`` are members: they buy a full day's inputs once, early and cheaply, and then
only sell. In the population each factory draws its own traits once a world.
"""

from __future__ import annotations

import numpy as np

from scml_gym.jit.arrays import scratch_floats, scratch_integers
from scml_gym.jit.compile import jittable
from scml_gym.jit.parameters import parameters_dtype, record_of
from scml_gym.standard.allocation import EACH_DAY, add_pending, allocate
from scml_gym.standard.rules import spare_inputs, stock_after
from scml_gym.standard.strategies.base import Strategy
from scml_gym.standard.strategies.market import BOTH_BOOKS, SALE, SUPPLY, is_first_level
from scml_gym.standard.strategies.material import missing, sellable, sellable_of_kept_stock
from scml_gym.standard.view import BOOK_DAYS, MAX_PARTNERS, ActionArray, StandardView

TRAITS = {
    "material": 1.0,  # inputs that should be in stock beyond what is sold, as a fraction of the lines
    "habit": 0.0,  # fraction of the lines that is bought for today whatever is in stock
    "expected": 1.0,  # fraction of the items made a day so far that each later day is counted on to need
    "trust": 1.0,  # from 0.5 on it counts on stock that is never used up; below, only when it has seen that
    "promise": 1.0,  # of the items that can still be sold, so many times as many are offered, but for the first level
    "ahead": 10.0,  # days ahead that it sells for
    "buy_limit": 0.0,  # the worst prices, as positions of today's range: 1 is the best, 0 the worst
    "sell_limit": 0.0,
    "firm": 0.0,  # the worst price, likewise, until patience ends
    "patience": 0.0,  # relative time until which it holds out for the firm price
    "exponent": 2.0,  # concession: prices asked for fall to the limit with relative time to this power
}
"""What a member is like, with defaults."""

N_TRAITS = len(TRAITS)
TRAITS_DTYPE = parameters_dtype(TRAITS)

MADE, DAYS, RULE, IF_KEPT, IF_USED = range(5)
"""Memory: items that past days could make of what they had sold, how many days these are, the stock rule as far as it
is known (`KEPT`, `USED` or 0), and what today's stock is by each rule."""

MEMORY_SIZE = 5
KEPT, USED = 1.0, 2.0


@jittable
def see_rule(view: StandardView, memory: np.ndarray) -> None:
    """Find out by which rule yesterday ended, where the two differ."""
    if memory[DAYS] > 0.0 and memory[IF_KEPT] != memory[IF_USED]:
        if view["stock"] == memory[IF_KEPT]:
            memory[RULE] = KEPT
        elif view["stock"] == memory[IF_USED]:
            memory[RULE] = USED


@jittable
def remember(view: StandardView, memory: np.ndarray) -> None:
    """At the end of a day: count what it makes, and foresee tomorrow's stock by both rules."""
    bought = view["supplies"][0] + view["exogenous_supply"]
    made = min(view["lines"], view["stock"] + bought, view["sales"][0] + view["exogenous_sales"])
    memory[MADE] += made
    memory[DAYS] += 1.0
    memory[IF_KEPT] = stock_after(False, view["stock"], bought, made)
    memory[IF_USED] = stock_after(True, view["stock"], bought, made)


@jittable
def wanted_supplies(
    view: StandardView, traits: np.void, kept: bool, supplies: np.ndarray, mean: float, wanted: np.ndarray
) -> None:
    """Write how many more items are to be bought for each day from today, int64 ``(BOOK_DAYS,)``, all 0 before."""
    target = traits["material"] * view["lines"]
    days_left = view["n_days"] - view["day"]
    if kept:
        used = min(view["lines"], view["sales"][0] + view["exogenous_sales"])  # of today's items, these are not stored
        if view["stock"] < int(target + 0.5) and days_left > 1:
            wanted[0] = int(target + 0.5) + used - view["stock"] - supplies[0]
    else:
        spare = scratch_integers(BOOK_DAYS)
        spare_inputs(view, supplies, view["sales"], spare)
        missing(view, spare, min(target, mean * (days_left - 1)) if mean > 0.0 else target, mean, wanted)
    wanted[0] = max(wanted[0], int(traits["habit"] * view["lines"] + 0.5) - supplies[0])


@jittable
def play(view: StandardView, traits: np.void, memory: np.ndarray, actions: ActionArray) -> None:
    """Answer all partners as a factory of these traits, a record of ``TRAITS_DTYPE``, and of this memory does."""
    see_rule(view, memory)
    kept = traits["trust"] >= 0.5 or memory[RULE] == KEPT
    mean = traits["expected"] * memory[MADE] / max(memory[DAYS], 1.0)
    answer(view, traits, kept, mean, 1.0 if is_first_level(view) else traits["promise"], 0, actions)


@jittable
def answer(
    view: StandardView, traits: np.void, kept: bool, mean: float, promise: float, handed: int, actions: ActionArray
) -> None:
    """Answer all partners by traits.

    Args:
        view: What the factory sees.
        traits: A record of ``TRAITS_DTYPE``; those that the other arguments say are not read.
        kept: Whether stock stays.
        mean: Items that each later day is counted on to need.
        promise: Of the items that can still be sold, so many times as many are offered.
        handed: Items of exogenous supplies that each later day is counted on to bring.
        actions: Come as no-ops; valid afterwards.
    """
    wanted, limits = scratch_integers(BOTH_BOOKS), scratch_floats(BOTH_BOOKS)
    supplies, sales = scratch_integers(BOOK_DAYS), scratch_integers(BOOK_DAYS)
    for ahead in range(BOOK_DAYS):
        supplies[ahead], sales[ahead] = view["supplies"][ahead], view["sales"][ahead]
    add_pending(view, SALE, sales)
    for ahead in range(1, BOOK_DAYS):
        supplies[ahead] += handed
    if kept:
        sellable_of_kept_stock(view, supplies, sales, wanted[BOOK_DAYS:])
    else:
        spare = scratch_integers(BOOK_DAYS)
        spare_inputs(view, supplies, sales, spare)
        sellable(view, sales, spare, wanted[BOOK_DAYS:])
    for ahead in range(BOOK_DAYS):
        if ahead > traits["ahead"]:
            wanted[BOOK_DAYS + ahead] = 0
        else:
            wanted[BOOK_DAYS + ahead] = int(wanted[BOOK_DAYS + ahead] * promise + 0.5)
    if not is_first_level(view):
        add_pending(view, SUPPLY, supplies)
        wanted_supplies(view, traits, kept, supplies, mean, wanted[:BOOK_DAYS])
    firm = 0.0
    if earliest_time(view) < traits["patience"]:
        firm = traits["firm"]
    for ahead in range(BOOK_DAYS):
        near = min(1.0, (ahead + 1) / 3.0) if not kept else 1.0  # what is needed soon may cost more
        limits[ahead] = max(firm, traits["buy_limit"] * near)
        limits[BOOK_DAYS + ahead] = max(firm, traits["sell_limit"])
    allocate(view, EACH_DAY, wanted, limits, traits["exponent"], actions)


@jittable
def carry_out(view: StandardView, traits: np.ndarray, actions: ActionArray) -> None:
    """Answer all partners by the traits that were chosen for a day, float64 ``(N_TRAITS,)``.

    Here ``expected`` is a fraction of the lines, and at the first level what each later day is counted on to bring;
    ``trust`` says whether stock stays, and ``promise`` is that of every level.
    """
    chosen = record_of(traits, TRAITS_DTYPE, 0)
    mean = chosen["expected"] * view["lines"]
    handed = int(mean + 0.5) if is_first_level(view) else 0
    answer(view, chosen, chosen["trust"] >= 0.5, mean, chosen["promise"], handed, actions)


@jittable
def earliest_time(view: StandardView) -> float:
    """The least relative time of the negotiations in which an answer is asked for."""
    least = 1.0
    for k in range(MAX_PARTNERS):
        if view["partners"][k]["my_turn"] != 0:
            least = min(least, view["partners"][k]["relative_time"])
    return least


@jittable
def decide(view: StandardView, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: ActionArray) -> None:
    """Play with the traits that the parameters are."""
    play(view, record_of(params, TRAITS_DTYPE, 0), state, actions)


@jittable
def learn(view: StandardView, state: np.ndarray, params: np.ndarray) -> None:
    """At the end of a day: see `remember`."""
    remember(view, state)


TRAITS_AT, DRAWN = MEMORY_SIZE, MEMORY_SIZE + N_TRAITS
"""State of a member of the population: the memory, its traits, and whether they are drawn (1)."""


@jittable
def decide_population(
    view: StandardView, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: ActionArray
) -> None:
    """Draw the factory's traits at its first decision, each uniformly from its range, and play with them."""
    if state[DRAWN] == 0.0:
        state[DRAWN] = 1.0
        for i in range(N_TRAITS):
            low, high = params[2 * i], params[2 * i + 1]
            state[TRAITS_AT + i] = low + draws[i] * (high - low)
    play(view, record_of(state, TRAITS_DTYPE, TRAITS_AT), state, actions)


def member(name: str, summary: str, **traits: float) -> Strategy:
    """A fixed member of the family: the defaults, with traits replaced by name."""
    return Strategy(name, decide, TRAITS | traits, MEMORY_SIZE, learn=learn, summary=summary, n_draws=0)


def population(name: str, summary: str, **ranges: tuple[float, float]) -> Strategy:
    """A population of the family: traits are drawn from ranges; those without one are at their defaults."""
    parameters: dict[str, float] = {}
    for trait, default in TRAITS.items():
        parameters[f"{trait}_min"], parameters[f"{trait}_max"] = ranges.get(trait, (default, default))
    return Strategy(name, decide_population, parameters, DRAWN + 1, learn=learn, summary=summary, n_draws=N_TRAITS)


TEN_ONCE = member("ten-once", "buys a full day's inputs once, and then only sells what it can make of them")
TEN_ONCE_DEAR = member(
    "ten-once-dear",
    "the same, holding out for high prices, and offering more than it can make",
    firm=0.9,
    patience=0.5,
    promise=1.5,
)
STOCK_PLANNER = member(
    "stock-planner",
    "holds what its lines will need, bought at low prices, by whichever stock rule it sees",
    trust=0.0,
    buy_limit=0.5,
)
STOCK_WEAK = member(
    "stock-weak",
    "buys most of a day's inputs every day, and sells for today only",
    habit=0.8,
    trust=0.0,
    ahead=0.0,
)
STOCK_POPULATION = population(
    "stock-population",
    "each factory draws its own traits once a world",
    material=(0.3, 2.0),
    habit=(-1.0, 0.8),
    expected=(0.0, 1.5),
    trust=(0.0, 1.0),
    promise=(0.5, 2.0),
    ahead=(0.0, 10.0),
    buy_limit=(0.0, 0.8),
    sell_limit=(-0.5, 0.5),
    firm=(0.0, 1.0),
    patience=(-0.5, 0.8),
    exponent=(0.3, 4.0),
)
