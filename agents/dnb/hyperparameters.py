"""The ``agent`` section of an experiment with D-NB; its defaults stand in configs/agent/dnb.yaml."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from scml_gym.agents.dnb.dataset_config import DatasetConfig
from scml_gym.agents.dnb.models import model_kind
from scml_gym.agents.dnb.rules import Rules
from scml_gym.core.config import Config, ConfigError, validate
from scml_gym.core.errors import InputError, nearest


class DNBHyperparameters(Config):
    """What D-NB learns from, how, and how it plays.

    Attributes:
        model: Name of the acceptance model that it plays with.
        references: Names of models that are fitted too, to be compared with in the report; they are not kept.
        models: Name -> hyperparameters of that kind, for every model that is named.
        strength: Observations that a mean counts for in a Beta prior, at least 2.
        strengths: Where some are given, the one with the least log loss of Beta posterior means over the validation
            worlds replaces ``strength``.
        validation: Share of the training worlds by which epochs and strengths are chosen.
        data: What the dataset is made from.
        workers: Processes that make it.
        rules: Of planner and calibration in play.
        planner: ``allocate``: the offers to all partners together; ``sequential``: it is asked in each negotiation by
            itself, may wait, and asks partner after partner (`scml_gym.agents.dnb.sequential`). Runs of earlier
            versions, which do not say it, play the first.
        decision_log: Folder for tables of what was thought at each decision (`scml_gym.agents.dnb.decision_log`), one
            for each factory and world played as a deployed agent; None for none.
    """

    model: str
    references: tuple[str, ...]
    models: dict[str, dict[str, Any]]
    strength: float = Field(ge=2)
    strengths: tuple[float, ...]
    validation: float = Field(gt=0, lt=1)
    data: DatasetConfig
    workers: PositiveInt
    rules: Rules
    planner: Literal["allocate", "sequential"] = "allocate"
    decision_log: str | None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for key, name in (("model", self.model), *(("references", name) for name in self.references)):
            if name not in self.models:
                raise InputError(f"{name!r} has no hyperparameters in models{nearest(name, self.models)}", key)
        if self.planner == "sequential" and self.decision_log is not None:
            raise InputError("planner='sequential' has no decision log; valid: null", "decision_log")
        if any(not strength >= 2 for strength in self.strengths):
            raise InputError(f"{list(self.strengths)}; valid: at least 2 each", "strengths")
        return self

    def hyperparameters_of(self, name: str, where: str = "agent.models") -> Config:
        """The hyperparameters of one kind of model.

        Raises:
            InputError: if there is no such kind, or its hyperparameters are wrong.
        """
        try:
            kind = model_kind(name)
        except InputError as error:
            raise ConfigError((*where.split("."), name), str(error)) from error
        return validate(kind.hyperparameters, self.models[name], f"{where}.{name}")
