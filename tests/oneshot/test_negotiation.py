"""Per-partner states, actions, rewards and ends of negotiations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scml_gym.core.errors import InputError
from scml_gym.game.ranges import levels, quantise
from scml_gym.jit.compile import compiled
from scml_gym.oneshot.actions.negotiation import PartnerActions, partner_mask
from scml_gym.oneshot.observations.negotiation import BINS_DTYPE, PartnerStates, state_index
from scml_gym.oneshot.rewards.negotiation import (
    COSTS,
    SCALINGS,
    NegotiationReward,
    agreement_profit,
    deviation_cost,
    gap_cost,
    negotiation_reward_accepted,
    negotiation_reward_ended,
)
from scml_gym.oneshot.rewards.negotiation_ends import END_DTYPE, TRACKER_DTYPE, PartnerTracker, collect_ends
from scml_gym.oneshot.view import ACCEPT, BUYER, END, MAX_PARTNERS, NOOP, OFFER, SELLER, FactoryView, new_view


def a_view(level: int = BUYER, needs: int = 6, prices: tuple[int, int] = (10, 11), n_partners: int = 3) -> FactoryView:
    view = new_view()
    view["level"], view["n_partners"], view["lines"], view["n_rounds"] = level, n_partners, 10, 20
    view["needs"] = view["exogenous_quantity"] = needs
    view["exogenous_price"] = 9.0 if level == SELLER else 20.0
    view["production_cost"] = 2.0
    view["shortfall_penalty"], view["disposal_cost"] = 0.5, 0.1
    view["input_price"], view["output_price"] = (9.0, 12.0) if level == SELLER else (10.0, 20.0)
    view["min_quantity"], view["max_quantity"] = 1, 10
    view["min_price"], view["max_price"] = prices
    partners = view["partners"][:n_partners]
    partners["exists"] = partners["running"] = partners["my_turn"] = 1
    partners["relative_time"] = 1 / 21
    return view


@st.composite
def views(draw) -> FactoryView:
    low, span = draw(st.integers(1, 60)), draw(st.integers(0, 40))
    view = a_view(draw(st.sampled_from((SELLER, BUYER))), draw(st.integers(-5, 15)), (low, low + span))
    view["max_quantity"] = draw(st.integers(1, 25))
    partner = view["partners"][0]
    partner["relative_time"] = draw(st.floats(0.01, 1.0))
    for side in ("offer", "my"):
        if draw(st.booleans()):
            partner[f"{side}_quantity"] = draw(st.integers(1, int(view["max_quantity"])))
            partner[f"{side}_price"] = draw(st.integers(low, low + span))
    return view


kinds = st.sampled_from(("needs", "offer", "full"))
bins = st.integers(1, 12)


@given(st.integers(1, 50), st.integers(0, 50), st.integers(1, 30))
def test_levels_stay_in_range_and_are_found_again(low, span, n):
    values = levels(low, low + span, n)
    assert len(values) == n and list(values) == sorted(values)
    assert low <= values[0] and values[-1] <= low + span
    for value in values:
        assert values[quantise(value, low, low + span, n)] == value
    for value in range(low, low + span + 1):
        nearest = min(abs(v - value) for v in values)
        assert abs(values[quantise(value, low, low + span, n)] - value) == nearest


def test_quantise_as_in_the_paper():
    assert [quantise(p, 5, 25, 5) for p in (5, 10, 15, 20, 25)] == [0, 1, 2, 3, 4]


@given(views(), kinds, bins, bins, st.integers(1, 10), st.integers(1, 4))
def test_states_are_in_range_and_tell_their_parts(view, kind, quantities, prices, needs, times):
    states = PartnerStates(kind, quantities, prices, needs, times)
    state = states.decode(states.index(view, 0))
    assert states.n == int(np.prod(states.shape)) + 2
    assert state is not None
    partner = view["partners"][0]
    assert (state.needs == 0) == (view["needs"] <= 0)
    assert state.needs <= needs and 0 <= state.time < times
    assert (state.their_quantity > 0) == (kind != "needs" and partner["offer_quantity"] > 0)
    assert (state.my_quantity > 0) == (kind == "full" and partner["my_quantity"] > 0)
    actions = PartnerActions(quantities, prices)
    if state.their_price and prices > 1:
        near = actions.prices(view)[state.their_price - 1]
        assert abs(near - partner["offer_price"]) <= (view["max_price"] - view["min_price"]) / (2 * (prices - 1)) + 0.5


@given(kinds, bins, bins, st.integers(1, 10), st.integers(1, 4))
def test_every_state_index_has_its_own_parts(kind, quantities, prices, needs, times):
    states = PartnerStates(kind, quantities, prices, needs, times)
    sample = np.unique(np.linspace(0, states.n - 3, 50).astype(int)).tolist()
    parts = {states.decode(i) for i in sample}
    assert len(parts) == len(sample) and None not in parts
    assert states.decode(states.accept) is None and states.decode(states.end) is None
    with pytest.raises(InputError, match="valid: 0 to"):
        states.decode(states.n)


FUNCTIONS = (state_index, partner_mask, collect_ends, negotiation_reward_accepted, negotiation_reward_ended)
COMPILED = {function: compiled(function) for function in FUNCTIONS}
rewards = st.builds(
    NegotiationReward,
    *[st.sampled_from((0.0, 1.0, 0.3))] * 2,
    st.sampled_from(SCALINGS),
    st.sampled_from(COSTS),
    *[st.sampled_from((0.0, 1.0, 0.3))] * 2,
    st.booleans(),
)


@given(views(), rewards, st.integers(0, 2), bins, bins, st.integers(1, 10), st.integers(1, 4), st.integers(0, 7))
def test_python_and_compiled_code_agree_to_the_last_bit(view, reward, offers, quantities, prices, needs, times, ended):
    def both(function, *arguments):
        left, right = ([a.copy() if hasattr(a, "copy") else a for a in arguments] for _ in range(2))
        assert function(*left) == COMPILED[function](*right)
        assert all(a.tobytes() == b.tobytes() for a, b in zip(left, right, strict=True) if hasattr(a, "tobytes"))

    left = int(view["needs"])
    counts = np.array([(offers, quantities, prices, needs, times)], dtype=BINS_DTYPE)
    both(state_index, view, 0, left, counts[0])
    both(partner_mask, view, 0, quantities, prices, np.empty(2 + quantities * prices, dtype=np.bool_))
    both(negotiation_reward_accepted, view, reward.params, 3, 12.0, left, 2)
    both(negotiation_reward_ended, view, reward.params, 0, left)
    tracker, ends = np.zeros(1, dtype=TRACKER_DTYPE)[0], np.zeros(MAX_PARTNERS, dtype=END_DTYPE)
    tracker["open"] = 1
    for k in range(3):
        if ended & 1 << k:
            view["partners"][k]["running"] = 0
            view["partners"][k]["agreed_quantity"] = k
    both(collect_ends, view, False, tracker, ends)
    both(collect_ends, view, True, tracker, ends)


def test_terminal_states():
    states, view = PartnerStates(), a_view()
    partner = view["partners"][1]
    partner["running"] = 0
    assert states.index(view, 1) == states.end
    partner["agreed_quantity"] = 3
    assert states.index(view, 1) == states.accept
    assert states.index(view, MAX_PARTNERS - 1) == states.end


def test_needs_may_be_given():
    states, view = PartnerStates("needs"), a_view(needs=6)
    assert [states.index(view, 0, needs) for needs in (-2, 0, 1, 10, 12)] == [0, 0, 1, 10, 10]
    assert states.index(view, 0) == 6


@given(views(), bins, bins)
def test_actions_decode_to_playable_answers_and_back(view, quantities, prices):
    actions = PartnerActions(quantities, prices)
    mask = actions.mask(view, 0)
    assert mask.shape == (actions.n,) and mask[0] and mask[1] == (view["partners"][0]["offer_quantity"] > 0)
    seen = set()
    for index in np.flatnonzero(mask).tolist():
        response, quantity, price = actions.decode(index, view, 0)
        assert actions.encode(view, response, quantity, price) == index
        if response == OFFER:
            assert view["min_quantity"] <= quantity <= view["max_quantity"]
            assert view["min_price"] <= price <= view["max_price"]
            assert (quantity, price) not in seen
            seen.add((quantity, price))
    assert seen


def test_the_usual_actions():
    actions, view = PartnerActions(), a_view(prices=(10, 11))
    assert actions.n == 22
    assert [actions.decode(i, view, 0) for i in (0, 1, 2, 3, 21)] == [
        (END, 0, 0), (ACCEPT, 0, 0), (OFFER, 1, 10), (OFFER, 1, 11), (OFFER, 10, 11),
    ]  # fmt: skip
    view["partners"][0]["my_turn"] = 0
    assert actions.decode(0, view, 0)[0] == NOOP
    assert actions.mask(view, 0).tolist() == [True] + [False] * 21
    with pytest.raises(InputError, match="valid: 0 to 21"):
        actions.decode(22, view, 0)


def test_offers_of_equal_value_are_masked_out():
    actions, view = PartnerActions(), a_view(prices=(10, 10))
    assert actions.mask(view, 0)[2:].reshape(10, 2).all(axis=0).tolist() == [True, False]


@pytest.mark.parametrize("arguments", [{"kind": "all"}, {"quantity_bins": 0}, {"time_bins": 0}])
def test_bad_settings_are_refused(arguments):
    with pytest.raises(InputError, match="valid"):
        PartnerStates(**arguments)


def test_profit_by_level():
    assert agreement_profit(a_view(SELLER), 4, 12) == (12 - 9 - 2) * 4
    assert agreement_profit(a_view(BUYER), 4, 11) == (20 - 11 - 2) * 4


@pytest.mark.parametrize(
    ("level", "needs", "costs", "expected"),
    [
        (SELLER, 2, "penalty", 2 * 0.1 * 9),  # supplies to dispose of
        (SELLER, -2, "penalty", 2 * 0.5 * 12),  # sales that cannot be delivered
        (BUYER, 2, "penalty", 2 * 0.5 * 20),  # exogenous sales that cannot be delivered
        (BUYER, -2, "penalty", 2 * 0.1 * 10),  # supplies to dispose of
        (SELLER, 2, "full", 2 * (0.1 * 9 + 9)),
        (SELLER, -2, "full", 2 * (0.5 * 12 + 12 - 9 - 2)),
        (BUYER, 2, "full", 2 * 0.5 * 20),
        (BUYER, -2, "full", 2 * (0.1 * 10 + 20 - 2)),
        (BUYER, 0, "full", 0.0),
    ],
)
def test_deviation_cost(level, needs, costs, expected):
    assert deviation_cost(a_view(level), needs, costs) == pytest.approx(expected)


def test_reward_of_an_agreement_and_its_switches():
    view = a_view(BUYER)
    view["n_partners"] = 4
    profit, deviation = 7.0 * 4, 2 * 0.5 * 20
    arguments = {"profit": 1.0, "deviation": 1.0, "relative": False}

    def reward(**changes):
        return NegotiationReward(**{**arguments, **changes}).accepted(view, 4, 11, needs=2, won=2)

    assert reward(scaling="none") == pytest.approx(profit - deviation)
    assert reward(scaling="won") == pytest.approx(profit - deviation * 2 / 4)
    assert reward(scaling="share") == pytest.approx(profit - deviation / 2)
    assert reward(scaling="change") == pytest.approx(profit - deviation + 6 * 0.5 * 20)
    assert reward(deviation=0.0) == pytest.approx(profit)
    assert reward(profit=0.0, scaling="none") == pytest.approx(-deviation)
    assert reward(relative=True, deviation=0.0) == pytest.approx(profit / 10.0)


def test_reward_of_an_end_and_its_switches():
    view = a_view(BUYER, prices=(10, 14))
    partner = view["partners"][0]
    partner["offer_quantity"], partner["offer_price"] = 3, 14
    partner["my_quantity"], partner["my_price"] = 6, 12
    needs = NegotiationReward(end_needs=1.0, end_gap=0.0, relative=False).ended(view, 0, 5)
    assert needs == pytest.approx(-5 * 0.5 * 20)
    nearness = 1 - (2 / 4 + 3 / 9) / 2
    gap = NegotiationReward(end_needs=0.0, end_gap=2.0, relative=False).ended(view, 0, 5)
    assert gap == pytest.approx(-2 * nearness * 3 * 0.5 * 20)
    assert gap_cost(view, 0, 0) == gap_cost(view, 1, 5) == 0.0
    assert NegotiationReward(end_needs=0.0, end_gap=0.0).ended(view, 0, 5) == 0.0


def test_tracker_tells_each_end_once():
    view, tracker = a_view(BUYER, needs=6), PartnerTracker(NegotiationReward())
    tracker.begin_day(view)
    assert tracker.update(view) == []
    for k, quantity in ((2, 4), (0, 3)):
        partner = view["partners"][k]
        partner["running"], partner["agreed_quantity"], partner["agreed_price"] = 0, quantity, 10
    ends = tracker.update(view)
    assert [(e.partner, e.quantity, e.needs, e.won) for e in ends] == [(0, 3, 3, 1), (2, 4, -1, 2)]
    assert all(e.agreed for e in ends)
    assert ends[1].reward == tracker.reward.accepted(view, 4, 10, -1, 2)
    assert tracker.update(view) == []
    last = tracker.end_day(view)
    assert [(e.partner, e.needs, e.won, e.agreed) for e in last] == [(1, -1, 2, False)]
    assert tracker.end_day(view) == []
    view["day"] = 1
    view["partners"]["agreed_quantity"] = 0
    view["partners"]["running"][:3] = 1
    assert tracker.update(view) == [] and len(tracker.end_day(view)) == 3
