"""Trained agents that come with the package: ``zoo:NAME`` is the run folder ``scml_gym/zoo/NAME``, as data alone."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from scml_gym.core.errors import InputError, nearest

PREFIX = "zoo:"
ZOO = Path(str(files("scml_gym.zoo")))
CARD = "card.json"
"""What each of them says of itself: how it was trained, and what it reached."""


def trained_names() -> list[str]:
    """The names of all of them."""
    return sorted(path.parent.name for path in ZOO.glob(f"*/{CARD}"))


def run_path(path: Path) -> Path:
    """A run folder's path; of ``zoo:NAME`` the folder that comes with the package.

    Raises:
        InputError: if there is no trained agent of that name; the message names the nearest one.
    """
    text = str(path)
    if not text.startswith(PREFIX):
        return path
    name = text.removeprefix(PREFIX)
    if name not in trained_names():
        raise InputError(f"unknown trained agent {text!r}{nearest(name, trained_names())}")
    return ZOO / name
