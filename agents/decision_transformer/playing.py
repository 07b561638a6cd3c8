"""What a Decision Transformer remembers of an episode while it plays, and how it decides.

Players are told no rewards. So what is still to come begins with the return that is played for, and after each decision
what the network expects to be paid for it is taken away.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from scml_gym.agents.decision_transformer.network import DecisionTransformer, Narrow, Windows


@dataclass(frozen=True)
class Memory:
    """The last decisions of an episode, ``k`` of them, which is less than the context.

    Attributes:
        to_go: What is still to come at the next decision.
        step: Place of the next decision in its episode.
        returns: What was still to come at each, float32 ``(k,)``.
        observations: Float32 ``(k, width)``.
        actions: Float32 ``(k, width)``.
    """

    to_go: float
    step: int
    returns: np.ndarray
    observations: np.ndarray
    actions: np.ndarray

    def promised(self, to_go: float) -> Memory:
        """The same with another return that is to come."""
        return dataclasses.replace(self, to_go=to_go)


def beginning(network: DecisionTransformer, observations: int, actions: int) -> Memory:
    """Of an episode that begins; ``observations`` and ``actions`` are the widths of rows."""
    nothing = np.zeros(0, np.float32)
    empty = np.zeros((0, observations), np.float32), np.zeros((0, actions), np.float32)
    return Memory(float(network.scale[4]), 0, nothing, *empty)


@torch.no_grad()
def decide(
    network: DecisionTransformer,
    context: int,
    memories: Sequence[Memory],
    seen: np.ndarray,
    masks: np.ndarray,
    generator: torch.Generator | None = None,
    narrow: Narrow | None = None,
) -> tuple[np.ndarray, list[Memory]]:
    """The next decisions of several episodes at once.

    Args:
        network: That decides.
        context: Decisions that it sees, the present one included.
        memories: Of each episode.
        seen: What is observed now, float32 ``(n, width)``.
        masks: Valid options, bool ``(n, options)``.
        generator: Draws; None for the likeliest choices.
        narrow: See `scml_gym.agents.decision_transformer.network.Narrow`.

    Returns:
        Actions, float32 ``(n, width)``, and what is remembered afterwards.
    """
    lengths = np.array([len(memory.returns) for memory in memories])
    n, longest = len(memories), int(lengths.max()) + 1
    returns, steps = np.zeros((n, longest), np.float32), np.zeros((n, longest), np.int64)
    observations = np.zeros((n, longest, seen.shape[1]), np.float32)
    actions = np.zeros((n, longest, memories[0].actions.shape[1]), np.float32)
    for i, (memory, k) in enumerate(zip(memories, lengths.tolist(), strict=True)):
        returns[i, :k], returns[i, k] = memory.returns, memory.to_go
        observations[i, :k], observations[i, k] = memory.observations, seen[i]
        actions[i, :k], steps[i, : k + 1] = memory.actions, np.arange(memory.step - k, memory.step + 1)
    mean, deviation, paid, spread, _ = network.scale.tolist()
    parts = (returns - np.float32(mean)) / np.float32(deviation), observations, actions, steps
    told = network(Windows(*(torch.from_numpy(part) for part in parts)))[torch.arange(n), torch.from_numpy(lengths)]
    picked, known = network.heads.choose(told, torch.from_numpy(masks), generator, narrow)
    expected, rows = network.predicted(known).numpy() * spread + paid, picked.numpy()
    after = []
    for i, (memory, k) in enumerate(zip(memories, lengths.tolist(), strict=True)):
        kept = slice(max(0, k + 2 - context), k + 1)
        actions[i, k] = rows[i]
        parts = returns[i, kept].copy(), observations[i, kept].copy(), actions[i, kept].copy()
        after.append(Memory(memory.to_go - float(expected[i]), memory.step + 1, *parts))
    return rows, after
