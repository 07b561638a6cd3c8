"""The Transformer: events of a negotiation first, then one token of context and offer that attends to them.

Source: thesis, section 3.6.5, with three changes. Context and offer are one last token instead of a first one, so that
the offers that a decision considers to a partner share all that is computed of its events. That token also attends to
the partner's latest answers, whose keys and values are tables, so that it can learn by which of them to judge an
opponent that it has never seen. And the log odds are the token's plus a linear function of its features, as the
logistic model's. Layers are pre-norm with RMS norms, whose gains are part of the matrices that follow. Attention may
also look at nothing: an empty place with score and value 0.
"""

from __future__ import annotations

import functools

import numpy as np

from scml_gym.agents.dnb.features import N_FEATURES, OFFER, context_features, history_features, offer_features
from scml_gym.agents.dnb.folds import Fold
from scml_gym.agents.dnb.layers import attend, clear, feed_forward, multiply, normalise
from scml_gym.agents.dnb.models import HEAD, Kernel, ModelKind, sigmoid
from scml_gym.agents.dnb.records import Sample
from scml_gym.agents.dnb.transformer_layout import (
    ANSWER_KINDS,
    TransformerHyperparameters,
    answer_row,
    event_rows,
    scratch_dtype,
    weight_shapes,
    weights_dtype,
)
from scml_gym.core.calls import Call, call
from scml_gym.core.reporting import Progress
from scml_gym.jit.compile import jittable
from scml_gym.jit.parameters import record_of


@jittable
def add_features(rows: np.ndarray, x: np.ndarray, begin: int, end: int, token: np.ndarray) -> None:
    """Add features ``begin`` to ``end``, most of which are zero, times their rows to a token."""
    for i in range(begin, end):
        if x[i] != 0.0:
            value, row = np.float32(x[i]), rows[i]
            for j in range(len(token)):
                token[j] += value * row[j]


@jittable
def linear_sum(weights: np.ndarray, x: np.ndarray, begin: int, end: int) -> float:
    """Features ``begin`` to ``end`` times their weights."""
    total = 0.0
    for i in range(begin, end):
        total += np.float64(weights[i]) * x[i]
    return total


@jittable
def embed_event(sample: Sample, i: int, weights: np.void, token: np.ndarray) -> None:
    """The token of an event: its time's row and the sum of its rows of the table."""
    rows = np.zeros(3, dtype=np.int64)
    event_rows(sample, i, rows)
    time, time_row = np.float32(sample["events"][i]["time"]), weights["time"][0]
    for j in range(len(token)):
        token[j] = time * time_row[j]
    for r in range(3):
        row = weights["events"][rows[r]]
        for j in range(len(token)):
            token[j] += row[j]


@jittable
def add_answers(sample: Sample, first: int, layer: np.void, keys: np.ndarray, values: np.ndarray) -> None:
    """The keys and values of a partner's answers in a layer, from place ``first`` on."""
    answer_keys, answer_values = layer["answer_keys"], layer["answer_values"]
    for i in range(sample["n_responses"]):
        row, age = answer_row(sample, i), ANSWER_KINDS + sample["n_responses"] - 1 - i
        for j in range(values.shape[1]):
            keys[j, first + i] = answer_keys[row, j] + answer_keys[age, j]
            values[first + i, j] = answer_values[row, j] + answer_values[age, j]


@jittable
def look_at(
    token: np.ndarray, layer: np.void, keys: np.ndarray, values: np.ndarray, n: int, heads: int, scratch: np.void
) -> None:
    """Add to a token what it gets of the first ``n`` places by a layer's attention; ``normed`` is its norm."""
    query, seen = scratch["query"], scratch["seen"]
    clear(query)
    multiply(scratch["normed"], layer["query"], query)
    attend(query, keys, values, n, heads, scratch["scores"], seen)
    multiply(seen, layer["out"], token)


@jittable
def feed(token: np.ndarray, layer: np.void, scratch: np.void) -> None:
    """Add a layer's feed-forward part to a token."""
    feed_forward(token, layer["up"], layer["up_bias"][0], layer["down"], scratch["normed"], scratch["units"])


@functools.cache
def make_kernel(width: int, layers: int, heads: int, hidden: int, events: int) -> Kernel:
    """The code for these sizes."""
    all_weights, all_scratch = weights_dtype(width, layers, hidden), scratch_dtype(width, layers, hidden)

    @jittable
    def prepare(numbers: np.ndarray, sample: Sample, floats: np.ndarray) -> None:
        weights, scratch = record_of(numbers, all_weights, HEAD), record_of(floats, all_scratch, 0)
        x, tokens, normed, level = scratch["features"], scratch["tokens"], scratch["normed"], sample["level"]
        context_features(sample, x)
        history_features(sample, x)
        scratch["odds"] = linear_sum(weights["linear"][level], x, 0, OFFER)
        clear(scratch["shared"])
        add_features(weights["token"][level], x, 0, OFFER, scratch["shared"])
        n = min(sample["n_events"], events)
        for i in range(n):
            embed_event(sample, sample["n_events"] - n + i, weights, tokens[i])
        for number in range(layers):
            layer, keys, values = weights["layers"][number], scratch["keys"][number], scratch["values"][number]
            for i in range(n):
                token, key = tokens[i], scratch["token"]
                normalise(token, normed)
                clear(key)
                multiply(normed, layer["key"], key)
                for j in range(width):
                    keys[j, i] = key[j]
                clear(values[i])
                multiply(normed, layer["value"], values[i])
                if number < layers - 1:
                    look_at(token, layer, keys, values, i + 1, heads, scratch)
                    feed(token, layer, scratch)
            add_answers(sample, n, layer, keys, values)

    @jittable
    def mean(numbers: np.ndarray, sample: Sample, floats: np.ndarray) -> float:
        weights, scratch = record_of(numbers, all_weights, HEAD), record_of(floats, all_scratch, 0)
        x, token, normed, level = scratch["features"], scratch["token"], scratch["normed"], sample["level"]
        offer_features(sample, x)
        n = min(sample["n_events"], events) + sample["n_responses"]
        odds = scratch["odds"] + linear_sum(weights["linear"][level], x, OFFER, N_FEATURES)
        for j in range(width):
            token[j] = scratch["shared"][j]
        add_features(weights["token"][level], x, OFFER, N_FEATURES, token)
        for number in range(layers):
            layer = weights["layers"][number]
            if n > 0:
                normalise(token, normed)
                look_at(token, layer, scratch["keys"][number], scratch["values"][number], n, heads, scratch)
            feed(token, layer, scratch)
        normalise(token, normed)
        for j in range(width):
            odds += np.float64(normed[j]) * np.float64(weights["head"][0, j])
        return sigmoid(odds)

    return Kernel((all_scratch.itemsize + 7) // 8, prepare, mean)


def _sizes(hyperparameters: TransformerHyperparameters) -> tuple[int, ...]:
    """As `make_kernel` takes them."""
    return (
        hyperparameters.width,
        hyperparameters.layers,
        hyperparameters.heads,
        hyperparameters.feedforward,
        hyperparameters.events,
    )


def _kernel(hyperparameters: TransformerHyperparameters) -> Kernel:
    return make_kernel(*_sizes(hyperparameters))


def _exported(hyperparameters: TransformerHyperparameters) -> Call:
    return call("scml_gym.agents.dnb.transformer_reference:reference_kernel", *_sizes(hyperparameters))


def _fit(
    hyperparameters: TransformerHyperparameters, fold: Fold, rng: np.random.Generator, bar: Progress
) -> dict[str, np.ndarray]:
    from scml_gym.agents.dnb.transformer_fit import fit

    return fit(hyperparameters, fold, rng, bar)


TRANSFORMER = ModelKind(
    hyperparameters=TransformerHyperparameters,
    dtype=np.float32,
    shapes=weight_shapes,
    kernel=_kernel,
    fit=_fit,
    steps=lambda hyperparameters: hyperparameters.epochs,
    exported=_exported,
)
