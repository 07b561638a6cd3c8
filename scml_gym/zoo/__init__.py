"""Trained agents, a run folder each: weights as data, and a card. ``benchmarks/zoo.py`` makes them."""
