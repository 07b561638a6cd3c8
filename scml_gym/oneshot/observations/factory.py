"""Joint observations: what a learner that answers all partners at once is shown, encoded from the FactoryView alone.

An encoder turns a view (and, in full observability, the hidden state of all factories) into named blocks of float32
numbers; the flat observation is these blocks laid end to end. Every feature has a name, a range and a meaning, listed
by `JointEncoder.features`; numbers outside a feature's range are clipped to it. The numbers themselves are computed by
`scml_gym.oneshot.observations.encoding`, which compiled worlds call too.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, cast

import numpy as np
from gymnasium import spaces

from scml_gym.core.arguments import whole
from scml_gym.core.errors import InputError
from scml_gym.core.registry import Registry
from scml_gym.game import codecs
from scml_gym.jit.compile import compiled
from scml_gym.oneshot.observations.encoding import (
    N_ENTITIES,
    N_ENTITY,
    encode_entities,
    encode_joint,
    encode_one_partner,
)
from scml_gym.oneshot.observations.features import (
    FACTORY_FEATURES,
    HISTORY_FEATURES,
    OTHER_FEATURES,
    PARTNER_FEATURES,
    Feature,
    bounds,
)
from scml_gym.oneshot.view import HIDDEN_DTYPE, MAX_PARTNERS, FactoryView

_encode_joint = compiled(encode_joint)
_encode_one_partner = compiled(encode_one_partner)
_encode_entities = compiled(encode_entities)
_NO_HIDDEN_STATE = np.zeros(0, dtype=HIDDEN_DTYPE)


class Encoder(codecs.Encoder, Protocol):
    """A codec of joint observations.

    Attributes:
        features: Every number of an observation, in order.
    """

    features: list[Feature]


class JointEncoder:
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

    def __init__(
        self,
        observability: str = "partial",
        layout: str = "flat",
        history: int = 0,
    ):
        if observability not in ("partial", "full"):
            raise InputError(f"observability={observability!r}; valid: 'partial', 'full'", "observability")
        if layout not in ("flat", "dict"):
            raise InputError(f"observation={layout!r}; valid: 'flat', 'dict'", "observation")
        history = whole("history", history, least=0)
        self.full = observability == "full"
        self._flat = layout == "flat"
        self.history = history
        self._offer_history = np.zeros((history, MAX_PARTNERS, len(HISTORY_FEATURES)), dtype=np.float32)
        blocks = {"factory": ((), FACTORY_FEATURES), "partners": ((MAX_PARTNERS,), PARTNER_FEATURES)}
        if self.full:
            blocks["others"] = ((2 * MAX_PARTNERS,), OTHER_FEATURES)
        if history:
            blocks["history"] = ((history, MAX_PARTNERS), HISTORY_FEATURES)
        self.features = [
            Feature(
                f"{name}{''.join(f'[{i}]' for i in place)}.{feature.name}", feature.low, feature.high, feature.meaning
            )
            for name, (shape, features) in blocks.items()
            for place in np.ndindex(*shape)
            for feature in features
        ]
        """All features in the order of the flat observation."""
        self._shapes = {name: (*shape, len(features)) for name, (shape, features) in blocks.items()}
        low, high = bounds(self.features)
        if self._flat:
            self.space: spaces.Space = spaces.Box(low, high, dtype=np.float32)
        else:
            lows, highs = cast(dict, self.blocks(low)), cast(dict, self.blocks(high))
            self.space = spaces.Dict({n: spaces.Box(lows[n], highs[n], dtype=np.float32) for n in lows})

    def reset(self) -> None:
        """Forget the decisions of an earlier episode."""
        self._offer_history[:] = 0.0

    def encode(self, view: FactoryView, hidden_state: np.ndarray | None = None) -> np.ndarray | dict[str, np.ndarray]:
        """The observation of one decision; to be called once for each.

        Args:
            view: What the factory sees.
            hidden_state: ``HIDDEN_DTYPE``, shape ``(2 * MAX_PARTNERS,)``; needed in full observability.

        Returns:
            float32: an array of ``space``'s shape, or a dict of them.
        """
        return self._encode(view, hidden_state, self._offer_history)

    def encode_last(
        self, view: FactoryView, hidden_state: np.ndarray | None = None
    ) -> np.ndarray | dict[str, np.ndarray]:
        """The observation where an episode ends; as it is no decision, no history shows it."""
        return self._encode(view, hidden_state, self._offer_history.copy())

    def _encode(self, view: FactoryView, hidden_state: np.ndarray | None, offer_history: np.ndarray) -> Any:
        seen = hidden_state if self.full else _NO_HIDDEN_STATE
        assert seen is not None, "full observability needs the hidden state"
        out = np.empty(len(self.features), dtype=np.float32)
        _encode_joint(view, seen, offer_history, out)
        return self.blocks(out)

    def blocks(self, flat: np.ndarray) -> np.ndarray | dict[str, np.ndarray]:
        """Flat numbers, shape ``(..., features)``, as ``space`` has them: as they are, or as blocks (views)."""
        if self._flat:
            return flat
        blocks, start = {}, 0
        for name, shape in self._shapes.items():
            end = start + int(np.prod(shape))
            blocks[name] = flat[..., start:end].reshape(*flat.shape[:-1], *shape)
            start = end
        return blocks


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


class EntityEncoder:
    """Encodes decisions as rows of equal length: the factory first, then its partners; for networks that share weights
    between partners.

    ``features`` name the row and the column: ``factory.kind``, ``factory.day``, .., ``partners[0].kind``,
    ``partners[0].exists``, .. A row's last columns, ``unused``, are 0 where it has fewer features than the factory's.

    Args:
        observability: ``"partial"``.
        history: 0.

    Raises:
        InputError: for any other value: rows show neither hidden state nor a history.
    """

    full = False

    def __init__(self, observability: str = "partial", history: int = 0):
        if observability != "partial":
            raise InputError(
                f"observability={observability!r}; valid with observation='entities': 'partial'", "observability"
            )
        if whole("history", history, least=0) != 0:
            raise InputError(f"history={history!r}; valid with observation='entities': 0", "history")
        kind = Feature("kind", 0, 1, "1 for the factory, 0 for a partner")
        rows = {"factory": FACTORY_FEATURES} | {f"partners[{k}]": PARTNER_FEATURES for k in range(MAX_PARTNERS)}
        self.features: list[Feature] = []
        """All numbers, row after row."""
        for row, features in rows.items():
            unused = (Feature(f"unused[{i}]", 0, 1, "always 0") for i in range(1 + len(features), N_ENTITY))
            self.features += [Feature(f"{row}.{s.name}", s.low, s.high, s.meaning) for s in (kind, *features, *unused)]
        low, high = (bound.reshape(N_ENTITIES, N_ENTITY) for bound in bounds(self.features))
        self.space: spaces.Space = spaces.Box(low, high, dtype=np.float32)

    def reset(self) -> None:
        """Nothing is remembered."""

    def encode(self, view: FactoryView, hidden_state: np.ndarray | None = None) -> np.ndarray:
        """The observation of one decision, float32, shape ``(9, 16)``."""
        out = np.empty((N_ENTITIES, N_ENTITY), dtype=np.float32)
        _encode_entities(view, out)
        return out

    encode_last = encode


OBSERVATIONS = Registry("observation")
OBSERVATIONS.register("flat", partial(JointEncoder, layout="flat"))
OBSERVATIONS.register("dict", partial(JointEncoder, layout="dict"))
OBSERVATIONS.register("entities", EntityEncoder)


def make_encoder(observability: str = "partial", observation: str = "flat", history: int = 0) -> Encoder:
    """The encoder of that registered observation; see `JointEncoder`.

    Raises:
        InputError: if the name is unknown or the encoder refuses the other arguments.
    """
    make: Callable[..., Encoder] = OBSERVATIONS.get(observation, "observation")
    return make(observability=observability, history=history)
