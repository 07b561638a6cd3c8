"""First offers to all partners at once: no change of one of them brings more; and what became of them is counted."""

import itertools

import numpy as np
import pytest

from scml_gym.oneshot.actions.fine_planner import FINE_HEADS, fine_planner
from scml_gym.oneshot.asking.counts import COUNTS_DTYPE
from scml_gym.oneshot.asking.together import fill_offers
from scml_gym.oneshot.asking.values import MAX_ITEMS, MAX_TOTAL, PRICES, fill_worth, money, new_prospects, offered_price
from scml_gym.oneshot.planner import MEMORY_SIZE
from scml_gym.oneshot.view import BUYER, OFFER
from tests.helpers.views import money_view

N = 3


def expected_value(view, chances, worth, vector):
    """Of a vector of offers ``(items, price index)``, by enumerating who accepts."""
    value = 0.0
    for accepted in itertools.product((False, True), repeat=N):
        chance, total, brought = 1.0, 0, 0.0
        for k, (items, i) in enumerate(vector):
            c = chances[k, items, i] if items else 0.0
            chance *= c if accepted[k] else 1.0 - c
            if accepted[k]:
                total, brought = total + items, brought + money(view, items, offered_price(view, i))
        value += chance * (brought + worth[min(total, MAX_TOTAL)]) if chance else 0.0
    return value


@pytest.mark.parametrize("seed", range(8))
def test_no_change_of_one_offer_brings_more(seed):
    rng = np.random.default_rng(seed)
    view = money_view(level=seed % 2, needs=int(rng.integers(2, 8)), n_partners=N)
    chances, worth = np.full((8, MAX_ITEMS + 1, PRICES), -1.0), np.zeros(MAX_TOTAL + 1)
    chances[:N, 1:6] = rng.random((N, 5, PRICES))
    fill_worth(view, view["needs"], new_prospects(), 0.0, worth)
    offers, prices = np.zeros(8, np.int64), np.zeros(8, np.int64)
    fill_offers(view, chances, worth, offers, prices)
    index = {offered_price(view, i): i for i in range(PRICES)}
    found = [(int(q), index.get(int(p), 0)) for q, p in zip(offers[:N], prices[:N], strict=True)]
    best = expected_value(view, chances, worth, found)
    assert best >= expected_value(view, chances, worth, [(0, 0)] * N)
    for k, items, i in itertools.product(range(N), range(6), range(PRICES)):
        changed = [*found[:k], (items, i), *found[k + 1 :]]
        assert expected_value(view, chances, worth, changed) <= best + 1e-6
    assert not offers[N:].any()


def choice(**heads):
    """An action: the first value of each head that is not named."""
    return np.array(
        [
            values.index((heads.get(name, values[0][0]),)) if len(values[0]) == 1 else 0
            for name, values in FINE_HEADS.items()
        ]
    )


def test_first_offers_are_counted_at_the_end_of_the_day():
    codec, view = fine_planner(), money_view(level=BUYER, needs=6, n_partners=N)
    actions = codec.decode(choice(chances=1.0), view)
    assert (actions["response"][:N] == OFFER).any() and actions["quantity"].sum() >= 6
    counts = codec.memory[view["factory"]][MEMORY_SIZE:].view(COUNTS_DTYPE)[0]
    asked = np.flatnonzero(actions["quantity"][:N])
    assert counts["partners"]["pending"][asked].tolist() == actions["quantity"][asked].tolist()
    last = view.copy()
    taken = last["partners"][asked[0]]
    taken["agreed_quantity"], taken["agreed_price"] = actions["quantity"][asked[0]], actions["price"][asked[0]]
    codec.end_day(last)
    assert counts["partners"]["accepted"].sum() == 1 and counts["partners"]["answered"].sum() == len(asked)
    assert not counts["partners"]["pending"].any()
    plain = codec.decode(choice(chances=0.0), view)
    assert not np.array_equal(plain, actions)
    codec.reset()
    assert not codec.memory.any()
