"""Networks over one array of parameters, those of a torch policy in torch's order: forward, and gradients backward.

A layer works on a chunk of decisions, whose numbers stay in the cache of a processor. Matrix products are BLAS's, and
everything else is loops that are compiled to instructions on many numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from torch import nn

from agents.sb3.fitting_sets import RUNNING, read_sets
from agents.sb3.partners import N_CONTEXT, N_ROW, PartnerBody
from scml_gym.core.registry import Registry
from scml_gym.jit.compile import jittable
from scml_gym.oneshot.view import MAX_PARTNERS

CHUNK = 256
"""Decisions of a pass through the network."""

WEIGHTS, BIASES, INPUTS, OUTPUTS, PLACE, SLOPES = range(6)
"""What is noted of a layer: where its weights ``(outputs, inputs)`` and its biases begin among the parameters; its
sizes; where its outputs, and its slopes (the gradients of the loss in them), begin in the workspace."""

ROW, CONTEXT, SECOND_ROW, SECOND_CONTEXT, ANSWERS = range(5)
"""The layers of an actor with rows of partners, `agents.sb3.partners.PartnerBody`."""

F = np.float32


class Network(NamedTuple):
    """An actor and a critic."""

    parameters: np.ndarray  # float32 (n,), in torch's order
    layers: np.ndarray  # int64 (layers, 6), the actor's first, each of both in order from the input
    n_actor: int  # layers of the actor
    heads: np.ndarray  # int64 (heads, 2): of each choice its first option among all, and how many it has
    space: int  # numbers of a workspace


class Work(NamedTuple):
    """The workspace of a thread, for a chunk."""

    numbers: np.ndarray  # float32 (space,): outputs and slopes of the layers
    inputs: np.ndarray  # float32 (CHUNK, inputs)
    context: np.ndarray  # float32 (CHUNK, N_CONTEXT): the first inputs, where partners have rows
    rows: np.ndarray  # float32 (CHUNK * partners, N_ROW): of the partners whose answers matter
    whose: np.ndarray  # int64 (CHUNK * partners,): decision of each row
    shares: np.ndarray  # float32 (2, CHUNK * partners): what rows count in sums, 1, and in means over running partners
    means: np.ndarray  # float32 (2, CHUNK, units): of the rows' first layer, and their slopes
    slots: np.ndarray  # int64 (CHUNK, heads): where its logits begin in the actor's outputs; -1: it has no row
    entropies: np.ndarray  # float32 (CHUNK, heads)


class Actor(NamedTuple):
    """How logits come from observations.

    Attributes:
        read: ``(observation, inputs, rows)``: writes what is known of a decision without any weights, which is kept.
        n_inputs: ``(size of an observation) -> how many inputs``.
        n_rows: How many rows of partners.
        pack: ``(network, work, rows, choices, i, n_rows) -> n_rows``: prepare decision ``i`` of a chunk, with its
            partners' rows, and which heads leave a choice; ``n_rows`` rows are packed.
        forward: ``(network, work, n, n_rows) -> logits``.
        backward: ``(network, work, n, n_rows, gradient)``: writes its part of the gradient, from the logits' slopes.
    """

    read: Callable[..., None]
    n_inputs: Callable[[int], int]
    n_rows: int
    pack: Callable[..., int]
    forward: Callable[..., np.ndarray]
    backward: Callable[..., None]


def read_network(policy: Any, heads: Sequence[int], parameters: np.ndarray) -> Network:
    """The network of a policy with plain hidden layers or `PartnerBody`; ``heads`` are the options of each choice."""
    body, shared = policy.mlp_extractor, list[Any]()
    if isinstance(body, PartnerBody):
        shared = [body.row, body.second_row, policy.action_net[1]]
        actor = [body.row, body.context, body.second_row, body.second_context, policy.action_net[1]]
        critic = [*body.value, policy.value_net]
    else:
        actor, critic = [*body.policy_net, policy.action_net], [*body.value_net, policy.value_net]
    tensors = list(policy.parameters())
    starts = np.cumsum([0, *(tensor.numel() for tensor in tensors)]).tolist()
    start = {id(tensor): first for tensor, first in zip(tensors, starts, strict=False)}
    actor, critic = ([layer for layer in part if isinstance(layer, nn.Linear)] for part in (actor, critic))
    layers, place = [], 0
    for layer in actor + critic:
        size = CHUNK * layer.out_features * (len(heads) if layer in shared else 1)
        sizes = layer.in_features, layer.out_features
        layers.append([start[id(layer.weight)], start[id(layer.bias)], *sizes, place, place + size])
        place += 2 * size
    return Network(parameters, np.array(layers), len(actor), np.stack([np.cumsum(heads) - heads, heads], 1), place)


@jittable
def new_work(network: Network, n_inputs: int, n_partners: int) -> Work:
    """A workspace; 0 partners where they have no rows."""
    return Work(
        np.empty(network.space, np.float32),
        np.empty((CHUNK, n_inputs), np.float32),
        np.empty((CHUNK, N_CONTEXT), np.float32),
        np.empty((CHUNK * n_partners, N_ROW), np.float32),
        np.empty(CHUNK * n_partners, np.int64),
        np.ones((2, CHUNK * n_partners), np.float32),
        np.empty((2, CHUNK, network.layers[0, OUTPUTS]), np.float32),
        np.empty((CHUNK, len(network.heads)), np.int64),
        np.empty((CHUNK, len(network.heads)), np.float32),
    )


@jittable
def matrix(network: Network, numbers: np.ndarray, layer: int, place: int, n: int, width: int) -> np.ndarray:
    """Part of a row of numbers, ``(n, a size of the layer)``."""
    start, size = network.layers[layer, place], network.layers[layer, width]
    return numbers[start : start + n * size].reshape(n, size)


@jittable
def dense(network: Network, work: Work, layer: int, inputs: np.ndarray) -> np.ndarray:
    """Outputs of a layer, before its tanh."""
    weights = matrix(network, network.parameters, layer, WEIGHTS, network.layers[layer, OUTPUTS], INPUTS)
    biases = matrix(network, network.parameters, layer, BIASES, 1, OUTPUTS)
    out = matrix(network, work.numbers, layer, PLACE, len(inputs), OUTPUTS)
    np.dot(inputs, weights.T, out)
    for i in range(len(out)):
        for j in range(out.shape[1]):
            out[i, j] += biases[0, j]
    return out


@jittable
def tanh(matrix: np.ndarray) -> None:
    """In place, within 4e-7: the quotient of polynomials of Eigen (https://eigen.tuxfamily.org, ``ptanh_float``)."""
    values = matrix.reshape(matrix.size)
    for i in range(len(values)):
        x = min(max(values[i], F(-7.90531110763549805)), F(7.90531110763549805))
        s = x * x
        p = s * F(-2.76076847742355e-16) + F(2.00018790482477e-13)
        p = s * (s * (s * p + F(-8.60467152213735e-11)) + F(5.12229709037114e-08)) + F(1.48572235717979e-05)
        p = s * (s * p + F(6.37261928875436e-04)) + F(4.89352455891786e-03)
        q = s * (s * F(1.19825839466702e-06) + F(1.18534705686654e-04)) + F(2.26843463243900e-03)
        values[i] = np.true_divide(x * p, s * q + F(4.89352518554385e-03))  # `/` would look for zeros one by one


@jittable
def gradient_of(network: Network, work: Work, layer: int, inputs: np.ndarray, gradient: np.ndarray) -> None:
    """A layer's part of the gradient, from its slopes."""
    slopes = matrix(network, work.numbers, layer, SLOPES, len(inputs), OUTPUTS)
    np.dot(slopes.T, inputs, matrix(network, gradient, layer, WEIGHTS, network.layers[layer, OUTPUTS], INPUTS))
    biases = matrix(network, gradient, layer, BIASES, 1, OUTPUTS)
    biases[:] = F(0)
    for i in range(len(slopes)):
        for j in range(slopes.shape[1]):
            biases[0, j] += slopes[i, j]


@jittable
def slopes_below(network: Network, work: Work, layer: int, n: int, out: np.ndarray) -> np.ndarray:
    """The slopes of what a layer was given, written to ``out``."""
    weights = matrix(network, network.parameters, layer, WEIGHTS, network.layers[layer, OUTPUTS], INPUTS)
    return np.dot(matrix(network, work.numbers, layer, SLOPES, n, OUTPUTS), weights, out)


@jittable
def before_tanh(values: np.ndarray, slopes: np.ndarray) -> None:
    """Slopes of what tanh was given, in place of those of the values that it gave."""
    for i in range(len(values)):
        for j in range(values.shape[1]):
            slopes[i, j] *= F(1) - values[i, j] * values[i, j]


@jittable
def forward(network: Network, work: Work, first: int, last: int, n: int) -> np.ndarray:
    """Layers one after the other from the inputs, with tanh between them; outputs of the number ``last``."""
    x = work.inputs[:n]
    for layer in range(first, last):
        x = dense(network, work, layer, x)
        tanh(x)
    return dense(network, work, last, x)


@jittable
def backward(network: Network, work: Work, first: int, last: int, n: int, gradient: np.ndarray) -> None:
    """Their part of the gradient, from the slopes of the last one."""
    for layer in range(last, first, -1):
        x = matrix(network, work.numbers, layer - 1, PLACE, n, OUTPUTS)
        gradient_of(network, work, layer, x, gradient)
        before_tanh(
            x, slopes_below(network, work, layer, n, matrix(network, work.numbers, layer - 1, SLOPES, n, OUTPUTS))
        )
    gradient_of(network, work, first, work.inputs[:n], gradient)


@jittable
def copy_all(observation: np.ndarray, inputs: np.ndarray, rows: np.ndarray) -> None:
    """See `Actor`."""
    inputs[:] = observation


@jittable
def read_summary(observation: np.ndarray, inputs: np.ndarray, rows: np.ndarray) -> None:
    """See `Actor`; the rows are not kept."""
    read_sets(observation, inputs, np.empty((MAX_PARTNERS, N_ROW), np.float32))


@jittable
def pack_plain(network: Network, work: Work, rows: np.ndarray, choices: np.ndarray, i: int, n_rows: int) -> int:
    """See `Actor`."""
    for head in range(len(network.heads)):
        work.slots[i, head] = i * network.layers[network.n_actor - 1, OUTPUTS] + network.heads[head, 0]
    return n_rows


@jittable
def plain_forward(network: Network, work: Work, n: int, n_rows: int) -> np.ndarray:
    """See `Actor`."""
    return forward(network, work, 0, network.n_actor - 1, n)


@jittable
def plain_backward(network: Network, work: Work, n: int, n_rows: int, gradient: np.ndarray) -> None:
    """See `Actor`."""
    backward(network, work, 0, network.n_actor - 1, n, gradient)


FLATTEN = Actor(copy_all, lambda size: size, 0, pack_plain, plain_forward, plain_backward)
"""Hidden layers, and one that gives the logits of all heads."""

SETS = Actor(read_summary, lambda size: N_CONTEXT + N_ROW, 0, pack_plain, plain_forward, plain_backward)
"""The same, on what `agents.sb3.partners.SetFeatures` gives."""


@jittable
def pack_rows(network: Network, work: Work, rows: np.ndarray, choices: np.ndarray, i: int, n_rows: int) -> int:
    """See `Actor`; partners that do not negotiate and leave no choice change nothing, so their rows are left out."""
    work.context[i] = work.inputs[i, :N_CONTEXT]
    running = F(0)
    for k in range(len(rows)):
        running += rows[k, RUNNING]
    for k in range(len(rows)):
        work.slots[i, k] = -1
        if choices[k] or rows[k, RUNNING] > F(0) or n_rows == 0:  # BLAS takes no empty matrix
            work.slots[i, k] = n_rows * network.heads[k, 1]
            work.rows[n_rows] = rows[k]
            work.whose[n_rows], work.shares[1, n_rows] = i, np.true_divide(rows[k, RUNNING], max(running, F(1)))
            n_rows += 1
    return n_rows


@jittable
def spread(decisions: np.ndarray, work: Work, shares: np.ndarray, rows: np.ndarray) -> None:
    """Add to each row a share of what its decision has."""
    for r in range(len(rows)):
        row, decision, share = rows[r], decisions[work.whose[r]], shares[r]
        for j in range(len(row)):
            row[j] += share * decision[j]


@jittable
def collect(rows: np.ndarray, work: Work, shares: np.ndarray, decisions: np.ndarray) -> np.ndarray:
    """Sum a share of each row for its decision, in place of what that has."""
    decisions[:] = F(0)
    for r in range(len(rows)):
        row, decision, share = rows[r], decisions[work.whose[r]], shares[r]
        for j in range(len(row)):
            decision[j] += share * row[j]
    return decisions


@jittable
def partners_forward(network: Network, work: Work, n: int, n_rows: int) -> np.ndarray:
    """See `Actor`, and `agents.sb3.partners.PartnerBody`."""
    each, mean = work.shares
    first = dense(network, work, ROW, work.rows[:n_rows])
    spread(dense(network, work, CONTEXT, work.context[:n]), work, each, first)
    tanh(first)
    second = dense(network, work, SECOND_ROW, first)
    spread(dense(network, work, SECOND_CONTEXT, collect(first, work, mean, work.means[0, :n])), work, each, second)
    tanh(second)
    return dense(network, work, ANSWERS, second)


@jittable
def partners_backward(network: Network, work: Work, n: int, n_rows: int, gradient: np.ndarray) -> None:
    """See `Actor`."""
    each, mean = work.shares
    first = matrix(network, work.numbers, ROW, PLACE, n_rows, OUTPUTS)
    second = matrix(network, work.numbers, SECOND_ROW, PLACE, n_rows, OUTPUTS)
    gradient_of(network, work, ANSWERS, second, gradient)
    of_second = matrix(network, work.numbers, SECOND_ROW, SLOPES, n_rows, OUTPUTS)
    before_tanh(second, slopes_below(network, work, ANSWERS, n_rows, of_second))
    collect(of_second, work, each, matrix(network, work.numbers, SECOND_CONTEXT, SLOPES, n, OUTPUTS))
    gradient_of(network, work, SECOND_ROW, first, gradient)
    gradient_of(network, work, SECOND_CONTEXT, work.means[0, :n], gradient)
    of_first = matrix(network, work.numbers, ROW, SLOPES, n_rows, OUTPUTS)
    slopes_below(network, work, SECOND_ROW, n_rows, of_first)
    spread(slopes_below(network, work, SECOND_CONTEXT, n, work.means[1, :n]), work, mean, of_first)
    before_tanh(first, of_first)
    collect(of_first, work, each, matrix(network, work.numbers, CONTEXT, SLOPES, n, OUTPUTS))
    gradient_of(network, work, ROW, work.rows[:n_rows], gradient)
    gradient_of(network, work, CONTEXT, work.context[:n], gradient)


PARTNERS = Actor(read_sets, SETS.n_inputs, MAX_PARTNERS, pack_rows, partners_forward, partners_backward)
"""The same layers for every partner."""

FAST_NETWORKS = Registry("fast network")
"""The networks of `agents.sb3.hyperparameters.FEATURES` that are known here."""

FAST_NETWORKS.register("flatten", FLATTEN)
FAST_NETWORKS.register("sets", SETS)
FAST_NETWORKS.register("partners", PARTNERS)
