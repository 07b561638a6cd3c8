"""Hyperparameters of behaviour cloning; defaults are in configs/agent/behaviour_cloning.yaml."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt, field_validator

from scml_gym.agents.sb3.hyperparameters import FEATURES
from scml_gym.core.config import Config


class BehaviourCloningHyperparameters(Config):
    """Of behaviour cloning.

    Attributes:
        data: Names of the datasets (`scml_gym.offline`), which are of the environment, or have its observations and
            actions.
        epochs: Passes over their decisions.
        batch_size: Decisions of a gradient step.
        held_out: Share of the episodes, the last ones, that are not learnt from: the curve says how well they are met.
        learning_rate: Of Adam, at the start.
        final_learning_rate: At the end; it falls linearly.
        loss: ``likelihood``, or ``huber`` for actions that are numbers: of their means, whose spread is not learnt.
        max_grad_norm: Longer gradients are shortened to it.
        net_arch: Units of each hidden layer.
        features: What comes before them, see `scml_gym.agents.sb3.hyperparameters.SB3Hyperparameters`.
        embedding_size: Units of a row's embedding, of ``deep_sets`` and ``partners``.
    """

    data: list[str] = Field(min_length=1)
    epochs: PositiveInt
    batch_size: PositiveInt
    held_out: float = Field(ge=0, lt=1)
    learning_rate: PositiveFloat
    final_learning_rate: PositiveFloat
    max_grad_norm: PositiveFloat
    loss: Literal["likelihood", "huber"] = "likelihood"
    net_arch: list[PositiveInt]
    features: str
    embedding_size: PositiveInt

    @field_validator("features")
    @classmethod
    def _known_features(cls, name: str) -> str:
        FEATURES.get(name)
        return name
