"""Rewards as objects, for single environments: of kernels, and shaped by a potential."""

from __future__ import annotations

import copy
import functools
import math
import re
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from scml_gym.core.arguments import brief
from scml_gym.core.errors import InputError, nearest
from scml_gym.core.registry import Registry
from scml_gym.game.codecs import Reward, Transition
from scml_gym.game.kernels import RewardKernel
from scml_gym.game.world import View
from scml_gym.jit.compile import compiled, jittable


class KernelReward:
    """A kernel as a `scml_gym.game.codecs.Reward`, for single environments.

    It is pickled as what makes it again, as a kernel of functions that stand in no module cannot be.
    """

    _arguments: tuple[tuple[Any, ...], dict[str, Any]]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Remember what it is made of."""
        new = super().__new__(cls)
        new._arguments = args, kwargs
        return new

    def __init__(self, kernel: RewardKernel):
        self._kernel = kernel
        self._states: Any = np.zeros(1, dtype=kernel.dtype)
        self._reset, self._day_end, self._reward = (_compiled(f) for f in kernel[:3])

    @property
    def kernel(self) -> RewardKernel:
        """As compiled code takes it."""
        return self._kernel

    def reset(self, view: View) -> None:
        """A new episode, with its first view."""
        self._states = np.zeros(1, dtype=self.kernel.dtype)
        self._reset(view, self._states[0])

    def __call__(self, transition: Transition) -> float:
        """The reward of one transition."""
        for last, profit in zip(transition.closed, transition.profits.tolist(), strict=True):
            self._day_end(last, profit, self._states[0])
        return float(self._reward(transition.after, transition.done, self._states[0]))

    def __deepcopy__(self, memo: Any) -> KernelReward:
        """The same reward at the start of an episode; the compiled functions are shared."""
        new = object.__new__(type(self))
        vars(new).update(vars(self), _states=np.zeros(1, dtype=self.kernel.dtype))
        return new

    def __reduce__(self) -> Any:
        return _make_again, (type(self), *self._arguments, self._states)


def _make_again(kind: type[KernelReward], args: Any, kwargs: Any, states: np.ndarray) -> KernelReward:
    made = kind(*args, **kwargs)
    made._states = states
    return made


_compiled = functools.cache(compiled)


def pay(reward: Reward, transition: Transition) -> float:
    """What a reward gives for a transition; an error in it gets a note that says whose it is.

    Raises:
        InputError: if that is no finite number, or the reward reads a field that views do not have.
    """
    name = getattr(reward, "__qualname__", type(reward).__qualname__)
    try:
        given = reward(transition)
    except Exception as error:
        if missing := re.search(_NO_FIELD, str(error)):
            hint = nearest(missing[1], _fields(transition.after))
            raise InputError(f"reward {name}: {missing[0]}{hint}", "reward") from error
        error.add_note(f"in the reward {name}")
        raise
    return finite(name, given)


def finite(name: str, given: Any) -> float:
    """What a reward gave as a float.

    Raises:
        InputError: if it is no finite number.
    """
    try:
        number = float(given)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"reward {name} gave {brief(given)}; valid: a finite number", "reward")
    return number


_NO_FIELD = r"no field of name (\w+)"
"""How NumPy tells of it."""


def _fields(view: View) -> list[str]:
    """The fields of a view, and of the records in it."""
    names = view.dtype.names or ()
    return [*names, *(inner for name in names for inner in view.dtype[name].base.names or ())]


@functools.cache
def shaped_kernel(base: RewardKernel, potential: Callable[[View], float], gamma: float = 1.0) -> RewardKernel:
    """A reward with ``gamma x potential(after) - potential(before)`` added, which changes no optimal policy.

    Args:
        base: The reward that is shaped.
        potential: Of a view, jittable; counts as 0 once the episode has ended.
        gamma: The learner's discount.

    Source: Ng, Harada and Russell, *Policy invariance under reward transformations*, 1999.
    """
    base_reset, base_day_end, base_reward = base.reset, base.day_end, base.reward

    @jittable
    def reset(view: View, state: Any) -> None:
        base_reset(view, state["base"])
        state["potential"] = potential(view)

    @jittable
    def day_end(view: View, profit: float, state: Any) -> None:
        base_day_end(view, profit, state["base"])

    @jittable
    def reward(view: View, done: bool, state: Any) -> float:
        after = 0.0 if done else potential(view)
        gained = base_reward(view, done, state["base"]) + gamma * after - state["potential"]
        state["potential"] = after
        return gained

    dtype = np.dtype([("base", base.dtype), ("potential", np.float64)], align=True)
    return RewardKernel(reset, day_end, reward, dtype)


class PotentialShaping:
    """Adds ``gamma x potential(after) - potential(before)`` to any reward, as `shaped_kernel` does to a kernel.

    Args:
        base: The reward that is shaped.
        potential: Of a view; counts as 0 once the world has ended.
        gamma: The learner's discount.
    """

    def __init__(self, base: Reward, potential: Callable[[View], float], gamma: float = 1.0):
        self._base = base
        self._potential = potential
        self._gamma = gamma

    def reset(self, view: View) -> None:
        """Passed on to the shaped reward."""
        self._base.reset(view)

    def __call__(self, transition: Transition) -> float:
        """The base reward and the discounted gain in potential."""
        after = 0.0 if transition.done else self._potential(transition.after)
        return self._base(transition) + self._gamma * after - self._potential(transition.before)


def reward_from(registry: Registry, reward: str | Reward) -> Reward:
    """The reward of that registered name, or a copy of the one given, so that environments share no state.

    Raises:
        InputError: if there is none of that name, or it has not the methods of a reward.
    """
    made = registry.get(reward, "reward")() if isinstance(reward, str) else reward
    if isinstance(made, type):
        raise InputError(f"reward: {made.__name__} is a class; give an object of it, or its name as a text", "reward")
    for method in ("reset", "__call__"):
        if not callable(getattr(made, method, None)):
            valid = "valid: an object with reset(view) and __call__(transition)"
            raise InputError(f"reward: {type(made).__name__} has no method {method}; {valid}", "reward")
    return made if isinstance(reward, str) else copy.deepcopy(made)
