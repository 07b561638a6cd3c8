"""Learners for games: they learn, repeat, resume, and play their games as environments."""

import re

import numpy as np
import pytest

from scml_gym.agents import AGENTS
from scml_gym.agents.commitment.dcl import DCL
from scml_gym.agents.commitment.hyperparameters import (
    DCLHyperparameters,
    IPPOHyperparameters,
    MediatedHyperparameters,
    MOCAHyperparameters,
)
from scml_gym.agents.commitment.ippo import IPPO, clipped_term, generalised
from scml_gym.agents.commitment.learner import game_of
from scml_gym.agents.commitment.mediated import MediatedMARL, lagrangian_weights
from scml_gym.agents.commitment.moca import MOCA, transfers
from scml_gym.agents.commitment.rollout import discounted, play
from scml_gym.commitment import commitment_env, make_game, parallel_env
from scml_gym.core.config import find_config, read_yaml
from scml_gym.core.errors import InputError
from scml_gym.experiments.run_folder import Run

METHODS = {
    "dcl": (DCL, DCLHyperparameters),
    "independent-ppo": (IPPO, IPPOHyperparameters),
    "mediated": (MediatedMARL, MediatedHyperparameters),
    "moca": (MOCA, MOCAHyperparameters),
}
VARIANTS = {
    "dcl": {},
    "dcl-ic": {"constraint": 1.0},
    "dcl-decentralised": {"information": "decentralised", "constraint": 1.0},
    "independent-ppo": {},
    "mediated": {},
    "moca": {"updates": 8, "subgame": 0.5},
}


def make(variant, seeds=(0,), game="grid", mega_step=1, **changes):
    name = next(method for method in METHODS if variant.startswith(method))
    method, hyperparameters = METHODS[name]
    data = {k: v for k, v in read_yaml(find_config("agent", name)).items() if k != "name"}
    made = hyperparameters.model_validate(data | VARIANTS[variant] | changes)
    return method(made, make_game(game, mega_step), [np.random.default_rng(seed) for seed in seeds])


def learn(method, updates):
    return [method.update() for _ in range(updates)]


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_seed_learns_the_same_alone_and_with_others(variant):
    alone, together = make(variant, (7,), batch=32), make(variant, (3, 7), batch=32)
    rows = [learn(method, 8) for method in (alone, together)]
    for one, both in zip(*rows, strict=True):
        assert (one["returns"][0] == both["returns"][1]).all()
    for name, array in alone.arrays().items():
        assert array.ndim == 0 or np.array_equal(array[0], together.arrays()[name][1]), name


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("game", ["public-goods", "stag-hunt"])
def test_every_method_plays_any_game(variant, game):
    method = make(variant, (0, 1), game, batch=8)
    for row in learn(method, 8):
        assert row["returns"].shape == (2, method.game.agents)
        assert np.isfinite(row["returns"]).all()
        assert ((row["agreement"] >= 0) & (row["agreement"] <= 1)).all()
    policies = method.policy_rows()
    assert {(row.seed, row.agent) for row in policies} == {(s, a) for s in range(2) for a in range(method.game.agents)}
    assert all(0 <= row.probability <= 1 for row in policies)


def test_dcl_learns_the_prisoners_dilemma():
    method = make("dcl", (0, 1), "prisoners-dilemma", actor_rate=4e-3, critic_rate=7e-3, updates=400)
    method.hyperparameters = method.hyperparameters.model_copy(
        update={"entropy": method.hyperparameters.entropy.model_copy(update={"updates": 100})}
    )
    last = learn(method, 400)[-50:]
    assert np.mean([row["returns"].sum(axis=1) for row in last]) > -2.2
    table = {(r.agent, r.policy, r.situation, r.option): r.probability for r in method.policy_rows() if r.seed == 0}
    assert table[0, "accept", "C, C", "accept"] > 0.9
    assert table[0, "accept", "C, D", "accept"] < 0.2
    assert table[1, "accept", "D, C", "accept"] < 0.2


def test_independent_learners_defect():
    method = make("independent-ppo", (0,), "prisoners-dilemma", actor_rate=4e-3, critic_rate=7e-3, batch=64)
    last = learn(method, 150)[-20:]
    assert np.mean([row["returns"] for row in last]) == pytest.approx(-2.0, abs=0.1)


SMALL = {"updates": 6, "batch": 32, "log_every": 2}


def config_of(name):
    return read_yaml(find_config("agent", name)) | SMALL


class KilledError(Exception):
    pass


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
def test_a_killed_training_goes_on_as_without_a_stop(name, tmp_path, monkeypatch):
    env = {"game": "grid", "mega_step": 2}
    config = {"agent": config_of(name), "env": env, "seed": 5, "checkpoint_minutes": 0}
    whole, cut = (Run.create(tmp_path / part, config, "") for part in ("whole", "cut"))
    AGENTS.get(name).build(config["agent"], env).train(whole)
    rows = []

    def log(run, step, **numbers):
        rows.append(step)
        if len(rows) == 3:
            raise KilledError
        log_row(run, step, **numbers)

    log_row = Run.log
    monkeypatch.setattr(Run, "log", log)
    with pytest.raises(KilledError):
        AGENTS.get(name).build(config["agent"], env).train(cut)
    monkeypatch.undo()
    again = Run.open(cut.path)
    assert again.step == rows[1]
    again.resumed("")
    AGENTS.get(name).build(config["agent"], env).train(again)
    assert (whole.path / "learning_curve.csv").read_text() == (cut.path / "learning_curve.csv").read_text()


@pytest.mark.parametrize("name", METHODS)
def test_what_is_loaded_plays_as_what_was_saved(name, tmp_path):
    env = {"game": "purely-conflicting", "mega_step": 2}
    learner = AGENTS.get(name).build(config_of(name), env)
    learn(learner.method, 2)
    learner.save(tmp_path)
    again = AGENTS.get(name).load(tmp_path)
    assert again.method.updates == 2
    for key, array in learner.method.arrays().items():
        assert np.array_equal(array, again.method.arrays()[key])
    (tmp_path / "game.json").write_text("{}")
    with pytest.raises(InputError, match="schema"):
        AGENTS.get(name).load(tmp_path)


def test_a_learner_plays_the_commitment_environment_as_in_training():
    learner = AGENTS.get("dcl").build(config_of("dcl"), {"game": "purely-conflicting", "mega_step": 2})
    env = commitment_env(parallel_env("purely-conflicting"), mega_step=2)
    totals, agreed = [], []
    for _ in range(150):
        observations, infos = env.reset()
        total = np.zeros(2)
        while env.agents:
            actions = {
                agent: learner.predict((k, observations[agent]), mask=infos[agent]["action_mask"], deterministic=False)[
                    0
                ]
                for k, agent in enumerate(env.agents)
            }
            observations, rewards, _, _, infos = env.step(actions)
            total += list(rewards.values())
            if infos["agent_0"]["played"]:
                agreed.append(infos["agent_0"]["agreement"])
        totals.append(total)
    batch = play(learner.game, learner.method, [np.random.default_rng(1)], 4000, 1.0)
    assert np.mean(agreed) == pytest.approx(batch.mutual.mean(), abs=0.05)
    assert np.allclose(np.mean(totals, axis=0), batch.totals.mean(axis=(0, 2)), atol=1.0)


@pytest.mark.parametrize("name", METHODS)
def test_a_truncated_checkpoint_is_told_in_one_line(name, tmp_path):
    AGENTS.get(name).build(config_of(name), {"game": "grid"}).save(tmp_path)
    whole = (tmp_path / "networks.npz").read_bytes()
    for kept in (0, len(whole) // 2, len(whole) - 10):
        (tmp_path / "networks.npz").write_bytes(whole[:kept])
        with pytest.raises(InputError, match="cannot be read as a checkpoint of a game ") as caught:
            AGENTS.get(name).load(tmp_path)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", METHODS)
def test_training_that_breaks_down_saves_nothing(name, tmp_path):
    agent = config_of(name) | {"actor_rate": 1e200, "critic_rate": 1e200}
    config = {"agent": agent, "env": {"game": "grid"}, "seed": 5, "checkpoint_minutes": 0}
    run = Run.create(tmp_path / "run", config, "")
    with pytest.raises(InputError, match="training came to numbers that are not finite by update"):
        AGENTS.get(name).build(agent, config["env"]).train(run)
    assert run.latest_checkpoint() is None


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (
            {"agent": config_of("independent-ppo") | {"gamma": 0.5}},
            "was trained with agent.gamma=0.99, the configuration has 0.5",
        ),
        ({"env": {"game": "stag-hunt"}}, "was trained with env.game='grid', the configuration has 'stag-hunt'"),
    ],
)
def test_training_does_not_go_on_under_another_configuration(changed, told, tmp_path):
    config = {"agent": config_of("independent-ppo"), "env": {"game": "grid"}, "seed": 5, "checkpoint_minutes": 0}
    run = Run.create(tmp_path / "run", config, "")
    AGENTS.get("independent-ppo").build(config["agent"], config["env"]).train(run)
    config |= changed
    with pytest.raises(InputError, match=re.escape(told)):
        AGENTS.get("independent-ppo").build(config["agent"], config["env"]).train(run)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize(
    ("observation", "told"),
    [
        (("agent_0", [0.0]), "agent='agent_0'; valid: a whole number, 0, 1"),
        ((2, [0.0]), "agent=2; valid: 0, 1"),
        ((0, [0.0]), "observation: its shape is (1,); ("),
        ((0, "x"), "observation: 'x' is no array of numbers"),
        (np.zeros(9), "observation: a pair is needed, the index of the agent and what it sees"),
    ],
)
def test_a_wrong_observation_is_told_in_one_line(name, observation, told):
    learner = AGENTS.get(name).build(config_of(name), {"game": "grid"})
    with pytest.raises(InputError) as caught:
        learner.predict(observation)
    assert str(caught.value).startswith(told)


@pytest.mark.parametrize(
    "changed",
    [{"scale": 1e-9}, {"spread": {"start": 1.0, "floor": 0.0, "updates": 5}}, {"explore": {"start": -1.0}}],
)
def test_settings_that_would_be_divided_by_nothing_are_refused(changed):
    with pytest.raises(InputError):
        AGENTS.get("moca").build(config_of("moca") | changed, {"game": "grid"})


def test_a_share_of_a_training_has_the_same_course():
    hyperparameters = make("moca", updates=300, log_every=50).hyperparameters
    short = hyperparameters.shortened(0.1)
    assert (short.updates, short.log_every) == (30, 5)
    for name in ("entropy", "spread", "explore"):
        for update in (0, 10, 29):
            whole = getattr(hyperparameters, name)
            assert getattr(short, name).at(update) == pytest.approx(whole.at(10 * update))
    assert hyperparameters.shortened(1.0) == hyperparameters


@pytest.mark.parametrize("name", sorted(set(METHODS) - {"dcl"}))
def test_the_others_choose_too(name):
    learner = AGENTS.get(name).build(config_of(name), {"game": "grid"})
    game = learner.game
    seen = game.observe(game.initial(()))
    if name == "moca":
        seen = np.concatenate([seen, np.zeros(game.agents * game.actions)])
    action, state = learner.predict((1, seen))
    assert 0 <= action <= game.actions
    assert state is None


def test_a_game_has_no_factories():
    learner = AGENTS.get("independent-ppo").build(config_of("independent-ppo"), {"game": "grid"})
    with pytest.raises(InputError, match="no factories"):
        learner.policy(0)


WRONG = {
    "no game": ({"id": "scml_gym/OneShotConcurrent-v0"}, "env.game: missing"),
    "null": ({"game": None}, "env.game: game: None is no game"),
    "a number": ({"game": 3}, "env.game: game: 3 is no game"),
    "no game class": ({"game": "fractions:Fraction"}, "env.game: "),
    "a factor": ({"game": "public-goods", "factor": "x"}, "env.factor: factor='x'; valid: a finite number"),
    "names": (
        {"game": "matrix", "payoffs": [[[1, 2], [3, 4]], [[5, 6], [7, 8]]], "action_names": 5},
        "env.action_names: action_names=5: 2 names are needed",
    ),
    "misspelt": ({"game": "gird"}, "env.game: unknown game 'gird'; did you mean 'grid'?"),
    "mega-step": ({"game": "grid", "mega_step": 3}, "env.mega_step: mega_step=3: the horizon 16 is not divisible"),
    "matrix": ({"game": "matrix", "payoffs": [[1, 2]]}, "env.payoffs: payoffs: the shape (1, 2) is wrong"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_game_is_told_in_one_line(case):
    env, told = WRONG[case]
    with pytest.raises(InputError) as caught:
        game_of(env)
    assert str(caught.value).startswith(told)
    assert "\n" not in str(caught.value)


def test_too_many_joint_actions_are_refused():
    with pytest.raises(InputError, match="65536 joint actions; DCL can enumerate 4096"):
        make("dcl", game="grid", mega_step=8)


def test_returns_are_discounted_backwards():
    rewards = np.array([1.0, 2.0, 4.0]).reshape(1, 1, 3, 1)
    assert discounted(rewards, 0.5)[0, 0, :, 0].tolist() == [3.0, 4.0, 4.0]
    values = np.array([10.0, 20.0, 30.0]).reshape(1, 1, 3, 1)
    one_step = generalised(rewards, values, 0.5, 0.0)[0, 0, :, 0]
    assert one_step.tolist() == [1 + 10 - 10, 2 + 15 - 20, 4 - 30]
    whole = generalised(rewards, values, 0.5, 1.0) + values
    assert np.allclose(whole, discounted(rewards, 0.5))


def test_ppo_holds_what_is_far_enough():
    ratio, advantage = np.array([1.5, 0.5, 1.5, 0.5]), np.array([1.0, 1.0, -1.0, -1.0])
    assert clipped_term(ratio, advantage, 0.2).tolist() == [0.0, 0.5, -1.5, 0.0]


def test_contracts_move_reward_and_make_none():
    owed = np.zeros((1, 1, 3, 2))
    owed[0, 0, 1] = [0.0, 3.0]
    moved = transfers(owed, np.array([0, 1, 0]).reshape(1, 3, 1, 1))
    assert moved[0, :, 0, 0].tolist() == [1.5, -3.0, 1.5]
    assert (transfers(owed, np.zeros((1, 3, 1, 1), dtype=int)) == 0).all()


def test_the_mediator_counts_members_and_what_staying_out_is_worth():
    weights = lagrangian_weights(np.array([[[0.5], [0.5]]]), np.array([[[1.0], [0.0]]]))
    assert weights[0, :, 0].tolist() == [1.5, -0.5]
