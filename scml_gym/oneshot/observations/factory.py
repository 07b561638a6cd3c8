"""Joint observations: what a learner that answers all partners at once is shown, encoded from the FactoryView alone.

An encoder turns a view (and, in full observability, the hidden state of all factories) into named blocks of float32
numbers; the flat observation is these blocks laid end to end. Every feature has a name, a range and a meaning, listed
by `JointEncoder.features`; numbers outside a feature's range are clipped to it. The numbers themselves are computed by
`scml_gym.oneshot.observations.encoding`, which compiled worlds call too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from gymnasium import spaces

from scml_gym.core.registry import Registry
from scml_gym.game.encoders import BlockEncoder, Encoder, JointParts, RowEncoder
from scml_gym.game.features import Feature, bounds
from scml_gym.jit.compile import compiled
from scml_gym.oneshot.observations.encoding import (
    encode_asked,
    encode_asked_entities,
    encode_entities,
    encode_joint,
    encode_one_partner,
)
from scml_gym.oneshot.observations.features import (
    FACTORY_FEATURES,
    HISTORY_FEATURES,
    OTHER_FEATURES,
    PARTNER_FEATURES,
    WAITS,
)
from scml_gym.oneshot.observations.prospects import FACTS, ProspectsEncoder
from scml_gym.oneshot.view import HIDDEN_DTYPE, MAX_PARTNERS, FactoryView

PARTS = JointParts(
    blocks={"factory": ((), FACTORY_FEATURES), "partners": ((MAX_PARTNERS,), PARTNER_FEATURES)},
    hidden={"others": ((2 * MAX_PARTNERS,), OTHER_FEATURES)},
    history=((MAX_PARTNERS,), HISTORY_FEATURES),
    hidden_dtype=HIDDEN_DTYPE,
    encode=encode_joint,
)

ASKED_PARTS = replace(PARTS, blocks={"waits": ((MAX_PARTNERS,), (WAITS,)), **PARTS.blocks}, encode=encode_asked)
"""`PARTS` where negotiations are answered one by one."""

KIND = Feature("kind", 0, 1, "1 for the factory, 0 for a partner")
ROWS = {"factory": (KIND, *FACTORY_FEATURES)}
ROWS |= {f"partners[{k}]": (KIND, *PARTNER_FEATURES) for k in range(MAX_PARTNERS)}

ASKED_ROWS = {row: features if row == "factory" else (*features, WAITS) for row, features in ROWS.items()}

_encode_one_partner = compiled(encode_one_partner)


class JointEncoder(BlockEncoder):
    """Encodes decisions of one factory; remembers past ones where a history is asked for.

    Args:
        observability: ``"partial"``: what the factory sees, the POMDP. ``"full"``: the hidden state of all factories
            too, the MDP.
        layout: ``"flat"`` for a Box, ``"dict"`` for a Dict of the blocks ``factory`` (15,), ``partners`` (8, 10) and,
            where asked for, ``others`` (16, 10) and ``history`` (history, 8, 4).
        history: How many earlier decisions' offers to show, latest first, across days; zeros before the first.

    Raises:
        InputError: for an unknown observability or layout, or a negative history.
    """

    def __init__(self, observability: str = "partial", layout: str = "flat", history: int = 0):
        super().__init__(PARTS, observability, layout, history)


class PartnerEncoder:
    """The observation of one partner's negotiation: the factory's 15 features and the partner's 10, flat, float32."""

    def __init__(self) -> None:
        self.features = [*FACTORY_FEATURES, *PARTNER_FEATURES]
        self.space: spaces.Space = spaces.Box(*bounds(self.features), dtype=np.float32)

    def encode(self, view: FactoryView, k: int) -> np.ndarray:
        """The observation of the negotiation with partner ``k``, shape ``(25,)``."""
        out = np.empty(len(self.features), dtype=np.float32)
        _encode_one_partner(view, k, out)
        return out


class EntityEncoder(RowEncoder):
    """Encodes decisions as rows of equal length, shape ``(9, 16)``: the factory first, then its partners; for networks
    that share weights between partners.

    ``features`` name the row and the column: ``factory.kind``, ``factory.day``, .., ``partners[0].kind``,
    ``partners[0].exists``, .. A row's last columns, ``unused``, are 0 where it has fewer features than the factory's.

    Args:
        observability: ``"partial"``.
        history: 0.

    Raises:
        InputError: for any other value: rows show neither hidden state nor a history.
    """

    def __init__(self, observability: str = "partial", history: int = 0):
        super().__init__(ROWS, encode_entities, observability, history)


OBSERVATIONS = Registry("observation")
OBSERVATIONS.register("flat", partial(JointEncoder, layout="flat"))
OBSERVATIONS.register("dict", partial(JointEncoder, layout="dict"))
OBSERVATIONS.register("entities", EntityEncoder)


ASKED_OBSERVATIONS = Registry("observation of timing='negotiations'")
"""Observations where negotiations are answered one by one: those of `OBSERVATIONS` with how often each was let wait."""
ASKED_OBSERVATIONS.register("flat", partial(BlockEncoder, ASKED_PARTS, layout="flat"))
ASKED_OBSERVATIONS.register("dict", partial(BlockEncoder, ASKED_PARTS, layout="dict"))
ASKED_OBSERVATIONS.register("entities", partial(RowEncoder, ASKED_ROWS, encode_asked_entities))
ASKED_OBSERVATIONS.register("prospects", ProspectsEncoder)
ASKED_OBSERVATIONS.register("prospects-no-late-days", partial(ProspectsEncoder, facts=FACTS[:-1]))


def make_encoder(
    observability: str = "partial", observation: str = "flat", history: int = 0, timing: str = "rounds"
) -> Encoder:
    """The encoder of that observation, as registered for that timing; see `JointEncoder`.

    Raises:
        InputError: if the name is unknown or the encoder refuses the other arguments.
    """
    registry = ASKED_OBSERVATIONS if timing == "negotiations" else OBSERVATIONS
    make: Callable[..., Encoder] = registry.get(observation, "observation")
    return make(observability=observability, history=history)
