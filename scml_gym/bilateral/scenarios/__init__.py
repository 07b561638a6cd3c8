"""Bilateral scenarios: issues, and two or more profiles of preferences over them."""

from __future__ import annotations

import os
from pathlib import Path

from scml_gym.bilateral.scenarios.base import AdditiveProfile, Profile, Scenario, TabulatedProfile
from scml_gym.bilateral.scenarios.files import read_scenario, write_scenario
from scml_gym.bilateral.scenarios.generation import random_scenario
from scml_gym.core.errors import InputError, nearest
from scml_gym.core.registry import Registry

__all__ = [
    "SCENARIOS",
    "AdditiveProfile",
    "Profile",
    "Scenario",
    "TabulatedProfile",
    "load_scenario",
    "random_scenario",
    "read_scenario",
    "write_scenario",
]

SCENARIOS = Registry("scenario")
"""Name -> path of its file."""

SCENARIOS.register("EnglandZimbabwe", Path(__file__).parent / "england_zimbabwe.yaml")
SCENARIOS.register("Party", Path(__file__).parent / "party.yaml")


def load_scenario(name: str | Path) -> Scenario:
    """A scenario by name or path.

    Args:
        name: A name in ``SCENARIOS``; or a YAML file in this package's format (docs/negotiators.md); or a folder of a
            Genius domain (XML), or of any scenario that negmas reads.

    Raises:
        InputError: if there is no such scenario, or its file is wrong.

    Example:
        >>> load_scenario("Party").n_outcomes
        3072
    """
    if not isinstance(name, str | os.PathLike) or name == "":
        raise InputError(f"{name!r} is no scenario; valid: a name ({', '.join(SCENARIOS)}), or a file or folder")
    if name in SCENARIOS:
        return read_scenario(SCENARIOS.get(str(name)))
    if os.path.isdir(name):  # unlike Path, it takes names that are too long for a file
        from scml_gym.bilateral.scenarios.importing import (
            import_scenario,  # it needs negmas, which takes seconds to load
        )

        return import_scenario(name)
    if os.path.isfile(name):
        return read_scenario(name)
    if name == "random":
        raise InputError("scenario 'random' is for environments; random_scenario(rng) draws one")
    raise InputError(f"unknown scenario {str(name)!r}, and no file or folder{nearest(str(name), SCENARIOS)}")
