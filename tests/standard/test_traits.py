"""Traits as the action of a day: the measuring stick is one of them, masks, and who carries them out."""

from typing import Any

import gymnasium
import numpy as np
import pytest

from scml_gym.core.errors import InputError
from scml_gym.game.strategy import StrategyPolicy
from scml_gym.standard.actions import make_daily_codec
from scml_gym.standard.actions.traits import BUYING, CHOSEN, SELLING, SIZES
from scml_gym.standard.executors import EXECUTORS
from scml_gym.standard.strategies import STRATEGIES
from scml_gym.standard.strategies.stock import TRAITS
from scml_gym.standard.view import ACCEPT, OFFER
from tests.helpers.standard_views import make_view, random_views

NONE = (0, 0, 0)
DAILY = "scml_gym/StandardDaily-v0"


def action_of(**traits):
    """The choices of the measuring stick, but for some."""
    wanted = TRAITS | {"expected": 0.0} | traits
    return np.array([CHOSEN[name].index(wanted[name]) for name in CHOSEN])


def answers(view, **traits):
    return EXECUTORS.get("stock")().act(view, make_daily_codec("traits").decode(action_of(**traits), view))


def test_the_measuring_stick_is_one_of_the_choices():
    for view in random_views(np.random.default_rng(3), 60):
        view["physical"] = 0
        np.testing.assert_array_equal(answers(view), StrategyPolicy(STRATEGIES.get("ten-once"), 0, {}).act(view))


def test_what_is_promised_and_held_is_chosen():
    view = make_view(consumers=[NONE] * 6, stock=10)
    for promise, ahead, most in ((1.0, 1.0, 20), (1.5, 1.0, 30), (0.5, 1.0, 10), (1.0, 4.0, 50)):
        made = answers(view, promise=promise, ahead=ahead)
        assert made["quantity"][made["response"] == OFFER].sum() == most
    view = make_view(suppliers=[NONE] * 2, stock=4)
    assert answers(view, material=1.5)["quantity"].sum() == 11
    view["physical"] = 1
    few, many = (answers(view, material=0.5, expected=share)["quantity"].sum() for share in (0.0, 0.75))
    assert few == 1 and many > 10, "by the physical rule it counts on later days"


def test_masks_leave_the_traits_of_a_side_without_partners():
    codec, mask = make_daily_codec("traits"), {}
    for side, view in (("sells", make_view(consumers=[NONE])), ("buys", make_view(suppliers=[NONE]))):
        heads = np.split(codec.mask(view), np.cumsum(SIZES)[:-1])
        mask[side] = dict(zip(CHOSEN, (int(head.sum()) for head in heads), strict=True))
    assert all(mask["sells"][name] == 1 < mask["buys"][name] for name in BUYING)
    assert all(mask["buys"][name] == 1 < mask["sells"][name] for name in SELLING)
    with pytest.raises(InputError, match="action 5 for material; valid: material 0 to 2"):
        codec.decode(np.array([5] + [0] * 7), make_view(consumers=[NONE]))


def test_goals_and_traits_have_executors_of_their_own():
    options: Any
    for valid, options in (("stock", {"action": "traits"}), ("planner", {"executor": "stock"})):
        for make in (gymnasium.make, gymnasium.make_vec):
            with pytest.raises(InputError, match=f"carries out other goals than these; valid: '{valid}'"):
                make(DAILY, days=3, **options)


def test_the_first_level_sells_what_it_counts_on_being_handed():
    def sold_by_day(share):
        view = make_view(level=0, consumers=[NONE] * 4, stock=0, exogenous_supply=2)
        made = answers(view, expected=share, ahead=1.0)
        return [int(made["quantity"][made["day"] == view["day"] + ahead].sum()) for ahead in range(3)]

    assert sold_by_day(0.0) == [2, 0, 0]
    assert sold_by_day(0.5) == [2, 5, 0]


@pytest.mark.parametrize("level, physical, holds_out", [(0, 0, False), (0, 1, True), (1, 0, True)])
def test_where_stock_stays_the_first_level_does_not_hold_out(level, physical, holds_out):
    in_the_middle = (1, 3, 27)
    view = make_view(level=level, consumers=[in_the_middle], stock=10, physical=physical)
    made = [answers(view, firm=firm, exponent=0.1)["response"] for firm in (0.0, 0.9)]
    accepted = [bool((responses == ACCEPT).any()) for responses in made]
    assert accepted == [True, not holds_out]
