"""The native environment as SB3 takes it: equal to single environments, and learners train, go on and repeat on it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from gymnasium.spaces import MultiDiscrete
from sb3_contrib.common.maskable.distributions import MaskableMultiCategoricalDistribution
from stable_baselines3.common.distributions import MultiCategoricalDistribution
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv

from scml_gym.agents import AGENTS
from scml_gym.agents.sb3.batch import BatchVecEnv, make_batch
from scml_gym.agents.sb3.heads import Heads
from scml_gym.agents.sb3.partners import PartnerBody, Sets, fitting_sets
from scml_gym.agents.sb3.self_play import make_self_play
from scml_gym.agents.sb3.training import make_vec_env
from scml_gym.core.config import CONFIGS, load_experiment, read_yaml
from scml_gym.core.errors import InputError
from scml_gym.experiments.make_env import can_batch, make_env
from scml_gym.experiments.run_folder import Run
from scml_gym.oneshot.observations.fitting_sets import N_CONTEXT
from scml_gym.oneshot.rewards import DailyProfit

ID = "scml_gym/OneShotConcurrent-v0"
ENV = {"id": ID, "days": 3, "factories_per_level": (2, 4), "opponents": ["best-subset", "greedy", "random"]}
ROWS, SCALE, COST = 3, 50.0, 1e-3
OPTIONS = {
    "days": {"episode": "day", "reward": "regret", "observation": "entities"},
    "planner": {"episode": "day", "reward": "regret", "observation": "entities", "action": "planner"},
    "worlds": {"observation": "dict"},
}


def one_by_one(env):
    def make():
        from gymnasium.wrappers import TransformReward

        return TransformReward(Monitor(make_env(env)), lambda reward: (float(reward) - COST) * SCALE)

    return DummyVecEnv([make for _ in range(ROWS)])


def same(a, b):
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)
    return np.array_equal(a, b)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_it_equals_single_environments_step_by_step(options):
    batch, single = make_batch(ENV | options, ROWS, 1, SCALE, COST), one_by_one(ENV | options)
    batch.seed(5), single.seed(5)
    assert batch.observation_space == single.observation_space
    assert batch.action_space == single.action_space
    assert same(batch.reset(), single.reset())
    rng, ends, worlds = np.random.default_rng(0), 0, 0
    sizes = batch.action_space.nvec
    for _ in range(60):
        masks = np.stack(batch.env_method("action_masks"))
        assert np.array_equal(masks, np.stack(single.env_method("action_masks")))
        cuts = np.split(masks, np.cumsum(sizes)[:-1], axis=1)
        actions = np.array([[rng.choice(np.flatnonzero(head[i])) for head in cuts] for i in range(ROWS)])
        observations, rewards, done, infos = batch.step(actions)
        expected = single.step(actions)
        assert same(observations, expected[0])
        assert rewards.dtype == expected[1].dtype == np.float32
        assert np.array_equal(rewards, expected[1])
        assert np.array_equal(done, expected[2])
        for i in range(ROWS):
            if not done[i]:
                assert infos[i] == {}
                continue
            ends += 1
            info = expected[3][i]
            assert same(infos[i]["terminal_observation"], info["terminal_observation"])
            assert infos[i]["TimeLimit.truncated"] == info["TimeLimit.truncated"]
            assert infos[i]["episode"]["l"] == info["episode"]["l"]
            assert infos[i]["episode"]["r"] == pytest.approx(info["episode"]["r"], abs=1e-6)
            for name in ("score", "invalid_actions"):
                assert infos[i].get(name) == info.get(name)
            worlds += "score" in info
    assert ends >= worlds > 3


def test_arrays_are_the_environments_own_and_stay_as_they_were():
    batch = make_batch(ENV, ROWS, 1, SCALE)
    batch.seed(1)
    first = batch.reset()
    kept, masks = first.copy(), batch.env_method("action_masks")
    assert all(np.shares_memory(row, batch.envs.action_masks()) for row in masks)
    second = batch.step(np.zeros((ROWS, 8), dtype=np.int64))[0]
    assert np.shares_memory(second, batch.envs._last.observations)
    assert np.array_equal(first, kept)
    assert not np.shares_memory(first, second)
    batch.close()


def test_what_sb3_asks_of_it():
    batch = make_batch(ENV, ROWS, 2, SCALE)
    batch.reset()
    assert batch.has_attr("action_masks")
    assert not batch.has_attr("nothing of that name")
    assert batch.get_attr("num_envs") == [ROWS] * ROWS
    assert batch.get_attr("num_envs", indices=1) == [ROWS]
    assert len(batch.env_method("action_masks", indices=[0, 2])) == 2
    assert batch.env_is_wrapped(Monitor) == [True] * ROWS
    assert batch.env_is_wrapped(dict) == [False] * ROWS
    with pytest.raises(AttributeError):
        batch.set_attr("days", 3)
    batch.close()


@pytest.mark.slow
def test_environments_are_batched_where_they_can_be():
    assert can_batch(ENV)
    assert can_batch({"id": ID, "backend": "compiled", "strict": False})
    for other in ({"backend": "reference"}, {"strict": True}, {"id": "CartPole-v1"}):
        assert not can_batch({"id": ID} | other)
    assert isinstance(make_vec_env(ENV, 2, 1, 1.0), BatchVecEnv)
    reference = ENV | {"backend": "reference", "generator": "league"}
    assert isinstance(make_vec_env(reference, 2, 1, 1.0), DummyVecEnv)
    processes = make_vec_env(reference, 2, 2, 1.0)
    assert isinstance(processes, SubprocVecEnv)
    processes.close()
    with pytest.raises(InputError, match=r"agent\.workers"):
        make_vec_env(reference, 3, 2, 1.0)


@pytest.mark.parametrize("backend", ["compiled", "reference"])
def test_a_decision_costs_what_is_learnt_from_and_not_what_is_told(backend):
    env = ENV | {"backend": backend, "episode": "day"}
    plain, costly = make_vec_env(env, 1, 1, SCALE), make_vec_env(env, 1, 1, SCALE, COST)
    for vec in (plain, costly):
        vec.seed(3), vec.reset()
    done = [False]
    while not done[0]:
        (_, free, done, told), (_, paid, _, same_told) = (
            vec.step([vec.action_space.sample() * 0]) for vec in (plain, costly)
        )
        assert paid == pytest.approx(free - COST * SCALE, abs=1e-5)
    assert told[0]["episode"]["r"] == same_told[0]["episode"]["r"]


class Halved(DailyProfit):
    """A reward that is no compiled function."""

    def __call__(self, transition):
        return super().__call__(transition) / 2


def test_a_reward_in_python_is_stepped_one_by_one_and_that_is_said(capsys):
    vec = make_vec_env(ENV | {"reward": Halved()}, 2, 1, 1.0)
    assert isinstance(vec, DummyVecEnv)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("note: reward: Halved is for single environments") and line.endswith("one by one")
    vec.reset()
    vec.step([vec.action_space.sample() for _ in range(2)])
    learner = SimpleNamespace(hyperparameters=SimpleNamespace(self_play=object()))
    with pytest.raises(InputError, match=r"agent\.self_play"):
        make_self_play(learner, None, vec, 0)


SIZES = {"equal": [5, 5, 5], "unequal": [6, 2, 3]}


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
def test_heads_are_sb3s_distributions(sizes):
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    logits = torch.randn(7, sum(sizes))
    actions = torch.tensor(rng.integers(0, sizes, (7, len(sizes))))
    masks = rng.random((7, sum(sizes))) < 0.6
    for row, choice in zip(masks, actions.numpy(), strict=True):
        row[np.cumsum([0, *sizes[:-1]]) + choice] = True
    for kind, valid in ((MultiCategoricalDistribution, None), (MaskableMultiCategoricalDistribution, masks)):
        theirs = kind(sizes).proba_distribution(logits)
        ours = Heads(sizes).proba_distribution(logits)
        if valid is not None:
            theirs.apply_masking(valid)
            ours.apply_masking(valid)
        assert torch.allclose(ours.log_prob(actions), theirs.log_prob(actions), atol=1e-5)
        assert torch.allclose(ours.entropy(), theirs.entropy(), atol=1e-5)
        assert torch.equal(ours.mode(), theirs.mode())
    many = Heads(sizes).proba_distribution(logits[:1].expand(20000, -1))
    many.apply_masking(np.repeat(masks[:1], 20000, axis=0))
    drawn = many.sample().numpy()
    cuts = np.split(logits[0].masked_fill(torch.tensor(~masks[0]), -1e8).numpy(), np.cumsum(sizes)[:-1])
    for head, cut in enumerate(cuts):
        chances = np.exp(cut) / np.exp(cut).sum()
        assert np.allclose(np.bincount(drawn[:, head], minlength=sizes[head]) / 20000, chances, atol=0.02)


def test_fitting_sets_are_the_nearest_ones():
    rng = np.random.default_rng(1)
    every = Sets().sets
    offered = torch.tensor(rng.integers(0, 7, (50, 8)) * (rng.random((50, 8)) < 0.7), dtype=torch.float32)
    needs = torch.tensor(rng.integers(0, 11, (50, 1)), dtype=torch.float32)
    gain = torch.tensor(rng.integers(0, 2, (50, 8)), dtype=torch.float32)
    below, lacking, above, exceeding = fitting_sets(offered, gain, needs, every)
    for i in range(50):
        totals = {float(offered[i] @ s) for s in every}
        need = float(needs[i])
        assert float(offered[i] @ below[i]) == max(t for t in totals if t <= need) == need + float(lacking[i])
        enough = [t for t in totals if t >= need]
        if enough:
            assert float(offered[i] @ above[i]) == min(enough) == need + float(exceeding[i])
        assert not below[i][offered[i] == 0].any()


def test_the_network_of_partners_does_not_depend_on_where_their_slots_are():
    """Equal facts of a partner give equal latents; the order decides only who comes first."""
    body = PartnerBody(4)
    env = make_env(ENV | {"observation": "entities", "level": "seller"})
    rows = torch.tensor(np.array([env.reset(seed=s)[0] for s in range(6)]))
    rows[:, 1:, 2:4] = 0.0  # nobody negotiates, so nothing is divided in the order of the slots
    order = torch.randperm(8, generator=torch.Generator().manual_seed(0))
    moved = rows.clone()
    moved[:, 1:] = rows[:, 1:][:, order]
    with torch.no_grad():
        latent, value = body(rows.flatten(1))
        other, same_value = body(moved.flatten(1))
    assert torch.allclose(latent.reshape(-1, 8, 4)[:, order], other.reshape(-1, 8, 4), atol=1e-5)
    assert torch.allclose(value, same_value, atol=1e-5)
    assert body.read(rows.flatten(1))[1].shape == (6, N_CONTEXT)


SMALL = {"total_steps": 96, "n_envs": 4, "n_steps": 8, "batch_size": 16, "n_epochs": 1, "net_arch": [8], "log_steps": 1}
LEARNERS = {
    "ppo": {"features": "sets"},
    "maskable-ppo": {"features": "partners", "embedding_size": 8},
    "recurrent-ppo": {"lstm_hidden_size": 8},
}


def trained(name, folder, **changes):
    hyperparameters = read_yaml(CONFIGS / "agent" / f"{name.replace('-', '_')}.yaml") | {"name": name}
    hyperparameters |= SMALL | LEARNERS[name] | changes
    env = ENV | OPTIONS["days"]
    agent = AGENTS.get(name).build(hyperparameters, env)
    config = {"seed": 1, "agent": hyperparameters, "env": env, "checkpoint_minutes": 0, "threads": 1}
    run = Run.open(folder) if folder.exists() else Run.create(folder, config, "test")
    agent.train(run)
    return agent, run


@pytest.mark.slow
@pytest.mark.parametrize("name", LEARNERS)
def test_learners_train_go_on_and_repeat(name, tmp_path):
    agent, run = trained(name, tmp_path / "a")
    other, again = trained(name, tmp_path / "b")
    weights = agent.model.policy.state_dict()
    for key, value in other.model.policy.state_dict().items():
        assert torch.equal(value, weights[key])
    assert (run.path / "learning_curve.csv").read_bytes() == (again.path / "learning_curve.csv").read_bytes()
    assert [int(row["step"]) for row in run.curve()] == [32, 64, 96]
    assert any(row["score"] for row in run.curve())
    longer = [trained(name, folder, total_steps=160)[0] for folder in (run.path, again.path)]
    assert [learner.model.num_timesteps for learner in longer] == [160, 160]
    before, after = (learner.model.policy.state_dict() for learner in longer)
    assert all(torch.equal(after[key], value) for key, value in before.items())
    assert any(not torch.equal(after[key], value) for key, value in weights.items())
    loaded = type(agent).load(Run.open(run.path).latest_checkpoint())
    observation = make_env(agent.env).reset(seed=4)[0]
    masks = np.ones(176, dtype=bool)
    assert np.array_equal(loaded.predict(observation, None, masks)[0], longer[0].predict(observation, None, masks)[0])


@pytest.mark.slow
def test_threads_change_nothing(tmp_path):
    weights = [trained("ppo", tmp_path / str(n), workers=n)[0].model.policy.state_dict() for n in (1, 2)]
    assert all(torch.equal(value, weights[1][key]) for key, value in weights[0].items())


@pytest.mark.parametrize(
    ("name", "env", "words"),
    [
        ("maskable-ppo", {}, "takes observations of rows"),
        ("maskable-ppo", {"observation": "entities", "action": "planner"}, "one choice for each partner"),
        ("recurrent-ppo", {"observation": "entities"}, "is for ppo and maskable-ppo"),
    ],
)
def test_features_that_do_not_fit_are_refused(name, env, words):
    hyperparameters = read_yaml(CONFIGS / "agent" / f"{name.replace('-', '_')}.yaml") | {"features": "partners"}
    with pytest.raises(InputError, match=words) as caught:
        AGENTS.get(name).build(hyperparameters, ENV | env)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", [p.stem for p in sorted((CONFIGS / "experiment").glob("*.yaml"))])
def test_every_experiment_builds_and_says_whether_it_is_batched(name):
    config = load_experiment(name).config
    if "n_envs" in config["agent"]:
        agent = AGENTS.get(config["agent"]["name"]).build(config["agent"], config["env"])
        vec = make_vec_env(config["env"], 2, 1, 1.0)
        assert isinstance(vec, BatchVecEnv) == can_batch(config["env"])
        one_choice = config["agent"]["name"] == "dqn" or config["env"].get("timing") == "negotiations"
        assert isinstance(agent.action_space, MultiDiscrete) == (not one_choice)
        vec.close()
