"""Threads that share rows do each of them once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from scml_gym.compiling import compiled
from scml_gym.envs.vector.sharing import Share, has_next, position, shares


@compiled
def count(counts: np.ndarray, slow: int, share: Share) -> int:
    """Note each row that is done, with some work for those below a number; returns how many they were."""
    taken, work = 0, 0.0
    while has_next(share, taken):
        i = position(share, taken)
        taken += 1
        counts[i] += 1
        for j in range(2000 if i < slow else 1):
            work += np.sqrt(j)
        counts[i] += 0 if work >= 0.0 else 1
    return taken


@pytest.mark.parametrize("threads", [1, 2, 3, 4])
@pytest.mark.parametrize("n", [1, 2, 3, 10, 4000])
def test_each_row_is_done_once(n: int, threads: int) -> None:
    """However they come to run beside each other."""
    counts = np.zeros(n, dtype=np.int64)
    with ThreadPoolExecutor(threads) as executor:
        taken = list(executor.map(lambda share: count(counts, n // 3, share), shares(n, threads)))
    assert (counts == 1).all()
    assert sum(taken) == n


def test_a_thread_that_is_late_finds_less_to_do() -> None:
    """What is not one's own goes to whoever comes first."""
    counts, (first, second) = np.zeros(100, dtype=np.int64), shares(100, 2)
    assert count(counts, 0, second) == 100 - first.sure
    assert count(counts, 0, first) == first.sure
    assert (counts == 1).all()
