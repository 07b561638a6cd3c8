"""Hyperparameters of the executor; defaults are in configs/agent/executor.yaml."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from scml_gym.agents.decision_transformer.hyperparameters import SequenceHyperparameters
from scml_gym.core.config import Config

Levels = Annotated[int, Field(ge=2, le=4)]
Factories = Annotated[int, Field(ge=2, le=8)]


class RecordHyperparameters(Config):
    """Which worlds are recorded, where no file of negotiations is given.

    Attributes:
        real: Names of players of real worlds, each in turn in each place.
        real_worlds: How many real worlds.
        compiled: Names of strategies of compiled worlds.
        compiled_worlds: How many compiled worlds.
        days: Simulated days of a world.
        levels: Of a world, a number or a range to be drawn from.
        factories: On each level, likewise.
        seed: Of the first world.
    """

    real: list[str]
    real_worlds: NonNegativeInt
    compiled: list[str]
    compiled_worlds: NonNegativeInt
    days: PositiveInt
    levels: Levels | tuple[Levels, Levels]
    factories: Factories | tuple[Factories, Factories]
    seed: NonNegativeInt

    @model_validator(mode="after")
    def _somebody_plays(self) -> Any:
        for kind in ("real", "compiled"):
            if getattr(self, f"{kind}_worlds") and not getattr(self, kind):
                raise ValueError(f"{kind}: nobody; valid: names of players for {kind}_worlds")
        if not self.real_worlds + self.compiled_worlds:
            raise ValueError("real_worlds and compiled_worlds: 0; valid: 1 world or more")
        return self


class EagernessHyperparameters(Config):
    """How recorded decisions get their alpha, see `scml_gym.agents.hrl_xf.eagerness`.

    Attributes:
        accepted: Weight of an acceptance, less its usual probability.
        conceded: Weight of the price, of today's range, by which an offer is worse than usual.
        ended: Weight of an end, less its usual probability; it lowers alpha.
        noise: Standard deviation of what is added.
        dropped: Share of the decisions whose alpha becomes 0; 1 for an executor that heeds none.
        hidden: Units of the network that says what is usual.
        epochs: Passes in which it is fitted.
        batch_size: Decisions of a gradient step.
        learning_rate: Of Adam.
    """

    accepted: NonNegativeFloat
    conceded: NonNegativeFloat
    ended: NonNegativeFloat
    noise: NonNegativeFloat
    dropped: float = Field(ge=0, le=1)
    hidden: PositiveInt
    epochs: PositiveInt
    batch_size: PositiveInt
    learning_rate: PositiveFloat


class ExecutorHyperparameters(SequenceHyperparameters):
    """Of the learner ``executor``.

    Attributes:
        data: A file of negotiations, as another run recorded it; None to record one into the run folder.
        record: What is recorded then.
        alpha: How recorded decisions get their alpha.
        hidden: Share of the days whose goals, and of the negotiations whose returns, are hidden while it learns, so
            that it plays without them too.
        target_return: That a negotiation is played for: 0 for none, up to 2 for an agreement at the best price; None
            for not telling it one.
    """

    data: str | None
    record: RecordHyperparameters
    alpha: EagernessHyperparameters
    hidden: float = Field(ge=0, le=1)
    target_return: float | None
