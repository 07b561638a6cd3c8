"""The per-partner form: what the learner of one negotiation is shown, may answer and is paid."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from scml_gym.errors import InputError
from scml_gym.observations import PartnerEncoder
from scml_gym.partner import PartnerActions, PartnerStates
from scml_gym.rewards_negotiation import NegotiationReward
from scml_gym.view import AgentView

STATES = ("needs", "offer", "full")


class PartnerForm:
    """Observation, action and mask of one negotiation of a factory.

    Args:
        observation: ``"needs"``, ``"offer"`` or ``"full"``: the paper's discrete states as one index (see
            `scml_gym.partner.PartnerStates`); ``"flat"``: 25 numbers (see `scml_gym.observations.PartnerEncoder`).
        quantity_bins: Quantities that an offer, and a discrete state, tells apart.
        price_bins: Prices likewise.

    Raises:
        InputError: for an unknown observation or bins below 1.
    """

    def __init__(self, observation: str = "full", quantity_bins: int = 10, price_bins: int = 2):
        self.actions = PartnerActions(quantity_bins, price_bins)
        self.action_space = spaces.Discrete(self.actions.n)
        if observation == "flat":
            self._encoder = PartnerEncoder()
            self.observation_space: spaces.Space = self._encoder.space
            self._encode: Any = self._encoder.encode
        elif observation in STATES:
            states = PartnerStates(observation, quantity_bins, price_bins)
            self.observation_space = spaces.Discrete(states.n)
            self._encode = states.index
        else:
            raise InputError(f"observation={observation!r}; valid: {', '.join(STATES)}, flat")

    def observe(self, view: AgentView, k: int) -> Any:
        """The observation of the negotiation with partner ``k``: an ``int64`` index, or float32 of shape ``(25,)``."""
        seen = self._encode(view, k)
        return np.int64(seen) if isinstance(seen, int) else seen

    def mask(self, view: AgentView, k: int) -> np.ndarray:
        """The valid answers to partner ``k``, bool, shape ``(22,)``."""
        return self.actions.mask(view, k)


def negotiation_reward(reward: NegotiationReward | None) -> NegotiationReward:
    """The reward of ended negotiations: the paper's, unless another one is given."""
    return NegotiationReward() if reward is None else reward
