"""A trial of a submission, run by itself: ``python -E -P trial.py FOLDER PACKAGE CLASS TRACK``.

It plays a short world of scml with nothing but scml and what scml needs, and prints as JSON how long decisions took.
"""

from __future__ import annotations

import importlib
import json
import random
import sys
import time
import warnings
from typing import Any

import numpy as np

REFUSED = ("torch", "numba", "llvmlite", "stable_baselines3", "sb3_contrib", "scml_gym", "agents", "pydantic")
"""Packages that a submission does without, whether scml's installation happens to have them or not; negmas, which takes
Numba where it is, does so too."""


class Refuse:
    """What refuses to import these packages."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        """See `importlib.abc.MetaPathFinder`."""
        if name.partition(".")[0] in REFUSED:
            raise ImportError(f"it imports {name!r}")


def worlds() -> dict[str, Any]:
    """The world of a track, another agent of it, and how many days are played."""
    from scml.oneshot import SCML2024OneShotWorld
    from scml.oneshot.agents import GreedyOneShotAgent
    from scml.std import SCML2024StdWorld
    from scml.std.agents import GreedyStdAgent

    return {
        "oneshot": (SCML2024OneShotWorld, GreedyOneShotAgent, 5),
        "standard": (SCML2024StdWorld, GreedyStdAgent, 6),
    }


def main(folder: str, package: str, name: str, track: str) -> None:
    """Play it."""
    warnings.simplefilter("ignore")
    refuse: Any = Refuse()
    sys.meta_path.insert(0, refuse)
    played = worlds()
    sys.path.insert(0, folder)
    agent = getattr(importlib.import_module(package), name)
    times: list[float] = []
    decide = agent._decide

    def timed(self: Any) -> Any:
        start = time.perf_counter()
        answers = decide(self)
        times.append(time.perf_counter() - start)
        return answers

    agent._decide = timed
    kind, other, days = played[track]
    random.seed(0)
    np.random.seed(0)
    world = kind(
        **kind.generate(agent_types=[agent, other], n_steps=days),
        **{"no_logs": True, "compact": True, "fast": True, "ignore_agent_exceptions": False},
        **{"ignore_negotiation_exceptions": False, "ignore_contract_execution_exceptions": False},
    )
    world.run()
    if not times:
        raise RuntimeError("it was never asked for a decision")
    print(json.dumps({"decisions": len(times), "mean": float(np.mean(times)), "most": max(times)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
