"""Fitting the Transformer: the same network in torch, over minibatches of samples with about as many events."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from scml_gym.agents.dnb.dataset import Dataset
from scml_gym.agents.dnb.features import N_FEATURES
from scml_gym.agents.dnb.folds import Fold, feature_matrix
from scml_gym.agents.dnb.logistic import fit_level
from scml_gym.agents.dnb.records import SAMPLE_DTYPE, WINDOW
from scml_gym.agents.dnb.transformer_layout import (
    ANSWER_KINDS,
    TransformerHyperparameters,
    answer_row,
    event_rows,
    weight_shapes,
)
from scml_gym.core.reporting import Progress
from scml_gym.jit.compile import compiled

LINEAR_PENALTY, LINEAR_ITERATIONS = 10.0, 200
"""Of the logistic fit that the linear part starts from."""


class Inputs(NamedTuple):
    """Samples as arrays, of ``n``; or a batch of them as tensors.

    Attributes:
        rows: Of events, ``(n, events, 3)``.
        times: Of events, float32 ``(n, events)``.
        lengths: Numbers of events, ``(n,)``.
        answers: Rows of answers, ``(n, WINDOW)``, the latest one first; their ages' rows follow from that.
        answered: Numbers of answers, ``(n,)``.
        features: Float32 ``(n, N_FEATURES)``.
        levels: ``(n,)``.
    """

    rows: Any
    times: Any
    lengths: Any
    answers: Any
    answered: Any
    features: Any
    levels: Any

    def batch(self, chosen: np.ndarray) -> Inputs:
        """Some samples as tensors, with as many events and answers as any of them has."""
        events, answers = int(self.lengths[chosen].max(initial=0)), int(self.answered[chosen].max(initial=0))
        taken = self._replace(
            rows=self.rows[:, :events], times=self.times[:, :events], answers=self.answers[:, :answers]
        )
        tensors = Inputs(*(torch.from_numpy(np.ascontiguousarray(part[chosen])) for part in taken))
        return tensors._replace(rows=tensors.rows.long(), answers=tensors.answers.long())


def inputs_of(samples: np.ndarray, events: int) -> Inputs:
    """The network's view of samples, with the latest ``events`` events of each."""
    n = len(samples)
    rows, times = np.zeros((n, events, 3), dtype=np.int16), np.zeros((n, events), dtype=np.float32)
    lengths = np.minimum(samples["n_events"], events)
    answers = np.zeros((n, WINDOW), dtype=np.int16)
    _fill_events(np.ascontiguousarray(samples, dtype=SAMPLE_DTYPE), lengths, rows, times, answers)
    answered, levels = (np.ascontiguousarray(samples[name]) for name in ("n_responses", "level"))
    return Inputs(rows, times, lengths, answers, answered, feature_matrix(samples), levels)


@compiled
def _fill_events(
    samples: np.ndarray, lengths: np.ndarray, rows: np.ndarray, times: np.ndarray, answers: np.ndarray
) -> None:
    found = np.zeros(3, dtype=np.int64)
    for i in range(len(samples)):
        skipped = samples[i]["n_events"] - lengths[i]
        for j in range(lengths[i]):
            event_rows(samples[i], skipped + j, found)
            times[i, j] = samples[i]["events"][skipped + j]["time"]
            for r in range(3):
                rows[i, j, r] = found[r]
        last = samples[i]["n_responses"] - 1
        for j in range(last + 1):
            answers[i, j] = answer_row(samples[i], last - j)


def _rms(values: Tensor) -> Tensor:
    return values * torch.rsqrt(values.square().mean(-1, keepdim=True) + 1e-6)


class Network(nn.Module):
    """`scml_gym.agents.dnb.transformer` in torch; weights have the same names and shapes."""

    def __init__(self, hyperparameters: TransformerHyperparameters):
        super().__init__()
        self.hyperparameters = hyperparameters
        self.parts = nn.ParameterDict()
        for name, shape in weight_shapes(hyperparameters).items():
            part = torch.zeros(shape)
            if name not in ("linear", "head") and not name.endswith("bias"):
                tables = name in ("events", "time", "token") or "answer" in name
                part.normal_(0.0, 0.1 if tables else shape[0] ** -0.5)
            self.parts[name.replace(".", "_")] = nn.Parameter(part)
        self.drop = nn.Dropout(hyperparameters.dropout)

    def weights(self) -> dict[str, np.ndarray]:
        """Copies of the weights."""
        names = weight_shapes(self.hyperparameters)
        return {name: self.parts[name.replace(".", "_")].detach().numpy().copy() for name in names}

    def forward(self, inputs: Inputs) -> Tensor:
        """Log odds ``(n,)`` of a batch."""
        part, last = self.parts, self.hyperparameters.layers - 1
        rows, n, n_answers = inputs.rows, inputs.rows.shape[1], inputs.answers.shape[1]
        # as one matrix product each: a gather of a matrix for each sample would be slow
        by_level = torch.stack([inputs.features * (inputs.levels == level)[:, None] for level in (0, 1)], 1).flatten(1)
        odds = by_level @ part["linear"].flatten()
        token = self.drop(by_level) @ part["token"].flatten(0, 1)
        events = functional.embedding(rows, part["events"]).sum(2) + inputs.times[:, :, None] * part["time"][0]
        there = torch.cat(
            [
                torch.arange(n)[None, :] < inputs.lengths[:, None],
                torch.arange(n_answers)[None, :] < inputs.answered[:, None],
            ],
            1,
        )
        ages = ANSWER_KINDS + torch.arange(n_answers)
        causal = torch.ones(n, n, dtype=torch.bool).tril()
        for layer in range(last + 1):
            of_events, of_token = _rms(events), _rms(token)
            keys, values = of_events @ part[f"{layer}_key"], of_events @ part[f"{layer}_value"]
            answers = (
                functional.embedding(inputs.answers, table) + table[ages]
                for table in (part[f"{layer}_answer_keys"], part[f"{layer}_answer_values"])
            )
            places = (torch.cat(pair, 1) for pair in zip((keys, values), answers, strict=True))
            token = token + self._attend(layer, of_token[:, None], *places, there[:, None, None, :])[:, 0]
            token = token + self._feed(layer, token)
            if layer < last:
                events = events + self._attend(layer, of_events, keys, values, causal[None, None])
                events = events + self._feed(layer, events)
        return odds + _rms(self.drop(token)) @ part["head"][0]

    def _attend(self, layer: int, normed: Tensor, keys: Tensor, values: Tensor, allowed: Tensor) -> Tensor:
        heads = self.hyperparameters.heads
        query = normed @ self.parts[f"{layer}_query"]
        query, keys, values = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (query, keys, values))
        scores = query @ keys.transpose(2, 3) / math.sqrt(query.shape[-1])
        scores = scores.masked_fill(~allowed, -torch.inf)
        shares = torch.softmax(functional.pad(scores, (0, 1)), -1)[..., :-1]  # the last is the empty place
        seen = (shares @ values).transpose(1, 2).flatten(2)
        return self.drop(seen @ self.parts[f"{layer}_out"])

    def _feed(self, layer: int, tokens: Tensor) -> Tensor:
        hidden = torch.relu(_rms(tokens) @ self.parts[f"{layer}_up"] + self.parts[f"{layer}_up_bias"][0])
        return self.drop(hidden) @ self.parts[f"{layer}_down"]


def fit(
    hyperparameters: TransformerHyperparameters, fold: Fold, rng: np.random.Generator, bar: Progress
) -> dict[str, np.ndarray]:
    """The weights with the least log loss on the validation worlds, after any pass over the samples.

    The linear part starts as a logistic fit and the head as zero, so the first network is a logistic model. What is
    returned is that model and the best network together, see `TransformerHyperparameters.correction`.
    """
    torch.manual_seed(int(rng.integers(2**31)))
    network = Network(hyperparameters)
    train, labels = inputs_of(fold.train.samples, hyperparameters.events), _labels(fold.train)
    held, held_labels = inputs_of(fold.validation.samples, hyperparameters.events), _labels(fold.validation)
    linear = _logistic(train, fold.train.accepted)
    with torch.no_grad():
        network.parts["linear"].copy_(torch.from_numpy(linear))
    plain = [p for name, p in network.parts.items() if name in ("linear", "head") or name.endswith("bias")]
    decayed = [p for p in network.parts.values() if not any(p is q for q in plain)]
    groups = [{"params": decayed, "weight_decay": hyperparameters.weight_decay}, {"params": plain, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=hyperparameters.rate, betas=(0.9, 0.98))
    steps = hyperparameters.epochs * -(-len(labels) // hyperparameters.batch)
    rise = max(1, steps // 20)
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda i: min((i + 1) / rise, 0.5 + 0.5 * math.cos(math.pi * i / steps))
    )
    best, best_loss, waited = network.weights(), _loss(network, held, held_labels, hyperparameters.batch), 0
    for epoch in range(hyperparameters.epochs):
        network.train()
        for chosen in _batches(train.lengths, hyperparameters.batch, rng):
            odds = network(train.batch(chosen))
            loss = functional.binary_cross_entropy_with_logits(odds, labels[chosen])
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            scheduler.step()
        loss = _loss(network, held, held_labels, hyperparameters.batch)
        bar.update(epoch + 1, f"validation log loss {loss:.4f}")
        if loss < best_loss:
            best, best_loss, waited = network.weights(), loss, 0
        else:
            waited += 1
            if waited == hyperparameters.patience:
                break
    best["linear"] = linear + np.float32(hyperparameters.correction) * (best["linear"] - linear)
    best["head"] *= np.float32(hyperparameters.correction)
    return best


def _labels(dataset: Dataset) -> Tensor:
    return torch.from_numpy(dataset.accepted.astype(np.float32))


def _logistic(inputs: Inputs, accepted: np.ndarray) -> np.ndarray:
    """The weights of a logistic fit."""
    weights = np.zeros((2, N_FEATURES), dtype=np.float32)
    for level in range(2):
        chosen = inputs.levels == level
        weights[level] = fit_level(inputs.features[chosen], accepted[chosen], LINEAR_PENALTY, LINEAR_ITERATIONS)
    return weights


def _batches(lengths: np.ndarray, size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """All samples in a random order, in batches of about as many events."""
    order = np.argsort(lengths + rng.uniform(0.0, 1.5, len(lengths)), kind="stable")
    batches = [order[i : i + size] for i in range(0, len(order), size)]
    for i in rng.permutation(len(batches)):
        yield batches[i]


def _loss(network: Network, inputs: Inputs, labels: Tensor, size: int) -> float:
    network.eval()
    total = 0.0
    with torch.no_grad():
        for i in range(0, len(labels), 4 * size):
            chosen = np.arange(i, min(i + 4 * size, len(labels)))
            odds = network(inputs.batch(chosen))
            total += float(functional.binary_cross_entropy_with_logits(odds, labels[chosen], reduction="sum"))
    return total / max(len(labels), 1)
