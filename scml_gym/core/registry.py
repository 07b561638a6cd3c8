"""Registries: a name for each thing a user can choose, loaded only when chosen."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Hashable, Iterator
from types import FunctionType, ModuleType
from typing import Any

from scml_gym.core.errors import InputError, about, nearest, shown


def load_object(path: str) -> Any:
    """Import the object that ``"module:Name"`` stands for.

    Raises:
        InputError: if the text has no colon, or the module or the name in it does not exist.
    """
    module_name, colon, attribute = path.partition(":")
    if not colon or not module_name or not attribute or module_name.startswith("."):
        raise InputError(f"{path!r} is not of the form 'module:Name'")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise InputError(f"{path!r}: there is no module {error.name!r}") from error
    if not hasattr(module, attribute):
        hint = nearest(attribute, _own_names(module))
        raise InputError(f"{path!r}: module {module_name!r} has no {attribute!r}{hint}")
    return getattr(module, attribute)


def _own_names(module: ModuleType) -> list[str]:
    """The public names of a module, without modules, classes and functions that it has imported."""
    return [
        name
        for name, value in vars(module).items()
        if not (name.startswith("_") or inspect.ismodule(value))
        and not (isinstance(value, type | FunctionType) and value.__module__ != module.__name__)
    ]


def parse_parameters(name: str, query: str) -> dict[str, float]:
    """The parameters in ``"name?first=0.2&second=1"``, of which ``query`` is what follows the question mark.

    Raises:
        InputError: if a part is not of that form; the message begins with the whole name.
    """
    overrides = {}
    for part in filter(None, query.split("&")):
        key, equals, value = part.partition("=")
        if key in overrides:
            raise InputError(f"{name!r}: parameter {key!r} is given twice")
        try:
            overrides[key] = float(value)
        except ValueError as error:
            raise InputError(f"{name!r}: {part!r} is not of the form parameter=number") from error
        if not equals:
            raise InputError(f"{name!r}: {part!r} is not of the form parameter=number")
    return overrides


def load(target: Any) -> Any:
    """What ``"module:Name"`` stands for; anything else itself."""
    return load_object(target) if isinstance(target, str) else target


class Registry:
    """A table from names to ``"module:Name"`` paths or objects; nothing is imported before ``get``.

    Args:
        kind: What the names stand for, used in error messages (``"learner"``, ``"strategy"``).

    Example:
        >>> colours = Registry("colour")
        >>> colours.register("red", 0xFF0000)
        >>> colours.get("red")
        16711680
    """

    def __init__(self, kind: str):
        self.kind = kind
        self._entries: dict[str, Any] = {}

    def register(self, name: str, target: Any) -> None:
        """Add one entry: an object, or a ``"module:Name"`` text that is imported when first asked for.

        Raises:
            InputError: if the name is taken.
        """
        if name in self._entries:
            raise InputError(f"the {self.kind} {name!r} is registered already")
        self._entries[name] = target

    def get(self, name: str, key: str = "") -> Any:
        """The object of that name; ``"module:Name"`` of the user's own is accepted too.

        Args:
            name: Of the object.
            key: The argument, or the key path in a configuration, that gave the name.

        Raises:
            InputError: if the name is unknown; the message names the nearest one.
        """
        with about(key):
            if name in self:
                return load(self._entries[name])
            if isinstance(name, str) and ":" in name:
                return load_object(name)
            raise InputError(f"unknown {self.kind} {shown(name)}{nearest(str(name), self._entries)}")

    def known(self, name: object, key: str = "") -> Any:
        """The object of that name, which a file gives; nothing but what is registered is loaded.

        Args:
            name: Of the object.
            key: As of `get`.

        Raises:
            InputError: if the name is unknown; the message names the nearest one.
        """
        if name not in self:
            raise InputError(f"unknown {self.kind} {shown(name)}{nearest(str(name), self._entries)}", key)
        return self.get(str(name), key)

    def path(self, name: str) -> str:
        """The text ``"module:Name"`` of what has that name; it is what others can import it by.

        Raises:
            InputError: if the name is unknown, or was registered with an object.
        """
        self.get(name)
        path = self._entries.get(name, name)
        if not isinstance(path, str):
            raise InputError(f"the {self.kind} {name!r} is registered as an object; valid: as a text 'module:Name'")
        return path

    def __contains__(self, name: object) -> bool:
        return isinstance(name, Hashable) and name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._entries))

    def __len__(self) -> int:
        return len(self._entries)
