"""What a tournament is, as typed configuration; `configs/tournament/` holds ready-made ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from scml_gym.core.arguments import real, whole
from scml_gym.core.errors import InputError, nearest
from scml_gym.oneshot.view import MAX_PARTNERS

DEFAULT_FIELD = (
    "best-subset",
    "best-subset-even",
    "greedy",
    "scml:SyncRandomOneShotAgent",
    "scml:EqualDistOneShotAgent",
    "scml:GreedyOneShotAgent",
    "scml:GreedySyncAgent",
)

MAX_SEATS = 2 * MAX_PARTNERS
"""Factories of the largest world, so competitors that can meet in one."""


class TournamentConfig(BaseModel):
    """One tournament; the options of `evaluate.py` have the same names.

    Attributes:
        competitors: Names as `scml_gym.policies.players.player_maker` takes them; one named twice competes twice.
        field: Who fills the places that the competitors leave, in turn. A score holds only in its field.
        worlds: Configurations; each is played twice, the second time with the levels swapped.
        days: Simulated days of a world, at least 3 (scml generates no shorter one).
        seed: Of everything that is drawn, at least 0.
        factories: On each level, at most 8; more where the competitors need more places. None for 5, one on one 6.
        one_on_one: Two competitors alone, equal numbers of both on each level, no field.
        time_limit: Seconds that one world may take before it counts as hanging.
        workers: Processes; None for one a core. It changes no result.
        out: The folder for the results, which must not exist or be empty; None for a new one in ``runs/``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    competitors: Annotated[tuple[str, ...], Field(min_length=1)]
    field: Annotated[tuple[str, ...], Field(min_length=1)] = DEFAULT_FIELD
    worlds: Annotated[int, Field(ge=1, le=1_000_000)] = 20
    days: Annotated[int, Field(ge=3, le=10_000)] = 30
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    factories: Annotated[int, Field(ge=1, le=MAX_PARTNERS)] | None = None
    one_on_one: bool = False
    time_limit: Annotated[float, Field(gt=0)] = 300.0
    workers: Annotated[int, Field(ge=1, le=1024)] | None = None
    out: Path | None = None

    @field_validator("worlds", "days", "seed", "factories", "workers", mode="before")
    @classmethod
    def _whole(cls, number: Any, info: ValidationInfo) -> Any:
        return None if number is None else whole(str(info.field_name), number, least=None)

    @field_validator("time_limit", mode="before")
    @classmethod
    def _number(cls, number: Any) -> Any:
        return real("time_limit", number)

    @field_validator("competitors", "field")
    @classmethod
    def _named(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if any(not name.strip() for name in names):
            raise ValueError("an empty name")
        return names

    @model_validator(mode="after")
    def _two_for_one_on_one(self) -> Self:
        if self.one_on_one and len(self.competitors) != 2:
            raise ValueError(f"one_on_one needs exactly two competitors, not {len(self.competitors)}")
        if self.one_on_one and self.factories and self.factories % 2:
            raise ValueError(f"one_on_one needs an even number of factories a level, not {self.factories}")
        return self

    @property
    def factories_per_level(self) -> int:
        """Of the worlds that are played, shape for both levels: enough for the largest block of competitors."""
        if self.one_on_one:
            return self.factories or 6
        return max(self.factories or 5, (self.block_size + 1) // 2)

    @property
    def n_blocks(self) -> int:
        """Worlds that a configuration needs for every competitor to have a seat."""
        return 1 if self.one_on_one else -(-len(self.competitors) // MAX_SEATS)

    @property
    def block_size(self) -> int:
        """Competitors of the largest block."""
        return -(-len(self.competitors) // self.n_blocks)


def load_config(path: Path | None = None, options: Mapping[str, Any] | None = None) -> TournamentConfig:
    """A configuration from a YAML file, options replacing its fields.

    Args:
        path: Of the file, or None for the defaults.
        options: By field name; None means not given.

    Raises:
        InputError: if the file cannot be read, is no mapping or has an unknown field.
        pydantic.ValidationError: if a value is not valid.
    """
    content: Any = {}
    if path is not None:
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise InputError(f"{path}: cannot be read as a tournament configuration ({error})") from error
        if not isinstance(content, dict):
            raise InputError(f"{path}: a tournament configuration is a mapping of fields")
    for name in content:
        if name not in TournamentConfig.model_fields:
            raise InputError(f"{path}: unknown field {name!r}{nearest(str(name), TournamentConfig.model_fields)}")
    given = {name: value for name, value in (options or {}).items() if value is not None}
    merged = {**content, **given}
    if not merged.get("competitors"):
        raise InputError("no competitors: name at least one run folder, registered name or module:Class")
    return TournamentConfig(**merged)
