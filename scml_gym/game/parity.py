"""Parity: the same world or episode played in two backends, compared to the last bit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import gymnasium
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


def compare_episodes(name: str, seed: int, counts: Counter[str], **arguments: Any) -> str | None:
    """Play an episode of an environment in both backends with random actions, half of them valid where there are masks.

    Args:
        name: The environment's id.
        seed: Of the episode and of the actions.
        counts: Receives ``episodes`` and ``steps``.
        arguments: Of the environment.

    Returns:
        The first difference in words, or None where there is none.
    """
    envs: list[Any] = [gymnasium.make(name, backend=b, **arguments).unwrapped for b in ("reference", "compiled")]
    for env in envs:
        env.action_space.seed(seed)
    rng = np.random.default_rng(seed)
    has_masks = not isinstance(envs[0].action_space, gymnasium.spaces.Box)

    def choose() -> Any:
        valid = has_masks and rng.random() < 0.5
        return envs[0].action_space.sample(mask=envs[0].sample_mask() if valid else None)

    difference, steps, _ = play_both(envs, seed, choose, lambda env: {})
    counts.update(episodes=1, steps=steps)
    return difference


def compare_results(reference: Any, compiled: Any, results: Sequence[str]) -> str | None:
    """What became of a world that was played twice.

    Args:
        reference: The one world, with ``contracts``, a structured array, and all results.
        compiled: The other.
        results: Names of arrays.

    Returns:
        The first difference in words, or None where all is equal to the last bit.
    """
    contracts, ours = reference.contracts, compiled.contracts
    names = ", ".join(contracts.dtype.names or ())
    for i, (our, their) in enumerate(zip(ours.tolist(), contracts.tolist(), strict=False)):
        if our != their:
            return f"contract {i} ({names}): reference {their}, compiled {our}"
    if len(ours) != len(contracts):
        return f"contracts: reference {len(contracts)}, compiled {len(ours)}"
    differences = (first_difference(name, getattr(reference, name), getattr(compiled, name)) for name in results)
    return next((difference for difference in differences if difference is not None), None)


def compare_decisions(worlds: Sequence[Any], policies: Sequence[Sequence[Any]]) -> str | None:
    """Play a world decision by decision in both backends, some of whose players are answered for from outside.

    Args:
        worlds: The reference world and the compiled one, not yet started.
        policies: For each of them one for each player, which answers where that is an external one.

    Returns:
        The first difference in words, of what is pending, what the external players see and what becomes of them; or
        None where there is none.
    """
    for world in worlds:
        world.start()
    reference, compiled = worlds
    external, step = reference.external, 0
    while reference.pending:
        if reference.pending != compiled.pending:
            return f"step {step}, pending: reference {reference.pending}, compiled {compiled.pending}"
        seen = [("hidden state", *(world.hidden_state() for world in worlds))]
        seen += [(f"view of {i}", *(world.view(i) for world in worlds)) for i in external]
        for what, theirs, ours in seen:
            if not np.array_equal(theirs, ours):
                return f"step {step}, {what}: {differing_fields(theirs, ours)}"
        for world, players in zip(worlds, policies, strict=True):
            world.step({i: players[i].act(world.view(i)) for i in world.pending})
        step += 1
    if not compiled.done:
        return f"step {step}: the compiled world goes on"
    for i in external:
        ends = [(world.closed_days(i), world.summary(i)) for world in worlds]
        if ends[0] != ends[1]:
            return f"factory {i}, closed days and summary: reference {ends[0]}, compiled {ends[1]}"
    return None


def differing_fields(reference: Any, compiled: Any) -> str:
    """The fields in which two records, or arrays of them, differ, with what is in them."""
    names = [name for name in reference.dtype.names if not np.array_equal(reference[name], compiled[name])]
    return "; ".join(f"{name}: reference {reference[name]}, compiled {compiled[name]}" for name in names)


def first_difference(name: str, reference: np.ndarray, compiled: np.ndarray) -> str | None:
    """Where two arrays differ first, in words; None where they are equal to the last bit (NaN equals NaN)."""
    if reference.shape != compiled.shape:
        return f"{name}: shapes {reference.shape} in the reference world, {compiled.shape} in the compiled one"
    places = np.argwhere(~((reference == compiled) | ((reference != reference) & (compiled != compiled))))
    if not len(places):
        return None
    place = tuple(places[0].tolist())
    return f"{name}{list(place)}: reference {reference[place]!r}, compiled {compiled[place]!r}"
