"""The training loop: what Stable-Baselines3's ``DQN.learn`` does with one environment, for many at once.

Source: stable_baselines3/dqn/dqn.py and common/off_policy_algorithm.py (version 2.6 and later), after
https://www.nature.com/articles/nature14236. The order within a step is SB3's: act, keep the transition, update the
target network where it is due, then learn where that is due. Random numbers are drawn network by network from
generators of their own, so a network's training does not depend on those beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import torch

from scml_gym.agents.dqn_batch.hyperparameters import DQNBatchHyperparameters
from scml_gym.agents.dqn_batch.networks import Optimiser, QNetworks
from scml_gym.agents.dqn_batch.replay import Replay

_BLOCK = 1000
"""Steps for which random numbers are drawn together; it decides which number is which."""


class Rows(Protocol):
    """Environments stepped together, one for each network; an ended episode is followed by a new one in the same step.

    Attributes:
        n_inputs: Numbers of an observation.
        n_actions: Actions are 0 to this, exclusive.
    """

    n_inputs: int
    n_actions: int

    def reset(self) -> np.ndarray:
        """Begin; the first observations, float32 ``(n, n_inputs)``."""
        ...

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Play int64 ``(n,)`` actions.

        Returns:
            Observations float32 ``(n, n_inputs)`` (of the next episode where one ended), rewards float ``(n,)``, and
            whether the episode ended, bool ``(n,)``. They may be overwritten by the next call.
        """
        ...

    def masks(self) -> np.ndarray | None:
        """Which actions are valid now, bool ``(n, n_actions)``; None where all are."""
        ...


@torch.no_grad()
def train(
    hyperparameters: DQNBatchHyperparameters,
    generators: Sequence[np.random.Generator],
    rows: Rows,
    advance: Callable[[int], None] = lambda steps: None,
) -> QNetworks:
    """Train one network for each generator and row.

    Args:
        hyperparameters: Of all.
        generators: Each network's own source of randomness: its weights, exploration and samples.
        rows: The environments, as many.
        advance: Is called with the steps (of all environments together) done since its last call.

    Returns:
        The networks as trained.
    """
    n = len(generators)
    sizes = (rows.n_inputs, *hyperparameters.net_arch, rows.n_actions)
    networks = QNetworks.drawn(sizes, generators)
    target = networks.copy()
    optimiser = Optimiser(networks, hyperparameters.learning_rate, hyperparameters.max_grad_norm)
    replay = Replay(min(hyperparameters.buffer_size, hyperparameters.total_steps), n, rows.n_inputs, rows.n_actions)
    observations = rows.reset().copy()
    for start in range(0, hyperparameters.total_steps, _BLOCK):
        stop = min(start + _BLOCK, hyperparameters.total_steps)
        draws = _Draws(hyperparameters, generators, start, stop)
        places = replay.places(draws.samples, draws.updates)
        learnt = 0
        for step in range(start, stop):
            masks, greedy = rows.masks(), draws.greedy[step - start]
            actions = _random(draws.picks[step - start], rows.n_actions, masks)
            if greedy.any():
                actions = np.where(greedy, _best(networks, observations, masks), actions)
            following, rewards, ended = rows.step(actions)
            discounts = np.where(ended, 0.0, hyperparameters.gamma)
            replay.add(step, observations, actions, rewards, following, discounts)
            observations = following.copy()
            if (step + 1) % hyperparameters.target_update_interval == 0:
                target.flat.lerp_(networks.flat, hyperparameters.tau)
            if learnt < len(draws.updates) and draws.updates[learnt] == step + 1:
                batch = replay.batch(places[learnt])
                learnt += 1
                wanted = target.values(batch.next_observations).amax(2).mul_(batch.discounts).add_(batch.rewards)
                optimiser.step(batch.observations, batch.chosen, wanted)
        advance(n * (stop - start))
    return networks


def _best(networks: QNetworks, observations: np.ndarray, masks: np.ndarray | None) -> np.ndarray:
    """The action of the highest value for one observation of each network, the first of equals; int64 ``(n,)``."""
    values = networks.values(torch.from_numpy(observations).unsqueeze(1)).squeeze(1).numpy()
    return (values if masks is None else np.where(masks, values, -np.inf)).argmax(1)


def _random(picks: np.ndarray, n_actions: int, masks: np.ndarray | None) -> np.ndarray:
    """A valid action for each number in [0, 1), all alike likely; int64 ``(n,)``."""
    if masks is None:
        return (picks * n_actions).astype(np.int64)
    valid_first = np.argsort(~masks, axis=1, kind="stable")
    return np.take_along_axis(valid_first, (picks * masks.sum(1)).astype(np.int64)[:, None], 1)[:, 0]


class _Draws:
    """The random numbers of a block of steps.

    Attributes:
        picks: float64 ``(steps, n)`` in [0, 1): which action is taken at random.
        greedy: bool ``(steps, n)``: the best action is played instead.
        updates: int64: after how many steps of the whole training each update of the block comes.
        samples: float64 ``(updates, n, batch)``.
    """

    def __init__(
        self, hyperparameters: DQNBatchHyperparameters, generators: Sequence[np.random.Generator], start: int, stop: int
    ):
        steps = np.arange(start, stop)
        rates = np.array([hyperparameters.exploration_rate(step) for step in steps.tolist()])
        rates[steps < hyperparameters.learning_starts] = 1.0
        after = steps + 1
        self.updates = after[(after % hyperparameters.train_freq == 0) & (after > hyperparameters.learning_starts)]
        samples = (len(self.updates), hyperparameters.batch_size)
        drawn = [(rng.random(len(steps)), rng.random(len(steps)), rng.random(samples)) for rng in generators]
        self.picks = np.stack([picks for picks, _, _ in drawn], axis=1)
        self.greedy = np.stack([uniform for _, uniform, _ in drawn], axis=1) >= rates[:, None]
        self.samples = np.stack([samples for _, _, samples in drawn], axis=1)
