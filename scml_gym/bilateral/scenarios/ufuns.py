"""Values of negmas' utility functions, and what of them has no place where time costs nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from negmas.preferences import DiscountedUtilityFunction, HyperRectangleUtilityFunction

from scml_gym.core.errors import InputError
from scml_gym.core.warnings import quiet


def layers(ufun: Any) -> list[Any]:
    """A utility function and what stands below its discounts, outermost first; the last one has no discount."""
    found = [ufun]
    while isinstance(found[-1], DiscountedUtilityFunction):
        found.append(found[-1].ufun)
    return found


def is_discounted(ufun: Any) -> bool:
    """Whether time takes something from a utility function or a part of it, or it says that it changes otherwise."""
    discounts = [part for part in _parts(ufun) if isinstance(part, DiscountedUtilityFunction)]
    return any(map(_costs, discounts)) if discounts else bool(ufun.is_state_dependent())


def has_boxes(ufun: Any) -> bool:
    """Whether there are negmas' hyperrectangles in it."""
    return any(isinstance(part, HyperRectangleUtilityFunction) for part in _parts(ufun))


def evaluate(profile: str, ufun: Any, outcomes: Sequence[Any]) -> np.ndarray:
    """The value of each outcome to a utility function.

    Args:
        profile: Its name, for messages.
        ufun: A negmas utility function.
        outcomes: What to evaluate.

    Returns:
        float64 ``(n,)``.

    Raises:
        InputError: if a value is not a finite number, or the function raises something.
    """
    values = np.empty(len(outcomes))
    with quiet():
        for i, outcome in enumerate(outcomes):
            try:
                values[i] = float(ufun(outcome))
            except Exception as error:  # functions of users raise whatever they like
                reason = str(error).partition("\n")[0] or type(error).__name__
                raise InputError(f"profile {profile!r}: {outcome!r} cannot be evaluated ({reason})") from error
            if not np.isfinite(values[i]):
                raise InputError(f"profile {profile!r}: {outcome!r} is worth {values[i]}; valid: a number")
    return values


def _parts(ufun: Any) -> Iterator[Any]:
    """A utility function and the functions that it is made of."""
    yield ufun
    held = vars(ufun) if hasattr(ufun, "__dict__") else {}
    for below in (held.get("_ufun"), *(held.get("ufuns") or ()), *_listed(held.get("values"))):
        if hasattr(below, "reserved_value"):  # a utility function, and not the value function of an issue
            yield from _parts(below)


def _listed(values: Any) -> Sequence[Any]:
    return values if isinstance(values, list | tuple) else ()


def _costs(ufun: Any) -> bool:
    """negmas' two discounts do nothing without their figure; of another one it is not known."""
    own = vars(ufun)
    if "discount" in own:
        return own["discount"] not in (None, 0, 1)
    return own["cost"] not in (None, 0) if "cost" in own else True
