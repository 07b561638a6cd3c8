"""MAPPO and IPPO learn what enumeration tells, repeat, resume to the last bit, and play what they have learnt."""

import itertools
import json

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from scml_gym.agents import AGENTS
from scml_gym.agents.mappo.algorithm import Learning, Networks
from scml_gym.agents.mappo.networks import everyone, oneself
from scml_gym.agents.mappo.rollout import Player
from scml_gym.agents.mappo.stepped import SteppedWorlds
from scml_gym.agents.training import start
from scml_gym.commitment import commitment_env, make_game, parallel_env
from scml_gym.core.config import load_experiment
from scml_gym.core.errors import InputError
from scml_gym.experiments.run_folder import Run
from tests.helpers.parallel_envs import Errands

LEARNERS = ("mappo", "ippo")
TINY = ["agent.total_steps=240", "agent.n_worlds=4", "agent.n_steps=10", "agent.batch_size=20", "agent.n_epochs=2"]
TINY += ["agent.hidden=8", "agent.log_steps=80"]
ERRANDS = ["env.id=tests.helpers.parallel_envs:Errands", "env.shield=true"]


def config_of(name, *options, env=None, seed=0):
    config = load_experiment(name, [*TINY, *options], seed).config | {"checkpoint_minutes": 0, "loggers": []}
    return config if env is None else config | {"env": env}


def run_of(folder, config):
    return Run.create(folder, config, "test")


def built(config):
    return AGENTS.get(config["agent"]["name"]).build(config["agent"], config["env"])


def weights(run):
    return load_file(run.latest_checkpoint() / "weights.safetensors")


ENVS = {
    "game": {"id": "game_v0", "game": "shared-needs"},
    "commitment": {"id": "commitment_v0", "game": "stag-hunt"},
    "errands": {"id": "tests.helpers.parallel_envs:Errands", "shield": True},
}


@pytest.mark.parametrize(("name", "env", "credit"), [
    ("mappo", "game", "counterfactual"), ("ippo", "commitment", "value"), ("mappo", "errands", "counterfactual"),
])  # fmt: skip
def test_it_repeats_and_a_resumed_training_equals_a_whole_one(name, env, credit, tmp_path):
    config = config_of(name, f"agent.credit={credit}", env=ENVS[env], seed=3)
    whole, again, cut = (run_of(tmp_path / folder, config) for folder in ("whole", "again", "cut"))
    built(config).train(whole)
    built(config).train(again)
    saved = cut.checkpoint

    def stop(step, save):
        saved(step, save)
        if step == 120:
            raise KeyboardInterrupt

    cut.checkpoint = stop
    with pytest.raises(KeyboardInterrupt):
        built(config).train(cut)
    built(config).train(Run.open(cut.path))
    curves = [(run.path / "learning_curve.csv").read_bytes() for run in (whole, again, cut)]
    assert curves[0] == curves[1] == curves[2]
    one, *others = (weights(Run.open(run.path)) for run in (whole, again, cut))
    for other in others:
        assert all(np.array_equal(one[key], other[key]) for key in one)
    other_seed = config | {"seed": 4}
    built(other_seed).train(fourth := run_of(tmp_path / "fourth", other_seed))
    assert any(not np.array_equal(one[key], array) for key, array in weights(fourth).items())


def test_a_checkpoint_is_data_and_begins_another_training(tmp_path):
    config = config_of("mappo")
    built(config).train(run := run_of(tmp_path / "run", config))
    files = {path.suffix for path in run.latest_checkpoint().iterdir()}
    assert files == {".safetensors", ".json", ".npz"}
    loaded = AGENTS.get("mappo").load(run.latest_checkpoint())
    loaded.save(tmp_path)
    before, after = weights(run), load_file(tmp_path / "weights.safetensors")
    assert all(np.array_equal(before[key], after[key]) for key in before)
    second = built(config_of("mappo", "agent.learning_rate=1e-12", "agent.final_learning_rate=1e-12"))
    second.begin_from(run.latest_checkpoint())
    second.train(more := run_of(tmp_path / "more", config))
    changed = [np.abs(before[key] - array).max() for key, array in weights(more).items() if key.startswith("actor")]
    assert max(changed) < 1e-8
    for option, told in (("agent.hidden=4", "agent.hidden: 4, but"), ("env.game=grid", "env: .* was trained with")):
        with pytest.raises(InputError, match=told):
            built(config_of("mappo", option)).begin_from(run.latest_checkpoint())


@pytest.mark.parametrize("view", [everyone, oneself])
def test_changed_answers_leave_the_policys_loss_and_keep_the_values(view):
    worlds = SteppedWorlds([Errands(shield=True) for _ in range(4)], "index")
    settings = built(config_of("mappo")).hyperparameters
    torch.manual_seed(0)
    networks = Networks(worlds.layout, settings)
    generator = torch.Generator().manual_seed(0)
    player = Player(worlds, generator)
    player.reset(1)
    rollout = player.play(networks.actor, 8)
    there, played = rollout.decisions.present, rollout.decisions.played
    assert (there & ~played).any() and (there & played).any()
    lost = rollout.decisions._replace(played=played & ~there, logs=rollout.decisions.logs)
    before = {name: number.clone() for name, number in networks.state_dict().items()}
    told = Learning(networks, settings, view, generator).update(rollout._replace(decisions=lost), 0)
    moved = {name for name, number in networks.state_dict().items() if not torch.equal(number, before[name])}
    assert told["learnt_share"] == 0.0
    assert not any(name.startswith("actor") for name in moved) and any(name.startswith("critics") for name in moved)
    told = Learning(networks, settings, view, generator).update(rollout, 0)
    active = there & rollout.decisions.active
    assert told["learnt_share"] == pytest.approx(float((active & played).sum() / active.sum()))
    assert not torch.equal(networks.state_dict()["actor.layers.0.weight"], before["actor.layers.0.weight"])


def optimum(game):
    """The most that any sequence of joint actions brings, all of them tried."""
    sequences = np.array(list(itertools.product(range(game.actions), repeat=game.agents * game.horizon)))
    joint = sequences.reshape(-1, game.horizon, game.agents)
    state, total = game.initial((len(joint),)), 0.0
    for t in range(game.horizon):
        state, rewards = game.step(state, joint[:, t])
        total = total + rewards[:, 0]
    return total.max()


def likeliest(learner, env):
    """What each agent is paid where all do what they think best."""
    observations, infos = env.reset(seed=0)
    totals = dict.fromkeys(env.possible_agents, 0.0)
    while env.agents:
        actions = {
            agent: learner.predict(
                (env.possible_agents.index(agent), observations[agent]), None, infos[agent].get("action_mask")
            )[0]
            for agent in env.agents
        }
        observations, rewards, _, _, infos = env.step(actions)
        totals = {agent: total + rewards.get(agent, 0.0) for agent, total in totals.items()}
    return totals


def test_the_optimum_of_the_negotiation_is_one_of_enumeration():
    assert optimum(make_game("shared-needs")) == 29.0


@pytest.mark.slow
@pytest.mark.parametrize("name", LEARNERS)
def test_it_comes_to_the_optimum_of_a_negotiation(name, tmp_path):
    run = start(name, ["checkpoint_minutes=60", "loggers=[]"], seed=1, out=tmp_path / "run")
    learner = AGENTS.get(name).load(run.latest_checkpoint())
    assert set(likeliest(learner, parallel_env("shared-needs")).values()) == {29.0}


@pytest.mark.parametrize("name", LEARNERS)
def test_what_has_no_factories_plays_its_environment_alone(name, tmp_path):
    config = config_of(name, env=ENVS["commitment"])
    built(config).train(run := run_of(tmp_path / "run", config))
    learner = AGENTS.get(name).load(run.latest_checkpoint())
    likeliest(learner, commitment_env(parallel_env("stag-hunt")))
    with pytest.raises(InputError, match="has no factories to play"):
        learner.policy(0)


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("agent.batch_size=30", r"agent\.batch_size: 30; it must divide n_worlds \* n_steps = 40"),
        ("agent.credit=blame", r"agent\.credit: .*'value' or 'counterfactual'"),
        ("agent.value_norm=pop", r"agent\.value_norm: .*'popart'"),
        ("agent.gamma=1.5", r"agent\.gamma: "),
        ("agent.rnn=1", r"agent\.rnn: "),
    ],
)
def test_wrong_settings_are_refused_in_one_line(option, told):
    with pytest.raises(InputError, match=told) as error:
        built(config_of("mappo", option))
    assert "\n" not in str(error.value)


def test_what_is_no_observation_or_no_checkpoint_is_refused(tmp_path):
    learner = built(config_of("mappo"))
    with pytest.raises(InputError, match="not trained yet"):
        learner.predict((0, np.zeros(7)))
    for wrong, told in (
        (np.zeros(7), "a pair"),
        ((5, np.zeros(7)), "agent"),
        ((0, np.zeros(3)), "agent 0"),
        ((0, "x"), "agent 0"),
    ):
        with pytest.raises(InputError, match=told):
            learner.predict(wrong)
    with pytest.raises(InputError, match=r"mappo\.json"):
        AGENTS.get("mappo").load(tmp_path)
    config = config_of("mappo")
    built(config).train(run := run_of(tmp_path / "run", config))
    folder = run.latest_checkpoint()
    facts = json.loads((folder / "mappo.json").read_text())
    (folder / "mappo.json").write_text(json.dumps(facts | {"schema": "other"}))
    with pytest.raises(InputError, match="schema 'other'"):
        AGENTS.get("mappo").load(folder)
    (folder / "mappo.json").write_text(json.dumps(facts | {"settings": facts["settings"] | {"hidden": 4}}))
    with pytest.raises(InputError, match="no weights of this network"):
        AGENTS.get("mappo").load(folder)
    (folder / "weights.safetensors").write_bytes(b"nothing")
    with pytest.raises(InputError, match="no weights of this network"):
        AGENTS.get("mappo").load(folder)
