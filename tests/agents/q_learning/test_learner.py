"""Tabular Q-learning: tables, selection and learning; its training is in test_q_learning_training.py."""

from __future__ import annotations

import numpy as np
import pytest

from scml_gym.agents.q_learning import QLearning
from scml_gym.agents.q_learning.decision import decide
from scml_gym.agents.q_learning.learning import learn_day, update
from scml_gym.agents.q_learning.memory import MAX_STEPS, Learner, make_rules, new_masks, new_memories
from scml_gym.agents.q_learning.policy import QPolicy
from scml_gym.agents.q_learning.selection import allowed, select
from scml_gym.agents.q_learning.tables import initial_tables, initial_values, shared
from scml_gym.jit.random import counter_draws
from scml_gym.oneshot.actions.negotiation import PartnerActions
from scml_gym.oneshot.observations.negotiation import PartnerStates
from scml_gym.oneshot.view import ACCEPT, BUYER, END, OFFER, SELLER, new_actions, new_view
from tests.helpers.q_learning import CHANGES, ENV, config, hyperparameters


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
    init = hyperparameters(initialisation__preference=0.5, initialisation__price_step=0.1).initialisation
    values, view = initial_values(level, states, actions, init), a_view(level, needs=6)
    best = actions.decode(int(values[states.index(view, 0)].argmax()), view, 0)
    assert best == (OFFER, 6, 11 if level == SELLER else 10)
    good, bad = (11, 10) if level == SELLER else (10, 11)
    worth = []
    for quantity, price in ((6, good), (6, bad), (3, good), (9, good)):
        offer(view, 0, quantity, price)
        worth.append(values[states.index(view, 0), 1])
    assert worth[0] > worth[1] > worth[2] and worth[0] > worth[3]
    assert not values[[states.accept, states.end]].any()
    zeros = initial_values(level, states, actions, hyperparameters(initialisation__preference=0.0).initialisation)
    assert not zeros.any()


def rules(epsilon=0.0, rate=0.1, visits=1.0, **changes) -> np.void:
    return make_rules(hyperparameters(**changes), rate, visits, epsilon, epsilon)


def a_learner(its_rules) -> Learner:
    conf = hyperparameters(states__kind="needs", initialisation__preference=0.0)
    tables = initial_tables(conf.states.states(), conf.states.actions(), conf.initialisation)
    return Learner(its_rules, tables.values, tables.visits, new_memories(1)[0], new_masks(1, 22)[0])


def test_learning_rate_falls_to_its_floor():
    learner = a_learner(rules(rate=0.1, visits=1.0))
    values = learner.values[SELLER, 3]
    update(learner, SELLER, 3, 4, 1.0)
    assert values[4] == 1.0
    update(learner, SELLER, 3, 4, 0.0)
    assert values[4] == pytest.approx(0.5)
    for _ in range(50):
        update(learner, SELLER, 3, 4, 0.0)
    before = values[4]
    update(learner, SELLER, 3, 4, 1.0)
    assert values[4] == pytest.approx(before + 0.1 * (1 - before))
    assert learner.visits[SELLER, 3, 4] == learner.memory["updates"] == 53
    assert np.count_nonzero(learner.visits) == 1


def mask_of(view, needed, greedy=False, **changes) -> np.ndarray:
    mask = np.zeros(22, dtype=np.bool_)
    allowed(view, rules(**changes), 0, needed, needed, greedy, mask)
    return mask


def test_margin_bounds_offers_and_acceptances():
    actions, view = PartnerActions(), a_view(needs=4)
    offer(view, 0, 6, 10)
    for margin, accepts, largest in ((0, False, 4), (1, False, 5), (2, True, 6), (None, True, 10)):
        mask = mask_of(view, 4, heuristics__margin=margin)
        quantities = [actions.decode(i, view, 0)[1] for i in chosen(mask)]
        assert mask[0] and mask[1] == accepts and max(quantities) == largest
    assert chosen(mask_of(view, 0, heuristics__margin=1)) == [0]
    assert mask_of(view, 0, heuristics__margin=None).all()


def test_greedy_first_price_and_solvency():
    actions = PartnerActions()
    for level, best in ((SELLER, 11), (BUYER, 10)):
        view = a_view(level)
        assert {actions.decode(i, view, 0)[2] for i in chosen(mask_of(view, 6, greedy=True))} - {0} == {best}
        view["partners"][0]["my_quantity"] = 3
        assert {actions.decode(i, view, 0)[2] for i in chosen(mask_of(view, 6, greedy=True))} - {0} == {10, 11}
    poor = a_view(BUYER)
    poor["balance"], poor["exogenous_price"] = 50.0, 11.0  # a loss of 1 an item at price 11, none at 10
    offer(poor, 0, 4, 11)
    solvent = mask_of(poor, 6, heuristics__reserve=0.1)
    assert {actions.decode(i, poor, 0)[2] for i in chosen(solvent)} == {0, 10} and not solvent[1]
    poor["balance"] = 1000.0
    assert mask_of(poor, 6, heuristics__reserve=0.1)[1]
    poor["balance"] = 50.0
    assert mask_of(poor, 6, heuristics__reserve=None)[1]


def test_selection_is_of_the_best_or_explores_and_ties_are_drawn():
    values = np.array([0.0, 9.0, 5.0, 7.0, 5.0, 7.0])
    mask = np.array([True, True, True, True, True, True])
    assert select(values, mask, True, False, 0.9) == 1
    draws = np.linspace(0.0, 0.999, 50)
    assert {select(values, mask, False, False, d) for d in draws} == {3, 5}
    assert {select(values, mask, False, True, d) for d in draws} == {0, 2, 3, 4, 5}
    mask[[3, 5]] = False
    assert {select(values, mask, False, False, d) for d in draws} == {2, 4}


def a_policy(epsilon=0.0, rate=0.1, tables=None, **changes) -> QPolicy:
    conf = hyperparameters(**changes)
    tables = tables or initial_tables(conf.states.states(), conf.states.actions(), conf.initialisation)
    return QPolicy(rules(epsilon, rate, **changes), shared(tables), 0)


def test_needs_shrink_within_one_decision():
    policy, view = a_policy(heuristics__margin=0, heuristics__offered_share=1.0), a_view(needs=6, n_partners=4)
    policy.begin(view)
    for k, quantity in ((0, 4), (1, 4), (2, 2)):
        offer(view, k, quantity, 10)
    policy.learner.values[:, :, 1] = 100.0  # accept whenever the constraints let it
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
    policy.learner.rules["epsilon_start"] = policy.learner.rules["epsilon_end"] = 0.0
    view = a_view(SELLER, needs=6)
    view["day"] = 1000
    assert policy.act(view)[0].item() == (OFFER, 4, 10)


@pytest.mark.parametrize("settle", ["negotiation", "day"])
def test_reward_may_be_settled_when_the_day_is_over(settle):
    changes = {"states__kind": "needs", "initialisation__preference": 0.0, "reward__settle": settle}
    policy, conf = a_policy(rate=1.0, **changes), hyperparameters(**changes)
    policy.begin(a_view(n_partners=2))
    view = a_view(BUYER, needs=6, n_partners=2)
    view["partners"]["my_turn"][1] = 0
    answer = policy.act(view)[0].item()
    state, action = conf.states.states().index(view, 0), conf.states.actions().encode(view, *answer)
    for k, (quantity, needs) in enumerate(((2, 4), (4, 0))):
        partner = view["partners"][k]
        partner["running"], partner["agreed_quantity"], partner["agreed_price"] = 0, quantity, 10
        view["needs"] = needs
        policy.act(view)
    policy.end_day(view)
    left, won = (4, 1) if settle == "negotiation" else (0, 2)
    expected = conf.reward.reward().accepted(view, 2, 10, left, won)
    assert policy.learner.values[BUYER, state, action] == pytest.approx(expected)
    assert policy.learner.memory["negotiations"] == policy.learner.memory["agreements"] == 2


def test_offers_in_the_order_of_their_value():
    """With room for one offer only, the best price is taken; among equal prices the larger quantity."""
    for level, best in ((SELLER, 2), (BUYER, 1)):
        policy, view = a_policy(heuristics__margin=0, heuristics__order="value"), a_view(level, needs=4, n_partners=4)
        policy.begin(view)
        policy.learner.values[:, :, 1] = 100.0
        for k, (quantity, price) in enumerate(((3, 10), (4, 10), (4, 11), (3, 11))):
            offer(view, k, quantity, price)
        assert np.flatnonzero(policy.act(view)["response"] == ACCEPT).tolist() == [best]


def test_a_negotiation_longer_than_the_memory_is_learnt_from():
    policy = a_policy(states__kind="needs")
    policy.begin(a_view())
    view = a_view(needs=6)
    for _ in range(MAX_STEPS + 5):
        policy.act(view)
    view["partners"]["running"] = view["partners"]["my_turn"] = 0
    policy.end_day(view)
    assert policy.learner.memory["updates"] == MAX_STEPS


@pytest.mark.parametrize("changes", CHANGES)
def test_it_decides_and_learns_alike_in_python_and_compiled(changes):
    """Random days; the policy runs the compiled functions, the other learner the same ones as plain Python."""
    policy = a_policy(0.3, 0.1, **changes)
    rng = np.random.default_rng(5)
    for level in (SELLER, BUYER):
        view = a_view(level, n_partners=4)
        policy.begin(view)
        compiled = policy.learner
        plain = Learner(compiled.rules, compiled.values.copy(), compiled.visits.copy(), *copies(compiled))
        for day in range(12):
            view = a_view(level, int(rng.integers(1, 11)), 4)
            view["day"], view["balance"] = day, rng.uniform(50, 200)
            view["exogenous_price"] = rng.uniform(5, 20)
            for decision in range(6):
                view["decision"] = decision
                happen(view, rng)
                actions = new_actions()
                decide(view, plain, counter_draws(0, 0, day, decision), actions)
                assert np.array_equal(policy.act(view), actions)
            view["partners"]["running"] = view["partners"]["my_turn"] = 0
            policy.end_day(view)
            learn_day(view, plain)
            assert np.array_equal(compiled.values, plain.values) and np.array_equal(compiled.visits, plain.visits)
        assert compiled.memory["updates"] > 20 and compiled.memory["reward"] == plain.memory["reward"]


def copies(learner):
    return learner.memory.copy(), learner.masks.copy()


def happen(view, rng):
    """Something between two decisions: offers come in, and negotiations end, some of them with an agreement."""
    for k in range(4):
        partner = view["partners"][k]
        if partner["running"] and rng.random() < 0.15:
            partner["running"] = 0
            if rng.random() < 0.5:
                partner["agreed_quantity"], partner["agreed_price"] = rng.integers(1, 4), rng.integers(10, 12)
                view["needs"] -= partner["agreed_quantity"]
        elif partner["running"] and rng.random() < 0.8:
            offer(view, k, rng.integers(1, 11), rng.integers(10, 12))
        partner["my_turn"] = partner["running"] and rng.random() < 0.8
        partner["relative_time"] = rng.random()
        partner["my_quantity"], partner["my_price"] = rng.integers(0, 5), 10


def test_predict_answers_with_the_best_valid_action():
    agent = QLearning.build(config(), ENV)
    state = agent.states.index(a_view(SELLER), 0)
    agent.tables.values[SELLER, state] = np.arange(22)
    agent.tables.visits[SELLER, state] = 1
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
