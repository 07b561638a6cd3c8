"""Hyperparameters of the executor; defaults are in configs/agent/executor.yaml."""

from __future__ import annotations

from typing import Any

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from scml_gym.agents.decision_transformer.hyperparameters import SequenceHyperparameters
from scml_gym.core.config import Config


class RecordHyperparameters(Config):
    """Which worlds are recorded, where no file of negotiations is given.

    Attributes:
        real: Names of players of real worlds, each in turn in each place.
        real_worlds: How many real worlds.
        compiled: Names of strategies of compiled worlds.
        compiled_worlds: How many compiled worlds.
        days: Simulated days of a world.
        levels: Of a world.
        factories: On each level.
        seed: Of the first world.
    """

    real: list[str]
    real_worlds: NonNegativeInt
    compiled: list[str]
    compiled_worlds: NonNegativeInt
    days: PositiveInt
    levels: int = Field(ge=2, le=4)
    factories: int = Field(ge=2, le=8)
    seed: NonNegativeInt

    @model_validator(mode="after")
    def _somebody_plays(self) -> Any:
        for kind in ("real", "compiled"):
            if getattr(self, f"{kind}_worlds") and not getattr(self, kind):
                raise ValueError(f"{kind}: nobody; valid: names of players for {kind}_worlds")
        if not self.real_worlds + self.compiled_worlds:
            raise ValueError("real_worlds and compiled_worlds: 0; valid: 1 world or more")
        return self


class ExecutorHyperparameters(SequenceHyperparameters):
    """Of the learner ``executor``.

    Attributes:
        data: A file of negotiations, as another run recorded it; None to record one into the run folder.
        record: What is recorded then.
        hidden: Share of the days whose goals, and of the negotiations whose returns, are hidden while it learns, so
            that it plays without them too.
        target_return: That a negotiation is played for: 0 for none, up to 2 for an agreement at the best price; None
            for not telling it one.
    """

    data: str | None
    record: RecordHyperparameters
    hidden: float = Field(ge=0, le=1)
    target_return: float | None
