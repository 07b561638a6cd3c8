"""The plan of a decision, and what the executor learns of it: to follow it as eagerly as alpha says, safely."""

import numpy as np
import pytest
import torch

from scml_gym.agents.decision_transformer.fitting import measure_new
from scml_gym.agents.hrl_xf.hierarchy import Exploring
from scml_gym.agents.hrl_xf.improving import Improving, Judge, rollout_of
from scml_gym.agents.hrl_xf.keeping import Keeping
from scml_gym.agents.hrl_xf.observing import PART, PLANNED, PRICE, SIZE, TAKE, tell_parts
from scml_gym.agents.hrl_xf.planned import follow, heed, plan_of_answers
from scml_gym.agents.hrl_xf.rollouts import play
from scml_gym.agents.mappo.networks import oneself
from scml_gym.standard.actions import PartnerChoices
from scml_gym.standard.executors import EXECUTORS
from scml_gym.standard.view import ACCEPT, END, OFFER, new_actions, new_view
from tests.helpers.hierarchies import LEARNING, SETTINGS, hierarchy, worlds
from tests.helpers.negotiations import untrained

SUPPLIER, CONSUMER = 1, 9
DAGGER = SETTINGS.dagger.model_copy(update={"n_epochs": 4})


def asked():
    """A view in which a supplier has offered 3 items for tomorrow, and a consumer nothing; and answers to both."""
    view, answers = new_view(), new_actions()
    view["n_days"], view["last_day"], view["lines"], view["min_quantity"], view["max_quantity"] = 20, 12, 10, 1, 30
    view["day"], view["min_input_price"], view["max_input_price"] = 2, 10, 20
    view["min_output_price"], view["max_output_price"] = 20, 40
    for k in (SUPPLIER, CONSUMER):
        for name in ("exists", "running", "my_turn"):
            view["partners"][k][name] = 1
        view["partners"][k]["relative_time"] = 0.5
    offered = view["partners"][SUPPLIER]
    offered["offer_quantity"], offered["offer_day"], offered["offer_price"] = 3, 3, 18
    answers[SUPPLIER]["response"] = ACCEPT
    answers[CONSUMER] = OFFER, 4, 2, 35
    return view, answers


def test_each_negotiation_is_told_its_part_and_all_of_them_what_is_meant():
    view, answers = asked()
    plan, rows = plan_of_answers(view, answers), np.zeros((2, SIZE), np.float32)
    assert plan.goals[0, 1] == 3 and plan.goals[1, 0] == 4 and plan.goals.sum() == 7
    tell_parts(rows, view, np.array([SUPPLIER, CONSUMER]), answers)
    assert rows[:, PLANNED].tolist() == [1, 1] and rows[:, TAKE].tolist() == [1, 0]
    assert np.allclose(rows[:, PART][[0, 1], [1, 0]], (0.3, 0.4)) and np.allclose(rows[:, PART].sum(axis=1), (0.3, 0.4))
    assert np.allclose(rows[:, PRICE], (0.8, 0.75))
    view["partners"][CONSUMER]["my_turn"], view["partners"][SUPPLIER]["agreed_quantity"] = 0, 2
    view["partners"][SUPPLIER]["agreed_day"] = 2
    view["partners"][CONSUMER]["my_quantity"], view["partners"][CONSUMER]["my_day"] = 5, 4
    goals = plan_of_answers(view, new_actions()).goals
    assert goals[0, 0] == 2 and goals[1, 2] == 5 and goals.sum() == 7


@pytest.mark.parametrize(
    ("alpha", "supplier", "price"), [(0.0, ACCEPT, 35), (0.3, ACCEPT, 29), (-0.2, ACCEPT, 39), (-0.9, OFFER, 40)]
)
def test_alpha_is_heeded_as_a_share_of_the_range(alpha, supplier, price):
    view, answers = asked()
    for k in (SUPPLIER, CONSUMER):
        heed(view, answers, k, alpha)
    assert answers[SUPPLIER]["response"] == supplier and answers[CONSUMER]["price"] == price
    if supplier == OFFER:  # at a gain of .9 times the time that is left
        assert answers[SUPPLIER].tolist() == (OFFER, 3, 3, 15)


def test_who_is_eager_accepts_what_it_would_have_haggled_over():
    view, answers = asked()
    answers[SUPPLIER] = OFFER, 3, 3, 12
    eager = answers.copy()
    heed(view, eager, SUPPLIER, 0.7)
    heed(view, answers, SUPPLIER, 0.5)
    assert eager[SUPPLIER]["response"] == ACCEPT and answers[SUPPLIER].tolist() == (OFFER, 3, 3, 17)


def test_what_follows_is_valid():
    view, answers = asked()
    choices, due = PartnerChoices(), np.array([SUPPLIER, CONSUMER])
    masks, safe = np.stack([choices.mask(view, k) for k in due.tolist()]), np.ones((2, 11, 10), bool)
    given = plan_of_answers(view, answers), view, due, np.zeros(2)
    assert follow(*given, masks, safe, choices).tolist() == [[1, 0, 0, 0], [2, 3, 0, 2]]
    masks[0, 1], safe[1, 0, 2:] = False, False
    assert follow(*given, masks, safe, choices).tolist() == [[0, 0, 0, 0], [2, 1, 0, 2]]
    masks[1, 13] = False
    assert follow(*given, masks, safe, choices)[1].tolist() == [0, 0, 0, 0]
    assert answers[CONSUMER]["response"] == OFFER and END != OFFER


@pytest.mark.parametrize("name", EXECUTORS)
def test_every_rule_makes_plans(name):
    rule, (view, _) = EXECUTORS.get(name)(), asked()
    goals = np.full(200, 2.0)
    answers = rule.act(view, goals)
    assert plan_of_answers(view, answers).goals.shape == (2, 11)


def test_an_executor_learns_to_follow_the_plan_where_it_has_come_to():
    made = hierarchy("zero")
    exploring = Exploring(torch.Generator().manual_seed(1), 0.3, led=0.5, drawn=0.3)
    episodes = play(made, worlds(), [3, 4], exploring)
    led, own = ([one for one in episode.decided] for episode in episodes)
    assert all(np.array_equal(one.chosen, one.planned) for one in led)
    assert any(not np.array_equal(one.chosen, one.planned) for one in own)
    rollout = rollout_of(episodes, made.executor)
    improving = Improving(made.executor, None, Judge(8), LEARNING, oneself, 0)
    told = [improving.follow(rollout, DAGGER, 3e-3, 0) for _ in range(6)]
    assert told[-1]["follow_loss"] < 0.6 * told[0]["follow_loss"] and told[-1]["value_loss"] < told[0]["value_loss"]


def test_what_was_never_told_is_measured_when_it_first_is():
    network = untrained().network
    seen = np.zeros((4, SIZE), np.float32)
    seen[:, TAKE], seen[0, PRICE], seen[:, PLANNED] = (0, 1, 0, 1), 0.1, 1.0
    network.mean[0], network.deviation[1] = 0.5, 3.0
    measure_new(network, seen + np.arange(4)[:, None] * (np.arange(SIZE) < 2))
    assert network.deviation[TAKE] == 0.5 and network.deviation[PRICE] == pytest.approx(0.1)
    assert network.deviation[[0, 1, PLANNED]].tolist() == [1.0, 3.0, 1.0] and network.mean[TAKE] == 0.0


def test_the_best_is_kept_and_handed_on_also_after_a_stop():
    part, told = torch.nn.Linear(1, 1), iter([1.0, 3.0, 2.0])
    keeping = Keeping({"part": part}, 2, lambda: next(told))
    for done in range(5):
        with torch.no_grad():
            part.weight.fill_(float(done))
        keeping.check(done, 4)
        if done == 3:
            again = Keeping({"part": part}, 2, lambda: next(told))
            again.restore(keeping.arrays())
            keeping = again
    assert keeping.last == 2.0
    keeping.hand_on()
    assert part.weight.item() == 2.0
    with torch.no_grad():
        part.weight.fill_(7.0)
    none = Keeping({"part": part}, 0, lambda: next(told))
    none.check(0, 4)
    none.hand_on()
    assert part.weight.item() == 7.0
