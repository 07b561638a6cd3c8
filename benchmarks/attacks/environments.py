"""Environments and batches used wrongly: wrong actions, steps after the end, second threads, pickles before reset."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from attacks.tries import Try
from tests.helpers.misuse import CASES, QUICK, tries


def attack(quick: bool, seed: int, folder: Path) -> Iterator[Try]:
    """See `attack.AREAS`."""
    for kind, name, options in QUICK if quick else CASES:
        for what, held, message in tries(kind, name, options):
            yield Try(f"{kind} {name}: {what}", held, message, f"{kind} {name}")
