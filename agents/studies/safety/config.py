"""The file of a study of safety, as typed configuration."""

from __future__ import annotations

import importlib.util
from typing import Any, Literal

from pydantic import Field, NonNegativeInt, PositiveInt, field_validator

from scml_gym.core.config import Config, ConfigError, validate
from scml_gym.evaluation.config import TournamentConfig
from scml_gym.standard.players import player_maker
from scml_gym.standard.rules import STOCK_RULES, stock_rule


class Part(Config):
    """Some competitors in the same worlds.

    Attributes:
        title: For the page.
        world: ``compiled`` or ``real``: agents of the league play in real worlds only.
        same_seat: Whether each competitor plays alone, in the same positions among the same others; else all of them
            play together.
        competitors: Label -> name of a player, see `scml_gym.standard.players`.
        background: Names of who else plays, in turn; the competitors again where empty.
        reference: The label that the others are compared with.
        worlds: Configurations, each played with everybody on each level in turn.
        stock: Stock rules that they are played by.
    """

    title: str
    world: Literal["compiled", "real"]
    same_seat: bool = False
    competitors: dict[str, str] = Field(min_length=1)
    background: list[str] = []
    reference: str
    worlds: PositiveInt
    stock: list[str] = Field(default=list(STOCK_RULES), min_length=1)

    @field_validator("stock")
    @classmethod
    def _rules(cls, rules: list[str]) -> list[str]:
        for rule in rules:
            stock_rule(rule)
        return rules

    @field_validator("competitors", "background")
    @classmethod
    def _players(cls, players: Any) -> Any:
        names = list(players.values()) if isinstance(players, dict) else players
        if isinstance(players, dict) and len(set(names)) < len(names):
            raise ValueError("two labels have the same player")
        for name in names:
            if "scml-agents:" not in name or importlib.util.find_spec("scml_agents") is not None:
                player_maker(name)
        return players

    @field_validator("reference")
    @classmethod
    def _one_of_them(cls, label: str, info: Any) -> str:
        competitors = info.data.get("competitors", {label: ""})
        if label not in competitors:
            raise ValueError(f"{label!r}; valid: {', '.join(competitors)}")
        return label


class SafetyConfig(Config):
    """See `scml_gym.agents.studies.safety.study.SafetyStudy`.

    Attributes:
        seed: Of everything that is drawn.
        days: Simulated days of a world.
        levels: How many levels worlds have, in turn.
        factories: On each level of a world of two levels; worlds of more levels have as many in all.
        at_once: Configurations of a run.
        time_limit: Seconds that one real world may take.
        parts: Name -> part.
    """

    seed: NonNegativeInt
    days: PositiveInt
    levels: list[int]
    factories: PositiveInt
    at_once: PositiveInt
    time_limit: PositiveInt
    parts: dict[str, Part] = Field(min_length=1)

    @field_validator("parts")
    @classmethod
    def _names(cls, parts: dict[str, Part]) -> dict[str, Part]:
        for name in parts:
            if not name.isidentifier():
                raise ValueError(f"{name!r}; valid: letters, digits and '_'")
        return parts

    def tournament(self, name: str, rule: str) -> TournamentConfig:
        """A part under a stock rule as a tournament.

        Raises:
            ConfigError: if its competitors do not fit into its worlds, or worlds of that kind do not exist.
        """
        part = self.parts[name]
        about = {
            "game": "standard",
            "competitors": tuple(part.competitors.values()),
            "background": tuple(part.background or part.competitors.values()),
            "worlds": part.worlds,
            "days": self.days,
            "levels": tuple(self.levels),
            "stock": rule,
            "seed": self.seed,
            "factories": self.factories,
            "same_seat": part.same_seat,
        }
        try:
            return validate(TournamentConfig, about)
        except ConfigError as error:
            of_all = error.key in ("days", "levels", "seed", "factories")
            raise ConfigError((error.key,) if of_all else ("parts", name), error.problem) from None
