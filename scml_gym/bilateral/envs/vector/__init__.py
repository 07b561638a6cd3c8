"""Native vector environments over bilateral negotiations. They need Numba."""

from scml_gym.jit.compile import require_numba

require_numba()
