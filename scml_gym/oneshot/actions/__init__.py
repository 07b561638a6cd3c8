"""Action codecs: what the actions of an environment mean to the negotiations; by name in `ACTIONS`."""

from scml_gym.game.codecs import ActionCodec
from scml_gym.oneshot.actions.factory import ACTIONS, ChoiceActions, ContinuousActions
from scml_gym.oneshot.actions.negotiation import PartnerActions

__all__ = ["ACTIONS", "ActionCodec", "ChoiceActions", "ContinuousActions", "PartnerActions"]
