"""Numba made usable: what is compiled, where compiled code is kept, arrays, random numbers. It knows no game."""
