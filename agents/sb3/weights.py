"""Policies of Stable-Baselines3 without an optimiser: made of a seed, and kept as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from gymnasium import Space
from stable_baselines3.common.utils import set_random_seed

from scml_gym.agents.sb3.training import global_generators_kept
from scml_gym.core.errors import InputError
from scml_gym.core.files import read_arrays

WEIGHTS = "weights.npz"
"""A file of a checkpoint: a policy's weights as data."""

STEPS = "num_timesteps"
"""Name of the decisions that a policy has learnt from among its weights."""


@dataclass
class Played:
    """What of a model of Stable-Baselines3 playing needs, by the same names.

    Attributes:
        policy: Of torch.
        num_timesteps: From how many decisions it has learnt.
    """

    policy: Any
    num_timesteps: int = 0

    @property
    def predict(self) -> Any:
        """As the policy's own."""
        return self.policy.predict

    def get_parameters(self) -> dict[str, Any]:
        """Its weights; there is no optimiser."""
        return {"policy": self.policy.state_dict()}


def no_optimizer(parameters: Any, lr: float, **settings: Any) -> None:
    """In place of torch's Adam, which policies make and whose import takes a second."""


def new_policy(kind: str | type, observation: Space, action: Space, network: dict[str, Any], seed: int) -> Any:
    """A policy for these spaces, as Stable-Baselines3 makes it of this seed; ``network`` are its ``policy_kwargs``."""
    with global_generators_kept():
        set_random_seed(seed)
        made = cast(Any, kind)
        return made(observation, action, lambda progress: 0.0, **network | {"optimizer_class": no_optimizer})


def write_weights(policy: Any, steps: int, path: Path) -> None:
    """Write a policy's weights, and from how many decisions they were learnt, as an npz file."""
    weights: dict[str, np.ndarray] = {name: tensor.numpy() for name, tensor in policy.state_dict().items()}
    np.savez(path, allow_pickle=False, **weights, **{STEPS: np.array(steps)})


def read_weights(policy: Any, path: Path) -> int:
    """Let a policy have the weights of a file; from how many decisions they were learnt.

    Raises:
        InputError: if they are missing, damaged, or those of another network.
    """
    arrays = read_arrays(path, "the weights of a network")
    try:
        steps = int(arrays.pop(STEPS, 0))
        policy.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
    except (RuntimeError, TypeError, ValueError) as error:  # other layers, or what is no number
        told = " ".join(str(error).split())
        raise InputError(f"{path.parent} was trained with another network or environment: {told}") from error
    return steps
