"""Acceptance models: features, code for play, fits, files, calibration, the learner."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from agents.dnb import features as dnb_features
from agents.dnb.bou import quantity_bucket, round_bucket
from agents.dnb.calibration import (
    auc,
    bins_of,
    brier,
    calibration_curve,
    calibration_error,
    calibration_interval,
    losses,
    mean_interval,
)
from agents.dnb.dataset import Dataset
from agents.dnb.events import price_bin
from agents.dnb.features import (
    HISTORY,
    N_FEATURES,
    N_NUMBERS,
    context_features,
    history_features,
    offer_features,
)
from agents.dnb.fitting import fit_model, fit_strength
from agents.dnb.folds import Fold, feature_matrix, fold_worlds
from agents.dnb.learner import DNB
from agents.dnb.models import META, MODELS, WEIGHTS, AcceptanceModel
from agents.dnb.records import SAMPLE_DTYPE
from agents.dnb.replay import posterior_means
from agents.dnb.transformer_fit import Network, inputs_of
from agents.training import build, resume, start
from scml_gym.config import load_experiment, validate
from scml_gym.errors import InputError
from scml_gym.players import player_maker
from scml_gym.snapshots import snapshot_maker
from scml_gym.view import BUYER, OFFER, new_view
from scml_gym.worlds.compiled.generation import compiled_spec
from scml_gym.worlds.compiled.world import CompiledWorld
from scml_gym.worlds.reference import ReferenceWorld

SMALL = {
    "base-rate": {"mean": 0.3},
    "logistic": {"penalty": 1.0, "iterations": 100},
    "transformer": {
        "width": 8,
        "layers": 2,
        "heads": 2,
        "feedforward": 12,
        "events": 5,
        "dropout": 0.0,
        "rate": 1e-2,
        "weight_decay": 0.0,
        "correction": 1.0,
        "batch": 128,
        "epochs": 12,
        "patience": 12,
    },
}
"""Settings of every kind of model, for tests."""

BAR = SimpleNamespace(update=lambda step, note="": None)


def settings_of(name, **changes):
    return validate(MODELS.get(name).settings, SMALL[name] | changes)


def invented(n, seed=0):
    """Samples with every field in its range."""
    rng = np.random.default_rng(seed)
    samples = np.zeros(n, dtype=SAMPLE_DTYPE)

    def draw(name, low, high):
        samples[name] = rng.integers(low, high, n)

    for name, low, high in [
        ("quantity", 1, 12),
        ("level", 0, 2),
        ("needs", -3, 11),
        ("min_price", 8, 30),
        ("exogenous_quantity", 0, 11),
        ("n_partners", 1, 9),
        ("n_competitors", 0, 8),
        ("total_supply", 0, 80),
        ("total_demand", 0, 80),
        ("day", 0, 50),
        ("negotiations", 0, 50),
        ("n_responses", 0, 33),
        ("n_offers", 0, 20),
        ("n_events", 0, 17),
    ]:
        draw(name, low, high)
    samples["lines"], samples["n_days"] = 10, 50
    samples["max_price"] = samples["min_price"] + rng.integers(0, 3, n)
    samples["price"] = rng.integers(samples["min_price"], samples["max_price"] + 1)
    samples["agreements"] = rng.integers(0, samples["negotiations"] + 1)
    samples["time"] = rng.integers(1, 22, n) / 21
    for name in ("input_price", "output_price"):
        samples[name] = samples["min_price"] + rng.random(n)
    samples["shortfall_penalty"], samples["disposal_cost"] = rng.random(n), 0.2 * rng.random(n)
    for list_name, fields in (
        ("responses", {"accepted": 2, "quantity": 12, "price_bin": 2, "first": 2}),
        ("events", {"speaker": 2, "action": 3, "counter": 2, "first": 2, "quantity": 12, "price_bin": 2}),
    ):
        for field, high in fields.items():
            samples[list_name][field] = rng.integers(0, high, samples[list_name][field].shape)
    samples["events"]["time"] = rng.random(samples["events"]["time"].shape)
    return samples


def random_model(name, seed=0):
    rng, settings = np.random.default_rng(seed), settings_of(name)
    weights = {key: rng.uniform(0.1, 0.6, shape) for key, shape in MODELS.get(name).shapes(settings).items()}
    if name != "base-rate":
        weights = {key: value - 0.35 for key, value in weights.items()}
    return AcceptanceModel.pack(name, settings, weights, 8.0)


def dataset_of(samples, accepted, worlds=10):
    """Samples as a dataset: each world one factory's offers to one partner."""
    import pandas as pd

    n = len(samples)
    table = pd.DataFrame(
        {
            "world": np.arange(n) % worlds,
            "day": np.arange(n) // worlds,
            "proposer": 0,
            "partner": 0,
            "offer_index": 0,
            "role": np.where(samples["level"] == 0, "seller", "buyer"),
            "round": 0,
            "proposer_family": "a",
            "responder_family": "b",
        }
    )
    return Dataset(samples, np.asarray(accepted, dtype=np.bool_), table)


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


@pytest.mark.parametrize("layers", [1, 2])
def test_the_transformer_is_the_network_that_torch_trains(layers):
    settings = settings_of("transformer", layers=layers)
    torch.manual_seed(0)
    network = Network(settings).eval()
    with torch.no_grad():
        for name in ("head", "linear"):
            network.parts[name].normal_(0.0, 0.5)
        expected = torch.sigmoid(network(inputs_of(invented(300), settings.events).batch(np.arange(300))).double())
    model = AcceptanceModel.pack("transformer", settings, network.weights(), 8.0)
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
    model = fit_model("logistic", settings_of("logistic"), fold_worlds(data, 0.2, 0), 8.0, rng, BAR)
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
        model = fit_model(name, settings_of(name), fold, 8.0, np.random.default_rng(0), BAR)
        found[name] = losses(model.mean(fold.validation.samples), fold.validation.accepted).mean()
    assert found["logistic"] > 0.6 and found["transformer"] < 0.3


def test_a_fit_repeats():
    samples = invented(400)
    fold = fold_worlds(dataset_of(samples, samples["quantity"] < 5), 0.2, 0)
    settings = settings_of("transformer", epochs=2)
    one, other = (fit_model("transformer", settings, fold, 8.0, np.random.default_rng(5), BAR) for _ in range(2))
    assert np.array_equal(one.numbers, other.numbers)


def test_the_correction_is_the_part_of_the_way_from_the_logistic_model():
    samples = invented(500)
    fold = fold_worlds(dataset_of(samples, samples["quantity"] < 5), 0.2, 0)
    odds = {}
    for part in (1e-6, 0.5, 1.0):
        settings = settings_of("transformer", epochs=2, correction=part)
        mean = fit_model("transformer", settings, fold, 8.0, np.random.default_rng(5), BAR).mean(samples)
        odds[part] = np.log(mean / (1 - mean))
    inside = (np.abs(odds[0.5]) < 15) & (np.abs(odds[1.0]) < 15) & (np.abs(odds[1e-6]) < 15)
    assert inside.sum() > 100 and np.abs(odds[1.0] - odds[1e-6])[inside].max() > 0.1
    assert np.abs(odds[0.5] - (odds[1e-6] + odds[1.0]) / 2)[inside].max() < 1e-3


def test_no_answers_of_one_kind_are_refused():
    data = dataset_of(invented(40), np.ones(40))
    with pytest.raises(InputError, match="40 offers, 40 of them accepted"):
        fit_model("logistic", settings_of("logistic"), Fold(data, data), 8.0, np.random.default_rng(0), BAR)


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
        model = AcceptanceModel.pack("base-rate", settings_of("base-rate"), {"mean": np.array([mean])}, 8.0)
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


# files


@pytest.mark.parametrize("name", MODELS)
def test_a_saved_model_is_the_same(name, tmp_path):
    model, samples = random_model(name), invented(50)
    model.save(tmp_path)
    again = AcceptanceModel.load(tmp_path)
    assert again.name == name and again.settings == model.settings and again.strength == 8.0
    assert np.array_equal(again.numbers.view(np.int64), model.numbers.view(np.int64))
    assert np.array_equal(again.mean(samples), model.mean(samples))
    assert again.with_strength(3.0).strength == 3.0 and again.strength == 8.0


def spoil(folder, **changes):
    meta = json.loads((folder / META).read_text())
    (folder / META).write_text(json.dumps(meta | changes))


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lambda folder: (folder / META).unlink(), "No such file"),
        (lambda folder: (folder / META).write_text("{"), "readable"),
        (lambda folder: (folder / WEIGHTS).unlink(), "No such file"),
        (lambda folder: (folder / WEIGHTS).write_bytes(b"nothing"), "readable"),
        (lambda folder: spoil(folder, schema="dnb-model-0"), "dnb-model-0"),
        (lambda folder: spoil(folder, features={"schema": "other", "n": 3}), "other"),
        (lambda folder: spoil(folder, model="logstic"), "did you mean 'logistic'"),
        (lambda folder: spoil(folder, settings=SMALL["transformer"] | {"width": 16}), "is needed"),
        (lambda folder: spoil(folder, strength=-1.0), "strength -1.0"),
        (lambda folder: spoil(folder, strength=None), "readable"),
    ],
)
def test_bad_files_are_refused_in_one_line(harm, told, tmp_path):
    random_model("transformer").save(tmp_path)
    harm(tmp_path)
    with pytest.raises(InputError, match=told) as error:
        AcceptanceModel.load(tmp_path)
    assert str(tmp_path) in str(error.value) and "\n" not in str(error.value)


def test_weights_of_another_shape_or_that_are_no_numbers_are_refused():
    settings = settings_of("logistic")
    with pytest.raises(InputError, match=r"weights has the shape \(2, 3\)"):
        AcceptanceModel.pack("logistic", settings, {"weights": np.zeros((2, 3))}, 8.0)
    with pytest.raises(InputError, match="finite"):
        AcceptanceModel.pack("logistic", settings, {"weights": np.full((2, N_FEATURES), np.nan)}, 8.0)


# the learner

TINY = [
    "agent.data.worlds=6",
    "agent.data.days=4",
    "agent.data.factories_per_level=3",
    "agent.data.worlds_per_shard=3",
    "agent.data.test_worlds=0.3",
    "agent.data.held_out=[subset-population]",
    "agent.validation=0.3",
    "agent.models.logistic.iterations=20",
]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return start("dnb_accept_logistic", TINY, out=tmp_path_factory.mktemp("runs") / "dnb")


def test_a_training_makes_data_model_and_report(run):
    names = {path.name for path in run.path.iterdir()}
    assert {"dataset", "report.md", "scores.csv", "differences.csv", "calibration.csv", "calibration.png"} <= names
    page = (run.path / "report.md").read_text()
    assert "logistic + BOU less logistic" in page and "base rate" in page
    assert len(run.curve()) == 1 and float(run.curve()[0]["validation_log_loss"]) > 0


def test_a_run_plays_in_both_worlds(run):
    policy = player_maker(str(run.path))(3)
    player = snapshot_maker(run.path)(3)
    assert policy.synchronous and player.strategy is policy.strategy
    assert np.array_equal(player.parameters, policy.parameters)
    spec = compiled_spec(0, 3, 2)
    scores = [play(run, spec) for play in (compiled_scores, real_scores)]
    assert np.array_equal(*scores) and np.isfinite(scores[0]).all()


def players_of(run, spec, maker):
    makers = [maker(str(run.path)), player_maker("greedy")]
    return [makers[i % 2](7) for i in range(spec.n_factories)]


def compiled_scores(run, spec):
    world = CompiledWorld(spec, players_of(run, spec, snapshot_maker))
    world.run()
    return world.scores


def real_scores(run, spec):
    world = ReferenceWorld(spec, players_of(run, spec, player_maker))
    world.run()
    return world.scores


def test_predict_answers_a_view_and_returns_what_is_remembered(run):
    agent, view = DNB.load(run.latest_checkpoint()), new_view()
    view["level"], view["n_days"], view["lines"], view["needs"], view["n_rounds"] = BUYER, 5, 10, 6, 20
    view["exogenous_quantity"], view["exogenous_price"], view["output_price"] = 6, 20.0, 20.0
    view["n_partners"], view["total_supply"], view["total_demand"] = 2, 12, 12
    view["min_quantity"], view["max_quantity"], view["min_price"], view["max_price"] = 1, 10, 10, 11
    for k in range(2):
        partner = view["partners"][k]
        partner["exists"] = partner["running"] = partner["my_turn"] = 1
        partner["relative_time"] = 1 / 21
    actions, state = agent.predict(view)
    offered = actions["response"] == OFFER
    assert offered.any() and (actions["quantity"][offered] > 0).all() and state.any()
    again, later = agent.predict(view, state)
    assert not np.array_equal(state, later) and state.dtype == np.float64 and again.shape == actions.shape


def test_a_resumed_run_keeps_its_model_and_makes_the_same_report(run):
    report, weights = (run.path / "report.md").read_bytes(), (run.latest_checkpoint() / WEIGHTS).read_bytes()
    (run.path / "report.md").unlink()
    again = resume(run.path)
    assert (again.path / "report.md").read_bytes() == report
    assert (again.latest_checkpoint() / WEIGHTS).read_bytes() == weights


def test_a_learner_that_cannot_be_loaded_is_refused(run, tmp_path):
    with pytest.raises(InputError, match="not readable"):
        DNB.load(tmp_path)
    DNB.load(run.latest_checkpoint()).save(tmp_path)
    meta = json.loads((tmp_path / "dnb.json").read_text())
    (tmp_path / "dnb.json").write_text(json.dumps(meta | {"schema": "scml-gym-dnb-0"}))
    with pytest.raises(InputError, match="scml-gym-dnb-0"):
        DNB.load(tmp_path)


def test_an_untrained_learner_does_not_play():
    loaded = load_experiment("dnb_accept_logistic")
    agent = DNB.build(loaded.config["agent"], {"id": "scml_gym/OneShotConcurrent-v0"})
    with pytest.raises(InputError, match="train it first"):
        agent.policy(0)


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("agent.model=logistics", "did you mean 'logistic'"),
        ("agent.models.logistic.penalties=1", "did you mean 'penalty'"),
        ("agent.models.transformer.heads=5", "no multiple of heads 5"),
        ("agent.models.transformer.correction=0", "greater than 0"),
        ("agent.strengths=[1.0]", "at least 2"),
        ("env.days=3", "agent.data"),
        ("agent.data.held_out=[nobody]", "nobody"),
    ],
)
def test_bad_settings_are_refused(option, told):
    with pytest.raises(InputError, match=told) as error:
        build(load_experiment("dnb_accept_logistic", [option]))
    assert "\n" not in str(error.value) and f"--set {option}" in str(error.value)


def test_bad_settings_are_one_line_of_the_command(command_line):
    done = command_line("train.py", "dnb_accept_logistic", "--set", "agent.model=logistics")
    assert done.returncode == 2 and "did you mean 'logistic'" in done.stderr and done.stderr.count("\n") == 1


def test_the_base_rate_is_played_where_it_is_asked_for_by_name(tmp_path):
    options = [*TINY, "agent.model=base-rate", "agent.strengths=[]", "agent.models.base-rate.mean=0.25"]
    agent = DNB.load(start("dnb_accept_logistic", options, out=tmp_path / "run").latest_checkpoint())
    assert agent.playable().name == "base-rate" and agent.playable().strength == 8.0
    assert (agent.playable().mean(invented(5)) == 0.25).all()
