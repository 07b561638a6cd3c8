"""The two bounds of safety, by name."""

from __future__ import annotations

from scml_gym.core.arguments import one_of

BOUNDS = ("covered", "possible")
"""What is held against further contracts.

- ``covered``: stock and signed supplies, rolled forward. Whatever keeps to it can be delivered and paid with what there
  is.
- ``possible``: the lines of each delivery day, today's balance. Whatever does not keep to it cannot be mended any more.
"""

COVERED, POSSIBLE = range(len(BOUNDS))


def named_bound(bound: str) -> int:
    """``COVERED`` or ``POSSIBLE``.

    Raises:
        InputError: if there is no such bound.
    """
    return BOUNDS.index(one_of("bound", bound, BOUNDS))
