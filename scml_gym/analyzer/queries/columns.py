"""Columns that a caller names, as SQL."""

from __future__ import annotations

from collections.abc import Sequence

from scml_gym.core.errors import InputError, nearest


def grouped_by(by: Sequence[str], valid: Sequence[str]) -> str:
    """Names of columns in SQL.

    Raises:
        InputError: if one is not valid, or there is none.
    """
    if isinstance(by, str) or not by:
        raise InputError(f"by={by!r}; give a list of at least one of: {', '.join(valid)}", "by")
    for name in by:
        if name not in valid:
            raise InputError(f"by={name!r}{nearest(str(name), valid)}", "by")
    return ", ".join(by)
