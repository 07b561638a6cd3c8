"""The actor that all agents share, and a critic that looks at a set of agents by attention.

A critic is told who sees whom: MAPPO's sees all agents that are there, IPPO's the agent itself. As attention is a
weighted mean, the order of the others changes nothing, and their number may vary.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

View = Callable[[Tensor], Tensor]
"""``(present) -> sees``: of each agent that is there, bool ``(batch, agents)``, whom its critic sees, bool ``(batch,
agents, agents)``; everybody sees itself."""


def everyone(present: Tensor) -> Tensor:
    """The centralised view: all agents that are there."""
    return present[:, None, :] | oneself(present)


def oneself(present: Tensor) -> Tensor:
    """The decentralised view: nobody else."""
    n = present.shape[1]
    return torch.eye(n, dtype=torch.bool).expand(len(present), n, n)


def dense(inputs: int, outputs: int, gain: float) -> nn.Linear:
    """A layer with orthogonal weights and biases of 0."""
    layer = nn.Linear(inputs, outputs)
    nn.init.orthogonal_(layer.weight, gain)
    nn.init.zeros_(layer.bias)
    return layer


class Actor(nn.Module):
    """Logits of all options of an agent, from what it sees: float32 ``(n, inputs)`` -> ``(n, options of all heads)``.

    Args:
        inputs: Numbers of an observation.
        hidden: Units of each of two hidden layers.
        heads: Options of each choice.
    """

    def __init__(self, inputs: int, hidden: int, heads: list[int]):
        super().__init__()
        self.heads = heads
        gain = nn.init.calculate_gain("tanh")
        self.layers = nn.Sequential(
            *(dense(inputs, hidden, gain), nn.Tanh(), dense(hidden, hidden, gain), nn.Tanh()),
            dense(hidden, sum(heads), 0.01),
        )

    def log_probabilities(self, inputs: Tensor, masks: Tensor) -> list[Tensor]:
        """Of the options of each head, ``(n, options)``; of those that are not valid, minus infinity."""
        logits = self.layers(inputs).masked_fill(~masks, -torch.inf)
        return [part.log_softmax(dim=-1) for part in logits.split(self.heads, dim=-1)]


class Critic(nn.Module):
    """What each agent may expect, in normalised returns: ``(batch, agents, inputs)`` -> ``(batch, agents)``.

    Args:
        inputs: Numbers of an observation.
        hidden: Units of each layer.
        options: Of all heads together, where it is told what the others do; 0 for a critic of states alone.
    """

    def __init__(self, inputs: int, hidden: int, options: int = 0):
        super().__init__()
        gain = nn.init.calculate_gain("tanh")
        self.encode = nn.Sequential(dense(inputs, hidden, gain), nn.Tanh())
        self.query, self.key, self.value = (dense(hidden, hidden, 1.0) for _ in range(3))
        self.done = nn.Linear(options, 2 * hidden, bias=False) if options else None
        self.judge = nn.Sequential(dense(2 * hidden, hidden, gain), nn.Tanh())
        self.head = dense(hidden, 1, 1.0)

    def forward(self, inputs: Tensor, sees: Tensor, chosen: Tensor | None = None) -> Tensor:
        """See the class.

        Args:
            inputs: What agents see.
            sees: Whom each is judged with, see `View`.
            chosen: What all do, one-hot ``(batch, agents, options)``; an agent's own choice is left out of its value.
        """
        seen = self.encode(inputs)
        keys, values, queries = self.key(seen), self.value(seen), self.query(seen)
        scores = queries @ keys.transpose(1, 2)
        told = None if chosen is None or self.done is None else self.done(chosen).chunk(2, dim=-1)
        others = ~torch.eye(inputs.shape[1], dtype=torch.bool)
        if told is not None:
            scores = scores + (queries @ told[0].transpose(1, 2)) * others
        weights = (scores / math.sqrt(keys.shape[-1])).masked_fill(~sees, -torch.inf).softmax(dim=-1)
        gathered = weights @ values
        if told is not None:
            gathered = gathered + (weights * others) @ told[1]
        return self.head(self.judge(torch.cat([seen, gathered], dim=-1)))[..., 0]
