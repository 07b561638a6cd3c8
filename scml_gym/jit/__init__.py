"""Numba made usable: what is compiled, and where compiled code is kept. It knows no game."""
