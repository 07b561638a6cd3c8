"""The settings of players that ask partner after partner."""

from __future__ import annotations

from scml_gym.jit.parameters import parameters_dtype

PARAMETERS = {
    "opening": 1.0,  # passes that a buyer waits before its first offers
    "patience": 4.0,  # WAIT answers in a row at most
    "later": 0.0,  # the chance that an item left open early in the day is still traded; it falls to 0 with time
    "prior": 10.0,  # offers that the chances to begin with count for
    "pooled": 4.0,  # offers that what all partners did counts for beside what one did
}
PARAMETERS_DTYPE = parameters_dtype(PARAMETERS)
N_PARAMETERS = len(PARAMETERS)
