"""Action codecs of the Standard track: every action is decoded, repaired where need be, and carried out as it says."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scml_gym.core.errors import InputError
from scml_gym.core.masks import sampling_mask
from scml_gym.jit.compile import compiled
from scml_gym.standard.actions import (
    ACTIONS,
    DAILY_ACTIONS,
    ChoiceActions,
    ContinuousActions,
    GoalActions,
    Goals,
    PartnerChoices,
)
from scml_gym.standard.executors import EXECUTORS, PlannerExecutor
from scml_gym.standard.planner import BUCKET_STARTS, GOALS, N_GOALS, PLANNER, STARTS
from scml_gym.standard.rules import prices_with, repair, validate
from scml_gym.standard.view import ACCEPT, END, MAX_PARTNERS, MAX_PER_LEVEL, NOOP, OFFER, new_actions
from tests.helpers.standard_views import make_view, random_views

NONE = (0, 0, 0)
NAMES = list(ACTIONS)


def view_of(seed):
    return random_views(np.random.default_rng(seed), 1)[0]


def kernel_answers(codec, action, view):
    """What the codec's compiled functions make of an action: the code, the answers and the mask."""
    functions, dtype, size = codec.kernel
    actions, mask = new_actions(), np.empty(len(codec.mask(view)), dtype=np.bool_)
    code = machine_code(functions.decode)(np.ascontiguousarray(action, dtype), view, np.zeros(size), actions)
    machine_code(functions.mask)(view, mask)
    return code, actions, mask


COMPILED: dict[Any, Any] = {}


def machine_code(function):
    return COMPILED.setdefault(function, compiled(function))


@pytest.mark.parametrize("name", NAMES)
@given(seed=st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_actions_that_fit_the_mask_can_be_played(name, seed):
    view, codec = view_of(seed), ACTIONS.get(name)()
    codec.space.seed(seed % 2**31)
    mask = sampling_mask(codec.mask(view), codec.space)
    discrete = hasattr(codec.space, "nvec")
    action = codec.space.sample(mask=mask) if discrete else codec.space.sample()
    actions = codec.decode(np.asarray(action), view)
    validate(view, actions)
    turns = view["partners"]["my_turn"] != 0
    assert (actions["response"][turns] != NOOP).all()
    assert (actions["response"][~turns] == NOOP).all()
    before = actions.copy()
    assert repair(view, actions) == 0
    np.testing.assert_array_equal(actions, before)
    code, answers, compiled_mask = kernel_answers(codec, action, view)
    assert code == -1
    np.testing.assert_array_equal(answers, before)
    np.testing.assert_array_equal(compiled_mask, codec.mask(view))
    if discrete:
        assert all(part.any() for part in mask), "no dimension has nothing to choose"


@given(seed=st.integers(0, 2**32))
@settings(max_examples=200, deadline=None)
def test_any_choice_is_repaired_by_one_rule_and_counted(seed):
    """What cannot be played ends the negotiation, or is a no-op where it is not my turn; all else stays as it is."""
    view, codec, generator = view_of(seed), ChoiceActions(), np.random.default_rng(seed)
    choices = generator.integers(0, codec.space.nvec)
    actions = codec.decode(choices, view)
    tried = actions.copy()
    invalid = repair(view, actions)
    validate(view, actions)
    wrong = 0
    for k, (response, quantity, day, _) in enumerate(choices.reshape(MAX_PARTNERS, 4).tolist()):
        partner = view["partners"][k]
        fits = view["day"] + day <= view["last_day"]
        if not partner["my_turn"]:
            assert actions[k]["response"] == NOOP
            wrong += response != 0
        elif response == 0:
            assert actions[k]["response"] == END
        elif (response == 1 and partner["offer_quantity"] == 0) or (response == 2 and not fits):
            wrong += 1
            assert actions[k].item() == (END, 0, 0, 0)
        else:
            assert actions[k] == tried[k]
            if response == 2:
                assert actions[k].item()[:3] == (OFFER, tried[k]["quantity"], view["day"] + day)
                if view["lines"] == 10:
                    assert tried[k]["quantity"] == quantity + 1
    assert invalid == wrong
    assert kernel_answers(codec, choices, view)[1].tobytes() == tried.tobytes()


@given(seed=st.integers(0, 2**32), bins=st.tuples(st.integers(1, 12), st.integers(1, 6)))
@settings(max_examples=60, deadline=None)
def test_valid_bins_are_all_different_offers(seed, bins):
    view, choices = view_of(seed), PartnerChoices(*bins)
    for k in np.flatnonzero(view["partners"]["my_turn"]).tolist():
        _, quantities, days, prices = np.split(choices.mask(view, k), np.cumsum(choices.sizes)[:-1])
        offers, actions = set(), new_actions()
        for q, d, p in np.argwhere(quantities[:, None, None] & days[None, :, None] & prices):
            choices.decode(np.array([2, q, d, p]), view, k, actions)
            offers.add(actions[k].item())
            validate_one = actions.copy()
            validate_one["response"][np.arange(MAX_PARTNERS) != k] = NOOP
            low, high = prices_with(view, k)
            assert low <= actions[k]["price"] <= high
        assert len(offers) == quantities.sum() * days.sum() * prices.sum()
        assert days.sum() == view["last_day"] - view["day"] + 1


def test_choices_mean_what_they_say():
    view = make_view(suppliers=[(4, 3, 15)], consumers=[NONE, (5, 7, 28)], time=2)
    choices = np.zeros((MAX_PARTNERS, 4), dtype=np.int64)
    choices[0], choices[8], choices[9] = (1, 9, 10, 3), (2, 6, 10, 0), (2, 0, 0, 3)
    actions = ChoiceActions().decode(choices.ravel(), view)
    assert actions[[0, 8, 9]].tolist() == [(ACCEPT, 0, 0, 0), (OFFER, 7, 13, 24), (OFFER, 1, 3, 29)]


@pytest.mark.parametrize(
    ("codec", "action", "message"),
    [
        (ChoiceActions(), np.full(64, 3), "action 3 for the response to partner 0; valid: 0 to 2"),
        (ChoiceActions(), np.tile([0, 0, 11, 0], 16), "action 11 for the day to partner 0; valid: 0 to 10"),
        (ChoiceActions(), np.zeros(64), "integers of"),
        (ChoiceActions(), np.zeros(63, dtype=int), "integers of"),
        (ContinuousActions(), np.full((16, 4), np.nan), "finite numbers"),
        (ContinuousActions(), np.zeros((16, 3)), r"valid: \(16, 4\)"),
        (Goals(), np.tile([0, 4], 8), "action 4 for buy_today_limit; valid: quantities 0 to 7, limits 0 to 3"),
        (GoalActions(), np.zeros(16), "integers of"),
        (DAILY_ACTIONS.get("goals-continuous")(), np.full((2, 4, 2), np.inf), "inf for buy_today; valid: finite"),
        (DAILY_ACTIONS.get("goals-continuous")(), np.zeros((2, 4)), r"numbers of \(2, 4, 2\)"),
    ],
)
def test_an_action_outside_the_space_is_refused(codec, action, message):
    with pytest.raises(InputError, match=message):
        codec.decode(action, make_view(consumers=[NONE]))


def test_bins_are_at_least_one():
    with pytest.raises(InputError, match="price_bins=0"):
        PartnerChoices(price_bins=0)


@given(seed=st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_numbers_outside_are_clipped(seed):
    view, generator = view_of(seed), np.random.default_rng(seed)
    for codec in (ContinuousActions(), ACTIONS.get("goals-continuous")()):
        numbers = generator.normal(0, 3, codec.space.shape)
        np.testing.assert_array_equal(codec.decode(numbers, view), codec.decode(numbers.clip(-1, 1), view))


@pytest.mark.parametrize("name", list(DAILY_ACTIONS))
@given(seed=st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_goals_that_fit_the_mask_are_carried_out_by_their_executor(name, seed):
    view, codec = view_of(seed), DAILY_ACTIONS.get(name)()
    codec.space.seed(seed % 2**31)
    mask = codec.mask(view)
    assert len(mask) == codec.form.n_choices
    discrete = hasattr(codec.space, "nvec")
    action = np.asarray(codec.space.sample(mask=sampling_mask(mask, codec.space)) if discrete else codec.space.sample())
    goals = codec.decode(action, view)
    assert goals.shape == (codec.form.n_goals,)
    assert len(codec.form.chosen) == action.size
    validate(view, EXECUTORS.get(codec.form.executor)().act(view, goals))


def goals_by_name(name, view, **chosen):
    """Goals of an action whose choices are all 0, but for those named; and the executor's answers to them."""
    codec = DAILY_ACTIONS.get(name)()
    action = np.zeros(codec.space.shape, dtype=np.int64)
    for goal, choice in chosen.items():
        action[codec.form.chosen.index(goal)] = choice
    goals = codec.decode(action, view)
    return goals, EXECUTORS.get(codec.form.executor)().act(view, goals)


def test_goals_by_day_are_reached_day_by_day():
    view = make_view(consumers=[NONE] * 6, sales=[0, 4])
    goals, answers = goals_by_name("goals-by-day", view, sell_in_0=4, sell_in_1=5, sell_in_10=4, sell_in_10_limit=3)
    assert dict(zip(DAILY_ACTIONS.get("goals-by-day")().form.chosen, goals.tolist(), strict=True))["sell_in_10"] == 5
    asked = {ahead: int(answers["quantity"][answers["day"] == view["day"] + ahead].sum()) for ahead in (0, 1, 2, 10)}
    assert asked == {0: 5, 1: 3, 2: 0, 10: 5}, "4 of the 7 items of tomorrow are sold"
    in_ten_days = answers[answers["day"] == view["day"] + 10]
    assert set(in_ten_days["price"]) == {view["max_output_price"]}


def test_buckets_hold_the_days_of_the_sources():
    view = make_view(suppliers=[NONE] * 6, day=0, n_days=30)
    _, answers = goals_by_name("goals-by-bucket", view, buy_0_to_2=3, buy_3_to_7=2, buy_8_to_10=5)
    days, quantities = (answers[field][answers["response"] == OFFER] for field in ("day", "quantity"))
    bought = [int(quantities[np.searchsorted(BUCKET_STARTS, days, side="right") == i].sum()) for i in (1, 2, 3)]
    assert bought == [9, 10, 21]


def test_masks_close_days_after_the_last_one_and_sides_without_partners():
    view = make_view(consumers=[NONE], day=27, n_days=30)
    heads = DAILY_ACTIONS.get("goals-by-day")().mask(view).reshape(2, 11, 12)
    assert heads[0].sum(axis=1).tolist() == [2] * 11
    assert heads[1].sum(axis=1).tolist() == [12] * 3 + [2] * 8


def test_both_forms_of_goals_reach_the_same_ends():
    view = make_view(consumers=[NONE])
    ends = {-1: np.zeros(16, dtype=int), 1: np.tile([7, 3], 8)}
    for number, choice in ends.items():
        by_number = DAILY_ACTIONS.get("goals-continuous")().decode(np.full((2, 4, 2), float(number)), view)
        np.testing.assert_array_equal(by_number, DAILY_ACTIONS.get("goals")().decode(choice, view))
    assert dict(zip(GOALS, Goals().decode(ends[1], view).tolist(), strict=True))["sell_far"] == 20


def agreed_at_most(view, actions):
    """Items by side and group of days: those in the books or pending; and with all that is accepted or offered now."""
    booked, group_of = np.zeros((2, 4), dtype=int), np.searchsorted(STARTS, np.arange(11), side="right") - 1
    for side, book in enumerate(("supplies", "sales")):
        np.add.at(booked[side], group_of, view[book])
    asked = np.zeros((2, 4), dtype=int)
    for k, (response, quantity, day, _) in enumerate(actions.tolist()):
        partner = view["partners"][k]
        if partner["running"] and not partner["my_turn"] and partner["my_quantity"]:
            booked[k // MAX_PER_LEVEL, group_of[partner["my_day"] - view["day"]]] += partner["my_quantity"]
        if response == ACCEPT:
            quantity, day = partner["offer_quantity"], partner["offer_day"]
        if quantity:
            asked[k // MAX_PER_LEVEL, group_of[day - view["day"]]] += quantity
    return booked, booked + asked


@given(seed=st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_the_planner_never_passes_a_goal(seed):
    """Whatever partners accept, and within the limits of price."""
    view, generator = view_of(seed), np.random.default_rng(seed)
    goals = generator.uniform(-5, 30, N_GOALS)
    goals[1::2] = generator.uniform(-0.2, 1.2, N_GOALS // 2)
    actions = PlannerExecutor().act(view, goals)
    validate(view, actions)
    booked, possible = agreed_at_most(view, actions)
    wanted = np.floor(goals[::2].reshape(2, 4).clip(0, None) + 0.5)
    assert ((possible <= wanted) | (possible == booked)).all()
    for k, (response, _, day, price) in enumerate(actions.tolist()):
        low, high = prices_with(view, k)
        if response == ACCEPT:
            day, price = view["partners"][k]["offer_day"], view["partners"][k]["offer_price"]
        if response in (ACCEPT, OFFER) and high > low:
            gain = (price - low) / (high - low) if k >= MAX_PER_LEVEL else (high - price) / (high - low)
            group = int(np.searchsorted(STARTS, day - view["day"], side="right")) - 1
            limit = goals[k // MAX_PER_LEVEL * 8 + 2 * group + 1]
            assert gain >= min(limit, 1) - 0.5 / (high - low) - 1e-9


def goals_of(**named):
    return np.array([named.get(name, 0.0) for name in GOALS])


def test_the_planner_takes_the_offers_that_come_nearest_to_the_goal():
    view = make_view(consumers=[(4, 3, 28), (5, 3, 25), (3, 3, 29), (8, 3, 29), (2, 4, 26)], time=5)
    answers = PlannerExecutor().act(view, goals_of(sell_today=9, sell_soon=1))[8:13]
    assert answers["response"].tolist() == [ACCEPT, ACCEPT, OFFER, END, END]
    assert answers[2].item()[1:3] == (1, 4), "an item for one of the next days is still wanted"
    answers = PlannerExecutor().act(view, goals_of(sell_today=9, sell_today_limit=0.6))[8:13]
    assert np.flatnonzero(answers["response"] == ACCEPT).tolist() == [3], "the offer at 25 is below the limit"
    assert answers["quantity"].sum() == 1


def test_the_planner_asks_for_all_that_is_wanted_and_spreads_it_over_days():
    view = make_view(consumers=[NONE] * 6, sales=[0, 4])
    answers = PlannerExecutor().act(view, goals_of(sell_today=8, sell_soon=12))[8:14]
    today = answers["day"] == view["day"]
    assert (answers["quantity"][today].sum(), answers["quantity"][~today].sum()) == (8, 8)
    assert set(answers["day"][~today]) == {5, 6}, "the next day has items already"


def test_the_planner_concedes_to_its_limit():
    def price(time, limit):
        view = make_view(consumers=[NONE], time=time)
        return PlannerExecutor().act(view, goals_of(sell_today=5, sell_today_limit=limit))[8]["price"]

    assert (price(0, 0.0), price(21, 0.0), price(21, 0.6)) == (29, 24, 27)


def test_what_is_in_the_books_counts_towards_the_goal():
    view = make_view(suppliers=[NONE], supplies=[6])
    assert PlannerExecutor().act(view, goals_of(buy_today=6))[0]["response"] == END
    assert PlannerExecutor().act(view, goals_of(buy_today=9))[0]["quantity"] == 3


def test_goals_play_as_a_strategy_too():
    view, actions, goals = make_view(suppliers=[NONE], consumers=[NONE]), new_actions(), goals_of(buy_today=6)
    PLANNER.decide(view, np.zeros(0), PLANNER.parameter_array(goals), np.zeros(0), actions)
    np.testing.assert_array_equal(actions, PlannerExecutor().act(view, goals))
