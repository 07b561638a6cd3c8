"""Networks over one array of parameters, those of a torch policy in torch's order: forward, and gradients backward.

A layer works on a chunk of decisions at a time, whose numbers stay in the cache of a processor. The matrix products are
those of BLAS, and everything else is loops that are compiled to instructions on many numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from torch import nn

from agents.sb3.partners import N_CONTEXT, N_ROW, PartnerBody
from scml_gym.jit.compile import jittable

CHUNK = 256
"""Decisions of a pass through the network."""

WEIGHTS, BIASES, INPUTS, OUTPUTS, PLACE, SLOPES = range(6)
"""What is noted of a layer: where its weights ``(outputs, inputs)`` and its biases begin among the parameters; its sizes;
where its outputs, and the gradients of the loss in them, begin in the workspace of a chunk."""

RUNNING = 1
"""Of a partner's row: whether the negotiation with it goes on."""

F = np.float32


class Network(NamedTuple):
    """An actor and a critic."""

    parameters: np.ndarray  # float32 (n,), in torch's order
    layers: np.ndarray  # int64 (layers, 6), the actor's first, each of both in order from the input
    n_actor: int  # layers of the actor
    heads: np.ndarray  # int64 (heads, 2): of each choice the first logit, and how many
    space: int  # numbers of the workspace


class Work(NamedTuple):
    """What a thread needs for a chunk."""

    numbers: np.ndarray  # float32 (space,), outputs and gradients of the layers
    inputs: np.ndarray  # float32 (CHUNK, inputs)
    rows: np.ndarray  # float32 (CHUNK * partners, N_ROW): of the partners whose answers matter, packed
    context: np.ndarray  # float32 (CHUNK, N_CONTEXT)
    ends: np.ndarray  # int64 (CHUNK,): one after the last row of each decision
    means: np.ndarray  # float32 (2, CHUNK, units): of the rows' first layer over running partners, and its gradient
    slots: np.ndarray  # int64 (CHUNK, heads): where a head's logits begin in the actor's last outputs; -1: left out


def read_network(policy: Any, heads: list[int], parameters: np.ndarray) -> Network:
    """The network of a policy of Stable-Baselines3, one with plain hidden layers or `PartnerBody`.

    Args:
        policy: Whose parameters ``parameters`` are, float32.
        heads: How many options each choice has.
        parameters: All of them in a row.
    """
    body = policy.mlp_extractor
    if isinstance(body, PartnerBody):
        answers = policy.action_net[1]
        actor = [body.row, body.context, body.second_row, body.second_context, answers]
        per_partner = {body.row, body.second_row, answers}
        critic: list[Any] = [*body.value, policy.value_net]
    else:
        actor, critic, per_partner = [*body.policy_net, policy.action_net], [*body.value_net, policy.value_net], set()
    starts, start = {}, 0
    for tensor in policy.parameters():
        starts[id(tensor)], start = start, start + tensor.numel()
    layers, place = [], 0
    linear = [layer for layer in actor + critic if isinstance(layer, nn.Linear)]
    for layer in linear:
        size = CHUNK * layer.out_features * (len(heads) if layer in per_partner else 1)
        sizes = layer.in_features, layer.out_features
        layers.append([starts[id(layer.weight)], starts[id(layer.bias)], *sizes, place, place + size])
        place += 2 * size
    n_actor = sum(isinstance(layer, nn.Linear) for layer in actor)
    first = np.cumsum([0, *heads[:-1]])
    return Network(parameters, np.array(layers), n_actor, np.stack([first, heads], axis=1), place)


@jittable
def new_work(network: Network, n_inputs: int, n_rows: int) -> Work:
    """A workspace; ``n_rows`` is 0 where partners have no rows."""
    n_heads = len(network.heads)
    return Work(
        np.empty(network.space, np.float32),
        np.empty((CHUNK, n_inputs), np.float32),
        np.empty((CHUNK * n_rows, N_ROW), np.float32),
        np.empty((CHUNK, N_CONTEXT), np.float32),
        np.empty(CHUNK, np.int64),
        np.empty((2, CHUNK, network.layers[0, OUTPUTS]), np.float32),
        np.empty((CHUNK, n_heads), np.int64),
    )


@jittable
def tanh(values: np.ndarray) -> None:
    """In place, within 4e-7: the quotient of polynomials of Eigen (https://eigen.tuxfamily.org, ``ptanh_float``)."""
    for i in range(len(values)):
        x = min(max(values[i], F(-7.90531110763549805)), F(7.90531110763549805))
        s = x * x
        p = s * F(-2.76076847742355e-16) + F(2.00018790482477e-13)
        p = s * (s * (s * p + F(-8.60467152213735e-11)) + F(5.12229709037114e-08)) + F(1.48572235717979e-05)
        p = s * (s * p + F(6.37261928875436e-04)) + F(4.89352455891786e-03)
        q = s * (s * F(1.19825839466702e-06) + F(1.18534705686654e-04)) + F(2.26843463243900e-03)
        values[i] = np.true_divide(x * p, s * q + F(4.89352518554385e-03))  # `/` would look for zeros one by one


@jittable
def block(numbers: np.ndarray, start: int, n: int, width: int) -> np.ndarray:
    """Part of a row of numbers as a matrix."""
    return numbers[start : start + n * width].reshape(n, width)


@jittable
def outputs(network: Network, work: Work, layer: int, n: int) -> np.ndarray:
    """What a layer gave, ``(n, outputs)``."""
    return block(work.numbers, network.layers[layer, PLACE], n, network.layers[layer, OUTPUTS])


@jittable
def slopes(network: Network, work: Work, layer: int, n: int) -> np.ndarray:
    """Gradients of the loss in what a layer gave, or in what it gave before its tanh, ``(n, outputs)``."""
    return block(work.numbers, network.layers[layer, SLOPES], n, network.layers[layer, OUTPUTS])


@jittable
def weights(network: Network, numbers: np.ndarray, layer: int) -> np.ndarray:
    """A layer's weights among the parameters or among their gradients, ``(outputs, inputs)``."""
    return block(
        numbers, network.layers[layer, WEIGHTS], network.layers[layer, OUTPUTS], network.layers[layer, INPUTS]
    )


@jittable
def dense(network: Network, work: Work, layer: int, inputs: np.ndarray) -> np.ndarray:
    """A layer without its tanh."""
    out = outputs(network, work, layer, len(inputs))
    np.dot(inputs, weights(network, network.parameters, layer).T, out)
    first = network.layers[layer, BIASES]
    biases = network.parameters[first : first + out.shape[1]]
    for i in range(len(out)):
        for j in range(out.shape[1]):
            out[i, j] += biases[j]
    return out


@jittable
def dense_back(network: Network, work: Work, layer: int, inputs: np.ndarray, gradient: np.ndarray) -> None:
    """A layer's part of the gradient, from its slopes."""
    above = slopes(network, work, layer, len(inputs))
    np.dot(above.T, inputs, weights(network, gradient, layer))
    first = network.layers[layer, BIASES]
    biases = gradient[first : first + above.shape[1]]
    biases[:] = F(0)
    for i in range(len(above)):
        for j in range(above.shape[1]):
            biases[j] += above[i, j]


@jittable
def slopes_below(network: Network, work: Work, layer: int, n: int, out: np.ndarray) -> None:
    """Gradients of the loss in the inputs of a layer."""
    np.dot(slopes(network, work, layer, n), weights(network, network.parameters, layer), out)


@jittable
def through_tanh(values: np.ndarray, above: np.ndarray) -> None:
    """From gradients in what tanh gave to those in what it was given, in place."""
    for i in range(len(values)):
        for j in range(values.shape[1]):
            above[i, j] *= F(1) - values[i, j] * values[i, j]


@jittable
def forward(network: Network, work: Work, first: int, last: int, n: int) -> None:
    """Layers one after the other from the inputs, with tanh between them; the last one's number is ``last``."""
    x = work.inputs[:n]
    for layer in range(first, last):
        x = dense(network, work, layer, x)
        tanh(x.reshape(x.size))
    dense(network, work, last, x)


@jittable
def backward(network: Network, work: Work, first: int, last: int, n: int, gradient: np.ndarray) -> None:
    """Their part of the gradient, from the slopes of the last one."""
    for layer in range(last, first, -1):
        x, below = outputs(network, work, layer - 1, n), slopes(network, work, layer - 1, n)
        dense_back(network, work, layer, x, gradient)
        slopes_below(network, work, layer, n, below)
        through_tanh(x, below)
    dense_back(network, work, first, work.inputs[:n], gradient)


class Actor(NamedTuple):
    """How logits come from a chunk's inputs, and its gradient from their slopes.

    Attributes:
        pack: ``(network, work, rows, masks, i, first)``: prepare decision ``i`` of a chunk, with its partners' rows
            ``(partners, N_ROW)`` and its mask; rows of the chunk are packed up to before ``first``. Returns one after
            its last packed row.
        forward: ``(network, work, n, n_rows)``.
        backward: ``(network, work, n, n_rows, gradient)``.
    """

    pack: Callable[..., int]
    forward: Callable[..., None]
    backward: Callable[..., None]


@jittable
def _pack_nothing(network: Network, work: Work, rows: np.ndarray, mask: np.ndarray, i: int, first: int) -> int:
    for head in range(len(network.heads)):
        work.slots[i, head] = i * network.layers[network.n_actor - 1, OUTPUTS] + network.heads[head, 0]
    return first


@jittable
def _plain_forward(network: Network, work: Work, n: int, n_rows: int) -> None:
    forward(network, work, 0, network.n_actor - 1, n)


@jittable
def _plain_backward(network: Network, work: Work, n: int, n_rows: int, gradient: np.ndarray) -> None:
    backward(network, work, 0, network.n_actor - 1, n, gradient)


PLAIN = Actor(_pack_nothing, _plain_forward, _plain_backward)
"""Hidden layers, and one that gives the logits of all heads."""

ROW, CONTEXT, SECOND_ROW, SECOND_CONTEXT, ANSWERS = range(5)
"""The layers of `PartnerBody`."""


@jittable
def _pack_rows(network: Network, work: Work, rows: np.ndarray, mask: np.ndarray, i: int, first: int) -> int:
    """Partners that neither negotiate nor leave a choice change nothing, so their rows are left out."""
    work.context[i] = work.inputs[i, :N_CONTEXT]
    for k in range(len(rows)):
        start, width = network.heads[k]
        choices = 0
        for j in range(start, start + width):
            choices += mask[j]
        if choices > 1 or rows[k, RUNNING] > F(0) or first == 0:  # BLAS takes no empty matrices
            work.slots[i, k] = first * width
            work.rows[first] = rows[k]
            first += 1
        else:
            work.slots[i, k] = -1
    work.ends[i] = first
    return first


@jittable
def _add_to_rows(values: np.ndarray, ends: np.ndarray, rows: np.ndarray) -> None:
    """Add a decision's values to each of its rows."""
    r = 0
    for i in range(len(values)):
        while r < ends[i]:
            for j in range(values.shape[1]):
                rows[r, j] += values[i, j]
            r += 1


@jittable
def _sum_of_rows(rows: np.ndarray, ends: np.ndarray, out: np.ndarray) -> None:
    """Sum the rows of each decision."""
    r = 0
    for i in range(len(out)):
        out[i] = F(0)
        while r < ends[i]:
            for j in range(out.shape[1]):
                out[i, j] += rows[r, j]
            r += 1


@jittable
def _share_of_running(work: Work, n: int, n_rows: int) -> np.ndarray:
    """What a row counts in the mean over running partners, float32 ``(n_rows,)``."""
    shares = work.rows[:n_rows, RUNNING].copy()
    r = 0
    for i in range(n):
        start, running = r, F(0)
        while r < work.ends[i]:
            running += shares[r]
            r += 1
        for k in range(start, r):
            shares[k] = np.true_divide(shares[k], max(running, F(1)))
    return shares


@jittable
def _partners_forward(network: Network, work: Work, n: int, n_rows: int) -> None:
    """As `PartnerBody`."""
    means = work.means[0, :n]
    first = dense(network, work, ROW, work.rows[:n_rows])
    _add_to_rows(dense(network, work, CONTEXT, work.context[:n]), work.ends, first)
    tanh(first.reshape(first.size))
    shares, r = _share_of_running(work, n, n_rows), 0
    for i in range(n):
        means[i] = F(0)
        while r < work.ends[i]:
            for j in range(means.shape[1]):
                means[i, j] += shares[r] * first[r, j]
            r += 1
    second = dense(network, work, SECOND_ROW, first)
    _add_to_rows(dense(network, work, SECOND_CONTEXT, means), work.ends, second)
    tanh(second.reshape(second.size))
    dense(network, work, ANSWERS, second)


@jittable
def _partners_backward(network: Network, work: Work, n: int, n_rows: int, gradient: np.ndarray) -> None:
    means, from_means = work.means[0, :n], work.means[1, :n]
    first, second = outputs(network, work, ROW, n_rows), outputs(network, work, SECOND_ROW, n_rows)
    in_first, in_second = slopes(network, work, ROW, n_rows), slopes(network, work, SECOND_ROW, n_rows)
    dense_back(network, work, ANSWERS, second, gradient)
    slopes_below(network, work, ANSWERS, n_rows, in_second)
    through_tanh(second, in_second)
    _sum_of_rows(in_second, work.ends, slopes(network, work, SECOND_CONTEXT, n))
    dense_back(network, work, SECOND_ROW, first, gradient)
    dense_back(network, work, SECOND_CONTEXT, means, gradient)
    slopes_below(network, work, SECOND_ROW, n_rows, in_first)
    slopes_below(network, work, SECOND_CONTEXT, n, from_means)
    shares, r = _share_of_running(work, n, n_rows), 0
    for i in range(n):
        while r < work.ends[i]:
            for j in range(means.shape[1]):
                in_first[r, j] += shares[r] * from_means[i, j]
            r += 1
    through_tanh(first, in_first)
    _sum_of_rows(in_first, work.ends, slopes(network, work, CONTEXT, n))
    dense_back(network, work, ROW, work.rows[:n_rows], gradient)
    dense_back(network, work, CONTEXT, work.context[:n], gradient)


PARTNERS = Actor(_pack_rows, _partners_forward, _partners_backward)
"""The same layers for every partner: `PartnerBody`."""
