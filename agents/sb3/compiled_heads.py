"""The distribution of `scml_gym.agents.sb3.heads` in compiled code, without padding: choices of many decisions at once.

A choice that is masked has probability 0 and no gradient (Huang and Ontañón 2020, https://arxiv.org/abs/2006.14171).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from scml_gym.agents.sb3.heads import IMPOSSIBLE
from scml_gym.jit.arrays import line_of, part_of
from scml_gym.jit.compile import jittable
from scml_gym.jit.elementary import F, exponential

HEAD_DTYPE = np.dtype([(name, np.int64) for name in ("i", "decision", "head", "first", "slot", "width")])
"""A head: its decision's place among those that are looked at and among all; which of the decision's heads it is; its
first option among all of the decision's; where its logits begin among all that are looked at; and how many it has."""


@jittable
def log_softmax(logs: np.ndarray, heads: Any, masks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turn logits into logarithms of probabilities, in place.

    Args:
        logs: Float32 ``(n,)``: of all heads that are looked at, one after the other.
        heads: ``HEAD_DTYPE``, ``(heads,)``.
        masks: Bool, ``(decisions, options of all heads)``: the valid ones.

    Returns:
        The probabilities, float32 ``(n,)``, and the entropy of each head, float32 ``(heads,)``.
    """
    probabilities, entropies = np.empty_like(logs), np.empty(len(heads), np.float32)
    for head in heads:
        width, most = head["width"], F(IMPOSSIBLE)
        ours = line_of(logs, head["slot"], width)
        valid = line_of(part_of(masks, head["decision"]), head["first"], width)
        for j in range(width):
            ours[j] = ours[j] if valid[j] else F(IMPOSSIBLE)
            most = max(most, ours[j])
        for j in range(width):
            ours[j] -= most
    for j in range(len(logs)):  # of all heads at once, as there are instructions for many numbers
        probabilities[j] = exponential(logs[j])
    for h in range(len(heads)):
        slot, width, total, entropy = heads[h]["slot"], heads[h]["width"], F(0), F(0)
        ours, likely = line_of(logs, slot, width), line_of(probabilities, slot, width)
        for j in range(width):
            total += likely[j]
            entropy -= likely[j] * ours[j]
        log_total, share = F(math.log(total)), np.true_divide(F(1), total)
        entropies[h] = entropy * share + log_total
        for j in range(width):
            ours[j] -= log_total
            likely[j] *= share
    return probabilities, entropies
