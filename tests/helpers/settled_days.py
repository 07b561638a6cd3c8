"""Brute force beside the safety layer: what comes of contracts, found by settling every day of every case."""

import numpy as np

from scml_gym.jit.arrays import scratch_floats, scratch_integers
from scml_gym.jit.compile import compiled, jittable
from scml_gym.standard.rules import stock_after
from scml_gym.standard.settlement import settle_day
from scml_gym.standard.view import ACCEPT, ACTION_DTYPE, BOOK_DAYS, OFFER, VIEW_DTYPE, is_consumer

SIDE, AHEAD, QUANTITY, PRICE = range(4)
"""Numbers of a contract."""

ROOM = 24


def small_views(generator, n, tight):
    """Views of small factories: few lines, days and items, so that everything can be tried; poor ones if ``tight``."""
    views = np.zeros(n, dtype=VIEW_DTYPE)

    def draw(low, high, shape=n):
        return generator.integers(low, high, endpoint=True, size=shape)

    views["n_days"], views["lines"], views["n_rounds"], views["physical"] = draw(1, 8), draw(1, 4), 20, draw(0, 1)
    views["day"] = draw(0, views["n_days"] - 1)
    views["last_day"] = np.minimum(views["day"] + draw(0, 3), views["n_days"] - 1)
    views["n_levels"], views["level"] = 3, draw(0, 2)
    first, last = views["level"] == 0, views["level"] == 2
    views["n_suppliers"], views["n_consumers"] = ~first * 3, ~last * 3
    views["stock"] = draw(0, 1) * draw(0, 6)
    views["exogenous_supply"], views["exogenous_sales"] = first * draw(0, 4), last * draw(0, 4)
    views["exogenous_supply_price"] = (views["exogenous_supply"] > 0) * draw(1, 6)
    views["exogenous_sales_price"] = (views["exogenous_sales"] > 0) * draw(4, 12)
    views["production_cost"], views["input_price"], views["output_price"] = draw(1, 3), 4.0, 9.0
    views["shortfall_penalty"], views["storage_cost"] = generator.uniform(0.2, 1, n), generator.uniform(0.01, 0.05, n)
    views["balance"] = views["initial_balance"] = draw(0, 60) if tight else 100_000.0
    views["min_quantity"], views["max_quantity"] = 1, 5
    views["min_input_price"], views["max_input_price"] = ~first * 3, ~first * 5
    views["min_output_price"], views["max_output_price"] = ~last * 8, ~last * 11
    ahead = np.arange(BOOK_DAYS)[None] <= (views["last_day"] - views["day"])[:, None]
    for book, money, low, high, there in (
        ("supplies", "supplies_cost", 3, 5, ~first),
        ("sales", "sales_revenue", 8, 11, ~last),
    ):
        views[book] = ahead * there[:, None] * draw(0, 1, (n, BOOK_DAYS)) * draw(0, 4, (n, BOOK_DAYS))
        views[money] = views[book] * draw(low, high, (n, BOOK_DAYS))
    return views


def small_answers(generator, views, acceptances, most=4):
    """Answers to up to ``most`` partners of each view, ``(views, 16)``; the views receive the offers answered, and
    offers that others are still thinking about.

    Args:
        generator: Of the draws.
        views: Of `small_views`.
        acceptances: Which share of the answers accepts; with all of them, nobody is still thinking.
        most: Partners of a view, at most.
    """
    actions = np.zeros((len(views), 16), dtype=ACTION_DTYPE)
    for view, answers in zip(views, actions, strict=True):
        there = [*range(view["n_suppliers"]), *range(8, 8 + view["n_consumers"])]
        for k in generator.permutation(there)[: generator.integers(1, most, endpoint=True)]:
            quantity, day = (
                generator.integers(1, 5, endpoint=True),
                generator.integers(view["day"], view["last_day"] + 1),
            )
            price = generator.integers(8, 12) if is_consumer(k) else generator.integers(3, 6)
            partner = view["partners"][k]
            partner["running"] = 1
            if generator.random() < acceptances:
                partner["my_turn"] = 1
                partner["offer_quantity"], partner["offer_day"], partner["offer_price"] = quantity, day, price
                answers[k]["response"] = ACCEPT
            elif generator.random() < 0.7:
                partner["my_turn"] = 1
                answers[k] = OFFER, quantity, day, price
            else:
                partner["my_quantity"], partner["my_day"], partner["my_price"] = quantity, day, price
    return actions


@jittable
def _days(view):
    return min(BOOK_DAYS, view["n_days"] - view["day"])


@jittable
def settle(view, contracts, n, taken, missing, unpaid):
    """Settle the days to come with those of the first ``n`` contracts, int64 ``(n, 4)``, that are in the set of bits
    ``taken``; items missing and money short by day, and inputs that are left over if everything is processed."""
    supplies, supply_prices = scratch_integers(ROOM), scratch_floats(ROOM)
    sales, sale_prices = scratch_integers(ROOM), scratch_floats(ROOM)
    stock, balance, left = view["stock"], view["balance"], view["stock"]
    for ahead in range(view["n_days"] - view["day"]):
        i = j = bought = 0
        if ahead < BOOK_DAYS and view["supplies"][ahead] > 0:
            supplies[0], supply_prices[0] = (
                view["supplies"][ahead],
                view["supplies_cost"][ahead] / view["supplies"][ahead],
            )
            i, bought = 1, view["supplies"][ahead]
        if ahead < BOOK_DAYS and view["sales"][ahead] > 0:
            sales[0], sale_prices[0] = view["sales"][ahead], view["sales_revenue"][ahead] / view["sales"][ahead]
            j = 1
        for c in range(n):
            if (taken >> c) & 1 and contracts[c, AHEAD] == ahead:
                if contracts[c, SIDE] == 0:
                    supplies[i], supply_prices[i] = contracts[c, QUANTITY], contracts[c, PRICE]
                    bought += contracts[c, QUANTITY]
                    i += 1
                else:
                    sales[j], sale_prices[j] = contracts[c, QUANTITY], contracts[c, PRICE]
                    j += 1
        supply, supply_price, sale, sale_price = 0, 0.0, 0, 0.0
        if ahead == 0:
            supply, supply_price = view["exogenous_supply"], view["exogenous_supply_price"]
            sale, sale_price = view["exogenous_sales"], view["exogenous_sales_price"]
        bought += supply
        row = settle_day(
            i,
            supplies,
            supply_prices,
            j,
            sales,
            sale_prices,
            supply,
            supply_price,
            sale,
            sale_price,
            stock,
            view["production_cost"],
            view["lines"],
            balance,
            view["input_price"],
            view["output_price"],
            view["storage_cost"],
            view["shortfall_penalty"],
        )
        if ahead < BOOK_DAYS:
            missing[ahead], unpaid[ahead] = row[8], max(0.0, row[2] - balance)
        stock, balance = stock_after(view["physical"] != 0, stock, bought, row[6]), balance + row[0]
        left = max(0, left + bought - view["lines"])
    return left


@jittable
def worst(view, contracts, n, certain, possible, missing, unpaid):
    """The most that is missing, and short, on each day, whichever of the contracts that are possible come true."""
    m, u = scratch_integers(BOOK_DAYS), scratch_floats(BOOK_DAYS)
    missing[:] = 0
    unpaid[:] = 0.0
    left = 0
    for taken in range(1 << n):
        if (taken & certain) != certain or (taken & ~(certain | possible)) != 0:
            continue
        left = max(left, settle(view, contracts, n, taken, m, u))
        for ahead in range(_days(view)):
            missing[ahead], unpaid[ahead] = max(missing[ahead], m[ahead]), max(unpaid[ahead], u[ahead])
    return left


@jittable
def is_safe(view, contracts, n, certain, possible, new):
    """Whether nothing is worse with the contracts of the set ``new`` than without them."""
    m, u, m0, u0 = (
        scratch_integers(BOOK_DAYS),
        scratch_floats(BOOK_DAYS),
        scratch_integers(BOOK_DAYS),
        scratch_floats(BOOK_DAYS),
    )
    left0 = worst(view, contracts, n, certain & ~new, possible & ~new, m0, u0)
    if worst(view, contracts, n, certain, possible, m, u) > left0:
        return False
    worse = 0
    for ahead in range(_days(view)):
        worse += m[ahead] > m0[ahead] or u[ahead] > u0[ahead] + 1e-9
    return worse == 0


@compiled
def safe_sets(views, of, contracts, n, certain, possible, new, safe):
    """`is_safe` for many sets: of views ``of``, with contracts int64 ``(sets, most, 4)`` and bits int64 ``(sets,)``."""
    for i in range(len(of)):
        safe[i] = is_safe(views[of[i]], contracts[i], n[i], certain[i], possible[i], new[i])


def tried_limits(views, prices):
    """The largest safe quantity of one contract by side and day, int64 ``(views, 2, BOOK_DAYS)``: every quantity is
    tried. Prices are int64 ``(views, 2)``."""
    most = int(views["max_quantity"].max())
    of, side, ahead, quantity = np.indices((len(views), 2, 4, most)).reshape(4, -1)
    quantity = quantity + 1
    contracts = np.stack([side, ahead, quantity, prices[of, side]], axis=1)[:, None]
    one = np.ones(len(of), dtype=np.int64)
    safe = np.zeros(len(of), dtype=np.bool_)
    safe_sets(views, of, contracts, one, one, 0 * one, one, safe)
    partners = np.stack([views["n_suppliers"], views["n_consumers"]], axis=1)[of, side] > 0
    open_days = ahead <= (views["last_day"] - views["day"])[of]
    limits = np.zeros((len(views), 2, BOOK_DAYS), dtype=np.int64)
    np.maximum.at(limits, (of, side, ahead), quantity * (safe & partners & open_days))
    return limits


def are_safe(views, actions):
    """Which decisions are safe, bool ``(views,)``: whichever offers are taken, old and new ones, nothing is worse than
    it can be without the answers."""
    sets = [_set_of(view, answers) for view, answers in zip(views, actions, strict=True)]
    n = np.array([len(rows) for rows, *_ in sets])
    contracts = np.zeros((len(sets), max(1, n.max()), 4), dtype=np.int64)
    for i, (rows, *_) in enumerate(sets):
        contracts[i, : len(rows)] = np.array(rows).reshape(-1, 4)
    certain, possible, new = np.array([bits for _, *bits in sets]).T.copy()
    safe = np.zeros(len(sets), dtype=np.bool_)
    safe_sets(views, np.arange(len(sets)), contracts, n, certain, possible, new, safe)
    return safe


def _set_of(view, answers):
    """The contracts of a decision, and which of them are certain, possible and new, as bits."""
    rows, certain, possible, new = [], 0, 0, 0
    for k, (partner, (response, *mine)) in enumerate(zip(view["partners"], answers.tolist(), strict=True)):
        bit = 1 << len(rows)
        if response == ACCEPT:
            quantity, day, price = partner["offer_quantity"], partner["offer_day"], partner["offer_price"]
            certain, new = certain | bit, new | bit
        elif response == OFFER:
            quantity, day, price = mine
            possible, new = possible | bit, new | bit
        elif partner["my_quantity"] > 0:
            quantity, day, price = partner["my_quantity"], partner["my_day"], partner["my_price"]
            possible |= bit
        else:
            continue
        rows.append([int(is_consumer(k)), day - view["day"], quantity, price])
    return rows, certain, possible, new
