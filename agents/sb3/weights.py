"""Policies of Stable-Baselines3 without an optimiser: made of a seed, and kept as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from gymnasium import Space
from gymnasium.spaces import Box
from stable_baselines3.common.utils import get_device, set_random_seed

from scml_gym.agents.sb3.training import global_generators_kept
from scml_gym.core.arguments import brief
from scml_gym.core.config import ConfigError
from scml_gym.core.data_files import content_of
from scml_gym.core.errors import InputError
from scml_gym.core.files import read_arrays, write_arrays

WEIGHTS, OPTIMIZER = "weights.npz", "optimizer.npz"
"""Files of a checkpoint, both data: a policy's weights, and what its optimiser keeps."""

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


def no_optimizer(parameters: Any, lr: float, **settings: Any) -> None:
    """In place of torch's Adam, which policies make and whose import takes a second."""


def new_policy(kind: str | type, observation: Space, action: Space, network: dict[str, Any], seed: int) -> Any:
    """A policy for these spaces, as Stable-Baselines3 makes it of this seed; ``network`` are its ``policy_kwargs``."""
    with global_generators_kept():
        set_random_seed(seed)
        made = cast(Any, kind)
        try:
            return made(observation, action, lambda progress: 0.0, **network | {"optimizer_class": no_optimizer})
        except RuntimeError as error:  # torch has no memory for it
            raise InputError(f"agent.net_arch={brief(network.get('net_arch'))}: {error}") from error


def write_weights(policy: Any, steps: int, path: Path) -> None:
    """Write a policy's weights, and from how many decisions they were learnt, as an npz file."""
    weights: dict[str, np.ndarray] = {name: tensor.cpu().numpy() for name, tensor in policy.state_dict().items()}
    write_arrays(path, weights | {STEPS: np.array(steps)})


def read_policy(policy: Any, path: Path, device: str) -> Played:
    """What plays a checkpoint: a policy with the weights of a file, on a device.

    Raises:
        InputError: as `read_weights` and `check_device`.
    """
    steps = read_weights(policy, path)
    policy.to(check_device(device))
    return Played(policy, steps)


def check_device(name: str) -> torch.device:
    """The device of a name, ``auto`` included; the processor where torch finds no GPU of that kind.

    Raises:
        ConfigError: if torch has none of that name, or it cannot hold a policy.
    """
    try:
        device = get_device(name)
        if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
            raise RuntimeError
        if device.type not in ("cpu", "cuda"):
            torch.zeros(1, device=device).cpu()
    except (RuntimeError, AssertionError) as error:  # torch is made without such devices
        told = f"{brief(name)} is no device that torch can use here; valid: cpu, cuda, auto"
        raise ConfigError(("agent", "device"), told) from error
    return device


def write_optimizer(optimizer: torch.optim.Optimizer, path: Path) -> None:
    """Write what an optimiser keeps of each parameter, such as Adam's moments, as an npz file."""
    kept = optimizer.state_dict()["state"]
    arrays: dict[str, Any] = {f"{i}/{name}": part.cpu().numpy() for i in kept for name, part in kept[i].items()}
    write_arrays(path, arrays)


def read_optimizer(path: Path) -> dict[str, Any]:
    """What `write_optimizer` wrote, as the ``state`` of ``load_state_dict``.

    Raises:
        InputError: if it is missing or damaged.
    """
    state: dict[int, dict[str, torch.Tensor]] = {}
    arrays = read_arrays(path, "the state of an optimiser")
    with content_of(path, "the state of an optimiser"):
        for key, array in arrays.items():
            number, _, name = key.partition("/")
            state.setdefault(int(number), {})[name] = torch.from_numpy(array)
    return {"state": state}


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


def brief_space(space: Space) -> str:
    """A space in a few words, on one line."""
    if isinstance(space, Box):
        return f"Box{space.shape}"
    return " ".join(str(space).split())
