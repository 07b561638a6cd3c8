"""Q-tables: one for sellers, one for buyers, their initial values, and how they are kept on disk."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from agents.q_learning.settings import Initialisation
from scml_gym.errors import InputError
from scml_gym.files import replace_file
from scml_gym.partner import PartnerActions, PartnerStates
from scml_gym.view import BUYER, SELLER

SCHEMA = "scml-gym-q-tables-1"
LEVEL_NAMES = ("seller", "buyer")


@dataclass(eq=False)
class QTable:
    """The table of one level.

    Attributes:
        values: float64, shape ``(states, actions)``, in units of reward.
        visits: int64, same shape: how often each was updated.
    """

    values: np.ndarray
    visits: np.ndarray

    def copy(self) -> QTable:
        """A table that shares nothing with this one."""
        return QTable(self.values.copy(), self.visits.copy())

    def update(self, state: int, action: int, target: float, rate: float, visits: float) -> float:
        """Move one value toward its target by ``max(rate, visits / (visits + n))``, n the earlier updates of it.

        Args:
            state: Row.
            action: Column.
            target: Reward plus discounted value of the next state.
            rate: Floor of the learning rate.
            visits: How fast the learning rate falls to it; 0 for the floor alone.

        Returns:
            The error of the value before the update.
        """
        n = int(self.visits[state, action])
        error = target - float(self.values[state, action])
        self.values[state, action] += max(rate, visits / (visits + n) if visits else 0.0) * error
        self.visits[state, action] = n + 1
        return error


def initial_table(level: int, states: PartnerStates, actions: PartnerActions, init: Initialisation) -> QTable:
    """A table that prefers profitable actions (section 2.2.a), or one of zeros where ``init.preference`` is 0.

    An offer is worth its items up to the needs, each ``preference`` less the part that the price loses, and costs
    ``excess`` for each item beyond. ACCEPT is worth the same for the partner's offer, END nothing. So what is best
    before any learning is to ask for all that is needed at the best price.
    """
    shape = (states.n, actions.n)
    values = np.zeros(shape)
    if init.preference:
        quantities = (np.arange(actions.quantity_bins) + 1) / actions.quantity_bins
        rank = np.arange(actions.price_bins) / max(1, actions.price_bins - 1)
        loss = (1 - rank if level == SELLER else rank) * init.price_step
        needs = np.arange(states.needs_bins + 1)[:, None] / states.needs_bins
        within, beyond = np.minimum(quantities, needs), np.maximum(quantities - needs, 0.0)
        worth = within[:, :, None] * init.preference * (1 - loss) - (beyond * init.excess)[:, :, None]
        worth = worth.reshape(states.needs_bins + 1, -1) * states.needs_bins  # (needs, offers)
        body = values[: states.accept].reshape(*states.shape, actions.n)
        body[..., 2:] = worth[:, None, None, None, :]
        if states.kind != "needs":
            body[..., 1:, 1] = worth[:, None, None, :]
    return QTable(values, np.zeros(shape, dtype=np.int64))


def initial_tables(states: PartnerStates, actions: PartnerActions, init: Initialisation) -> tuple[QTable, QTable]:
    """The seller's and the buyer's initial table."""
    return initial_table(SELLER, states, actions, init), initial_table(BUYER, states, actions, init)


def save_tables(folder: Path, tables: tuple[QTable, QTable], meta: dict[str, Any]) -> None:
    """Write ``tables.npz``, then ``q_learning.json`` with the schema, the shape and ``meta``; each as a whole."""
    arrays = {}
    for name, table in zip(LEVEL_NAMES, tables, strict=True):
        arrays |= {f"{name}_values": table.values, f"{name}_visits": table.visits}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    replace_file(folder / "tables.npz", buffer.getvalue())
    content = {"schema": SCHEMA, "shape": list(tables[0].values.shape)} | meta
    replace_file(folder / "q_learning.json", (json.dumps(content, indent=1) + "\n").encode())


def load_tables(folder: Path) -> tuple[tuple[QTable, QTable], dict[str, Any]]:
    """Read what `save_tables` wrote: the tables and the JSON's content.

    Raises:
        InputError: if a file is missing or corrupt, or of another schema or shape.
    """
    try:
        meta = json.loads((folder / "q_learning.json").read_text())
        with np.load(folder / "tables.npz", allow_pickle=False) as data:
            arrays = dict(data)
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        raise InputError(f"{folder}: cannot be read as Q-tables ({error})") from error
    if not isinstance(meta, dict) or meta.get("schema") != SCHEMA:
        raise InputError(f"{folder}: schema {meta.get('schema') if isinstance(meta, dict) else None!r}, not {SCHEMA!r}")
    names = [f"{level}_{part}" for level in LEVEL_NAMES for part in ("values", "visits")]
    for name in names:
        if name not in arrays or list(arrays[name].shape) != meta.get("shape"):
            raise InputError(f"{folder}: {name} is missing or not of the shape {meta.get('shape')}")
    seller, buyer = (QTable(arrays[f"{n}_values"], arrays[f"{n}_visits"].astype(np.int64)) for n in LEVEL_NAMES)
    return (seller, buyer), meta
