"""Acceptance models: features, code for play, fits, calibration."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from scml_gym.agents.dnb import features as dnb_features
from scml_gym.agents.dnb.bou import quantity_bucket, round_bucket
from scml_gym.agents.dnb.calibration import (
    auc,
    bins_of,
    brier,
    calibration_curve,
    calibration_error,
    calibration_interval,
    losses,
    mean_interval,
)
from scml_gym.agents.dnb.events import price_bin
from scml_gym.agents.dnb.features import (
    HISTORY,
    N_FEATURES,
    N_NUMBERS,
    context_features,
    history_features,
    offer_features,
)
from scml_gym.agents.dnb.fitting import fit_model, fit_strength
from scml_gym.agents.dnb.folds import Fold, feature_matrix, fold_worlds
from scml_gym.agents.dnb.models import MODELS, AcceptanceModel, model_kind
from scml_gym.agents.dnb.replay import posterior_means
from scml_gym.agents.dnb.transformer_fit import Network, inputs_of
from scml_gym.agents.dnb.transformer_layout import weight_shapes
from scml_gym.core.calls import made
from scml_gym.core.errors import InputError
from tests.helpers.dnb_samples import BAR, dataset_of, hyperparameters_of, invented, random_model

pytestmark = pytest.mark.slow

# features


def test_each_group_of_features_fills_its_own_numbers():
    for sample in invented(50):
        x = np.full(N_NUMBERS, np.nan)
        context_features(sample, x)
        assert np.isfinite(x[:HISTORY]).all() and np.isnan(x[HISTORY:N_FEATURES]).all()
        history_features(sample, x)
        assert np.isfinite(x[: dnb_features.OFFER]).all() and np.isnan(x[dnb_features.OFFER : N_FEATURES]).all()
        before = x[: dnb_features.OFFER].copy()
        offer_features(sample, x)
        assert np.isfinite(x).all() and np.array_equal(before, x[: dnb_features.OFFER])
        assert np.abs(x[:N_FEATURES]).max() < 8


def test_features_are_the_same_in_python_and_compiled():
    samples, x = invented(200), np.zeros(N_NUMBERS)
    for sample, row in zip(samples, feature_matrix(samples), strict=True):
        for fill in (context_features, history_features, offer_features):
            fill(sample, x)
        assert np.array_equal(x[:N_FEATURES].astype(np.float32), row)


def test_features_read_nothing_beyond_what_is_remembered():
    samples = invented(100)
    dirty = samples.copy()
    for sample in dirty:
        sample["responses"][sample["n_responses"] :] = (1, 7, 1, 1)
        sample["events"][sample["n_events"] :] = (1, 0, 1, 1, 9, 1, 0.5)
    assert np.array_equal(feature_matrix(samples), feature_matrix(dirty))
    model = random_model("transformer")
    assert np.array_equal(model.mean(samples), model.mean(dirty))


def test_features_of_a_known_offer():
    sample = invented(1)[0]
    sample["level"], sample["n_partners"], sample["total_demand"] = 0, 4, 20
    sample["quantity"], sample["needs"], sample["n_offers"], sample["n_events"] = 3, 5, 1, 2
    sample["min_price"], sample["max_price"], sample["price"] = 10, 11, 11
    sample["events"][0] = (0, 0, 0, 1, 4, 1, 0.05)  # I asked for 4 at the high price
    sample["events"][1] = (1, 0, 1, 1, 3, 0, 0.05)  # the partner would take 3 at the low one
    x = feature_matrix(np.array([sample]))[0]
    found = dict(zip(dnb_features.FEATURES, x.tolist(), strict=True))
    assert found["quantity_3"] == 1 and found["quantity_4"] == 0
    assert found["quantity_of_partner_need"] == pytest.approx(3 / 5)
    assert found["standing_quantity"] == pytest.approx(0.3) and found["standing_price_bin"] == 0
    assert found["change_down"] == pytest.approx(0.2) and found["change_up"] == 0 and found["repeats"] == 0
    bucket = round_bucket(float(sample["time"]))
    assert found[f"round_{bucket}_stance_5"] == 1  # another bin, as many items
    assert found["quantity_below_need"] == pytest.approx(0.4)


# code for play


@pytest.mark.parametrize("name", MODELS)
def test_play_and_batch_give_the_same_bits(name):
    model, samples = random_model(name), invented(12, seed=3)
    means, (size, prepare, mean) = model.mean(samples), model.kernel
    assert ((means > 0) & (means < 1)).all()
    scratch = np.zeros(size)
    for sample, expected in zip(samples, means, strict=True):
        prepare(model.numbers, sample, scratch)
        assert mean(model.numbers, sample, scratch) == expected


@pytest.mark.parametrize("name", MODELS)
def test_offers_to_one_partner_share_what_is_prepared(name):
    model, samples = random_model(name), invented(8, seed=4)
    size, prepare, mean = model.kernel
    scratch, sample = np.zeros(size), samples[0].copy()
    prepare(model.numbers, sample, scratch)
    for quantity in (7, 1, 4):
        sample["quantity"] = quantity
        alone = model.mean(np.array([sample]))[0]
        assert mean(model.numbers, sample, scratch) == alone


@pytest.mark.parametrize("changes", [{"layers": 1}, {"layers": 3, "events": 3}], ids=str)
def test_the_transformer_is_what_its_formulas_say(changes):
    hyperparameters = hyperparameters_of("transformer", **changes)
    rng = np.random.default_rng(2)
    weights = {
        name: rng.normal(0.0, 0.3, shape).astype(np.float32) for name, shape in weight_shapes(hyperparameters).items()
    }
    model, samples = AcceptanceModel.pack("transformer", hyperparameters, weights, 8.0), invented(40, seed=6)
    exported = model_kind("transformer").exported
    assert exported is not None
    kernel = made(exported(hyperparameters))
    scratch, expected = np.zeros(kernel.scratch_size), []
    for sample in samples:
        kernel.prepare(model.numbers, sample, scratch)
        expected.append(kernel.mean(model.numbers, sample, scratch))
    assert np.abs(model.mean(samples) - expected).max() < 1e-5
    assert np.ptp(expected) > 0.2


@pytest.mark.parametrize("layers", [1, 2])
def test_the_transformer_is_the_network_that_torch_trains(layers):
    hyperparameters = hyperparameters_of("transformer", layers=layers)
    torch.manual_seed(0)
    network = Network(hyperparameters).eval()
    with torch.no_grad():
        for name in ("head", "linear"):
            network.parts[name].normal_(0.0, 0.5)
        expected = torch.sigmoid(
            network(inputs_of(invented(300), hyperparameters.events).batch(np.arange(300))).double()
        )
    model = AcceptanceModel.pack("transformer", hyperparameters, network.weights(), 8.0)
    assert np.abs(model.mean(invented(300)) - expected.numpy()).max() < 1e-5


def test_a_transformer_sees_the_latest_events_only():
    model, samples = random_model("transformer"), invented(50)
    samples["n_events"] = 16
    before = model.mean(samples)
    samples["events"]["time"][:, :11] = 0.9  # times are in no feature
    assert np.array_equal(before, model.mean(samples))
    samples["events"]["time"][:, 11] = 0.9
    assert not np.array_equal(before, model.mean(samples))


# fits


def test_the_logistic_model_learns_a_logistic_rule():
    samples, rng = invented(6000), np.random.default_rng(1)
    chance = 1 / (1 + np.exp(samples["quantity"] - 5.0))
    data = dataset_of(samples, rng.random(len(samples)) < chance)
    model = fit_model("logistic", hyperparameters_of("logistic"), fold_worlds(data, 0.2, 0), 8.0, rng, BAR)
    fresh = invented(2000, seed=9)
    expected = 1 / (1 + np.exp(fresh["quantity"] - 5.0))
    assert np.abs(model.mean(fresh) - expected).mean() < 0.06


def test_the_transformer_learns_what_the_logistic_model_cannot():
    """Whether an offer is accepted depends on who spoke two events ago, which no feature says."""
    samples = invented(3000)
    samples["n_events"] = 5
    accepted = samples["events"]["speaker"][:, 3] == samples["events"]["price_bin"][:, 3]
    fold = fold_worlds(dataset_of(samples, accepted), 0.2, 0)
    found = {}
    for name in ("logistic", "transformer"):
        model = fit_model(name, hyperparameters_of(name), fold, 8.0, np.random.default_rng(0), BAR)
        found[name] = losses(model.mean(fold.validation.samples), fold.validation.accepted).mean()
    assert found["logistic"] > 0.6 and found["transformer"] < 0.3


def test_a_fit_repeats():
    samples = invented(400)
    fold = fold_worlds(dataset_of(samples, samples["quantity"] < 5), 0.2, 0)
    hyperparameters = hyperparameters_of("transformer", epochs=2)
    one, other = (fit_model("transformer", hyperparameters, fold, 8.0, np.random.default_rng(5), BAR) for _ in range(2))
    assert np.array_equal(one.numbers, other.numbers)


def test_the_correction_is_the_part_of_the_way_from_the_logistic_model():
    samples = invented(500)
    fold = fold_worlds(dataset_of(samples, samples["quantity"] < 5), 0.2, 0)
    odds = {}
    for part in (1e-6, 0.5, 1.0):
        hyperparameters = hyperparameters_of("transformer", epochs=2, correction=part)
        mean = fit_model("transformer", hyperparameters, fold, 8.0, np.random.default_rng(5), BAR).mean(samples)
        odds[part] = np.log(mean / (1 - mean))
    inside = (np.abs(odds[0.5]) < 15) & (np.abs(odds[1.0]) < 15) & (np.abs(odds[1e-6]) < 15)
    assert inside.sum() > 100 and np.abs(odds[1.0] - odds[1e-6])[inside].max() > 0.1
    assert np.abs(odds[0.5] - (odds[1e-6] + odds[1.0]) / 2)[inside].max() < 1e-3


def test_no_answers_of_one_kind_are_refused():
    data = dataset_of(invented(40), np.ones(40))
    with pytest.raises(InputError, match="40 offers, 40 of them accepted"):
        fit_model("logistic", hyperparameters_of("logistic"), Fold(data, data), 8.0, np.random.default_rng(0), BAR)


@given(st.integers(2, 20), st.floats(0.01, 0.99))
def test_folds_share_no_world(worlds, share):
    fold = fold_worlds(dataset_of(invented(60), np.ones(60), worlds), share, 0)
    parts = [set(part.table["world"]) for part in fold]
    assert parts[0] and parts[1] and not parts[0] & parts[1] and len(parts[0] | parts[1]) == worlds


# Beta-BOU over recorded offers


def test_replay_follows_the_formula():
    rng = np.random.default_rng(0)
    data = dataset_of(invented(300), rng.random(300) < 0.4, worlds=3)
    mean, strength = rng.random(300), 5.0
    found = posterior_means(data, mean, strength)
    evidence = {}
    for i in data.table.sort_values(["world", "day"]).index:
        sample = data.samples[i]
        in_bin = price_bin(sample["price"], sample["min_price"], sample["max_price"])
        key = data.table["world"][i], round_bucket(sample["time"]), in_bin, quantity_bucket(sample["quantity"])
        accepts, rejects = evidence.get(key, (0, 0))
        clipped = min(max(mean[i], 1e-4), 1 - 1e-4)
        assert found[i] == pytest.approx((clipped * strength + accepts) / (strength + accepts + rejects))
        evidence[key] = (accepts + data.accepted[i], rejects + 1 - data.accepted[i])


def test_the_strength_follows_how_far_the_model_is_off():
    rng = np.random.default_rng(0)
    samples = invented(2000)
    samples["quantity"], samples["time"], samples["price"] = 1, 0.05, samples["min_price"]
    data = dataset_of(samples, rng.random(2000) < 0.8)
    for mean, expected in ((0.8, 64.0), (0.1, 2.0)):
        model = AcceptanceModel.pack("base-rate", hyperparameters_of("base-rate"), {"mean": np.array([mean])}, 8.0)
        assert fit_strength(model, data, (2.0, 8.0, 64.0)).strength == expected


# calibration


def test_scores_by_their_definitions():
    mean, accepted = np.array([0.9, 0.2, 0.4, 0.2]), np.array([True, False, False, True])
    assert losses(mean, accepted) == pytest.approx(-np.log([0.9, 0.8, 0.6, 0.2]))
    assert brier(mean, accepted) == pytest.approx((0.01 + 0.04 + 0.16 + 0.64) / 4)
    assert auc(mean, accepted) == pytest.approx((1 + 1 + 0.5 + 0) / 4)
    assert np.isnan(auc(mean, np.ones(4, dtype=np.bool_)))


@given(st.floats(0.01, 0.99))
def test_one_constant_chance_is_off_by_its_bias(mean):
    accepted = np.arange(200) < 60
    means = np.full(200, mean)
    assert set(bins_of(means)) == {0}
    assert calibration_error(means, accepted) == pytest.approx(abs(mean - 0.3))


def test_true_chances_are_calibrated_and_wrong_ones_not():
    rng = np.random.default_rng(0)
    mean = rng.random(60_000)
    accepted = rng.random(60_000) < mean
    assert np.bincount(bins_of(mean)).tolist() == [4000] * 15
    assert calibration_error(mean, accepted) < 0.01
    assert calibration_error(mean**2, accepted) == pytest.approx(1 / 6, abs=0.02)
    curve = calibration_curve(mean, accepted)
    assert curve["samples"].sum() == 60_000 and np.abs(curve["mean"] - curve["frequency"]).max() < 0.03


def test_intervals_know_that_offers_of_a_world_hang_together():
    rng = np.random.default_rng(0)
    worlds = np.repeat(np.arange(50), 100)
    values = rng.normal(size=50)[worlds]  # the same within a world
    wide = mean_interval(values, worlds)
    narrow = mean_interval(values, np.arange(5000))
    assert wide.low < wide.value < wide.high
    assert wide.high - wide.low > 5 * (narrow.high - narrow.low)
    assert wide.high - wide.low == pytest.approx(2 * 1.96 / np.sqrt(50), rel=0.3)
    mean = np.full(5000, 0.5)
    found = calibration_interval(mean, np.arange(5000) % 4 == 0, worlds)
    assert found.value == pytest.approx(0.25) and found.low <= 0.25 <= found.high
