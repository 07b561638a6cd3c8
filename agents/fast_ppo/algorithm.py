"""Proximal policy optimisation as Stable-Baselines3 does it: rollouts, advantages, epochs of batches, Adam.

Sources: Schulman et al. 2017, https://arxiv.org/abs/1707.06347; generalised advantage estimation, Schulman et al. 2016,
https://arxiv.org/abs/1506.02438; Adam, Kingma and Ba 2015, https://arxiv.org/abs/1412.6980.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from stable_baselines3.common.utils import LinearSchedule, explained_variance

from scml_gym.agents.fast_ppo.network import CHUNK, read_network
from scml_gym.agents.fast_ppo.passes import (
    ACT,
    APPROX_KL,
    ENTROPY_LOSS,
    LEARN,
    MEASURES,
    POLICY_LOSS,
    VALUE_LOSS,
    Decisions,
)
from scml_gym.agents.sb3.batch import SUMMARY
from scml_gym.agents.sb3.fitting_sets import read_sets
from scml_gym.agents.sb3.hyperparameters import PPOHyperparameters
from scml_gym.core.errors import InputError
from scml_gym.core.registry import Registry
from scml_gym.vector.env import RowVectorEnv
from scml_gym.vector.workers import Workers

BETAS, EPSILON = (0.9, 0.999), 1e-5
"""Of Adam, as Stable-Baselines3 sets them."""

Facts = tuple[np.ndarray, np.ndarray, np.ndarray]
"""What is known of decisions without any weights: their inputs, rows and shares, see `Decisions`."""

FACTS = Registry("fast network")
"""How they are computed from observations, float32 ``(n, size)``.

Their names are those of `scml_gym.agents.sb3.hyperparameters.FEATURES`.
"""


def read_flat(observations: np.ndarray) -> Facts:
    """A single row."""
    return observations, observations[:, None], np.ones((len(observations), 1), np.float32)


FACTS.register("flatten", read_flat)
FACTS.register("sets", lambda observations: read_flat(read_sets(observations)[0]))
FACTS.register("partners", read_sets)


class Training:
    """What PPO learns with, and where it stands.

    Args:
        policy: Of torch, whose parameters change.
        heads: Options of each choice.
        settings: The hyperparameters.
        envs: Which are reset.
        masked: Whether only valid options are chosen.
        seeds: Its own, and that of the environments.

    Attributes:
        decisions: Of ``n_steps`` in ``n`` rows, a rollout, and those that are due after it: ``(n_steps + 1, n, ...)``.
        rewards, done: Of these steps, float32 and bool ``(n_steps, n)``.
        observations: Of the decisions that are due.
        moments: Adam's, float32 ``(2, parameters)``.
        returns, lengths: Of the running episode of each row: rewards and decisions so far, float64 ``(n,)``.
        steps, gradient_steps, logged: Decisions and steps of Adam so far, decisions until the last row of the curve.
        ended: Sum and number of what the episodes have told that ended since then.
    """

    def __init__(
        self,
        policy: Any,
        heads: Sequence[int],
        settings: PPOHyperparameters,
        envs: RowVectorEnv,
        masked: bool,
        seeds: tuple[int, int],
    ):
        self.settings, self.envs, self.masked = settings, envs, masked
        self.network, self.read_facts = read_network(policy, heads), FACTS.get(settings.features)
        self.act, self.learn = (Workers(step, settings.workers) for step in (ACT, LEARN))
        self.rng, (self.observations, _) = np.random.default_rng(seeds[0]), envs.reset(seed=seeds[1])
        self.moments = np.zeros((2, len(self.network.parameters)), np.float32)
        self.steps = self.gradient_steps = self.logged = 0
        self.ended: dict[str, tuple[float, int]] = {}
        n = len(self.observations)
        self.returns, self.lengths = np.zeros((2, n))
        known = self.known()
        kinds: list[tuple[tuple[int, ...], Any]] = [(part.shape[1:], np.float32) for part in known]
        kinds += [((sum(heads),), np.bool_), (known[2].shape[1:], np.bool_), ((len(heads),), np.int64)]
        kinds += [((), np.float32), ((), np.float32)]
        self.decisions = Decisions(*(np.ones((settings.n_steps + 1, n, *shape), kind) for shape, kind in kinds))
        self.rewards, self.done = (np.empty((settings.n_steps, n), kind) for kind in (np.float32, np.bool_))

    def known(self) -> Facts:
        """The facts of the decisions that are due."""
        flat = self.observations.reshape(len(self.observations), -1)
        return self.read_facts(np.ascontiguousarray(flat, np.float32))

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


def play(training: Training) -> None:
    """Fill a rollout from the decisions that are due."""
    envs, (n_steps, n) = training.envs, training.rewards.shape
    for step in range(n_steps + 1):
        due = Decisions(*(part[step] for part in training.decisions))
        for place, known in zip(due[:3], training.known(), strict=True):
            place[:] = known
        if training.masked:
            due.masks[:] = envs.action_masks()
        draws = training.rng.random(due.actions.shape, np.float32)
        training.act(-(-n // CHUNK), training.network, due, draws)
        if step < n_steps:  # the decisions after the last are there for their values
            actions = due.actions.reshape(envs.action_space.shape or ())
            training.observations, rewards, done, _, info = envs.step(actions)
            training.rewards[step], training.done[step] = rewards * training.settings.reward_scale, done
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


def estimate_advantages(training: Training) -> np.ndarray:
    """Generalised advantage estimation, float32, ``(n_steps, n)``."""
    values, advantages = training.decisions.values, np.empty_like(training.rewards)
    gamma, trace, running = np.float32(training.settings.gamma), training.settings.gae_lambda, np.zeros_like(values[0])
    for step in range(len(advantages) - 1, -1, -1):
        following = gamma * ~training.done[step] * (values[step + 1] + trace * running)
        running = advantages[step] = training.rewards[step] + following - values[step]
    return advantages


def update(training: Training) -> dict[str, float]:
    """Learn from a rollout; what Stable-Baselines3 tells of an update, by the same names.

    Raises:
        InputError: if a gradient is not finite.
    """
    settings, n = training.settings, training.rewards.size
    decisions = Decisions(*(part[:-1].reshape(n, *part.shape[2:]) for part in training.decisions))
    advantages = estimate_advantages(training).ravel()
    falling = LinearSchedule(settings.learning_rate, settings.final_learning_rate, 1.0)
    rate = falling(1.0 - training.steps / settings.total_steps)
    measured = learn_in_epochs(training, decisions, advantages, rate)
    mean, last = np.mean(np.concatenate(measured), axis=0), measured[-1][-1]
    return {
        "learning_rate": rate,
        **dict(zip(MEASURES, mean.tolist(), strict=True)),
        "approx_kl": np.mean(measured[-1], axis=0)[APPROX_KL],
        "loss": last[POLICY_LOSS] + settings.ent_coef * last[ENTROPY_LOSS] + settings.vf_coef * last[VALUE_LOSS],
        "explained_variance": float(explained_variance(decisions.values, decisions.values + advantages)),
        "clip_range": settings.clip_range,
    }


def learn_in_epochs(training: Training, decisions: Decisions, advantages: np.ndarray, rate: float) -> list[list[Any]]:
    """Take steps of Adam; the means of `MEASURES`, for each batch of each epoch."""
    settings, returns, measured = training.settings, decisions.values + advantages, list[list[Any]]()
    weights, n_chunks = (settings.clip_range, settings.ent_coef, settings.vf_coef), -(-settings.batch_size // CHUNK)
    gradients = np.empty((n_chunks, len(training.network.parameters)), np.float32)
    for _ in range(settings.n_epochs):
        measured.append([])
        for chosen in training.rng.permutation(len(returns)).reshape(-1, settings.batch_size):
            ours, measures = advantages[chosen], np.zeros((n_chunks, len(MEASURES)))
            if settings.normalize_advantage and len(chosen) > 1:
                ours = (ours - ours.mean()) / (ours.std(ddof=1) + np.float32(1e-8))
            batch = chosen, ours, returns, weights, gradients, measures
            training.learn(n_chunks, training.network, decisions, *batch)
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
