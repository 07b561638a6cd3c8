"""The file of the commitment study, as typed configuration."""

from __future__ import annotations

from typing import Any

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt

from scml_gym.core.config import Config


class GameOfStudy(Config):
    """A game of the study.

    Attributes:
        title: For the page.
        env: As the ``env`` section of an experiment.
        agent: Settings of every learner in this game, over its defaults.
        welfare: Target of the sum of returns, or None.
        returns: Target of each agent's return, or None.
        defection: The action of each agent that a stubborn co-player proposes (of a mega-step: the number of the
            sequence), or None for no such test.
    """

    title: str
    env: dict[str, Any]
    agent: dict[str, Any]
    welfare: float | None = None
    returns: float | None = None
    defection: list[NonNegativeInt] | None = None


class MethodOfStudy(Config):
    """A method of the study.

    Attributes:
        title: For the page.
        agent: A learner's name.
        hyperparameters: Over the game's.
        games: Further ones by game, over these.
        only: The games that it plays; all where None.
    """

    title: str
    agent: str
    hyperparameters: dict[str, Any] = {}
    games: dict[str, dict[str, Any]] = {}
    only: list[str] | None = None


class StudyConfig(Config):
    """The study file: ``seeds`` from ``first_seed`` on; ``share`` of each run's training, below 1 for a try.

    The schedules of entropy, spread and exploration are scaled with the updates.
    """

    first_seed: NonNegativeInt
    seeds: PositiveInt
    share: PositiveFloat = Field(le=1)
    games: dict[str, GameOfStudy]
    methods: dict[str, MethodOfStudy]
