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

from scml_gym.agents.behaviour_cloning.hyperparameters import BehaviourCloningHyperparameters
from scml_gym.core.errors import InputError
from scml_gym.offline.datasets import Decisions

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
        self._policy, self._decisions, self._settings, self._masked, self._seed = policy, decisions, settings, masked, seed
        self._learnt, self._held_out = np.flatnonzero(learnt), np.flatnonzero(~learnt)
        self._optimiser = torch.optim.Adam(
            policy.parameters(), settings.learning_rate, eps=1e-5, weight_decay=settings.weight_decay
        )
        self._order = np.zeros(0, dtype=np.int64)
        self.steps, self.total = 0, settings.epochs * len(self._learnt)

    @property
    def epoch(self) -> int:
        """Decisions of a pass."""
        return len(self._learnt)

    def learn(self) -> float:
        """A gradient step; its loss.

        Raises:
            InputError: if the loss is not finite.
        """
        size, epoch = self._settings.batch_size, self.epoch
        at, begun = self.steps % epoch, self.steps // epoch
        if at == 0 or not len(self._order):
            self._order = np.random.default_rng((self._seed, begun)).permutation(self._learnt)
        chosen = self._order[at : at + size]
        rate = LinearSchedule(self._settings.learning_rate, self._settings.final_learning_rate, 1.0)
        for group in self._optimiser.param_groups:
            group["lr"] = rate(1.0 - self.steps / self.total)
        loss = -self._likelihood(chosen)[0].mean()
        if not torch.isfinite(loss):
            raise InputError(f"the loss is {loss.item()} after {self.steps} decisions; take a lower agent.learning_rate")
        self._optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._policy.parameters(), self._settings.max_grad_norm)
        self._optimiser.step()
        self.steps += len(chosen)
        return float(loss.item())

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
        actions = torch.as_tensor(decisions.actions[chosen], device=policy.device)
        given = {"action_masks": decisions.masks[chosen]} if self._masked else {}
        distribution = policy.get_distribution(observations, **given)
        likeliest = distribution.mode().detach()
        same = (likeliest - actions).reshape(len(chosen), -1).abs().amax(dim=1) < 1e-3
        return distribution.log_prob(actions), same

    def arrays(self) -> dict[str, np.ndarray]:
        """Where it stands, apart from the parameters, as `np.savez` takes it."""
        moments = self._optimiser.state_dict()["state"]
        return {"steps": np.array(self.steps)} | {
            f"{i}_{name}": tensor.cpu().numpy() for i, state in moments.items() for name, tensor in state.items()
        }

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Go on where `arrays` were given.

        Raises:
            InputError: if they are of another version or another network.
        """
        state: dict[int, dict[str, torch.Tensor]] = {}
        try:
            self.steps = int(arrays["steps"])
            for name, array in arrays.items():
                if name != "steps":
                    index, _, moment = name.partition("_")
                    state.setdefault(int(index), {})[moment] = torch.from_numpy(array)
            self._optimiser.load_state_dict(self._optimiser.state_dict() | {"state": state})
        except (KeyError, ValueError, RuntimeError) as error:
            raise InputError(f"a training of another version: {' '.join(str(error).split())}") from error

