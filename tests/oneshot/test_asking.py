"""Asking partner after partner: the value is that of enumeration, and what is waited for, asked and taken."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from scml_gym.oneshot.asking.answers import N_ANSWERS, answer_at, fill_blind_offers, fill_worths
from scml_gym.oneshot.asking.counts import COUNTS_DTYPE
from scml_gym.oneshot.asking.values import (
    MAX_TOTAL,
    best_answer,
    fill_worth,
    offered_price,
    put_before,
    put_others_before,
)
from scml_gym.oneshot.players import player_maker
from scml_gym.oneshot.view import ACCEPT, BUYER, END, OFFER, SELLER, WAIT, new_actions
from scml_gym.oneshot.worlds.compiled.world import CompiledWorld
from scml_gym.oneshot.worlds.generation import league_spec
from tests.helpers.asking import small_case, worth_of
from tests.helpers.views import money_view


def enumerate_value(view, needs, prospects, order, later, total=0, spent=0.0, pending=None):
    """The value of asking partners in an order, by enumerating every answer and every outcome."""
    sign = 1.0 if view["level"] == SELLER else -1.0
    if not order:
        value = 0.0
        under_way = [k for k in range(len(prospects.pending)) if prospects.pending[k] > 0]
        for accepted in itertools.product((False, True), repeat=len(under_way)):
            chance, more = 1.0, 0
            for k, taken in zip(under_way, accepted, strict=True):
                chance *= prospects.late[k] if taken else 1.0 - prospects.late[k]
                more += prospects.pending[k] if taken else 0
            value += chance * (spent + worth_of(view, needs, total + more, later))
        return value
    k, *rest = order

    def go_on(quantity, price):
        return enumerate_value(view, needs, prospects, rest, later, total + quantity, spent + sign * quantity * price)

    values = [go_on(0, 0)]
    if prospects.quantities[k]:
        values.append(go_on(prospects.quantities[k], prospects.prices[k]))
    for i, quantity in itertools.product(range(2), range(1, 4)):
        if (chance := prospects.chances[k, quantity, i]) >= 0.0:
            values.append(chance * go_on(quantity, offered_price(view, i)) + (1.0 - chance) * values[0])
    return max(values)


def answer_asked(view, needs, prospects, k, later, may_wait):
    """The best answer to a partner."""
    return answer_at(view, fill_worths(view, needs, prospects, k, later, may_wait, np.full(N_ANSWERS, -np.inf)))


@pytest.mark.parametrize("seed", range(12))
def test_the_value_is_that_of_enumeration(seed):
    view, needs, prospects, later = small_case(seed)
    values = np.zeros(MAX_TOTAL + 1)
    top = fill_worth(view, needs, prospects, later, values)
    end = values.copy()
    put_others_before(view, prospects, prospects.available, 0, top, values)
    standing = prospects.quantities[:3] > 0
    others = sorted((1, 2), key=lambda k: (standing[k], k))
    assert values[0] == pytest.approx(enumerate_value(view, needs, prospects, others, later))
    now, *_ = best_answer(view, prospects, 0, 0, top, values)
    assert now == pytest.approx(enumerate_value(view, needs, prospects, [0, *others], later))
    put_before(view, prospects, 0, top, end)
    put_others_before(view, prospects, prospects.available, 0, top, end)
    last = enumerate_value(view, needs, prospects, [*others, 0], later)
    assert end[0] == pytest.approx(last)
    response = answer_asked(view, needs, prospects, 0, later, True)[0]
    assert (response == WAIT) >= (last > now + 1e-6)
    assert answer_asked(view, needs, prospects, 0, later, False)[0] != WAIT


@pytest.mark.parametrize("seed", range(20))
def test_an_offer_is_a_lottery_while_others_have_to_be_answered(seed):
    """Partner 1 is answered before the offer to partner 0 has its answer, partner 2 after that."""
    view, needs, prospects, later = small_case(2 * seed)
    prospects.due[1] = 1
    end = np.zeros(MAX_TOTAL + 1)
    top = fill_worth(view, needs, prospects, later, end)
    values = {}
    for i, quantity in itertools.product(range(2), range(1, 4)):
        chance, price = prospects.chances[0, quantity, i], offered_price(view, i)

        def go_on(total, spent, chance=chance, quantity=quantity, price=price):
            agreed = enumerate_value(view, needs, prospects, [2], later, total + quantity, spent + quantity * price)
            return chance * agreed + (1.0 - chance) * enumerate_value(view, needs, prospects, [2], later, total, spent)

        answers, standing = [go_on(0, 0)], prospects.quantities[1]
        if standing:
            answers.append(go_on(standing, standing * prospects.prices[1]))
        for j, items in itertools.product(range(2), range(1, 4)):
            accepted = prospects.chances[1, items, j]
            answers.append(accepted * go_on(items, items * offered_price(view, j)) + (1.0 - accepted) * answers[0])
        values[quantity, price] = max(answers)
    worths = np.full(N_ANSWERS, -np.inf)
    fill_blind_offers(view, prospects, 0, top, end, worths)
    offers = {place: answer_at(view, int(place))[1:] for place in np.flatnonzero(worths > -np.inf)}
    assert {offer: worths[place] for place, offer in offers.items()} == pytest.approx(values)


def test_a_seller_does_not_ask_one_partner_and_take_the_offer_of_another_for_the_same_items():
    view, needs, prospects, _ = small_case(0)
    prospects.chances[:] = -1.0
    prospects.quantities[:] = prospects.pending[:] = 0
    prospects.available[2] = 0
    prospects.quantities[1], prospects.prices[1] = needs, 10
    prospects.chances[0, needs, 1] = 0.3
    assert answer_asked(view, needs, prospects, 0, 0.0, False) == (OFFER, needs, 11)
    prospects.due[1] = 1
    assert answer_asked(view, needs, prospects, 0, 0.0, False) == (END, 0, 0)


@pytest.mark.parametrize("level", [SELLER, BUYER])
def test_a_day_with_one_price_has_offers_at_it(level):
    view, needs, prospects, _ = small_case(level)
    view["level"], view["max_price"] = level, view["min_price"]
    prospects.quantities[:] = prospects.pending[:] = 0
    prospects.chances[:] = -1.0
    prospects.chances[0, needs, 0] = 0.9
    worths = np.full(N_ANSWERS, -np.inf)
    place = fill_worths(view, needs, prospects, 0, 0.0, False, worths)
    assert answer_at(view, place) == (OFFER, needs, view["min_price"])
    assert (worths > -np.inf).sum() == 2


def asked(view, k, waits=()):
    """The view of the decision about partner ``k`` where others were let wait so often."""
    view["most_waits"] = 10
    view["partners"]["my_turn"] = 0
    view["partners"][k]["my_turn"] = 1
    for j, n in enumerate(waits):
        view["partners"][j]["waits"] = n
    return view


def answer(view, state=None, **parameters):
    """The strategy's answer to the partner that is asked about."""
    player = player_maker("sequential")(0)
    strategy = player.strategy
    actions, state = new_actions(), np.zeros(strategy.state_size) if state is None else state
    strategy.decide(view, state, strategy.parameter_array(parameters), np.zeros(64), actions)
    (k,) = np.flatnonzero(view["partners"]["my_turn"])
    assert (np.delete(actions["response"], k) == 0).all()
    return actions[k].item()


def test_a_buyer_lets_all_others_go_first_and_then_asks_one_after_the_other():
    view = money_view(needs=6, n_partners=3)
    assert [answer(asked(view, k))[0] for k in range(3)] == [WAIT] * 3
    view, state = asked(view, 0, (1, 1, 1)), np.zeros(COUNTS_DTYPE.itemsize // 8)
    response, first, _ = answer(view, state)
    assert response == OFFER and 0 < first <= 6
    view["partners"][0]["my_quantity"], view["partners"][0]["waits"] = first, 0
    refused = answer(asked(view.copy(), 1), state.copy())
    view["partners"][0]["running"], view["partners"][0]["agreed_quantity"] = 0, first
    view["needs"] -= first
    agreed = answer(asked(view, 1), state.copy())
    assert refused[0] == OFFER and refused[1] > (agreed[1] if agreed[0] == OFFER else 0)


def test_offers_under_way_are_counted_by_their_chance():
    view, needs, prospects, _ = small_case(1)
    prospects.chances[:3] = -1.0
    prospects.quantities[:] = (1, 0, 0, 0, 0, 0, 0, 0)
    prospects.prices[0] = 11
    prospects.pending[3], prospects.late[3] = needs, 1.0
    assert answer_asked(view, needs, prospects, 0, 0.0, False)[0] == END
    prospects.late[3] = 0.0
    assert answer_asked(view, needs, prospects, 0, 0.0, False)[0] == ACCEPT


def test_a_seller_waits_until_the_offers_are_in_and_never_beyond_its_patience():
    view = money_view(level=SELLER, needs=6, offers=[(6, 10), (0, 0), (0, 0)])
    assert answer(asked(view, 0))[0] == WAIT
    assert answer(asked(view, 0, (4,)))[0] != WAIT
    assert answer(asked(view, 0), patience=0.0)[0] != WAIT
    view["most_waits"], view["partners"]["my_turn"][0] = 0, 1
    view["most_waits"] = 0
    assert answer(view)[0] in (ACCEPT, OFFER, END)


def test_a_standing_offer_is_an_option_while_another_partner_is_asked():
    view, needs, prospects, _ = small_case(0)
    prospects.chances[:] = -1.0
    prospects.quantities[:] = prospects.pending[:] = 0
    prospects.available[2] = 0
    prospects.quantities[:2], prospects.prices[:2] = needs, 10
    prospects.chances[1, needs, 1] = 0.9
    assert answer_asked(view, needs, prospects, 0, 0.0, True)[0] == WAIT
    assert answer_asked(view, needs, prospects, 1, 0.0, True) == (OFFER, needs, 11)


def test_it_counts_what_was_accepted_and_what_was_answered_at_once():
    spec = league_spec(4, days=10, factories_per_level=5)
    world = CompiledWorld(spec, [player_maker("sequential" if i in (0, 5) else "best-subset")(3) for i in range(10)])
    world.run()
    for factory in (0, 5):
        counts = world._states[factory].view(COUNTS_DTYPE)[0]
        accepted, answered = counts["partners"]["accepted"].sum(), counts["partners"]["answered"].sum()
        assert 0 < accepted < answered and (counts["partners"]["accepted"] <= counts["partners"]["answered"]).all()
    buyer = world._states[5].view(COUNTS_DTYPE)[0]
    assert buyer["at_once"] > 5 * buyer["later"], "synchronous sellers hold every offer but the buyer's"


def test_copies_of_it_do_not_ruin_each_other():
    """Two of five on each level, each of which waits for the other, are still above the others."""
    scores = {"sequential": [], "best-subset": []}
    for seed in range(8):
        spec = league_spec(seed, days=20, factories_per_level=5)
        names = ["sequential" if i in (1, 3, 6, 8) else "best-subset" for i in range(10)]
        world = CompiledWorld(spec, [player_maker(name)(seed) for name in names])
        world.run()
        for name, score in zip(names, world.scores, strict=True):
            scores[name].append(score)
    assert np.mean(scores["sequential"]) > np.mean(scores["best-subset"])
