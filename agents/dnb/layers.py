"""The parts of a Transformer's layer as loops over float32 in one order: Python and machine code give the same bits."""

from __future__ import annotations

import math

import numpy as np

from scml_gym.jit.compile import jittable


@jittable
def multiply(inputs: np.ndarray, matrix: np.ndarray, out: np.ndarray) -> None:
    """Add inputs times matrix to ``out``; the number of inputs is a multiple of 4."""
    n = len(out)
    for i in range(0, matrix.shape[0], 4):
        a, b, c, d = inputs[i], inputs[i + 1], inputs[i + 2], inputs[i + 3]
        first, second, third, fourth = matrix[i], matrix[i + 1], matrix[i + 2], matrix[i + 3]
        for j in range(n):
            out[j] += (a * first[j] + b * second[j]) + (c * third[j] + d * fourth[j])


@jittable
def normalise(values: np.ndarray, out: np.ndarray) -> None:
    """``out`` becomes ``values`` over their root mean square."""
    total = np.float32(0.0)
    for i in range(len(values)):
        total += values[i] * values[i]
    factor = np.float32(1.0 / math.sqrt(np.float64(total) / len(values) + 1e-6))
    for i in range(len(values)):
        out[i] = values[i] * factor


@jittable
def attend(
    query: np.ndarray, keys: np.ndarray, values: np.ndarray, n: int, heads: int, scores: np.ndarray, out: np.ndarray
) -> None:
    """``out`` becomes what a query gets of the first ``n`` places, and of an empty one.

    Args:
        query: ``(width,)``.
        keys: ``(width, places)``.
        values: ``(places, width)``.
        n: Places to look at.
        heads: Of the attention.
        scores: ``(places,)``, overwritten.
        out: ``(width,)``.
    """
    width = len(query)
    size = width // heads
    scale = np.float32(1.0 / math.sqrt(size))
    for i in range(width):
        out[i] = np.float32(0.0)
    for head in range(heads):
        for j in range(n):
            scores[j] = np.float32(0.0)
        for i in range(head * size, (head + 1) * size):
            x, row = query[i] * scale, keys[i]
            for j in range(n):
                scores[j] += x * row[j]
        most = np.float32(0.0)  # the empty place's
        for j in range(n):
            most = max(most, scores[j])
        total = math.exp(-np.float64(most))
        for j in range(n):
            weight = math.exp(np.float64(scores[j]) - np.float64(most))
            scores[j] = np.float32(weight)
            total += weight
        for j in range(n):
            share = np.float32(np.float64(scores[j]) / total)
            row = values[j]
            for i in range(head * size, (head + 1) * size):
                out[i] += share * row[i]


@jittable
def clear(values: np.ndarray) -> None:
    """All zeros."""
    for i in range(len(values)):
        values[i] = np.float32(0.0)


@jittable
def feed_forward(
    token: np.ndarray, up: np.ndarray, bias: np.ndarray, down: np.ndarray, normed: np.ndarray, hidden: np.ndarray
) -> None:
    """Add a layer's feed-forward part to a token; ``normed`` and ``hidden`` are overwritten."""
    normalise(token, normed)
    for i in range(len(hidden)):
        hidden[i] = bias[i]
    multiply(normed, up, hidden)
    for i in range(len(hidden)):
        hidden[i] = max(hidden[i], np.float32(0.0))
    multiply(hidden, down, token)
