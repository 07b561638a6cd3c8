"""Episodes as arrays, and windows of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from scml_gym.agents.decision_transformer.forms import Actions, Observations
from scml_gym.agents.decision_transformer.network import Windows
from scml_gym.core.errors import InputError
from scml_gym.offline.reading import Decisions

LEAST_DEVIATION = 1e-3
"""Of numbers that observations, returns and rewards are divided by; what hardly varies stays small."""

BEST = 0.1
"""Share of the episodes whose mean return is played for where nothing else is said."""


@dataclass(frozen=True)
class Sequences:
    """Episodes, one after the other, of ``n`` decisions in all.

    Attributes:
        observations: Float32 ``(n, width)``, see `scml_gym.agents.decision_transformer.forms.Observations.rows`.
        actions: Float32 ``(n, width)``, see `scml_gym.agents.decision_transformer.forms.Choices.rows`.
        masks: Bool ``(n, options)``, in the order of the actions' rows.
        rewards: Float32 ``(n,)``.
        starts: The first decision of each episode, int64 ``(episodes,)``, ascending from 0.
        groups: Of each episode; those of a group stand together, and all of them are held out, or none. Int64
            ``(episodes,)``.
        promised: Of each decision, whether it is told what is still to come, bool ``(n,)``; else it sees the mean.
    """

    observations: np.ndarray
    actions: np.ndarray
    masks: np.ndarray
    rewards: np.ndarray
    starts: np.ndarray
    groups: np.ndarray
    promised: np.ndarray

    @property
    def ends(self) -> np.ndarray:
        """The decision after the last one of each episode."""
        return np.append(self.starts[1:], len(self.rewards))

    def returns(self) -> np.ndarray:
        """What is still to come at each decision, its own reward included, float32 ``(n,)``."""
        lengths = self.ends - self.starts
        total = np.add.reduceat(self.rewards.astype(np.float64), self.starts)
        before = np.cumsum(self.rewards, dtype=np.float64) - self.rewards
        return (np.repeat(total + before[self.starts], lengths) - before).astype(np.float32)

    def steps(self) -> np.ndarray:
        """The place of each decision in its episode, int64 ``(n,)``."""
        return np.arange(len(self.rewards)) - np.repeat(self.starts, self.ends - self.starts)


def sequences_of(decisions: Decisions, seen: Observations, done: Actions) -> Sequences:
    """The decisions of datasets as episodes."""
    n = len(decisions.rewards)
    starts = np.flatnonzero(np.diff(decisions.episodes, prepend=-1))
    return Sequences(
        seen.rows(decisions.observations, n),
        done.rows(decisions.actions),
        done.masks(decisions.masks),
        decisions.rewards.astype(np.float32),
        starts,
        np.arange(len(starts)),
        np.ones(n, np.bool_),
    )


def split(sequences: Sequences, held_out: float) -> tuple[np.ndarray, np.ndarray]:
    """The episodes that are learnt from, and those of the last groups, which are not.

    Raises:
        InputError: if there is no episode.
    """
    episodes = len(sequences.starts)
    if not episodes:
        raise InputError("no episodes to learn from")
    begins = np.flatnonzero(np.diff(sequences.groups, prepend=sequences.groups[0] - 1))
    first_held_out = max(1, round(len(begins) * (1 - held_out)))
    learnt = int(np.append(begins, episodes)[first_held_out])
    return np.arange(learnt), np.arange(learnt, episodes)


def scale_of(sequences: Sequences, learnt: np.ndarray, target: float | None) -> np.ndarray:
    """See `scml_gym.agents.decision_transformer.network.DecisionTransformer.scale`; of the episodes learnt from."""
    end = sequences.ends[learnt[-1]]
    returns, rewards = sequences.returns()[:end], sequences.rewards[:end]
    whole = np.sort(returns[sequences.starts[learnt]])
    best = whole[-max(1, round(BEST * len(whole))) :].mean() if target is None else target
    parts = (returns.mean(), returns.std(), rewards.mean(), rewards.std(), best)
    scale = np.array(parts, np.float32)
    scale[[1, 3]] = np.maximum(scale[[1, 3]], LEAST_DEVIATION)
    return scale


def windows_of(
    sequences: Sequences, episodes: np.ndarray, context: int, begins: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Episodes cut into windows, so that each decision is in one of them: their first decisions, and those after their
    last ones.

    Args:
        sequences: All episodes.
        episodes: Which of them.
        context: Decisions of a window.
        begins: For each of them, how many decisions the first window lacks, 0 to ``context - 1``.
    """
    starts, ends = sequences.starts[episodes], sequences.ends[episodes]
    counts = -((starts - begins - ends) // context)
    first = np.repeat(starts - begins, counts)
    nth = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    begin = first + nth * context
    end = np.minimum(begin + context, np.repeat(ends, counts))
    begin = np.maximum(begin, np.repeat(starts, counts))
    there = begin < end
    return begin[there], end[there]


class Batches:
    """Windows as tensors.

    Args:
        sequences: All episodes.
        scale: See `scale_of`.
        context: Decisions of a window.
    """

    def __init__(self, sequences: Sequences, scale: np.ndarray, context: int):
        self._sequences, self._context = sequences, context
        self._returns = (sequences.returns() - scale[0]) / scale[1] * sequences.promised
        self._rewards = (sequences.rewards - scale[2]) / scale[3]
        self._steps = sequences.steps()

    def take(self, begin: np.ndarray, end: np.ndarray) -> tuple[Windows, torch.Tensor, np.ndarray]:
        """Windows; which of their decisions are there, bool ``(batch, n)``; and which decisions these are."""
        n = int((end - begin).max())
        places = begin[:, None] + np.arange(n)
        there = places < end[:, None]
        places = np.minimum(places, len(self._returns) - 1)
        windows = Windows(
            torch.from_numpy(self._returns[places]),
            torch.from_numpy(self._sequences.observations[places]),
            torch.from_numpy(self._sequences.actions[places]),
            torch.from_numpy(self._steps[places]),
        )
        return windows, torch.from_numpy(there), places[there]

    def done(self, places: np.ndarray) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Actions, masks and rewards of decisions."""
        parts = self._sequences.actions, self._sequences.masks, self._rewards
        actions, masks, rewards = (torch.from_numpy(part[places]) for part in parts)
        return actions, masks, rewards
