"""Worlds of scml and contracts made in them, by what is deployed or by what was exported; see export_parity.py.

    python -P export_world.py FOLDER PACKAGE worlds COUNT DAYS    # of a submission: needs scml and NumPy alone
    python -P export_world.py FOLDER PACKAGE tournament serial

Prints as JSON the contracts of each world, or the scores of a tournament.
"""

from __future__ import annotations

import importlib
import json
import random
import sys
import warnings
from typing import Any

import numpy as np
from scml.oneshot import SCML2024OneShotWorld
from scml.oneshot.agents import SyncRandomOneShotAgent
from scml.utils import anac2024_oneshot

FORBIDDEN = ("torch", "numba", "scml_gym", "stable_baselines3")
TERMS = ("quantity", "unit_price", "delivery_time")


def contracts_of(agent: Any, parameters: dict[str, Any], seed: int, days: int) -> list[Any]:
    """Of a world with two factories of the agent and two of scml's, everything drawn of a seed: sorted rows of day,
    partners and terms."""
    random.seed(seed)
    np.random.seed(seed)
    others = [agent, SyncRandomOneShotAgent]
    drawn = SCML2024OneShotWorld.generate(
        agent_types=others * 2, agent_params=[parameters, {}] * 2, n_steps=days, n_processes=2, n_agents_per_process=2
    )
    quiet = {"no_logs": True, "compact": True, "fast": True}
    strict = {"ignore_agent_exceptions": False, "ignore_negotiation_exceptions": False}
    world = SCML2024OneShotWorld(**drawn, **quiet, **strict)
    random.seed(seed)
    np.random.seed(seed)
    world.run()
    made = [
        [c["concluded_at"], c["seller_name"], c["buyer_name"], *map(int, (c[t] for t in TERMS))]
        for c in world.saved_contracts
    ]
    return sorted(made, key=str)


def scores_of(agent: Any, parallelism: str, folder: str) -> dict[str, float]:
    """Of scml's own tournament."""
    results: Any = anac2024_oneshot(
        competitors=[agent, SyncRandomOneShotAgent],
        n_configs=1,
        n_steps=5,
        max_worlds_per_config=2,
        n_competitors_per_world=2,
        parallelism=parallelism,
        tournament_path=folder,
    )
    failed = [c for c in results.world_stats.columns if c.startswith("n_") and "exception" in c]
    assert failed and not results.world_stats[failed].to_numpy().any(), results.world_stats[failed]
    names = [str(name).rpartition(".")[2] for name in results.total_scores["agent_type"]]
    return dict(zip(names, map(float, results.total_scores["score"]), strict=True))


def main(folder: str, package: str, task: str, *options: str) -> None:
    """Play what was exported."""
    warnings.simplefilter("ignore")
    sys.path.insert(0, folder)
    module = importlib.import_module(package)
    agent, parameters = module.MAIN_AGENT, getattr(module, "PARAMETERS", {})
    if task == "worlds":
        told: Any = [contracts_of(agent, parameters, seed, int(options[1])) for seed in range(int(options[0]))]
    else:
        told = scores_of(agent, options[0], f"{folder}/{package}-{options[0]}")
    assert parameters or not [name for name in FORBIDDEN if name in sys.modules], "it is not by itself"
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
