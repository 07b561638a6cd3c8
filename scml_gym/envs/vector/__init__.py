"""Vector environments: many compiled worlds stepped together, with no Python between decisions. They need Numba."""

from scml_gym.compiling import require_numba

require_numba()
