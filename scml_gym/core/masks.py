"""Masks of actions as Gymnasium's spaces sample with them."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces


def sampling_mask(mask: np.ndarray, space: spaces.Space) -> Any:
    """A mask as ``space.sample(mask=...)`` takes it.

    Args:
        mask: bool, the valid choices, dimension after dimension.
        space: ``Discrete``; ``MultiDiscrete``; or a ``Box`` of shape ``(n, ...)``, which is sampled without a mask, and
            whose mask tells the valid choices of each of ``n`` partners in a discrete form, equally many each.

    Returns:
        int8: an array for ``Discrete``, a tuple of arrays for the others, one for each dimension or partner.
    """
    choices = mask.astype(np.int8)
    if isinstance(space, spaces.Discrete):
        return choices
    if isinstance(space, spaces.MultiDiscrete):
        return tuple(np.split(choices, np.cumsum(space.nvec)[:-1]))
    assert space.shape, "only arrays have a mask for each row"
    return tuple(np.split(choices, space.shape[0]))
