"""The network: tokens of an episode in the order return to go, observation, action, decision after decision; causal.

An action's choices are made one after the other: each sees what the decision's tokens say and the choices before it.
The reward of a decision is predicted after its last choice, as players are told no rewards and the return to go is
needed for the next decision.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

from scml_gym.agents.decision_transformer.forms import Actions, Choices, Observations

TOKENS = 3
"""Of a decision."""

LONGEST_PERIOD = 10_000.0
"""Decisions, of the slowest of the waves by which a decision's place in its episode is told."""

NEAR = 1e-3
"""Numbers that are no further apart count as the same."""

Narrow = Callable[[int, Tensor, Tensor], Tensor]
"""``(i, chosen, mask) -> mask``: the valid options of choice ``i``, bool ``(n, options)``, given the choices before it,
int64 ``(n, i)``."""


class Windows(NamedTuple):
    """Parts of episodes, of ``n`` decisions at most, the shorter ones filled up behind.

    Attributes:
        returns: What is still to come at each decision, in standard deviations from its mean, ``(batch, n)``.
        observations: ``(batch, n, width)``.
        actions: ``(batch, n, width)``; what stands at a decision does not reach it.
        steps: Place of each decision in its episode, from 0, ``(batch, n)``.
    """

    returns: Tensor
    observations: Tensor
    actions: Tensor
    steps: Tensor


class Layer(nn.Module):
    """Causal attention, then two dense layers, each added to what comes in."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.looks, self.gathers = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.wide, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """``(batch, tokens, width)`` -> the same."""
        batch, n, width = tokens.shape
        parts = self.looks(self.first(tokens)).view(batch, n, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        seen = scaled_dot_product_attention(query, key, value, is_causal=True)
        tokens = tokens + self.gathers(seen.transpose(1, 2).reshape(batch, n, width))
        return tokens + self.narrow(gelu(self.wide(self.second(tokens))))


class ChoiceHeads(nn.Module):
    """The logarithms of probabilities of choices, each given those before it."""

    starts: Tensor

    def __init__(self, width: int, sizes: tuple[int, ...]):
        super().__init__()
        self.sizes = sizes
        starts = torch.tensor((0, *sizes[:-1])).cumsum(0)
        self.register_buffer("starts", starts, persistent=False)
        self.options, self.chosen = nn.Linear(width, sum(sizes)), nn.Embedding(sum(sizes), width)
        nn.init.normal_(self.chosen.weight, std=0.02)

    def _before(self, rows: Tensor) -> Tensor:
        """Sums of the choices before each choice, and of all of them, ``(n, choices + 1, width)``."""
        chosen = self.chosen(rows.long() + self.starts).cumsum(dim=1)
        return torch.cat([torch.zeros_like(chosen[:, :1]), chosen], dim=1)

    def _logits(self, i: int, known: Tensor, mask: Tensor) -> Tensor:
        start = int(self.starts[i])
        part = slice(start, start + self.sizes[i])
        logits = known @ self.options.weight[part].T + self.options.bias[part]
        return logits.masked_fill(~mask, -torch.inf).log_softmax(dim=-1)

    def log_likelihood(self, told: Tensor, rows: Tensor, masks: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Of recorded choices, each given those before it, ``(n, choices)``; which of them are the likeliest, bool of
        the same shape; and what is known after them, ``(n, width)``.

        Args:
            told: What the tokens say, ``(n, width)``.
            rows: The choices.
            masks: Bool ``(n, options)``.
        """
        logs, known = self._given(told, rows, masks)
        met = [part.gather(1, rows[:, i : i + 1].long()) for i, part in enumerate(logs)]
        likeliest = torch.stack([part.argmax(dim=1) for part in logs], dim=1) == rows
        return torch.cat(met, dim=1), likeliest, known

    def distributions(self, told: Tensor, rows: Tensor, masks: Tensor) -> list[Tensor]:
        """The logarithms of the probabilities of the options of each choice, given the recorded ones before it, ``(n,
        options)`` each; arguments as of `log_likelihood`."""
        return self._given(told, rows, masks)[0]

    def _given(self, told: Tensor, rows: Tensor, masks: Tensor) -> tuple[list[Tensor], Tensor]:
        """`distributions`, and what is known after all choices, ``(n, width)``."""
        known = gelu(told[:, None] + self._before(rows))
        valid = masks.split(self.sizes, dim=1)
        return [self._logits(i, known[:, i], mask) for i, mask in enumerate(valid)], known[:, -1]

    def choose(
        self, told: Tensor, masks: Tensor, generator: torch.Generator | None, narrow: Narrow | None
    ) -> tuple[Tensor, Tensor]:
        """Choices, ``(n, choices)``, the likeliest one after the other, or drawn; and what is known after them."""
        rows, total = told.new_zeros((len(told), 0), dtype=torch.int64), told
        for i, mask in enumerate(masks.split(self.sizes, dim=1)):
            mask = mask if narrow is None else narrow(i, rows, mask)
            logs = self._logits(i, gelu(total), mask)
            picked = logs.argmax(dim=1, keepdim=True)
            if generator is not None:
                picked = torch.multinomial(logs.exp(), 1, generator=generator)
            rows = torch.cat([rows, picked], dim=1)
            total = total + self.chosen(picked[:, 0] + self.starts[i])
        return rows.to(told.dtype), gelu(total)


class NumberHeads(nn.Module):
    """Normal distributions of numbers, whose deviations are the same everywhere."""

    def __init__(self, width: int, numbers: int):
        super().__init__()
        self.mean, self.log_deviation = nn.Linear(width, numbers), nn.Parameter(torch.zeros(numbers))
        self.chosen = nn.Linear(numbers, width, bias=False)

    def log_likelihood(self, told: Tensor, rows: Tensor, masks: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """See `ChoiceHeads.log_likelihood`."""
        away = rows - self.mean(gelu(told))
        logs = -0.5 * (away / self.log_deviation.exp()) ** 2 - self.log_deviation - 0.5 * math.log(2 * math.pi)
        return logs, away.abs() < NEAR, gelu(told + self.chosen(rows))

    def choose(
        self, told: Tensor, masks: Tensor, generator: torch.Generator | None, narrow: Narrow | None
    ) -> tuple[Tensor, Tensor]:
        """See `ChoiceHeads.choose`."""
        rows = self.mean(gelu(told))
        if generator is not None:
            rows = rows + self.log_deviation.exp() * torch.randn(rows.shape, generator=generator)
        return rows, gelu(told + self.chosen(rows))


class DecisionTransformer(nn.Module):
    """See the module.

    Args:
        seen: The form of observations.
        done: The form of actions.
        width: Numbers of a token.
        layers: Of attention.
        attention_heads: Of a layer.

    Attributes:
        scale: What returns and rewards are measured in: the mean and the deviation of returns to go, then of rewards,
            and the return that is played for, float32 ``(5,)``; part of the weights.
    """

    scale: Tensor
    mean: Tensor
    deviation: Tensor

    def __init__(self, seen: Observations, done: Actions, width: int, layers: int, attention_heads: int):
        super().__init__()
        self.width = width
        self.register_buffer("mean", torch.zeros(seen.width))
        self.register_buffer("deviation", torch.ones(seen.width))
        self.register_buffer("scale", torch.tensor([0.0, 1.0, 0.0, 1.0, 0.0]))
        self.codes = nn.Embedding(seen.codes, width) if seen.codes else None
        self.numbers = None if seen.codes else nn.Linear(seen.width, width)
        self.to_go = nn.Linear(1, width)
        choices = done.sizes if isinstance(done, Choices) else None
        self.heads = NumberHeads(width, done.width) if choices is None else ChoiceHeads(width, choices)
        self.done = nn.Linear(done.width, width) if choices is None else nn.Embedding(sum(choices), width)
        self.starts = None if choices is None else torch.tensor((0, *choices[:-1])).cumsum(0)
        self.kind = nn.Parameter(0.02 * torch.randn(TOKENS, width))
        self.layers = nn.Sequential(*(Layer(width, attention_heads) for _ in range(layers)), nn.LayerNorm(width))
        self.told, self.reward = nn.Linear(width, width), nn.Linear(width, 1)

    def forward(self, windows: Windows) -> Tensor:
        """What is said at each decision before its action, ``(batch, n, width)``."""
        batch, n = windows.returns.shape
        if self.numbers is not None:
            seen = self.numbers((windows.observations - self.mean) / self.deviation)
        else:
            assert self.codes is not None, "observations are numbers or codes"
            seen = self.codes(windows.observations[..., 0].long())
        if self.starts is None:
            done = self.done(windows.actions)
        else:
            done = self.done(windows.actions.long() + self.starts).sum(dim=2)
        tokens = torch.stack([self.to_go(windows.returns[..., None]), seen, done], dim=2) + self.kind
        tokens = tokens + waves(windows.steps, self.width)[:, :, None]
        said = self.layers(tokens.view(batch, TOKENS * n, self.width)).view(batch, n, TOKENS, self.width)
        return self.told(said[:, :, 1])

    def predicted(self, known: Tensor) -> Tensor:
        """Rewards, in standard deviations from their mean, ``(n,)``, from what is known after an action."""
        return self.reward(known)[:, 0]


def waves(steps: Tensor, width: int) -> Tensor:
    """Places in an episode as sines and cosines, ``(..., width)``; Vaswani et al. 2017,
    https://arxiv.org/abs/1706.03762."""
    rates = torch.exp(torch.arange(width // 2) * (-2.0 * math.log(LONGEST_PERIOD) / width))
    angles = steps[..., None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=-1)
