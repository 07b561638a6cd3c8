"""Settings of a whole process: its threads and its hash seed.

Small networks and tables are slower on many threads than on one, several processes then fight for the cores, and sums
taken by another number of threads round differently. So `train.py`, `evaluate.py`, the tests and every worker process
call `limit_threads` first.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import sys

_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
)


def limit_threads(threads: int = 1) -> None:
    """Let OpenMP, BLAS, Numba and torch use so many threads, in this process and in those it starts from now on.

    Args:
        threads: At least 1. Libraries that are not loaded yet read it when they are; torch is also told when it is
            loaded already (Numba then keeps the number that it started with).
    """
    for name in _VARIABLES:
        os.environ[name] = str(threads)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # a waiting thread leaves its core to other processes
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(threads)
        with contextlib.suppress(RuntimeError):  # refused once operations have run in parallel
            torch.set_num_interop_threads(threads)
    if "numpy" in sys.modules:
        with contextlib.suppress(ImportError):
            from threadpoolctl import threadpool_limits

            threadpool_limits(threads)


def collect_rarely() -> None:
    """Search for cycles of objects in this process only where very many were made since the last time.

    Imports make many objects that stay, and to look at them again and again is a fifth of the time of large ones; to
    look for what could be thrown away when the process ends, and all is, would take as long once more.
    """
    gc.set_threshold(50_000, 20, 50)
    atexit.register(gc.freeze)


def fix_hash_seed() -> None:
    """Start this program again under ``PYTHONHASHSEED=0``, unless the variable is set.

    scml's own agents iterate over sets of names, so a training against them repeats only under the same hash seed.
    """
    if "PYTHONHASHSEED" not in os.environ:
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
