"""Small cases of asking partner after partner."""

import numpy as np

from scml_gym.oneshot.asking.values import new_prospects
from scml_gym.oneshot.planner import unit_values
from scml_gym.oneshot.view import SELLER
from tests.helpers.views import money_view


def worth_of(view, needs, total, later):
    """What a total of items is worth at the end, apart from its prices."""
    used, spare, still_open = unit_values(view, later)
    spare -= view["max_price"] if view["level"] == SELLER else 0
    return used * min(total, needs) + spare * max(total - needs, 0) + still_open * max(needs - total, 0)


def small_case(seed):
    """A factory with three partners, of whom some have offers standing, and one offer under way at times."""
    rng = np.random.default_rng(seed)
    needs = int(rng.integers(1, 5))
    view, prospects = money_view(level=seed % 2, needs=needs, n_partners=4), new_prospects()
    for k in range(3):
        prospects.available[k] = 1
        if rng.random() < 0.5:
            prospects.quantities[k], prospects.prices[k] = rng.integers(1, 4), rng.integers(10, 12)
        prospects.chances[k, 1:4] = rng.random((3, 2))
    if rng.random() < 0.5:
        prospects.pending[3], prospects.late[3] = rng.integers(1, 4), rng.random()
    return view, needs, prospects, float(rng.choice([0.0, 0.4]))
