"""The Transformer in plain NumPy, layer by layer as its formulas say: what the code for play is checked against."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from scml_gym.agents.dnb.features import N_FEATURES, N_NUMBERS, context_features, history_features, offer_features
from scml_gym.agents.dnb.records import Sample
from scml_gym.agents.dnb.transformer_layout import ANSWER_KINDS, TransformerHyperparameters, answer_row, event_rows


def chance_of_acceptance(
    hyperparameters: TransformerHyperparameters, weights: Mapping[str, np.ndarray], sample: Sample
) -> float:
    """The chance that the sample's offer is accepted.

    Args:
        hyperparameters: Of the network.
        weights: By name, see `scml_gym.agents.dnb.transformer_layout.weight_shapes`.
        sample: The offer with all that was known.
    """
    level = sample["level"]
    features = np.zeros(N_NUMBERS)
    for fill in (context_features, history_features, offer_features):
        fill(sample, features)
    features = features[:N_FEATURES]
    token, odds = features @ weights["token"][level], features @ weights["linear"][level]
    events = _events(hyperparameters, weights, sample)
    for i in range(hyperparameters.layers):
        layer = {name.split(".")[1]: part for name, part in weights.items() if name.startswith(f"{i}.")}
        keys, values = _norm(events) @ layer["key"], _norm(events) @ layer["value"]
        new_events = [
            _feed(layer, event + _attend(hyperparameters, layer, event, keys[: k + 1], values[: k + 1]))
            for k, event in enumerate(events)
        ]
        answer_keys, answer_values = _answers(layer, sample)
        keys, values = np.concatenate([keys, answer_keys]), np.concatenate([values, answer_values])
        token = _feed(layer, token + _attend(hyperparameters, layer, token, keys, values))
        events = np.array(new_events).reshape(events.shape)
    return float(1.0 / (1.0 + np.exp(-(odds + _norm(token) @ weights["head"][0]))))


def _events(
    hyperparameters: TransformerHyperparameters, weights: Mapping[str, np.ndarray], sample: Sample
) -> np.ndarray:
    """Tokens of the latest events, ``(n, width)``."""
    tokens = np.zeros((0, hyperparameters.width))
    for i in range(max(sample["n_events"] - hyperparameters.events, 0), sample["n_events"]):
        rows = np.zeros(3, dtype=np.int64)
        event_rows(sample, i, rows)
        token = weights["events"][rows].sum(axis=0) + sample["events"][i]["time"] * weights["time"][0]
        tokens = np.concatenate([tokens, [token]])
    return tokens


def _answers(layer: Mapping[str, np.ndarray], sample: Sample) -> tuple[np.ndarray, np.ndarray]:
    """Keys and values of the partner's latest answers, ``(n, width)`` each."""
    n = int(sample["n_responses"])
    rows = np.array([answer_row(sample, i) for i in range(n)], dtype=np.int64)
    ages = ANSWER_KINDS + np.arange(n)[::-1]
    keys, values = layer["answer_keys"], layer["answer_values"]
    return keys[rows] + keys[ages], values[rows] + values[ages]


def _norm(x: np.ndarray) -> np.ndarray:
    return x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + 1e-6)


def _attend(
    hyperparameters: TransformerHyperparameters,
    layer: Mapping[str, np.ndarray],
    token: np.ndarray,
    keys: np.ndarray,
    values: np.ndarray,
) -> np.ndarray:
    """What a token gets by attention to these places and to an empty one, ``(width,)``."""
    heads = hyperparameters.heads
    query = (_norm(token) @ layer["query"]).reshape(heads, -1)
    scores = np.einsum("hd,nhd->hn", query, keys.reshape(len(keys), heads, -1)) / np.sqrt(query.shape[1])
    shares = np.exp(scores) / (1.0 + np.exp(scores).sum(axis=1, keepdims=True))
    seen = np.einsum("hn,nhd->hd", shares, values.reshape(len(values), heads, -1))
    return seen.reshape(-1) @ layer["out"]


def _feed(layer: Mapping[str, np.ndarray], token: np.ndarray) -> np.ndarray:
    """A token with a layer's feed-forward part."""
    return token + np.maximum(_norm(token) @ layer["up"] + layer["up_bias"][0], 0.0) @ layer["down"]
