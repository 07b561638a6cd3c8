"""Many environments at once, whatever is played: rows, autoreset, seeds, worker threads. They need Numba."""

from scml_gym.jit.compile import require_numba

require_numba()
