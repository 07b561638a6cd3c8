"""How an object is made, as data: calls of functions by name. They can be made here, or written as source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from scml_gym.core.registry import load_object

Part = Any
"""A `Name`, `Code`, `Given`, `Array`, `Arrays` or `Call`, or a literal: None, a truth value, a number, a text, or a
tuple, list or dict of parts."""


@dataclass(frozen=True)
class Name:
    """What ``"module:Name"`` stands for."""

    path: str


@dataclass(frozen=True)
class Code:
    """What has a name in a module that is in no file.

    Attributes:
        module: Its name.
        text: Its source.
        name: In it.
    """

    module: str
    text: str
    name: str

    def load(self) -> Any:
        """What the name stands for."""
        found: dict[str, Any] = {"__name__": self.module}
        exec(self.text, found)
        return found[self.name]


@dataclass(frozen=True)
class Given:
    """What is known only where the object is made, such as a seed."""

    name: str


@dataclass(frozen=True, eq=False)
class Array:
    """Numbers, by a name that no other array of the object has."""

    name: str
    value: np.ndarray


@dataclass(frozen=True, eq=False)
class Arrays:
    """Arrays by their names, as one mapping."""

    values: Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Call:
    """The call of a function or a class.

    Attributes:
        target: What is called.
        args: By position.
        kwargs: By name.
    """

    target: Part
    args: tuple[Part, ...] = ()
    kwargs: Mapping[str, Part] = field(default_factory=dict)


def call(target: str | Call, /, *args: Part, **kwargs: Part) -> Call:
    """The call of ``"module:Name"``, or of what another call gives."""
    return Call(Name(target) if isinstance(target, str) else target, args, kwargs)


def changed(part: Part, change: Callable[[Part], Part]) -> Part:
    """A part with ``change`` applied to all parts in it, the innermost first, and then to itself."""
    if isinstance(part, Call):
        args = tuple(changed(p, change) for p in part.args)
        kwargs = {name: changed(p, change) for name, p in part.kwargs.items()}
        part = replace(part, target=changed(part.target, change), args=args, kwargs=kwargs)
    elif isinstance(part, tuple | list):
        part = type(part)(changed(p, change) for p in part)
    elif isinstance(part, dict):
        part = {name: changed(p, change) for name, p in part.items()}
    return change(part)


def filled(part: Part, **given: Part) -> Part:
    """A part in which what is `Given` by some of these names is put in; others stay."""
    return changed(part, lambda p: given.get(p.name, p) if isinstance(p, Given) else p)


def made(part: Part, **given: Any) -> Any:
    """The object itself.

    Args:
        part: How it is made.
        given: What is `Given`.

    Raises:
        InputError: if a name in it does not exist.
        KeyError: if something that is `Given` is not there.

    Example:
        >>> made(call("math:hypot", Given("x"), 4.0), x=3.0)
        5.0
    """

    def make(p: Part) -> Any:
        if isinstance(p, Name):
            return load_object(p.path)
        if isinstance(p, Code):
            return p.load()
        if isinstance(p, Given):
            return given[p.name]
        if isinstance(p, Array):
            return p.value
        if isinstance(p, Arrays):
            return p.values
        return p.target(*p.args, **p.kwargs) if isinstance(p, Call) else p

    return changed(part, make)


def parts_of(part: Part, kind: type) -> list[Any]:
    """All parts of a kind in a part, itself included."""
    found: list[Any] = []

    def note(p: Part) -> Part:
        if isinstance(p, kind):
            found.append(p)
        return p

    changed(part, note)
    return found
