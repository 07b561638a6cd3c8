"""Views of OneShot factories: made by hand, drawn by Hypothesis, drawn by a generator."""

import numpy as np
from hypothesis import strategies as st

from scml_gym.oneshot.view import BUYER, MAX_PARTNERS, SELLER, VIEW_DTYPE, new_view


def make_view(level=SELLER, needs=6, offers=(), prices=(14, 15), time=1, n_partners=None, turns=None):
    """A view of a decision: each offer is (quantity, price), with 0 items for none."""
    view = new_view()
    n = n_partners or len(offers)
    view["n_days"], view["n_rounds"], view["lines"] = 30, 20, 10
    view["level"], view["needs"], view["exogenous_quantity"] = level, needs, max(needs, 0)
    view["n_partners"], view["n_competitors"] = n, 4
    view["total_supply"], view["total_demand"] = 35, 30
    view["min_quantity"], view["max_quantity"] = 1, 10
    view["min_price"], view["max_price"] = prices
    view["exogenous_price"] = max(prices[0] - 4, 1) if level == SELLER else prices[1] + 6
    view["input_price"], view["output_price"] = (10.0, prices[1]) if level == SELLER else (prices[1], 20.0)
    view["production_cost"], view["shortfall_penalty"], view["disposal_cost"] = 2.0, 0.6, 0.1
    view["balance"] = view["initial_balance"] = 500.0
    for k in range(n):
        partner = view["partners"][k]
        partner["exists"] = partner["running"] = 1
        partner["my_turn"] = 1 if turns is None else turns[k]
        partner["step"], partner["relative_time"] = time - 1, time / 21
        if k < len(offers):
            partner["offer_quantity"], partner["offer_price"] = offers[k]
    return view


@st.composite
def views(draw):
    """Any view that a world could show, and more."""
    low = draw(st.integers(1, 20))
    n = draw(st.integers(1, MAX_PARTNERS))
    view = make_view(
        level=draw(st.sampled_from((SELLER, BUYER))),
        needs=draw(st.integers(-10, 10)),
        prices=(low, low + draw(st.integers(0, 10))),
        n_partners=n,
    )
    view["day"] = draw(st.integers(0, 29))
    view["total_supply"], view["total_demand"] = draw(st.integers(0, 80)), draw(st.integers(0, 80))
    view["n_competitors"] = draw(st.integers(0, MAX_PARTNERS - 1))
    view["balance"] = draw(st.sampled_from((500.0, 60.0, 0.0, -20.0)))
    for k in range(n):
        partner = view["partners"][k]
        partner["running"] = draw(st.integers(0, 1))
        partner["my_turn"] = partner["running"] and draw(st.integers(0, 1))
        partner["step"] = draw(st.integers(0, 19))
        partner["relative_time"] = (partner["step"] + 1) / 21
        if draw(st.booleans()):
            partner["offer_quantity"] = draw(st.integers(1, 10))
            partner["offer_price"] = draw(st.integers(int(view["min_price"]), int(view["max_price"])))
    return view


@st.composite
def views_with_economy(draw):
    """Views as a world shows them, the factory's economy included."""
    view = draw(views())
    view["initial_balance"] = draw(st.integers(1, 10_000))
    view["balance"] = draw(st.floats(-2_000, 20_000))
    view["input_price"], view["output_price"] = draw(st.floats(1, 60)), draw(st.floats(1, 90))
    view["exogenous_quantity"] = draw(st.integers(0, 10))
    view["exogenous_price"] = draw(st.integers(0, 90))
    view["production_cost"] = draw(st.integers(1, 8))
    view["shortfall_penalty"], view["disposal_cost"] = draw(st.floats(0, 1.5)), draw(st.floats(0, 0.4))
    return view


def random_views(generator, n):
    """An array of views with every field drawn, within its range, and their partners."""
    views = np.zeros(n, dtype=VIEW_DTYPE)

    def draw(low, high, shape=n):
        return generator.integers(low, high, endpoint=True, size=shape)

    views["n_days"], views["n_rounds"], views["lines"] = draw(1, 30), 20, 10
    views["day"] = draw(0, views["n_days"] - 1)
    views["level"], views["n_partners"], views["n_competitors"] = draw(0, 1), draw(1, MAX_PARTNERS), draw(0, 7)
    views["exogenous_quantity"], views["agreed_quantity"] = draw(0, 10), draw(0, 1) * draw(0, 12)
    views["needs"] = views["exogenous_quantity"] - views["agreed_quantity"]
    views["total_supply"], views["total_demand"] = draw(0, 80), draw(0, 80)
    views["min_quantity"], views["max_quantity"] = 1, 10
    views["min_price"] = draw(1, 30)
    views["max_price"] = views["min_price"] + draw(0, 12)
    views["exogenous_price"] = views["min_price"] + generator.normal(0, 8, n)
    views["production_cost"] = draw(1, 8)
    views["input_price"], views["output_price"] = generator.uniform(5, 20, n), generator.uniform(10, 40, n)
    views["shortfall_penalty"], views["disposal_cost"] = generator.uniform(0, 1, n), generator.uniform(0, 0.2, n)
    views["balance"] = views["initial_balance"] = generator.normal(300, 200, n)
    partners, shape = views["partners"], (n, MAX_PARTNERS)
    exists = np.arange(MAX_PARTNERS) < views["n_partners"][:, None]
    partners["exists"] = exists
    partners["running"] = exists & (draw(0, 3, shape) > 0)
    partners["my_turn"] = partners["running"] & (draw(0, 3, shape) > 0)
    partners["step"] = draw(0, 19, shape)
    partners["relative_time"] = (partners["step"] + 1) / 21
    for whose in ("offer", "my", "agreed"):
        made = exists & (partners["running"] == (whose != "agreed")) & (draw(0, 1, shape) > 0)
        partners[f"{whose}_quantity"] = made * draw(1, 10, shape)
        partners[f"{whose}_price"] = made * draw(views["min_price"][:, None], views["max_price"][:, None], shape)
    return views


def money_view(**changes):
    """A view in which every item matters: margin 4, shortfall 9, disposal 1."""
    view = make_view(**({"prices": (10, 11), "level": BUYER} | changes))
    view["exogenous_price"], view["production_cost"] = (17.0, 2.0) if view["level"] == BUYER else (4.0, 2.0)
    view["input_price"], view["output_price"] = 10.0, 18.0
    view["shortfall_penalty"], view["disposal_cost"] = 0.5, 0.1
    return view
