"""What stands between a world and a learner, as compiled code takes it: functions over records.

A native vector environment calls them in its batch step, and the objects of single environments (`codecs`) call the
same ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from scml_gym.game.codecs import NotCompiledError
from scml_gym.jit.compile import jittable


@jittable
def ask_again(view: Any, memory: np.ndarray, actions: Any) -> bool:
    """For codecs that are asked at every decision."""
    return False


@jittable
def remember_nothing(view: Any, memory: np.ndarray) -> None:
    """For codecs without a memory."""


class ActionFunctions(NamedTuple):
    """An action codec as compiled code takes it.

    Attributes:
        decode: ``(action, view, memory, actions) -> int``: -1, or what is wrong with the action.
        mask: ``(view, out)``.
        remember: ``(view, memory)``: a day's last view.
        go_on: ``(view, memory, actions) -> bool``: whether the decision that is due follows from an earlier action; if
            so, the answers to all partners are written.
    """

    decode: Callable[..., int]
    mask: Callable[..., None]
    remember: Callable[..., None]
    go_on: Callable[..., bool] = ask_again


class ActionKernel(NamedTuple):
    """An action codec: its functions, the dtype of an action's numbers, and how many numbers it remembers."""

    functions: ActionFunctions
    dtype: Any
    memory_size: int


class EncoderKernel(NamedTuple):
    """An encoder.

    Attributes:
        encode: ``(view, hidden_state, offer_history, out)``.
        history: Shape of that history: decisions, partners, features; or of whatever else the encoder remembers.
        remember: ``(view, offer_history)``: a day's last view.
    """

    encode: Any
    history: tuple[int, ...]
    remember: Callable[..., None] = remember_nothing


class RewardKernel(NamedTuple):
    """A reward: three functions and the dtype of the record that they share through an episode.

    Attributes:
        reset: ``(view, state)``: the first decision of an episode is due; ``state`` was zeroed before its first day.
        day_end: ``(view, profit, state)``: a day was settled; its last view, and the factory's profit of it in money.
        reward: ``(view, done, state) -> float``: of a step, with the view after it; ``done`` where the episode ended.
        dtype: Of ``state``.
    """

    reset: Callable[[Any, Any], None]
    day_end: Callable[[Any, float, Any], None]
    reward: Callable[[Any, bool, Any], float]
    dtype: np.dtype


@jittable
def mask_nothing(view: Any, out: np.ndarray) -> None:
    """Every choice is valid."""
    out[:] = True


@jittable
def push_history(rows: np.ndarray, first: int, history: np.ndarray, out: np.ndarray) -> None:
    """Some features of earlier decisions, and this one's put before them.

    Args:
        rows: This decision's features of each partner, shape ``(partners, features)``.
        first: The first of those that are kept; they stand side by side.
        history: Those of the last decisions, latest first, shape ``(history, partners, kept)``; moved on by one.
        out: As ``history`` was.
    """
    for age in range(len(history) - 1, -1, -1):
        for k in range(history.shape[1]):
            for i in range(history.shape[2]):
                out[age, k, i] = history[age, k, i]
                history[age, k, i] = history[age - 1, k, i] if age > 0 else rows[k, first + i]


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
            f"{argument}: {kind.__name__} is for single environments (vectorization_mode='sync', parallel_env)",
            argument,
        )
    return part.kernel
