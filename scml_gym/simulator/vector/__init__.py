"""Worlds of a track, many at once: what its native vector environments share. They need Numba."""

from scml_gym.jit.compile import require_numba

require_numba()
