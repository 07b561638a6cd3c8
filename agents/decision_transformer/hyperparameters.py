"""Hyperparameters of the Decision Transformer; defaults are in configs/agent/decision_transformer.yaml."""

from __future__ import annotations

from typing import Any

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from scml_gym.core.config import Config


class SequenceHyperparameters(Config):
    """Of a network that continues episodes, and of how it learns.

    Attributes:
        epochs: Passes over the decisions.
        batch_size: Decisions of a gradient step, in windows of ``context``.
        held_out: Share of the episodes, the last ones, that are not learnt from: the curve says how well they are met.
        learning_rate: Of Adam, at the start.
        final_learning_rate: At the end; it falls linearly.
        max_grad_norm: Longer gradients are shortened to it.
        context: Decisions that the network sees, the present one included.
        width: Numbers of a token.
        layers: Of attention.
        attention_heads: Of a layer; they divide ``width``.
        reward_loss: Weight of the squared error of predicted rewards, in standard deviations, beside the likelihood.
    """

    epochs: PositiveInt
    batch_size: PositiveInt
    held_out: float = Field(ge=0, lt=1)
    learning_rate: PositiveFloat
    final_learning_rate: PositiveFloat
    max_grad_norm: PositiveFloat
    context: PositiveInt
    width: PositiveInt
    layers: PositiveInt
    attention_heads: PositiveInt
    reward_loss: NonNegativeFloat

    @model_validator(mode="after")
    def _heads_divide_the_width(self) -> Any:
        if self.width % (2 * self.attention_heads):
            told = f"width: {self.width}; valid: a multiple of 2 * attention_heads = {2 * self.attention_heads}"
            raise ValueError(told)
        return self


class DecisionTransformerHyperparameters(SequenceHyperparameters):
    """Of the learner ``decision-transformer``.

    Attributes:
        data: Names of the datasets (`scml_gym.offline`), which are of the environment, or have its observations and
            actions.
        target_return: Undiscounted return of an episode that it plays for; None for the mean of the best tenth of the
            episodes that it learns from.
    """

    data: list[str] = Field(min_length=1)
    target_return: float | None
