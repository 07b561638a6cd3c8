"""Parity: the same episode played in two backends, compared to the last bit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def play_both(
    envs: Sequence[Any], seed: int, choose: Callable[[], Any], more: Callable[[Any], dict[str, Any]]
) -> tuple[str | None, int, dict[str, Any]]:
    """Play an episode step for step in an environment of the reference world and the same one of the compiled world.

    Args:
        envs: The two.
        seed: Of the episode.
        choose: The next action, of both.
        more: What of an environment must be equal after each step beside what it returns: arrays by name.

    Returns:
        The first difference in words, or None where all is equal to the last bit; the steps; the last information.
    """
    (seen, info), (our_seen, our_info) = (env.reset(seed=seed) for env in envs)
    reward = our_reward = 0.0
    done = our_done = False
    step = 0
    while True:
        theirs = {"observation": seen, "mask": envs[0].action_masks(), "reward": reward, "end": done} | more(envs[0])
        ours = {"observation": our_seen, "mask": envs[1].action_masks(), "reward": our_reward, "end": our_done}
        ours |= more(envs[1])
        for name, value in theirs.items():
            difference = first_difference(f"step {step}, {name}", np.asarray(value), np.asarray(ours[name]))
            if difference is not None:
                return difference, step, info
        if info.keys() != our_info.keys() or any(info[k] != our_info[k] for k in info if k != "action_mask"):
            return f"step {step}, info: reference {info}, compiled {our_info}", step, info
        if done:
            return None, step, info
        action = choose()
        seen, reward, done, _, info = envs[0].step(action)
        our_seen, our_reward, our_done, _, our_info = envs[1].step(action)
        step += 1


def first_difference(name: str, reference: np.ndarray, compiled: np.ndarray) -> str | None:
    """Where two arrays differ first, in words; None where they are equal to the last bit (NaN equals NaN)."""
    if reference.shape != compiled.shape:
        return f"{name}: shapes {reference.shape} in the reference world, {compiled.shape} in the compiled one"
    places = np.argwhere(~((reference == compiled) | ((reference != reference) & (compiled != compiled))))
    if not len(places):
        return None
    place = tuple(places[0].tolist())
    return f"{name}{list(place)}: reference {reference[place]!r}, compiled {compiled[place]!r}"
