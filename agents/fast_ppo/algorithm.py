"""Proximal policy optimisation as Stable-Baselines3 does it: rollouts, advantages, epochs of batches, Adam.

Sources: Schulman et al. 2017, https://arxiv.org/abs/1707.06347; generalised advantage estimation, Schulman et al. 2016,
https://arxiv.org/abs/1506.02438; Adam, Kingma and Ba 2015, https://arxiv.org/abs/1412.6980.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Self

import numpy as np
from stable_baselines3.common.utils import LinearSchedule, explained_variance

from agents.fast_ppo.facts import Facts
from agents.fast_ppo.network import CHUNK, Network
from agents.fast_ppo.passes import APPROX_KL, ENTROPY_LOSS, MEASURES, POLICY_LOSS, VALUE_LOSS, Batch, Decisions
from agents.sb3.batch import SUMMARY
from agents.sb3.hyperparameters import PPOHyperparameters
from agents.sb3.partners import N_ROW
from scml_gym.core.errors import InputError
from scml_gym.vector.env import RowVectorEnv
from scml_gym.vector.workers import Workers

BETAS, EPSILON = (0.9, 0.999), 1e-5
"""Of Adam, as Stable-Baselines3 sets them."""


class Tools(NamedTuple):
    """What PPO learns with: the parameters of the network change."""

    settings: PPOHyperparameters
    network: Network
    facts: Facts
    read: Workers  # its `agents.fast_ppo.facts.compile_reading`
    act: Workers  # `agents.fast_ppo.passes.ACT`
    learn: Workers  # `agents.fast_ppo.passes.LEARN`
    masked: bool  # whether only valid options are chosen


@dataclass
class Progress:
    """Where a training stands, beside the parameters of the network and the environments.

    Attributes:
        rng: Draws actions and batches.
        moments: Adam's, float32, ``(2, parameters)``.
        returns, lengths: Of the running episode of each row: rewards (float64) and decisions so far.
        steps, gradient_steps: Decisions and steps of Adam so far.
        logged: Decisions until the last row of the learning curve.
        ended: Sum and number of what the episodes have told that ended since then.
    """

    rng: np.random.Generator
    moments: np.ndarray
    returns: np.ndarray
    lengths: np.ndarray
    steps: int = 0
    gradient_steps: int = 0
    logged: int = 0
    ended: dict[str, tuple[float, int]] = field(default_factory=dict)

    @classmethod
    def new(cls, seed: int, n_parameters: int, n_envs: int) -> Self:
        """Before anything is learnt."""
        moments = np.zeros((2, n_parameters), np.float32)
        return cls(np.random.default_rng(seed), moments, np.zeros(n_envs), np.zeros(n_envs, np.int64))

    def arrays(self) -> dict[str, np.ndarray]:
        """All of it, as `np.savez` takes it."""
        facts = {name: getattr(self, name) for name in ("steps", "gradient_steps", "logged", "ended")}
        text = json.dumps(facts | {"rng": self.rng.bit_generator.state})
        return {"moments": self.moments, "returns": self.returns, "lengths": self.lengths, "facts": np.array(text)}

    @classmethod
    def read(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """What `arrays` gave."""
        facts, rng = json.loads(str(arrays["facts"])), np.random.default_rng()
        rng.bit_generator.state = facts.pop("rng")
        return cls(rng, arrays["moments"], arrays["returns"], arrays["lengths"], **facts)


class Rollout(NamedTuple):
    """``n_steps`` decisions in each of ``n_envs`` rows, and the ones that are due after them."""

    decisions: Decisions  # (n_steps + 1, n_envs, ...)
    rewards: np.ndarray  # float32 (n_steps, n_envs)
    done: np.ndarray  # bool (n_steps, n_envs)


def new_rollout(tools: Tools, n_observed: int, n_options: int) -> Rollout:
    """Arrays for a rollout, of observations and masks of those sizes."""
    facts, steps, n, heads = tools.facts, tools.settings.n_steps, tools.settings.n_envs, len(tools.network.heads)
    places = steps + 1, n
    inputs = np.empty((*places, facts.n_inputs or n_observed), np.float32)
    rows = np.empty((*places, facts.n_rows, N_ROW), np.float32) if facts.n_rows else inputs[:, :, None]
    decisions = Decisions(
        inputs,
        rows,
        np.ones(rows.shape[:3], np.float32),
        np.ones((*places, n_options), np.bool_),
        np.empty(rows.shape[:3], np.bool_),
        np.empty((*places, heads), np.int64),
        np.empty(places, np.float32),
        np.empty(places, np.float32),
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
        tools.read(n, np.ascontiguousarray(observations.reshape(n, -1), np.float32), due)
        tools.act(-(-n // CHUNK), tools.network, due, progress.rng.random(due.actions.shape, np.float32))
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


def update(tools: Tools, progress: Progress, rollout: Rollout) -> dict[str, float]:
    """Learn from a rollout; what Stable-Baselines3 tells of an update, by the same names.

    Raises:
        InputError: if a gradient is not finite.
    """
    settings, n = tools.settings, rollout.rewards.size
    decisions = Decisions(*(part[:-1].reshape(n, *part.shape[2:]) for part in rollout.decisions))
    advantages = estimate_advantages(rollout, settings.gamma, settings.gae_lambda).ravel()
    returns = advantages + decisions.values
    falling = LinearSchedule(settings.learning_rate, settings.final_learning_rate, 1.0)
    rate = falling(1.0 - progress.steps / settings.total_steps)
    measured = learn_in_epochs(tools, progress, decisions, advantages, returns, rate)
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
    tools: Tools,
    progress: Progress,
    decisions: Decisions,
    advantages: np.ndarray,
    returns: np.ndarray,
    rate: float,
) -> list[list[np.ndarray]]:
    """Take steps of Adam; the means of `MEASURES` for each batch of each epoch."""
    settings, n_chunks = tools.settings, -(-tools.settings.batch_size // CHUNK)
    weights = settings.clip_range, settings.ent_coef, settings.vf_coef
    gradients = np.empty((n_chunks, len(tools.network.parameters)), np.float32)
    measured: list[list[np.ndarray]] = []
    for _ in range(settings.n_epochs):
        measured.append([])
        for chosen in progress.rng.permutation(len(advantages)).reshape(-1, settings.batch_size):
            ours, measures = advantages[chosen], np.zeros((n_chunks, len(MEASURES)))
            if settings.normalize_advantage and len(chosen) > 1:
                ours = (ours - ours.mean()) / (ours.std(ddof=1) + np.float32(1e-8))
            tools.learn(
                n_chunks, tools.network, decisions, Batch(chosen, ours, returns, *weights, gradients, measures)
            )
            measured[-1].append(measures.sum(axis=0) / len(chosen))
            if settings.target_kl is not None and measured[-1][-1][APPROX_KL] > 1.5 * settings.target_kl:
                return measured
            step_adam(tools, progress, gradients.sum(axis=0), rate)
    return measured


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
    for moment, beta, power in zip(progress.moments, BETAS, (gradient, gradient * gradient), strict=True):
        moment += np.float32(1.0 - beta) * (power - moment)
    first, second = (1.0 - beta**progress.gradient_steps for beta in BETAS)
    deviation = np.sqrt(progress.moments[1]) / np.float32(np.sqrt(second)) + np.float32(EPSILON)
    tools.network.parameters[:] -= np.float32(rate / first) * progress.moments[0] / deviation
