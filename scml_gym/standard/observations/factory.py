"""Joint observations: what a learner that answers all partners at once is shown, encoded from the StandardView alone.

An encoder turns a view (and, in full observability, the hidden state of all factories) into named blocks of float32
numbers; the flat observation is these blocks laid end to end. Every feature has a name, a range and a meaning, listed
by ``features``; numbers outside a feature's range are clipped to it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from gymnasium import spaces

from scml_gym.core.registry import Registry
from scml_gym.game.encoders import BlockEncoder, Encoder, JointParts, RowEncoder
from scml_gym.game.features import Feature, bounds
from scml_gym.jit.compile import compiled
from scml_gym.standard.observations.encoding import encode_entities, encode_joint, encode_one_partner
from scml_gym.standard.observations.features import (
    DAY_FEATURES,
    FACTORY_FEATURES,
    HISTORY_FEATURES,
    OTHER_FEATURES,
    PARTNER_FEATURES,
)
from scml_gym.standard.observations.plan import PlanEncoder
from scml_gym.standard.view import BOOK_DAYS, HIDDEN_DTYPE, MAX_FACTORIES, MAX_PARTNERS, StandardView

PARTS = JointParts(
    blocks={
        "factory": ((), FACTORY_FEATURES),
        "partners": ((MAX_PARTNERS,), PARTNER_FEATURES),
        "days": ((BOOK_DAYS,), DAY_FEATURES),
    },
    hidden={"others": ((MAX_FACTORIES,), OTHER_FEATURES)},
    history=((MAX_PARTNERS,), HISTORY_FEATURES),
    hidden_dtype=HIDDEN_DTYPE,
    encode=encode_joint,
)

KIND = (
    Feature("is_factory", 0, 1, "1 for the factory, 0 for a partner or a day"),
    Feature("is_day", 0, 1, "1 for a day, 0 for the factory or a partner"),
)
ROWS = {"factory": (*KIND, *FACTORY_FEATURES)}
ROWS |= {f"partners[{k}]": (*KIND, *PARTNER_FEATURES) for k in range(MAX_PARTNERS)}
ROWS |= {f"days[{ahead}]": (*KIND, *DAY_FEATURES) for ahead in range(BOOK_DAYS)}

_encode_one_partner = compiled(encode_one_partner)


class JointEncoder(BlockEncoder):
    """Encodes decisions of one factory; remembers past ones where a history is asked for.

    Args:
        observability: ``"partial"``: what the factory sees, the POMDP. ``"full"``: the hidden state of all factories
            too, the MDP.
        layout: ``"flat"`` for a Box, ``"dict"`` for a Dict of the blocks ``factory`` (25,), ``partners`` (16, 14),
            ``days`` (11, 7) and, where asked for, ``others`` (32, 34) and ``history`` (history, 16, 6).
        history: How many earlier decisions' offers to show, latest first, across days; zeros before the first.

    Raises:
        InputError: for an unknown observability or layout, or a negative history.
    """

    def __init__(self, observability: str = "partial", layout: str = "flat", history: int = 0):
        super().__init__(PARTS, observability, layout, history)


class EntityEncoder(RowEncoder):
    """Encodes decisions as rows of equal length, shape ``(28, 27)``: the factory, its 16 partners, then 11 days; for
    networks that share weights between rows of a kind.

    ``features`` name the row and the column: ``factory.is_factory``, .., ``partners[0].exists``, .., ``days[0].open``,
    .. A row's last columns, ``unused``, are 0 where it has fewer features than the factory's.

    Args:
        observability: ``"partial"``.
        history: 0.

    Raises:
        InputError: for any other value: rows show neither hidden state nor a history.
    """

    def __init__(self, observability: str = "partial", history: int = 0):
        super().__init__(ROWS, encode_entities, observability, history)


class PartnerEncoder:
    """The observation of one partner's negotiation, flat, float32: the factory's 25 features, 7 of each of 11 days, and
    the partner's 14."""

    def __init__(self) -> None:
        days = [
            Feature(f"days[{ahead}].{feature.name}", feature.low, feature.high, feature.meaning)
            for ahead in range(BOOK_DAYS)
            for feature in DAY_FEATURES
        ]
        self.features = [*FACTORY_FEATURES, *days, *PARTNER_FEATURES]
        self.space: spaces.Space = spaces.Box(*bounds(self.features), dtype=np.float32)

    def encode(self, view: StandardView, k: int) -> np.ndarray:
        """The observation of the negotiation with partner ``k``, shape ``(116,)``."""
        out = np.empty(len(self.features), dtype=np.float32)
        _encode_one_partner(view, k, out)
        return out


OBSERVATIONS = Registry("observation")
OBSERVATIONS.register("flat", partial(JointEncoder, layout="flat"))
OBSERVATIONS.register("dict", partial(JointEncoder, layout="dict"))
OBSERVATIONS.register("entities", EntityEncoder)
OBSERVATIONS.register("plan", PlanEncoder)


def make_encoder(observability: str = "partial", observation: str = "flat", history: int = 0) -> Encoder:
    """The encoder of that registered observation; see `JointEncoder`.

    Raises:
        InputError: if the name is unknown or the encoder refuses the other arguments.
    """
    make: Callable[..., Encoder] = OBSERVATIONS.get(observation, "observation")
    return make(observability=observability, history=history)
