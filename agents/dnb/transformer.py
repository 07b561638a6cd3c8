"""The Transformer: events of a negotiation first, then one token of context and offer that attends to them.

Source: thesis, section 3.6.5, with three changes. Context and offer are one last token instead of a first one, so that
the offers that a decision considers to a partner share all that is computed of its events. That token also attends to
the partner's latest answers, whose keys and values are tables, so that it can learn by which of them to judge an
opponent that it has never seen. And the log odds are the token's plus a linear function of its features, as the
logistic model's. Layers are pre-norm with RMS norms, whose gains are part of the matrices that follow. Attention may
also look at nothing: an empty slot with score and value 0.
"""

from __future__ import annotations

import functools
import math
from typing import Self

import numpy as np
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from agents.dnb.features import N_FEATURES, N_NUMBERS, OFFER, context_features, history_features, offer_features
from agents.dnb.layers import attend, clear, feed_forward, multiply, normalise
from agents.dnb.models import HEAD, Kernel, sigmoid
from agents.dnb.records import ACCEPTED, MAX_EVENTS, OFFERED, PRICE_BINS, WINDOW, Sample
from scml_gym.core.config import Config
from scml_gym.jit.compile import jittable

ACTS = 6
"""What an event does: an offer that is an answer and first, first, an answer, neither; an acceptance, an end."""

QUANTITIES = 12
"""Quantities of events told apart: 0 to 11 or more."""

ACT_ROWS, QUANTITY_ROWS = 2 * 2 * ACTS * PRICE_BINS, 2 * QUANTITIES
EVENT_ROWS = ACT_ROWS + QUANTITY_ROWS + MAX_EVENTS
"""Rows of the table of events: by level, speaker, act and price bin; by speaker and quantity; by age."""

ANSWER_KINDS = 2 * 2 * 2 * PRICE_BINS * QUANTITIES
ANSWER_ROWS = ANSWER_KINDS + WINDOW
"""Rows of the tables of answers: by level, whether it accepted, whether it was a first offer, price bin and quantity;
by age."""

SLOTS = MAX_EVENTS + WINDOW
"""What the token attends to at most: events, then answers."""


class TransformerHyperparameters(Config):
    """Settings of the Transformer.

    Attributes:
        width: Of a token.
        layers: Number of them.
        heads: Of each layer's attention.
        feedforward: Hidden units of each layer.
        events: The latest events that it sees, 16 at most.
        dropout: While fitting, of features, tokens and hidden units.
        rate: Highest learning rate of AdamW; it rises over the first 5 % of the steps and falls along a cosine.
        weight_decay: AdamW's, of matrices.
        correction: How far the fit goes from the logistic model that it starts from to the network that is found: the
            log odds are so much of the one and the other. Below 1 it is a hedge for opponents unlike those of the
            training.
        batch: Samples in one.
        epochs: Passes over the samples at most.
        patience: Passes without a better validation loss before it stops; the best weights are kept.
    """

    width: int = Field(ge=4, multiple_of=4)
    layers: PositiveInt
    heads: PositiveInt
    feedforward: int = Field(ge=4, multiple_of=4)
    events: int = Field(ge=1, le=MAX_EVENTS)
    dropout: float = Field(ge=0, lt=1)
    rate: PositiveFloat
    weight_decay: NonNegativeFloat
    correction: float = Field(gt=0, le=1)
    batch: PositiveInt
    epochs: PositiveInt
    patience: PositiveInt

    @model_validator(mode="after")
    def _heads_fit(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is no multiple of heads {self.heads}")
        return self


def weight_shapes(settings: TransformerHyperparameters) -> dict[str, tuple[int, ...]]:
    """The weights by name; matrices are (inputs, outputs)."""
    return _shapes(settings.width, settings.layers, settings.feedforward)


def _shapes(width: int, layers: int, hidden: int) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {
        "events": (EVENT_ROWS, width),
        "time": (1, width),
        "token": (2, N_FEATURES, width),
        "linear": (2, N_FEATURES),
    }
    for i in range(layers):
        shapes |= {
            f"{i}.query": (width, width),
            f"{i}.key": (width, width),
            f"{i}.value": (width, width),
            f"{i}.out": (width, width),
            f"{i}.up": (width, hidden),
            f"{i}.up_bias": (1, hidden),
            f"{i}.down": (hidden, width),
            f"{i}.answer_keys": (ANSWER_ROWS, width),
            f"{i}.answer_values": (ANSWER_ROWS, width),
        }
    return shapes | {"head": (1, width)}


@jittable
def event_rows(sample: Sample, i: int, rows: np.ndarray) -> None:
    """The rows of the table of events whose sum is event ``i`` of a sample; int64 ``(3,)``."""
    event = sample["events"][i]
    if event["action"] == OFFERED:
        act = 3 - 2 * event["first"] - event["counter"]
    else:
        act = 4 if event["action"] == ACCEPTED else 5
    speaker = event["speaker"]
    rows[0] = ((sample["level"] * 2 + speaker) * ACTS + act) * PRICE_BINS + event["price_bin"]
    rows[1] = ACT_ROWS + speaker * QUANTITIES + min(max(event["quantity"], 0), QUANTITIES - 1)
    rows[2] = ACT_ROWS + QUANTITY_ROWS + sample["n_events"] - 1 - i


@jittable
def answer_row(sample: Sample, i: int) -> int:
    """The row of the tables of answers for response ``i`` of a sample's window; its age's is another."""
    response = sample["responses"][i]
    kind = ((sample["level"] * 2 + response["accepted"]) * 2 + response["first"]) * PRICE_BINS + response["price_bin"]
    return kind * QUANTITIES + min(max(response["quantity"], 0), QUANTITIES - 1)


@functools.cache
def make_kernel(width: int, layers: int, heads: int, hidden: int, events: int) -> Kernel:
    """The code for these sizes."""
    offsets, end = {}, 2 * HEAD  # of float32
    for key, shape in _shapes(width, layers, hidden).items():
        offsets[key] = end
        end += math.prod(shape)
    table, time_row, token_rows, linear = (offsets[key] for key in ("events", "time", "token", "linear"))
    first_layer, head_row = offsets["0.query"], offsets["head"]
    square, feed = width * width, width * hidden
    tables = ANSWER_ROWS * width
    layer_size = 4 * square + 2 * feed + hidden + 2 * tables
    feeding = 4 * square  # within a layer
    answering = layer_size - 2 * tables
    # the scratch, in float32: features and notes come first, as float64
    base = 2 * (N_NUMBERS + 1)
    cache_size = 2 * width * SLOTS
    shared = base + layers * cache_size  # context and history of the token, so far
    work = shared + width
    scratch_size = (work + 4 * width + hidden + SLOTS + MAX_EVENTS * width + 1) // 2

    @jittable
    def matrix(weights: np.ndarray, first: int, rows: int, columns: int) -> np.ndarray:
        return weights[first : first + rows * columns].reshape((rows, columns))

    @jittable
    def feed_token(weights: np.ndarray, first: int, token: np.ndarray, normed: np.ndarray, units: np.ndarray) -> None:
        up = matrix(weights, first + feeding, width, hidden)
        bias = weights[first + feeding + feed : first + feeding + feed + hidden]
        down = matrix(weights, first + feeding + feed + hidden, hidden, width)
        feed_forward(token, up, bias, down, normed, units)

    @jittable
    def add_features(weights: np.ndarray, x: np.ndarray, level: int, begin: int, end: int, token: np.ndarray) -> None:
        """Add features times their rows; most are zero."""
        first = token_rows + level * N_FEATURES * width
        for i in range(begin, end):
            if x[i] != 0.0:
                value, row = np.float32(x[i]), weights[first + i * width : first + (i + 1) * width]
                for j in range(width):
                    token[j] += value * row[j]

    @jittable
    def linear_sum(weights: np.ndarray, x: np.ndarray, level: int, begin: int, end: int) -> float:
        total, first = 0.0, linear + level * N_FEATURES
        for i in range(begin, end):
            total += np.float64(weights[first + i]) * x[i]
        return total

    @jittable
    def parts(room: np.ndarray) -> tuple[np.ndarray, ...]:
        """Scratch of one token: four vectors of the width, the hidden units, and a score for each slot."""
        end = work + 4 * width
        return (
            room[work : work + width],
            room[work + width : work + 2 * width],
            room[work + 2 * width : work + 3 * width],
            room[work + 3 * width : end],
            room[end : end + hidden],
            room[end + hidden : end + hidden + SLOTS],
        )

    @jittable
    def prepare(numbers: np.ndarray, sample: Sample, scratch: np.ndarray) -> None:
        weights, room = numbers.view(np.float32), scratch.view(np.float32)
        context_features(sample, scratch)
        history_features(sample, scratch)
        level = sample["level"]
        scratch[N_NUMBERS] = linear_sum(weights, scratch, level, 0, OFFER)
        clear(room[shared : shared + width])
        add_features(weights, scratch, level, 0, OFFER, room[shared : shared + width])

        normed, query, seen, value, units, scores = parts(room)
        tokens = matrix(room, work + 4 * width + hidden + SLOTS, MAX_EVENTS, width)
        n = min(sample["n_events"], events)
        skipped = sample["n_events"] - n
        rows = np.zeros(3, dtype=np.int64)
        for i in range(n):
            event_rows(sample, skipped + i, rows)
            time = np.float32(sample["events"][skipped + i]["time"])
            token = tokens[i]
            for j in range(width):
                token[j] = time * weights[time_row + j]
            for r in range(3):
                row = weights[table + rows[r] * width : table + (rows[r] + 1) * width]
                for j in range(width):
                    token[j] += row[j]
        for layer in range(layers):
            first = first_layer + layer * layer_size
            keys = matrix(room, base + layer * cache_size, width, SLOTS)
            values = matrix(room, base + layer * cache_size + width * SLOTS, SLOTS, width)
            for i in range(n):
                token = tokens[i]
                normalise(token, normed)
                clear(value)
                multiply(normed, matrix(weights, first + square, width, width), value)
                for j in range(width):
                    keys[j, i] = value[j]
                clear(values[i])
                multiply(normed, matrix(weights, first + 2 * square, width, width), values[i])
                if layer == layers - 1:
                    continue
                clear(query)
                multiply(normed, matrix(weights, first, width, width), query)
                attend(query, keys, values, i + 1, heads, scores, seen)
                multiply(seen, matrix(weights, first + 3 * square, width, width), token)
                feed_token(weights, first, token, normed, units)
            answer_keys = matrix(weights, first + answering, ANSWER_ROWS, width)
            answer_values = matrix(weights, first + answering + tables, ANSWER_ROWS, width)
            for i in range(sample["n_responses"]):
                row, age = answer_row(sample, i), ANSWER_KINDS + sample["n_responses"] - 1 - i
                for j in range(width):
                    keys[j, n + i] = answer_keys[row, j] + answer_keys[age, j]
                    values[n + i, j] = answer_values[row, j] + answer_values[age, j]

    @jittable
    def mean(numbers: np.ndarray, sample: Sample, scratch: np.ndarray) -> float:
        weights, room = numbers.view(np.float32), scratch.view(np.float32)
        offer_features(sample, scratch)
        level, n = sample["level"], min(sample["n_events"], events) + sample["n_responses"]
        odds = scratch[N_NUMBERS] + linear_sum(weights, scratch, level, OFFER, N_FEATURES)
        normed, query, seen, token, units, scores = parts(room)
        for j in range(width):
            token[j] = room[shared + j]
        add_features(weights, scratch, level, OFFER, N_FEATURES, token)
        for layer in range(layers):
            first = first_layer + layer * layer_size
            if n > 0:
                normalise(token, normed)
                clear(query)
                multiply(normed, matrix(weights, first, width, width), query)
                keys = matrix(room, base + layer * cache_size, width, SLOTS)
                values = matrix(room, base + layer * cache_size + width * SLOTS, SLOTS, width)
                attend(query, keys, values, n, heads, scores, seen)
                multiply(seen, matrix(weights, first + 3 * square, width, width), token)
            feed_token(weights, first, token, normed, units)
        normalise(token, normed)
        for j in range(width):
            odds += np.float64(normed[j]) * np.float64(weights[head_row + j])
        return sigmoid(odds)

    return Kernel(scratch_size, prepare, mean)
