"""Limits and joint decisions: what is safe is found by trying every quantity and every set, and settling."""

import numpy as np
import pytest

from scml_gym.core.errors import InputError
from scml_gym.oneshot import view as oneshot
from scml_gym.standard.rules import validate
from scml_gym.standard.safety import balances, judge_answers, largest_quantities, restrict_answers
from scml_gym.standard.safety.audit import find_unsafe
from scml_gym.standard.view import ACCEPT, BOOK_DAYS, END, OFFER, new_actions
from tests.helpers.settled_days import are_safe, settle, small_answers, small_views, tried_limits
from tests.helpers.standard_views import make_view, random_views

N = 5000
"""Small situations of each kind: twice that many for limits, and for joint decisions."""


def limits_of(views, bound="covered"):
    return np.array([largest_quantities(view, bound) for view in views])


def worst_prices(views):
    return np.stack([views["max_input_price"], views["min_output_price"]], axis=1)


@pytest.mark.parametrize("tight", [False, True])
def test_limits_are_those_found_by_trying_every_quantity(tight):
    views = small_views(np.random.default_rng(1), N, tight)
    limits = limits_of(views)
    assert np.array_equal(limits, tried_limits(views, worst_prices(views)))
    assert (limits > 0).sum() > N and (limits < 5).sum() > N


def test_beyond_the_possible_bound_a_shortfall_is_certain():
    """With all the inputs and money in the world, what the lines cannot make is still missing."""
    views = small_views(np.random.default_rng(2), N, True)
    limits, rich = limits_of(views, "possible"), views.copy()
    rich["stock"], rich["balance"], rich["physical"] = 1000, 1e6, 0
    assert np.array_equal(limits[:, 1], tried_limits(rich, worst_prices(views))[:, 1])
    rich["stock"] = views["stock"]
    bought = tried_limits(rich, worst_prices(views))[:, 0]  # only the lines limit what is bought with so much money
    assert np.array_equal(limits[:, 0, 1:], bought[:, 1:])
    due = views["supplies_cost"][:, 0] + views["exogenous_supply"] * views["exogenous_supply_price"]
    paid = np.maximum(0, views["balance"] - due) // np.maximum(views["max_input_price"], 1)
    assert np.array_equal(limits[:, 0, 0], np.minimum(bought[:, 0], paid))


@pytest.mark.parametrize(("acceptances", "tight"), [(1.0, False), (1.0, True), (0.4, False), (0.4, True)])
def test_no_set_is_refused_that_is_safe_and_none_accepted_that_is_not(acceptances, tight):
    generator = np.random.default_rng(3)
    views = small_views(generator, N // 2, tight)
    actions = small_answers(generator, views, acceptances)
    safe, kept = are_safe(views, actions), actions.copy()
    found = np.array([judge_answers(v, a).safe for v, a in zip(views, actions, strict=True)])
    changed = np.array([restrict_answers(v, a) for v, a in zip(views, kept, strict=True)])
    still = are_safe(views, kept)
    assert safe.sum() > 200 and (~safe).sum() > 200
    assert np.array_equal(changed.any(axis=1), ~found)
    if tight and acceptances < 1:  # a poor factory that falls short already: purchases offered would mend it, or not
        broken = ~limits_clean(views)
        assert (safe != found)[~broken].sum() == (~still)[~broken].sum() == 0
        assert (safe != found).mean() < 0.005 and (~still).mean() < 0.005
    else:
        assert np.array_equal(safe, found)
        assert still.all()
    for view, answers in zip(views, kept, strict=True):
        validate(view, answers)


def limits_clean(views):
    """Where nothing is missing or unpaid by the books alone."""
    nothing, missing, unpaid = (
        np.zeros((1, 4), dtype=np.int64),
        np.zeros(BOOK_DAYS, dtype=np.int64),
        np.zeros(BOOK_DAYS),
    )
    clean = []
    for view in views:
        settle(view, nothing, 0, 0, missing, unpaid)
        clean.append(not missing.any() and not unpaid.any())
    return np.array(clean)


def test_the_possible_bound_judges_sets_by_the_lines_of_each_day():
    view = make_view(suppliers=[(4, 3, 15)], consumers=[(6, 5, 27), (5, 5, 26)], stock=0, day=3)
    actions = new_actions()
    actions["response"][[8, 9]] = ACCEPT
    assert str(judge_answers(view, actions, "possible")) == "day 5: 1 items missing"
    assert judge_answers(view, actions).missing == 11
    assert restrict_answers(view, actions, "possible").nonzero()[0].tolist() == [9]
    assert actions[8]["response"] == ACCEPT  # the better paid one
    assert tuple(actions[9]) == (OFFER, 4, 5, 26)
    restrict_answers(view, actions, "covered")
    assert actions["response"][[8, 9]].tolist() == [END, END]


def test_purchases_are_kept_before_sales_and_serve_them():
    view = make_view(suppliers=[(4, 3, 15)], consumers=[(3, 4, 27)], stock=0, physical=1)
    actions = new_actions()
    actions["response"][8] = ACCEPT
    assert judge_answers(view, actions).missing == 3
    actions["response"][0] = ACCEPT
    assert judge_answers(view, actions).safe
    actions[0] = OFFER, 4, 3, 15  # an offer serves nothing: the supplier may refuse it
    assert judge_answers(view, actions).missing == 3


def test_what_is_bought_must_be_paid_and_used():
    view = make_view(suppliers=[(30, 3, 15), (30, 4, 15)], balance=600.0)
    actions = new_actions()
    actions["response"][[0, 1]] = ACCEPT
    found = judge_answers(view, actions)
    assert (found.day, found.missing) == (4, 0) and found.unpaid > 300
    assert restrict_answers(view, actions).nonzero()[0].tolist() == [1]
    assert actions[1]["quantity"] == largest_quantities(bought(view, 30, 0, 15), prices=(15, 0))[0, 1]
    rich = make_view(suppliers=[(30, 28, 15)], balance=1e6, day=28, stock=5)
    assert str(judge_answers(rich, accepting(0))) == "day 29: 15 inputs never used"


def accepting(*partners):
    actions = new_actions()
    actions["response"][list(partners)] = ACCEPT
    return actions


def bought(view, quantity, ahead, price):
    """The view with that purchase in its books."""
    view = view.copy()
    view["supplies"][ahead] += quantity
    view["supplies_cost"][ahead] += quantity * price
    return view


def test_offers_count_by_their_chance():
    view = make_view(consumers=[(0, 0, 0)] * 3, stock=6)
    actions = new_actions()
    for k in (8, 9, 10):
        actions[k] = OFFER, 4, 3, 27
    assert judge_answers(view, actions).missing == 6
    assert judge_answers(view, actions, chance=0.5).safe
    view["partners"][10]["my_turn"] = 0  # it is still thinking about the last one
    view["partners"]["my_quantity"][10], view["partners"]["my_day"][10] = 5, 3
    assert largest_quantities(view)[1, 0] == 1
    assert largest_quantities(view, chance=0.5)[1, 0] == 3
    assert largest_quantities(view, chance=0)[1, 0] == 6


def test_balances_are_those_of_the_settlement():
    views = small_views(np.random.default_rng(4), 200, True)
    for view in views:
        days = min(BOOK_DAYS, int(view["n_days"] - view["day"]))
        money = balances(view)
        assert money[0] == view["balance"] and (money[days:] == money[days - 1]).all()
        if days > 1 and not view["exogenous_supply"] and not view["supplies"][0] and not view["stock"]:
            sold = view["sales"][0] + view["exogenous_sales"]
            lost = view["output_price"] * view["shortfall_penalty"] * sold
            assert np.isclose(money[1], view["balance"] - lost)


def test_python_and_compiled_code_say_the_same():
    from scml_gym.standard.safety.limits import write_limits
    from scml_gym.standard.safety.rolling import CERTAIN

    for view in random_views(np.random.default_rng(5), 6):
        limits = np.zeros(2 * BOOK_DAYS, dtype=np.int64)
        write_limits(view, 0, 1.0, CERTAIN, np.array([view["max_input_price"], view["min_output_price"]]), limits)
        assert np.array_equal(limits.reshape(2, -1), largest_quantities(view))


def test_invalid_answers_are_left_to_the_rules():
    view = make_view(suppliers=[(0, 0, 0)], consumers=[(0, 0, 0)])
    actions = new_actions()
    actions[0] = ACCEPT, 0, 0, 0  # nothing stands
    actions[8] = OFFER, 99, 3, 27
    actions[3] = OFFER, 2, 3, 15  # there is no such partner
    before = actions.copy()
    assert not restrict_answers(view, actions).any()
    assert np.array_equal(actions, before)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("safe",), "bound='safe'; valid: covered, possible"),
        ((None,), "bound=None"),
        (("covered", 1.5), "chance=1.5; valid: 0 to 1"),
        (("covered", "often"), "chance='often'; valid: 0 to 1"),
    ],
)
def test_wrong_arguments_are_refused(arguments, words):
    view = make_view(suppliers=[(4, 3, 15)])
    with pytest.raises(InputError, match=words):
        largest_quantities(view, *arguments)
    with pytest.raises(InputError, match=words):
        restrict_answers(view, new_actions(), *arguments)
    with pytest.raises(InputError, match=words):
        judge_answers(view, new_actions(), *arguments)


@pytest.mark.parametrize("prices", [(10,), (10, 20, 30), 10, "ab", (10.5, 20), (-1, 20), (10**30, 1)])
def test_wrong_prices_are_refused(prices):
    with pytest.raises(InputError, match=r"^prices=.*; valid: "):
        largest_quantities(make_view(suppliers=[(4, 3, 15)]), prices=prices)


@pytest.mark.parametrize("judge", [judge_answers, restrict_answers, find_unsafe])
@pytest.mark.parametrize("answers", [None, new_actions()[:3], np.zeros(16)])
def test_answers_of_another_form_are_refused(judge, answers):
    with pytest.raises(InputError, match=r"^the array of answers is .*; valid: ACTION_DTYPE of shape"):
        judge(make_view(suppliers=[(4, 3, 15)]), answers)


NO_VIEWS = [None, 3, {}, np.zeros(3), random_views(np.random.default_rng(0), 2), oneshot.new_view()]


@pytest.mark.parametrize("view", NO_VIEWS)
def test_what_is_no_view_is_refused(view):
    """One of OneShot, or many of them at once, for instance."""
    actions = new_actions()
    for ask in (largest_quantities, balances, *(lambda v, f=f: f(v, actions) for f in (judge_answers, find_unsafe))):
        with pytest.raises(InputError, match=r"^the view is .*; valid: one record of VIEW_DTYPE") as error:
            ask(view)
        assert "\n" not in str(error.value)


def test_answers_that_cannot_be_changed_are_not():
    actions = new_actions()
    actions.flags.writeable = False
    with pytest.raises(InputError, match="cannot be changed; give a copy"):
        restrict_answers(make_view(suppliers=[(4, 3, 15)]), actions)
    assert judge_answers(make_view(suppliers=[(4, 3, 15)]), actions).safe
