"""A multi-layer perceptron as plain arithmetic over one array of numbers, for strategies that were trained.

The sums run in one order in Python and in compiled code, so both give the same bits.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from scml_gym.core.errors import InputError
from scml_gym.jit.compile import jittable
from scml_gym.jit.parameters import count_parameters, parameters_dtype, record_of
from scml_gym.jit.random import N_DRAWS, open_stream, uniform

HEAD_DTYPE = parameters_dtype(("hidden", "activation", "masked", "temperature"))
"""What a network's numbers begin with: how many hidden layers it has, their activation, whether it chooses among the
valid choices only (1) or among all (0), and the temperature of its choices (0: the likeliest)."""

SIZES = count_parameters(HEAD_DTYPE)
"""Where the sizes of its layers begin, from the observation to the logits. Then come each layer's weights, input after
input, and its biases."""

ACTIVATIONS = ("tanh", "relu")


def pack_network(
    layers: Sequence[tuple[np.ndarray, np.ndarray]],
    activation: str,
    masked: bool,
    temperature: float,
    twice: Sequence[int] = (),
) -> np.ndarray:
    """A network as one array, float64.

    Args:
        layers: Weights ``(inputs, outputs)`` and biases ``(outputs,)`` of each layer, the one of the logits last.
        activation: Of the hidden layers, one of `ACTIVATIONS`.
        masked: Whether invalid choices are never made.
        temperature: Of the choices: 0 for the likeliest, 1 to draw them as the network was trained.
        twice: Layers that take twice as many inputs as the layer before gives, see `Features`.

    Raises:
        InputError: if the activation is unknown, the temperature negative, or sizes of layers do not meet.
    """
    if activation not in ACTIVATIONS:
        raise InputError(f"activation={activation!r}; valid: {', '.join(ACTIVATIONS)}")
    if not temperature >= 0:
        raise InputError(f"temperature={temperature!r}; valid: 0 or more")
    sizes = [layers[0][0].shape[0]]
    for i, (weights, biases) in enumerate(layers):
        n_inputs = sizes[-1] * (1 + (i in twice))
        if weights.shape != (n_inputs, len(biases)):
            raise InputError(f"layer {i} has weights {weights.shape}; valid: ({n_inputs}, {len(biases)})")
        sizes.append(len(biases))
    head = [len(layers) - 1, ACTIVATIONS.index(activation), masked, temperature, *sizes]
    numbers = [np.ravel(part) for layer in layers for part in layer]
    return np.concatenate([np.asarray(part, dtype=np.float64) for part in (head, *numbers)])


def layer_sizes(numbers: np.ndarray) -> list[int]:
    """The sizes of a network's layers, from the observation to the logits."""
    n = int(record_of(numbers, HEAD_DTYPE, 0)["hidden"]) + 2
    return numbers[SIZES : SIZES + n].astype(int).tolist()


def check_network(numbers: np.ndarray, n_inputs: int, n_outputs: int, reads: Features) -> None:
    """Refuse numbers that are no network of that form.

    Args:
        numbers: As `pack_network` makes them, or of a file.
        n_inputs: Of its first layer.
        n_outputs: Of its last one.
        reads: What comes before its layers.

    Raises:
        InputError: if its sizes are others, its numbers are more or fewer, or it has no such activation or temperature.
    """
    if len(numbers) < SIZES:
        raise InputError(f"network of {len(numbers)} numbers; valid: {SIZES} and more")
    head, sizes = record_of(numbers, HEAD_DTYPE, 0), layer_sizes(numbers)
    deep = len(sizes) - 1 == reads.n_layers if reads.n_layers else len(sizes) >= 2
    if not deep or min(sizes) < 1 or (sizes[0], sizes[-1]) != (n_inputs, n_outputs):
        raise InputError(f"network of {sizes} units; valid: {n_inputs} numbers in, {n_outputs} out")
    layers = enumerate(itertools.pairwise(sizes))
    expected = SIZES + len(sizes) + sum(((1 + (i in reads.twice)) * a + 1) * b for i, (a, b) in layers)
    if len(numbers) != expected:
        raise InputError(f"network of {len(numbers)} numbers; valid: {expected} for {sizes} units")
    if head["activation"] not in range(len(ACTIVATIONS)) or not head["temperature"] >= 0:
        raise InputError(f"network with the head {head.tolist()}; valid: an activation of {ACTIVATIONS}, a temperature")


@jittable
def dense(inputs: np.ndarray, numbers: np.ndarray, out: np.ndarray) -> None:
    """One layer: ``out`` becomes the biases plus the inputs times the weights."""
    n = len(out)
    first = len(inputs) * n
    for j in range(n):
        out[j] = numbers[first + j]
    for i in range(len(inputs)):
        x = inputs[i]
        if x != 0.0:  # most are 0, as for partners that do not exist
            row = numbers[i * n : (i + 1) * n]
            for j in range(n):
                out[j] += row[j] * x


@jittable
def layer(params: np.ndarray, index: int, inputs: np.ndarray, first: int) -> np.ndarray:
    """The values of a layer, after its activation where it is a hidden one; float64.

    Args:
        params: As `pack_network` made them.
        index: Of the layer.
        inputs: Float64, as many as its weights have rows.
        first: Where its weights begin.
    """
    head, out = record_of(params, HEAD_DTYPE, 0), np.empty(int(params[SIZES + index + 1]))
    dense(inputs, params[first : first + (len(inputs) + 1) * len(out)], out)
    if index < head["hidden"]:
        for j in range(len(out)):
            out[j] = math.tanh(out[j]) if head["activation"] == 0.0 else max(out[j], 0.0)
    return out


@jittable
def compute_logits(params: np.ndarray, inputs: np.ndarray) -> np.ndarray:
    """The logits of all choices, float64, of an observation.

    Args:
        params: As `pack_network` made them.
        inputs: Shape ``(observation size,)``.
    """
    n_hidden = int(record_of(params, HEAD_DTYPE, 0)["hidden"])
    first = SIZES + n_hidden + 2
    values = inputs.astype(np.float64)
    for index in range(n_hidden + 1):
        n_in = len(values)
        values = layer(params, index, values, first)
        first += (n_in + 1) * len(values)
    return values


class Features(NamedTuple):
    """How a network reads an observation.

    Attributes:
        n_inputs: Of its first layer; 0 for as many as the observation has.
        n_rows: Into which its choices are divided: it gives those of one row at a time.
        twice: Layers that are given a row's values and the mean over the rows.
        logits: ``(params, observation) -> logits of all choices``, float64; jittable.
        n_layers: That it has; 0 for any number.
    """

    n_inputs: int
    n_rows: int
    twice: tuple[int, ...]
    logits: Callable[[np.ndarray, np.ndarray], np.ndarray]
    n_layers: int = 0


FLATTEN = Features(0, 1, (), compute_logits)
"""All numbers of the observation in a row."""


@jittable
def fill_head_draws(draws: np.ndarray, out: np.ndarray) -> None:
    """A uniform number for each head: those of the decision in their order.

    Where there are more heads than numbers, the last number opens a stream of further ones.

    Args:
        draws: Of the decision, shape ``(N_DRAWS,)``.
        out: Float64, shape ``(heads,)``.
    """
    direct = len(out) if len(out) <= N_DRAWS else N_DRAWS - 1
    for head in range(direct):
        out[head] = draws[head]
    if direct < len(out):
        stream = np.zeros(1, dtype=np.uint64)
        open_stream(stream, int(draws[direct] * 2.0**53))
        for head in range(direct, len(out)):
            out[head] = uniform(stream)


@jittable
def choose(logits: np.ndarray, valid: np.ndarray, temperature: float, draw: float) -> int:
    """One head's choice: the likeliest valid one (the first of equal ones), or one drawn by softmax.

    Args:
        logits: Of the head, overwritten.
        valid: Bool, at least one of it true.
        temperature: 0 for the likeliest.
        draw: Uniform in [0, 1).
    """
    best = -1
    for i in range(len(logits)):
        if valid[i] and (best < 0 or logits[i] > logits[best]):
            best = i
    if temperature == 0.0:
        return best
    most, total = logits[best], 0.0
    for i in range(len(logits)):
        logits[i] = math.exp((logits[i] - most) / temperature) if valid[i] else 0.0
        total += logits[i]
    rest = draw * total
    for i in range(len(logits)):
        rest -= logits[i]
        if rest < 0.0:
            return i
    return best
