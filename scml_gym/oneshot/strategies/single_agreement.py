"""Single agreement: one contract a day, chosen by what it alone would bring.

The family of scml's agents for one agreement at a time. ``single-agreement`` concedes as
``SingleAgreementAspirationAgent`` (scml/oneshot/agents/aspiration.py): its aspiration on the profit falls with relative
time, and it makes an offer to one partner only, so that it never has two agreements a day. ``single-agreement-greedy``
and ``single-agreement-random`` (``GreedySingleAgreementAgent`` in greedy.py, ``SingleAgreementRandomAgent`` in rand.py)
ask everyone for their best outcome and stop at the first agreement; several partners may agree at once.
"""

from __future__ import annotations

import numpy as np

from scml_gym.jit.compile import jittable
from scml_gym.jit.parameters import parameters_dtype, record_of
from scml_gym.oneshot.strategies.base import Strategy
from scml_gym.oneshot.strategies.best_subset import earliest_time
from scml_gym.oneshot.strategies.market import accept, draw_integer, end, offer, price_at
from scml_gym.oneshot.strategies.utility import best_profit, day_profit, worst_profit
from scml_gym.oneshot.view import MAX_PARTNERS, ActionArray, FactoryView

ASPIRATION_PARAMETERS = {
    "boulware": 0.7,  # share of the days on which the exponent is 1, 2, 3 or 4; on the others it lies between 0 and 1
}
ASPIRATION_DTYPE = parameters_dtype(ASPIRATION_PARAMETERS)

DAY, EXPONENT = 0, 1
"""State: the next day to draw for, and the day's exponent: aspiration is 1 - relative time to this power."""

RANDOM_PARAMETERS = {
    "accept": 0.1,  # probability of accepting the offer drawn
    "repeat": 0.5,  # probability of passing the offer drawn on to a partner, in place of the best outcome
}
RANDOM_DTYPE = parameters_dtype(RANDOM_PARAMETERS)

PARTNER_DRAW, KIND_DRAW, EXPONENT_DRAW = 0, 1, 2
"""Draws: of a partner; of the day's exponent."""

ACCEPT_DRAW, REPEAT_DRAW = 1, 2
"""Draws beside that of a partner: of acceptance; of what partner ``k`` is offered, ``REPEAT_DRAW + k``."""


@jittable
def value(view: FactoryView, quantity: int, price: int) -> float:
    """The profit of the day with that one contract."""
    return day_profit(view, quantity, float(quantity * price))


@jittable
def best_quantity(view: FactoryView) -> int:
    """The quantity of the most profitable contract at the good price."""
    price = price_at(view, 1.0)
    best = view["min_quantity"]
    most = value(view, best, price)
    for quantity in range(view["min_quantity"] + 1, view["max_quantity"] + 1):
        worth = value(view, quantity, price)
        if worth > most:
            best, most = quantity, worth
    return best


@jittable
def best_offer(view: FactoryView) -> int:
    """The partner whose standing offer is worth most, the first of equal ones; -1 where there is none."""
    best, best_value = -1, 0.0
    for k in range(view["n_partners"]):
        if view["partners"][k]["my_turn"] != 0 and view["partners"][k]["offer_quantity"] > 0:
            worth = value(view, view["partners"][k]["offer_quantity"], view["partners"][k]["offer_price"])
            if best < 0 or worth > best_value:
                best, best_value = k, worth
    return best


@jittable
def draw_partner(view: FactoryView, draw: float, with_offer: bool) -> int:
    """One of the partners that ask for an answer, or of those of them with a standing offer; -1 where there is none."""
    count = 0
    for k in range(view["n_partners"]):
        if view["partners"][k]["my_turn"] != 0 and (view["partners"][k]["offer_quantity"] > 0 or not with_offer):
            count += 1
    if count == 0:
        return -1
    left = draw_integer(draw, 0, count - 1)
    for k in range(view["n_partners"]):
        if view["partners"][k]["my_turn"] != 0 and (view["partners"][k]["offer_quantity"] > 0 or not with_offer):
            if left == 0:
                return k
            left -= 1
    return -1


@jittable
def may_agree(view: FactoryView, best: float) -> bool:
    """Whether nothing is agreed today, and one contract could be worth more than none, if ``best`` is the most."""
    return view["agreed_quantity"] == 0 and best > day_profit(view, 0, 0.0)


@jittable
def has_offer_out(view: FactoryView) -> bool:
    """Whether a partner that asks for no answer now could still take an offer of this factory."""
    for k in range(view["n_partners"]):
        partner_running = view["partners"][k]["running"] != 0 and view["partners"][k]["my_turn"] == 0
        if partner_running and view["partners"][k]["my_quantity"] > 0:
            return True
    return False


@jittable
def end_others(view: FactoryView, actions: ActionArray, kept: int) -> None:
    """End all negotiations that ask for an answer, but one (-1 for none)."""
    for k in range(view["n_partners"]):
        if view["partners"][k]["my_turn"] != 0 and k != kept:
            end(actions, k)


@jittable
def aspired_offer(view: FactoryView, target: float) -> tuple[int, int]:
    """Quantity and price of the contract with the least value from ``target`` on; the best one where none is."""
    quantity, price = best_quantity(view), price_at(view, 1.0)
    least = value(view, quantity, price)
    for p in range(view["min_price"], view["max_price"] + 1):
        for q in range(view["min_quantity"], view["max_quantity"] + 1):
            worth = value(view, q, p)
            if target <= worth < least:
                quantity, price, least = q, p, worth
    return quantity, price


@jittable
def nearest_partner(view: FactoryView, quantity: int, price: int) -> int:
    """The partner that asks for an answer whose standing offer lies nearest to a contract; -1 where none has one."""
    best, best_distance = -1, 0
    for k in range(view["n_partners"]):
        offered = view["partners"][k]["offer_quantity"]
        if view["partners"][k]["my_turn"] != 0 and offered > 0:
            distance = (offered - quantity) ** 2 + (view["partners"][k]["offer_price"] - price) ** 2
            if best < 0 or distance < best_distance:
                best, best_distance = k, distance
    return best


@jittable
def decide(view: FactoryView, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: ActionArray) -> None:
    """Accept the best offer if it is worth what is aspired to, else offer as much to the nearest partner; end the rest.

    A buyer opens with a partner drawn at random, because whoever is offered a contract may take it.
    """
    parameters = record_of(params, ASPIRATION_DTYPE, 0)
    if state[DAY] <= view["day"]:
        state[DAY] = view["day"] + 1.0
        state[EXPONENT] = 1.0 - draws[EXPONENT_DRAW]
        if draws[KIND_DRAW] < parameters["boulware"]:
            state[EXPONENT] = draw_integer(draws[EXPONENT_DRAW], 1, 4)
    best = best_profit(view)
    if has_offer_out(view) or not may_agree(view, best):
        end_others(view, actions, -1)
        return
    nothing = day_profit(view, 0, 0.0)
    aspiration = 1.0 - earliest_time(view) ** state[EXPONENT]
    target = nothing + aspiration * (best - nothing)
    k = best_offer(view)
    if k >= 0 and value(view, view["partners"][k]["offer_quantity"], view["partners"][k]["offer_price"]) >= target:
        accept(actions, k)
        end_others(view, actions, k)
        return
    if k < 0:
        target = best
    quantity, price = aspired_offer(view, target)
    k = nearest_partner(view, quantity, price)
    if k < 0:
        k = draw_partner(view, draws[PARTNER_DRAW], False)
    if k >= 0:
        offer(actions, k, quantity, price)
    end_others(view, actions, k)


@jittable
def decide_greedy(
    view: FactoryView, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: ActionArray
) -> None:
    """Accept the best offer if it stands high enough between the worst and the best profit, else ask all for more."""
    best = best_profit(view)
    if not may_agree(view, best):
        end_others(view, actions, -1)
        return
    k = best_offer(view)
    if k >= 0:
        worst = worst_profit(view)
        worth = value(view, view["partners"][k]["offer_quantity"], view["partners"][k]["offer_price"]) - worst
        if worth >= (1.0 - view["partners"][k]["relative_time"]) * (best - worst):
            accept(actions, k)
            end_others(view, actions, k)
            return
    quantity, price = best_quantity(view), price_at(view, 1.0)
    for k in range(view["n_partners"]):
        if view["partners"][k]["my_turn"] != 0:
            offer(actions, k, quantity, price)


@jittable
def decide_random(
    view: FactoryView, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: ActionArray
) -> None:
    """Draw an offer; accept it by chance and end the rest, else ask all for the best outcome or for that offer."""
    parameters = record_of(params, RANDOM_DTYPE, 0)
    if not may_agree(view, best_profit(view)):
        end_others(view, actions, -1)
        return
    drawn = draw_partner(view, draws[PARTNER_DRAW], True)
    if drawn >= 0 and draws[ACCEPT_DRAW] < parameters["accept"]:
        accept(actions, drawn)
        end_others(view, actions, drawn)
        return
    quantity, price = best_quantity(view), price_at(view, 1.0)
    for k in range(view["n_partners"]):
        if view["partners"][k]["my_turn"] == 0:
            continue
        if drawn >= 0 and k != drawn and draws[REPEAT_DRAW + k] < parameters["repeat"]:
            offer(actions, k, view["partners"][drawn]["offer_quantity"], view["partners"][drawn]["offer_price"])
        else:
            offer(actions, k, quantity, price)


SINGLE_AGREEMENT = Strategy(
    "single-agreement",
    decide,
    ASPIRATION_PARAMETERS,
    state_size=2,
    n_draws=3,
    summary="one agreement a day at most, aspiration on its profit (as SingleAgreementAspirationAgent)",
)
SINGLE_AGREEMENT_GREEDY = Strategy(
    "single-agreement-greedy",
    decide_greedy,
    n_draws=0,
    summary="the most profitable offer, its best outcome asked of everyone (as GreedySingleAgreementAgent)",
)
SINGLE_AGREEMENT_RANDOM = Strategy(
    "single-agreement-random",
    decide_random,
    RANDOM_PARAMETERS,
    n_draws=REPEAT_DRAW + MAX_PARTNERS,
    summary="any one offer by chance, its best outcome asked of everyone (as SingleAgreementRandomAgent)",
)
