"""Passes over decisions in chunks that threads share: what to do, and the gradient of the loss of what was done.

Each chunk has a gradient of its own, and they are summed in order, so the number of threads changes no result. A choice
that is masked has probability 0 and no gradient (Huang and Ontañón 2020, https://arxiv.org/abs/2006.14171).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from agents.fast_ppo.network import CHUNK, SLOPES, F, Network, Work, backward, forward, new_work, part
from agents.sb3.heads import IMPOSSIBLE
from scml_gym.jit.arrays import line_of, part_of
from scml_gym.jit.compile import jittable
from scml_gym.jit.elementary import exponential
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
    for k in range(network.n_rows):
        decisions.matters[d, k] = decisions.shares[d, k] > F(0)
    for head in range(len(network.heads)):
        n_valid = 0
        valid = line_of(part_of(decisions.masks, d), network.heads[head, 0], network.heads[head, 1])
        for j in range(len(valid)):
            if valid[j]:
                decisions.actions[d, head] = j
                n_valid += 1
        decisions.matters[d, head // n_heads] |= n_valid > 1


@jittable
def copy(source: np.ndarray, target: np.ndarray) -> None:
    """Without the views of arrays of two dimensions, whose owners would be counted."""
    for j in range(len(target)):
        target[j] = source[j]


@jittable
def pack(network: Network, work: Work, decisions: Decisions, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows of a chunk that matter, and their heads; a single row of a decision is what the critic is given."""
    single, n_heads, n = network.n_rows == 1, len(network.heads) // network.n_rows, 0
    width = network.heads[:, 1].sum() // network.n_rows
    for i in range(len(chosen)):
        d = chosen[i]
        copy(part_of(decisions.inputs, d), part_of(work.inputs, i))
        for k in range(network.n_rows):
            if not (decisions.matters[d, k] or n == 0):  # BLAS takes no empty matrix
                continue
            if not single:
                copy(part_of(part_of(decisions.rows, d), k), part_of(work.rows, n))
            work.whose[n], work.shares[1, n] = i, decisions.shares[d, k]
            for h in range(n_heads):
                row, head = work.heads[n * n_heads + h], k * n_heads + h
                row["i"], row["decision"], row["head"] = i, d, head
                row["first"], row["width"] = network.heads[head, 0], network.heads[head, 1]
                row["slot"] = (n - k) * width + row["first"]
            n += 1
    return work.inputs[:n] if single else work.rows[:n], work.heads[: n * n_heads]


@jittable
def look(network: Network, work: Work, decisions: Decisions, chosen: np.ndarray) -> Any:
    """Forward through a chunk: rows, heads, logarithms of probabilities, probabilities, and values.

    The probabilities stand where the slopes of the logits will.
    """
    rows, heads = pack(network, work, decisions, chosen)
    logits = forward(network, work, 0, network.n_actor, rows, len(chosen))
    logs = logits.reshape(logits.size)
    probabilities = part(network, work, network.n_actor - 1, SLOPES, len(rows)).reshape(logits.size)
    for head in heads:
        width, most = head["width"], F(IMPOSSIBLE)
        ours = line_of(logs, head["slot"], width)
        valid = line_of(part_of(decisions.masks, head["decision"]), head["first"], width)
        for j in range(width):
            ours[j] = ours[j] if valid[j] else F(IMPOSSIBLE)
            most = max(most, ours[j])
        for j in range(width):
            ours[j] -= most
    for j in range(len(logs)):  # of all heads at once, as there are instructions for many numbers
        probabilities[j] = exponential(logs[j])
    for head in heads:
        width, total, entropy = head["width"], F(0), F(0)
        ours, likely = line_of(logs, head["slot"], width), line_of(probabilities, head["slot"], width)
        for j in range(width):
            total += likely[j]
            entropy -= likely[j] * ours[j]
        log_total, share = F(math.log(total)), np.true_divide(F(1), total)
        work.entropies[head["i"], head["head"]] = entropy * share + log_total
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
            for d in range(first, last):
                note_valid(network, decisions, d)
            _, heads, logs, probabilities, values = look(network, work, decisions, np.arange(first, last))
            decisions.logs[first:last], decisions.values[first:last] = F(0), values[:, 0]
            for head in heads:
                d, slot = head["decision"], head["slot"]
                action = draw(line_of(probabilities, slot, head["width"]), draws[d, head["head"]])
                decisions.actions[d, head["head"]] = action
                decisions.logs[d] += logs[slot + action]
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
            for head in heads:
                i, which = head["i"], head["head"]
                log_ratios[i] += logs[head["slot"] + decisions.actions[head["decision"], which]]
                measures[ENTROPY_LOSS] -= work.entropies[i, which]
            of_logs = np.zeros(n, np.float32)  # the slopes of the logarithms of the actions' probabilities
            of_values = part(network, work, n_actor + network.n_critic - 1, SLOPES, n)
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
            for head in heads:
                width, entropy, slope = head["width"], work.entropies[head["i"], head["head"]], of_logs[head["i"]]
                ours, ours_slopes = line_of(logs, head["slot"], width), line_of(slopes, head["slot"], width)
                for j in range(width):
                    ours_slopes[j] *= F(entropy_weight / size) * (ours[j] + entropy) - slope
                ours_slopes[decisions.actions[head["decision"], head["head"]]] += slope
            backward(network, work, 0, n_actor, rows, n, gradients[chunk])
            backward(network, work, n_actor, network.n_critic, work.inputs[:n], n, gradients[chunk])
        low, high = take(counters)


ACT, LEARN = shared(act), shared(learn)
