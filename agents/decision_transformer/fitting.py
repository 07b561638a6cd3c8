"""What a Decision Transformer learns with, and where it stands: episodes, the likelihood of their actions, Adam."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from stable_baselines3.common.utils import LinearSchedule

from scml_gym.agents.adam import Adam
from scml_gym.agents.behaviour_cloning.fitting import in_one_array
from scml_gym.agents.decision_transformer.hyperparameters import SequenceHyperparameters
from scml_gym.agents.decision_transformer.network import NEAR, DecisionTransformer
from scml_gym.agents.decision_transformer.sequences import (
    LEAST_DEVIATION,
    Batches,
    Sequences,
    scale_of,
    split,
    windows_of,
)
from scml_gym.core.errors import InputError

PARTS = 4
"""Of the windows of a gradient step, by their lengths: short ones are not filled up to long ones."""

LEAST_NEW = 0.1
"""Of deviations that `measure_new` finds."""

CHUNK = 256
"""Windows that are looked at together where nothing is learnt."""


def fit_scales(network: DecisionTransformer, sequences: Sequences, held_out: float, target: float | None) -> None:
    """Let a network measure observations, returns and rewards as the episodes that are learnt from do."""
    learnt, _ = split(sequences, held_out)
    network.scale.copy_(torch.from_numpy(scale_of(sequences, learnt, target)))
    if network.numbers is not None:
        seen = sequences.observations[: sequences.ends[learnt[-1]]]
        network.mean.copy_(torch.from_numpy(seen.mean(axis=0)))
        deviation = seen.std(axis=0)  # what never varied is not blown up where it does in play
        network.deviation.copy_(torch.from_numpy(np.where(deviation < LEAST_DEVIATION, 1.0, deviation)))


def measure_new(network: DecisionTransformer, observations: np.ndarray) -> None:
    """Let a network measure what never varied in what it learnt as other observations do, ``(n, width)``; where it saw
    nothing but zeros, that changes nothing of what it does with them. What seldom varies is blown up a little only."""
    new = (network.deviation.numpy() == 1.0) & (network.mean.numpy() == 0.0)
    deviation = observations.std(axis=0).astype(np.float32)
    new &= deviation >= LEAST_DEVIATION
    network.deviation[torch.from_numpy(new)] = torch.from_numpy(np.maximum(deviation[new], LEAST_NEW))


class Judged(NamedTuple):
    """How well ``n`` recorded decisions are met.

    Attributes:
        logs: The logarithm of the likelihood of each choice given those before it, float32 ``(n, choices)``.
        likeliest: Which choices are the likeliest given those before them, bool ``(n, choices)``.
        met: Whether the action that is chosen is the recorded one, bool ``(n,)``.
        errors: Squared errors of rewards, in deviations, float32 ``(n,)``.
    """

    logs: np.ndarray
    likeliest: np.ndarray
    met: np.ndarray
    errors: np.ndarray


def judge(network: DecisionTransformer, sequences: Sequences, episodes: np.ndarray, context: int) -> Judged:
    """How well a network meets all decisions of some episodes, in order, in windows that begin with the episode."""
    batches = Batches(sequences, network.scale.numpy(), context)
    begin, end = windows_of(sequences, episodes, context, np.zeros(len(episodes), np.int64))
    parts = []
    with torch.no_grad():
        for start in range(0, len(begin), CHUNK):
            chosen = slice(start, start + CHUNK)
            logs, likeliest, errors, told, places = _look(network, batches, begin[chosen], end[chosen])
            actions, masks, _ = batches.done(places)
            picked, _ = network.heads.choose(told, masks, None, None)
            met = ((picked - actions).abs() < NEAR).all(dim=1)
            parts.append([part.numpy() for part in (logs, likeliest, met, errors)])
    return Judged(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _look(network: DecisionTransformer, batches: Batches, begin: np.ndarray, end: np.ndarray) -> tuple[Any, ...]:
    """Of the decisions in some windows: the logarithms of the likelihoods of their choices, which of these are the
    likeliest, the squared errors of their rewards, what the network says of them, and which decisions they are."""
    windows, there, places = batches.take(begin, end)
    told = network(windows)[there]
    actions, masks, rewards = batches.done(places)
    logs, likeliest, known = network.heads.log_likelihood(told, actions, masks)
    return logs, likeliest, (network.predicted(known) - rewards) ** 2, told, places


class Fitting:
    """A network and the episodes that it learns from.

    Args:
        network: Whose parameters change, with its scales.
        sequences: All episodes.
        settings: How it learns.
        seed: Of the windows, and the order in which they are learnt from.

    Attributes:
        steps: Decisions learnt from so far.
        total: Of the whole training.
    """

    def __init__(
        self, network: DecisionTransformer, sequences: Sequences, settings: SequenceHyperparameters, seed: int
    ):
        self._network, self._sequences, self._settings, self._seed = network, sequences, settings, seed
        self._learnt, self._held_out = split(sequences, settings.held_out)
        self._batches = Batches(sequences, network.scale.numpy(), settings.context)
        self._adam = Adam(in_one_array(network), settings.max_grad_norm)
        self._passes, self._at, self._losses = -1, 0, np.zeros(2)
        self._begin = self._end = np.zeros(0, np.int64)
        self.steps = 0
        self.epoch = int(sequences.ends[self._learnt[-1]])
        self.total = settings.epochs * self.epoch

    def _cut(self) -> None:
        """The windows of the present pass."""
        passes, context = self.steps // self.epoch, self._settings.context
        if passes == self._passes:
            return
        draws = np.random.default_rng((self._seed, passes))
        lengths = self._sequences.ends[self._learnt] - self._sequences.starts[self._learnt]
        begins = draws.integers(context, size=len(self._learnt)) * (lengths > context)  # others are whole
        begin, end = windows_of(self._sequences, self._learnt, context, begins)
        order = draws.permutation(len(begin))
        self._begin, self._end, self._passes = begin[order], end[order], passes
        self._at = int(np.searchsorted(np.cumsum(self._end - self._begin), self.steps % self.epoch, side="right"))

    def learn(self) -> None:
        """A gradient step.

        Raises:
            InputError: if the gradient is not finite.
        """
        self._cut()
        settings = self._settings
        chosen = slice(self._at, self._at + max(1, settings.batch_size // settings.context))
        rate = LinearSchedule(settings.learning_rate, settings.final_learning_rate, 1.0)
        self._network.zero_grad()
        lengths = (self._end - self._begin)[chosen]
        learnt, total = int(lengths.sum()), 0.0
        for part in np.array_split(np.argsort(lengths, kind="stable"), min(PARTS, len(lengths))):
            begin, end = self._begin[chosen][part], self._end[chosen][part]
            logs, _, errors, *_ = _look(self._network, self._batches, begin, end)
            likelihood = logs.sum()
            ((settings.reward_loss * errors.sum() - likelihood) / learnt).backward()
            total -= likelihood.item()
        slopes = [p.new_zeros(p.shape) if p.grad is None else p.grad for p in self._network.parameters()]
        gradient = np.concatenate([slope.numpy().ravel() for slope in slopes])
        self._adam.descend(gradient[None], rate(1.0 - self.steps / self.total), self.steps)
        self.steps, self._at = self.steps + learnt, chosen.stop
        self._losses += total / learnt, 1

    def take_loss(self) -> float:
        """The mean loss of the steps since this was last called, in logarithms of an action's likelihood."""
        mean = float(self._losses[0] / self._losses[1])
        self._losses[:] = 0
        return mean

    def measure(self) -> dict[str, float]:
        """How well the decisions that are held out are met: ``held_out_loss``; ``held_out_met``, the share of them
        whose chosen action is the recorded one; ``held_out_reward``, the squared error of rewards, in deviations.
        Nothing where none are held out."""
        if not len(self._held_out):
            return {}
        judged = judge(self._network, self._sequences, self._held_out, self._settings.context)
        loss, met = -float(judged.logs.sum(axis=1).mean()), float(judged.met.mean())
        return {"held_out_loss": loss, "held_out_met": met, "held_out_reward": float(judged.errors.mean())}

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
        self._losses, self._adam.moments, self._passes = arrays["losses"], arrays["moments"], -1
