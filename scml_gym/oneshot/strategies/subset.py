"""Subset strategies: a family over the planner, from weak to as strong as a league's finalists, and a population of it.

A member takes the set of offers worth most within tolerances that change over the rounds, and counters the rest; what
tells members from each other are the traits below. In the population each factory draws its own traits once a world.
"""

from __future__ import annotations

import numpy as np

from scml_gym.jit.arrays import scratch_floats
from scml_gym.jit.compile import jittable
from scml_gym.jit.parameters import parameters_dtype, record_of
from scml_gym.oneshot.planner import MEMORY_SIZE, N_SETTINGS, SETTINGS_DTYPE, plan
from scml_gym.oneshot.planner import remember as remember_day
from scml_gym.oneshot.strategies.base import Strategy
from scml_gym.oneshot.strategies.best_subset import earliest_time
from scml_gym.oneshot.strategies.market import end
from scml_gym.oneshot.view import ACCEPT, OFFER, ActionArray, FactoryView

TRAITS: dict[str, tuple[float, float]] = {
    "under_start": (3.0, 0.0),  # items that accepted offers may miss the needs by, below, at a day's start, and its end
    "under_end": (10.0, 10.0),
    "over_start": (10.0, 10.0),  # likewise above
    "over_end": (10.0, 10.0),
    "haste": (1.0, 1.0),  # the power of relative time by which the tolerances, and the price accepted, move
    "least_gain": (0.0, 0.0),  # position of the worst price accepted at a day's start; at its end any price is
    "first_factor": (1.0, 1.0),  # items expected of first offers, and of later ones, as a multiple of what is left
    "later_factor": (1.0, 1.0),
    "first_gain": (1.0, 1.0),  # position of the prices of first offers, and of later ones: 1 good, 0 bad, else mixed
    "later_gain": (0.0, 0.0),
    "focus": (0.0, 0.0),  # how much items are drawn to partners that agreed before
    "partners": (1.0, 1.0),  # fraction of the partners asked, best ones first
    "counter_rest": (1.0, 1.0),  # below 0.5: what is not accepted is let go once anything is
}
"""What a member is like: for each trait its default as a seller and as a buyer."""

N_TRAITS = len(TRAITS)
TRAITS_DTYPE = parameters_dtype(TRAITS)

SIDES = ("seller", "buyer")
DEFAULTS = {f"{side}_{trait}": TRAITS[trait][i] for i, side in enumerate(SIDES) for trait in TRAITS}
"""The parameters of a fixed member: the traits of a seller, then those of a buyer."""


@jittable
def tolerance(start: float, end: float, moved: float) -> int:
    """Items of a tolerance on its way, to the nearest one."""
    return int(start + (end - start) * moved + 0.5)


@jittable
def play(view: FactoryView, traits: np.void, memory: np.ndarray, actions: ActionArray) -> None:
    """Answer all partners as a factory of these traits, a record of ``TRAITS_DTYPE``, and of this memory does."""
    opening = True
    for k in range(view["n_partners"]):
        if view["partners"][k]["my_turn"] != 0 and view["partners"][k]["offer_quantity"] > 0:
            opening = False
    moved = earliest_time(view) ** traits["haste"]
    settings = record_of(scratch_floats(N_SETTINGS), SETTINGS_DTYPE, 0)
    settings["under"] = tolerance(traits["under_start"], traits["under_end"], moved)
    settings["over"] = tolerance(traits["over_start"], traits["over_end"], moved)
    settings["least_gain"] = traits["least_gain"] * (1.0 - moved)
    settings["factor"] = traits["first_factor"] if opening else traits["later_factor"]
    settings["gain"] = traits["first_gain"] if opening else traits["later_gain"]
    settings["focus"] = traits["focus"]
    settings["partners"] = traits["partners"]
    plan(view, settings, memory, actions)
    if traits["counter_rest"] < 0.5:
        accepted = False
        for k in range(view["n_partners"]):
            accepted = accepted or actions[k]["response"] == ACCEPT
        for k in range(view["n_partners"]):
            if accepted and actions[k]["response"] == OFFER:
                actions[k]["quantity"], actions[k]["price"] = 0, 0
                end(actions, k)


@jittable
def decide(view: FactoryView, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: ActionArray) -> None:
    """Play with the traits that the parameters give to the factory's level."""
    play(view, record_of(params, TRAITS_DTYPE, view["level"] * N_TRAITS), state, actions)


@jittable
def learn(view: FactoryView, state: np.ndarray, params: np.ndarray) -> None:
    """Remember who agreed."""
    remember_day(view, state)


TRAITS_AT, DRAWN = MEMORY_SIZE, MEMORY_SIZE + N_TRAITS
"""State of a member of the population: the memory of partners, its traits, and whether they are drawn (1)."""


@jittable
def decide_population(
    view: FactoryView, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: ActionArray
) -> None:
    """Draw the factory's traits at its first decision, each uniformly from its range, and play with them."""
    if state[DRAWN] == 0.0:
        state[DRAWN] = 1.0
        first = 2 * view["level"] * N_TRAITS
        for i in range(N_TRAITS):
            low, high = params[first + 2 * i], params[first + 2 * i + 1]
            state[TRAITS_AT + i] = low + draws[i] * (high - low)
    play(view, record_of(state, TRAITS_DTYPE, TRAITS_AT), state, actions)


@jittable
def learn_population(view: FactoryView, state: np.ndarray, params: np.ndarray) -> None:
    """Remember who agreed."""
    remember_day(view, state)


def member(name: str, summary: str, **traits: float) -> Strategy:
    """A fixed member of the family: the defaults, with parameters replaced by name."""
    parameters = DEFAULTS | traits
    return Strategy(name, decide, parameters, state_size=MEMORY_SIZE, learn=learn, summary=summary, n_draws=0)


def population(name: str, summary: str, **ranges: tuple[float, float]) -> Strategy:
    """A population of the family: traits are drawn from ranges; those without one are at their defaults."""
    parameters: dict[str, float] = {}
    for trait, default in DEFAULTS.items():
        parameters[f"{trait}_min"], parameters[f"{trait}_max"] = ranges.get(trait, (default, default))
    size = DRAWN + 1
    return Strategy(
        name, decide_population, parameters, state_size=size, learn=learn_population, summary=summary, n_draws=N_TRAITS
    )


SUBSET_STRONG = member("subset-strong", "the set of offers worth most, counters the rest, over-orders as history says")
SUBSET_PLAIN = member(
    "subset-plain",
    "tolerances that open late, mixed prices, the rest let go",
    seller_under_start=0.0,
    seller_under_end=3.0,
    seller_over_start=0.0,
    seller_over_end=3.0,
    seller_haste=4.0,
    seller_later_gain=0.5,
    seller_counter_rest=0.0,
    buyer_under_end=3.0,
    buyer_over_start=0.0,
    buyer_over_end=3.0,
    buyer_haste=4.0,
    buyer_first_factor=0.9,
    buyer_later_gain=0.5,
    buyer_counter_rest=0.0,
)
SUBSET_EXACT = member(
    "subset-exact",
    "exact fits only, asks for no more than it needs",
    seller_under_start=0.0,
    seller_under_end=0.0,
    seller_over_start=0.0,
    seller_over_end=0.0,
    seller_counter_rest=0.0,
    buyer_under_end=0.0,
    buyer_over_start=0.0,
    buyer_over_end=0.0,
    buyer_first_factor=0.7,
    buyer_counter_rest=0.0,
)
SUBSET_STUBBORN = member(
    "subset-stubborn",
    "holds out for the good price until late",
    seller_least_gain=1.0,
    seller_haste=4.0,
    seller_later_gain=1.0,
    buyer_least_gain=1.0,
    buyer_haste=4.0,
    buyer_first_factor=0.8,
    buyer_later_gain=1.0,
)
SUBSET_WEAK = member(
    "subset-weak",
    "asks for twice what it needs, and as a seller accepts nothing",
    seller_under_start=-10.0,
    seller_under_end=-10.0,
    seller_over_start=-10.0,
    seller_over_end=-10.0,
    seller_later_factor=2.5,
    seller_later_gain=0.5,
    buyer_first_factor=2.2,
)
SUBSET_POPULATION = population(
    "subset-population",
    "each factory draws its own traits once a world",
    seller_under_start=(-2.0, 6.0),
    seller_under_end=(0.0, 10.0),
    seller_over_start=(-2.0, 2.0),
    seller_over_end=(-2.0, 5.0),
    seller_haste=(0.3, 4.0),
    seller_least_gain=(-1.0, 0.6),
    seller_later_factor=(0.8, 2.0),
    seller_later_gain=(0.0, 1.0),
    seller_focus=(0.0, 2.0),
    seller_partners=(0.6, 1.0),
    seller_counter_rest=(0.0, 1.5),
    buyer_under_start=(0.0, 3.0),
    buyer_under_end=(0.0, 10.0),
    buyer_over_start=(0.0, 2.0),
    buyer_over_end=(0.0, 5.0),
    buyer_haste=(0.3, 4.0),
    buyer_least_gain=(-1.0, 0.6),
    buyer_first_factor=(0.75, 1.8),
    buyer_later_factor=(0.8, 1.6),
    buyer_first_gain=(0.5, 1.5),
    buyer_later_gain=(0.0, 1.0),
    buyer_focus=(0.0, 2.0),
    buyer_partners=(0.6, 1.0),
    buyer_counter_rest=(0.0, 1.5),
)
