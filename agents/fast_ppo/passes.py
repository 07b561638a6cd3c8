"""Passes over decisions in chunks that threads share: what to do, and the gradient of the loss of what was done.

Each chunk has a gradient of its own, and they are summed in order, so the number of threads changes no result. A choice
that is masked has probability 0 and no gradient (Huang and Ontañón 2020, https://arxiv.org/abs/2006.14171).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from agents.fast_ppo.network import (
    CHUNK,
    COMMON,
    GIVEN,
    INPUTS,
    OUTPUTS,
    SLOPES,
    F,
    Network,
    Work,
    backward,
    exponential,
    forward,
    new_work,
    part,
)
from agents.sb3.fitting_sets import read_sets
from agents.sb3.heads import IMPOSSIBLE
from agents.sb3.partners import N_CONTEXT, N_ROW
from scml_gym.core.registry import Registry
from scml_gym.jit.compile import jittable
from scml_gym.oneshot.view import MAX_PARTNERS
from scml_gym.vector.jobs import Counters, shared, take

MEASURES = ("policy_gradient_loss", "value_loss", "entropy_loss", "approx_kl", "clip_fraction")
"""What is summed over the decisions of a batch, by Stable-Baselines3's names."""

POLICY_LOSS, VALUE_LOSS, ENTROPY_LOSS, APPROX_KL, CLIPPED = range(len(MEASURES))


class Decisions(NamedTuple):
    """``n`` decisions, and what was done."""

    inputs: np.ndarray  # float32 (n, inputs): of the critic
    rows: np.ndarray  # float32 (n, rows, inputs): of the actor; each is of an equal part of the heads
    shares: np.ndarray  # float32 (n, rows): of each row in the mean
    masks: np.ndarray  # bool (n, options of all heads)
    matters: np.ndarray  # bool (n, rows): whether a row is part of the mean or has a choice; others change nothing
    actions: np.ndarray  # int64 (n, heads)
    logs: np.ndarray  # float32 (n,): the logarithm of the probability that it had
    values: np.ndarray  # float32 (n,): what the critic expected


class Facts(NamedTuple):
    """What is known of a decision without any weights, which is kept for all passes.

    Attributes:
        n_inputs: 0 for as many as an observation has.
        n_rows: Of partners; 0 where the inputs are the only row.
        read: ``(observations, inputs, rows, shares)``: writes them from observations, float32 ``(n, size)``.
    """

    n_inputs: int
    n_rows: int
    read: Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], None]


def copy_all(observations: np.ndarray, inputs: np.ndarray, rows: np.ndarray, shares: np.ndarray) -> None:
    """See `Facts`."""
    inputs[:] = observations


def read_means(observations: np.ndarray, inputs: np.ndarray, rows: np.ndarray, shares: np.ndarray) -> None:
    """See `Facts`."""
    shape = len(inputs), MAX_PARTNERS
    read_sets(observations, inputs, np.empty((*shape, N_ROW), np.float32), np.empty(shape, np.float32))


FACTS = Registry("fast network")
"""By the names of `agents.sb3.hyperparameters.FEATURES`."""

FACTS.register("flatten", Facts(0, 0, copy_all))
FACTS.register("sets", Facts(N_CONTEXT + N_ROW, 0, read_means))
FACTS.register("partners", Facts(N_CONTEXT + N_ROW, MAX_PARTNERS, read_sets))


def new_decisions(facts: Facts, places: tuple[int, ...], n_observed: int, n_options: int, n_heads: int) -> Decisions:
    """Empty ones, in as many places, of observations of that size."""
    inputs = np.empty((*places, facts.n_inputs or n_observed), np.float32)
    rows = np.empty((*places, facts.n_rows, N_ROW), np.float32) if facts.n_rows else inputs[..., None, :]
    return Decisions(
        inputs,
        rows,
        np.ones(rows.shape[:-1], np.float32),
        np.ones((*places, n_options), np.bool_),
        np.empty(rows.shape[:-1], np.bool_),
        np.empty((*places, n_heads), np.int64),
        np.empty(places, np.float32),
        np.empty(places, np.float32),
    )


class Batch(NamedTuple):
    """Decisions that are learnt from together, and what is learnt."""

    chosen: np.ndarray  # int64 (batch,): which of them
    advantages: np.ndarray  # float32 (batch,)
    returns: np.ndarray  # float32, of all decisions
    clip_range: float
    entropy_weight: float
    value_weight: float
    gradients: np.ndarray  # float32 (chunks, parameters), written
    measures: np.ndarray  # float64 (chunks, len(MEASURES)), added to


@jittable
def note_valid(network: Network, decisions: Decisions, d: int) -> None:
    """Note which rows matter; where only one option is valid, it is the action."""
    n_heads = len(network.heads) // decisions.rows.shape[1]
    decisions.matters[d] = decisions.shares[d] > F(0)
    for head in range(len(network.heads)):
        first, width = network.heads[head]
        valid = decisions.masks[d, first : first + width]
        decisions.actions[d, head] = np.argmax(valid)
        decisions.matters[d, head // n_heads] |= valid.sum() > 1


@jittable
def pack(network: Network, work: Work, decisions: Decisions, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows of a chunk that matter, and their heads: place of the decision, head, where its logits will begin."""
    beside, width = network.layers[0, COMMON], network.layers[network.n_actor - 1, OUTPUTS]
    n_heads, n = len(network.heads) // decisions.rows.shape[1], 0
    for i in range(len(chosen)):
        d = chosen[i]
        work.inputs[i] = decisions.inputs[d]
        if beside > 0:
            common = part(network, work, beside, GIVEN, CHUNK, INPUTS)[i]
            common[:] = decisions.inputs[d, : len(common)]
        for k in range(decisions.rows.shape[1]):
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
    logs, first = logits.reshape(logits.size), network.layers[network.n_actor - 1, SLOPES]
    probabilities = work.numbers[first : first + len(logs)]
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
    work = new_work(network, decisions.inputs.shape[1], *decisions.rows.shape[1:])
    low, high = take(counters)
    while low < high:
        for chunk in range(low, high):
            first, last = chunk * CHUNK, min((chunk + 1) * CHUNK, len(draws))
            chosen = np.arange(first, last)
            for d in chosen:
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
    """Of ``(network, decisions, batch)``, chunk by chunk: write the gradients of the batch."""
    network, decisions, batch = arguments
    work = new_work(network, decisions.inputs.shape[1], *decisions.rows.shape[1:])
    critic, size = network.n_actor + network.n_critic - 1, len(batch.chosen)
    low, high = take(counters)
    while low < high:
        for chunk in range(low, high):
            of_chunk = slice(chunk * CHUNK, (chunk + 1) * CHUNK)
            chosen, advantages, measures = batch.chosen[of_chunk], batch.advantages[of_chunk], batch.measures[chunk]
            rows, heads, logs, slopes, values = look(network, work, decisions, chosen)
            log_ratios = -decisions.logs[chosen].astype(np.float64)
            for i, head, slot in heads:
                log_ratios[i] += logs[slot + decisions.actions[chosen[i], head]]
                measures[ENTROPY_LOSS] -= work.entropies[i, head]
            of_logs = np.zeros(len(chosen), np.float32)  # the slopes of the logarithms of the actions' probabilities
            of_values = part(network, work, critic, SLOPES, len(chosen), OUTPUTS)
            for i in range(len(chosen)):
                ratio, advantage = math.exp(log_ratios[i]), advantages[i]
                clipped = min(max(ratio, 1.0 - batch.clip_range), 1.0 + batch.clip_range)
                if ratio == clipped or ratio * advantage < clipped * advantage:
                    of_logs[i] = -advantage * ratio / size
                error = values[i, 0] - batch.returns[chosen[i]]
                of_values[i, 0] = 2.0 * batch.value_weight * error / size
                measures[POLICY_LOSS] -= min(ratio * advantage, clipped * advantage)
                measures[VALUE_LOSS] += error * error
                measures[APPROX_KL] += ratio - 1.0 - log_ratios[i]
                measures[CLIPPED] += ratio != clipped
            for i, head, slot in heads:
                entropy, slope = work.entropies[i, head], of_logs[i]
                for j in range(slot, slot + network.heads[head, 1]):
                    slopes[j] *= F(batch.entropy_weight / size) * (logs[j] + entropy) - slope
                slopes[slot + decisions.actions[chosen[i], head]] += slope
            n, gradient = len(chosen), batch.gradients[chunk]
            backward(network, work, 0, network.n_actor, rows, n, gradient)
            backward(network, work, network.n_actor, network.n_critic, work.inputs[:n], n, gradient)
        low, high = take(counters)


ACT, LEARN = shared(act), shared(learn)
