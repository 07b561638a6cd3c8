"""Native vector environments over SCML OneShot. They need Numba."""

from scml_gym.jit.compile import require_numba

require_numba()
