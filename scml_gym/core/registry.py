"""Registries: a name for each thing a user can choose, loaded only when chosen."""

from __future__ import annotations

import importlib
from collections.abc import Hashable, Iterator
from typing import Any

from scml_gym.core.errors import InputError, about, nearest


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
        raise InputError(f"{path!r}: module {module_name!r} has no {attribute!r}{nearest(attribute, vars(module))}")
    return getattr(module, attribute)


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
                target = self._entries[name]
                return load_object(target) if isinstance(target, str) else target
            if isinstance(name, str) and ":" in name:
                return load_object(name)
            raise InputError(f"unknown {self.kind} {name!r}{nearest(str(name), self._entries)}")

    def __contains__(self, name: object) -> bool:
        return isinstance(name, Hashable) and name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._entries))

    def __len__(self) -> int:
        return len(self._entries)
