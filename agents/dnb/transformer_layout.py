"""What the Transformer is made of: hyperparameters, weights, and which rows of its tables an event or answer is."""

from __future__ import annotations

from typing import Self

import numpy as np
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from scml_gym.agents.dnb.features import N_FEATURES, N_NUMBERS
from scml_gym.agents.dnb.records import ACCEPTED, MAX_EVENTS, OFFERED, PRICE_BINS, WINDOW, Sample
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

ATTENDED = MAX_EVENTS + WINDOW
"""What the token attends to at most: events, then answers."""


class TransformerHyperparameters(Config):
    """Hyperparameters of the Transformer.

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


def weight_shapes(hyperparameters: TransformerHyperparameters) -> dict[str, tuple[int, ...]]:
    """The weights by name, in the order of a model's numbers; matrices are (inputs, outputs)."""
    width, layer = hyperparameters.width, layer_shapes(hyperparameters.width, hyperparameters.feedforward)
    layers = {f"{i}.{name}": shape for i in range(hyperparameters.layers) for name, shape in layer.items()}
    return first_shapes(width) | layers | {"head": (1, width)}


def first_shapes(width: int) -> dict[str, tuple[int, ...]]:
    """The weights before the first layer."""
    return {
        "events": (EVENT_ROWS, width),
        "time": (1, width),
        "token": (2, N_FEATURES, width),
        "linear": (2, N_FEATURES),
    }


def layer_shapes(width: int, hidden: int) -> dict[str, tuple[int, ...]]:
    """The weights of one layer."""
    return {
        "query": (width, width),
        "key": (width, width),
        "value": (width, width),
        "out": (width, width),
        "up": (width, hidden),
        "up_bias": (1, hidden),
        "down": (hidden, width),
        "answer_keys": (ANSWER_ROWS, width),
        "answer_values": (ANSWER_ROWS, width),
    }


def weights_dtype(width: int, layers: int, hidden: int) -> np.dtype:
    """All weights as one record, float32, which lies in memory as a model's numbers do."""
    layer = np.dtype(_columns(layer_shapes(width, hidden)))
    return np.dtype([*_columns(first_shapes(width)), ("layers", layer, (layers,)), *_columns({"head": (1, width)})])


def scratch_dtype(width: int, layers: int, hidden: int) -> np.dtype:
    """What is kept from a sample's events to its offers, and scratch of one token, as one record."""
    shapes = {
        "keys": (layers, width, ATTENDED),
        "values": (layers, ATTENDED, width),
        "shared": (width,),  # context and history of the token, before the offer
        "tokens": (MAX_EVENTS, width),
        "token": (width,),
        "normed": (width,),
        "query": (width,),
        "seen": (width,),
        "units": (hidden,),
        "scores": (ATTENDED,),
    }
    # features come first, as the functions of features write them; then the linear part of the log odds
    return np.dtype([("features", np.float64, (N_NUMBERS,)), ("odds", np.float64), *_columns(shapes)])


def _columns(shapes: dict[str, tuple[int, ...]]) -> list[tuple[str, type, tuple[int, ...]]]:
    return [(name, np.float32, shape) for name, shape in shapes.items()]


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
