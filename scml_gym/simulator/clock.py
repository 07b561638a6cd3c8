"""The wall clock, which scml reads: it limits the time of worlds and negotiations, and draws a number each second."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def stopped_clock() -> Iterator[None]:
    """Let no time pass, for all that reads ``time.perf_counter`` while a ``with`` block runs."""
    seconds, nanoseconds = time.perf_counter, time.perf_counter_ns
    time.perf_counter, time.perf_counter_ns = lambda: 1.0, lambda: 1_000_000_000
    try:
        yield
    finally:
        time.perf_counter, time.perf_counter_ns = seconds, nanoseconds
