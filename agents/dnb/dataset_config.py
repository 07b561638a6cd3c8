"""The settings of the acceptance dataset; their defaults stand in configs/agent/dnb.yaml."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PositiveFloat, PositiveInt, model_validator

from scml_gym.core.config import Config
from scml_gym.core.errors import InputError, nearest
from scml_gym.oneshot.view import MAX_PARTNERS


def within(most: int) -> BeforeValidator:
    """Checks that a value is a whole number, or a pair of them in order, from 1 to ``most``."""

    def check(value: Any) -> Any:
        ends = value if isinstance(value, list | tuple) else (value, value)
        if len(ends) != 2 or any(type(end) is not int for end in ends) or not 1 <= ends[0] <= ends[1] <= most:
            raise ValueError(f"{value!r} is not valid: give a number or a pair [low, high] within 1 to {most}")
        return value

    return BeforeValidator(check)


class DatasetConfig(Config):
    """What the dataset is made from.

    Attributes:
        source: ``"compiled"`` (worlds played in machine code), ``"real"`` (simulations of scml, played and logged) or
            ``"logs"`` (folders of such logs).
        worlds: How many are played; with logs, at most how many are read.
        days: Simulated days, a number or a range.
        factories_per_level: A number or a range, drawn for each level of its own.
        opponents: Name of a player (see `scml_gym.oneshot.players`) -> its weight in the draw of each factory's
        player. held_out: Those of them whose answers are for tests only.
        test_worlds: The share of worlds that are for tests only.
        share: Of the pairs of a factory and a partner of its, whose offers are kept: all that it made to the partner in
            the world and that were answered explicitly, or none, so that what is learnt in play can be replayed.
        worlds_per_shard: Worlds in one Parquet file; what a kill costs.
        logs: Folders of logs, each of one world or with folders of worlds in it.
    """

    source: Literal["compiled", "real", "logs"]
    worlds: PositiveInt
    days: Annotated[int | tuple[int, int], within(10_000)]
    factories_per_level: Annotated[int | tuple[int, int], within(MAX_PARTNERS)]
    opponents: dict[str, PositiveFloat] = Field(min_length=1)
    held_out: tuple[str, ...]
    test_worlds: float = Field(ge=0, lt=1)
    share: float = Field(gt=0, le=1)
    worlds_per_shard: PositiveInt
    logs: tuple[str, ...]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for name in self.held_out:
            if self.source != "logs" and name not in self.opponents:
                raise InputError(f"{name!r} is not among the opponents{nearest(name, self.opponents)}", "held_out")
        if (self.source == "logs") != bool(self.logs):
            told = f"{list(self.logs)}; folders are needed with source: logs, and none with another"
            raise InputError(told, "logs")
        return self
