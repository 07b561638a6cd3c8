"""The compiled world: the rules of the OneShot game in Numba, equal to the reference world to the last bit."""
