"""Scripted strategies of the Standard track, each written once as a function over arrays, so that they play in every
world."""

from __future__ import annotations

from scml_gym.core.registry import Registry

STRATEGIES = Registry("strategy")
"""Name -> `scml_gym.standard.strategies.base.Strategy`."""

for _name, _path in {
    "random": "simple:RANDOM",
    "do-nothing": "simple:DO_NOTHING",
    "greedy": "greedy:GREEDY",
    "sync-random": "sync_random:SYNC_RANDOM",
    "just-in-time": "just_in_time:JUST_IN_TIME",
    "no-trade": "simple:NO_TRADE",
    "ten-once": "stock:TEN_ONCE",
    "ten-once-dear": "stock:TEN_ONCE_DEAR",
    "stock-planner": "stock:STOCK_PLANNER",
    "stock-weak": "stock:STOCK_WEAK",
    "stock-population": "stock:STOCK_POPULATION",
    "heuristic-manager": "heuristic_manager:HEURISTIC_MANAGER",
    "penguin": "penguin:PENGUIN",
    "lita-h": "penguin:H",
    "lita-y": "forerunners.y:Y",
    "lita-yr": "forerunners.yr:YR",
    "lita-ys": "forerunners.yr:YS",
    "lita-n": "forerunners.n:N",
    "lita-p": "penguin:P",
    "lita-cir": "forerunners.cir:CIR",
}.items():
    STRATEGIES.register(_name, f"scml_gym.standard.strategies.{_path}")
STRATEGIES.register("planner", "scml_gym.standard.planner:PLANNER")
