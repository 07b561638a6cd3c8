"""What players decide in a world, recorded while it happens: each view with the answers to it, and all contracts."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scml_gym.core.data_files import content_of
from scml_gym.core.errors import InputError
from scml_gym.core.files import read_arrays, replace_file
from scml_gym.oneshot.view import ACTION_DTYPE, MAX_PARTNERS, VIEW_DTYPE
from scml_gym.oneshot.worlds.reference import CONTRACT_DTYPE

SCHEMA = "scml-gym-decisions-1"


@dataclass(frozen=True)
class Recording:
    """One world's decisions, in the order in which they were taken.

    Attributes:
        names: Of the players of all factories.
        n_sellers: Factories of the first level.
        views: ``VIEW_DTYPE``, shape ``(decisions,)``; ``factory`` says whose it is.
        actions: ``ACTION_DTYPE``, shape ``(decisions, MAX_PARTNERS)``: as the player answered.
        contracts: ``CONTRACT_DTYPE``, shape ``(contracts,)``.
        scores: Float64, shape ``(factories,)``.
    """

    names: tuple[str, ...]
    n_sellers: int
    views: np.ndarray
    actions: np.ndarray
    contracts: np.ndarray
    scores: np.ndarray

    def save(self, path: Path) -> None:
        """Write it as npz, whole or not at all."""
        data = io.BytesIO()
        np.savez_compressed(
            data,
            schema=np.array(SCHEMA),
            names=np.array(self.names),
            n_sellers=np.array(self.n_sellers),
            # columns: equal numbers of many decisions stand together, which packs much better
            views=_columns(self.views),
            actions=_columns(self.actions),
            contracts=_columns(self.contracts),
            scores=self.scores,
        )
        replace_file(path, data.getvalue())

    @classmethod
    def load(cls, path: Path) -> Recording:
        """Read what `save` wrote.

        Raises:
            InputError: if the file is missing, no recording, or of another schema.
        """
        data = read_arrays(path, "a recording of decisions")
        with content_of(path, "a recording of decisions"):
            if str(data["schema"]) != SCHEMA:
                raise InputError(f"{path} has the schema {str(data['schema'])!r}; {SCHEMA!r} is needed")
            views = _records(data["views"], VIEW_DTYPE)
            actions = _records(data["actions"], ACTION_DTYPE).reshape(-1, MAX_PARTNERS)
            if len(views) != len(actions):
                raise InputError(f"{len(views)} views and {len(actions)} answers")
            contracts = _records(data["contracts"], CONTRACT_DTYPE)
            names = tuple(data["names"].tolist())
            return cls(names, int(data["n_sellers"]), views, actions, contracts, data["scores"].astype(np.float64))


def _columns(records: np.ndarray) -> np.ndarray:
    """The bytes of records, those of a place of each record together."""
    flat = np.ascontiguousarray(records).reshape(-1)
    return np.ascontiguousarray(flat.view(np.uint8).reshape(len(flat), -1).T)


def _records(columns: np.ndarray, dtype: np.dtype) -> np.ndarray:
    return np.ascontiguousarray(columns.T.astype(np.uint8, casting="safe")).reshape(-1).view(dtype)


def record_world(world: Any, names: Sequence[str]) -> Recording:
    """Play a world to its end and record what all factories decide.

    Args:
        world: A `scml_gym.oneshot.worlds.reference.ReferenceWorld`, or a compiled one, without external factories; not
            started.
        names: Of the players.
    """
    views: list[Any] = []
    actions: list[np.ndarray] = []

    def look(view: Any, answers: np.ndarray) -> None:
        views.append(view.copy())
        actions.append(answers.copy())

    world.look([look] * world.spec.n_factories)
    world.run()
    return Recording(
        tuple(names),
        world.spec.n_sellers,
        np.array(views, VIEW_DTYPE),
        np.array(actions, ACTION_DTYPE).reshape(-1, MAX_PARTNERS),
        world.contracts.copy(),
        np.array(world.scores),
    )
