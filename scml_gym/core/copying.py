"""Copies of what compiled code works on: records that hold addresses of arrays and functions.

A copied record points into the original. So classes with such records keep beside them what the addresses stand for
(arrays, strategies), and fill them in anew in ``__setstate__``, which deep copies and pickles both call. What cannot be
copied, such as a simulation that is paused in the middle of a call, is refused in one line.
"""

from __future__ import annotations

import copy
from typing import Any, NoReturn, Self

import numpy as np


class Independent:
    """For classes whose copies play alike and alone: a shallow copy would play in the arrays of the original."""

    def __copy__(self) -> Self:
        return copy.deepcopy(self)


class Uncopied:
    """For classes that cannot be copied; ``why_not`` says why, and what to do."""

    why_not = ""

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError(f"{type(self).__name__} cannot be copied or pickled: {self.why_not}")


def replace_numbers(numbers: np.ndarray, replacements: dict[int, int]) -> np.ndarray:
    """The numbers with each replaced by what stands for it, 0 where nothing does; of any shape, int64."""
    found, where = np.unique(numbers, return_inverse=True)
    new = np.array([replacements.get(int(number), 0) for number in found], dtype=np.int64)
    return new[where].reshape(numbers.shape)
