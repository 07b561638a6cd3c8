"""Clones: models of how other agents decide, which play wherever a player is named, in the compiled world too.

``clone:2025/CostAverseAgent`` is one that comes with the package; ``RUN/clones/2025/CostAverseAgent.npz`` is one of an
own training (``train.py clone``). The modules are read in this order: layout, features, strategy, files.
"""
