"""What behaviour cloning learns with, and where it stands: decisions, their likelihood, Adam.

Source: Pomerleau 1991, *Efficient Training of Artificial Neural Networks for Autonomous Navigation*; the loss is the
negative log-likelihood of the recorded actions among the valid ones, or Huber's of the means of actions that are
numbers. Numbers of an action that say nothing, such as the price of what is not wanted, are not learnt from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.utils import LinearSchedule

from scml_gym.agents.adam import Adam
from scml_gym.agents.behaviour_cloning.hyperparameters import BehaviourCloningHyperparameters
from scml_gym.agents.sb3.heads import Heads
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
        meant: Which numbers of the actions say something, bool, ``(n, numbers)``; None for all.

    Attributes:
        steps: Decisions learnt from so far.
        total: Of the whole training.
    """

    def __init__(
        self,
        policy: Any,
        decisions: Decisions,
        settings: BehaviourCloningHyperparameters,
        masked: bool,
        seed: int,
        meant: np.ndarray | None = None,
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
        self._meant = None if meant is None or meant.all() else meant
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
        loss = (self._errors if self._settings.loss == "huber" else self._surprises)(chosen).mean()
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
        loss, met = 0.0, 0.0
        with torch.no_grad():
            for start in range(0, len(self._held_out), CHUNK):
                chosen = self._held_out[start : start + CHUNK]
                loss += float((self._errors if self._settings.loss == "huber" else self._surprises)(chosen).sum())
                met += float(self._met(chosen).sum())
        return {"held_out_loss": loss / len(self._held_out), "held_out_met": met / len(self._held_out)}

    def _distribution(self, chosen: np.ndarray) -> Any:
        """What the policy does in recorded decisions."""
        seen = self._decisions.observations
        shown = {k: v[chosen] for k, v in seen.items()} if isinstance(seen, Mapping) else seen[chosen]
        observations, _ = self._policy.obs_to_tensor(shown)
        given = {"action_masks": self._decisions.masks[chosen]} if self._masked else {}
        return self._policy.get_distribution(observations, **given)

    def _recorded(self, chosen: np.ndarray) -> torch.Tensor:
        recorded = self._decisions.actions[chosen]
        return torch.as_tensor(recorded.reshape(len(chosen), -1) if recorded.ndim > 2 else recorded)

    def _told(self, chosen: np.ndarray) -> torch.Tensor | float:
        """1 for the numbers of actions that say something, 0 for others."""
        return 1.0 if self._meant is None else torch.as_tensor(self._meant[chosen], dtype=torch.float32)

    def _surprises(self, chosen: np.ndarray) -> torch.Tensor:
        """Of recorded actions, the negative logarithms of their probabilities."""
        distribution, actions = self._distribution(chosen), self._recorded(chosen)
        if self._meant is None:
            return -distribution.log_prob(actions)
        return -(self._told(chosen) * log_probs(distribution, actions)).sum(dim=1)

    def _errors(self, chosen: np.ndarray) -> torch.Tensor:
        """Of recorded actions, Huber's loss of the means, summed."""
        means, actions = self._distribution(chosen).mode(), self._recorded(chosen)
        errors = torch.nn.functional.huber_loss(means, actions, reduction="none")
        return (self._told(chosen) * errors).reshape(len(chosen), -1).sum(dim=1)

    def _met(self, chosen: np.ndarray) -> torch.Tensor:
        """Whether the likeliest actions are the recorded ones, as far as these say something."""
        off = (self._distribution(chosen).mode() - self._recorded(chosen)).reshape(len(chosen), -1).abs()
        return (self._told(chosen) * off).amax(dim=1) < 1e-3

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


def log_probs(distribution: Any, actions: torch.Tensor) -> torch.Tensor:
    """The logarithm of the probability of each number of actions, ``(n, numbers)``."""
    if isinstance(distribution, Heads):
        return distribution.log_probs(actions)
    return distribution.distribution.log_prob(actions)  # independent numbers of a Box


def in_one_array(policy: Any) -> np.ndarray:
    """The parameters of a policy of torch, float32 ``(n,)``, which from now on are parts of this array."""
    parameters = list(policy.parameters())
    together = np.concatenate([p.detach().numpy().ravel() for p in parameters])
    ends = np.cumsum([p.numel() for p in parameters])
    for parameter, end in zip(parameters, ends, strict=True):
        parameter.data = torch.from_numpy(together[end - parameter.numel() : end]).reshape(parameter.shape)
    return together
