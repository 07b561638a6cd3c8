"""The compiled rules that all tracks share, over records that belong to no game."""

import numpy as np
import pytest

from scml_gym.jit.compile import compiled
from scml_gym.simulator.compiled.alternating_offers import (
    ACCEPT,
    AGREED,
    BUYER,
    END,
    ENDED,
    GOES_ON,
    NOOP,
    OFFER,
    PASSED,
    SELLER,
    WAIT,
    negotiation_dtype,
    open_negotiation,
    take_answer,
)
from scml_gym.simulator.compiled.synchronous import (
    close_one,
    controller_fields,
    give_answer,
    keep_answer,
    must_wait,
    open_all,
    open_one,
)
from scml_gym.simulator.compiled.trading_prices import DISCOUNT, add_trade, move_price

ACTION_DTYPE = np.dtype([("response", np.int64), ("quantity", np.int64)])
AGENT_DTYPE = np.dtype(controller_fields(3, ACTION_DTYPE))
NEGOTIATION_DTYPE = negotiation_dtype(("offer_quantity", np.int64))


@pytest.fixture(params=[SELLER, BUYER], ids=["seller opens", "buyer opens"])
def negotiation(request):
    record = np.zeros(1, dtype=NEGOTIATION_DTYPE)[0]
    record["opener"] = request.param
    open_negotiation(record, 1)
    return record


def act(response, quantity=0):
    return np.array([(response, quantity)], dtype=ACTION_DTYPE)[0]


@pytest.fixture
def agent():
    record = np.zeros(1, dtype=AGENT_DTYPE)[0]
    open_all(record)
    for k in range(3):
        open_one(record, k, 1)
    return record


@pytest.mark.parametrize("by_moves", [False, True])
def test_one_side_opens_and_a_pass_is_a_round_or_a_move(negotiation, by_moves):
    opener = negotiation["opener"]
    assert negotiation["turn"] == opener
    assert take_answer(negotiation, OFFER, by_moves, 5) == (PASSED if by_moves else GOES_ON)
    assert negotiation["turn"] == SELLER + BUYER - opener
    assert take_answer(negotiation, OFFER, by_moves, 5) == PASSED
    assert negotiation["turn"] == opener
    assert negotiation["step"] == (2 if by_moves else 1)


def test_waiting_passes_no_round_and_is_limited(negotiation):
    for _ in range(2):
        assert take_answer(negotiation, WAIT, False, 2) == PASSED
    assert negotiation["step"] == 0 and negotiation["turn"] == negotiation["opener"]
    assert take_answer(negotiation, WAIT, False, 2) == ENDED
    assert take_answer(negotiation, OFFER, False, 2) == GOES_ON
    assert negotiation["waits"] == 0


@pytest.mark.parametrize(("response", "became"), [(ACCEPT, AGREED), (END, ENDED), (NOOP, ENDED)])
def test_acceptance_and_end(negotiation, response, became):
    assert take_answer(negotiation, response, False, 5) == became
    assert compiled(take_answer)(negotiation, response, False, 5) == became


def test_an_agent_waits_for_all_offers_but_not_for_ever(agent):
    assert must_wait(agent, 0) and must_wait(agent, 1)
    assert not must_wait(agent, 2)
    for k in range(3):
        keep_answer(agent, k, act(END))
    assert [must_wait(agent, 0) for _ in range(4)] == [True, True, True, False]


def test_an_agent_does_not_wait_for_what_is_over(agent):
    assert must_wait(agent, 0)
    close_one(agent, 1)
    assert not must_wait(agent, 2)


def test_an_answer_is_kept_until_it_is_asked_for(agent):
    keep_answer(agent, 1, act(OFFER, 4))
    assert give_answer(agent, 1) == OFFER
    assert agent["answers"][1]["quantity"] == 4
    assert give_answer(agent, 1) == NOOP


def test_a_price_moves_by_what_was_traded():
    world = np.zeros(1, dtype=[("trading_price", np.float64, (4,)), ("traded", np.float64, (4,))])[0]
    world["trading_price"][3], world["traded"][3] = 10.0, 50.0
    sold, mean = add_trade(*add_trade(*add_trade(0, 0.0, 4, 12), 0, 99), 6, 17)
    assert (sold, mean) == (10, 15.0)
    move_price(world, 3, sold, mean)
    assert world["traded"][3] == 50.0 * DISCOUNT + 10
    assert world["trading_price"][3] == pytest.approx((10.0 * 45.0 + 150.0) / 55.0)
    move_price(world, 3, 0, 0.0)
    assert world["traded"][3] == 55.0
