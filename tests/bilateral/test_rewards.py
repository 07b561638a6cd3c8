"""Rewards of bilateral negotiations: the paper's equations (3) and (4), and what a step adds up."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scml_gym.bilateral.rewards import ACCEPT_REWARDS, OFFER_REWARDS, make_reward
from scml_gym.bilateral.view import (
    LEARNER,
    NOBODY,
    VIEW_DTYPE,
    WINDOW,
    close_view,
    mean_received,
    open_view,
    see_offer,
)
from scml_gym.core.errors import InputError

UTILITIES = st.floats(0.0, 1.0)


def new_view():
    view = np.zeros(1, dtype=VIEW_DTYPE)[0]
    open_view(view)
    return view


@given(UTILITIES, UTILITIES)
def test_parts_are_the_papers(u, mean):
    accept = {name: ACCEPT_REWARDS.get(name)(u, mean) for name in "abc"}
    assert accept == {"a": u, "b": (math.tanh(5 * (u - 0.5)) + 1) / 2, "c": math.tanh(5 * (u - 0.5))}
    offer = {name: OFFER_REWARDS.get(name)(u, mean) for name in "abc"}
    assert offer == {"a": 0.0, "b": (1 - u) / 100, "c": (1 - mean) / 100}


@given(st.lists(UTILITIES, max_size=30))
def test_mean_is_over_the_last_ten_offers_or_those_received(utilities):
    view = new_view()
    for offer, utility in enumerate(utilities):
        see_offer(view, offer, utility)
    expected = np.mean(utilities[-WINDOW:]) if utilities else 0.0
    assert mean_received(view) == pytest.approx(expected, abs=1e-12)
    assert view["offer"] == len(utilities) - 1


def test_a_step_pays_what_applies():
    reward = make_reward("c", "b", -0.5)
    running, failed, agreed = new_view(), new_view(), new_view()
    close_view(failed, -1, NOBODY, 0.0, 0.0)
    close_view(agreed, 3, LEARNER, 0.75, 0.2)
    agreement = math.tanh(5 * 0.25)
    assert reward.step_reward(True, 0.4, 0.9, running) == 0.6 / 100
    assert reward.step_reward(False, 0.4, 0.9, running) == 0.0  # nothing was refused
    assert reward.step_reward(True, 0.4, 0.9, failed) == 0.6 / 100 - 0.5
    assert reward.step_reward(False, 0.75, 0.9, agreed) == agreement  # the learner accepted
    assert (
        reward.step_reward(True, 0.4, 0.9, agreed) == 0.6 / 100 + agreement
    )  # the opponent accepted the learner's offer


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("d", "a", 0.0), "accept_reward.*'d'.*valid: a, b, c"),
        (("a", "aa", 0.0), "offer_reward.*'aa'"),
        (("a", "a", 0.5), "failure_penalty=0.5"),
        (("a", "a", math.nan), "failure_penalty=nan"),
        (("a", "a", "-1"), "failure_penalty='-1'"),
    ],
)
def test_wrong_parts_are_refused(arguments, words):
    with pytest.raises(InputError, match=words):
        make_reward(*arguments)
