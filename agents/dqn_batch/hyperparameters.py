"""Hyperparameters of the batched DQN; their names and meanings are those of Stable-Baselines3."""

from __future__ import annotations

from typing import Self

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from scml_gym.core.config import Config


class DQNBatchHyperparameters(Config):
    """What all networks of a batch have in common; each has one environment.

    Attributes:
        total_steps: Of each environment.
        net_arch: Units of each hidden layer (ReLU).
        learning_rate: Of Adam.
        gamma: Discount factor a step.
        batch_size: Transitions of a gradient step.
        max_grad_norm: Longer gradients of a network are shortened to it.
        buffer_size: Transitions in the replay buffer.
        learning_starts: Steps before the first gradient step, with random actions.
        train_freq: Steps between two gradient steps.
        target_update_interval: Steps between two updates of the target network.
        tau: Share of the new weights in an update of the target network.
        exploration_fraction: Share of the training in which the exploration rate falls.
        exploration_initial_eps: Exploration rate at the start.
        exploration_final_eps: And from the end of that share on.
    """

    total_steps: PositiveInt
    net_arch: list[PositiveInt]
    learning_rate: PositiveFloat
    gamma: float = Field(ge=0, le=1)
    batch_size: PositiveInt
    max_grad_norm: PositiveFloat
    buffer_size: PositiveInt
    learning_starts: NonNegativeInt
    train_freq: PositiveInt
    target_update_interval: PositiveInt
    tau: float = Field(gt=0, le=1)
    exploration_fraction: float = Field(gt=0, le=1)
    exploration_initial_eps: float = Field(ge=0, le=1)
    exploration_final_eps: float = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _learning_starts(self) -> Self:
        first = (self.learning_starts // self.train_freq + 1) * self.train_freq
        if first > self.total_steps:
            raise ValueError(
                f"the first gradient step would come after {first} steps (learning_starts={self.learning_starts}, "
                f"train_freq={self.train_freq}); valid: total_steps of {first} or more, not {self.total_steps}"
            )
        return self

    def exploration_rate(self, steps: int) -> float:
        """After so many steps."""
        share = min(1.0, steps / self.total_steps / self.exploration_fraction)
        return self.exploration_initial_eps + share * (self.exploration_final_eps - self.exploration_initial_eps)
