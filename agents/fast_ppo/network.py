"""An actor and a critic over one array, the parameters of a torch policy: forward, and gradients backward.

A decision has rows: of its partners, or a single one of all that is known. The actor's layers are the same for every
row. A layer may have a second one beside it for what the rows of a decision have in common
(`scml_gym.agents.sb3.partners`): facts about the decision in the first layer, in others the mean of what they were
given. A pass goes over a chunk of decisions, whose numbers stay in the cache of a processor. Matrix products are
BLAS's, and everything else is loops that are compiled to instructions on many numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from torch import nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from scml_gym.agents.sb3.partners import PartnerBody
from scml_gym.jit.compile import jittable

CHUNK = 128
"""Decisions of a pass."""

WEIGHTS, BIASES, INPUTS, OUTPUTS, VALUES, SLOPES, COMMON, GIVEN = range(8)
"""What is noted of a layer: where its weights ``(outputs, inputs)`` and its biases begin among the parameters; its
sizes; where its values and their slopes (the gradients of the loss) begin in the workspace; which layer is beside it,
0 for none; and where that one finds what it is given, in place of which come the slopes of it."""

F = np.float32


class Network(NamedTuple):
    """Parameters, and what they mean."""

    parameters: np.ndarray  # float32 (n,), those of the policy
    layers: np.ndarray  # int64 (layers, 8), from the input: the actor's, the critic's, then those beside the actor's
    n_actor: int
    n_critic: int
    n_rows: int  # of a decision; each is of an equal part of the heads
    heads: np.ndarray  # int64 (heads, 2): of each choice its first option among all, and how many it has
    space: int  # numbers of a workspace


class Work(NamedTuple):
    """The workspace of a thread, for a chunk."""

    numbers: np.ndarray  # float32 (space,): values and slopes
    inputs: np.ndarray  # float32 (CHUNK, inputs): of the critic
    rows: np.ndarray  # float32 (rows, inputs): of the actor; those whose answers matter
    whose: np.ndarray  # int64 (rows,): the decision of each row
    shares: np.ndarray  # float32 (2, rows): what a row counts in a sum, 1, and in a mean
    heads: np.ndarray  # int64 (heads of all rows, 3): see `scml_gym.agents.fast_ppo.passes.pack`
    entropies: np.ndarray  # float32 (CHUNK, heads)


def read_network(policy: Any, heads: Sequence[int]) -> Network:
    """A policy's layers, whose parameters become parts of one array; ``heads`` are the options of each choice."""
    vector = parameters_to_vector(policy.parameters()).detach().clone()
    vector_to_parameters(vector, policy.parameters())
    body, beside, n_rows = policy.mlp_extractor, list[Any](), 1
    if isinstance(body, PartnerBody):
        actor, critic = [body.row, body.second_row, *policy.action_net], [*body.value, policy.value_net]
        beside, n_rows = [body.context, body.second_context], len(heads)
    else:
        actor, critic = [*body.policy_net, policy.action_net], [*body.value_net, policy.value_net]
    actor, critic = ([layer for layer in part if isinstance(layer, nn.Linear)] for part in (actor, critic))
    layers, space = [], 0
    for layer in actor + critic + beside:
        size = CHUNK * layer.out_features * (n_rows if layer in actor else 1)
        starts = layer.weight.storage_offset(), layer.bias.storage_offset()
        common = len(actor) + len(critic) + len(layers) if len(layers) < len(beside) else 0
        layers.append((*starts, layer.in_features, layer.out_features, space, space + size, common, space + 2 * size))
        space += 2 * size + (CHUNK * layer.in_features if layer in beside else 0)
    options = np.stack([np.cumsum(heads) - heads, heads], axis=1)
    return Network(vector.numpy(), np.array(layers), len(actor), len(critic), n_rows, options, space)


@jittable
def new_work(network: Network) -> Work:
    """A workspace."""
    n_rows, n_heads = CHUNK * network.n_rows, len(network.heads)
    return Work(
        np.empty(network.space, np.float32),
        np.empty((CHUNK, network.layers[network.n_actor, INPUTS]), np.float32),
        np.empty((n_rows, network.layers[0, INPUTS]), np.float32),
        np.empty(n_rows, np.int64),
        np.ones((2, n_rows), np.float32),
        np.empty((CHUNK * n_heads, 3), np.int64),
        np.empty((CHUNK, n_heads), np.float32),
    )


@jittable
def part(network: Network, work: Work, layer: int, start: int, n: int, size: int) -> np.ndarray:
    """What stands in the workspace of a layer, ``(n, one of its sizes)``."""
    first, width = network.layers[layer, start], network.layers[layer, size]
    return work.numbers[first : first + n * width].reshape(n, width)


@jittable
def tensors(network: Network, numbers: np.ndarray, layer: int) -> tuple[np.ndarray, np.ndarray]:
    """A layer's weights and biases among the parameters, or among their gradients."""
    weights, biases, inputs, outputs = network.layers[layer, :VALUES]
    return numbers[weights : weights + inputs * outputs].reshape(outputs, inputs), numbers[biases : biases + outputs]


@jittable
def slopes_of(network: Network, work: Work, layer: int, n: int) -> np.ndarray:
    """The slopes of the values of a layer, ``(n, outputs)``."""
    return part(network, work, layer, SLOPES, n, OUTPUTS)


@jittable
def shared_facts(network: Network, work: Work) -> np.ndarray:
    """Where the first layer finds what the rows of a decision have in common, ``(CHUNK, size)``; size 0 without it."""
    beside = network.layers[0, COMMON]
    return part(network, work, beside, GIVEN, CHUNK, INPUTS) if beside > 0 else np.empty((CHUNK, 0), np.float32)


@jittable
def exponential(x: Any) -> Any:
    """Of a float32 not above 88, within 2e-7 of itself, 0 below -87: the polynomial of Cephes (``expf``)."""
    x, zero = max(x, F(-87)), x < F(-87)
    n = np.floor(x * F(1.44269504088896341) + F(0.5))
    r = x - n * F(0.693359375) + n * F(2.12194440e-4)
    p = r * (r * F(1.9875691500e-4) + F(1.3981999507e-3)) + F(8.3334519073e-3)
    p = r * (r * (r * p + F(4.1665795894e-2)) + F(1.6666665459e-1)) + F(5.0000001201e-1)
    power = np.int32((np.int32(n) + np.int32(127)) << np.int32(23)).view(np.float32)
    return F(0) if zero else (p * r * r + r + F(1)) * power


@jittable
def tanh(matrix: np.ndarray) -> None:
    """In place, within 2e-7."""
    values = matrix.reshape(matrix.size)
    for i in range(len(values)):
        x = min(values[i], F(10))  # `/` would look for zeros one by one
        values[i] = F(1) - np.true_divide(F(2), exponential(x + x) + F(1))


@jittable
def dense(network: Network, work: Work, layer: int, inputs: np.ndarray) -> np.ndarray:
    """Values of a layer, before its tanh."""
    weights, biases = tensors(network, network.parameters, layer)
    values = part(network, work, layer, VALUES, len(inputs), OUTPUTS)
    np.dot(inputs, weights.T, values)
    values += biases
    return values


@jittable
def spread(decisions: np.ndarray, work: Work, shares: np.ndarray, rows: np.ndarray) -> None:
    """Add to each row a share of what its decision has."""
    for r in range(len(rows)):
        row, decision, share = rows[r], decisions[work.whose[r]], shares[r]
        for j in range(len(row)):
            row[j] += share * decision[j]


@jittable
def collect(rows: np.ndarray, work: Work, shares: np.ndarray, decisions: np.ndarray) -> None:
    """Sum a share of each row for its decision, in place of what that has."""
    decisions[:] = F(0)
    for r in range(len(rows)):
        row, decision, share = rows[r], decisions[work.whose[r]], shares[r]
        for j in range(len(row)):
            decision[j] += share * row[j]


@jittable
def forward(network: Network, work: Work, first: int, n_layers: int, inputs: np.ndarray, n: int) -> np.ndarray:
    """Layers one after the other from what rows of ``n`` decisions are given, tanh between them; the last values."""
    each, mean = work.shares
    for layer in range(first, first + n_layers):
        values, beside = dense(network, work, layer, inputs), network.layers[layer, COMMON]
        if beside > 0:
            given = part(network, work, beside, GIVEN, n, INPUTS)
            if layer > first:
                collect(inputs, work, mean, given)
            spread(dense(network, work, beside, given), work, each, values)
        if layer + 1 < first + n_layers:
            tanh(values)
        inputs = values
    return inputs


@jittable
def backward(
    network: Network, work: Work, first: int, n_layers: int, inputs: np.ndarray, n: int, gradient: np.ndarray
) -> None:
    """Write their part of the gradient, from the slopes of the last values."""
    each, mean = work.shares
    for layer in range(first + n_layers - 1, first - 1, -1):
        slopes, beside = slopes_of(network, work, layer, len(inputs)), network.layers[layer, COMMON]
        given = part(network, work, layer - 1, VALUES, len(inputs), OUTPUTS) if layer > first else inputs
        of_given = slopes_of(network, work, layer - 1, len(inputs)) if layer > first else slopes
        write_gradient(network, work, layer, given, slopes, gradient)
        if layer > first:
            np.dot(slopes, tensors(network, network.parameters, layer)[0], of_given)
        if beside > 0:
            common = part(network, work, beside, GIVEN, n, INPUTS)
            of_beside = slopes_of(network, work, beside, n)
            collect(slopes, work, each, of_beside)
            write_gradient(network, work, beside, common, of_beside, gradient)
            if layer > first:
                np.dot(of_beside, tensors(network, network.parameters, beside)[0], common)
                spread(common, work, mean, of_given)
        if layer > first:
            of_given *= F(1) - given * given  # what tanh was given


@jittable
def write_gradient(
    network: Network, work: Work, layer: int, given: np.ndarray, slopes: np.ndarray, gradient: np.ndarray
) -> None:
    """A layer's part of it."""
    weights, biases = tensors(network, gradient, layer)
    np.dot(slopes.T, given, weights)
    np.dot(work.shares[0, : len(slopes)], slopes, biases)
