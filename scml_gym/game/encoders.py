"""Encoders as objects, for single environments: named blocks of features, and rows of equal length.

The numbers themselves are computed by functions over records, which native vector environments call too.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
from gymnasium import spaces

from scml_gym.core.arguments import MOST_HISTORY, one_of, whole
from scml_gym.core.errors import InputError
from scml_gym.game import codecs
from scml_gym.game.features import Feature, bounds
from scml_gym.game.kernels import EncoderKernel
from scml_gym.game.world import View
from scml_gym.jit.compile import compiled, jittable

Block = tuple[tuple[int, ...], Sequence[Feature]]
"""How many rows of which features: ``((), features)`` for a single row."""

_compiled = functools.cache(compiled)


class Encoder(codecs.Encoder, Protocol):
    """A codec of joint observations.

    Attributes:
        features: Every number of an observation, in order.
    """

    features: list[Feature]


@dataclass(frozen=True)
class JointParts:
    """What the joint observations of a game are made of.

    Attributes:
        blocks: Name -> block: what a player sees.
        hidden: Likewise what is added in full observability.
        history: The block of which earlier decisions are shown.
        hidden_dtype: Of the records of the hidden state.
        encode: ``(view, hidden_state, offer_history, out)``: writes all numbers, block after block; ``hidden_state`` is
            empty in partial observability; ``offer_history``, float32 of the history's shape, is moved on by this
            decision.
    """

    blocks: Mapping[str, Block]
    hidden: Mapping[str, Block]
    history: Block
    hidden_dtype: np.dtype
    encode: Callable[[View, np.ndarray, np.ndarray, np.ndarray], None]


class BlockEncoder:
    """Encodes decisions of one player; remembers past ones where a history is asked for.

    Args:
        parts: What its observations are made of.
        observability: ``"partial"``: what the player sees, the POMDP. ``"full"``: the hidden state too, the MDP.
        layout: ``"flat"`` for a Box, ``"dict"`` for a Dict of the blocks.
        history: How many earlier decisions' offers to show (0 to 1,000), latest first, across days; zeros before them.

    Raises:
        InputError: for an unknown observability or layout, or another history.
    """

    def __init__(
        self, parts: JointParts, observability: str = "partial", layout: str = "flat", history: int = 0
    ) -> None:
        one_of("observability", observability, ("partial", "full"))
        one_of("observation", layout, ("flat", "dict"))
        self.history = whole("history", history, 0, MOST_HISTORY)
        self.full = observability == "full"
        self._flat = layout == "flat"
        self._parts = parts
        rows, features = parts.history
        self.history_shape = (self.history, *rows, len(features))
        self._offer_history = np.zeros(self.history_shape, dtype=np.float32)
        blocks = dict(parts.blocks) | (dict(parts.hidden) if self.full else {})
        if self.history:
            blocks["history"] = ((self.history, *rows), features)
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

    @property
    def kernel(self) -> EncoderKernel:
        """As compiled code takes it."""
        return EncoderKernel(self._parts.encode, self.history_shape)

    def reset(self) -> None:
        """Forget the decisions of an earlier episode."""
        self._offer_history[:] = 0.0

    def encode(self, view: View, hidden_state: np.ndarray | None = None) -> np.ndarray | dict[str, np.ndarray]:
        """The observation of one decision; to be called once for each.

        Args:
            view: What the player sees.
            hidden_state: Of the game's ``HIDDEN_DTYPE``; needed in full observability.

        Returns:
            float32: an array of ``space``'s shape, or a dict of them.
        """
        return self._encode(view, hidden_state, self._offer_history)

    def encode_last(self, view: View, hidden_state: np.ndarray | None = None) -> np.ndarray | dict[str, np.ndarray]:
        """The observation where an episode ends; as it is no decision, no history shows it."""
        return self._encode(view, hidden_state, self._offer_history.copy())

    def _encode(self, view: View, hidden_state: np.ndarray | None, offer_history: np.ndarray) -> Any:
        seen = hidden_state if self.full else np.zeros(0, dtype=self._parts.hidden_dtype)
        assert seen is not None, "full observability needs the hidden state"
        out = np.empty(len(self.features), dtype=np.float32)
        _compiled(self._parts.encode)(view, seen, offer_history, out)
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


class RowEncoder:
    """Encodes decisions as rows of equal length, for networks that share weights between rows of a kind.

    ``features`` name the row and the column. A row's last columns, ``unused``, are 0 where it has fewer features.

    Args:
        rows: Name -> features of a row.
        encode: ``(view, out)``: writes the numbers, float32, shape ``(rows, most features)``.
        observability: ``"partial"``.
        history: 0.
        name: Of the observation, for messages.

    Raises:
        InputError: for any other value: rows show neither hidden state nor a history.
    """

    full = False

    def __init__(
        self,
        rows: Mapping[str, Sequence[Feature]],
        encode: Callable[[View, np.ndarray], None],
        observability: str = "partial",
        history: int = 0,
        name: str = "entities",
    ):
        if observability != "partial":
            told = f"observability={observability!r}; valid with observation={name!r}: 'partial'"
            raise InputError(told, "observability")
        if whole("history", history, least=0) != 0:
            raise InputError(f"history={history!r}; valid with observation={name!r}: 0", "history")
        shape = len(rows), max(map(len, rows.values()))
        self._encode = encode
        self.features: list[Feature] = []
        """All numbers, row after row."""
        for row, features in rows.items():
            unused = (Feature(f"unused[{i}]", 0, 1, "always 0") for i in range(len(features), shape[1]))
            self.features += [Feature(f"{row}.{s.name}", s.low, s.high, s.meaning) for s in (*features, *unused)]
        low, high = (bound.reshape(shape) for bound in bounds(self.features))
        self.space: spaces.Space = spaces.Box(low, high, dtype=np.float32)

    @property
    def kernel(self) -> EncoderKernel:
        """As compiled code takes it: rows in a flat array."""
        return rows_kernel(self._encode, len(self.features), cast(tuple, self.space.shape)[0])

    def reset(self) -> None:
        """Nothing is remembered."""

    def encode(self, view: View, hidden_state: np.ndarray | None = None) -> np.ndarray:
        """The observation of one decision, float32, shape ``(rows, most features)``."""
        out = np.empty(cast(tuple, self.space.shape), dtype=np.float32)
        _compiled(self._encode)(view, out)
        return out

    encode_last = encode


@functools.cache
def rows_kernel(encode_rows: Callable[[View, np.ndarray], None], n_features: int, n_rows: int) -> EncoderKernel:
    """The encoder of `RowEncoder` as compiled code takes it."""
    shape = (n_rows, n_features // n_rows)

    @jittable
    def encode(view: View, hidden_state: np.ndarray, offer_history: np.ndarray, out: np.ndarray) -> None:
        encode_rows(view, out.reshape(shape))

    return EncoderKernel(encode, (0, 0, 0))
