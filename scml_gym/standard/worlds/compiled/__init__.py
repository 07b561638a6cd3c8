"""The compiled world: the rules of the Standard track in Numba, equal to the reference world to the last bit."""
