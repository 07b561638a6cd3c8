"""Tabular Q-learning: tables, selection and learning; its training is in test_q_learning_training.py."""

from __future__ import annotations

import numpy as np
import pytest

from agents.q_learning import QLearning
from agents.q_learning.policy import QPolicy
from agents.q_learning.selection import Selection
from agents.q_learning.settings import QLearningSettings
from agents.q_learning.tables import initial_table, initial_tables
from scml_gym.config import CONFIGS, merge, read_yaml, validate
from scml_gym.partner import PartnerActions, PartnerStates
from scml_gym.view import ACCEPT, BUYER, END, OFFER, SELLER, new_view

ENV = {"id": "any", "opponents": ["best-subset"], "days": 4, "factories_per_level": 3}


def config(**changes):
    over: dict = {}
    for key, value in changes.items():
        section, name = key.split("__")
        over.setdefault(section, {})[name] = value
    return merge(read_yaml(CONFIGS / "agent" / "q_learning.yaml"), over)


def settings(**changes) -> QLearningSettings:
    return validate(QLearningSettings, config(**changes))


def a_view(level=BUYER, needs=6, n_partners=1):
    view = new_view()
    view["level"], view["n_partners"], view["lines"], view["n_rounds"], view["n_days"] = level, n_partners, 10, 20, 10
    view["needs"] = view["exogenous_quantity"] = needs
    view["exogenous_price"] = 9.0 if level == SELLER else 20.0
    view["production_cost"] = 1.0
    view["shortfall_penalty"], view["disposal_cost"] = 0.5, 0.1
    view["input_price"], view["output_price"] = 10.0, 20.0
    view["balance"] = view["initial_balance"] = 1000.0
    view["min_quantity"], view["max_quantity"], view["min_price"], view["max_price"] = 1, 10, 10, 11
    partners = view["partners"][:n_partners]
    partners["exists"] = partners["running"] = partners["my_turn"] = 1
    return view


def chosen(mask):
    return np.flatnonzero(mask).tolist()


def offer(view, k, quantity, price):
    view["partners"][k]["offer_quantity"], view["partners"][k]["offer_price"] = quantity, price


@pytest.mark.parametrize("level", [SELLER, BUYER])
def test_initial_table_prefers_profitable_actions(level):
    states, actions = PartnerStates("full"), PartnerActions()
    init = settings(initialisation__preference=0.5, initialisation__price_step=0.1).initialisation
    table, view = initial_table(level, states, actions, init), a_view(level, needs=6)
    best = actions.decode(int(table.values[states.index(view, 0)].argmax()), view, 0)
    assert best == (OFFER, 6, 11 if level == SELLER else 10)
    good, bad = (11, 10) if level == SELLER else (10, 11)
    worth = []
    for quantity, price in ((6, good), (6, bad), (3, good), (9, good)):
        offer(view, 0, quantity, price)
        worth.append(table.values[states.index(view, 0), 1])
    assert worth[0] > worth[1] > worth[2] and worth[0] > worth[3]
    assert not table.values[[states.accept, states.end]].any()
    zeros = initial_table(level, states, actions, settings(initialisation__preference=0.0).initialisation)
    assert not zeros.values.any()


def test_learning_rate_falls_to_its_floor():
    table = initial_table(SELLER, PartnerStates("needs"), PartnerActions(), settings().initialisation)
    table.values[3, 4] = 0.0
    assert table.update(3, 4, 1.0, rate=0.1, visits=1.0) == 1.0
    assert table.values[3, 4] == 1.0
    table.update(3, 4, 0.0, rate=0.1, visits=1.0)
    assert table.values[3, 4] == pytest.approx(0.5)
    for _ in range(50):
        table.update(3, 4, 0.0, rate=0.1, visits=1.0)
    before = table.values[3, 4]
    table.update(3, 4, 1.0, rate=0.1, visits=1.0)
    assert table.values[3, 4] == pytest.approx(before + 0.1 * (1 - before))
    assert table.visits[3, 4] == 53


def test_margin_bounds_offers_and_acceptances():
    actions, view = PartnerActions(), a_view(needs=4)
    offer(view, 0, 6, 10)
    for margin, accepts, largest in ((0, False, 4), (1, False, 5), (2, True, 6), (None, True, 10)):
        selection = Selection(settings(heuristics__margin=margin).heuristics, actions)
        mask = selection.allowed(view, 0, 4, 4, greedy=False)
        quantities = [actions.decode(i, view, 0)[1] for i in np.flatnonzero(mask).tolist()]
        assert mask[0] and mask[1] == accepts and max(quantities) == largest
    strict = Selection(settings(heuristics__margin=1).heuristics, actions)
    assert np.flatnonzero(strict.allowed(view, 0, 0, 0, greedy=False)).tolist() == [0]


def test_greedy_first_price_and_solvency():
    actions = PartnerActions()
    for level, best in ((SELLER, 11), (BUYER, 10)):
        view = a_view(level)
        selection = Selection(settings().heuristics, actions)
        prices = {actions.decode(i, view, 0)[2] for i in chosen(selection.allowed(view, 0, 6, 6, True))}
        assert prices - {0} == {best}
        view["partners"][0]["my_quantity"] = 3
        prices = {actions.decode(i, view, 0)[2] for i in chosen(selection.allowed(view, 0, 6, 6, True))}
        assert prices - {0} == {10, 11}
    poor = a_view(BUYER)
    poor["balance"], poor["exogenous_price"] = 50.0, 11.0  # a loss of 1 an item at price 11, none at 10
    offer(poor, 0, 4, 11)
    solvent = Selection(settings(heuristics__reserve=0.1).heuristics, actions).allowed(poor, 0, 6, 6, False)
    assert {actions.decode(i, poor, 0)[2] for i in chosen(solvent)} == {0, 10} and not solvent[1]
    poor["balance"] = 1000.0
    assert Selection(settings(heuristics__reserve=0.1).heuristics, actions).allowed(poor, 0, 6, 6, False)[1]
    poor["balance"] = 50.0
    assert Selection(settings(heuristics__reserve=None).heuristics, actions).allowed(poor, 0, 6, 6, False)[1]


def a_policy(conf=None, epsilon=0.0, rate=0.1, own=False, tables=None, **changes) -> QPolicy:
    conf = conf or settings(**changes)
    tables = tables or initial_tables(conf.states.states(), conf.states.actions(), conf.initialisation)
    return QPolicy(conf, tables, (0,), lambda done: epsilon, rate, 1.0, own)


def test_needs_shrink_within_one_decision():
    policy, view = a_policy(heuristics__margin=0, heuristics__offered_share=1.0), a_view(needs=6, n_partners=4)
    policy.begin(view)
    for k, quantity in ((0, 4), (1, 4), (2, 2)):
        offer(view, k, quantity, 10)
    for table in policy.tables:
        table.values[:, 1] = 100.0  # accept whenever the constraints let it
    actions = policy.act(view)
    accepted = [k for k in range(4) if actions[k]["response"] == ACCEPT]
    assert sum(int(view["partners"][k]["offer_quantity"]) for k in accepted) == 6
    view = a_view(needs=6, n_partners=4)
    policy.begin(view)
    assert policy.act(view)["quantity"].sum() == 6


@pytest.mark.parametrize("backward", [True, False])
def test_it_finds_the_profitable_offer(backward):
    """The partner takes up to 4 items at the low price, ends at more, and never takes the high price."""
    policy = a_policy(epsilon=0.3, states__kind="needs", learning__backward=backward, heuristics__margin=0)
    view = a_view(SELLER, needs=6)
    policy.begin(view)
    for day in range(600):
        view = a_view(SELLER, needs=6)
        view["day"] = day
        for _ in range(3):
            action = policy.act(view)[0]
            if action["response"] != OFFER:
                break
            if action["price"] == 10:
                if action["quantity"] <= 4:
                    partner = view["partners"][0]
                    partner["agreed_quantity"], partner["agreed_price"] = action["quantity"], action["price"]
                    view["needs"] -= action["quantity"]
                break
        view["partners"]["running"] = view["partners"]["my_turn"] = 0
        policy.end_day(view)
    policy._epsilon = lambda done: 0.0
    view = a_view(SELLER, needs=6)
    view["day"] = 1000
    assert policy.act(view)[0].item() == (OFFER, 4, 10)


@pytest.mark.parametrize("settle", ["negotiation", "day"])
def test_reward_may_be_settled_when_the_day_is_over(settle):
    policy = a_policy(rate=1.0, states__kind="needs", initialisation__preference=0.0, reward__settle=settle)
    policy.begin(a_view(n_partners=2))
    view = a_view(BUYER, needs=6, n_partners=2)
    view["partners"]["my_turn"][1] = 0
    state, action = policy.states.index(view, 0), policy.actions.encode(view, *policy.act(view)[0].item())
    for k, (quantity, needs) in enumerate(((2, 4), (4, 0))):
        partner = view["partners"][k]
        partner["running"], partner["agreed_quantity"], partner["agreed_price"] = 0, quantity, 10
        view["needs"] = needs
        policy.act(view)
    policy.end_day(view)
    left, won = (4, 1) if settle == "negotiation" else (0, 2)
    expected = policy.tracker.reward.accepted(view, 2, 10, left, won)
    assert policy.tables[0].values[state, action] == pytest.approx(expected)


def test_predict_answers_with_the_best_valid_action():
    agent = QLearning.build(config(), ENV)
    state = agent.states.index(a_view(SELLER), 0)
    agent.tables[SELLER].values[state] = np.arange(22)
    agent.tables[SELLER].visits[state] = 1
    assert agent.predict(state)[0] == 21
    mask = np.zeros(22, dtype=bool)
    mask[[0, 5]] = True
    assert agent.predict(np.array([SELLER, state]), mask=mask) == (5, None)
    assert agent.predict(np.array([SELLER, state]), mask=mask, deterministic=False)[0] in (0, 5)


def test_an_end_of_all_negotiations_where_nothing_is_needed():
    policy, view = a_policy(), a_view(needs=0, n_partners=2)
    policy.begin(view)
    offer(view, 0, 1, 10)
    assert policy.act(view)["response"][:2].tolist() == [END, END]
