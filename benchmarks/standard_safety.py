"""What the safety layer of the Standard track costs: a set of limits, and a joint decision over 16 partners.

Views are drawn at random, with 8 suppliers and 8 consumers each, all of whom are to be answered: offers and acceptances
in equal shares, for any day and of any quantity, so that most decisions are unsafe and have to be taken apart. The time
is the processor's, inside compiled code, per view; medians over turns.

    python benchmarks/standard_safety.py --views 2000 --turns 9
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

from scml_gym.core.cli import run_main
from scml_gym.core.provenance import versions
from scml_gym.jit.compile import compiled
from scml_gym.standard.safety import BOUNDS, named_bound
from scml_gym.standard.safety.answers import allow
from scml_gym.standard.safety.limits import write_limits
from scml_gym.standard.safety.rolling import CERTAIN
from scml_gym.standard.view import ACCEPT, ACTION_DTYPE, BOOK_DAYS, MAX_PARTNERS, MAX_PER_LEVEL, OFFER, VIEW_DTYPE

LIMIT, DECISION = 20.0, 200.0
"""Microseconds that a set of limits and a decision may take."""


def draw(n: int, seed: int, cash: float) -> tuple[np.ndarray, np.ndarray]:
    """Views of factories in the middle of a chain whose partners all wait for an answer, and the answers.

    Args:
        n: How many.
        seed: Of the draws.
        cash: Of a factory, as a multiple of what ten items cost.
    """
    rng = np.random.default_rng(seed)
    views, actions = np.zeros(n, dtype=VIEW_DTYPE), np.zeros((n, MAX_PARTNERS), dtype=ACTION_DTYPE)
    views["n_days"], views["day"], views["n_levels"], views["level"] = 50, rng.integers(0, 40, n), 3, 1
    views["last_day"] = np.minimum(views["day"] + BOOK_DAYS - 1, 49)
    views["lines"], views["n_suppliers"], views["n_consumers"] = 10, MAX_PER_LEVEL, MAX_PER_LEVEL
    views["stock"], views["physical"] = rng.integers(0, 30, n), rng.integers(0, 2, n)
    views["production_cost"], views["input_price"], views["output_price"] = 4.0, 16.0, 27.0
    views["shortfall_penalty"], views["storage_cost"] = 0.6, 0.03
    views["balance"] = views["initial_balance"] = cash * 160.0
    views["min_quantity"], views["max_quantity"] = 1, 30
    views["min_input_price"], views["max_input_price"] = 14, 17
    views["min_output_price"], views["max_output_price"] = 24, 29
    for book, money, price in (("supplies", "supplies_cost", 16), ("sales", "sales_revenue", 27)):
        views[book] = rng.integers(0, 2, (n, BOOK_DAYS)) * rng.integers(0, 8, (n, BOOK_DAYS))
        views[money] = views[book] * price
    partners = views["partners"]
    for name in ("exists", "running", "my_turn"):
        partners[name] = 1
    shape, sale = (n, MAX_PARTNERS), np.arange(MAX_PARTNERS) >= MAX_PER_LEVEL
    quantity = rng.integers(1, 30, shape)
    day = views["day"][:, None] + rng.integers(0, 10, shape) % (views["last_day"] - views["day"] + 1)[:, None]
    price = np.where(sale, rng.integers(24, 30, shape), rng.integers(14, 18, shape))
    partners["offer_quantity"], partners["offer_day"], partners["offer_price"] = quantity, day, price
    offers = rng.random(shape) < 0.5
    actions["response"] = np.where(offers, OFFER, ACCEPT)
    actions["quantity"], actions["day"], actions["price"] = offers * quantity, offers * day, offers * price
    return views, actions


@compiled
def run_limits(views: np.ndarray, actions: np.ndarray, bound: int) -> int:
    """All limits of each view; returns their sum, so that nothing is left out."""
    limits, prices, total = np.zeros(2 * BOOK_DAYS, dtype=np.int64), np.array([17, 24]), 0
    for i in range(len(views)):
        write_limits(views[i], bound, 1.0, CERTAIN, prices, limits)
        total += limits.sum()
    return total


@compiled
def run_decisions(views: np.ndarray, actions: np.ndarray, bound: int) -> int:
    """What is allowed of each view's answers; returns how many are changed."""
    allowed, total = np.zeros(MAX_PARTNERS, dtype=np.int64), 0
    for i in range(len(views)):
        allow(views[i], bound, 1.0, actions[i], allowed)
        for k in range(MAX_PARTNERS):
            total += allowed[k] >= 0
    return total


def microseconds(run: Callable[..., int], views: np.ndarray, actions: np.ndarray, bound: int, turns: int) -> float:
    """Of each view, the median of some turns after one that compiles."""
    run(views[:1], actions[:1], bound)
    spent = []
    for _ in range(turns):
        start = time.process_time_ns()
        run(views, actions, bound)
        spent.append((time.process_time_ns() - start) / 1000 / len(views))
    return float(np.median(spent))


def main() -> None:
    """Measure, print, and fail where a time is too long."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--views", type=int, default=2000)
    parser.add_argument("--turns", type=int, default=9)
    options = parser.parse_args()
    print(", ".join(f"{name} {version}" for name, version in versions().items()))
    print(f"{'bound':10}{'cash':>6}{'limits, us':>12}{'decision, us':>14}{'answers changed':>17}")
    slow = False
    for bound in BOUNDS:
        for cash in (0.5, 3.0, 100.0):
            views, actions = draw(options.views, 0, cash)
            index = named_bound(bound)
            limits = microseconds(run_limits, views, actions, index, options.turns)
            decision = microseconds(run_decisions, views, actions, index, options.turns)
            changed = run_decisions(views, actions, index) / actions.size
            print(f"{bound:10}{cash:6.1f}{limits:12.2f}{decision:14.2f}{changed:17.2f}")
            slow |= limits > LIMIT or decision > DECISION
    if slow:
        raise SystemExit(f"too slow: {LIMIT:.0f} us for limits and {DECISION:.0f} us for a decision are allowed")


if __name__ == "__main__":
    run_main(main)
