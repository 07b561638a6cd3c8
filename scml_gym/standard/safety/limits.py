"""Limits: how many items may still be bought and sold for each day, and what money there will be."""

from __future__ import annotations

import numpy as np

from scml_gym.core.arguments import brief, real, whole
from scml_gym.core.errors import InputError
from scml_gym.jit.arrays import scratch_floats, scratch_integers
from scml_gym.jit.compile import compiled, jittable
from scml_gym.jit.once import jittable_once
from scml_gym.simulator.pending import check_view
from scml_gym.standard.safety.bounds import COVERED, named_bound
from scml_gym.standard.safety.rolling import (
    CERTAIN,
    CONTRACT_NUMBERS,
    NONE,
    OFFERED,
    OUTLOOK_ITEMS,
    OUTLOOK_MONEY,
    Contracts,
    Outlook,
    contracts_in,
    days_to_come,
    delivered,
    harm,
    outlook_in,
    roll,
)
from scml_gym.standard.strategies.market import BOTH_BOOKS, SALE, days_ahead
from scml_gym.standard.view import BOOK_DAYS, MAX_PARTNERS, VIEW_DTYPE, StandardView, is_consumer

MOST_PRICE = 2**31 - 1
"""Of one item, whatever a caller says."""

TRIED = 0
"""The place of the contract that is tried out; those with partners follow, in their order."""


@jittable
def put(contracts: Contracts, i: int, kind: int, side: int, ahead: int, quantity: int, price: int) -> None:
    """Write a further contract."""
    contracts.used[0] = max(contracts.used[0], i + 1)
    contracts.kind[i], contracts.side[i], contracts.ahead[i] = kind, side, ahead
    contracts.quantity[i], contracts.price[i] = quantity, price


@jittable
def put_standing(view: StandardView, contracts: Contracts) -> None:
    """Put the offers in that partners are still thinking about, where no new answer to them is asked for."""
    for k in range(MAX_PARTNERS):
        partner = view["partners"][k]
        if partner["running"] != 0 and partner["my_turn"] == 0 and partner["my_quantity"] > 0:
            side, ahead = int(is_consumer(k)), partner["my_day"] - view["day"]
            put(contracts, k + 1, OFFERED, side, ahead, partner["my_quantity"], partner["my_price"])


@jittable
def largest(
    view: StandardView,
    bound: int,
    chance: float,
    contracts: Contracts,
    before: Outlook,
    start: int,
    i: int,
    most: int,
    guess: int,
) -> int:
    """The most items that a contract may be about, where the others are safe.

    Args:
        view: What the factory sees.
        bound: ``COVERED`` or ``POSSIBLE``.
        chance: With which an offer is taken; 1 for the worst case.
        contracts: Further ones; the quantity of contract ``i`` is changed.
        before: What there was before.
        start: The first day, from today, for which one of the contracts is that were not there before.
        i: Which contract.
        most: The most items that are asked for.
        guess: What it may well be, which saves trials.
    """
    if contracts.side[i] == SALE:  # most are limited by the lines
        contracts.quantity[i] = 0
        free = view["lines"] - delivered(view, contracts, 1.0, SALE, contracts.ahead[i])
        most = min(most, free) if chance >= 1.0 else most
    safe, unsafe, quantity = 0, most + 1, most
    while safe + 1 < unsafe:
        contracts.quantity[i] = quantity
        if harm(view, bound, chance, contracts, before, start)[0] < 0:
            safe = quantity
        else:
            unsafe = quantity
        quantity = guess if safe < guess < unsafe else (safe + unsafe) // 2
        if safe == guess:
            quantity = guess + 1
    contracts.quantity[i] = safe
    return safe


@jittable
def unsold_on(view: StandardView, contracts: Contracts, chance: float, before: Outlook, ahead: int) -> int:
    """Inputs of a day that nothing is sold of yet, where no purchase offered comes."""
    inputs = before.sold_stock[ahead] + view["supplies"][ahead] + (view["exogenous_supply"] if ahead == 0 else 0)
    return inputs - delivered(view, contracts, chance, SALE, ahead)


@jittable
def affordable_on(view: StandardView, before: Outlook, ahead: int, price: int) -> int:
    """Items at that price that the money of a day's morning pays for, beside the supplies booked."""
    money = before.balance[ahead] - view["supplies_cost"][ahead]
    if ahead == 0:
        money -= view["exogenous_supply"] * view["exogenous_supply_price"]
    return int(min(max(money, 0.0) / max(price, 1), view["max_quantity"]))


@jittable_once
def fill_limits(
    view: StandardView,
    bound: int,
    chance: float,
    kind: int,
    prices: np.ndarray,
    contracts: Contracts,
    before: Outlook,
    limits: np.ndarray,
) -> None:
    """`write_limits` beside those further contracts, with the days to come as they are with them."""
    for side in range(2):
        guess = 0
        partners = view["n_consumers"] if side == SALE else view["n_suppliers"]
        for ahead in range(BOOK_DAYS):
            limits[side * BOOK_DAYS + ahead] = 0
            if partners > 0 and ahead <= days_ahead(view):
                put(contracts, TRIED, kind, side, ahead, 0, prices[side])
                most = view["max_quantity"]
                if bound == COVERED:  # what is due on its own day is known, which saves most trials
                    own = affordable_on(view, before, ahead, prices[side])
                    if side == SALE:
                        own = unsold_on(view, contracts, chance, before, ahead)
                    most = min(most, own)
                guess = largest(view, bound, chance, contracts, before, ahead, TRIED, most, guess)
                limits[side * BOOK_DAYS + ahead] = guess
        contracts.kind[TRIED] = NONE


@jittable
def write_limits(
    view: StandardView, bound: int, chance: float, kind: int, prices: np.ndarray, limits: np.ndarray
) -> None:
    """Write the most items that may be bought, and sold, by one more contract for each day.

    Args:
        view: What the factory sees; its offers that partners still think about are counted in.
        bound: ``COVERED`` or ``POSSIBLE``.
        chance: With which these are taken; 1 for the worst case.
        kind: Of the contract: ``CERTAIN`` or ``OFFERED``.
        prices: int64 ``(2,)``, of an item, by side.
        limits: int64 ``(BOTH_BOOKS,)``, by side and days from today; 0 where nothing may be traded.
    """
    contracts = contracts_in(scratch_integers(CONTRACT_NUMBERS))
    before = outlook_in(scratch_integers(OUTLOOK_ITEMS), scratch_floats(OUTLOOK_MONEY))
    put_standing(view, contracts)
    roll(view, bound, chance, contracts, before)
    fill_limits(view, bound, chance, kind, prices, contracts, before, limits)


@jittable
def write_balances(view: StandardView, chance: float, out: np.ndarray) -> None:
    """Write the money of each morning, float64 ``(BOOK_DAYS,)``; after the last day as on it."""
    contracts = contracts_in(scratch_integers(CONTRACT_NUMBERS))
    outlook = outlook_in(scratch_integers(OUTLOOK_ITEMS), scratch_floats(OUTLOOK_MONEY))
    put_standing(view, contracts)
    roll(view, COVERED, chance, contracts, outlook)
    for ahead in range(days_to_come(view)):
        out[ahead] = outlook.least[ahead]
    for ahead in range(days_to_come(view), BOOK_DAYS):
        out[ahead] = out[ahead - 1]


_write_limits, _write_balances = compiled(write_limits), compiled(write_balances)


def check_chance(chance: float) -> float:
    """The chance with which an offer is taken, as a number.

    Raises:
        InputError: if it is not one of 0 to 1.
    """
    return real("chance", chance, 0.0, 1.0, "0 to 1")


def largest_quantities(
    view: StandardView, bound: str = "covered", chance: float = 1.0, prices: tuple[int, int] | None = None
) -> np.ndarray:
    """The most items that may be bought and sold by one more contract, by delivery day.

    Offers of the factory that partners still think about are counted in.

    Args:
        view: What the factory sees.
        bound: ``"covered"`` or ``"possible"``, see `scml_gym.standard.safety.bounds.BOUNDS`.
        chance: With which a partner takes an offer of the factory; 1 for the worst case.
        prices: Of one item, bought and sold; by default the worst of today.

    Returns:
        Items of supplies and of sales by days from today, int64 ``(2, BOOK_DAYS)``; 0 where nothing may be traded.

    Raises:
        InputError: if it is no view, there is no such bound, the chance is not one of 0 to 1, or the prices are not two
            whole numbers from 0 on.

    Examples:
        >>> from scml_gym.standard.view import new_view
        >>> view = new_view()
        >>> view["n_days"], view["last_day"], view["lines"], view["max_quantity"] = 20, 10, 10, 30
        >>> view["n_consumers"], view["stock"], view["sales"][1] = 4, 8, 6
        >>> largest_quantities(view)[1].tolist()  # by the league's rule stock serves each day anew
        [8, 2, 8, 8, 8, 8, 8, 8, 8, 8, 8]
        >>> view["physical"] = 1
        >>> largest_quantities(view)[1].tolist()
        [2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]
    """
    check_view(view, VIEW_DTYPE)
    worst = (view["max_input_price"], view["min_output_price"]) if prices is None else prices
    limits = np.zeros(BOTH_BOOKS, dtype=np.int64)
    if not isinstance(worst, tuple | list | np.ndarray) or len(worst) != 2:
        raise InputError(
            f"prices={brief(worst)}; valid: two whole numbers, of an item bought and of one sold", "prices"
        )
    numbers = np.array([whole("prices", price, 0, MOST_PRICE) for price in worst])
    _write_limits(view, named_bound(bound), check_chance(chance), CERTAIN, numbers, limits)
    return limits.reshape(2, BOOK_DAYS)


def balances(view: StandardView, chance: float = 1.0) -> np.ndarray:
    """The money of a factory on the mornings to come by its books, in the worst case of the offers that stand.

    Args:
        view: What the factory sees.
        chance: With which a partner takes an offer of the factory; 1 for the worst case.

    Returns:
        Money by days from today, float64 ``(BOOK_DAYS,)``; after the world's last day as on it.

    Raises:
        InputError: if it is no view, or the chance is not one of 0 to 1.
    """
    check_view(view, VIEW_DTYPE)
    money = np.zeros(BOOK_DAYS)
    _write_balances(view, check_chance(chance), money)
    return money
