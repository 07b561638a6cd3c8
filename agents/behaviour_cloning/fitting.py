"""What behaviour cloning learns with, and where it stands: decisions, their likelihood, Adam.

Source: Pomerleau 1991, *Efficient Training of Artificial Neural Networks for Autonomous Navigation*; the loss is the
negative log-likelihood of the recorded actions among the valid ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.utils import LinearSchedule

from scml_gym.agents.adam import Adam
from scml_gym.agents.behaviour_cloning.hyperparameters import BehaviourCloningHyperparameters
from scml_gym.core.errors import InputError
from scml_gym.offline.reading import Decisions

CHUNK = 8192
"""Decisions that are looked at together where nothing is learnt."""


class Fitting:
    """A policy and the decisions that it learns from.

    Args:
        policy: Of torch, whose parameters change.
        decisions: All of them.
        settings: How it learns.
        masked: Whether it knows masks.
        seed: Of the order in which decisions are learnt from.

    Attributes:
        steps: Decisions learnt from so far.
        total: Of the whole training.
    """

    def __init__(
        self, policy: Any, decisions: Decisions, settings: BehaviourCloningHyperparameters, masked: bool, seed: int
    ):
        episodes = int(decisions.episodes[-1]) + 1
        learnt = decisions.episodes < max(1, round(episodes * (1 - settings.held_out)))
        self._policy, self._decisions, self._settings, self._masked, self._seed = (
            policy,
            decisions,
            settings,
            masked,
            seed,
        )
        self._learnt, self._held_out = np.flatnonzero(learnt), np.flatnonzero(~learnt)
        self._adam = Adam(in_one_array(policy), settings.max_grad_norm)
        self._order, self._losses = np.zeros(0, dtype=np.int64), np.zeros(2)
        self.steps, self.total = 0, settings.epochs * len(self._learnt)

    @property
    def epoch(self) -> int:
        """Decisions of a pass."""
        return len(self._learnt)

    def learn(self) -> None:
        """A gradient step.

        Raises:
            InputError: if the gradient is not finite.
        """
        size, epoch = self._settings.batch_size, self.epoch
        at, begun = self.steps % epoch, self.steps // epoch
        if at == 0 or not len(self._order):
            self._order = np.random.default_rng((self._seed, begun)).permutation(self._learnt)
        chosen = self._order[at : at + size]
        rate = LinearSchedule(self._settings.learning_rate, self._settings.final_learning_rate, 1.0)
        self._policy.zero_grad()
        loss = -self._likelihood(chosen)[0].mean()
        loss.backward()
        slopes = [p.new_zeros(p.shape) if p.grad is None else p.grad for p in self._policy.parameters()]
        gradient = np.concatenate([slope.numpy().ravel() for slope in slopes])
        self._adam.descend(gradient[None], rate(1.0 - self.steps / self.total), self.steps)
        self.steps += len(chosen)
        self._losses += loss.item(), 1

    def take_loss(self) -> float:
        """The mean loss of the steps since this was last called."""
        mean = float(self._losses[0] / self._losses[1])
        self._losses[:] = 0
        return mean

    def measure(self) -> dict[str, float]:
        """How well the decisions that are held out are met: ``held_out_loss``, and ``held_out_met``, the share of them
        whose likeliest action is the recorded one; nothing where none are held out."""
        if not len(self._held_out):
            return {}
        likelihood, met = 0.0, 0.0
        with torch.no_grad():
            for start in range(0, len(self._held_out), CHUNK):
                logs, same = self._likelihood(self._held_out[start : start + CHUNK])
                likelihood, met = likelihood + float(logs.sum()), met + float(same.sum())
        return {"held_out_loss": -likelihood / len(self._held_out), "held_out_met": met / len(self._held_out)}

    def _likelihood(self, chosen: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """Of recorded actions, the logarithms of their probabilities, and which of them are the likeliest."""
        policy, decisions = self._policy, self._decisions
        seen = decisions.observations
        shown = {k: v[chosen] for k, v in seen.items()} if isinstance(seen, Mapping) else seen[chosen]
        observations, _ = policy.obs_to_tensor(shown)
        recorded = decisions.actions[chosen]
        actions = torch.as_tensor(recorded.reshape(len(chosen), -1) if recorded.ndim > 2 else recorded)
        given = {"action_masks": decisions.masks[chosen]} if self._masked else {}
        distribution = policy.get_distribution(observations, **given)
        likeliest = distribution.mode().detach()
        same = (likeliest - actions).reshape(len(chosen), -1).abs().amax(dim=1) < 1e-3
        return distribution.log_prob(actions), same

    def arrays(self) -> dict[str, np.ndarray]:
        """Where it stands, apart from the parameters, as `np.savez` takes it."""
        counts = np.array([self.steps, self._adam.steps])
        return {"counts": counts, "losses": self._losses, "moments": self._adam.moments}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Go on where `arrays` were given.

        Raises:
            InputError: if they are of another version or another network.
        """
        if {"counts", "losses", "moments"} - arrays.keys() or arrays["moments"].shape != self._adam.moments.shape:
            raise InputError("a training of another version, or of another network: begin a new run")
        self.steps, self._adam.steps = arrays["counts"].tolist()
        self._losses, self._adam.moments = arrays["losses"], arrays["moments"]


def in_one_array(policy: Any) -> np.ndarray:
    """The parameters of a policy of torch, float32 ``(n,)``, which from now on are parts of this array."""
    parameters = list(policy.parameters())
    together = np.concatenate([p.detach().numpy().ravel() for p in parameters])
    ends = np.cumsum([p.numel() for p in parameters])
    for parameter, end in zip(parameters, ends, strict=True):
        parameter.data = torch.from_numpy(together[end - parameter.numel() : end]).reshape(parameter.shape)
    return together
