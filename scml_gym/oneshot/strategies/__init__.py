"""Scripted factory strategies, each written once as a function over arrays, so that they play in every world."""

from __future__ import annotations

from scml_gym.core.registry import Registry

STRATEGIES = Registry("strategy")
"""Name -> `scml_gym.oneshot.strategies.base.Strategy`."""

for _name, _path in {
    "random": "simple:RANDOM",
    "nice": "simple:NICE",
    "do-nothing": "simple:DO_NOTHING",
    "greedy": "greedy:GREEDY",
    "greedy-sync": "greedy_sync:GREEDY_SYNC",
    "single-agreement": "single_agreement:SINGLE_AGREEMENT",
    "single-agreement-greedy": "single_agreement:SINGLE_AGREEMENT_GREEDY",
    "single-agreement-random": "single_agreement:SINGLE_AGREEMENT_RANDOM",
    "boulware": "time_dependent:BOULWARE",
    "conceder": "time_dependent:CONCEDER",
    "adaptive-price": "adaptive_price:ADAPTIVE_PRICE",
    "subset-strong": "subset:SUBSET_STRONG",
    "subset-plain": "subset:SUBSET_PLAIN",
    "subset-exact": "subset:SUBSET_EXACT",
    "subset-stubborn": "subset:SUBSET_STUBBORN",
    "subset-weak": "subset:SUBSET_WEAK",
    "subset-population": "subset:SUBSET_POPULATION",
    "best-subset": "best_subset:BEST_SUBSET_RANDOM",
    "best-subset-random": "best_subset:BEST_SUBSET_RANDOM",
    "best-subset-even": "best_subset:BEST_SUBSET_EVEN",
    "sequential": "sequential:SEQUENTIAL",
}.items():
    STRATEGIES.register(_name, f"scml_gym.oneshot.strategies.{_path}")
