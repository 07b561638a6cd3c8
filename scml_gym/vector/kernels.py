"""Action codecs, encoders and rewards of single environments as compiled code takes them.

A game registers how its codecs and encoders become kernels: ``action_kernel.register``, ``encoder_kernel.register``.
"""

from __future__ import annotations

from functools import singledispatch
from typing import Any

from scml_gym.game.codecs import NotCompiledError, Reward
from scml_gym.game.kernels import ActionKernel, EncoderKernel, RewardKernel
from scml_gym.game.rewards import KernelReward


@singledispatch
def action_kernel(codec: Any) -> ActionKernel:
    """The kernel of an action codec.

    Raises:
        NotCompiledError: if there is none.
    """
    raise NotCompiledError(
        f"action: {type(codec).__name__} plays in single environments only (vectorization_mode='sync')", "action"
    )


@singledispatch
def encoder_kernel(encoder: Any) -> EncoderKernel:
    """The kernel of an encoder.

    Raises:
        NotCompiledError: if there is none.
    """
    raise NotCompiledError(
        f"observation: {type(encoder).__name__} is for single environments (vectorization_mode='sync')", "observation"
    )


def reward_kernel(reward: Reward) -> RewardKernel:
    """The kernel of a reward.

    Raises:
        NotCompiledError: if there is none.
    """
    if not isinstance(reward, KernelReward) or type(reward).__call__ is not KernelReward.__call__:
        raise NotCompiledError(
            f"reward: {type(reward).__name__} is for single environments (vectorization_mode='sync')", "reward"
        )
    return reward.kernel
