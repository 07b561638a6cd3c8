"""Passes over decisions in chunks that threads share: what to do, and the gradient of the loss of what was done.

Each chunk has a gradient of its own, and they are summed in order, so the number of threads changes no result.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from scml_gym.agents.fast_ppo.network import Chunk, Network, backward, forward
from scml_gym.agents.sb3.compiled_heads import HEAD_DTYPE, log_softmax
from scml_gym.jit.arrays import copy_line, line_of, part_of
from scml_gym.jit.compile import jittable
from scml_gym.jit.elementary import F
from scml_gym.jit.random import choose
from scml_gym.vector.jobs import each

CHUNK = 128
"""Decisions of a pass, whose numbers stay in the cache of a processor."""

MEASURES = ("policy_gradient_loss", "value_loss", "entropy_loss", "approx_kl", "clip_fraction")
"""What is summed over the decisions of a batch, by Stable-Baselines3's names."""

POLICY_LOSS, VALUE_LOSS, ENTROPY_LOSS, APPROX_KL, CLIPPED = range(len(MEASURES))


class Decisions(NamedTuple):
    """``n`` decisions, and what was done."""

    inputs: np.ndarray  # float32 (n, inputs): of the critic; of the actor too where a decision has a single row
    rows: np.ndarray  # float32 (n, rows, size): of the actor; size 0 there
    shares: np.ndarray  # float32 (n, rows): of each row in the mean
    masks: np.ndarray  # bool (n, options of all heads)
    matters: np.ndarray  # bool (n, rows): whether a row is part of the mean or has a choice; others change nothing
    actions: np.ndarray  # int64 (n, heads)
    logs: np.ndarray  # float32 (n,): the logarithm of the probability that it had
    values: np.ndarray  # float32 (n,): what the critic expected


KINDS = (np.float32, np.float32, np.float32, np.bool_, np.bool_, np.int64, np.float32, np.float32)
"""Of the parts of `Decisions`."""


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
def pack(network: Network, decisions: Decisions, chosen: np.ndarray) -> Chunk:
    """The chosen decisions; a single row of a decision is what the critic is given."""
    n_heads, n_rows, single, n = len(network.heads) // network.n_rows, network.n_rows, network.n_rows == 1, 0
    width, most = network.heads[:, 1].sum() // n_rows, len(chosen) * n_rows
    inputs = np.empty((len(chosen), decisions.inputs.shape[1]), np.float32)
    rows = inputs if single else np.empty((most, decisions.rows.shape[2]), np.float32)
    whose, shares = np.empty(most, np.int64), np.ones((2, most), np.float32)
    heads = np.empty(most * n_heads, HEAD_DTYPE)
    for i in range(len(chosen)):
        d = chosen[i]
        copy_line(part_of(decisions.inputs, d), part_of(inputs, i))
        for k in range(n_rows):
            if not (decisions.matters[d, k] or n == 0):  # BLAS takes no empty matrix
                continue
            if not single:
                copy_line(part_of(part_of(decisions.rows, d), k), part_of(rows, n))
            whose[n], shares[1, n] = i, decisions.shares[d, k]
            for h in range(n_heads):
                row, head = heads[n * n_heads + h], k * n_heads + h
                row["i"], row["decision"], row["head"] = i, d, head
                row["first"], row["width"] = network.heads[head, 0], network.heads[head, 1]
                row["slot"] = (n - k) * width + row["first"]
            n += 1
    return Chunk(inputs, rows[:n], whose[:n], shares, heads[: n * n_heads])


@jittable
def look(network: Network, decisions: Decisions, chunk: Chunk) -> Any:
    """Forward through a chunk: of all heads the logarithms of probabilities, the probabilities and, for each head, the
    entropy; and what `forward` returned of the actor and of the critic."""
    actor = forward(network, 0, network.n_actor, chunk.rows, chunk)
    critic = forward(network, network.n_actor, network.n_actor + network.n_critic, chunk.inputs, chunk)
    logs = actor[0][-1].reshape(-1)
    probabilities, entropies = log_softmax(logs, chunk.heads, decisions.masks)
    return logs, probabilities, entropies, actor, critic


def act(arguments: tuple[Any, ...], at: int) -> None:
    """Of ``(network, decisions, draws)``, in chunk ``at``: act by draws in [0, 1), float32 ``(n, heads)``.

    Writes what decisions have beside inputs, rows, shares and masks.
    """
    network, decisions, draws = arguments
    first, last = at * CHUNK, min((at + 1) * CHUNK, len(draws))
    for d in range(first, last):
        note_valid(network, decisions, d)
    chunk = pack(network, decisions, np.arange(first, last))
    logs, probabilities, _, _, critic = look(network, decisions, chunk)
    decisions.logs[first:last], decisions.values[first:last] = F(0), critic[0][-1][:, 0]
    for head in chunk.heads:
        d, slot = head["decision"], head["slot"]
        action = choose(line_of(probabilities, slot, head["width"]), draws[d, head["head"]])
        decisions.actions[d, head["head"]] = action
        decisions.logs[d] += logs[slot + action]


def learn(arguments: tuple[Any, ...], at: int) -> None:
    """Of ``(network, decisions, chosen, advantages, returns, weights, gradients, measures)``: write the gradients.

    Those of a batch of the ``chosen`` decisions, with their advantages and the returns of all decisions, float32, for
    each chunk: gradients float32 ``(chunks, parameters)``, and sums of `MEASURES`, float64 ``(chunks, 5)``. The weights
    are the range of clipping, and those of entropy and value in the loss.
    """
    network, decisions, batch, all_advantages, returns, weights, gradients, all_measures = arguments
    (clip_range, entropy_weight, value_weight), size = weights, len(batch)
    chosen, measures = batch[at * CHUNK : (at + 1) * CHUNK], all_measures[at]
    chunk = pack(network, decisions, chosen)
    logs, slopes, entropies, actor, critic = look(network, decisions, chunk)
    log_ratios, n, values = -decisions.logs[chosen].astype(np.float64), len(chosen), critic[0][-1]
    for h in range(len(entropies)):
        head = chunk.heads[h]
        log_ratios[head["i"]] += logs[head["slot"] + decisions.actions[head["decision"], head["head"]]]
        measures[ENTROPY_LOSS] -= entropies[h]
    of_logs = np.zeros(n, np.float32)  # the slopes of the logarithms of the actions' probabilities
    of_values = np.empty((n, 1), np.float32)
    for i in range(n):
        ratio, advantage = math.exp(log_ratios[i]), all_advantages[at * CHUNK + i]
        clipped = min(max(ratio, 1.0 - clip_range), 1.0 + clip_range)
        if ratio == clipped or ratio * advantage < clipped * advantage:
            of_logs[i] = -advantage * ratio / size
        error = values[i, 0] - returns[chosen[i]]
        of_values[i, 0] = 2.0 * value_weight * error / size
        measures[POLICY_LOSS] -= min(ratio * advantage, clipped * advantage)
        measures[VALUE_LOSS] += error * error
        measures[APPROX_KL] += ratio - 1.0 - log_ratios[i]
        measures[CLIPPED] += ratio != clipped
    for h in range(len(entropies)):  # the probabilities become the slopes of the logits
        head, entropy = chunk.heads[h], entropies[h]
        width, slope = head["width"], of_logs[head["i"]]
        ours, of_ours = line_of(logs, head["slot"], width), line_of(slopes, head["slot"], width)
        for j in range(width):
            of_ours[j] *= F(entropy_weight / size) * (ours[j] + entropy) - slope
        of_ours[decisions.actions[head["decision"], head["head"]]] += slope
    of_logits = slopes.reshape(len(chunk.rows), -1)
    backward(network, 0, of_logits, chunk, gradients[at], *actor)
    backward(network, network.n_actor, of_values, chunk, gradients[at], *critic)


ACT, LEARN = each(act), each(learn)
