"""Passes over decisions in chunks that threads share: what to do, and the gradient of the loss of what was done.

Each chunk has a gradient of its own, and they are summed in order, so the number of threads changes no result. A choice
that is masked has probability 0 and no gradient (Huang and Ontañón 2020, https://arxiv.org/abs/2006.14171).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from scml_gym.agents.fast_ppo.network import (
    CHUNK,
    F,
    Network,
    Work,
    backward,
    exponential,
    forward,
    new_work,
    shared_facts,
    slopes_of,
)
from scml_gym.agents.sb3.heads import IMPOSSIBLE
from scml_gym.jit.compile import jittable
from scml_gym.vector.jobs import Counters, shared, take

MEASURES = ("policy_gradient_loss", "value_loss", "entropy_loss", "approx_kl", "clip_fraction")
"""What is summed over the decisions of a batch, by Stable-Baselines3's names."""

POLICY_LOSS, VALUE_LOSS, ENTROPY_LOSS, APPROX_KL, CLIPPED = range(len(MEASURES))


class Decisions(NamedTuple):
    """``n`` decisions, and what was done."""

    inputs: np.ndarray  # float32 (n, inputs): of the critic
    rows: np.ndarray  # float32 (n, rows, inputs): of the actor
    shares: np.ndarray  # float32 (n, rows): of each row in the mean
    masks: np.ndarray  # bool (n, options of all heads)
    matters: np.ndarray  # bool (n, rows): whether a row is part of the mean or has a choice; others change nothing
    actions: np.ndarray  # int64 (n, heads)
    logs: np.ndarray  # float32 (n,): the logarithm of the probability that it had
    values: np.ndarray  # float32 (n,): what the critic expected


@jittable
def note_valid(network: Network, decisions: Decisions, d: int) -> None:
    """Note which rows matter; where only one option is valid, it is the action."""
    n_heads = len(network.heads) // network.n_rows
    decisions.matters[d] = decisions.shares[d] > F(0)
    for head in range(len(network.heads)):
        first, width = network.heads[head]
        valid = decisions.masks[d, first : first + width]
        decisions.actions[d, head] = np.argmax(valid)
        decisions.matters[d, head // n_heads] |= valid.sum() > 1


@jittable
def pack(network: Network, work: Work, decisions: Decisions, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows of a chunk that matter, and their heads: place of the decision, head, where its logits will begin."""
    facts, n_heads, n = shared_facts(network, work), len(network.heads) // network.n_rows, 0
    width = network.heads[:, 1].sum() // network.n_rows
    for i in range(len(chosen)):
        d = chosen[i]
        work.inputs[i] = decisions.inputs[d]
        facts[i] = decisions.inputs[d, : facts.shape[1]]
        for k in range(network.n_rows):
            if decisions.matters[d, k] or n == 0:  # BLAS takes no empty matrix
                for h in range(n_heads):
                    head = k * n_heads + h
                    work.heads[n * n_heads + h] = i, head, (n - k) * width + network.heads[head, 0]
                work.rows[n], work.whose[n], work.shares[1, n] = decisions.rows[d, k], i, decisions.shares[d, k]
                n += 1
    return work.rows[:n], work.heads[: n * n_heads]


@jittable
def look(network: Network, work: Work, decisions: Decisions, chosen: np.ndarray) -> Any:
    """Forward through a chunk: rows, heads, logarithms of probabilities, probabilities, and values.

    The probabilities stand where the slopes of the logits will.
    """
    rows, heads = pack(network, work, decisions, chosen)
    logits = forward(network, work, 0, network.n_actor, rows, len(chosen))
    logs = logits.reshape(logits.size)
    probabilities = slopes_of(network, work, network.n_actor - 1, len(rows)).reshape(logits.size)
    for i, head, slot in heads:
        first, width = network.heads[head]
        valid, ours, most = decisions.masks[chosen[i], first : first + width], logs[slot : slot + width], F(IMPOSSIBLE)
        for j in range(width):
            ours[j] = ours[j] if valid[j] else F(IMPOSSIBLE)
            most = max(most, ours[j])
        for j in range(width):
            ours[j] -= most
    for j in range(len(logs)):  # of all heads at once, as there are instructions for many numbers
        probabilities[j] = exponential(logs[j])
    for i, head, slot in heads:
        width, total, entropy = network.heads[head, 1], F(0), F(0)
        ours, likely = logs[slot : slot + width], probabilities[slot : slot + width]
        for j in range(width):
            total += likely[j]
            entropy -= likely[j] * ours[j]
        log_total, share = F(math.log(total)), np.true_divide(F(1), total)
        work.entropies[i, head] = entropy * share + log_total
        for j in range(width):
            ours[j] -= log_total
            likely[j] *= share
    values = forward(network, work, network.n_actor, network.n_critic, work.inputs[: len(chosen)], len(chosen))
    return rows, heads, logs, probabilities, values


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


@jittable
def act(arguments: tuple[Any, ...], counters: Counters) -> None:
    """Of ``(network, decisions, draws)``, chunk by chunk: act by draws in [0, 1), float32 ``(n, heads)``.

    Writes what decisions have beside inputs, rows, shares and masks.
    """
    network, decisions, draws = arguments
    work = new_work(network)
    low, high = take(counters)
    while low < high:
        for chunk in range(low, high):
            first, last = chunk * CHUNK, min((chunk + 1) * CHUNK, len(draws))
            chosen = np.arange(first, last)
            for d in range(first, last):
                note_valid(network, decisions, d)
            _, heads, logs, probabilities, values = look(network, work, decisions, chosen)
            decisions.logs[first:last], decisions.values[first:last] = F(0), values[:, 0]
            for i, head, slot in heads:
                d, likely = chosen[i], probabilities[slot : slot + network.heads[head, 1]]
                decisions.actions[d, head] = draw(likely, draws[d, head])
                decisions.logs[d] += logs[slot + decisions.actions[d, head]]
        low, high = take(counters)


@jittable
def learn(arguments: tuple[Any, ...], counters: Counters) -> None:
    """Of ``(network, decisions, chosen, advantages, returns, weights, gradients, measures)``: write the gradients.

    Those of a batch of the ``chosen`` decisions, with their advantages and the returns of all decisions, float32, for
    each chunk: gradients float32 ``(chunks, parameters)``, and sums of `MEASURES`, float64 ``(chunks, 5)``. The weights
    are the range of clipping, and those of entropy and value in the loss.
    """
    network, decisions, batch, all_advantages, returns, weights, gradients, all_measures = arguments
    work, (clip_range, entropy_weight, value_weight) = new_work(network), weights
    n_actor, size = network.n_actor, len(batch)
    low, high = take(counters)
    while low < high:
        for chunk in range(low, high):
            chosen, measures = batch[chunk * CHUNK : (chunk + 1) * CHUNK], all_measures[chunk]
            rows, heads, logs, slopes, values = look(network, work, decisions, chosen)
            log_ratios, n = -decisions.logs[chosen].astype(np.float64), len(chosen)
            for i, head, slot in heads:
                log_ratios[i] += logs[slot + decisions.actions[chosen[i], head]]
                measures[ENTROPY_LOSS] -= work.entropies[i, head]
            of_logs = np.zeros(n, np.float32)  # the slopes of the logarithms of the actions' probabilities
            of_values = slopes_of(network, work, n_actor + network.n_critic - 1, n)
            for i in range(n):
                ratio, advantage = math.exp(log_ratios[i]), all_advantages[chunk * CHUNK + i]
                clipped = min(max(ratio, 1.0 - clip_range), 1.0 + clip_range)
                if ratio == clipped or ratio * advantage < clipped * advantage:
                    of_logs[i] = -advantage * ratio / size
                error = values[i, 0] - returns[chosen[i]]
                of_values[i, 0] = 2.0 * value_weight * error / size
                measures[POLICY_LOSS] -= min(ratio * advantage, clipped * advantage)
                measures[VALUE_LOSS] += error * error
                measures[APPROX_KL] += ratio - 1.0 - log_ratios[i]
                measures[CLIPPED] += ratio != clipped
            for i, head, slot in heads:
                entropy, slope = work.entropies[i, head], of_logs[i]
                for j in range(slot, slot + network.heads[head, 1]):
                    slopes[j] *= F(entropy_weight / size) * (logs[j] + entropy) - slope
                slopes[slot + decisions.actions[chosen[i], head]] += slope
            backward(network, work, 0, n_actor, rows, n, gradients[chunk])
            backward(network, work, n_actor, network.n_critic, work.inputs[:n], n, gradients[chunk])
        low, high = take(counters)


ACT, LEARN = shared(act), shared(learn)
