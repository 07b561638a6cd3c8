"""The Transformer in plain NumPy, layer by layer as its formulas say: what the code for play is checked against, and
what plays where there is no compiler."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from scml_gym.agents.dnb.features import N_FEATURES, OFFER, context_features, history_features, offer_features
from scml_gym.agents.dnb.models import HEAD, Kernel
from scml_gym.agents.dnb.records import Sample
from scml_gym.agents.dnb.transformer_layout import ANSWER_KINDS, answer_row, event_rows, scratch_dtype, weights_dtype
from scml_gym.jit.parameters import record_of


@functools.cache
def reference_kernel(width: int, layers: int, heads: int, hidden: int, events: int) -> Kernel:
    """The kernel of these sizes, see `scml_gym.agents.dnb.transformer.make_kernel`; in Python only."""
    all_weights, all_scratch = weights_dtype(width, layers, hidden), scratch_dtype(width, layers, hidden)

    def prepare(numbers: np.ndarray, sample: Sample, floats: np.ndarray) -> None:
        weights, scratch = record_of(numbers, all_weights, HEAD), record_of(floats, all_scratch, 0)
        features, level = scratch["features"], sample["level"]
        context_features(sample, features)
        history_features(sample, features)
        scratch["odds"] = features[:OFFER] @ weights["linear"][level][:OFFER]
        scratch["shared"] = features[:OFFER] @ weights["token"][level][:OFFER]
        tokens = _events(events, weights, sample)
        n = len(tokens)
        for i in range(layers):
            layer = weights["layers"][i]
            keys, values = _norm(tokens) @ layer["key"], _norm(tokens) @ layer["value"]
            answer_keys, answer_values = _answers(layer, sample)
            places = n + len(answer_keys)
            scratch["keys"][i][:, :places] = np.concatenate([keys, answer_keys]).T
            scratch["values"][i][:places] = np.concatenate([values, answer_values])
            if i < layers - 1:
                new = [
                    _feed(layer, token + _attend(heads, layer, token, keys[: k + 1], values[: k + 1]))
                    for k, token in enumerate(tokens)
                ]
                tokens = np.array(new).reshape(tokens.shape)

    def mean(numbers: np.ndarray, sample: Sample, floats: np.ndarray) -> float:
        weights, scratch = record_of(numbers, all_weights, HEAD), record_of(floats, all_scratch, 0)
        features, level = scratch["features"], sample["level"]
        offer_features(sample, features)
        offer, n = features[OFFER:N_FEATURES], min(sample["n_events"], events) + sample["n_responses"]
        odds = scratch["odds"] + offer @ weights["linear"][level][OFFER:]
        token = scratch["shared"] + offer @ weights["token"][level][OFFER:]
        for i in range(layers):
            layer = weights["layers"][i]
            keys, values = scratch["keys"][i][:, :n].T, scratch["values"][i][:n]
            token = _feed(layer, token + _attend(heads, layer, token, keys, values))
        return float(1.0 / (1.0 + np.exp(-(odds + _norm(token) @ weights["head"][0]))))

    return Kernel((all_scratch.itemsize + 7) // 8, prepare, mean)


def _events(events: int, weights: Any, sample: Sample) -> np.ndarray:
    """Tokens of the latest events, ``(n, width)``."""
    n = min(int(sample["n_events"]), events)
    rows = np.zeros((n, 3), dtype=np.int64)
    first = int(sample["n_events"]) - n
    for i in range(n):
        event_rows(sample, first + i, rows[i])
    times = sample["events"]["time"][first : first + n]
    return weights["events"][rows].sum(axis=1) + times[:, None] * weights["time"][0]


def _answers(layer: Any, sample: Sample) -> tuple[np.ndarray, np.ndarray]:
    """Keys and values of the partner's latest answers, ``(n, width)`` each."""
    n = int(sample["n_responses"])
    rows = np.array([answer_row(sample, i) for i in range(n)], dtype=np.int64)
    ages = ANSWER_KINDS + np.arange(n)[::-1]
    keys, values = layer["answer_keys"], layer["answer_values"]
    return keys[rows] + keys[ages], values[rows] + values[ages]


def _norm(x: np.ndarray) -> np.ndarray:
    return x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + 1e-6)


def _attend(heads: int, layer: Any, token: np.ndarray, keys: np.ndarray, values: np.ndarray) -> np.ndarray:
    """What a token gets by attention to these places and to an empty one, ``(width,)``."""
    parts = heads, len(token) // heads
    query = (_norm(token) @ layer["query"]).reshape(parts)
    scores = np.einsum("hd,nhd->hn", query, keys.reshape(-1, *parts)) / np.sqrt(parts[1])
    shares = np.exp(scores) / (1.0 + np.exp(scores).sum(axis=1, keepdims=True))
    seen = np.einsum("hn,nhd->hd", shares, values.reshape(-1, *parts))
    return seen.reshape(-1) @ layer["out"]


def _feed(layer: Any, token: np.ndarray) -> np.ndarray:
    """A token with a layer's feed-forward part."""
    return token + np.maximum(_norm(token) @ layer["up"] + layer["up_bias"][0], 0.0) @ layer["down"]
