"""Views of factories of the Standard track: made by hand, and drawn by a generator."""

import numpy as np

from scml_gym.standard.view import BOOK_DAYS, HIDDEN_DTYPE, MAX_FACTORIES, MAX_PER_LEVEL, VIEW_DTYPE, new_view


def make_view(level=1, n_levels=3, suppliers=(), consumers=(), day=3, n_days=30, time=1, **fields):
    """A view of a decision: each offer is (quantity, day, price), with 0 items for none, and it is my turn."""
    view = new_view()
    view["day"], view["n_days"], view["last_day"] = day, n_days, min(day + 10, n_days - 1)
    view["level"], view["n_levels"], view["factory"] = level, n_levels, 2
    view["n_suppliers"], view["n_consumers"], view["n_competitors"] = len(suppliers), len(consumers), 4
    view["n_rounds"], view["lines"] = 20, 10
    view["total_supply"], view["total_demand"] = 35, 30
    view["production_cost"], view["shortfall_penalty"], view["storage_cost"] = 3.0, 0.6, 0.02
    view["input_price"], view["output_price"] = 16.0, 27.0
    view["balance"] = view["initial_balance"] = 1000.0
    view["min_quantity"], view["max_quantity"] = 1, 30
    if suppliers:
        view["min_input_price"], view["max_input_price"] = 14, 17
    if consumers:
        view["min_output_price"], view["max_output_price"] = 24, 29
    for first, offers in ((0, suppliers), (MAX_PER_LEVEL, consumers)):
        for k, offer in enumerate(offers):
            partner = view["partners"][first + k]
            partner["exists"] = partner["running"] = partner["my_turn"] = 1
            partner["step"], partner["relative_time"] = time - 1, time / 21
            partner["offer_quantity"], partner["offer_day"], partner["offer_price"] = offer
    for name, value in fields.items():
        if np.ndim(view[name]):
            view[name][: len(value)] = value
        else:
            view[name] = value
    return view


def random_views(generator, n):
    """An array of views with every field drawn, within its range, and their partners."""
    views = np.zeros(n, dtype=VIEW_DTYPE)

    def draw(low, high, shape=n):
        return generator.integers(low, high, endpoint=True, size=shape)

    views["n_days"], views["n_rounds"], views["lines"] = draw(1, 60), 20, draw(1, 10)
    views["day"] = draw(0, views["n_days"] - 1)
    views["last_day"] = np.minimum(views["day"] + draw(0, 10), views["n_days"] - 1)
    views["n_levels"] = draw(2, 4)
    views["level"] = draw(0, views["n_levels"] - 1)
    first, last = views["level"] == 0, views["level"] == views["n_levels"] - 1
    views["factory"], views["decision"], views["n_competitors"] = draw(0, 31), draw(0, 20), draw(0, 7)
    views["n_suppliers"], views["n_consumers"] = ~first * draw(1, 8), ~last * draw(1, 8)
    views["stock"], views["physical"] = draw(0, 1) * draw(0, 40), draw(0, 1)
    views["exogenous_supply"], views["exogenous_sales"] = first * draw(0, 20), last * draw(0, 20)
    views["exogenous_supply_price"] = (views["exogenous_supply"] > 0) * draw(5, 15)
    views["exogenous_sales_price"] = (views["exogenous_sales"] > 0) * draw(15, 80)
    views["total_supply"], views["total_demand"] = draw(0, 80), draw(0, 80)
    views["production_cost"] = draw(1, 16)
    views["shortfall_penalty"], views["storage_cost"] = generator.uniform(0, 1.2, n), generator.uniform(0, 0.06, n)
    views["input_price"], views["output_price"] = generator.uniform(5, 40, n), generator.uniform(10, 70, n)
    views["initial_balance"] = draw(100, 3000)
    views["balance"] = views["initial_balance"] * generator.uniform(-0.5, 3, n)
    views["min_quantity"], views["max_quantity"] = 1, 30
    for side, there in (("input", ~first), ("output", ~last)):
        views[f"min_{side}_price"] = there * np.maximum(1, views[f"{side}_price"] * 0.9).astype(int)
        views[f"max_{side}_price"] = there * (views[f"{side}_price"] * 1.1).astype(int)
    ahead = np.arange(BOOK_DAYS)[None] <= (views["last_day"] - views["day"])[:, None]
    for book, money in (("supplies", "supplies_cost"), ("sales", "sales_revenue")):
        views[book] = ahead * draw(0, 1, (n, BOOK_DAYS)) * draw(0, 15, (n, BOOK_DAYS))
        views[money] = views[book] * draw(5, 60, (n, BOOK_DAYS))
    partners = views["partners"]
    indices = np.arange(MAX_PER_LEVEL)[None]
    exists = np.hstack([indices < views["n_suppliers"][:, None], indices < views["n_consumers"][:, None]])
    partners["exists"] = exists
    partners["running"] = exists & (draw(0, 3, exists.shape) > 0)
    partners["my_turn"] = partners["running"] & (draw(0, 3, exists.shape) > 0)
    partners["step"] = draw(0, 19, exists.shape)
    partners["relative_time"] = (partners["step"] + 1) / 21
    low, high = (
        np.repeat(np.stack([views[f"{end}_input_price"], views[f"{end}_output_price"]], axis=1), MAX_PER_LEVEL, axis=1)
        for end in ("min", "max")
    )
    for whose in ("offer", "my", "agreed"):
        made = exists & (partners["running"] == (whose != "agreed")) & (draw(0, 1, exists.shape) > 0)
        partners[f"{whose}_quantity"] = made * draw(1, 30, exists.shape)
        partners[f"{whose}_day"] = made * draw(views["day"][:, None], views["last_day"][:, None], exists.shape)
        partners[f"{whose}_price"] = made * draw(low, high, exists.shape)
    return views


def random_hidden(generator):
    """The hidden state of all factories of a world, every field drawn."""
    hidden = np.zeros(MAX_FACTORIES, dtype=HIDDEN_DTYPE)
    for name in hidden.dtype.names or ():
        hidden[name] = generator.integers(0, 40, hidden[name].shape) * generator.random(hidden[name].shape)
    hidden["exists"] = generator.integers(0, 2, MAX_FACTORIES)
    hidden["level"], hidden["bankrupt"] = (
        generator.integers(0, 4, MAX_FACTORIES),
        hidden["exists"] * (hidden["stock"] > 9),
    )
    return hidden
