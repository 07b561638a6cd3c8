"""Proximal policy optimisation as Stable-Baselines3 does it: rollouts, advantages, epochs of batches, Adam.

Sources: Schulman et al. 2017, https://arxiv.org/abs/1707.06347; generalised advantage estimation, Schulman et al. 2016,
https://arxiv.org/abs/1506.02438; Adam, Kingma and Ba 2015, https://arxiv.org/abs/1412.6980.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from stable_baselines3.common.utils import LinearSchedule, explained_variance

from agents.fast_ppo.network import CHUNK, Network, read_network
from agents.fast_ppo.passes import (
    ACT,
    APPROX_KL,
    ENTROPY_LOSS,
    FACTS,
    LEARN,
    MEASURES,
    POLICY_LOSS,
    VALUE_LOSS,
    Batch,
    Decisions,
    Facts,
    new_decisions,
)
from agents.sb3.batch import SUMMARY
from agents.sb3.hyperparameters import PPOHyperparameters
from scml_gym.core.errors import InputError
from scml_gym.vector.env import RowVectorEnv
from scml_gym.vector.workers import Workers

BETAS, EPSILON = (0.9, 0.999), 1e-5
"""Of Adam, as Stable-Baselines3 sets them."""


class Rollout(NamedTuple):
    """``n_steps`` decisions in each of ``n_envs`` rows, and the ones that are due after them."""

    decisions: Decisions  # (n_steps + 1, n_envs, ...)
    rewards: np.ndarray  # float32 (n_steps, n_envs)
    done: np.ndarray  # bool (n_steps, n_envs)


@dataclass
class Training:
    """What PPO learns with, and where it stands.

    Attributes:
        settings: The hyperparameters.
        network: Its parameters change.
        facts: What it knows of an observation.
        act, learn: Those of `agents.fast_ppo.passes`, in threads.
        masked: Whether only valid options are chosen.
        envs: In which it learns.
        observations: Of the decisions that are due.
        rng: Draws actions and batches.
        moments: Adam's, float32, ``(2, parameters)``.
        returns, lengths: Of the running episode of each row: rewards (float64) and decisions so far.
        steps, gradient_steps: Decisions and steps of Adam so far.
        logged: Decisions until the last row of the learning curve.
        ended: Sum and number of what the episodes have told that ended since then.
    """

    settings: PPOHyperparameters
    network: Network
    facts: Facts
    act: Workers
    learn: Workers
    masked: bool
    envs: RowVectorEnv
    observations: np.ndarray
    rng: np.random.Generator
    moments: np.ndarray
    returns: np.ndarray
    lengths: np.ndarray
    steps: int = 0
    gradient_steps: int = 0
    logged: int = 0
    ended: dict[str, tuple[float, int]] = field(default_factory=dict)

    def arrays(self) -> dict[str, np.ndarray]:
        """Where it stands, apart from the parameters, as `np.savez` takes it."""
        counts = {name: getattr(self, name) for name in ("steps", "gradient_steps", "logged", "ended")}
        told = np.array(json.dumps(counts | {"rng": self.rng.bit_generator.state}))
        state = {f"env_{name}": array for name, array in self.envs.state().items()}
        return {name: getattr(self, name) for name in ("moments", "returns", "lengths")} | {"told": told} | state

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Go on where `arrays` were given."""
        told = json.loads(str(arrays["told"]))
        self.rng.bit_generator.state = told.pop("rng")
        vars(self).update(told, **{name: arrays[name] for name in ("moments", "returns", "lengths")})
        self.observations = self.envs.restore({n[4:]: array for n, array in arrays.items() if n.startswith("env_")})


def start(
    policy: Any,
    heads: Sequence[int],
    settings: PPOHyperparameters,
    envs: RowVectorEnv,
    masked: bool,
    seeds: tuple[int, int],
) -> Training:
    """A training that begins, of a policy with so many options for each choice; seeds are its own and the environments'."""
    network = read_network(policy, heads)
    act, learn = (Workers(step, settings.workers) for step in (ACT, LEARN))
    n, moments = settings.n_envs, np.zeros((2, len(network.parameters)), np.float32)
    rng, facts = np.random.default_rng(seeds[0]), FACTS.get(settings.features)
    observations, _ = envs.reset(seed=seeds[1])
    return Training(
        settings,
        network,
        facts,
        act,
        learn,
        masked,
        envs,
        observations,
        rng,
        moments,
        np.zeros(n),
        np.zeros(n, np.int64),
    )


def new_rollout(training: Training) -> Rollout:
    """Arrays for a rollout."""
    steps, n, heads = training.settings.n_steps, training.settings.n_envs, training.network.heads
    size, n_options = training.observations[0].size, int(heads[:, 1].sum())
    decisions = new_decisions(training.facts, (steps + 1, n), size, n_options, len(heads))
    return Rollout(decisions, np.empty((steps, n), np.float32), np.empty((steps, n), np.bool_))


def play(training: Training, rollout: Rollout) -> None:
    """Fill a rollout from the decisions that are due."""
    envs, (n_steps, n) = training.envs, rollout.rewards.shape
    for step in range(n_steps + 1):
        due = Decisions(*(part[step] for part in rollout.decisions))
        if training.masked:
            due.masks[:] = envs.action_masks()
        training.facts.read(np.ascontiguousarray(training.observations.reshape(n, -1), np.float32), *due[:3])
        draws = training.rng.random(due.actions.shape, np.float32)
        training.act(-(-n // CHUNK), training.network, due, draws)
        if step < n_steps:  # the decisions after the last are there for their values
            actions = due.actions.reshape(envs.action_space.shape or ())
            training.observations, rewards, done, _, info = envs.step(actions)
            rollout.rewards[step], rollout.done[step] = rewards * training.settings.reward_scale, done
            note_episodes(training, rewards, done, info.get("final_info", {}))


def note_episodes(training: Training, rewards: np.ndarray, done: np.ndarray, final: dict[str, np.ndarray]) -> None:
    """Keep what the episodes that have ended tell."""
    training.returns += rewards
    training.lengths += 1
    told = {"return": training.returns[done], "length": training.lengths[done]}
    told |= {name: final[name][done & final[f"_{name}"]] for name in SUMMARY if name in final}
    for name, values in told.items():
        if len(values):
            total, n = training.ended.get(name, (0.0, 0))
            training.ended[name] = total + float(values.sum()), n + len(values)
    training.returns[done], training.lengths[done] = 0.0, 0
    training.steps += len(done)


def estimate_advantages(rollout: Rollout, gamma: float, trace: float) -> np.ndarray:
    """Generalised advantage estimation, float32, ``(n_steps, n_envs)``."""
    values, advantages = rollout.decisions.values, np.empty_like(rollout.rewards)
    running = np.zeros_like(values[0])
    for step in range(len(advantages) - 1, -1, -1):
        goes_on = np.float32(gamma) * ~rollout.done[step]
        running = rollout.rewards[step] + goes_on * (values[step + 1] + trace * running) - values[step]
        advantages[step] = running
    return advantages


def update(training: Training, rollout: Rollout) -> dict[str, float]:
    """Learn from a rollout; what Stable-Baselines3 tells of an update, by the same names.

    Raises:
        InputError: if a gradient is not finite.
    """
    settings, n = training.settings, rollout.rewards.size
    decisions = Decisions(*(part[:-1].reshape(n, *part.shape[2:]) for part in rollout.decisions))
    advantages = estimate_advantages(rollout, settings.gamma, settings.gae_lambda).ravel()
    returns = advantages + decisions.values
    falling = LinearSchedule(settings.learning_rate, settings.final_learning_rate, 1.0)
    rate = falling(1.0 - training.steps / settings.total_steps)
    measured = learn_in_epochs(training, decisions, advantages, returns, rate)
    mean, last = np.mean(np.concatenate(measured), axis=0), measured[-1][-1]
    return {
        "learning_rate": rate,
        **dict(zip(MEASURES, mean.tolist(), strict=True)),
        "approx_kl": np.mean(measured[-1], axis=0)[APPROX_KL],
        "loss": last[POLICY_LOSS] + settings.ent_coef * last[ENTROPY_LOSS] + settings.vf_coef * last[VALUE_LOSS],
        "explained_variance": float(explained_variance(decisions.values, returns)),
        "clip_range": settings.clip_range,
    }


def learn_in_epochs(
    training: Training,
    decisions: Decisions,
    advantages: np.ndarray,
    returns: np.ndarray,
    rate: float,
) -> list[list[np.ndarray]]:
    """Take steps of Adam; the means of `MEASURES` for each batch of each epoch."""
    settings, n_chunks = training.settings, -(-training.settings.batch_size // CHUNK)
    weights = settings.clip_range, settings.ent_coef, settings.vf_coef
    gradients = np.empty((n_chunks, len(training.network.parameters)), np.float32)
    measured: list[list[np.ndarray]] = []
    for _ in range(settings.n_epochs):
        measured.append([])
        for chosen in training.rng.permutation(len(advantages)).reshape(-1, settings.batch_size):
            ours, measures = advantages[chosen], np.zeros((n_chunks, len(MEASURES)))
            if settings.normalize_advantage and len(chosen) > 1:
                ours = (ours - ours.mean()) / (ours.std(ddof=1) + np.float32(1e-8))
            training.learn(
                n_chunks, training.network, decisions, Batch(chosen, ours, returns, *weights, gradients, measures)
            )
            measured[-1].append(measures.sum(axis=0) / len(chosen))
            if settings.target_kl is not None and measured[-1][-1][APPROX_KL] > 1.5 * settings.target_kl:
                return measured
            step_adam(training, gradients.sum(axis=0), rate)
    return measured


def step_adam(training: Training, gradient: np.ndarray, rate: float) -> None:
    """A step of Adam along a gradient that is shortened where it is too long.

    Raises:
        InputError: if the gradient is not finite.
    """
    norm = float(np.sqrt(np.dot(gradient, gradient)))
    if not np.isfinite(norm):
        raise InputError(
            f"training came to numbers that are not finite by step {training.steps}: lower agent.learning_rate "
            "or agent.reward_scale"
        )
    gradient *= np.float32(min(1.0, training.settings.max_grad_norm / (norm + 1e-6)))
    training.gradient_steps += 1
    for moment, beta, power in zip(training.moments, BETAS, (gradient, gradient * gradient), strict=True):
        moment += np.float32(1.0 - beta) * (power - moment)
    first, second = (1.0 - beta**training.gradient_steps for beta in BETAS)
    deviation = np.sqrt(training.moments[1]) / np.float32(np.sqrt(second)) + np.float32(EPSILON)
    training.network.parameters[:] -= np.float32(rate / first) * training.moments[0] / deviation
