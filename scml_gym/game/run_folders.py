"""How the folders that ``train.py`` leaves become players: found by name, since what reads them is above the games."""

from __future__ import annotations

from scml_gym.core.registry import Registry

RUN_FOLDERS = Registry("reader of run folders")
"""``(folder) -> (seed) -> player``."""
RUN_FOLDERS.register("learner", "scml_gym.policies.run_folders:learner_maker")
RUN_FOLDERS.register("policy file", "scml_gym.policies.run_folders:policy_file_maker")
