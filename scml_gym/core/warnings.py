"""scml and negmas warn of their own deprecated calls; those warnings are no concern of our users."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet() -> Iterator[None]:
    """Silence warnings that scml or negmas raise on themselves, for the length of a ``with`` block.

    Warnings of other modules pass, so ``python -W error`` still finds a user's own.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"(scml|negmas)(\.|$)")
        yield
