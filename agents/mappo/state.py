"""Where a training of MAPPO stands, beside its networks, as arrays."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from scml_gym.agents.mappo.algorithm import Learning
from scml_gym.agents.mappo.rollout import Player
from scml_gym.agents.mappo.worlds import Seen
from scml_gym.core.errors import InputError

PARTS = ("actor", "critics")
"""What is learnt, in the order of `Learning.descents`."""


def state_arrays(learning: Learning, player: Player, steps: int, logged: int) -> dict[str, Any]:
    """Arrays as ``np.savez`` takes them without pickling; see `read_state`."""
    told = json.dumps({"steps": steps, "logged": logged, "ended": player.told.sums})
    arrays: dict[str, Any] = {"told": np.array(told), "generator": player.generator.get_state().numpy()}
    arrays |= {f"seen_{name}": part for name, part in player.seen._asdict().items()} | vars(player.episodes)
    for name, descent in zip(PARTS, learning.descents, strict=True):
        arrays |= {f"{name}_moments": descent.adam.moments, f"{name}_steps": np.array(descent.adam.steps)}
    return arrays | {f"worlds_{name}": array for name, array in player.worlds.arrays().items()}


def read_state(arrays: Mapping[str, np.ndarray], learning: Learning, player: Player) -> tuple[int, int]:
    """Go on where `state_arrays` were taken.

    Returns:
        Environment steps so far, and until the last row of the curve.

    Raises:
        InputError: if they are of another version, or of a training with other settings.
    """
    told, kept = json.loads(str(arrays["told"])), dict[str, dict[str, np.ndarray]]()
    for name, array in arrays.items():
        group, _, part = name.partition("_")
        kept.setdefault(group, {})[part] = array
    player.generator.set_state(torch.from_numpy(arrays["generator"]))
    for name, descent in zip(PARTS, learning.descents, strict=True):
        if arrays[f"{name}_moments"].shape != descent.adam.moments.shape:
            raise InputError("a training with other networks")
        descent.adam.moments, descent.adam.steps = arrays[f"{name}_moments"], int(arrays[f"{name}_steps"])
    player.worlds.restore(kept["worlds"])
    player.seen = Seen(**kept["seen"])
    if player.seen.present.shape[0] != len(arrays["returns"]):
        raise InputError("a training with another agent.n_worlds")
    player.episodes.returns, player.episodes.lengths = arrays["returns"], arrays["lengths"]
    player.told.sums = {name: tuple(sums) for name, sums in told["ended"].items()}
    return told["steps"], told["logged"]
