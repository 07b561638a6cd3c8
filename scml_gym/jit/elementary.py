"""Elementary functions of float32 as loops that LLVM turns into instructions on 8 or 16 numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from scml_gym.jit.compile import jittable

F = np.float32


@jittable
def exponential(x: Any) -> Any:
    """Of a float32 not above 88, within 2e-7 of itself, 0 below -87: the polynomial of Cephes (``expf``)."""
    x, zero = max(x, F(-87)), x < F(-87)
    n = np.floor(x * F(1.44269504088896341) + F(0.5))
    r = x - n * F(0.693359375) + n * F(2.12194440e-4)
    p = r * (r * F(1.9875691500e-4) + F(1.3981999507e-3)) + F(8.3334519073e-3)
    p = r * (r * (r * p + F(4.1665795894e-2)) + F(1.6666665459e-1)) + F(5.0000001201e-1)
    power = np.int32((np.int32(n) + np.int32(127)) << np.int32(23)).view(np.float32)
    return F(0) if zero else (p * r * r + r + F(1)) * power


@jittable
def tanh(matrix: np.ndarray) -> None:
    """In place, within 2e-7."""
    values = matrix.reshape(matrix.size)
    for i in range(len(values)):
        x = min(values[i], F(10))  # `/` would look for zeros one by one
        values[i] = F(1) - np.true_divide(F(2), exponential(x + x) + F(1))
