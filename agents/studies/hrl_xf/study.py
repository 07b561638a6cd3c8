"""The study of HRL-XF (section 6.3 of the thesis that proposes it): what each part is worth, in the same seats."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from scml_gym.agents.studies.hrl_xf.config import HRLXFConfig
from scml_gym.agents.studies.hrl_xf.play import play_seat
from scml_gym.agents.studies.hrl_xf.report import report
from scml_gym.core.config import ConfigError, validate
from scml_gym.core.errors import InputError
from scml_gym.evaluation.schedule import world_seed
from scml_gym.game.run_folders import is_folder
from scml_gym.standard.players import player_maker

if TYPE_CHECKING:
    import pandas as pd

    from scml_gym.evaluation.studies.study import Tables


class Run(NamedTuple):
    """A player in some worlds of a setting."""

    setting: str
    label: str
    first: int
    after: int


class HRLXFStudy:
    """A `scml_gym.evaluation.studies.study.Study`; a run is a player in some worlds of a setting.

    Args:
        config: Of the study file.
    """

    def __init__(self, config: HRLXFConfig) -> None:
        self.config = config
        for setting in config.settings:
            config.worlds(setting)  # refuses what are no worlds
        self._runs = {
            f"{setting}-{label}-{first}": Run(setting, label, first, min(first + config.at_once, about.worlds))
            for setting, about in config.settings.items()
            for label in config.labels(setting)
            for first in range(0, about.worlds, config.at_once)
        }

    @classmethod
    def build(cls, config: Mapping[str, Any]) -> Self:
        """A study of the config in its file.

        Raises:
            InputError: if a key is unknown or a value is not valid, or a run folder is not there.
        """
        return cls(validate(HRLXFConfig, config))

    def files(self) -> Mapping[str, Path]:
        """The run folders that play: what is in them belongs to the config."""
        folders = {label: name for label, name in self.config.players.items() if is_folder(name) and ":" not in name}
        return {f"players.{label}": Path(name) for label, name in folders.items()}

    def runs(self) -> Mapping[str, int]:
        """The worlds of each run."""
        return {name: run.after - run.first for name, run in self._runs.items()}

    def compute(self, run: str, advance: Callable[[int], None]) -> Tables:
        """Play the worlds; a row each."""
        about = self._runs[run]
        config, rows = self.config.worlds(about.setting), []
        try:
            make = player_maker(self.config.players[about.label])
        except InputError as error:
            raise ConfigError(("players", about.label), str(error)) from error
        for number in range(about.first, about.after):
            seed = world_seed(self.config.seed, number)
            told = play_seat(make, config, seed)
            rows.append({"setting": about.setting, "player": about.label, "world": number, "seed": seed} | told)
            advance(1)
        return {"seats": rows}

    def report(self, tables: Mapping[str, pd.DataFrame], origin: str) -> Mapping[str, str | bytes]:
        """The page, its table and figures."""
        return report(self.config, tables["seats"], origin)
