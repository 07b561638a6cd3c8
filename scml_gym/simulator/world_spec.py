"""Specs: the parameters of a world as arrays, typed once, checked, saved, and laid out as records.

A game's ``WorldSpec`` is a frozen dataclass whose arrays are declared by the metadata that `numbers` gives. The columns
of the records that compiled worlds read follow from these declarations.
"""

from __future__ import annotations

import dataclasses
import io
import os
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np

from scml_gym.core.arguments import brief, whole
from scml_gym.core.data_files import content_of
from scml_gym.core.errors import InputError, about
from scml_gym.core.files import read_arrays, replace_file

MOST_DAYS = 10_000
"""Simulated days of a drawn world, at most."""

MOST_ROUNDS = 10_000
"""Rounds of a negotiation, at most; the league has 20."""

MOST_LINES = 1000
"""Items that a factory can produce a day, at most; the league has 10."""

MOST = 10**6
"""Of any other number, at most; so no sum or product of a world is too large to be exact."""

MOST_MONEY = 10**12
"""Of a balance."""

Scope = Literal["factory", "day", "world"]


def numbers(scope: Scope, kind: type, *shape: int, low: float = 0, high: float = MOST) -> dict[str, Any]:
    """The metadata of a field of numbers: one of that kind and shape for each factory, for each of its days, or for the
    world, each from ``low`` to ``high``."""
    return {"scope": scope, "kind": kind, "shape": shape, "low": low, "high": high}


class ArraySpec:
    """What the specs of all games share.

    A subclass is a frozen dataclass with ``exogenous_quantity``, shape ``(factories, days)``, and the number of
    ``rounds`` among its fields.

    Attributes:
        schema: Of its files.
        track: Whose worlds it holds, as users know it.
    """

    schema: ClassVar[str]
    track: ClassVar[str]
    exogenous_quantity: np.ndarray
    rounds: int

    @property
    def n_factories(self) -> int:
        """Factories of all levels."""
        return self.exogenous_quantity.shape[0]

    @property
    def n_days(self) -> int:
        """Simulated days."""
        return self.exogenous_quantity.shape[1]

    def check_arrays(self) -> None:
        """Bring every declared array into its kind, and the number of rounds.

        Raises:
            InputError: if one has another shape or kind than was declared, or holds a number out of its range.
        """
        n, days = (*np.shape(self.exogenous_quantity), 0, 0)[:2]
        if days < 1:
            raise InputError(f"world spec: exogenous_quantity has shape {np.shape(self.exogenous_quantity)}: no days")
        first = {"factory": (n,), "day": (n, days), "world": ()}
        for part in array_fields(type(self)):
            kind, shape = part.metadata["kind"], first[part.metadata["scope"]] + part.metadata["shape"]
            value = np.asarray(getattr(self, part.name))
            if value.shape != shape:
                raise InputError(f"world spec: {part.name} has shape {value.shape}, not {shape}")
            if not np.can_cast(value.dtype, kind, "same_kind"):
                raise InputError(f"world spec: {part.name} holds {value.dtype}, not {np.dtype(kind)}")
            value, low, high = value.astype(kind, copy=False), part.metadata["low"], part.metadata["high"]
            wrong = value[~((value >= low) & (value <= high))]  # a number that is none is wrong too
            if wrong.size:
                raise InputError(f"world spec: {part.name} holds {wrong[0]}; valid: {low} to {high}")
            object.__setattr__(self, part.name, value)
        object.__setattr__(self, "rounds", whole("rounds", self.rounds, 1, MOST_ROUNDS))

    def equals(self, other: Self) -> bool:
        """Whether every field is equal to the last bit."""
        return all(np.array_equal(value, getattr(other, name)) for name, value in vars(self).items())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write an npz file, whole or not at all."""
        content = io.BytesIO()
        np.savez_compressed(content, schema=np.array(self.schema), **vars(self))
        replace_file(Path(path), content.getvalue())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what ``save`` wrote.

        Raises:
            InputError: if the file is missing, is no world spec, is of another schema, or holds what no world has.
        """
        content = read_arrays(path, "a world spec")
        schema = str(content.pop("schema", "none"))
        names = {"rounds", *(part.name for part in array_fields(cls))}
        if schema != cls.schema or set(content) != names:
            raise InputError(f"{path}: schema {schema!r} instead of {cls.schema!r}")
        try:
            with content_of(path, "a world spec"):
                return cls(**content | {"rounds": content["rounds"][()]})
        except InputError as error:
            raise InputError(f"{path}: {error}") from error


def check_spec(spec: Any, kind: type[ArraySpec], key: str = "spec") -> None:
    """Refuse what is no spec, or one of another track, for an argument ``key``.

    Raises:
        InputError: if it is not of that kind.
    """
    if not isinstance(spec, kind):
        found = f"a spec of {spec.track}, not" if isinstance(spec, ArraySpec) else f"{brief(spec)}; valid: a spec"
        raise InputError(f"{key}: {found} of {kind.track}", key)


def given_spec(spec: Any, kind: type[ArraySpec]) -> Any:
    """The spec that an argument ``spec`` gives: itself, or what the file of that path holds.

    Raises:
        InputError: if it is neither, or of another track.
    """
    if isinstance(spec, str | os.PathLike):
        with about("spec"):
            return kind.load(spec)
    check_spec(spec, kind)
    return spec


def array_fields(spec: type) -> list[dataclasses.Field]:
    """The fields of a spec that were declared with `numbers`."""
    return [part for part in dataclasses.fields(spec) if part.metadata]


def names_of(spec: type, scope: Scope) -> tuple[str, ...]:
    """The fields of a spec that hold for each factory, each factory and day, or the world."""
    return tuple(part.name for part in array_fields(spec) if part.metadata["scope"] == scope)


def columns_of(spec: type, scope: Scope, *first: int) -> list[tuple[Any, ...]]:
    """These fields as columns of a NumPy record, each of shape ``(*first, *its own)``."""
    parts = [part.metadata | {"name": part.name} for part in array_fields(spec) if part.metadata["scope"] == scope]
    return [(part["name"], part["kind"], (*first, *part["shape"])) for part in parts]


def fill_factories(spec: ArraySpec, record: Any, daily: np.ndarray) -> None:
    """Write what holds for each factory, and for each of its days, into a record and a table.

    Args:
        spec: Of any game.
        record: With the columns of `columns_of` for ``"factory"``, as far as the game keeps them.
        daily: Likewise for ``"day"``, shape (days or more, most factories); 0 where the world has no such day or
            factory, and in columns that are no part of a spec.

    Raises:
        InputError: if the spec has more days than the table.
    """
    n, days = spec.n_factories, spec.n_days
    if not 1 <= days <= len(daily):
        raise InputError(f"a world spec of {days} days does not fit a table of {len(daily)} days")
    for name in record.dtype.names:
        record[name] = 0
    daily[...] = np.zeros((), daily.dtype)
    for name in names_of(type(spec), "factory"):
        if name in record.dtype.names:
            record[name][:n] = getattr(spec, name)
    for name in names_of(type(spec), "day"):
        daily[name][:days, :n] = getattr(spec, name).T


def read_factories(spec: type, record: Any, daily: np.ndarray, n: int, days: int) -> dict[str, np.ndarray]:
    """What `fill_factories` wrote, as arrays of its own, by name.

    Raises:
        InputError: if there are more days than rows.
    """
    if not 1 <= days <= len(daily):
        raise InputError(f"the record of a world says {days} days; its table has rows for 1 to {len(daily)}")
    kept = [name for name in names_of(spec, "factory") if name in record.dtype.names]
    fields = {name: record[name][:n].copy() for name in kept}
    return fields | {name: daily[name][:days, :n].T.copy() for name in names_of(spec, "day")}


def check_records(record: Any, daily: np.ndarray, record_dtype: np.dtype, daily_dtype: np.dtype, most: int) -> None:
    """Refuse a record or a table of another form.

    Raises:
        InputError: if one is.
    """
    if getattr(record, "dtype", None) != record_dtype or record.shape != ():
        raise InputError("record: give one record of SPEC_DTYPE, such as records[i]")
    if daily.dtype != daily_dtype or daily.ndim != 2 or daily.shape[1] != most:
        raise InputError(f"daily: give an array of DAILY_DTYPE and shape (days, {most}), not {daily.shape}")
