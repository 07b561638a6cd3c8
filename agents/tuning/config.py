"""What is tuned: the space of settings, and how a trial is trained and valued; configs/tune has files of these."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, field_validator, model_validator

from scml_gym.agents.tuning.search import PRUNERS, SAMPLERS, made
from scml_gym.core.config import Config, ConfigError, Loaded, find_config, load
from scml_gym.core.errors import InputError, nearest

KIND = "tune"
"""Folder of the files in configs/."""


class Dimension(Config):
    """The values that a setting may have: a range, or some choices.

    Attributes:
        low, high: Ends of the range, included; whole numbers where both are.
        log: Whether values are drawn evenly on a logarithmic scale.
        step: Between two values; null for any.
        choices: The values, of any kind.
    """

    low: int | float | None = None
    high: int | float | None = None
    log: bool = False
    step: PositiveInt | PositiveFloat | None = None
    choices: list[Any] | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.choices is None) == (self.low is None or self.high is None):
            raise ValueError("valid: low and high, or choices")
        if self.choices is None and not self.ends[0] <= self.ends[1]:
            raise ValueError(f"low={self.low} is above high={self.high}")
        if self.step is not None and (self.choices is not None or (self.whole and self.step % 1)):
            raise ValueError(f"step={self.step} is for ranges of numbers, and whole where both ends are")
        if self.log and (self.choices is not None or self.ends[0] <= 0 or self.step is not None):
            raise ValueError("log: true is for ranges above 0, without a step")
        return self

    @property
    def ends(self) -> tuple[float, float]:
        """Of a range."""
        assert self.low is not None and self.high is not None, "it is a range"
        return self.low, self.high

    @property
    def whole(self) -> bool:
        """Whether it is a range of whole numbers."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def suggest(self, trial: Any, name: str) -> Any:
        """A value of it that a trial of Optuna is to have; choices are kept in the study as JSON."""
        if self.choices is not None:
            return json.loads(trial.suggest_categorical(name, [json.dumps(choice) for choice in self.choices]))
        low, high = self.ends
        if self.whole:
            return trial.suggest_int(name, low, high, log=self.log, step=int(self.step or 1))
        return trial.suggest_float(name, low, high, log=self.log, step=self.step)

    def read(self, value: Any) -> Any:
        """The value that a study keeps as this."""
        return json.loads(value) if self.choices is not None else value


class Tuning(Config):
    """A search.

    Attributes:
        agent: The learner that it is for.
        budget: Key of the setting that says how long a training is.
        share: Of it that a trial trains.
        progress: Column of the learning curve that counts what ``budget`` limits.
        objective: Column of the learning curve whose mean over the last part of the training is the value of a trial.
        window: That part, as a share.
        direction: Whether high values are good.
        reports: How often in a training its value so far is compared with those of earlier trials.
        sampler: Chooses settings; a name in `scml_gym.agents.tuning.search.SAMPLERS`.
        pruner: Ends trainings that are worse than others; a name in `PRUNERS` there.
        seed: Of the sampler.
        together: Trials whose settings are chosen together, so that they can be trained at once: each portion knows
            what became of those before it, whatever the number of workers.
        space: Key path of a setting -> its values.
    """

    agent: str
    budget: str
    share: PositiveFloat = Field(le=1)
    progress: str = "step"
    objective: str
    window: PositiveFloat = Field(default=0.2, le=1)
    direction: Literal["maximize", "minimize"] = "maximize"
    reports: PositiveInt = 10
    sampler: str = "tpe"
    pruner: str = "median"
    seed: NonNegativeInt = 0
    together: PositiveInt = 2
    space: dict[str, Dimension] = Field(min_length=1)

    @field_validator("sampler")
    @classmethod
    def _known_sampler(cls, name: str) -> str:
        SAMPLERS.get(name)
        return name

    @field_validator("pruner")
    @classmethod
    def _known_pruner(cls, name: str) -> str:
        PRUNERS.get(name)
        return name


def load_tuning(experiment: str, loaded: Loaded, file: str | None, options: list[str]) -> tuple[Tuning, Path]:
    """The search of an experiment: a file, or that of its name or its learner's in configs/tune.

    Args:
        experiment: As it was named.
        loaded: The experiment.
        file: Path or name of the search; None for the experiment's.
        options: ``key.path=value`` each, that replace values of the search.

    Raises:
        InputError: if there is none, it is wrong, or for another learner, or tunes what the experiment does not have.
    """
    learner = loaded.config["agent"]["name"]
    found = find_config(KIND, file) if file is not None else _of(Path(experiment).stem, learner)
    tuning = load(Tuning, found, options)
    if tuning.agent != learner:
        raise InputError(f"{found} tunes {tuning.agent!r}, but {experiment} is an experiment of {learner!r}")
    budget = value_at(loaded.config, tuning.budget, f"{found}: ")
    if isinstance(budget, bool) or not isinstance(budget, int | float) or budget <= 0:
        raise ConfigError(
            (), f"{found}: budget: {tuning.budget} is {budget!r}; valid: a setting that is a number above 0"
        )
    for key in tuning.space:
        if isinstance(value_at(loaded.config, key, f"{found}: "), Mapping) or key == tuning.budget:
            told = "the budget" if key == tuning.budget else "a section"
            raise ConfigError((), f"{found}: space.{key}: {told} is no setting that is searched")
    made(SAMPLERS, tuning.sampler, tuning.seed)
    made(PRUNERS, tuning.pruner)
    return tuning, found


def _of(experiment: str, learner: str) -> Path:
    try:
        return find_config(KIND, experiment)
    except InputError:
        return find_config(KIND, learner)


def value_at(config: Mapping[str, Any], path: str, where: str = "") -> Any:
    """The value at a key path of a complete experiment.

    Raises:
        InputError: if there is no such key.
    """
    level: Any = config
    for key in path.split("."):
        if not isinstance(level, Mapping) or key not in level:
            hint = nearest(key, level) if isinstance(level, Mapping) else ""
            raise ConfigError((), f"{where}{path}: the experiment has no such setting{hint}")
        level = level[key]
    return level


def with_values(config: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a complete experiment with other values at key paths that it has."""
    result = dict(config)
    for path, value in values.items():
        first, _, rest = path.partition(".")
        result[first] = with_values(result[first], {rest: value}) if rest else value
    return result
