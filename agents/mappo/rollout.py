"""Playing worlds with a policy: what was seen, done and paid, and how much better each action was than expected."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from scml_gym.agents.mappo.networks import Actor
from scml_gym.agents.mappo.worlds import Outcome, Seen, Worlds
from scml_gym.agents.sb3.batch import RunningEpisodes
from scml_gym.agents.sb3.training import EpisodeMeans


class Decisions(NamedTuple):
    """Decisions of all agents, ``(steps, worlds, agents, ...)``; flat, ``(steps * worlds, agents, ...)``."""

    inputs: Tensor  # float32 (..., inputs)
    masks: Tensor  # bool (..., options)
    present: Tensor  # bool: who was there
    active: Tensor  # bool: who had something to answer
    actions: Tensor  # int64 (..., heads)
    logs: Tensor  # float32: the logarithm of the probability that the action had
    played: Tensor  # bool: the action was played as it was chosen


class Rollout(NamedTuple):
    """Decisions, and what came of them: rewards float32, flags bool, all ``(steps, worlds, agents)``."""

    decisions: Decisions
    rewards: Tensor
    ended: Tensor
    last: list[tuple[int, Seen]]  # what agents saw last where an episode was stopped: with the step
    cut: Tensor
    following: Seen  # of the decisions that are due


def draw(actor: Actor, inputs: Tensor, masks: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw choices, int64 ``(n, heads)``, and the logarithms of their probabilities, ``(n,)``."""
    choices, total = [], torch.zeros(len(inputs))
    for logs in actor.log_probabilities(inputs, masks):
        noise = -torch.empty_like(logs).exponential_(generator=generator).log()
        chosen = (logs + noise).argmax(dim=-1, keepdim=True)
        total += logs.gather(1, chosen)[:, 0]
        choices.append(chosen)
    return torch.cat(choices, dim=1), total


class Player:
    """Plays worlds, and keeps where they stand and what their episodes told.

    Args:
        worlds: To be played.
        generator: Of the choices.

    Attributes:
        seen: Of the decisions that are due.
        returns: Of the episodes that run, undiscounted, float64 ``(worlds, agents)``.
        told: Of episodes that ended since the last row of the curve.
    """

    def __init__(self, worlds: Worlds, generator: torch.Generator):
        self.worlds, self.generator = worlds, generator
        self.seen: Any = None
        self.episodes, self.told = RunningEpisodes(0), EpisodeMeans()

    def reset(self, seed: int) -> None:
        """Begin new episodes everywhere."""
        self.seen = self.worlds.reset(seed)
        self.episodes = RunningEpisodes(len(self.seen.present))

    @torch.no_grad()
    def play(self, actor: Actor, n_steps: int) -> Rollout:
        """A rollout of so many steps of each world."""
        rows: list[tuple[Any, ...]] = []
        last: list[tuple[int, Seen]] = []
        for step in range(n_steps):
            seen, shape = self.seen, self.seen.present.shape
            n = shape[0] * shape[1]
            inputs, masks = (torch.from_numpy(part.reshape(n, -1)) for part in seen[:2])
            actions, logs = draw(actor, inputs, masks, self.generator)
            choices = actions.numpy().reshape(*shape, -1)
            self.seen, outcome = self.worlds.step(choices)
            self._count(outcome)
            if outcome.last is not None:
                last.append((step, outcome.last))
            left = seen.present & ~self.seen.present
            results = outcome.rewards.astype(np.float32), outcome.ended | left, outcome.cut
            rows.append((*seen, choices, logs.numpy().reshape(shape), ~outcome.changed, *results))
        stacked = [torch.from_numpy(np.stack(parts)) for parts in zip(*rows, strict=True)]
        rewards, ended, cut = stacked[7:]
        return Rollout(Decisions(*stacked[:7]), rewards, ended, last, cut, self.seen)

    def _count(self, outcome: Outcome) -> None:
        """Returns (the mean over agents) and lengths of the episodes that ended, and what they told."""
        totals, lengths = self.episodes.step(outcome.rewards.mean(axis=1), outcome.over)
        self.told.add({"return": totals, "length": lengths} | dict(outcome.told))


def generalised_advantages(
    rewards: Tensor, values: Tensor, following: Tensor, ended: Tensor, gamma: float, trace: float
) -> Tensor:
    """Generalised advantages (Schulman et al. 2016, https://arxiv.org/abs/1506.02438).

    Args:
        rewards: ``(steps, ...)``; where an episode was stopped, with the discounted value of what was seen last.
        values: Of the decisions.
        following: Of the decisions after the last, ``(...)``.
        ended: Bool: what follows does not count.
        gamma: Discount.
        trace: Lambda.
    """
    advantages, running = torch.empty_like(rewards), torch.zeros_like(following)
    for step in range(len(rewards) - 1, -1, -1):
        goes_on = gamma * ~ended[step]
        running = rewards[step] + goes_on * (following + trace * running) - values[step]
        advantages[step], following = running, values[step]
    return advantages
