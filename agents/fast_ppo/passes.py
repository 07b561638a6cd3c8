"""Passes over decisions in chunks that threads share: what to do, and the gradient of the loss of what was done.

Each chunk has a gradient of its own, and they are summed in order, so the number of threads changes no result. A choice
that is masked has probability 0 and no gradient (Huang and Ontañón 2020, https://arxiv.org/abs/2006.14171).
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np

from agents.fast_ppo.networks import (
    CHUNK,
    OUTPUTS,
    PLACE,
    SLOPES,
    Actor,
    Network,
    Work,
    backward,
    forward,
    matrix,
    new_work,
)
from scml_gym.jit.compile import jittable
from scml_gym.vector.jobs import BatchStep, Counters, shared, take

F = np.float32

POLICY_LOSS, VALUE_LOSS, ENTROPY, APPROX_KL, CLIPPED, N_MEASURES = range(6)
"""What is summed over the decisions of a batch: Stable-Baselines3's numbers of an update."""


class Decisions(NamedTuple):
    """``n`` decisions, and what was done."""

    inputs: np.ndarray  # float32 (n, inputs), of the first layers
    rows: np.ndarray  # float32 (n, partners, N_ROW); (n, 0, 0) where partners have none
    masks: np.ndarray  # bool (n, options of all heads)
    actions: np.ndarray  # int64 (n, heads)
    logs: np.ndarray  # float32 (n,): the logarithm of the probability that it had
    values: np.ndarray  # float32 (n,): what the critic expected


class Batch(NamedTuple):
    """Decisions that are learnt from together, and what is learnt."""

    chosen: np.ndarray  # int64 (batch,): which of them
    advantages: np.ndarray  # float32 (batch,)
    returns: np.ndarray  # float32 (batch,)
    clip_range: float
    entropy_weight: float
    value_weight: float
    gradients: np.ndarray  # float32 (chunks, parameters), written
    measures: np.ndarray  # float64 (chunks, N_MEASURES), added to


class Passes(NamedTuple):
    """Steps over the numbers of chunks.

    Attributes:
        act: ``(network, observations, everyone, draws, decisions)``: writes all but the masks of decisions; they
            are told by ``everyone``, observations and draws in [0, 1) are float32, ``(n, size)`` and ``(n, heads)``.
        learn: ``(network, decisions, batch)``: writes the gradients of the batch.
    """

    act: BatchStep
    learn: BatchStep


@jittable
def exponential(x: float) -> float:
    """Of a float32 not above 88, within 2e-7 of itself: the polynomial of Cephes (``expf``)."""
    x = max(x, F(-87))
    n = np.floor(x * F(1.44269504088896341) + F(0.5))
    r = x - n * F(0.693359375) + n * F(2.12194440e-4)
    p = r * (r * F(1.9875691500e-4) + F(1.3981999507e-3)) + F(8.3334519073e-3)
    p = r * (r * (r * p + F(4.1665795894e-2)) + F(1.6666665459e-1)) + F(5.0000001201e-1)
    return (p * r * r + r + F(1)) * np.int32((np.int32(n) + np.int32(127)) << np.int32(23)).view(np.float32)


@jittable
def softmax(logits: np.ndarray, valid: np.ndarray, probabilities: np.ndarray) -> float:
    """Make logits to logarithms of probabilities, in place, where they are valid; returns the entropy."""
    most, total, entropy = F(-np.inf), F(0), F(0)
    for j in range(len(logits)):
        most = max(most, logits[j] if valid[j] else F(-np.inf))
    for j in range(len(logits)):
        logits[j] -= most
        probabilities[j] = exponential(min(logits[j], F(0))) if valid[j] else F(0)
    for j in range(len(logits)):
        total += probabilities[j]
    log_total, part = F(math.log(total)), np.true_divide(F(1), total)
    for j in range(len(logits)):
        logits[j] -= log_total
        probabilities[j] *= part
        entropy -= probabilities[j] * logits[j]
    return entropy


@jittable
def draw(probabilities: np.ndarray, uniform: float) -> int:
    """The option at a point in [0, 1) of the cumulative probabilities."""
    last = 0
    for j in range(len(probabilities)):
        if probabilities[j] > F(0):
            last = j
            if uniform < probabilities[j]:
                return j
            uniform -= probabilities[j]
    return last


@functools.cache
def compile_passes(actor: Actor) -> Passes:
    """Compile the passes of networks with such an actor, once for each."""
    read, _, _, pack, actor_forward, actor_backward = actor

    @jittable
    def look(network: Network, work: Work, decisions: Decisions, chosen: np.ndarray) -> int:
        """Forward through actor and critic; how many rows partners have."""
        n_rows = 0
        for i in range(len(chosen)):
            d = chosen[i]
            work.inputs[i] = decisions.inputs[d]
            n_rows = pack(network, work, decisions.rows[d], decisions.masks[d], i, n_rows)
        actor_forward(network, work, len(chosen), n_rows)
        forward(network, work, network.n_actor, len(network.layers) - 1, len(chosen))
        return n_rows

    @shared
    @jittable
    def act(arguments: tuple[Any, ...], counters: Counters) -> None:
        network, observations, everyone, draws, decisions = arguments
        work = new_work(network, decisions.inputs.shape[1], decisions.rows.shape[1])
        probabilities, critic = np.empty(network.heads[:, 1].max(), np.float32), len(network.layers) - 1
        logits = work.numbers[network.layers[network.n_actor - 1, PLACE] :]
        low, high = take(counters)
        while low < high:
            for chunk in range(low, high):
                chosen = everyone[chunk * CHUNK : (chunk + 1) * CHUNK]
                for d in chosen:
                    read(observations[d], decisions.inputs[d], decisions.rows[d])
                look(network, work, decisions, chosen)
                values = matrix(network, work.numbers, critic, PLACE, len(chosen), OUTPUTS)
                for i in range(len(chosen)):
                    d, total = chosen[i], F(0)
                    for head in range(len(network.heads)):
                        (first, width), slot = network.heads[head], work.slots[i, head]
                        valid = decisions.masks[d, first : first + width]
                        if slot < 0:
                            decisions.actions[d, head] = np.argmax(valid)
                            continue
                        logs = logits[slot : slot + width]
                        softmax(logs, valid, probabilities)
                        decisions.actions[d, head] = draw(probabilities[:width], draws[d, head])
                        total += logs[decisions.actions[d, head]]
                    decisions.logs[d], decisions.values[d] = total, values[i, 0]
            low, high = take(counters)

    @shared
    @jittable
    def learn(arguments: tuple[Any, ...], counters: Counters) -> None:
        network, decisions, batch = arguments
        work = new_work(network, decisions.inputs.shape[1], decisions.rows.shape[1])
        n_heads, critic, size = len(network.heads), len(network.layers) - 1, len(batch.chosen)
        probabilities = np.empty((n_heads, network.heads[:, 1].max()), np.float32)
        entropies, entropy_weight = np.empty(n_heads, np.float32), F(batch.entropy_weight / size)
        logits = work.numbers[network.layers[network.n_actor - 1, PLACE] :]
        slopes = work.numbers[network.layers[network.n_actor - 1, SLOPES] :]
        low, high = take(counters)
        while low < high:
            for chunk in range(low, high):
                chosen, measures = batch.chosen[chunk * CHUNK : (chunk + 1) * CHUNK], batch.measures[chunk]
                n_rows = look(network, work, decisions, chosen)
                values = matrix(network, work.numbers, critic, PLACE, len(chosen), OUTPUTS)
                value_slopes = matrix(network, work.numbers, critic, SLOPES, len(chosen), OUTPUTS)
                for i in range(len(chosen)):
                    d, total = chosen[i], F(0)
                    for head in range(n_heads):
                        (first, width), slot = network.heads[head], work.slots[i, head]
                        if slot >= 0:
                            logs, valid = logits[slot : slot + width], decisions.masks[d, first : first + width]
                            entropies[head] = softmax(logs, valid, probabilities[head])
                            measures[ENTROPY] += entropies[head]
                            total += logs[decisions.actions[d, head]]
                    log_ratio, advantage = total - decisions.logs[d], batch.advantages[chunk * CHUNK + i]
                    ratio = math.exp(log_ratio)
                    clipped = min(max(ratio, 1.0 - batch.clip_range), 1.0 + batch.clip_range)
                    measures[POLICY_LOSS] -= min(ratio * advantage, clipped * advantage)
                    measures[APPROX_KL] += ratio - 1.0 - log_ratio
                    measures[CLIPPED] += ratio != clipped
                    moves = ratio == clipped or ratio * advantage < clipped * advantage
                    slope = F(-advantage * ratio / size) if moves else F(0)
                    for head in range(n_heads):
                        width, slot = network.heads[head, 1], work.slots[i, head]
                        if slot >= 0:
                            for j in range(width):
                                surprise = entropy_weight * (logits[slot + j] + entropies[head])
                                slopes[slot + j] = probabilities[head, j] * (surprise - slope)
                            slopes[slot + decisions.actions[d, head]] += slope
                    error = values[i, 0] - batch.returns[d]
                    measures[VALUE_LOSS] += error * error
                    value_slopes[i, 0] = 2.0 * batch.value_weight * error / size
                actor_backward(network, work, len(chosen), n_rows, batch.gradients[chunk])
                backward(network, work, network.n_actor, critic, len(chosen), batch.gradients[chunk])
            low, high = take(counters)

    return Passes(act, learn)
