"""Small recordings of negotiations."""

import functools

from scml_gym.agents.hrl_xf.recording import Line, record
from scml_gym.standard.actions import PartnerChoices

STRATEGIES = ("stock-planner", "penguin", "sync-random")
RECORD = {"real": [], "real_worlds": 0, "compiled": list(STRATEGIES), "compiled_worlds": 4, "days": 3, "levels": 2}
RECORD |= {"factories": 3, "seed": 0}
"""Settings of the learner ``executor``."""


@functools.cache
def small_recording(compiled=True, worlds=4, days=3):
    """Of strategies."""
    return record([Line(STRATEGIES, worlds, compiled)], days, 2, 3, "league", 0, PartnerChoices(), lambda done: None)
