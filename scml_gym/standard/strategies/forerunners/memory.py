"""What Y and YR remember within a world: prices, deals, the stock they count, and what each partner agrees to.

The partner model: the chance that a partner agrees at a price is logistic in the price's position in the day's range,
learnt online; the reservation price is where it is a half. The published start of the model is not known: here it is a
half in the middle of the range.
"""

from __future__ import annotations

import math

import numpy as np

from scml_gym.jit.compile import jittable
from scml_gym.simulator.strategies import price_of
from scml_gym.standard.rules import prices_with
from scml_gym.standard.strategies.market import price_gain
from scml_gym.standard.view import MAX_PARTNERS, MAX_PER_LEVEL, StandardView, is_consumer

(
    DAY,
    COUNTED,  # the stock that the public manager counts
    SEEN_PRICES,  # of suppliers' last offers of each day, their sum, and how many
    SEEN,
    PAID,  # money for inputs, exogenous ones included, and how many
    BOUGHT,
    EARNED,  # money for outputs, and how many
    SOLD,
    DEALS,  # sales agreed on so far, and sales negotiations
    TALKS,
    YESTERDAY_DEALS,  # those of the day before
    YESTERDAY_FAILURES,
    URGENT,  # what is added to the factors by which needs are exceeded
    PLANNED,
) = range(14)
SUPPLY_DEALS = 14
"""From here on, supply negotiations that were agreed on, by the day modulo 5."""
SUPPLY_TALKS = 19
"""From here on, all supply negotiations, likewise."""

BIAS, SLOPE, AGREED, TRIED, MEAN, SQUARES, LAST = range(7)
"""Of a partner: the logistic model, less its start; agreements and negotiations; mean and sum of squared deviations of
agreed prices; its last offer's price today, 0 for none."""

PARTNER_SIZE = 7
PARTNERS = 24
MEMORY_SIZE = PARTNERS + MAX_PARTNERS * PARTNER_SIZE

RATE = 0.05
"""Of learning the partner model."""

START_BIAS, START_SLOPE = 1.0, -2.0


@jittable
def begin_day(view: StandardView, memory: np.ndarray) -> None:
    """At the first decision of a day, forget the offers of the day before."""
    if memory[DAY] != view["day"] + 1.0:
        memory[DAY] = view["day"] + 1.0
        for k in range(MAX_PARTNERS):
            memory[PARTNERS + k * PARTNER_SIZE + LAST] = 0.0


@jittable
def keep_offers(view: StandardView, memory: np.ndarray) -> None:
    """After a decision, keep the prices that stand."""
    for k in range(MAX_PARTNERS):
        if view["partners"][k]["offer_quantity"] > 0:
            memory[PARTNERS + k * PARTNER_SIZE + LAST] = view["partners"][k]["offer_price"]


@jittable
def last_step(view: StandardView, memory: np.ndarray, k: int) -> float:
    """How far partner ``k`` has come towards this factory with its last offer, as a fraction of the price before."""
    before, price = memory[PARTNERS + k * PARTNER_SIZE + LAST], view["partners"][k]["offer_price"]
    if before <= 0.0 or view["partners"][k]["offer_quantity"] == 0:
        return 0.0
    return (price - before) / before if is_consumer(k) else (before - price) / before


@jittable
def reservation_price(view: StandardView, memory: np.ndarray, k: int) -> int:
    """The price at which partner ``k`` agrees with a chance of a half."""
    at = PARTNERS + k * PARTNER_SIZE
    bias, slope = START_BIAS + memory[at + BIAS], START_SLOPE + memory[at + SLOPE]
    low, high = prices_with(view, k)
    gain = 1.0 if bias > 0.0 else 0.0
    if slope < -0.01:
        gain = -bias / slope
    return price_of(is_consumer(k), low, high, gain)


@jittable
def expected_price(memory: np.ndarray, k: int, otherwise: float) -> float:
    """Mean of the prices agreed with partner ``k``, and more the less often it agrees; another one without any."""
    at = PARTNERS + k * PARTNER_SIZE
    agreed, tried = memory[at + AGREED], memory[at + TRIED]
    if agreed < 1.0 or tried < agreed:
        return otherwise
    return memory[at + MEAN] + (max(memory[at + SQUARES], 0.0) / agreed) ** 0.5 * (1.0 - agreed / tried)


@jittable
def input_cost(view: StandardView, memory: np.ndarray) -> float:
    """What an input has cost on average; the trading price before any was bought."""
    return memory[PAID] / memory[BOUGHT] if memory[BOUGHT] >= 1.0 else view["input_price"]


@jittable
def sale_price(view: StandardView, memory: np.ndarray) -> float:
    """What an output has brought on average; the trading price before any was sold."""
    return memory[EARNED] / memory[SOLD] if memory[SOLD] >= 1.0 else view["output_price"]


@jittable
def market_price(view: StandardView, memory: np.ndarray) -> float:
    """Mean price at which suppliers offer; the trading price before any did."""
    return memory[SEEN_PRICES] / memory[SEEN] if memory[SEEN] >= 1.0 else view["input_price"]


@jittable
def supply_success(view: StandardView, memory: np.ndarray) -> float:
    """The share of the last 5 days' supply negotiations that were agreed on; a half where there were none."""
    deals, talks = 0.0, 0.0
    for i in range(5):
        deals += memory[SUPPLY_DEALS + i]
        talks += memory[SUPPLY_TALKS + i]
    return deals / talks if talks >= 1.0 else 0.5


@jittable
def remember(view: StandardView, memory: np.ndarray) -> None:
    """At the end of a day: count deals and prices, and learn the partner model."""
    slot = view["day"] % 5
    memory[SUPPLY_DEALS + slot] = memory[SUPPLY_TALKS + slot] = 0.0
    memory[YESTERDAY_DEALS] = memory[YESTERDAY_FAILURES] = 0.0
    memory[PAID] += view["exogenous_supply"] * view["exogenous_supply_price"]
    memory[BOUGHT] += view["exogenous_supply"]
    memory[EARNED] += view["exogenous_sales"] * view["exogenous_sales_price"]
    memory[SOLD] += view["exogenous_sales"]
    for k in range(MAX_PARTNERS):
        partner = view["partners"][k]
        if partner["exists"] == 0 or (partner["my_quantity"] == 0 and partner["offer_quantity"] == 0):
            continue
        agreed, price = partner["agreed_quantity"] > 0, partner["agreed_price"]
        if k < MAX_PER_LEVEL:
            memory[SUPPLY_DEALS + slot] += agreed
            memory[SUPPLY_TALKS + slot] += 1.0
            memory[PAID] += partner["agreed_quantity"] * price
            memory[BOUGHT] += partner["agreed_quantity"]
            if partner["offer_quantity"] > 0:
                memory[SEEN_PRICES] += partner["offer_price"]
                memory[SEEN] += 1.0
        else:
            memory[YESTERDAY_DEALS] += agreed
            memory[YESTERDAY_FAILURES] += not agreed
            memory[EARNED] += partner["agreed_quantity"] * price
            memory[SOLD] += partner["agreed_quantity"]
        _learn_partner(view, memory, k)
    memory[DEALS] += memory[YESTERDAY_DEALS]
    memory[TALKS] += memory[YESTERDAY_DEALS] + memory[YESTERDAY_FAILURES]


@jittable
def _learn_partner(view: StandardView, memory: np.ndarray, k: int) -> None:
    """Learn from how the day's negotiation with partner ``k`` ended."""
    at, partner = PARTNERS + k * PARTNER_SIZE, view["partners"][k]
    agreed = partner["agreed_quantity"] > 0
    memory[at + TRIED] += 1.0
    price = partner["agreed_price"] if agreed else partner["my_price"]
    if agreed:
        memory[at + AGREED] += 1.0
        off = price - memory[at + MEAN]
        memory[at + MEAN] += off / memory[at + AGREED]
        memory[at + SQUARES] += off * (price - memory[at + MEAN])
    elif partner["my_quantity"] == 0:
        return  # the partner was never asked
    gain = price_gain(view, k, price)
    bias, slope = START_BIAS + memory[at + BIAS], START_SLOPE + memory[at + SLOPE]
    off = (1.0 if agreed else 0.0) - 1.0 / (1.0 + math.exp(-(bias + slope * gain)))
    memory[at + BIAS] += RATE * off
    memory[at + SLOPE] += RATE * off * gain
