"""Observations of the Standard track: in range for any view, and what they say is so."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scml_gym.core.errors import InputError
from scml_gym.game.features import Feature
from scml_gym.jit.compile import compiled
from scml_gym.standard.observations import OBSERVATIONS, JointEncoder, PartnerEncoder, make_encoder
from scml_gym.standard.observations.encoding import encode_entities, encode_joint, encode_one_partner
from scml_gym.standard.observations.features import FIRST_HISTORY_FEATURE, HISTORY_FEATURES
from scml_gym.standard.render import RENDER_MODES, render_day
from scml_gym.standard.view import BOOK_DAYS, HIDDEN_DTYPE, MAX_PARTNERS, new_view
from tests.helpers.compiled import same_bits
from tests.helpers.standard_views import make_view, random_hidden, random_views

ENCODERS = [
    {"observation": "flat"},
    {"observation": "dict"},
    {"observation": "entities"},
    {"observation": "plan"},
    {"observability": "full"},
    {"observability": "full", "observation": "dict", "history": 2},
    {"history": 3},
]
COMPILED = {function: compiled(function) for function in (encode_joint, encode_one_partner, encode_entities)}


def view_of(seed):
    return random_views(np.random.default_rng(seed), 1)[0]


@pytest.mark.parametrize("arguments", ENCODERS, ids=str)
@given(seed=st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_every_number_lies_in_its_range(arguments, seed):
    encoder, hidden = make_encoder(**arguments), random_hidden(np.random.default_rng(seed))
    for view in (*random_views(np.random.default_rng(seed), 2), new_view()):
        assert encoder.space.contains(encoder.encode(view, hidden))


@pytest.mark.parametrize("arguments", ENCODERS, ids=str)
def test_every_number_is_named_once_with_its_range_and_meaning(arguments):
    encoder = make_encoder(
        **({**arguments, "observation": "flat"} if arguments.get("observation") == "dict" else arguments)
    )
    names = [feature.name for feature in encoder.features]
    assert len(set(names)) == len(names)
    low, high = (np.ravel(getattr(encoder.space, end)) for end in ("low", "high"))
    assert [(s.low, s.high) for s in encoder.features] == list(zip(low, high, strict=True))
    assert all(feature.meaning for feature in encoder.features)
    assert set(OBSERVATIONS) >= {"flat", "dict", "entities"}


@given(seed=st.integers(0, 2**32), history=st.integers(0, 2))
@settings(max_examples=60, deadline=None)
def test_python_and_compiled_code_agree_to_the_last_bit(seed, history):
    generator = np.random.default_rng(seed)
    view = random_views(generator, 1)[0]
    frames = generator.random((history, MAX_PARTNERS, len(HISTORY_FEATURES))).astype(np.float32)
    for hidden in (np.zeros(0, dtype=HIDDEN_DTYPE), random_hidden(generator)):
        size = len(JointEncoder("full" if len(hidden) else "partial", history=history).features)
        assert same_bits(encode_joint, COMPILED[encode_joint], [view, hidden, frames, np.empty(size, np.float32)])
    k = int(generator.integers(MAX_PARTNERS))
    out = np.empty(len(PartnerEncoder().features), np.float32)
    assert same_bits(encode_one_partner, COMPILED[encode_one_partner], [view, k, out])
    assert same_bits(encode_entities, COMPILED[encode_entities], [view, np.empty((28, 27), np.float32)])


@given(seed=st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_layouts_show_the_same_numbers(seed):
    view, flat, blocks = view_of(seed), make_encoder(), make_encoder(observation="dict")
    shown: Any = blocks.encode(view)
    np.testing.assert_array_equal(flat.encode(view), np.concatenate([shown[name].ravel() for name in shown]))
    rows: Any = make_encoder(observation="entities").encode(view)
    np.testing.assert_array_equal(rows[0, 2:], shown["factory"])
    np.testing.assert_array_equal(rows[1:17, 2:16], shown["partners"])
    np.testing.assert_array_equal(rows[17:, 2:9], shown["days"])
    for k in range(MAX_PARTNERS):
        one = np.concatenate([shown["factory"], shown["days"].ravel(), shown["partners"][k]])
        np.testing.assert_array_equal(PartnerEncoder().encode(view, k), one)


@pytest.mark.parametrize("arguments", ENCODERS, ids=str)
def test_kernels_give_the_numbers_of_the_objects(arguments):
    generator, encoder = np.random.default_rng(3), make_encoder(**arguments)
    encode, history, _ = encoder.kernel
    encode, frames = compiled(encode), np.zeros(history, np.float32)
    for view in random_views(generator, 4):
        hidden = random_hidden(generator)
        shown: Any = encoder.encode(view, hidden)
        flat = np.concatenate([shown[name].ravel() for name in shown]) if isinstance(shown, dict) else shown.ravel()
        out = np.empty(len(flat), np.float32)
        encode(view, hidden if encoder.full else np.zeros(0, HIDDEN_DTYPE), frames, out)
        np.testing.assert_array_equal(flat, out)


def test_numbers_mean_what_they_say():
    view = make_view(
        suppliers=[(4, 3, 14), (0, 0, 0)],
        consumers=[(6, 8, 29)],
        stock=5,
        supplies=[2, 0, 8],
        supplies_cost=[30, 0, 128],
        sales=[3, 20],
        sales_revenue=[81, 540],
    )
    view["partners"][8]["agreed_quantity"], view["partners"][8]["agreed_day"] = 3, 3
    view["partners"][8]["agreed_price"] = 24
    features: list[Feature] = make_encoder().features
    observation: Any = make_encoder().encode(view)
    values = {f.name: float(v) for f, v in zip(features, observation, strict=True)}
    expected = {
        "factory.day": 0.1,
        "factory.stock": 0.5,
        "factory.needed_sales": 0.4,
        "factory.suppliers": 2 / 8,
        "partners[0].offer_quantity": 0.4,
        "partners[0].offer_day": 0.0,
        "partners[0].offer_price": 0.0,
        "partners[8].consumer": 1.0,
        "partners[8].offer_day": 0.5,
        "partners[8].offer_price": 1.0,
        "partners[8].agreed_quantity": 0.3,
        "partners[9].exists": 0.0,
        "days[0].supplies_price": 15 / 16,
        "days[2].supplies": 0.8,
        "days[0].sales_price": 1.0,
        "days[0].spare": 0.4,
        "days[1].spare": -1.6,
        "days[2].spare": -0.8,
        "days[1].room": -1.0,
        "days[10].open": 1.0,
    }
    assert {name: values[name] for name in expected} == pytest.approx(expected)


def test_a_manager_is_shown_what_a_plan_costs_and_what_partners_ask():
    view = make_view(
        suppliers=[(4, 3, 14), (2, 5, 17), (3, 5, 17)],
        consumers=[(6, 8, 29)],
        supplies=[2, 0, 8],
        supplies_cost=[30, 0, 128],
        sales=[3, 20],
        sales_revenue=[81, 540],
        balance=900.0,
        physical=1,
    )
    features, shown = make_encoder(observation="plan").features, make_encoder(observation="plan").encode(view)
    values = {f.name.removeprefix("plan."): float(v) for f, v in zip(features, np.ravel(shown), strict=True)}
    expected = {
        "factory.day": 0.1,
        "money.physical": 1.0,
        "money.day_cost": 10 * 16 / 1000,
        "days[2].supplies": 0.8,
        "days[0].cash": (900 + 81 - 30 - 9) / 1000,
        "days[1].cash": (942 + 540 - 30) / 1000,
        "days[10].cash": (942 + 510 - 128) / 1000,
        "days[0].offered": 0.4,
        "days[2].offered": 0.5,
        "days[5].asked": 0.6,
    }
    assert {name: values[name] for name in expected} == pytest.approx(expected)


def test_history_shows_earlier_decisions_latest_first():
    encoder = JointEncoder(layout="dict", history=2)
    kept = slice(FIRST_HISTORY_FEATURE, FIRST_HISTORY_FEATURE + len(HISTORY_FEATURES))
    shown: list[Any] = [encoder.encode(view) for view in random_views(np.random.default_rng(1), 3)]
    assert not shown[0]["history"].any()
    np.testing.assert_array_equal(shown[2]["history"][0], shown[1]["partners"][:, kept])
    np.testing.assert_array_equal(shown[2]["history"][1], shown[0]["partners"][:, kept])
    before = copy.deepcopy(encoder)
    np.testing.assert_array_equal(encoder.encode_last(view_of(9))["history"], before.encode(view_of(9))["history"])
    encoder.reset()
    assert not encoder.encode(view_of(9))["history"].any()


@pytest.mark.parametrize("arguments", ENCODERS, ids=str)
def test_an_encoder_can_be_pickled(arguments):
    encoder, view, hidden = make_encoder(**arguments), view_of(4), random_hidden(np.random.default_rng(4))
    encoder.encode(view, hidden)
    again = pickle.loads(pickle.dumps(encoder))
    np.testing.assert_equal(again.encode(view, hidden), encoder.encode(view, hidden))


@pytest.mark.parametrize(
    "wrong",
    [
        {"observability": "half"},
        {"observation": "image"},
        {"history": -1},
        {"observation": "entities", "history": 1},
        {"observation": "entities", "observability": "full"},
    ],
    ids=str,
)
def test_a_wrong_encoder_is_refused(wrong):
    with pytest.raises(InputError, match=str(list(wrong.values())[-1])):
        make_encoder(**wrong)


def test_a_day_is_shown_as_text():
    view = make_view(suppliers=[(4, 3, 14)], consumers=[(6, 8, 29)], stock=5, sales=[3, 2], sales_revenue=[81, 54])
    view["partners"][8]["my_turn"] = 0
    text = str(render_day(view, "ansi"))
    assert text.splitlines()[0] == ("day 4/30  factory 2, level 2/3  stock 5  balance 1000  input 14-17  output 24-29")
    assert ["4", "0", "0", "3", "81", "2"] in [line.split() for line in text.splitlines()]
    assert ["supplier", "0", "my", "turn", "4", "@", "14", "day", "4", "-", "-"] in [
        li.split() for li in text.splitlines()
    ]
    assert len(text.splitlines()) == 1 + 1 + BOOK_DAYS + 1 + 2


@pytest.mark.parametrize("seed", range(3))
def test_a_day_is_drawn(seed):
    picture = render_day(view_of(seed), "rgb_array")
    assert isinstance(picture, np.ndarray)
    assert picture.dtype == np.uint8
    assert picture.shape[2] == 3
    assert picture.std() > 0


def test_another_mode_is_refused():
    with pytest.raises(InputError, match=", ".join(RENDER_MODES)):
        render_day(new_view(), "human")
