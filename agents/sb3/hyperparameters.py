"""Hyperparameters of the Stable-Baselines3 learners; defaults are in configs/agent/, names are SB3's own."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

from gymnasium import spaces
from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)
from stable_baselines3.common.torch_layers import CombinedExtractor

from scml_gym.core.config import Config
from scml_gym.core.registry import Registry

FEATURES = Registry("features")
"""What is made of an observation before the hidden layers: ``(hyperparameters, env) -> policy_kwargs`` of SB3.

``env`` is an `EnvSpaces`.
"""


class EnvSpaces(NamedTuple):
    """The spaces of a single environment, and its ``timing`` where it has one."""

    observation: Any
    action: Any
    timing: str | None = None


def sb3_features(hyperparameters: Any, env: EnvSpaces) -> dict[str, Any]:
    """SB3's own: all numbers of the observation in a row."""
    return {"features_extractor_class": CombinedExtractor} if isinstance(env.observation, spaces.Dict) else {}


FEATURES.register("flatten", sb3_features)
FEATURES.register("deep_sets", "scml_gym.agents.sb3.deep_sets:deep_sets")
FEATURES.register("sets", "scml_gym.agents.sb3.partners:sets")
FEATURES.register("partners", "scml_gym.agents.sb3.partners:partners")


class SelfPlayHyperparameters(Config):
    """Of self-play, see `scml_gym.agents.sb3.self_play`.

    Attributes:
        every: Environment steps from one policy file to the next; written where a rollout begins.
        size: How many of the latest ones play.
        share: Of the other factories that past policies play, as soon as there is one; taken to the hundredth.
        team: Weight of their rewards, which are added to the learner's own: 0 for who plays for itself, 1 for a team.
            With rewards of days (``daily-profit``, ``regret``); returns in the learning curve are those of the team.
    """

    every: PositiveInt
    size: PositiveInt
    share: float = Field(ge=0.01, le=0.99)
    team: float = Field(0.0, ge=0.0, allow_inf_nan=False)


class EvaluationHyperparameters(Config):
    """Of evaluation while training, see `scml_gym.agents.sb3.evaluation`.

    Attributes:
        every: Environment steps from one evaluation to the next.
        worlds: Played each time, side by side.
        seed: Of the first of them; they are the same each time.
        copies: Share of the others that the learner plays itself, in hundredths, in compiled worlds; 0 for none.
        env: Arguments of the environment that are others than in the training.
    """

    every: PositiveInt
    worlds: PositiveInt
    seed: NonNegativeInt = Field(lt=2**31)
    copies: float = Field(0.0, ge=0.0, le=0.99)
    env: dict[str, Any] = {}


class SB3Hyperparameters(Config):
    """What all of them take.

    Attributes:
        total_steps: Environment steps of the whole training, all environments together.
        n_envs: Environments played side by side.
        workers: Who steps the environments. Where they are a native vector environment, so many threads; else 1 for
            this process, or ``n_envs`` for a process each.
        log_steps: Environment steps between two rows of the learning curve; on-policy learners write whole rollouts.
        net_arch: Units of each hidden layer.
        features: What comes before them: ``flatten``, ``deep_sets`` (see `scml_gym.agents.sb3.deep_sets`) or ``sets``
            (see `scml_gym.agents.sb3.partners`); or, in place of them, ``partners`` (there too), which needs an action
            with a choice for each partner. All but the first take the observation ``entities``.
        embedding_size: Units of a row's embedding, of ``deep_sets`` and ``partners``.
        device: Of torch: ``cpu``, ``cuda`` or ``auto``.
        learning_rate: Of Adam, at the start.
        final_learning_rate: At the end; it falls linearly.
        gamma: Discount factor a step.
        reward_scale: What rewards are multiplied with before they are learnt from. A day's profit is some hundredths of
            the initial balance: too little for a value network to tell from its own noise.
        decision_cost: What is subtracted from the reward of each decision before, in the reward's units: who waits or
            bargains longer learns from less. Curves do not show it.
        batch_size: Transitions of a gradient step.
        max_grad_norm: Longer gradients are shortened to it.
        self_play: Past policies among the opponents, see `scml_gym.agents.sb3.self_play`; null for none. Of ``ppo`` and
            ``maskable-ppo``.
        evaluation: Evaluation while training, see `scml_gym.agents.sb3.evaluation`; null for none.
        callbacks: Callbacks of SB3, as ``module:Name``: classes, or functions, that are called without arguments.
    """

    total_steps: PositiveInt
    n_envs: PositiveInt
    workers: PositiveInt
    log_steps: PositiveInt
    net_arch: list[PositiveInt]
    features: str
    embedding_size: PositiveInt
    device: str
    learning_rate: PositiveFloat
    final_learning_rate: PositiveFloat
    gamma: float = Field(ge=0, le=1)
    reward_scale: PositiveFloat
    decision_cost: float = Field(0.0, allow_inf_nan=False)
    batch_size: PositiveInt
    max_grad_norm: PositiveFloat
    self_play: SelfPlayHyperparameters | None = None
    evaluation: EvaluationHyperparameters | None = None
    callbacks: list[str] = []

    @field_validator("features")
    @classmethod
    def _known_features(cls, name: str) -> str:
        FEATURES.get(name)
        return name


class PPOHyperparameters(SB3Hyperparameters):
    """Of PPO and its variants: see https://arxiv.org/abs/1707.06347.

    Attributes:
        n_steps: Steps of each environment in a rollout; ``n_steps * n_envs`` must be a multiple of ``batch_size``.
        n_epochs: Passes over a rollout.
        gae_lambda: Of generalised advantage estimation.
        clip_range: Of the probability ratio, around 1.
        normalize_advantage: Whether the advantages of a batch get mean 0 and deviation 1.
        ent_coef: Weight of the entropy in the loss.
        vf_coef: Weight of the value error in the loss.
        target_kl: A pass that moves the policy further than 1.5 times this ends the update; null for no limit.
    """

    n_steps: PositiveInt
    n_epochs: PositiveInt
    gae_lambda: float = Field(ge=0, le=1)
    clip_range: PositiveFloat
    normalize_advantage: bool
    ent_coef: NonNegativeFloat
    vf_coef: NonNegativeFloat
    target_kl: PositiveFloat | None

    @model_validator(mode="after")
    def _whole_batches(self) -> Self:
        rollout = self.n_steps * self.n_envs
        if rollout < 2 or rollout % self.batch_size:
            raise ValueError(
                f"a rollout of n_steps * n_envs = {rollout} is not a multiple of batch_size = {self.batch_size}"
            )
        return self


class RecurrentPPOHyperparameters(PPOHyperparameters):
    """Of PPO with an LSTM before the hidden layers.

    Attributes:
        lstm_hidden_size: Units of each LSTM layer.
        n_lstm_layers: Of the policy's and of the value function's LSTM.
    """

    lstm_hidden_size: PositiveInt
    n_lstm_layers: PositiveInt


class DQNHyperparameters(SB3Hyperparameters):
    """Of DQN: see https://www.nature.com/articles/nature14236.

    Attributes:
        buffer_size: Transitions in the replay buffer.
        learning_starts: Steps before the first gradient step.
        tau: Share of the new weights in an update of the target network.
        train_freq: Steps of each environment between two updates.
        gradient_steps: Of an update; -1 for as many as there were steps.
        target_update_interval: Steps between two updates of the target network.
        exploration_fraction: Share of the training in which the exploration rate falls.
        exploration_initial_eps: Exploration rate at the start.
        exploration_final_eps: And from the end of that share on.
    """

    buffer_size: PositiveInt
    learning_starts: NonNegativeInt
    tau: float = Field(gt=0, le=1)
    train_freq: PositiveInt
    gradient_steps: int = Field(ge=-1)
    target_update_interval: PositiveInt
    exploration_fraction: float = Field(gt=0, le=1)
    exploration_initial_eps: float = Field(ge=0, le=1)
    exploration_final_eps: float = Field(ge=0, le=1)
