"""Hyperparameters of MAPPO and IPPO; defaults are in configs/agent/mappo.yaml and ippo.yaml."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from scml_gym.core.config import Config


class MAPPOHyperparameters(Config):
    """Of both, as they differ in what a critic sees alone.

    Attributes:
        total_steps: Of the environment (all agents act in one), all worlds together.
        n_worlds: Played side by side.
        workers: Threads of a native batch; 1 for environments that are stepped one by one.
        n_steps: Of each world in a rollout.
        batch_size: Steps of a gradient step, each with all agents; it must divide ``n_worlds * n_steps``.
        n_epochs: Passes over a rollout.
        log_steps: Environment steps between two rows of the learning curve, whole rollouts.
        hidden: Units of each of the two hidden layers, of actor and critic.
        identity: What tells agents with the same observation apart: ``index``, their number as one-hot; ``none``:
            nothing, so that what is learnt plays for any agent.
        learning_rate: Of Adam, of the actor, at the start.
        final_learning_rate: At the end; it falls linearly.
        critic_rate: Of the critic at the start; it falls in the same proportion.
        max_grad_norm: Longer gradients, of actor and critic each, are shortened to it.
        gamma: Discount of an environment step.
        gae_lambda: Of generalised advantages.
        clip_range: Of the ratio of probabilities.
        ent_coef: Weight of the entropy in the actor's loss, at the start.
        final_ent_coef: At the end; it falls linearly.
        huber_delta: Where the critic's loss, in normalised returns, becomes linear.
        reward_scale: What rewards are multiplied with before anything is learnt from them; curves are not scaled.
        value_norm: How the critic's targets are brought to mean 0 and deviation 1: ``popart`` (its output keeps what it
            meant when mean and deviation move), ``running`` (it does not) or ``none``.
        value_norm_decay: What a rollout leaves of the weight of earlier ones in mean and deviation.
        credit: What an agent's return is compared with: ``value`` of the state, or ``counterfactual``: what is expected
            where all others do what they did, whatever the agent itself does.
    """

    total_steps: PositiveInt
    n_worlds: PositiveInt
    workers: PositiveInt
    n_steps: PositiveInt
    batch_size: PositiveInt
    n_epochs: PositiveInt
    log_steps: PositiveInt
    hidden: PositiveInt
    identity: Literal["index", "none"]
    learning_rate: PositiveFloat
    final_learning_rate: PositiveFloat
    critic_rate: PositiveFloat
    max_grad_norm: PositiveFloat
    gamma: float = Field(ge=0, le=1)
    gae_lambda: float = Field(ge=0, le=1)
    clip_range: PositiveFloat
    ent_coef: NonNegativeFloat
    final_ent_coef: NonNegativeFloat
    huber_delta: PositiveFloat
    reward_scale: PositiveFloat
    value_norm: Literal["popart", "running", "none"]
    value_norm_decay: float = Field(ge=0, lt=1)
    credit: Literal["value", "counterfactual"]
