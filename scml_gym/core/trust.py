"""Which folders may run code: those that the user names with ``--trust``, resumes, or made in this process.

A folder of somebody else is read as data. Where its data name a module, or hold pickles, it must be trusted first.
Processes that this one starts trust what it trusts.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scml_gym.core.errors import InputError

VARIABLE = "SCML_GYM_TRUST"
"""Of the environment: folders that are trusted, separated as in ``PATH``."""

FOUND_BY = ("zoo", "scml", "scml-agents", "clone")
"""What may stand before the colon of a name that is no module: players that come with a package."""


def trust(*folders: str | os.PathLike[str]) -> None:
    """From now on, in this process and in those that it starts, what these folders hold may be imported and unpickled.

    Args:
        folders: Each with all that is in it.

    Raises:
        InputError: if there is no such folder, or its name cannot stand in a list of folders.
    """
    for folder in folders:
        path = os.path.realpath(folder)
        if not os.path.isdir(path):
            raise InputError(f"--trust {folder}: there is no such folder")
        if os.pathsep in path:
            raise InputError(f"--trust {folder}: {os.pathsep!r} in its path separates folders; rename it")
        if path not in (known := _trusted()):
            os.environ[VARIABLE] = os.pathsep.join([*known, path])


def is_trusted(path: str | os.PathLike[str]) -> bool:
    """Whether a folder or a file is in a folder that is trusted, links followed."""
    real = Path(os.path.realpath(path))
    return any(real.is_relative_to(folder) for folder in _trusted())


def require_trust(folder: str | os.PathLike[str], reason: str) -> None:
    """Refuse what only a trusted folder may do.

    Args:
        folder: Of which it is asked.
        reason: Why, as in ``its model.zip holds pickles, which can run code``.

    Raises:
        InputError: if it is not trusted; the message says how it is.
    """
    if not is_trusted(folder):
        raise InputError(f"{folder}: {reason}; if you trust who made it, add --trust {folder}")


def require_trust_of_names(folder: str | os.PathLike[str], data: Any) -> None:
    """Refuse data that name a module, such as a learner or a wrapper of one's own, in a folder that is not trusted.

    Args:
        folder: That they come from.
        data: Mappings, lists and texts.

    Raises:
        InputError: see above; the message names it.
    """
    name = next(named_modules(data), None)
    if name is not None:
        require_trust(folder, f"it names {name!r}, which would be imported and run")


def named_modules(data: Any) -> Iterator[str]:
    """The texts in data, keys included, that could be read as ``module:Name``."""
    left = [data]
    while left:
        part = left.pop()
        if isinstance(part, dict):
            left += [*part.keys(), *part.values()]
        elif isinstance(part, list | tuple):
            left += part
        elif isinstance(part, str):
            head, colon, name = part.partition(":")
            if colon and name and head and head not in FOUND_BY and os.sep not in head:
                yield part


def _trusted() -> list[str]:
    return [folder for folder in os.environ.get(VARIABLE, "").split(os.pathsep) if folder]
