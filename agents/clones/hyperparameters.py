"""The ``agent`` section of an experiment that makes clones; its defaults stand in configs/agent/clone.yaml."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from scml_gym.agents.dnb.dataset_config import within
from scml_gym.core.config import Config
from scml_gym.oneshot.view import MAX_PARTNERS


class CloneHyperparameters(Config):
    """Who is cloned, from what, and how.

    Attributes:
        agents: Names of players (see `scml_gym.oneshot.players`) that answer all partners together.
        others: Further players in the recorded worlds, which are not cloned: name -> weight in the draw of each
            factory's player, where each agent that is cloned has the weight 1.
        worlds: Real worlds that are recorded.
        days: Simulated days, a number or a range.
        factories_per_level: A number or a range, drawn for each level of its own.
        workers: Processes that record.
        penalty: Of the squared weights, in decisions; the larger, the more alike all choices are.
        iterations: Of L-BFGS, at most, for each of a clone's models.
        held_out: Share of the worlds, the last ones, that are not learnt from: the curve says how well they are met.
    """

    agents: list[str] = Field(min_length=1)
    others: dict[str, PositiveFloat]
    worlds: PositiveInt
    days: Annotated[int | tuple[int, int], within(10_000)]
    factories_per_level: Annotated[int | tuple[int, int], within(MAX_PARTNERS)]
    workers: PositiveInt
    penalty: NonNegativeFloat
    iterations: PositiveInt
    held_out: float = Field(ge=0, lt=1)
