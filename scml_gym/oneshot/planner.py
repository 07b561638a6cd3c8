"""The planner: from what a factory sees and a few settings to an answer for every partner, as one pure function.

A decision has three parts. *Which offers to take*: of all sets of standing offers whose total lies within the
tolerances around the needs, the one that leaves most money, where items left open count by the chance that they are
still filled. *What to ask of the others*: if the set does not fill the needs, the partners that remain are asked, in
the same breath, for as many items as it takes until what is left can be expected to be agreed; else they are let go.
*First proposals* are the same with no offers to choose from.

What a partner granted on earlier days is kept in ``memory`` by whoever plans, and moved on by `remember` once a day.
Numbers and arrays only, without randomness: where equal partners must get unequal answers, an order that moves on with
factory, day and decision says who comes first.
"""

from __future__ import annotations

import numpy as np

from scml_gym.jit.arrays import scratch_floats, scratch_integers
from scml_gym.jit.compile import jittable
from scml_gym.jit.parameters import count_parameters, parameters_dtype
from scml_gym.oneshot.strategies.market import accept, end, offer, price_gain
from scml_gym.oneshot.view import MAX_PARTNERS, SELLER, ActionArray, FactoryView

SETTINGS_DTYPE = parameters_dtype(("under", "over", "least_gain", "factor", "gain", "focus", "partners"))
"""A plan's settings:

- ``under``, ``over``: items by which the total of accepted offers may miss the needs, below and above;
- ``least_gain``: offers at prices below this position of today's range are not accepted (0 the worst, 1 the best);
- ``factor``: items that are expected to be agreed of those asked for, as a multiple of what is left to be traded;
- ``gain``: position of the prices of offers in today's range; prices between two integers go to each in proportion;
- ``focus``: how much items are drawn to partners that agreed before: 0 not at all, 1 in proportion, 2 more;
- ``partners``: fraction of the remaining partners that are asked, best ones first, in (0, 1].
"""

N_SETTINGS = count_parameters(SETTINGS_DTYPE)

WEIGHT, AGREED = 0, MAX_PARTNERS
MEMORY_SIZE = 2 * MAX_PARTNERS
"""Memory of partners, float64 ``(MEMORY_SIZE,)``, zeros at the start of a world: two moving averages a partner.

``WEIGHT + k``: of 1 for each day on which partner ``k`` was asked, in [0, 1]; ``AGREED + k``: of 1 for each day on
which it then agreed, never more than the former.
"""

PATIENCE = 0.5
"""The chance that an item left open early in the day is still traded; it falls to 0 with relative time."""

RATE = 0.15
"""Weight of the newest day in the memory."""
PRIOR, PRIOR_WEIGHT = 0.8, 0.3
"""The chance of an agreement with a partner that nothing is known of, and its weight beside what is remembered."""

LEAST_CHANCE = 0.3
"""No partner is counted on for less: that bounds what is asked for where everybody has refused for long."""


@jittable
def remember(view: FactoryView, memory: np.ndarray) -> None:
    """Take a day into the memory.

    Args:
        view: As the day's negotiations are over (the ``end_day`` of a policy).
        memory: Float64 ``(MEMORY_SIZE,)``, changed in place.
    """
    for k in range(view["n_partners"]):
        agreed = view["partners"][k]["agreed_quantity"] > 0
        if agreed or view["partners"][k]["my_quantity"] > 0:
            memory[WEIGHT + k] += RATE * (1.0 - memory[WEIGHT + k])
            memory[AGREED + k] += RATE * ((1.0 if agreed else 0.0) - memory[AGREED + k])


@jittable
def chance(memory: np.ndarray, k: int) -> float:
    """The estimated chance, in (0, 1], that partner ``k`` agrees when it is asked."""
    return (memory[AGREED + k] + PRIOR * PRIOR_WEIGHT) / (memory[WEIGHT + k] + PRIOR_WEIGHT)


@jittable
def partners_in_order(view: FactoryView, order: np.ndarray) -> None:
    """Write the indices of all partners into ``order``, int64 ``(MAX_PARTNERS,)``.

    Where equal partners must get unequal answers, the first in this order comes off better; who that is moves on with
    the factory, the day and the decision, so that nobody always does.
    """
    n = view["n_partners"]
    k = (view["factory"] + view["day"] + view["decision"]) % n
    for rank in range(n):
        order[rank] = k
        k = k + 1 if k + 1 < n else 0


@jittable
def outcome(view: FactoryView, quantity: int, money: float, open_chance: float) -> float:
    """What a set of offers is worth: today's profit with it, up to a constant.

    Args:
        view: Says what is needed, and what items missing or left over cost.
        quantity: Items of the set.
        money: Sum of quantity times price over the set.
        open_chance: The chance that an item still needed after it is traded later in the day.

    Returns:
        Money. A seller's items beyond the needs bring no price and a shortfall penalty, items it does not sell the
        disposal cost; a buyer's excess is paid and disposed of, what it does not get costs the price of its sale and
        the shortfall penalty.
    """
    return money_of(view["level"] == SELLER, view["needs"], unit_values(view, open_chance), quantity, money)


@jittable
def unit_values(view: FactoryView, open_chance: float) -> tuple[float, float, float]:
    """Money by item, see `outcome`: of one used, beside its price; of one too many; of one left open."""
    shortfall = view["shortfall_penalty"] * view["output_price"]
    disposal = view["disposal_cost"] * view["input_price"]
    if view["level"] == SELLER:
        later = open_chance * (view["min_price"] - view["production_cost"]) - (1.0 - open_chance) * disposal
        return -view["production_cost"], -shortfall, later
    margin = view["exogenous_price"] - view["production_cost"]
    return margin, -disposal, open_chance * (margin - view["max_price"]) - (1.0 - open_chance) * shortfall


@jittable
def money_of(seller: bool, needs: int, values: tuple[float, float, float], quantity: float, money: float) -> float:
    """`outcome`, of what stays the same from set to set."""
    used = min(quantity, needs)
    paid = -money
    if seller:
        paid = money * used / quantity if quantity > 0 else 0.0
    return paid + values[0] * used + values[1] * (quantity - used) + values[2] * (needs - used)


@jittable
def best_set(view: FactoryView, settings: np.void) -> int:
    """The set of standing offers to take, as a bit mask over partners; 0 for none."""
    partners, quantities = scratch_integers(MAX_PARTNERS), scratch_integers(MAX_PARTNERS)
    prices = scratch_integers(MAX_PARTNERS)
    n, time = 0, 1.0
    for k in range(view["n_partners"]):
        if view["partners"][k]["my_turn"] != 0:
            time = min(time, view["partners"][k]["relative_time"])
            price = view["partners"][k]["offer_price"]
            if view["partners"][k]["offer_quantity"] > 0 and price_gain(view, price) >= settings["least_gain"]:
                partners[n], quantities[n], prices[n] = k, view["partners"][k]["offer_quantity"], price
                n += 1
    seller, needs, values = view["level"] == SELLER, view["needs"], unit_values(view, PATIENCE * (1.0 - time))
    least, most = needs - settings["under"], needs + settings["over"]
    mask, quantity, money = 0, 0, 0
    best, best_value = 0, money_of(seller, needs, values, 0, 0.0)
    for i in range(1, 1 << n):
        bit = 0  # the one that changes in step i of a Gray code, so that each set differs from the last by one offer
        while not (i >> bit) & 1:
            bit += 1
        mask ^= 1 << bit
        change = quantities[bit] if (mask >> bit) & 1 else -quantities[bit]
        quantity += change
        money += change * prices[bit]
        if least <= quantity <= most:
            value = money_of(seller, needs, values, quantity, money)
            if value > best_value + 1e-9:
                best, best_value = mask, value
    taken = 0
    for bit in range(n):
        if (best >> bit) & 1:
            taken |= 1 << partners[bit]
    return taken


@jittable
def divide(
    view: FactoryView,
    settings: np.void,
    memory: np.ndarray,
    order: np.ndarray,
    taken: int,
    wanted: float,
    shares: np.ndarray,
) -> None:
    """Ask the partners still negotiating for items, each next one from the partner with most claim to it.

    It ends where the number expected to be agreed is nearest to what is wanted.

    Args:
        view: Says who is negotiating, and the largest quantity of an offer.
        settings: Of which ``focus`` and ``partners`` matter here.
        memory: Of the partners.
        order: Of the partners, see `partners_in_order`: earlier ones are asked first, later ones left out first.
        taken: Bit mask of the partners whose offers are accepted now; they get nothing.
        wanted: Items that should be agreed.
        shares: int64 ``(MAX_PARTNERS,)``, all 0; receives the items of each partner.
    """
    n_partners, most_items = view["n_partners"], view["max_quantity"]
    # claims of each partner on its first item and on its next one; 0 for none
    first_claims, claims = scratch_floats(MAX_PARTNERS), scratch_floats(MAX_PARTNERS)
    chances = scratch_floats(MAX_PARTNERS)
    n = 0
    for k in range(n_partners):
        if view["partners"][k]["running"] != 0 and not (taken >> k) & 1:
            chances[k] = chance(memory, k)
            first_claims[k] = 1.0 if settings["focus"] == 0.0 else chances[k] ** settings["focus"]
            claims[k] = first_claims[k]
            n += 1
    for _ in range(n - max(1, int(n * settings["partners"] + 0.999))):
        worst = -1
        for rank in range(n_partners):
            k = order[rank]
            if claims[k] > 0.0 and (worst < 0 or chances[k] <= chances[worst]):
                worst = k
        claims[worst] = 0.0
    expected = 0.0
    while True:
        first, most = -1, 0.0
        for rank in range(n_partners):
            k = order[rank]
            if claims[k] > most:
                first, most = k, claims[k]
        if first < 0:
            return
        agreed = max(chances[first], LEAST_CHANCE)
        if expected + 0.5 * agreed > wanted:
            return
        expected += agreed
        shares[first] += 1
        claims[first] = first_claims[first] / (shares[first] + 1) if shares[first] < most_items else 0.0


@jittable
def price_for(view: FactoryView, gain: float, rank: int) -> int:
    """The price at a position of today's range, between two integers the nearer one for more places of the order."""
    width = view["max_price"] - view["min_price"]
    steps = min(int(gain * width + (rank + 0.5) / view["n_partners"]), width)
    if view["level"] == SELLER:
        return view["min_price"] + steps
    return view["max_price"] - steps


@jittable
def plan(view: FactoryView, settings: np.void, memory: np.ndarray, actions: ActionArray) -> None:
    """Answer every partner whose turn it is.

    Args:
        view: What the factory sees.
        settings: A record of ``SETTINGS_DTYPE``.
        memory: Float64 ``(MEMORY_SIZE,)``, see above; only read.
        actions: Come as no-ops; always valid afterwards.
    """
    needs = view["needs"]
    taken, left = 0, 0
    shares, order = scratch_integers(MAX_PARTNERS), scratch_integers(MAX_PARTNERS)
    partners_in_order(view, order)
    if needs > 0:
        taken, left = best_set(view, settings), needs
        for k in range(view["n_partners"]):
            if (taken >> k) & 1:
                left -= view["partners"][k]["offer_quantity"]
        if left > 0:
            divide(view, settings, memory, order, taken, left * settings["factor"], shares)
    for rank in range(view["n_partners"]):
        k = order[rank]
        if view["partners"][k]["my_turn"] == 0:
            continue
        if (taken >> k) & 1:
            accept(actions, k)
        elif shares[k] > 0:
            offer(actions, k, max(shares[k], view["min_quantity"]), price_for(view, settings["gain"], rank))
        else:
            end(actions, k)
