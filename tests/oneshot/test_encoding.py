"""Observations, joint actions and rewards: in range for any view, and what they say is so."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scml_gym.core.errors import InputError
from scml_gym.game.codecs import Transition
from scml_gym.jit.compile import compiled
from scml_gym.oneshot.actions.factory import (
    ACTIONS,
    ChoiceActions,
    ContinuousActions,
    choice_mask,
    decode_choices,
    decode_continuous,
)
from scml_gym.oneshot.observations.encoding import encode_entities, encode_joint, encode_one_partner
from scml_gym.oneshot.observations.factory import FACTORY_FEATURES, PARTNER_FEATURES, JointEncoder, PartnerEncoder
from scml_gym.oneshot.rewards import DailyProfit, PotentialShaping
from scml_gym.oneshot.rewards.factory import REWARDS, ShapedProfit, make_reward
from scml_gym.oneshot.rewards.kernels import needs_potential
from scml_gym.oneshot.rules import repair, validate
from scml_gym.oneshot.view import ACCEPT, BUYER, END, HIDDEN_DTYPE, MAX_PARTNERS, NOOP, OFFER, new_actions, new_view
from tests.helpers.compiled import same_bits
from tests.helpers.views import views_with_economy

ENCODERS = [
    {},
    {"layout": "dict"},
    {"observability": "full"},
    {"observability": "full", "layout": "dict", "history": 2},
    {"history": 3},
]


def privates_like(view):
    hidden_state = np.zeros(2 * MAX_PARTNERS, dtype=HIDDEN_DTYPE)
    hidden_state[0] = (1, BUYER, 0, 3, 5, 20.0, 2.0, 0.5, 0.1, 400.0, 500.0)
    return hidden_state


FUNCTIONS = (encode_joint, encode_one_partner, encode_entities, choice_mask, decode_choices, decode_continuous)
COMPILED = {function: compiled(function) for function in FUNCTIONS}


@given(
    view=views_with_economy(),
    history=st.integers(0, 2),
    bins=st.tuples(st.integers(1, 11), st.integers(1, 5)),
    seed=st.integers(0, 2**16),
)
@settings(max_examples=60, deadline=None)
def test_python_and_compiled_code_agree_to_the_last_bit(view, history, bins, seed):
    rng = np.random.default_rng(seed)
    n = 2 + bins[0] * bins[1]
    numbers = rng.integers(-24, 25, (MAX_PARTNERS, 3)) / 20  # halves of ranges among them
    frames = rng.random((history, MAX_PARTNERS, 4)).astype(np.float32)
    for hidden_state in (np.zeros(0, dtype=HIDDEN_DTYPE), privates_like(view)):
        out = np.empty(95 + 10 * len(hidden_state) + 32 * history, dtype=np.float32)
        assert same_bits(encode_joint, COMPILED[encode_joint], [view, hidden_state, frames, out])
    arguments: dict[Any, list[Any]] = {
        encode_one_partner: [view, 3, np.empty(25, dtype=np.float32)],
        encode_entities: [view, np.empty((9, 16), dtype=np.float32)],
        choice_mask: [view, *bins, np.empty(MAX_PARTNERS * n, dtype=np.bool_)],
        decode_choices: [rng.integers(-1, n + 1, MAX_PARTNERS), view, *bins, new_actions()],
        decode_continuous: [numbers, view, new_actions()],
    }
    for function, given_ in arguments.items():
        assert same_bits(function, COMPILED[function], given_)


@pytest.mark.slow
@pytest.mark.parametrize("arguments", ENCODERS, ids=str)
@given(view=views_with_economy())
@settings(max_examples=40, deadline=None)
def test_observations_lie_in_their_space(arguments, view):
    encoder = JointEncoder(**arguments)
    for _ in range(3):
        observation = encoder.encode(view, privates_like(view))
        assert encoder.space.contains(observation)


@pytest.mark.parametrize("arguments", ENCODERS, ids=str)
def test_every_slot_is_named_once_with_its_range(arguments):
    encoder = JointEncoder(**{**arguments, "layout": "flat"})
    names = [feature.name for feature in encoder.features]
    assert len(set(names)) == len(names)
    low, high = (getattr(encoder.space, end) for end in ("low", "high"))
    assert [(s.low, s.high) for s in encoder.features] == list(zip(low, high, strict=True))
    assert all(feature.meaning for feature in encoder.features)


@given(view=views_with_economy())
@settings(max_examples=30, deadline=None)
def test_layouts_agree_and_slots_mean_what_they_say(view):
    flat: Any = JointEncoder().encode(view)
    blocks: Any = JointEncoder(layout="dict").encode(view)
    assert np.array_equal(flat, np.concatenate([blocks["factory"].ravel(), blocks["partners"].ravel()]))
    values = dict(zip([s.name for s in JointEncoder().features], flat.tolist(), strict=True))
    assert values["factory.buyer"] == (view["level"] == BUYER)
    assert values["factory.needs"] == pytest.approx(np.clip(view["needs"] / view["lines"], -1, 1))
    for k in range(MAX_PARTNERS):
        partner = view["partners"][k]
        assert values[f"partners[{k}].my_turn"] == partner["my_turn"]
        assert values[f"partners[{k}].offer_quantity"] == pytest.approx(
            partner["offer_quantity"] / view["max_quantity"]
        )
        row = PartnerEncoder().encode(view, k)
        assert np.array_equal(row, np.concatenate([blocks["factory"], blocks["partners"][k]]))
    assert PartnerEncoder().space.shape == (len(FACTORY_FEATURES) + len(PARTNER_FEATURES),)


@given(view=views_with_economy())
@settings(max_examples=20, deadline=None)
def test_history_shows_earlier_decisions_latest_first(view):
    encoder = JointEncoder(layout="dict", history=2)
    first = encoder.encode(view)
    assert not first["history"].any()
    earlier = first["partners"][:, 4:8]
    view["partners"]["offer_quantity"] = 1
    second = encoder.encode(view)
    assert np.array_equal(second["history"][0], earlier)
    third = encoder.encode(view)
    assert np.array_equal(third["history"][1], earlier)
    assert np.array_equal(third["history"][0], second["partners"][:, 4:8])
    encoder.reset()
    assert not encoder.encode(view)["history"].any()


@pytest.mark.parametrize("form", ["choice", "continuous"])
@given(view=views_with_economy(), seed=st.integers(0, 2**16))
@settings(max_examples=40, deadline=None)
def test_masked_samples_are_valid_answers(form, view, seed):
    codec = ACTIONS.get(form)()
    codec.space.seed(seed)
    mask = codec.mask(view).reshape(MAX_PARTNERS, -1)
    assert mask.any(axis=1).all()
    assert mask[:, 0].all()
    turn = view["partners"]["my_turn"] > 0
    assert (mask[~turn].sum(axis=1) == 1).all()
    action = codec.space.sample(mask=tuple(mask.astype(np.int8))) if form == "choice" else codec.space.sample()
    actions = codec.decode(np.asarray(action), view)
    before = actions.copy()
    assert repair(view, actions) == 0
    assert np.array_equal(before, actions)


@given(view=views_with_economy(), answers=st.lists(st.tuples(*[st.integers(-2, 12)] * 3), min_size=8, max_size=8))
@settings(max_examples=60, deadline=None)
def test_validator_mends_every_answer_and_counts_the_mended(view, answers):
    actions = new_actions()
    for k, answer in enumerate(answers):
        actions[k] = answer
    tried = actions.copy()
    invalid = repair(view, actions)
    assert repair(view, actions.copy()) == 0
    turn = view["partners"]["my_turn"] > 0
    assert (actions["response"][~turn] == NOOP).all()
    assert np.isin(actions["response"][turn], (END, ACCEPT, OFFER)).all()
    changed = np.any([tried[f] != actions[f] for f in ("response", "quantity", "price")], axis=0)
    meant_end = turn & (tried["response"] == NOOP)
    assert invalid == np.sum(changed & ~meant_end)
    if invalid:
        with pytest.raises(InputError, match="invalid answer to partner"):
            validate(view, tried)


def test_choice_outside_the_space_is_refused():
    view = new_view()
    with pytest.raises(InputError, match="22"):
        ChoiceActions().decode(np.full(MAX_PARTNERS, 22), view)
    with pytest.raises(InputError, match="integers"):
        ChoiceActions().decode(np.zeros(MAX_PARTNERS), view)
    with pytest.raises(InputError, match="finite"):
        ContinuousActions().decode(np.full((MAX_PARTNERS, 3), np.nan), view)


@pytest.mark.parametrize(
    "wrong", [{"observability": "half"}, {"layout": "image"}, {"history": -1}, {"history": 1.5}], ids=str
)
def test_wrong_encoder_is_refused(wrong):
    with pytest.raises(InputError, match=str(next(iter(wrong.values())))):
        JointEncoder(**wrong)


def transition(view, profits, done=False):
    return Transition(view.copy(), view, [view] * len(profits), np.array(profits, dtype=np.float64), done)


@given(view=views_with_economy())
@settings(max_examples=10, deadline=None)
def test_daily_profit_is_in_units_of_the_initial_balance(view):
    assert DailyProfit()(transition(view, [])) == 0.0
    total = DailyProfit()(transition(view, [10.0, -4.0]))
    assert total == pytest.approx(6.0 / view["initial_balance"])


@given(view=views_with_economy(), needs=st.lists(st.integers(-5, 10), min_size=1, max_size=6))
@settings(max_examples=20, deadline=None)
def test_shaping_changes_no_undiscounted_return_but_by_the_start(view, needs):
    shaped, compiled_one = PotentialShaping(DailyProfit(), needs_potential), ShapedProfit()
    start = needs_potential(view)
    compiled_one.reset(view)
    total = 0.0
    for i, need in enumerate(needs):
        before = view.copy()
        view["needs"] = need
        step = Transition(before, view, [view], np.array([1.0]), i == len(needs) - 1)
        reward = shaped(step)
        assert compiled_one(step) == pytest.approx(reward)
        total += reward
    assert total == pytest.approx(len(needs) / view["initial_balance"] - start)


def test_rewards_by_name_and_as_objects():
    for name in REWARDS:
        assert callable(make_reward(name))
    mine = DailyProfit()
    assert make_reward(mine) is not mine
    with pytest.raises(InputError, match="daily-profit"):
        make_reward("daily-profits")
    with pytest.raises(InputError, match="DailyProfit is a class"):
        make_reward(DailyProfit)
    with pytest.raises(InputError, match="int has no method reset"):
        make_reward(3)
    with pytest.raises(InputError, match="function has no method reset"):
        make_reward(lambda transition: 0.0)
