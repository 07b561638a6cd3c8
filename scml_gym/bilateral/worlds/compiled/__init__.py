"""The compiled table world: records, the rules over them, and strategies called by address. It needs Numba."""

from scml_gym.jit.compile import require_numba

require_numba()
