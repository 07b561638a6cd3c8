"""The batched DQN: the same algorithm as Stable-Baselines3's, and networks that do not depend on each other."""

import numpy as np
import pytest
import torch
from stable_baselines3.common.type_aliases import ReplayBufferSamples

from scml_gym.agents.dqn_batch import DQNBatchHyperparameters, QNetworks, train
from scml_gym.agents.dqn_batch.networks import Optimiser
from scml_gym.agents.dqn_batch.replay import Replay
from scml_gym.agents.dqn_batch.sb3 import sb3_model, stacked
from scml_gym.agents.dqn_batch.trainer import _Draws
from tests.helpers.stopping import StoppingEnv, StoppingRows, value_of_optimal_play

SETTINGS = DQNBatchHyperparameters(
    total_steps=3000,
    net_arch=[32, 32],
    learning_rate=1e-3,
    gamma=1.0,
    batch_size=32,
    max_grad_norm=10.0,
    buffer_size=100_000,
    learning_starts=100,
    train_freq=4,
    target_update_interval=250,
    tau=1.0,
    exploration_fraction=0.3,
    exploration_initial_eps=1.0,
    exploration_final_eps=0.05,
)


def trained(ids, hyperparameters=SETTINGS, rows=None):
    rows = rows or StoppingRows([[1, i] for i in ids])
    return train(hyperparameters, [np.random.default_rng([0, i]) for i in ids], rows)


@pytest.mark.slow
@pytest.mark.parametrize("max_grad_norm", [10.0, 0.05])
def test_updates_are_those_of_sb3(max_grad_norm):
    hyperparameters = SETTINGS.model_copy(update={"max_grad_norm": max_grad_norm})
    models = [sb3_model(hyperparameters, StoppingEnv(), seed) for seed in range(3)]
    for model in models:
        model.set_logger(StoppingLogger())
        model._current_progress_remaining = 1.0
        for parameter in model.q_net_target.parameters():
            parameter.data.mul_(1.1)
    networks, target = stacked([m.q_net for m in models]), stacked([m.q_net_target for m in models])
    optimiser = Optimiser(networks, SETTINGS.learning_rate, max_grad_norm)
    rng = np.random.default_rng(5)
    for _ in range(20):
        observations, following = rng.random((2, 3, 32, 2), dtype=np.float32)
        actions, ended = rng.integers(2, size=(2, 3, 32))
        rewards = rng.normal(scale=3.0, size=(3, 32)).astype(np.float32)
        for k, model in enumerate(models):
            a, d, r = (torch.tensor(x[k])[:, None] for x in (actions, ended.astype(np.float32), rewards))
            samples = ReplayBufferSamples(torch.tensor(observations[k]), a, torch.tensor(following[k]), d, r)
            model.replay_buffer.sample = lambda *_, samples=samples, **__: samples
            model.train(gradient_steps=1, batch_size=32)
        with torch.no_grad():
            best = target.values(torch.tensor(following)).amax(2)
            wanted = torch.tensor(rewards) + SETTINGS.gamma * torch.tensor(1 - ended) * best
            optimiser.step(torch.tensor(observations), torch.eye(2)[torch.tensor(actions)], wanted.float())
    torch.testing.assert_close(networks.flat, stacked([m.q_net for m in models]).flat, rtol=0, atol=3e-6)


class StoppingLogger:
    """Keeps nothing."""

    def record(self, *_, **__):
        """Nothing."""


@pytest.mark.slow
def test_exploration_updates_and_targets_come_when_they_do_in_sb3(monkeypatch):
    hyperparameters = SETTINGS.model_copy(update={"total_steps": 1000, "learning_starts": 102})
    model = sb3_model(hyperparameters, StoppingEnv(), 0)
    updates, rates, targets = [], [], []
    monkeypatch.setattr(model, "train", lambda **_: updates.append(model.num_timesteps))
    on_step = model._on_step

    def watched():
        on_step()
        rates.append(model.exploration_rate)

    monkeypatch.setattr(model, "_on_step", watched)
    monkeypatch.setattr("stable_baselines3.dqn.dqn.polyak_update", lambda *_: targets.append(model.num_timesteps))
    model.learn(1000)
    draws = _Draws(hyperparameters, [np.random.default_rng(0)], 0, 1000)
    assert draws.updates.tolist() == updates
    assert rates == pytest.approx([hyperparameters.exploration_rate(step) for step in range(1, 1001)])
    assert sorted(set(targets)) == [250, 500, 750, 1000]


@pytest.mark.slow
def test_a_training_repeats_and_does_not_depend_on_those_beside_it():
    together, again, others = trained([0, 1, 2, 3, 4]), trained([0, 1, 2, 3, 4]), trained([7, 3])
    assert torch.equal(together.flat, again.flat)
    assert torch.equal(together.flat[3], others.flat[1])
    assert not torch.equal(together.flat[3], together.flat[4])


@pytest.mark.slow
def test_the_stopping_problem_is_learnt():
    networks = trained(range(3), SETTINGS.model_copy(update={"total_steps": 12_000}))
    rows = StoppingRows([[9, i] for i in range(3)])
    observations = rows.reset()
    for _ in range(3000):
        values = networks.values(torch.from_numpy(observations).unsqueeze(1))
        observations, _, _ = rows.step(values.argmax(2)[:, 0].numpy())
    means = [np.mean(returns) for returns in rows.returns]
    assert min(means) > value_of_optimal_play() - 0.06  # accepting at once gives .5, .36 less


def test_learning_may_start_after_the_first_block_of_random_numbers():
    networks = trained([0, 1], SETTINGS.model_copy(update={"total_steps": 1100, "learning_starts": 1099}))
    untrained = QNetworks.drawn(networks.sizes, [np.random.default_rng([0, i]) for i in (0, 1)])
    assert not torch.equal(networks.flat, untrained.flat)


class MaskedRows(StoppingRows):
    """Accepting is not allowed in a first round."""

    def masks(self):
        return np.stack([np.ones(len(self._rngs), dtype=bool), self._round > 0], axis=1)

    def step(self, actions):
        assert self.masks()[np.arange(len(actions)), actions].all()
        return super().step(actions)


def test_masked_actions_are_not_taken():
    rows = MaskedRows([[1, 0], [1, 1]])
    trained([0, 1], SETTINGS.model_copy(update={"total_steps": 1000}), rows)
    assert all(len(returns) > 10 for returns in rows.returns)


def test_the_replay_keeps_the_last_transitions():
    replay = Replay(5, 2, 1, 3)
    for step in range(12):
        observations = np.array([[step], [100 + step]])
        replay.add(step, observations, np.array([step % 3, 1]), observations[:, 0] * 2.0, observations + 1, np.ones(2))
    places = replay.places(np.random.default_rng(0).random((1, 2, 20)), np.array([12]))
    batch = replay.batch(places[0])
    seen = batch.observations[:, :, 0]
    assert set(seen[0].tolist()) <= set(range(7, 12))
    assert set(seen[1].tolist()) <= set(range(107, 112))
    assert len(set(seen.flatten().tolist())) > 4
    assert torch.equal(batch.rewards, 2 * seen)
    assert torch.equal(batch.next_observations, batch.observations + 1)
    assert torch.equal(batch.chosen[0].argmax(1), seen[0].long() % 3)
    assert (batch.chosen[1].argmax(1) == 1).all()
    few = replay.places(np.full((1, 2, 20), 0.999), np.array([3]))
    assert set(few[0].tolist()) == {2 * 2, 2 * 2 + 1}
