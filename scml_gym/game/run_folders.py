"""How the folders that ``train.py`` leaves become players: found by name, since what reads them is above the games."""

from __future__ import annotations

import os
import re

from scml_gym.core.registry import Registry
from scml_gym.core.trained import PREFIX

RUN_FOLDERS = Registry("reader of run folders")
"""``(folder, game) -> (seed) -> player``: the game's name, or nothing for the one that was trained in."""
RUN_FOLDERS.register("learner", "scml_gym.policies.run_folders:learner_maker")
RUN_FOLDERS.register("policy file", "scml_gym.policies.run_folders:policy_file_maker")


def is_folder(name: str) -> bool:
    """Whether a player's name means a folder, there or not; ``zoo:NAME`` is one that comes with the package.

    What has another prefix, as ``clone:2025/Rchan`` or ``shielded?of=runs/ppo``, is one only where it is there.
    """
    # unlike Path, isdir takes names that are too long for a file
    return name.startswith(PREFIX) or (os.sep in name and not _prefixed(name)) or os.path.isdir(name)


def is_file(name: str) -> bool:
    """Whether a player's name means a file of numbers (``.npz``), there or not: a policy file or a clone."""
    return name.endswith(".npz") and (not _prefixed(name) or os.path.isfile(name))


def _prefixed(name: str) -> bool:
    return re.search("[:?]", name.partition(os.sep)[0]) is not None
