"""Random numbers as a pure function of a seed: splitmix64, the same in Python and compiled, bit for bit.

A stream is an array ``(1,)`` of uint64, its counter. In Python the arithmetic is done on unbounded integers and cut to
64 bits, in compiled code on 64-bit numbers, which wrap around by themselves; NumPy scalars would warn at each overflow.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from scml_gym.jit.compile import jittable

GAMMA = 0x9E3779B97F4A7C15
MIX_1 = 0xBF58476D1CE4E5B9
MIX_2 = 0x94D049BB133111EB
ALL_BITS = 0xFFFFFFFFFFFFFFFF
OPENING = 0xBB67AE8584CAA73B
"""Keeps the streams of a seed apart from the draws of strategies (`counter_draws`) with the same seed."""

N_DRAWS = 48
"""Uniform numbers that a strategy gets with each decision."""

LAYERS = 128
TAIL = 3.442619855899
"""Where the last layer of the ziggurat ends and the tail of the normal distribution begins."""
LAYER_AREA = 9.91256303526217e-3


def _ziggurat() -> tuple[np.ndarray, np.ndarray]:
    """Widths of the layers, ``(LAYERS + 1,)``, and how much of each lies wholly under the curve, ``(LAYERS,)``."""
    height = math.exp(-0.5 * TAIL * TAIL)
    width = np.zeros(LAYERS + 1)
    width[0], width[1] = LAYER_AREA / height, TAIL
    for i in range(2, LAYERS):
        height += LAYER_AREA / width[i - 1]
        width[i] = math.sqrt(-2.0 * math.log(height))
    return width, width[1:] / width[:-1]


WIDTH, INSIDE = _ziggurat()


@jittable
def mix(value: Any) -> Any:
    """The finaliser of splitmix64; NumPy arrays of uint64 are taken too, element by element."""
    value = ((value ^ (value >> 30)) * MIX_1) & ALL_BITS
    value = ((value ^ (value >> 27)) * MIX_2) & ALL_BITS
    return value ^ (value >> 31)


@jittable
def open_stream(stream: np.ndarray, seed: int) -> None:
    """Set a stream to the start of a seed's sequence; seeds are 0 to 2**64 - 1."""
    stream[0] = seed
    stream[0] = mix((int(stream[0]) + OPENING) & ALL_BITS)


@jittable
def next_bits(stream: np.ndarray) -> int:
    """64 random bits."""
    counter = (int(stream[0]) + GAMMA) & ALL_BITS
    stream[0] = counter
    return mix(counter)


@jittable
def uniform(stream: np.ndarray) -> float:
    """A number in [0, 1), a multiple of 2**-53."""
    return (next_bits(stream) >> 11) * 2.0**-53


@jittable
def between(stream: np.ndarray, low: float, high: float) -> float:
    """A real number from low to high."""
    return low + uniform(stream) * (high - low)


@jittable
def below(stream: np.ndarray, n: int) -> int:
    """An integer from 0 to n - 1, each as likely as another to about n / 2**53."""
    return int(uniform(stream) * n)


@jittable
def normal(stream: np.ndarray) -> float:
    """A standard normal number, by the ziggurat of Marsaglia and Tsang.

    Source: Doornik, *An Improved Ziggurat Method to Generate Normal Random Samples*, 2005: layer and position come
    from different bits. The logarithm and the exponential are needed in about one of 80 draws.
    """
    while True:
        bits = next_bits(stream)
        layer = int(bits & 127)
        position = (bits >> 11) * 2.0**-52 - 1.0
        if abs(position) < INSIDE[layer]:
            return position * WIDTH[layer]
        if layer == 0:
            return math.copysign(_tail(stream), position)
        x = position * WIDTH[layer]
        lower = math.exp(-0.5 * (WIDTH[layer] * WIDTH[layer] - x * x))
        upper = math.exp(-0.5 * (WIDTH[layer + 1] * WIDTH[layer + 1] - x * x))
        if lower + uniform(stream) * (upper - lower) < 1.0:
            return x


@jittable
def choose(probabilities: np.ndarray, point: float) -> int:
    """The option at a point in [0, 1) of the cumulative probabilities of options; never one of probability 0."""
    last = 0
    for i in range(len(probabilities)):
        if probabilities[i] > 0:
            last = i
            if point < probabilities[i]:
                return i
            point -= probabilities[i]
    return last


@jittable
def _tail(stream: np.ndarray) -> float:
    """A standard normal number, given that it is above ``TAIL``."""
    while True:
        beyond = -math.log(1.0 - uniform(stream)) / TAIL
        if -2.0 * math.log(1.0 - uniform(stream)) >= beyond * beyond:
            return TAIL + beyond


_GAMMA = np.uint64(GAMMA)
_STEPS = np.arange(1, N_DRAWS + 1, dtype=np.uint64) * _GAMMA


def counter_draws(seed: int, factory: int, day: int, decision: int) -> np.ndarray:
    """The uniform numbers of one decision: a pure function of where the decision stands (splitmix64).

    Args:
        seed: Of the world, any integer (taken modulo 2**64).
        factory: Index of the factory in its world.
        day: From 0.
        decision: How many decisions the factory has taken that day.

    Returns:
        float64 array of shape ``(N_DRAWS,)`` in [0, 1).

    Example:
        >>> bool((counter_draws(7, 0, 0, 0) == counter_draws(7, 0, 0, 0)).all())
        True
    """
    key: Any = np.array([seed & 0xFFFFFFFFFFFFFFFF], dtype=np.uint64)
    for part in (factory, day, decision):
        key = mix(key + GAMMA * np.array([part + 1], dtype=np.uint64))
    return (mix(key + _STEPS) >> np.uint64(11)) * 2.0**-53


@jittable
def fill_draws(seed: np.uint64, factory: int, day: int, decision: int, n: int, draws: np.ndarray) -> None:
    """The first ``n`` of `counter_draws`, in place."""
    fill_part(draws_key(seed, factory, day, decision), 0, n, draws)


@jittable
def draws_key(seed: np.uint64, factory: int, day: int, decision: int) -> np.uint64:
    """What the numbers of one decision are made of."""
    key = mix(seed + _GAMMA * np.uint64(factory + 1))
    key = mix(key + _GAMMA * np.uint64(day + 1))
    return mix(key + _GAMMA * np.uint64(decision + 1))


@jittable
def fill_part(key: np.uint64, low: int, high: int, draws: np.ndarray) -> None:
    """The numbers of a decision's `draws_key` from ``low`` to before ``high``, in place."""
    for i in range(low, high):
        draws[i] = np.float64(mix(key + _GAMMA * np.uint64(i + 1)) >> np.uint64(11)) * 2.0**-53
