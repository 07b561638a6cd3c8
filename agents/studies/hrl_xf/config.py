"""The file of a study of HRL-XF, as typed configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field, NonNegativeInt, PositiveInt, field_validator, model_validator

from scml_gym.core.config import Config, ConfigError, arguments_of
from scml_gym.game.run_folders import is_folder
from scml_gym.standard.envs.config import StandardConfig


class Setting(Config):
    """Worlds in which all players take the same seats.

    Attributes:
        title: For the page.
        worlds: How many; the first ones are the same whatever the number.
        env: Arguments of their worlds that are others than those of all settings.
        players: Labels of those that play; all where there are none.
        beside: Name of a setting whose worlds are the same but for what this one is about; what players do otherwise
            is told. Only ``env`` may differ.
    """

    title: str
    worlds: PositiveInt
    env: dict[str, Any]
    players: list[str] = []
    beside: str | None = None


class HRLXFConfig(Config):
    """See `scml_gym.agents.studies.hrl_xf.study.HRLXFStudy`.

    Attributes:
        seed: Of everything that is drawn.
        players: Label -> name of a player, see `scml_gym.standard.players`.
        reference: The label that the others are compared with.
        env: Arguments of `scml_gym.standard.envs.config.StandardConfig` that all settings have.
        settings: Name -> setting.
        at_once: Worlds of a run.
    """

    seed: NonNegativeInt
    players: dict[str, str] = Field(min_length=1)
    reference: str
    env: dict[str, Any]
    settings: dict[str, Setting] = Field(min_length=1)
    at_once: PositiveInt

    @field_validator("players")
    @classmethod
    def _folders(cls, players: dict[str, str]) -> dict[str, str]:
        for label, name in players.items():
            if is_folder(name) and not (Path(name) / "run.json").is_file():
                raise ValueError(f"{label}: {name} is no run folder; train it first, or give {label}: null")
        return players

    @model_validator(mode="after")
    def _known(self) -> Any:
        for name, setting in self.settings.items():
            if not name.replace("-", "_").isidentifier():
                raise ValueError(f"settings: {name!r}; valid: letters, digits, '_' and '-'")
            for label in (self.reference, *setting.players):
                if label not in self.players:
                    raise ValueError(f"settings.{name}: {label!r} is no player; valid: {', '.join(self.players)}")
            if setting.beside is not None:
                self._comparable(name, setting, setting.beside)
        return self

    def _comparable(self, name: str, setting: Setting, beside: str) -> None:
        others = [other for other in self.settings if other != name]
        if beside not in others:
            raise ValueError(f"settings.{name}: beside={beside!r}; valid: {', '.join(others) or 'no other setting'}")
        other = self.settings[beside]
        if (other.worlds, other.players) != (setting.worlds, setting.players):
            raise ValueError(f"settings.{name}: other worlds or players than {beside}, which it is beside")

    def labels(self, setting: str) -> list[str]:
        """Who plays in a setting, the reference first."""
        named = self.settings[setting].players or list(self.players)
        return list(dict.fromkeys([self.reference, *named]))

    def worlds(self, setting: str) -> StandardConfig:
        """Of the worlds of a setting.

        Raises:
            ConfigError: for an argument that is unknown or refused.
        """
        own = self.settings[setting].env
        arguments = self.env | own
        try:
            with arguments_of("env", arguments):
                return StandardConfig(**arguments)
        except ConfigError as error:
            keys = error.key.split(".")
            where = ("settings", setting) if keys[-1] in own else ()
            raise ConfigError((*where, *keys), error.problem) from None
