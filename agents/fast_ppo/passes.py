"""Passes over decisions in chunks that threads share: what to do, and the gradient of what was done.

Each chunk has a gradient of its own, and they are summed in order, so the number of threads changes no result.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

from agents.fast_ppo.losses import (
    ENTROPY,
    Weights,
    draw,
    first_valid,
    head_slopes,
    policy_slope,
    softmax,
    value_slope,
)
from agents.fast_ppo.networks import CHUNK, Actor, Network, Work, backward, forward, new_work, outputs, slopes
from scml_gym.jit.compile import jittable
from scml_gym.vector.jobs import BatchStep, Counters, shared, take

F = np.float32


class Decisions(NamedTuple):
    """``n`` decisions, and what was done."""

    inputs: np.ndarray  # float32 (n, inputs), of the first layers
    rows: np.ndarray  # float32 (n, partners, N_ROW), of a network that answers each partner; else (n, 0, 0)
    masks: np.ndarray  # bool (n, options of all heads)
    actions: np.ndarray  # int64 (n, heads)
    logs: np.ndarray  # float32 (n,): the logarithm of the probability that it had
    values: np.ndarray  # float32 (n,): what the critic expected


class Batch(NamedTuple):
    """What is learnt from some of the decisions."""

    chosen: np.ndarray  # int64 (batch,): which of them
    advantages: np.ndarray  # float32 (batch,)
    returns: np.ndarray  # float32 (batch,)
    gradients: np.ndarray  # float32 (chunks, parameters): written
    measures: np.ndarray  # float64 (chunks, N_MEASURES): added to


class Passes(NamedTuple):
    """Attributes:
    act: ``(network, decisions, everyone, uniforms)``: fills in the actions, logs and values of decisions; ``everyone``
        are their numbers, and ``uniforms`` draws in [0, 1), float32, ``(n, heads)``.
    learn: ``(network, decisions, batch, weights)``: fills in the gradients of a batch, and measures it.
    """

    act: BatchStep
    learn: BatchStep


@functools.cache
def compile_passes(actor: Actor) -> Passes:
    """Compile the passes of networks with such an actor; both run on chunks of `CHUNK` decisions."""
    pack, actor_forward, actor_backward = actor

    @jittable
    def look(network: Network, work: Work, decisions: Decisions, chosen: np.ndarray) -> int:
        """Forward through actor and critic; how many rows of partners there are."""
        n, n_rows = len(chosen), 0
        for i in range(n):
            work.inputs[i] = decisions.inputs[chosen[i]]
            n_rows = pack(network, work, decisions.rows[chosen[i]], decisions.masks[chosen[i]], i, n_rows)
        actor_forward(network, work, n, n_rows)
        forward(network, work, network.n_actor, len(network.layers) - 1, n)
        return n_rows

    @shared
    @jittable
    def act(arguments: tuple[Any, ...], counters: Counters) -> None:
        network, decisions, everyone, uniforms = arguments
        n_heads = len(network.heads)
        work = new_work(network, decisions.inputs.shape[1], decisions.rows.shape[1])
        probabilities = np.empty(network.heads[:, 1].max(), F)
        low, high = take(counters)
        while low < high:
            for start in range(low * CHUNK, min(high * CHUNK, len(everyone)), CHUNK):
                chosen = everyone[start : start + CHUNK]
                n = len(chosen)
                look(network, work, decisions, chosen)
                logits = work.numbers[network.layers[network.n_actor - 1, 4] :]
                values = outputs(network, work, len(network.layers) - 1, n)
                for i in range(n):
                    total, d = F(0), chosen[i]
                    for head in range(n_heads):
                        first, width = network.heads[head]
                        valid, slot = decisions.masks[d, first : first + width], work.slots[i, head]
                        if slot < 0:
                            decisions.actions[d, head] = first_valid(valid)
                            continue
                        logs = logits[slot : slot + width]
                        softmax(logs, valid, probabilities)
                        action = draw(probabilities[:width], uniforms[d, head])
                        decisions.actions[d, head] = action
                        total += logs[action]
                    decisions.logs[d], decisions.values[d] = total, values[i, 0]
            low, high = take(counters)

    @shared
    @jittable
    def learn(arguments: tuple[Any, ...], counters: Counters) -> None:
        network, decisions, batch, weights = arguments
        n_heads = len(network.heads)
        work = new_work(network, decisions.inputs.shape[1], decisions.rows.shape[1])
        probabilities = np.empty((n_heads, network.heads[:, 1].max()), F)
        entropies = np.empty(n_heads, F)
        entropy_weight = F(weights.entropy / weights.batch_size)
        low, high = take(counters)
        while low < high:
            for chunk in range(low, high):
                start = chunk * CHUNK
                chosen = batch.chosen[start : start + CHUNK]
                n, measures = len(chosen), batch.measures[chunk]
                n_rows = look(network, work, decisions, chosen)
                place = network.layers[network.n_actor - 1]
                logits, logit_slopes = work.numbers[place[4] :], work.numbers[place[5] :]
                values = outputs(network, work, len(network.layers) - 1, n)
                value_slopes = slopes(network, work, len(network.layers) - 1, n)
                for i in range(n):
                    d, total = chosen[i], F(0)
                    for head in range(n_heads):
                        first, width = network.heads[head]
                        slot = work.slots[i, head]
                        if slot >= 0:
                            logs, valid = logits[slot : slot + width], decisions.masks[d, first : first + width]
                            entropies[head] = softmax(logs, valid, probabilities[head])
                            measures[ENTROPY] += entropies[head]
                            total += logs[decisions.actions[d, head]]
                    slope = F(
                        policy_slope(total - decisions.logs[d], batch.advantages[start + i], weights, measures)
                    )
                    for head in range(n_heads):
                        width, slot = network.heads[head, 1], work.slots[i, head]
                        if slot >= 0:
                            head_slopes(
                                logits[slot : slot + width],
                                probabilities[head],
                                decisions.actions[d, head],
                                slope,
                                entropies[head],
                                entropy_weight,
                                logit_slopes[slot : slot + width],
                            )
                    value_slopes[i, 0] = value_slope(values[i, 0], batch.returns[d], weights, measures)
                actor_backward(network, work, n, n_rows, batch.gradients[chunk])
                backward(network, work, network.n_actor, len(network.layers) - 1, n, batch.gradients[chunk])
            low, high = take(counters)

    return Passes(act, learn)
