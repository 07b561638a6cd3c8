"""Action codecs, encoders and rewards of single environments as compiled code takes them: by their ``kernel``."""

from __future__ import annotations

from typing import Any

from scml_gym.game.codecs import NotCompiledError
from scml_gym.game.kernels import ActionKernel, EncoderKernel, RewardKernel


def action_kernel(codec: Any) -> ActionKernel:
    """The kernel of an action codec.

    Raises:
        NotCompiledError: if there is none.
    """
    return _kernel("action", codec, ("decode", "mask", "end_day"))


def encoder_kernel(encoder: Any) -> EncoderKernel:
    """The kernel of an encoder.

    Raises:
        NotCompiledError: if there is none.
    """
    return _kernel("observation", encoder, ("encode", "encode_last"))


def reward_kernel(reward: Any) -> RewardKernel:
    """The kernel of a reward.

    Raises:
        NotCompiledError: if there is none.
    """
    return _kernel("reward", reward, ("reset", "__call__"))


def _kernel(argument: str, part: Any, methods: tuple[str, ...]) -> Any:
    """The kernel of a part, unless its class changes a method of the class that the kernel is of."""
    kind = type(part)
    owner = next((c for c in kind.__mro__ if "kernel" in vars(c)), None)
    own = kind if owner is None else owner
    if not hasattr(part, "kernel") or any(getattr(kind, m, None) is not getattr(own, m, None) for m in methods):
        raise NotCompiledError(
            f"{argument}: {kind.__name__} is for single environments (vectorization_mode='sync')", argument
        )
    return part.kernel
