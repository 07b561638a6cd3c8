"""A manager's day: first proposals as goals, in both worlds, and behind a shield."""

import gymnasium
import numpy as np
import pytest

from scml_gym.game.inverses import asked_by, encode_answers
from scml_gym.standard.actions import make_daily_codec
from scml_gym.standard.actions.goals_by_day import SHARES
from scml_gym.standard.actions.proposals import as_opened
from scml_gym.standard.actions.safe import ShieldedGoals
from scml_gym.standard.strategies.market import offer
from scml_gym.standard.view import new_actions
from tests.helpers.standard_views import make_view

NONE = (0, 0, 0)
DAILY = "scml_gym/StandardDaily-v0"


@pytest.mark.parametrize(("action", "executor"), [("goals-by-day", "planner-by-day"), ("traits", "stock")])
def test_both_worlds_give_the_same_days(action, executor):
    shared = {"action": action, "executor": executor, "observation": "plan", "reward": "margin-shaped-profit"}
    worlds = {"days": 5, "factories_per_level": (2, 3), "n_levels": 3, "opponents": ["just-in-time"], "level": "middle"}
    envs = [gymnasium.make(DAILY, backend=backend, **shared, **worlds) for backend in ("compiled", "reference")]
    shown = [env.reset(seed=3) for env in envs]
    envs[0].action_space.seed(3)
    done, steps = False, 0
    while not done:
        np.testing.assert_array_equal(*(seen for seen, _ in shown))
        chosen = envs[0].action_space.sample(mask=shown[0][1]["action_mask"])
        stepped = [env.step(chosen) for env in envs]
        assert stepped[0][1] == stepped[1][1]
        shown, done, steps = [(s[0], s[4]) for s in stepped], stepped[0][2], steps + 1
    assert steps == 5 and shown[0][1]["score"] == shown[1][1]["score"]


def proposals(view):
    """Offers: 3 and 2 items for tomorrow at 29 and 24, 4 items today at 27; nothing to the last consumer."""
    actions = new_actions()
    offer(actions, 8, 3, view["day"] + 1, 29)
    offer(actions, 9, 2, view["day"] + 1, 24)
    offer(actions, 10, 4, view["day"], 27)
    return actions


@pytest.mark.parametrize(("physical", "tolerance"), [(0, 0.2), (1, 0.1)])
def test_proposals_are_summed_by_day_with_their_prices_by_volume(physical, tolerance):
    view = make_view(consumers=[NONE] * 4, sales=[0, 4, 9], physical=physical)
    codec = make_daily_codec("goals-by-day")
    goals = dict(zip(codec.form.chosen, encode_answers(codec, proposals(view), view).tolist(), strict=True))
    wanted = {name: SHARES[choice] for name, choice in goals.items() if choice and not name.endswith("limit")}
    assert wanted == {"sell_in_0": 0.3, "sell_in_1": 1.0}, (
        "4 in the books and 5 proposed; nothing for what is booked only"
    )
    numbers = make_daily_codec("goals-by-day-continuous")
    exact = encode_answers(numbers, proposals(view), view)
    assert numbers.decode(exact, view)[22::2][:3] == pytest.approx([4.0, 9.0, 0.0], abs=1e-5)
    at_29, at_24, at_27 = (max(0.0, (price * (1.0 - tolerance) - 24) / 5) for price in (29, 24, 27))
    limits = numbers.decode(exact, view)[23::2][:2]
    assert limits == pytest.approx([at_27, (3 * at_29 + 2 * at_24) / 5], abs=1e-5)


def test_groups_sum_the_days_in_them():
    view = make_view(consumers=[NONE] * 4, sales=[0, 4, 9])
    cases = (("goals-by-bucket", "sell_0_to_2", 21), ("goals", "sell_soon", 20), ("goals", "sell_today", 4))
    for action, name, items in cases:  # 13 in the books; 4 proposed for today, 5 for tomorrow
        codec = make_daily_codec(action)
        goals = codec.decode(encode_answers(codec, proposals(view), view), view)
        assert dict(zip(codec.form.chosen, goals.tolist(), strict=True))[name] == pytest.approx(items)


def test_who_speaks_second_is_asked_as_if_it_spoke_first():
    view = make_view(suppliers=[(4, 3, 15)], consumers=[(5, 4, 28), NONE], time=1)
    view["partners"][9]["my_turn"] = 0
    for codec in (make_daily_codec("goals-by-day"), ShieldedGoals(make_daily_codec("goals-by-day"), "covered")):
        asked = asked_by(codec, view)
        assert asked["partners"]["my_turn"][[0, 8, 9]].tolist() == [1, 1, 1]
        assert not asked["partners"]["offer_quantity"].any()
    assert view["partners"]["offer_quantity"][0] == 4, "what the factory sees itself stays"
    ended = make_view(consumers=[NONE])
    ended["partners"][8]["running"] = 0
    as_opened(ended)
    assert ended["partners"][8]["my_turn"] == 0
