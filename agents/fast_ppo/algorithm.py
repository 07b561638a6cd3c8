"""Proximal policy optimisation as Stable-Baselines3 does it: rollouts, advantages, epochs of batches, Adam.

Sources: Schulman et al. 2017, https://arxiv.org/abs/1707.06347; generalised advantage estimation, Schulman et al. 2016,
https://arxiv.org/abs/1506.02438.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from stable_baselines3.common.utils import LinearSchedule, explained_variance

from scml_gym.agents.adam import Adam
from scml_gym.agents.fast_ppo import passes
from scml_gym.agents.fast_ppo.network import read_network
from scml_gym.agents.fast_ppo.passes import CHUNK, MEASURES, Decisions
from scml_gym.agents.sb3.batch import SUMMARY, RunningEpisodes
from scml_gym.agents.sb3.facts import FACTS, Facts
from scml_gym.agents.sb3.training import EpisodeMeans
from scml_gym.core.errors import InputError
from scml_gym.vector.env import RowVectorEnv
from scml_gym.vector.workers import Workers


class Training:
    """What PPO learns with, and where it stands.

    Args:
        policy: Of torch, whose parameters change.
        heads: Options of each choice.
        settings: `scml_gym.agents.sb3.hyperparameters.PPOHyperparameters`.
        envs: Which are reset.
        masked: Whether only valid options are chosen.
        seeds: Its own, and that of the environments.

    Attributes:
        decisions: Of ``n_steps`` in ``n`` rows, a rollout, and those that are due after it: ``(n_steps + 1, n, ...)``.
        rewards, done: Of these steps, float32 and bool ``(n_steps, n)``.
        observations: Of the decisions that are due.
        steps, logged: Decisions so far, and until the last row of the curve.
        ended: What the episodes have told that ended since then.
    """

    def __init__(
        self, policy: Any, heads: Sequence[int], settings: Any, envs: RowVectorEnv, masked: bool, seeds: tuple[int, int]
    ):
        self.settings, self.envs, self.masked = settings, envs, masked
        self.network, self.read_facts = read_network(policy, heads), FACTS.get(settings.features)
        self.act, self.learn = (Workers(step, settings.workers) for step in (passes.ACT, passes.LEARN))
        self.rng, (self.observations, _) = np.random.default_rng(seeds[0]), envs.reset(seed=seeds[1])
        self.adam = Adam(self.network.parameters, settings.max_grad_norm)
        self.steps, self.logged, self.ended = 0, 0, EpisodeMeans()
        steps, n, known = settings.n_steps, len(self.observations), self.known()
        shapes = [part.shape[1:] for part in known] + [(sum(heads),), known[2].shape[1:], (len(heads),), (), ()]
        parts = (np.ones((steps + 1, n, *shape), kind) for shape, kind in zip(shapes, passes.KINDS, strict=True))
        self.decisions, self.episodes = Decisions(*parts), RunningEpisodes(n)
        self.rewards, self.done = np.empty((steps, n), np.float32), np.empty((steps, n), np.bool_)

    def known(self) -> Facts:
        """The facts of the decisions that are due."""
        flat = self.observations.reshape(len(self.observations), -1)
        return self.read_facts(np.ascontiguousarray(flat, np.float32))

    def arrays(self) -> dict[str, np.ndarray]:
        """Where it stands, apart from the parameters, as `np.savez` takes it."""
        counts = {"steps": self.steps, "gradient_steps": self.adam.steps, "logged": self.logged}
        told = np.array(json.dumps(counts | {"ended": self.ended.sums, "rng": self.rng.bit_generator.state}))
        state = {f"env_{name}": array for name, array in self.envs.state().items()}
        return {"moments": self.adam.moments, "told": told} | vars(self.episodes) | state

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Go on where `arrays` were given.

        Raises:
            InputError: if another version of this learner gave them, or other environments.
        """
        try:
            told = json.loads(str(arrays["told"]))
            self.adam.moments, self.adam.steps = arrays["moments"], told["gradient_steps"]
            self.rng.bit_generator.state, self.ended.sums = told["rng"], told["ended"]
            self.steps, self.logged = told["steps"], told["logged"]
            vars(self.episodes).update({name: arrays[name] for name in vars(self.episodes)})
        except KeyError as error:
            raise InputError(f"a training of another version, without {error}: begin a new run") from error
        self.observations = self.envs.restore({n[4:]: array for n, array in arrays.items() if n.startswith("env_")})


def play(training: Training) -> None:
    """Fill a rollout from the decisions that are due."""
    envs, n_steps, shape = training.envs, len(training.rewards), training.envs.action_space.shape or ()
    for step in range(n_steps + 1):
        due = Decisions(*(part[step] for part in training.decisions))
        for place, known in zip(due, training.known(), strict=False):
            place[:] = known
        if training.masked:
            due.masks[:] = envs.action_masks()
        draws = training.rng.random(due.actions.shape, np.float32)
        training.act(-(-len(draws) // CHUNK), training.network, due, draws)
        if step < n_steps:  # the decisions after the last are there for their values
            training.observations, rewards, done, _, info = envs.step(due.actions.reshape(shape))
            learnt = (rewards - training.settings.decision_cost) * training.settings.reward_scale
            training.rewards[step], training.done[step] = learnt, done
            told = dict(zip(("return", "length"), training.episodes.step(rewards, done), strict=True))
            final = info.get("final_info", {})
            training.ended.add(told | {k: final[k][done & final[f"_{k}"]] for k in SUMMARY if k in final})
    training.steps += training.rewards.size


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
    settings, n, measured = training.settings, training.rewards.size, list[np.ndarray]()
    decisions = Decisions(*(part[:-1].reshape(n, *part.shape[2:]) for part in training.decisions))
    advantages = estimate_advantages(training).ravel()
    returns, n_batches = decisions.values + advantages, n // settings.batch_size
    falling = LinearSchedule(settings.learning_rate, settings.final_learning_rate, 1.0)
    rate = falling(1.0 - training.steps / settings.total_steps)
    weights, n_chunks = (settings.clip_range, settings.ent_coef, settings.vf_coef), -(-settings.batch_size // CHUNK)
    gradients = np.empty((n_chunks, len(training.network.parameters)), np.float32)
    epochs = (training.rng.permutation(n).reshape(n_batches, -1) for _ in range(settings.n_epochs))
    for chosen in (batch for batches in epochs for batch in batches):
        ours, measures = advantages[chosen], np.zeros((n_chunks, len(MEASURES)))
        if settings.normalize_advantage and len(chosen) > 1:
            ours = (ours - ours.mean()) / (ours.std(ddof=1) + np.float32(1e-8))
        batch = chosen, ours, returns, weights, gradients, measures
        training.learn(n_chunks, training.network, decisions, *batch)
        measured.append(measures.sum(axis=0) / len(chosen))
        if settings.target_kl is not None and measured[-1][passes.APPROX_KL] > 1.5 * settings.target_kl:
            break
        training.adam.descend(gradients, rate, training.steps)
    last, last_epoch = measured[-1], measured[(len(measured) - 1) // n_batches * n_batches :]
    return {
        "learning_rate": rate,
        **dict(zip(MEASURES, np.mean(measured, axis=0).tolist(), strict=True)),
        "approx_kl": np.mean(last_epoch, axis=0)[passes.APPROX_KL],
        "loss": last[passes.POLICY_LOSS]
        + settings.ent_coef * last[passes.ENTROPY_LOSS]
        + settings.vf_coef * last[passes.VALUE_LOSS],
        "explained_variance": float(explained_variance(decisions.values, returns)),
        "clip_range": settings.clip_range,
    }
