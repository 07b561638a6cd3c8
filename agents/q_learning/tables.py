"""Q-tables: one for sellers, one for buyers, their initial values, and how they are kept on disk."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scml_gym.agents.q_learning.hyperparameters import Initialisation
from scml_gym.core.data_files import read_json
from scml_gym.core.errors import InputError
from scml_gym.core.files import read_arrays, replace_file
from scml_gym.oneshot.actions.negotiation import PartnerActions
from scml_gym.oneshot.observations.negotiation import PartnerStates
from scml_gym.oneshot.view import BUYER, SELLER

SCHEMA = "scml-gym-q-tables-1"
LEVEL_NAMES = ("seller", "buyer")


@dataclass(eq=False)
class Tables:
    """Some tables of the same states and actions; those of a learner are the seller's and the buyer's.

    Attributes:
        values: float64, shape ``(tables, states, actions)``, in units of reward.
        visits: int64, same shape: how often each was updated.
    """

    values: np.ndarray
    visits: np.ndarray

    def copies(self, table: int, n: int) -> Tables:
        """``n`` tables equal to one of these, that share nothing with it."""
        return Tables(np.repeat(self.values[[table]], n, axis=0), np.repeat(self.visits[[table]], n, axis=0))


TableChoice = Callable[[int, int], tuple[Tables, np.ndarray]]
"""``choose(level, n_partners)``: tables to play with in a world, and the index of each partner's, ``(n_partners,)``."""


def shared(tables: Tables) -> TableChoice:
    """All factories of a level play with the level's table itself."""
    return lambda level, n: (tables, np.full(n, level))


def one_copy(tables: Tables) -> TableChoice:
    """Each factory plays with a copy of its level's table."""
    return lambda level, n: (tables.copies(level, 1), np.zeros(n, dtype=np.int64))


def copy_for_each(tables: Tables) -> TableChoice:
    """Each factory plays with a copy of its level's table for each opponent (2.1.1)."""
    return lambda level, n: (tables.copies(level, n), np.arange(n))


def initial_values(level: int, states: PartnerStates, actions: PartnerActions, init: Initialisation) -> np.ndarray:
    """The values of a table that prefers profitable actions (2.2.a), or zeros where ``init.preference`` is 0.

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
    return values


def initial_tables(states: PartnerStates, actions: PartnerActions, init: Initialisation) -> Tables:
    """The seller's and the buyer's initial table."""
    values = np.stack([initial_values(level, states, actions, init) for level in (SELLER, BUYER)])
    return Tables(values, np.zeros(values.shape, dtype=np.int64))


def save_tables(folder: Path, tables: Tables, meta: dict[str, Any]) -> None:
    """Write ``tables.npz``, then ``q_learning.json`` with the schema, the shape and ``meta``; each as a whole."""
    arrays = {}
    for name, values, visits in zip(LEVEL_NAMES, tables.values, tables.visits, strict=True):
        arrays |= {f"{name}_values": values, f"{name}_visits": visits}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    replace_file(folder / "tables.npz", buffer.getvalue())
    content = {"schema": SCHEMA, "shape": list(tables.values.shape[1:])} | meta
    replace_file(folder / "q_learning.json", (json.dumps(content, indent=1) + "\n").encode())


def load_tables(folder: Path) -> tuple[Tables, dict[str, Any]]:
    """Read what `save_tables` wrote: the tables and the JSON's content.

    Raises:
        InputError: if a file is missing or corrupt, or of another schema or shape.
    """
    meta = read_json(folder / "q_learning.json")
    arrays = read_arrays(folder / "tables.npz", "Q-tables")
    if meta.get("schema") != SCHEMA:
        raise InputError(f"{folder}: schema {meta.get('schema')!r}, not {SCHEMA!r}")
    names = [f"{level}_{part}" for level in LEVEL_NAMES for part in ("values", "visits")]
    for name in names:
        if name not in arrays or list(arrays[name].shape) != meta.get("shape"):
            raise InputError(f"{folder}: {name} is missing or not of the shape {meta.get('shape')}")
        if arrays[name].dtype.kind not in "iuf" or not np.isfinite(arrays[name]).all():
            raise InputError(f"{folder}: {name} holds what is no number")
    values, visits = (np.stack([arrays[f"{n}_{part}"] for n in LEVEL_NAMES]) for part in ("values", "visits"))
    return Tables(values, visits.astype(np.int64)), meta
