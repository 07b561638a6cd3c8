"""The planner: valid answers for every partner, exact fits found, the rest countered; and its action form."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium.spaces import MultiDiscrete
from hypothesis import given, settings
from hypothesis import strategies as st

from scml_gym.core.errors import InputError
from scml_gym.oneshot.actions.factory import ACTIONS
from scml_gym.oneshot.actions.planner import HEADS, PlannerActions, decode_planner, decode_settings
from scml_gym.oneshot.planner import (
    AGREED,
    MEMORY_SIZE,
    N_SETTINGS,
    SETTINGS_DTYPE,
    WEIGHT,
    best_set,
    chance,
    outcome,
    plan,
    remember,
)
from scml_gym.oneshot.rules import validate
from scml_gym.oneshot.settlement import settle_day
from scml_gym.oneshot.view import ACCEPT, ACTION_DTYPE, BUYER, END, MAX_PARTNERS, NOOP, OFFER, SELLER, new_actions
from tests.helpers.views import money_view, random_views

SIZES = [len(values) for values in HEADS.values()]


def settings_of(*numbers):
    """A plan's settings in their order."""
    return np.array([numbers], dtype=SETTINGS_DTYPE)[0]


def answers(view, memory=None, under=10, over=10, gain=0.0, factor=1.0, price=1.0, focus=0.0, partners=1.0):
    """The plan's answers as three lists, of the view's partners."""
    actions = new_actions()
    plan(
        view,
        settings_of(under, over, gain, factor, price, focus, partners),
        np.zeros(MEMORY_SIZE) if memory is None else memory,
        actions,
    )
    validate(view, actions)
    n = int(view["n_partners"])
    return [actions[field][:n].tolist() for field in ("response", "quantity", "price")]


choices = st.tuples(*(st.integers(0, size - 1) for size in SIZES))


@given(seed=st.integers(0, 2**32), choice=choices)
@settings(max_examples=300)
def test_answers_are_valid_and_pure(seed, choice):
    generator = np.random.default_rng(seed)
    view = random_views(generator, 1)[0]
    memory = generator.uniform(0, 1, MEMORY_SIZE) * generator.integers(0, 2)
    seen, known, actions, again = view.copy(), memory.copy(), new_actions(), new_actions()
    decode_planner(np.array(choice), view, memory, actions)
    validate(view, actions)
    turns = view["partners"]["my_turn"] != 0
    assert (actions["response"][turns] != NOOP).all()
    assert view == seen
    np.testing.assert_array_equal(memory, known)
    decode_planner(np.array(choice), seen, known, again)
    np.testing.assert_array_equal(actions, again)


@pytest.mark.slow
def test_compiled_code_gives_the_same_answers():
    numba = pytest.importorskip("numba")
    generator, n = np.random.default_rng(5), 3000
    views = random_views(generator, n)
    chosen = generator.integers(0, SIZES, (n, len(SIZES)))
    memory = generator.uniform(0, 1, (n, MEMORY_SIZE)) * generator.integers(0, 2, (n, 1))

    def loop(views, chosen, memory, actions):
        for i in range(len(views)):
            decode_planner(chosen[i], views[i], memory[i], actions[i])
            remember(views[i], memory[i])

    results = []
    for function in (loop, numba.njit(loop)):
        actions, known = np.zeros((n, MAX_PARTNERS), dtype=ACTION_DTYPE), memory.copy()
        function(views, chosen, known, actions)
        results.append((actions, known))
    for response in (END, ACCEPT, OFFER):
        assert (results[0][0]["response"] == response).sum() > n / 6
    assert (results[0][1] != memory).any()
    np.testing.assert_array_equal(results[0][0], results[1][0])
    np.testing.assert_array_equal(results[0][1], results[1][1])


@pytest.mark.parametrize("level", [SELLER, BUYER])
@pytest.mark.parametrize("under", [0, 10])
def test_an_exact_fit_is_taken_and_the_rest_let_go(level, under):
    view = money_view(level=level, needs=7, offers=[(2, 10), (6, 10), (5, 10), (3, 10)])
    assert answers(view, under=under)[0] == [ACCEPT, END, ACCEPT, END]


def test_too_small_a_set_is_taken_and_the_rest_countered():
    view = money_view(needs=7, offers=[(3, 10), (2, 10), (9, 10)], time=18)
    responses, quantities, prices = answers(view, over=0, factor=1.5)
    assert responses == [ACCEPT, ACCEPT, OFFER]
    assert (quantities[2], prices[2]) == (4, 10), "of which 0.8 each, that is 3.2, can be expected"
    assert answers(view, under=0, over=0)[0] == [OFFER] * 3, "within the tolerance only"


@pytest.mark.parametrize(("level", "taken"), [(BUYER, [END, ACCEPT]), (SELLER, [ACCEPT, OFFER])])
def test_which_side_of_the_needs_to_err_on_is_a_matter_of_money(level, taken):
    view = money_view(level=level, needs=5, offers=[(4, 10), (6, 10)], time=20)
    view["shortfall_penalty"] = 1.0
    assert answers(view)[0] == taken


def test_the_better_price_is_taken_and_a_bad_one_refused_on_demand():
    view = money_view(needs=4, offers=[(4, 11), (4, 10)])
    assert answers(view)[0] == [END, ACCEPT]
    view = money_view(needs=4, offers=[(4, 11), (2, 11)])
    assert answers(view, gain=0.5)[0] == [OFFER, OFFER]


@given(seed=st.integers(0, 2**32))
@settings(max_examples=100)
def test_no_other_set_is_worth_more(seed):
    view = random_views(np.random.default_rng(seed), 1)[0]
    view["needs"] = max(int(view["needs"]), 1)
    under, over = seed % 4, seed // 4 % 4
    partners = view["partners"]
    turns = [k for k in range(MAX_PARTNERS) if partners[k]["my_turn"]]
    open_chance = 0.5 * (1.0 - min((float(partners[k]["relative_time"]) for k in turns), default=1.0))
    offered = [k for k in turns if partners[k]["offer_quantity"]]

    def value(mask):
        taken = [k for k in offered if (mask >> k) & 1]
        quantity = sum(int(partners[k]["offer_quantity"]) for k in taken)
        money = sum(int(partners[k]["offer_quantity"] * partners[k]["offer_price"]) for k in taken)
        if taken and not view["needs"] - under <= quantity <= view["needs"] + over:
            return -np.inf
        return outcome(view, quantity, money, open_chance)

    masks = [sum(1 << k for i, k in enumerate(offered) if (code >> i) & 1) for code in range(1 << len(offered))]
    found = best_set(view, settings_of(under, over, 0.0, 1.0, 1.0, 0.0, 1.0))
    assert value(found) == pytest.approx(max(value(mask) for mask in masks))


@pytest.mark.parametrize("level", [SELLER, BUYER])
@pytest.mark.parametrize("quantity", [3, 6, 8])
def test_the_outcome_is_the_days_profit(level, quantity):
    """Up to a constant, where nothing is agreed yet and cash suffices."""
    view = money_view(level=level, needs=6)

    def profit(items):
        """Of one contract at a price of 10, with 6 items of the exogenous one."""
        contracts, exogenous_price = (
            (int(items > 0), np.array([items]), np.array([10.0])),
            float(view["exogenous_price"]),
        )
        costs = (2.0, 10, 1e6, 10.0, 18.0, 0.1, 0.5)
        return settle_day(level == SELLER, *contracts, 6, exogenous_price, *costs)[0]

    change = outcome(view, quantity, quantity * 10.0, 0.0) - outcome(view, 0, 0.0, 0.0)
    assert change == pytest.approx(profit(quantity) - profit(0))


def test_first_offers_ask_for_more_than_is_needed():
    view = money_view(needs=10, offers=[(0, 0)] * 4)
    responses, quantities, prices = answers(view, factor=1.05)
    assert responses == [OFFER] * 4
    assert sum(quantities) == 13
    assert np.ptp(quantities) <= 1
    assert set(prices) == {10}


def test_who_gets_the_odd_item_moves_on_with_day_and_factory():
    firsts = set()
    for day, factory in [(0, 0), (1, 0), (2, 0), (0, 1), (0, 2)]:
        view = money_view(needs=1, offers=[(0, 0)] * 4)
        view["day"], view["factory"] = day, factory
        firsts.add(answers(view)[0].index(OFFER))
    assert len(firsts) == 3


def test_mixed_prices_go_to_half_of_the_partners():
    prices = answers(money_view(needs=8, offers=[(0, 0)] * 4), price=0.5)[2]
    assert sorted(prices) == [10, 10, 11, 11]


def test_those_who_agreed_before_are_asked_for_more():
    memory, closing = np.zeros(MEMORY_SIZE), money_view(n_partners=4)
    closing["partners"]["my_quantity"][:4] = 3
    closing["partners"]["agreed_quantity"][:4] = [3, 0, 3, 0]
    for _ in range(20):
        remember(closing, memory)
    assert chance(memory, 0) > 0.9 > 0.2 > chance(memory, 1)
    view = money_view(needs=10, offers=[(0, 0)] * 4)
    assert answers(view, memory, focus=2.0)[1] == [5, 0, 5, 0]
    assert answers(view, memory, partners=0.5)[1] == [5, 0, 5, 0]
    evenly = answers(view, memory)[1]
    assert np.ptp(evenly) <= 1
    assert sum(evenly) > 15, "half of them are not expected to agree"


def test_nothing_is_remembered_of_those_not_asked():
    memory, closing = np.zeros(MEMORY_SIZE), money_view(n_partners=2)
    closing["partners"]["my_quantity"][0] = 1
    remember(closing, memory)
    assert memory[WEIGHT] > 0.0 == memory[AGREED]
    assert (memory[[WEIGHT + 1, AGREED + 1]] == 0.0).all()


def test_the_form_is_registered_and_decodes_its_heads():
    form = ACTIONS.get("planner")()
    assert isinstance(form.space, MultiDiscrete)
    assert form.space.nvec.tolist() == SIZES
    view = money_view(needs=7, offers=[(3, 10), (2, 10), (9, 10)], time=18)
    assert form.mask(view).shape == (sum(SIZES),)
    assert form.mask(view).all()
    chosen = np.zeros(N_SETTINGS)
    decode_settings(np.array([5, 0, 0, 3, 1, 2]), chosen)
    assert chosen.tolist() == [10.0, 0.0, 0.0, 1.15, 0.5, 0.0, 0.5]
    actions = form.decode(np.array([5, 0, 0, 3, 0, 0]), view)
    assert actions.tolist()[:3] == [(ACCEPT, 0, 0), (ACCEPT, 0, 0), (OFFER, 3, 10)]


@pytest.mark.parametrize("action", [[0] * 5, [0, 5, 0, 0, 0, 0], [0, 0, 0, 0, 0, -1], [0.5] * 6])
def test_the_form_refuses_what_is_outside_its_space(action):
    with pytest.raises(InputError, match="valid: "):
        PlannerActions().decode(np.array(action), money_view(needs=3, n_partners=2))


def test_the_form_keeps_a_memory_for_each_factory_until_reset():
    form, closing = PlannerActions(), money_view(n_partners=2)
    closing["factory"] = 5
    closing["partners"]["agreed_quantity"][0] = 4
    form.end_day(closing)
    assert form.memory[5].any()
    assert not form.memory[:5].any()
    form.reset()
    assert not form.memory.any()


def test_what_is_asked_of_those_who_always_refused_is_bounded():
    memory = np.zeros(MEMORY_SIZE)
    memory[WEIGHT : WEIGHT + MAX_PARTNERS] = 1.0
    quantities = answers(money_view(needs=3, offers=[(0, 0)] * 8), memory)[1]
    assert sum(quantities) == 10, "not even a third of it is counted on"
