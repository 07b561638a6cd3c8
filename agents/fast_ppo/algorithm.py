"""Proximal policy optimisation as Stable-Baselines3 does it: rollouts, advantages, epochs of batches, Adam.

Sources: Schulman et al. 2017, https://arxiv.org/abs/1707.06347; generalised advantage estimation, Schulman et al. 2016,
https://arxiv.org/abs/1506.02438; Adam, Kingma and Ba 2015, https://arxiv.org/abs/1412.6980.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from agents.fast_ppo.networks import CHUNK, Actor, Network
from agents.fast_ppo.passes import (
    APPROX_KL,
    CLIPPED,
    ENTROPY,
    N_MEASURES,
    POLICY_LOSS,
    VALUE_LOSS,
    Batch,
    Decisions,
)
from agents.sb3.batch import SUMMARY
from agents.sb3.hyperparameters import PPOHyperparameters
from agents.sb3.partners import N_ROW
from scml_gym.core.errors import InputError
from scml_gym.vector.env import RowVectorEnv
from scml_gym.vector.workers import Workers

BETAS, EPSILON = (0.9, 0.999), 1e-5
"""Of Adam, as Stable-Baselines3 sets them."""


class Tools(NamedTuple):
    """What PPO learns with.

    Attributes:
        settings: The hyperparameters.
        network: The parameters change.
        actor: What the network's is.
        act, learn: See `agents.fast_ppo.passes.Passes`.
        masked: Whether only valid options are chosen.
    """

    settings: PPOHyperparameters
    network: Network
    actor: Actor
    act: Workers
    learn: Workers
    masked: bool


@dataclass
class Progress:
    """Where a training stands, beside the parameters of the network and the environments.

    Attributes:
        rng: Draws actions and batches.
        first, second: Adam's moments, float32, of each parameter.
        returns, lengths: Of the running episode of each row: rewards (float64) and decisions so far.
        steps, gradient_steps: Decisions and steps of Adam so far.
        logged: Decisions until the last row of the learning curve.
        ended: Sum and number of what the episodes have told that ended since then.
    """

    rng: np.random.Generator
    first: np.ndarray
    second: np.ndarray
    returns: np.ndarray
    lengths: np.ndarray
    steps: int = 0
    gradient_steps: int = 0
    logged: int = 0
    ended: dict[str, tuple[float, int]] = field(default_factory=dict)

    def arrays(self) -> dict[str, np.ndarray]:
        """All of it as `np.savez` takes it."""
        texts = {"rng": json.dumps(self.rng.bit_generator.state), "ended": json.dumps(self.ended)}
        return {name: np.array(value) for name, value in (vars(self) | texts).items()}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Go on where `arrays` were given."""
        for name in ("first", "second", "returns", "lengths"):
            setattr(self, name, arrays[name])
        self.steps, self.gradient_steps, self.logged = (
            int(arrays[name]) for name in ("steps", "gradient_steps", "logged")
        )
        self.rng.bit_generator.state = json.loads(str(arrays["rng"]))
        self.ended = {name: tuple(pair) for name, pair in json.loads(str(arrays["ended"])).items()}


def new_progress(seed: int, n_parameters: int, n_envs: int) -> Progress:
    """Before anything is learnt."""
    first, second = np.zeros((2, n_parameters), np.float32)
    return Progress(np.random.default_rng(seed), first, second, np.zeros(n_envs), np.zeros(n_envs, np.int64))


class Rollout(NamedTuple):
    """``n_steps`` decisions in each of ``n_envs`` rows, and the ones that are due after them."""

    decisions: Decisions  # (n_steps + 1, n_envs, ...)
    rewards: np.ndarray  # float32 (n_steps, n_envs)
    done: np.ndarray  # bool (n_steps, n_envs)


def new_rollout(tools: Tools, n_observed: int, n_options: int) -> Rollout:
    """Arrays for a rollout, of observations and masks of those sizes."""
    steps, n, actor = tools.settings.n_steps, tools.settings.n_envs, tools.actor
    decisions = Decisions(
        np.empty((steps + 1, n, actor.n_inputs(n_observed)), np.float32),
        np.empty((steps + 1, n, actor.n_rows, N_ROW), np.float32),
        np.ones((steps + 1, n, n_options), np.bool_),
        np.ones((steps + 1, n, len(tools.network.heads)), np.bool_),
        np.zeros((steps + 1, n, len(tools.network.heads)), np.int64),
        np.zeros((steps + 1, n), np.float32),
        np.zeros((steps + 1, n), np.float32),
    )
    return Rollout(decisions, np.empty((steps, n), np.float32), np.empty((steps, n), np.bool_))


def play(
    tools: Tools, progress: Progress, envs: RowVectorEnv, observations: np.ndarray, rollout: Rollout
) -> np.ndarray:
    """Fill a rollout from the decisions that are due; returns the observations of the next ones."""
    n_steps, n = rollout.rewards.shape
    for step in range(n_steps + 1):
        due = Decisions(*(part[step] for part in rollout.decisions))
        if tools.masked:
            due.masks[:] = envs.action_masks()
        shape = due.actions.shape
        draws = progress.rng.random(shape, np.float32) if step < n_steps else np.zeros(shape, np.float32)
        seen = np.ascontiguousarray(observations.reshape(n, -1), np.float32)
        tools.act(-(-n // CHUNK), tools.network, seen, np.arange(n), draws, due)
        if step < n_steps:  # the decisions after the last are there for their values
            observations, rewards, done, _, info = envs.step(due.actions.reshape(envs.action_space.shape or ()))
            rollout.rewards[step], rollout.done[step] = rewards * tools.settings.reward_scale, done
            note_episodes(progress, rewards, done, info.get("final_info", {}))
    return observations


def note_episodes(progress: Progress, rewards: np.ndarray, done: np.ndarray, final: dict[str, np.ndarray]) -> None:
    """Keep what the episodes that have ended tell."""
    progress.returns += rewards
    progress.lengths += 1
    told = {"return": progress.returns[done], "length": progress.lengths[done]}
    told |= {name: final[name][done & final[f"_{name}"]] for name in SUMMARY if name in final}
    for name, values in told.items():
        if len(values):
            total, n = progress.ended.get(name, (0.0, 0))
            progress.ended[name] = total + float(values.sum()), n + len(values)
    progress.returns[done], progress.lengths[done] = 0.0, 0
    progress.steps += len(done)


def estimate_advantages(rollout: Rollout, gamma: float, trace: float) -> np.ndarray:
    """Generalised advantage estimation, float32, ``(n_steps, n_envs)``."""
    values, advantages = rollout.decisions.values, np.empty_like(rollout.rewards)
    running = np.zeros_like(values[0])
    for step in range(len(advantages) - 1, -1, -1):
        goes_on = np.float32(gamma) * ~rollout.done[step]
        running = rollout.rewards[step] + goes_on * (values[step + 1] + trace * running) - values[step]
        advantages[step] = running
    return advantages


def learning_rate(hyperparameters: PPOHyperparameters, steps: int) -> float:
    """Of Adam after so many decisions: it falls linearly."""
    done = min(1.0, steps / hyperparameters.total_steps)
    return hyperparameters.learning_rate + done * (hyperparameters.final_learning_rate - hyperparameters.learning_rate)


def update(tools: Tools, progress: Progress, rollout: Rollout) -> dict[str, float]:
    """Learn from a rollout; what Stable-Baselines3 tells of an update, by the same names.

    Raises:
        InputError: if a gradient is not finite.
    """
    settings = tools.settings
    n, n_chunks = rollout.rewards.size, -(-settings.batch_size // CHUNK)
    decisions = Decisions(*(part[:-1].reshape(n, *part.shape[2:]) for part in rollout.decisions))
    advantages = estimate_advantages(rollout, settings.gamma, settings.gae_lambda).ravel()
    returns = advantages + decisions.values
    weights = settings.clip_range, settings.ent_coef, settings.vf_coef
    rate = learning_rate(settings, progress.steps)
    gradients = np.empty((n_chunks, len(tools.network.parameters)), np.float32)
    batches: list[np.ndarray] = []
    last_epoch: list[np.ndarray] = []
    further = True
    for _ in range(settings.n_epochs):
        last_epoch, order = [], progress.rng.permutation(n)
        for start in range(0, n, settings.batch_size):
            chosen = order[start : start + settings.batch_size]
            batch_advantages, measures = advantages[chosen], np.zeros((n_chunks, N_MEASURES))
            if settings.normalize_advantage and len(chosen) > 1:
                batch_advantages -= batch_advantages.mean()
                batch_advantages /= batch_advantages.std(ddof=1) + np.float32(1e-8)
            batch = Batch(chosen, batch_advantages, returns, *weights, gradients, measures)
            tools.learn(n_chunks, tools.network, decisions, batch)
            last_epoch.append(measures.sum(axis=0) / len(chosen))
            further = settings.target_kl is None or last_epoch[-1][APPROX_KL] <= 1.5 * settings.target_kl
            if not further:
                break
            step_adam(tools, progress, gradients.sum(axis=0), rate)
        batches += last_epoch
        if not further:
            break
    mean, last = np.mean(batches, axis=0), batches[-1]
    return {
        "learning_rate": rate,
        "entropy_loss": -mean[ENTROPY],
        "policy_gradient_loss": mean[POLICY_LOSS],
        "value_loss": mean[VALUE_LOSS],
        "approx_kl": np.mean(last_epoch, axis=0)[APPROX_KL],
        "clip_fraction": mean[CLIPPED],
        "loss": last[POLICY_LOSS] - settings.ent_coef * last[ENTROPY] + settings.vf_coef * last[VALUE_LOSS],
        "explained_variance": explained_variance(decisions.values, returns),
        "clip_range": settings.clip_range,
    }


def step_adam(tools: Tools, progress: Progress, gradient: np.ndarray, rate: float) -> None:
    """A step of Adam along a gradient that is shortened where it is too long.

    Raises:
        InputError: if the gradient is not finite.
    """
    norm = float(np.sqrt(np.dot(gradient, gradient)))
    if not np.isfinite(norm):
        raise InputError(
            f"training came to numbers that are not finite by step {progress.steps}: lower agent.learning_rate "
            "or agent.reward_scale"
        )
    gradient *= np.float32(min(1.0, tools.settings.max_grad_norm / (norm + 1e-6)))
    progress.gradient_steps += 1
    for moment, beta, power in ((progress.first, BETAS[0], gradient), (progress.second, BETAS[1], gradient * gradient)):
        moment *= np.float32(beta)
        moment += np.float32(1.0 - beta) * power
    first, second = (1.0 - beta**progress.gradient_steps for beta in BETAS)
    deviation = np.sqrt(progress.second) / np.float32(np.sqrt(second)) + np.float32(EPSILON)
    tools.network.parameters[:] -= np.float32(rate / first) * progress.first / deviation


def explained_variance(values: np.ndarray, returns: np.ndarray) -> float:
    """What share of the variance of returns the values explain; nan where there is none."""
    variance = np.var(returns)
    return float(1.0 - np.var(returns - values) / variance) if variance > 0.0 else float("nan")
