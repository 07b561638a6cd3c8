"""In place of `scml_gym.jit.compile` in a submission: there is no compiler, and functions stay as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

numba: Any = None


def jittable(function: Function) -> Function:
    """The function itself."""
    return function


compiled = compiled_inside = jittable
