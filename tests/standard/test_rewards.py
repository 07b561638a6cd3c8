"""Rewards of the Standard track: daily profits, and a shaping that leaves the best policy as it is."""

import copy
import functools
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scml_gym.core.errors import InputError
from scml_gym.game.codecs import Transition
from scml_gym.game.rewards import PotentialShaping
from scml_gym.jit.compile import compiled
from scml_gym.standard.rewards import (
    REWARDS,
    DailyProfit,
    MarginShapedProfit,
    ShapedProfit,
    make_reward,
    margin_value,
    position_value,
)
from scml_gym.standard.rules import roll_books, stock_after
from scml_gym.standard.settlement import settle_view
from scml_gym.standard.view import new_view
from tests.helpers.compiled import same_bits
from tests.helpers.standard_views import make_view, random_views

compiled_value = compiled(position_value)
N_DAYS, PRICES, TRADING_PRICE = 3, (24, 16), 22.0
"""Days, prices of an item for today and for tomorrow, and the trading price of the small world."""


def transition(before, after, profits, done=False):
    return Transition(before, after, [before] * len(profits), np.array(profits, dtype=np.float64), done)


@pytest.mark.parametrize("name", list(REWARDS))
def test_the_return_is_the_score_less_one(name):
    """Undiscounted; of the shaped reward, less the value of the first view."""
    views = random_views(np.random.default_rng(2), 6)
    views["initial_balance"] = 800
    profits = [[30.0, -4.0], [], [100.0], [-60.0], [7.0]]
    reward = make_reward(name)
    reward.reset(views[0])
    gains = [reward(transition(views[i], views[i + 1], p, done=i == 4)) for i, p in enumerate(profits)]
    first = 0.0 if name == "daily-profit" else reward.potential(views[0])
    assert sum(gains) == pytest.approx(sum(map(sum, profits)) / 800 - first)


@given(seed=st.integers(0, 2**32), gamma=st.floats(0, 1))
@settings(max_examples=25, deadline=None)
def test_the_kernel_shapes_as_the_object_does(seed, gamma):
    views = random_views(np.random.default_rng(seed), 4)
    rewards = ShapedProfit(round(gamma, 1)), PotentialShaping(DailyProfit(), position_value, round(gamma, 1))
    for reward in rewards:
        reward.reset(views[0])
    for i, profits in enumerate([[3.0], [], [-40.0, 2.0]]):
        told = transition(views[i], views[i + 1], profits, done=i == 2)
        assert rewards[0](told) == pytest.approx(rewards[1](told), abs=1e-12)


@given(seed=st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_the_value_is_the_same_in_python_and_compiled(seed):
    assert same_bits(position_value, compiled_value, [random_views(np.random.default_rng(seed), 1)[0]])


def test_the_value_counts_goods_and_contracts_but_no_cash():
    plain = make_view(level=2, suppliers=[(0, 0, 0)])
    assert position_value(plain) == 0.0
    rich = make_view(level=2, suppliers=[(0, 0, 0)], balance=9999.0)
    assert position_value(rich) == 0.0
    assert position_value(make_view(stock=4)) == pytest.approx(4 * 16 / 1000)
    assert position_value(make_view(supplies=[0, 4], supplies_cost=[0, 60])) == pytest.approx((4 * 16 - 60) / 1000)
    sold = make_view(stock=4, sales=[0, 3], sales_revenue=[0, 81])
    assert position_value(sold) == pytest.approx((81 - 3 * 3 + 16) / 1000)
    short = make_view(stock=1, sales=[0, 3], sales_revenue=[0, 81])
    assert position_value(short) == pytest.approx((27 - 3 - 2 * 0.6 * 27) / 1000)
    last = make_view(day=29, stock=40)
    assert position_value(last) == pytest.approx(10 * 16 / 1000), "only what the lines can still use"


def test_a_wrong_gamma_is_refused():
    for gamma in (1.5, -0.1, float("nan"), "1"):
        for shaped in (ShapedProfit, MarginShapedProfit):
            with pytest.raises(InputError, match=r"gamma=.*valid: 0 to 1"):
                shaped(gamma)


@given(seed=st.integers(0, 2**32), gamma=st.floats(0.5, 1))
@settings(max_examples=15, deadline=None)
def test_the_shaped_return_differs_from_the_return_by_what_the_start_is_worth(seed, gamma):
    """Discounted, whatever is done in between."""
    views = random_views(np.random.default_rng(seed), 5)
    plain, shaped = DailyProfit(), MarginShapedProfit(round(gamma, 1))
    totals = []
    for reward in (plain, shaped):
        reward.reset(views[0])
        gains = [reward(transition(views[i], views[i + 1], [10.0 * i - 7.0], done=i == 3)) for i in range(4)]
        totals.append(sum(shaped.gamma**i * gain for i, gain in enumerate(gains)))
    assert totals[1] == pytest.approx(totals[0] - shaped.potential(views[0]), abs=1e-9)


def test_margins_count_what_is_gained_over_the_market():
    value = margin_value(0.5)
    bought = make_view(supplies=[0, 4], supplies_cost=[0, 60])
    assert value(bought) == pytest.approx(0.5 * (4 * 16 - 60) / 1000), "its goods count as well as its price"
    sold = make_view(sales=[2, 3], sales_revenue=[50, 84])
    assert value(sold) == pytest.approx((50 - 2 * 27 + 0.5 * (84 - 3 * 27)) / 1000)
    assert value(make_view(balance=9999.0)) == 0.0, "no cash"


def test_stock_is_worth_what_the_stock_rule_makes_of_it():
    def worth(stock, day, physical):
        return margin_value(1.0)(make_view(stock=stock, day=day, n_days=30, physical=physical)) * 1000

    assert [worth(4, day, 1) for day in (0, 29)] == [64, 64]
    assert worth(40, 29, 1) == 160, "only what the lines can still use"
    assert [worth(4, day, 0) for day in (0, 29)] == pytest.approx([0.5 * 4 * 16 * 30, 0.5 * 4 * 16])
    assert worth(14, 29, 0) == pytest.approx(16 * (5 - 0.02 * 4)), "more than a day needs is stored for nothing"


@pytest.mark.parametrize("name", list(REWARDS))
def test_rewards_can_be_copied(name):
    views = random_views(np.random.default_rng(5), 2)
    reward = make_reward(name)
    reward.reset(views[0])
    reward(transition(views[0], views[1], [3.0]))
    fresh = copy.deepcopy(reward)
    for again in (fresh, make_reward(reward), make_reward(name)):
        again.reset(views[0])
        reward.reset(views[0])
        told = transition(views[0], views[1], [5.0])
        assert again(told) == reward(told)


# A small world, solved exactly: a factory of the last level buys inputs for today or tomorrow at a fixed price, and
# sells none, one or three items a day to the outside, each with the same chance.


def state_view(day, stock, arriving, demand):
    view = make_view(
        level=2, n_levels=3, suppliers=[(0, 0, 0)], day=day, n_days=N_DAYS, stock=stock, lines=2, exogenous_sales=demand
    )
    view["exogenous_sales_price"] = 27.0 if demand else 0.0
    view["shortfall_penalty"], view["input_price"] = 0.1, TRADING_PRICE
    view["supplies"][0], view["supplies_cost"][0] = arriving, arriving * PRICES[1]
    return view


@functools.cache
def outcomes(state, action):
    """What an action leads to: the view before, the last view of the day, its profit, and the next states."""
    day, stock, arriving, demand = state
    view = state_view(*state)
    before = view.copy()
    for ahead, quantity in enumerate(action):
        view["supplies"][ahead] += quantity
        view["supplies_cost"][ahead] += quantity * PRICES[ahead]
    supplies, prices = np.array([arriving, action[0], 0]), np.array([PRICES[1], PRICES[0], 0.0])
    settled = settle_view(view, 2, supplies, prices, 0, np.zeros(1, dtype=np.int64), np.zeros(1))
    left = stock_after(True, stock, int(view["supplies"][0]), settled[6])
    after = [(day + 1, left, action[1], demand) for demand in (0, 1, 3)]
    return before, view.copy(), settled[0], after


def actions_in(state):
    """Items to buy for today and for tomorrow."""
    return tuple(itertools.product(range(3), range(3 if state[0] < N_DAYS - 1 else 1)))


def best_actions(reward, gamma):
    """The best actions of every state that can be reached, by backward induction."""

    @functools.cache
    def values(state):
        found = []
        for action in actions_in(state):
            before, last, profit, following = outcomes(state, action)
            total = 0.0
            for after in following:
                done = after[0] == N_DAYS
                view = last if done else state_view(*after)
                reward.reset(before)
                total += reward(Transition(before, view, [last], np.array([profit]), done)) / len(following)
                total += 0.0 if done else gamma * max(values(after)) / len(following)
            found.append(total)
        return found

    states, chosen = [(0, stock, 0, demand) for stock in (0, 2) for demand in (0, 1, 3)], {}
    while states:
        state = states.pop()
        if state in chosen or state[0] == N_DAYS:
            continue
        found = values(state)
        chosen[state] = {a for a, value in zip(actions_in(state), found, strict=True) if value > max(found) - 1e-9}
        states += [after for action in actions_in(state) for after in outcomes(state, action)[3]]
    return chosen


@pytest.mark.parametrize("gamma", [1.0, 0.9, 0.5])
def test_shaping_leaves_the_best_policy_as_it_is(gamma):
    plain = best_actions(DailyProfit(), gamma)
    assert len(plain) > 100
    for shaped in (ShapedProfit(gamma), MarginShapedProfit(gamma)):
        assert plain == best_actions(shaped, gamma)
    assert len({frozenset(actions) for actions in plain.values()}) > 3, "states differ in what is best"


def test_the_best_policy_would_change_with_another_discount_or_a_value_at_the_end():
    """Controls: the comparison above can fail."""

    class ValueAtTheEnd(PotentialShaping):
        def __call__(self, told):
            return super().__call__(Transition(told.before, told.after, told.closed, told.profits, False))

    plain = best_actions(DailyProfit(), 0.9)
    assert plain != best_actions(ShapedProfit(0.2), 0.9)
    assert plain != best_actions(ValueAtTheEnd(DailyProfit(), position_value, 0.9), 0.9)


@pytest.mark.parametrize("name", list(REWARDS))
def test_new_views_bring_nothing(name):
    """Of a view that was never filled, but for the balance."""
    view = new_view()
    view["initial_balance"] = 1.0
    roll_books(view)
    reward = make_reward(name)
    reward.reset(view)
    assert reward(transition(view, view, [])) == 0.0
