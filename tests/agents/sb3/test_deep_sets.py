"""The network that treats partners alike: what its features do not depend on; it trains, and is saved and loaded."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
import torch

from scml_gym.agents import AGENTS
from scml_gym.agents.sb3.deep_sets import DeepSets
from scml_gym.core.config import CONFIGS, read_yaml
from scml_gym.core.errors import InputError
from scml_gym.experiments.run_folder import Run
from scml_gym.oneshot.observations.factory import EntityEncoder

NAME = "scml_gym/OneShotConcurrent-v0"


def make(**options) -> Any:
    return gymnasium.make(NAME, days=4, **options).unwrapped


def rows_of_worlds(n=12):
    env, rows = make(observation="entities", level="seller"), []  # who is asked when offers lie before it
    for seed in range(n):
        rows.append(env.reset(seed=seed)[0])
    return np.array(rows)


def test_pooled_features_do_not_depend_on_the_order_of_partners():
    space = EntityEncoder().space
    torch.manual_seed(1)
    size = 8
    network = DeepSets(space, size)
    rows = rows_of_worlds()
    order = np.random.default_rng(0).permutation(8)
    moved = rows.copy()
    moved[:, 1:] = rows[:, 1 + order]
    with torch.no_grad():
        features, others = network(torch.as_tensor(rows)), network(torch.as_tensor(moved))
    assert features.shape == (len(rows), network.features_dim) == (len(rows), 11 * size)
    together, each = features[:, : 3 * size], features[:, 3 * size :].reshape(-1, 8, size)
    assert torch.allclose(together, others[:, : 3 * size], atol=1e-6)
    assert torch.allclose(each[:, order], others[:, 3 * size :].reshape(-1, 8, size), atol=1e-6)
    assert not torch.allclose(each, each[:, order], atol=1e-6)
    exists = torch.as_tensor(rows[:, 1:, 1]) > 0
    assert not exists.all()
    assert not each[~exists].any()
    means = [row[there].mean(0) for row, there in zip(each, exists, strict=True)]
    assert torch.allclose(together[:, size : 2 * size], torch.stack(means), atol=1e-6)


def deep_sets_agent(name, env, **changes):
    small = {"total_steps": 256, "n_envs": 2, "n_steps": 64, "batch_size": 32, "n_epochs": 1, "net_arch": [16]}
    hyperparameters = read_yaml(CONFIGS / "agent" / f"{name.replace('-', '_')}.yaml") | small
    hyperparameters |= {"name": name, "features": "deep_sets", "embedding_size": 8, **changes}
    return AGENTS.get(name).build(hyperparameters, {"id": NAME, "days": 4, **env}), hyperparameters


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ppo", "maskable-ppo"])
def test_deep_sets_train_save_and_load(name, tmp_path):
    env = {"observation": "entities", "episode": "day", "reward": "regret"}
    agent, hyperparameters = deep_sets_agent(name, env)
    config = {"seed": 1, "agent": hyperparameters, "env": agent.env, "checkpoint_minutes": 5, "threads": 1}
    run = Run.create(tmp_path / "run", config, "test")
    agent.train(run)
    assert isinstance(agent.model.policy.features_extractor, DeepSets)
    assert any(float(row["score"] or 0) > 0 for row in run.curve())  # of worlds, though the episodes are days
    loaded = type(agent).load(run.latest_checkpoint())
    masks = np.ones(176, dtype=bool)
    for row in rows_of_worlds(4):
        assert np.array_equal(agent.predict(row, None, masks)[0], loaded.predict(row, None, masks)[0])
    policy = loaded.policy(0)
    env = make()
    env.reset(seed=0)
    policy.begin(env.view)
    assert len(policy.act(env.view)) == 8


def test_deep_sets_need_rows():
    with pytest.raises(InputError, match=r"entities"):
        deep_sets_agent("ppo", {"observation": "flat"})
    with pytest.raises(InputError, match=r"deep_sets"):
        deep_sets_agent("ppo", {"observation": "entities"}, features="deep_set")
