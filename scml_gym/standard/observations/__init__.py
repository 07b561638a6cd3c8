"""Encoders: what a learner sees of a view; by name in `OBSERVATIONS`."""

from scml_gym.game.encoders import Encoder
from scml_gym.standard.observations.factory import (
    OBSERVATIONS,
    EntityEncoder,
    JointEncoder,
    PartnerEncoder,
    make_encoder,
)

__all__ = ["OBSERVATIONS", "Encoder", "EntityEncoder", "JointEncoder", "PartnerEncoder", "make_encoder"]
