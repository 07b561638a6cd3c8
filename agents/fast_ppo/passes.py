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
    SLOPES,
    Actor,
    Network,
    Work,
    backward,
    forward,
    matrix,
    new_work,
)
from agents.sb3.heads import IMPOSSIBLE
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
    choices: np.ndarray  # bool (n, heads): whether there is more than one
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
def softmax(network: Network, work: Work, decisions: Decisions, chosen: np.ndarray, logs: np.ndarray) -> np.ndarray:
    """Make a chunk's logits to logarithms of probabilities, in place, and note the entropies.

    Returns:
        The probabilities, which stand where the slopes of the logits will; zeros where there is no choice.
    """
    n_heads, first = len(network.heads), network.layers[network.n_actor - 1, SLOPES]
    probabilities = work.numbers[first : first + len(logs)]
    for i in range(len(chosen)):
        for head in range(n_heads):
            (first, width), slot, d = network.heads[head], work.slots[i, head], chosen[i]
            if decisions.choices[d, head]:
                valid, most = decisions.masks[d, first : first + width], F(IMPOSSIBLE)
                part = logs[slot : slot + width]
                for j in range(width):
                    part[j] = part[j] if valid[j] else F(IMPOSSIBLE)
                    most = max(most, part[j])
                for j in range(width):
                    part[j] -= most
    for j in range(len(logs)):  # of all heads at once, as there are instructions for many numbers
        probabilities[j] = exponential(logs[j])
    for i in range(len(chosen)):
        for head in range(n_heads):
            width, slot = network.heads[head, 1], work.slots[i, head]
            if slot >= 0 and not decisions.choices[chosen[i], head]:
                probabilities[slot : slot + width] = F(0)
            elif slot >= 0:
                part, of = logs[slot : slot + width], probabilities[slot : slot + width]
                total, entropy = F(0), F(0)
                for j in range(width):
                    total += of[j]
                    entropy -= of[j] * part[j]
                log_total, share = F(math.log(total)), np.true_divide(F(1), total)
                work.entropies[i, head] = entropy * share + log_total
                for j in range(width):
                    part[j] -= log_total
                    of[j] *= share
    return probabilities


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
    def look(network: Network, work: Work, decisions: Decisions, chosen: np.ndarray) -> Any:
        """Forward through actor and critic: rows of partners, logarithms of probabilities, probabilities, values."""
        n_rows = 0
        for i in range(len(chosen)):
            d = chosen[i]
            work.inputs[i] = decisions.inputs[d]
            n_rows = pack(network, work, decisions.rows[d], decisions.choices[d], i, n_rows)
        logits = actor_forward(network, work, len(chosen), n_rows)
        logs = logits.reshape(logits.size)
        probabilities = softmax(network, work, decisions, chosen, logs)
        values = forward(network, work, network.n_actor, len(network.layers) - 1, len(chosen))
        return n_rows, logs, probabilities, values

    @jittable
    def begin(network: Network, observation: np.ndarray, decisions: Decisions, d: int) -> None:
        """Note what is known of a decision; where a head leaves no choice, that is its action."""
        read(observation, decisions.inputs[d], decisions.rows[d])
        for head in range(len(network.heads)):
            first, width = network.heads[head]
            n_valid = 0
            for j in range(width):
                if decisions.masks[d, first + j]:
                    n_valid += 1
                    if n_valid == 1:
                        decisions.actions[d, head] = j
            decisions.choices[d, head] = n_valid > 1

    @shared
    @jittable
    def act(arguments: tuple[Any, ...], counters: Counters) -> None:
        network, observations, everyone, draws, decisions = arguments
        work = new_work(network, decisions.inputs.shape[1], decisions.rows.shape[1])
        low, high = take(counters)
        while low < high:
            for chunk in range(low, high):
                chosen = everyone[chunk * CHUNK : (chunk + 1) * CHUNK]
                for d in chosen:
                    begin(network, observations[d], decisions, d)
                _, logs, probabilities, values = look(network, work, decisions, chosen)
                for i in range(len(chosen)):
                    d, total = chosen[i], F(0)
                    for head in range(len(network.heads)):
                        slot = work.slots[i, head]
                        if decisions.choices[d, head]:
                            action = draw(probabilities[slot : slot + network.heads[head, 1]], draws[d, head])
                            decisions.actions[d, head] = action
                            total += logs[slot + action]
                    decisions.logs[d], decisions.values[d] = total, values[i, 0]
            low, high = take(counters)

    @shared
    @jittable
    def learn(arguments: tuple[Any, ...], counters: Counters) -> None:
        network, decisions, batch = arguments
        work = new_work(network, decisions.inputs.shape[1], decisions.rows.shape[1])
        n_heads, critic, size = len(network.heads), len(network.layers) - 1, len(batch.chosen)
        entropy_weight = F(batch.entropy_weight / size)
        low, high = take(counters)
        while low < high:
            for chunk in range(low, high):
                chosen, measures = batch.chosen[chunk * CHUNK : (chunk + 1) * CHUNK], batch.measures[chunk]
                n_rows, logs, slopes, values = look(network, work, decisions, chosen)
                value_slopes = matrix(network, work.numbers, critic, SLOPES, len(chosen), OUTPUTS)
                for i in range(len(chosen)):
                    d, log_ratio = chosen[i], -float(decisions.logs[chosen[i]])
                    for head in range(n_heads):
                        if decisions.choices[d, head]:
                            log_ratio += logs[work.slots[i, head] + decisions.actions[d, head]]
                            measures[ENTROPY] += work.entropies[i, head]
                    ratio, advantage = math.exp(log_ratio), batch.advantages[chunk * CHUNK + i]
                    clipped = min(max(ratio, 1.0 - batch.clip_range), 1.0 + batch.clip_range)
                    measures[POLICY_LOSS] -= min(ratio * advantage, clipped * advantage)
                    measures[APPROX_KL] += ratio - 1.0 - log_ratio
                    measures[CLIPPED] += ratio != clipped
                    moves = ratio == clipped or ratio * advantage < clipped * advantage
                    slope = F(-advantage * ratio / size) if moves else F(0)
                    for head in range(n_heads):
                        width, slot, entropy = network.heads[head, 1], work.slots[i, head], work.entropies[i, head]
                        if decisions.choices[d, head]:  # the probabilities that stand there become slopes
                            for j in range(slot, slot + width):
                                slopes[j] *= entropy_weight * (logs[j] + entropy) - slope
                            slopes[slot + decisions.actions[d, head]] += slope
                    error = values[i, 0] - batch.returns[d]
                    measures[VALUE_LOSS] += error * error
                    value_slopes[i, 0] = 2.0 * batch.value_weight * error / size
                actor_backward(network, work, len(chosen), n_rows, batch.gradients[chunk])
                backward(network, work, network.n_actor, critic, len(chosen), batch.gradients[chunk])
            low, high = take(counters)

    return Passes(act, learn)
