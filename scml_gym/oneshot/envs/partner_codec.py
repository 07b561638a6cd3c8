"""The codec of one partner: what the learner of one negotiation is shown, may answer and is paid."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from scml_gym.core.errors import InputError
from scml_gym.jit.compile import jittable
from scml_gym.jit.random import ALL_BITS, below, open_stream
from scml_gym.oneshot.actions.negotiation import PartnerActions
from scml_gym.oneshot.observations.factory import PartnerEncoder
from scml_gym.oneshot.observations.negotiation import PartnerStates
from scml_gym.oneshot.rewards.negotiation import NegotiationReward
from scml_gym.oneshot.view import MAX_PARTNERS, FactoryView

STATES = ("needs", "offer", "full")

AGENTS = tuple(f"partner_{k}" for k in range(MAX_PARTNERS))
"""Names of the agents of all negotiations of a factory, by partner index."""

PARTNERS = 0xA54FF53A5F1D36F1
"""Keeps the stream of partners apart from that of the episode's sample, which has the same seed."""


class PartnerCodec:
    """Observation, action and mask of one negotiation of a factory.

    Args:
        observation: ``"needs"``, ``"offer"`` or ``"full"``: the paper's discrete states as one index (see
            `scml_gym.oneshot.observations.negotiation.PartnerStates`); ``"flat"``: 25 numbers (see
            `scml_gym.oneshot.observations.factory.PartnerEncoder`).
        quantity_bins: Quantities that an offer, and a discrete state, tells apart.
        price_bins: Prices likewise.

    Attributes:
        actions: What the choices stand for.
        encoder: What makes the observations.

    Raises:
        InputError: for an unknown observation or bins below 1.
    """

    def __init__(self, observation: str = "full", quantity_bins: int = 10, price_bins: int = 2):
        self.actions = PartnerActions(quantity_bins, price_bins)
        self.action_space = spaces.Discrete(self.actions.n)
        if observation == "flat":
            self.encoder: PartnerEncoder | PartnerStates = PartnerEncoder()
            self.observation_space: spaces.Space = self.encoder.space
            self._encode: Any = self.encoder.encode
        elif observation in STATES:
            self.encoder = PartnerStates(observation, quantity_bins, price_bins)
            self.observation_space = spaces.Discrete(self.encoder.n)
            self._encode = self.encoder.index
        else:
            raise InputError(f"observation={observation!r}; valid: {', '.join(STATES)}, flat", "observation")

    def observe(self, view: FactoryView, k: int) -> Any:
        """The observation of the negotiation with partner ``k``: an ``int64`` index, or float32 of shape ``(25,)``."""
        seen = self._encode(view, k)
        return np.int64(seen) if isinstance(seen, int) else seen

    def mask(self, view: FactoryView, k: int) -> np.ndarray:
        """The valid answers to partner ``k``, bool, shape ``(22,)``."""
        return self.actions.mask(view, k)


def negotiation_reward(reward: NegotiationReward | None) -> NegotiationReward:
    """The reward of ended negotiations: the paper's, unless another one is given."""
    return NegotiationReward() if reward is None else reward


@jittable
def open_partners(stream: np.ndarray, seed: int) -> None:
    """Open the stream of the partners that are drawn in an episode's world.

    Args:
        stream: uint64, shape ``(1,)``.
        seed: Of the episode, 0 to 2**64 - 1.
    """
    stream[0] = seed
    open_stream(stream, (int(stream[0]) ^ PARTNERS) & ALL_BITS)


@jittable
def draw_partner(stream: np.ndarray, n_partners: int) -> int:
    """The index of the next negotiation's partner, one draw for each negotiation of the world."""
    return below(stream, n_partners)
