"""What a manager is shown that decides once a day: the factory and each delivery day, with money and what partners ask.

In place of what each partner has offered, it has what all of them together offer and ask for each day; and it says what
money a plan takes: how much is left when the contracts of the days until then are paid, and what a day's inputs cost.
"""

from __future__ import annotations

import numpy as np

from scml_gym.game.encoders import RowEncoder
from scml_gym.game.features import Feature, bounds, clip, ratio
from scml_gym.jit.arrays import scratch_integers
from scml_gym.jit.compile import jittable
from scml_gym.standard.observations.encoding import N_DAY, N_FACTORY, encode_days, encode_factory
from scml_gym.standard.observations.features import DAY_FEATURES, FACTORY_FEATURES
from scml_gym.standard.strategies.market import BOTH_BOOKS
from scml_gym.standard.view import BOOK_DAYS, MAX_PARTNERS, MAX_PER_LEVEL, StandardView

MONEY_FEATURES = (
    Feature("physical", 0, 1, "1 where production takes its inputs out of stock"),
    Feature("day_cost", 0, 1, "lines x trading price of the input / initial balance"),
)
MORE_OF_DAYS = (
    Feature("cash", -4, 8, "balance when contracts until this day are paid and made / initial balance"),
    Feature("offered", 0, 4, "items that suppliers offer for this day now / lines"),
    Feature("asked", 0, 4, "items that consumers ask for this day now / lines"),
)
N_MONEY, N_MORE = len(MONEY_FEATURES), len(MORE_OF_DAYS)
MONEY_LOW, MONEY_HIGH = bounds(MONEY_FEATURES)
MORE_LOW, MORE_HIGH = bounds(MORE_OF_DAYS)
N_PLAN = N_FACTORY + N_MONEY + BOOK_DAYS * (N_DAY + N_MORE)


def _named(part: str, features: tuple[Feature, ...]) -> list[Feature]:
    return [Feature(f"{part}.{feature.name}", feature.low, feature.high, feature.meaning) for feature in features]


PLAN_FEATURES = [
    *_named("factory", FACTORY_FEATURES),
    *_named("money", MONEY_FEATURES),
    *(feature for ahead in range(BOOK_DAYS) for feature in _named(f"days[{ahead}]", DAY_FEATURES)),
    *(feature for ahead in range(BOOK_DAYS) for feature in _named(f"days[{ahead}]", MORE_OF_DAYS)),
]


@jittable
def encode_plan(view: StandardView, out: np.ndarray) -> None:
    """All of `PLAN_FEATURES`, float32, shape ``(1, 137)``."""
    numbers, lines = out[0], view["lines"]
    encode_factory(view, numbers[:N_FACTORY])
    first = N_FACTORY + N_MONEY
    money = numbers[N_FACTORY:first]
    money[0] = view["physical"]
    money[1] = ratio(lines * view["input_price"], view["initial_balance"])
    clip(money, MONEY_LOW, MONEY_HIGH)
    last = first + BOOK_DAYS * N_DAY
    encode_days(view, numbers[first:last].reshape((BOOK_DAYS, N_DAY)))
    offered = scratch_integers(BOTH_BOOKS)
    for k in range(MAX_PARTNERS):
        partner = view["partners"][k]
        if partner["running"] != 0 and partner["offer_quantity"] > 0:
            offered[k // MAX_PER_LEVEL * BOOK_DAYS + partner["offer_day"] - view["day"]] += partner["offer_quantity"]
    cash = view["balance"] - view["exogenous_supply"] * view["exogenous_supply_price"]
    cash += view["exogenous_sales"] * view["exogenous_sales_price"]
    for ahead in range(BOOK_DAYS):
        made = view["sales"][ahead] + (view["exogenous_sales"] if ahead == 0 else 0)
        cash += view["sales_revenue"][ahead] - view["supplies_cost"][ahead] - view["production_cost"] * min(lines, made)
        more = numbers[last + N_MORE * ahead : last + N_MORE * (ahead + 1)]
        more[0] = ratio(cash, view["initial_balance"])
        more[1] = ratio(offered[ahead], lines)
        more[2] = ratio(offered[BOOK_DAYS + ahead], lines)
        clip(more, MORE_LOW, MORE_HIGH)


class PlanEncoder(RowEncoder):
    """Encodes decisions on a whole day as one row, shape ``(1, 137)``, of `PLAN_FEATURES`.

    Args:
        observability: ``"partial"``.
        history: 0.

    Raises:
        InputError: for any other value: it shows neither hidden state nor a history.
    """

    def __init__(self, observability: str = "partial", history: int = 0):
        super().__init__({"plan": PLAN_FEATURES}, encode_plan, observability, history, "plan")
