"""Native vector environments over SCML's Standard track. They need Numba."""

from scml_gym.jit.compile import require_numba

require_numba()
