"""A bilateral negotiation as the tables of a recording, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from scml_gym.bilateral.scenarios import Scenario
from scml_gym.bilateral.view import LEARNER, OPPONENT
from scml_gym.bilateral.worlds.recorded import RecordedWorld
from scml_gym.simulator.recording.tables import About, Recomputed, Table, log_tables

if TYPE_CHECKING:
    import pandas as pd


def record_world(world: RecordedWorld, about: About) -> dict[str, Table]:
    """The tables of a negotiation that is over.

    Args:
        world: Of either backend.
        about: What the world does not know; of both sides, in the order of the scenario's profiles.
    """
    negotiation = world.negotiation
    scenario: Scenario = negotiation.scenario
    sides = [world.seat(LEARNER), world.seat(OPPONENT)]
    scores = np.zeros(2)
    scores[sides] = world.view["utility"], world.view["opponent_utility"]
    utilities = np.stack([table.utilities for table in negotiation.tables])[np.argsort(sides)]
    tables = log_tables(world.log)
    offers = tables["offers"]
    outcomes = offers["quantity"]
    offers |= {"quantity": None, "price": None, "delivery": None}
    offers["outcome"] = [in_words(scenario, outcome) for outcome in outcomes.tolist()]
    for side in ("sender", "receiver"):
        offers[f"{side}_utility"] = utilities[offers[side], outcomes]
    return tables | {
        "worlds": {
            "game": ["bilateral"],
            "backend": [world.backend],
            **{name: [getattr(about, name)] for name in ("seed", "configuration", "block", "play")},
            "rounds": [negotiation.rounds],
            "timing": ["rounds"],
            "scenario": [scenario.name],
        },
        "factories": {
            "factory": np.arange(2),
            "competitor": list(about.competitors),
            "role": list(about.roles),
            "profile": [profile.name for profile in scenario.profiles],
            "score": scores,
        },
    }


def recompute(tables: Mapping[str, pd.DataFrame]) -> Recomputed:
    """What a negotiation brought to both sides, from its offers alone; there are no days.

    Args:
        tables: ``offers`` of one world.
    """
    offers: Any = tables["offers"]
    scores = np.zeros(2)
    agreed = offers[offers["answer"] == "accepted"]
    for side in ("sender", "receiver"):
        scores[agreed[side].to_numpy(np.int64)] = agreed[f"{side}_utility"]
    return Recomputed(np.zeros((2, 0)), scores, {})


def in_words(scenario: Scenario, outcome: int) -> str:
    """An outcome as one reads it: each issue with its value."""
    return "; ".join(
        f"{issue}: {value}" for issue, value in zip(scenario.issues, scenario.outcome(outcome), strict=True)
    )
