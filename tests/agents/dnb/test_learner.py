"""Acceptance models' files, and D-NB as a learner: trained, resumed, played, refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from scml_gym.agents.dnb.features import (
    N_FEATURES,
)
from scml_gym.agents.dnb.learner import DNB
from scml_gym.agents.dnb.models import META, MODELS, WEIGHTS, AcceptanceModel
from scml_gym.agents.training import build, resume, start
from scml_gym.core.config import load_experiment
from scml_gym.core.errors import InputError
from scml_gym.oneshot.players import player_maker
from scml_gym.oneshot.view import BUYER, OFFER, new_view
from scml_gym.oneshot.worlds.compiled.generation import compiled_spec
from scml_gym.oneshot.worlds.compiled.world import CompiledWorld
from scml_gym.oneshot.worlds.reference import ReferenceWorld
from scml_gym.policies.run_folders import policy_file_maker
from tests.helpers.dnb_samples import SMALL, hyperparameters_of, invented, random_model

# files


@pytest.mark.parametrize("name", MODELS)
def test_a_saved_model_is_the_same(name, tmp_path):
    model, samples = random_model(name), invented(50)
    model.save(tmp_path)
    again = AcceptanceModel.load(tmp_path)
    assert again.name == name and again.hyperparameters == model.hyperparameters and again.strength == 8.0
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
    hyperparameters = hyperparameters_of("logistic")
    with pytest.raises(InputError, match=r"weights has the shape \(2, 3\)"):
        AcceptanceModel.pack("logistic", hyperparameters, {"weights": np.zeros((2, 3))}, 8.0)
    with pytest.raises(InputError, match="finite"):
        AcceptanceModel.pack("logistic", hyperparameters, {"weights": np.full((2, N_FEATURES), np.nan)}, 8.0)


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


@pytest.mark.slow
def test_a_training_makes_data_model_and_report(run):
    names = {path.name for path in run.path.iterdir()}
    assert {"dataset", "report.md", "scores.csv", "differences.csv", "calibration.csv", "calibration.png"} <= names
    page = (run.path / "report.md").read_text()
    assert "logistic + BOU less logistic" in page and "base rate" in page
    assert len(run.curve()) == 1 and float(run.curve()[0]["validation_log_loss"]) > 0


def test_a_run_plays_in_both_worlds(run):
    policy = player_maker(str(run.path))(3)
    player = policy_file_maker(run.path)(3)
    assert policy.synchronous and player.strategy is policy.strategy
    assert np.array_equal(player.parameters, policy.parameters)
    spec = compiled_spec(0, 3, 2)
    scores = [play(run, spec) for play in (compiled_scores, real_scores)]
    assert np.array_equal(*scores) and np.isfinite(scores[0]).all()


def players_of(run, spec, maker):
    makers = [maker(str(run.path)), player_maker("greedy")]
    return [makers[i % 2](7) for i in range(spec.n_factories)]


def compiled_scores(run, spec):
    world = CompiledWorld(spec, players_of(run, spec, policy_file_maker))
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


@pytest.mark.slow
def test_a_resumed_run_keeps_its_model_and_makes_the_same_report(run):
    report, weights = (run.path / "report.md").read_bytes(), (run.latest_checkpoint() / WEIGHTS).read_bytes()
    (run.path / "report.md").unlink()
    again = resume(run.path)
    assert (again.path / "report.md").read_bytes() == report
    assert (again.latest_checkpoint() / WEIGHTS).read_bytes() == weights


def test_a_learner_that_cannot_be_loaded_is_refused(run, tmp_path):
    with pytest.raises(InputError, match=r"cannot read .*dnb.json"):
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


@pytest.mark.slow
def test_bad_settings_are_one_line_of_the_command(command_line):
    done = command_line("train.py", "dnb_accept_logistic", "--set", "agent.model=logistics")
    assert done.returncode == 2 and "did you mean 'logistic'" in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.slow
def test_the_base_rate_is_played_where_it_is_asked_for_by_name(tmp_path):
    options = [*TINY, "agent.model=base-rate", "agent.strengths=[]", "agent.models.base-rate.mean=0.25"]
    agent = DNB.load(start("dnb_accept_logistic", options, out=tmp_path / "run").latest_checkpoint())
    assert agent.playable().name == "base-rate" and agent.playable().strength == 8.0
    assert (agent.playable().mean(invented(5)) == 0.25).all()
