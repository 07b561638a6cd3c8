"""The coordinator of L4: attention over the set of a factory's negotiations gives each its alpha.

As attention is a weighted mean, the order of the negotiations changes nothing, and their number may vary.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from scml_gym.agents.hrl_xf.monitor import BROADCAST, NEGOTIATION, Situation

SHARED = 32
"""Numbers that the broadcast becomes."""


class Sets(NamedTuple):
    """Situations of several factories, the smaller sets filled up.

    Attributes:
        negotiations: Float32 ``(factories, most, NEGOTIATION)``.
        broadcast: Float32 ``(factories, len(BROADCAST))``.
        there: Which negotiations there are, bool ``(factories, most)``.
    """

    negotiations: Tensor
    broadcast: Tensor
    there: Tensor


def sets_of(situations: Sequence[Situation]) -> Sets:
    """Situations as tensors; those negotiations that are there stand in the order of all of them."""
    most = max(len(situation.negotiations) for situation in situations)
    negotiations = np.zeros((len(situations), most, NEGOTIATION), np.float32)
    there = np.zeros((len(situations), most), np.bool_)
    for i, situation in enumerate(situations):
        negotiations[i, : len(situation.negotiations)] = situation.negotiations
        there[i, : len(situation.negotiations)] = True
    broadcast = np.stack([situation.broadcast for situation in situations])
    return Sets(*(torch.from_numpy(part) for part in (negotiations, broadcast, there)))


class Coordinator(nn.Module):
    """A number for each negotiation, of which alpha is the hyperbolic tangent.

    Args:
        width: Numbers that a negotiation becomes.
        heads: Of attention; they divide ``width + SHARED``.
        layers: Of attention.
    """

    def __init__(self, width: int, heads: int, layers: int):
        super().__init__()
        self.each = nn.Sequential(nn.Linear(NEGOTIATION, width), nn.GELU(), nn.Linear(width, width), nn.GELU())
        self.all = nn.Sequential(nn.Linear(len(BROADCAST), SHARED), nn.GELU(), nn.Linear(SHARED, SHARED), nn.GELU())
        both = width + SHARED
        layer = nn.TransformerEncoderLayer(both, heads, 4 * both, 0.0, "gelu", batch_first=True, norm_first=True)
        self.attention = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.head = nn.Sequential(nn.Linear(both, SHARED), nn.GELU(), nn.Linear(SHARED, 1))

    def forward(self, sets: Sets) -> Tensor:
        """Of the negotiations that are there, one after the other, ``(n,)``."""
        each = self.each(sets.negotiations)
        told = self.all(sets.broadcast)[:, None].expand(-1, each.shape[1], -1)
        seen = self.attention(torch.cat([each, told], dim=-1), src_key_padding_mask=~sets.there)
        return self.head(seen)[..., 0][sets.there]
