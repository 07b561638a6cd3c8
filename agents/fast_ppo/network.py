"""An actor and a critic over one array, the parameters of a torch policy: forward, and gradients backward.

A decision has rows: of its partners, or a single one of all that is known. The actor's layers are the same for every
row. A layer may have a second one beside it for what the rows of a decision have in common, as in
`scml_gym.agents.sb3.partners`: facts about the decision in the first layer, in others the mean of what they were given.
Matrix products are BLAS's, and everything else is loops that are compiled to instructions on many numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from scml_gym.agents.sb3.partners import linear_layers
from scml_gym.jit.compile import jittable
from scml_gym.jit.elementary import F, tanh

WEIGHTS, BIASES, INPUTS, OUTPUTS, BESIDE = range(5)
"""What is noted of a layer: where its weights ``(outputs, inputs)`` and its biases begin among the parameters; its
sizes; and which layer is beside it, 0 for none."""


class Network(NamedTuple):
    """Parameters, and what they mean."""

    parameters: np.ndarray  # float32 (n,), those of the policy
    layers: np.ndarray  # int64 (layers, 5), from the input: the actor's, the critic's, then those beside the actor's
    n_actor: int
    n_critic: int
    n_rows: int  # of a decision; each is of an equal part of the heads
    heads: np.ndarray  # int64 (heads, 2): of each choice its first option among all, and how many it has


class Chunk(NamedTuple):
    """The ``n`` decisions of a pass, and those of their rows whose answers matter."""

    inputs: np.ndarray  # float32 (n, inputs): of the critic
    rows: np.ndarray  # float32 (rows, inputs): of the actor
    whose: np.ndarray  # int64 (rows,): the decision of each row, among the n
    shares: np.ndarray  # float32 (2, rows): what a row counts in a sum, 1, and in a mean
    heads: Any  # HEAD_DTYPE (heads of all rows,), see `scml_gym.agents.fast_ppo.passes`


def read_network(policy: Any, heads: Sequence[int]) -> Network:
    """A policy's layers, whose parameters become parts of one array; ``heads`` are the options of each choice."""
    vector = parameters_to_vector(policy.parameters()).detach().clone()
    vector_to_parameters(vector, policy.parameters())
    actor, critic, beside = linear_layers(policy)
    layers = np.zeros((len(actor + critic + beside), 5), np.int64)
    for noted, layer in zip(layers, actor + critic + beside, strict=True):
        starts = layer.weight.storage_offset(), layer.bias.storage_offset()
        noted[:BESIDE] = *starts, layer.in_features, layer.out_features
    layers[: len(beside), BESIDE] = len(actor + critic) + np.arange(len(beside))
    options = np.stack([np.cumsum(heads) - heads, heads], axis=1)
    return Network(vector.numpy(), layers, len(actor), len(critic), len(heads) if beside else 1, options)


@jittable
def tensors(network: Network, numbers: np.ndarray, layer: int) -> tuple[np.ndarray, np.ndarray]:
    """A layer's weights and biases among the parameters, or among their gradients."""
    weights, biases, inputs, outputs = network.layers[layer, :BESIDE]
    return numbers[weights : weights + inputs * outputs].reshape(outputs, inputs), numbers[biases : biases + outputs]


@jittable
def dense(network: Network, layer: int, inputs: np.ndarray) -> np.ndarray:
    """Values of a layer, before its tanh."""
    weights, biases = tensors(network, network.parameters, layer)
    values = np.dot(inputs, weights.T)
    for i in range(len(values)):
        for j in range(len(biases)):
            values[i, j] += biases[j]
    return values


@jittable
def spread(decisions: np.ndarray, chunk: Chunk, counts: int, rows: np.ndarray) -> None:
    """Add to each row its share of what its decision has; ``counts`` is 0 in a sum, and 1 in a mean."""
    for r in range(len(rows)):
        i, share = chunk.whose[r], chunk.shares[counts, r]
        for j in range(rows.shape[1]):
            rows[r, j] += share * decisions[i, j]


@jittable
def collect(rows: np.ndarray, chunk: Chunk, counts: int) -> np.ndarray:
    """The sum or mean over the rows of each decision."""
    decisions = np.zeros((len(chunk.inputs), rows.shape[1]), np.float32)
    for r in range(len(rows)):
        i, share = chunk.whose[r], chunk.shares[counts, r]
        for j in range(rows.shape[1]):
            decisions[i, j] += share * rows[r, j]
    return decisions


@jittable
def forward(network: Network, first: int, last: int, inputs: np.ndarray, chunk: Chunk) -> Any:
    """Layers from ``first`` to before ``last``, tanh between them.

    Returns:
        What each of them was given, and at the end the last values; what the layers beside them were given.
    """
    given, beside_given = [inputs], [inputs for _ in range(0)]
    for layer in range(first, last):
        values, beside = dense(network, layer, given[-1]), network.layers[layer, BESIDE]
        if beside > 0:
            facts = np.ascontiguousarray(chunk.inputs[:, : network.layers[beside, INPUTS]])
            common = collect(given[-1], chunk, 1) if layer > first else facts
            spread(dense(network, beside, common), chunk, 0, values)
            beside_given.append(common)
        if layer + 1 < last:
            tanh(values)
        given.append(values)
    return given, beside_given


@jittable
def backward(
    network: Network, first: int, slopes: np.ndarray, chunk: Chunk, gradient: np.ndarray, given: Any, beside_given: Any
) -> None:
    """Write the gradient of the layers from ``first`` on, from what `forward` returned and the last values' slopes."""
    for layer in range(first + len(given) - 2, first - 1, -1):
        before, beside = given[layer - first], network.layers[layer, BESIDE]
        of_before = np.dot(slopes, tensors(network, network.parameters, layer)[0]) if layer > first else slopes
        write_gradient(network, layer, before, slopes, gradient)
        if beside > 0:
            of_beside = collect(slopes, chunk, 0)
            write_gradient(network, beside, beside_given[layer - first], of_beside, gradient)
            if layer > first:
                spread(np.dot(of_beside, tensors(network, network.parameters, beside)[0]), chunk, 1, of_before)
        if layer > first:
            for i in range(len(before)):
                for j in range(before.shape[1]):
                    of_before[i, j] *= F(1) - before[i, j] * before[i, j]  # of what tanh was given
        slopes = of_before


@jittable
def write_gradient(network: Network, layer: int, given: np.ndarray, slopes: np.ndarray, gradient: np.ndarray) -> None:
    """A layer's part of it."""
    weights, biases = tensors(network, gradient, layer)
    np.dot(slopes.T, given, weights)
    np.dot(np.ones(len(slopes), np.float32), slopes, biases)
