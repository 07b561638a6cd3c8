"""Plans as data: what says nothing is not learnt from, numbers are fitted by means, and PPO begins with a clone."""

import numpy as np
import pytest
import torch
from gymnasium import spaces

from scml_gym.agents.behaviour_cloning.fitting import Fitting
from scml_gym.agents.behaviour_cloning.hyperparameters import BehaviourCloningHyperparameters
from scml_gym.agents.sb3.heads import HeadsPolicy, MaskedHeadsPolicy
from scml_gym.agents.sb3.weights import new_policy
from scml_gym.agents.training import build, start, take_over
from scml_gym.core.config import load_experiment
from scml_gym.core.errors import InputError
from scml_gym.offline.command import dataset_command
from scml_gym.offline.reading import Decisions
from scml_gym.standard.actions import make_daily_codec
from tests.helpers.offline import SMALL, small_dataset

N = 256
QUICK = {"epochs": 20, "batch_size": 64, "held_out": 0.0, "learning_rate": 1e-2, "final_learning_rate": 1e-2}
QUICK |= {"data": ["-"], "max_grad_norm": 10.0, "net_arch": [8], "features": "flatten", "embedding_size": 8}


def fitted(action, actions, masked, meant=None, **settings):
    """A policy before and after it was fitted to actions that follow random observations."""
    seen = np.random.default_rng(1).random((N, 3), dtype=np.float32)
    kind = MaskedHeadsPolicy if masked else HeadsPolicy
    policy = new_policy(kind, spaces.Box(0.0, 1.0, (3,)), action, {"net_arch": [8]}, 0)
    before = {name: tensor.clone() for name, tensor in policy.state_dict().items()}
    masks = np.ones((N, int(action.nvec.sum()) if masked else 1), dtype=np.bool_)
    decisions = Decisions(seen, actions(seen), masks, np.arange(N), np.zeros(N))
    fitting = Fitting(policy, decisions, BehaviourCloningHyperparameters(**QUICK | settings), masked, 0, meant)
    losses = []
    while fitting.steps < fitting.total:
        fitting.learn()
        losses.append(fitting.take_loss())
    return policy, before, losses[0], losses[-1], seen


def test_choices_that_say_nothing_are_not_learnt_from():
    meant = np.ones((N, 2), dtype=np.bool_)
    meant[:, 1] = False
    actions = spaces.MultiDiscrete([3, 2])
    policy, before, _, _, _ = fitted(actions, lambda seen: np.ones((N, 2), dtype=np.int64), True, meant)
    moved = (policy.action_net.weight - before["action_net.weight"]).abs().amax(dim=1) > 0
    assert moved.tolist() == [True, True, True, False, False]


def test_numbers_are_fitted_by_the_means_of_hubers_loss():
    action = spaces.Box(-1.0, 1.0, (1,))
    policy, before, first, last, seen = fitted(action, lambda seen: seen[:, :1] - 0.5, False, loss="huber")
    assert last < 0.1 * first
    means = policy.get_distribution(torch.as_tensor(seen)).mode().detach().numpy()
    assert np.abs(means[:, 0] - (seen[:, 0] - 0.5)).mean() < 0.1
    assert torch.equal(policy.log_std, before["log_std"]), "the spread is not learnt"


def test_the_price_of_what_is_not_wanted_says_nothing():
    for action, nothing, something in (("goals-by-day", 0, 3), ("goals-by-day-continuous", -1.0, 0.2)):
        codec = make_daily_codec(action)
        actions = np.full((1, *codec.space.shape), nothing)
        actions.reshape(1, -1)[0, [4, 5]] = something
        told = codec.meant(actions).reshape(-1)
        assert told[::2].all() and np.flatnonzero(told[1::2]).tolist() == [2]
    assert make_daily_codec("traits").meant(np.zeros((2, 8), dtype=int)).all()


def test_ppo_begins_with_the_policy_of_a_clone(tmp_path, monkeypatch):
    name = small_dataset(monkeypatch, tmp_path / "data", episodes=4)
    env = [f"env.{option}" for option in SMALL] + ["env.observation=flat", "env.generator=compiled"]
    given = [*env, f"agent.data=[{name}]", "agent.features=flatten", "agent.net_arch=[8]", "agent.epochs=1"]
    clone = start("behaviour_cloning", given, out=tmp_path / "clone")
    weights = np.load(clone.latest_checkpoint() / "weights.npz")

    def taking_over(experiment, *options):
        loaded = load_experiment(experiment, [*env, *options])
        agent = build(loaded)
        take_over(agent, loaded, clone.path)
        return agent

    agent = taking_over("maskable_ppo", "env.name=concurrent", "agent.features=flatten", "agent.net_arch=[8]")
    for key, tensor in agent._beginning["policy"].items():
        np.testing.assert_array_equal(tensor, weights[key])
    with pytest.raises(InputError, match=r"agent.net_arch.*\[9\], but .* was trained with \[8\]"):
        taking_over("maskable_ppo", "env.name=concurrent", "agent.features=flatten", "agent.net_arch=[9]")
    with pytest.raises(InputError, match=r"'recurrent-ppo', but .* was trained by 'behaviour-cloning'"):
        taking_over("recurrent_ppo", "env.name=concurrent")


def test_data_of_another_game_and_losses_of_numbers_are_refused(tmp_path, monkeypatch):
    name = small_dataset(monkeypatch, tmp_path / "data", episodes=1)
    with pytest.raises(InputError, match="is of the game 'oneshot'"):
        start("standard_manager_imitation", [f"agent.data=[{name}]"], out=tmp_path / "run")
    with pytest.raises(InputError, match=r"agent.loss.*numbers.*valid: likelihood"):
        start("standard_manager_imitation", ["agent.loss=huber"], out=tmp_path / "run")
    with pytest.raises(InputError, match="valid: goals, goals-by-day, goals-by-bucket"):
        dataset_command(["penguin"], "standard_daily", ["days=5", "action=traits", "executor=stock"], 1, 0, "tests")
    assert not (tmp_path / "run").exists()
