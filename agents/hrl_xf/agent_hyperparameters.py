"""Hyperparameters of the whole agent and of its stages; defaults are in configs/agent/hrl_xf.yaml."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import (
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from scml_gym.agents.hrl_xf.alphas import ALPHAS
from scml_gym.core.config import Config

TRAIN, SKIP = "train", "skip"
"""What ``take`` may say beside a run folder."""

ONLINE = ("dagger", "ippo", "mappo", "self_play")
"""The stages in which the hierarchy plays, in order."""


class Stage(Config):
    """A stage of the training.

    Attributes:
        take: ``train``, ``skip``, or a run folder that takes its place.
    """

    take: str


class ExecutorStage(Stage):
    """L3 learns from recorded play. Skipped, it begins with drawn weights.

    Attributes:
        settings: Over the ``agent`` section of the experiment ``executor``.
    """

    settings: dict[str, Any]


class ManagerStage(Stage):
    """L2 learns, from drawn weights or from an expert's first proposals. Skipped, nobody sets goals.

    Attributes:
        experiment: By which it learns: ``standard_goals``, or ``standard_manager``.
        expert: Whose plans it imitates before, as ``standard_manager`` can; None for nobody's.
        episodes: Worlds in which they are recorded.
        seed: Of the first of these worlds.
        imitation: Over the ``agent`` section of the experiment ``standard_manager_imitation``.
        learning: The same of ``experiment``.
    """

    experiment: str
    expert: str | None
    episodes: PositiveInt
    seed: NonNegativeInt
    imitation: dict[str, Any]
    learning: dict[str, Any]


class CoordinatorStage(Stage):
    """L4's network is fitted to the heuristic teacher; only where a way to alpha needs it. Skipped, all alphas are 0
    until it learns.

    Attributes:
        width: Numbers that a negotiation becomes.
        heads: Of attention; they divide ``width + 32``.
        layers: Of attention.
        worlds: In which the teacher coordinates.
        epochs: Passes over their decisions.
        batch_size: Factories' decisions of a gradient step.
        learning_rate: Of Adam.
    """

    width: PositiveInt
    heads: PositiveInt
    layers: PositiveInt
    worlds: PositiveInt
    epochs: PositiveInt
    batch_size: PositiveInt
    learning_rate: PositiveFloat

    @model_validator(mode="after")
    def _heads_divide(self) -> Any:
        if (self.width + 32) % self.heads:
            raise ValueError(f"heads: {self.heads}; valid: what divides width + 32 = {self.width + 32}")
        return self


class OnlineStage(Stage):
    """The hierarchy plays worlds and learns from them; not where it is skipped, or another run takes its place.

    Attributes:
        worlds: To be played.
        critic: Sees ``own`` negotiation alone (IPPO), or ``all`` that ask for an answer (MAPPO).
        alpha: The way to alpha, see `scml_gym.agents.hrl_xf.alphas.ALPHAS`; ``learnt`` trains the coordinator too.
        past: Share of the other factories that past copies play.
        every: Worlds from one copy to the next.
        size: Copies that play, the last ones.
        check: Worlds after which it plays those that are held out again; the stage hands on the best of what it came
            to. 0 for what it ends with.
    """

    worlds: PositiveInt
    critic: Literal["own", "all"]
    alpha: str
    past: float = Field(ge=0, lt=1)
    every: PositiveInt
    size: PositiveInt
    check: NonNegativeInt

    @field_validator("alpha")
    @classmethod
    def _known(cls, alpha: str) -> str:
        ALPHAS.known(alpha)
        return alpha

    @property
    def exploring(self) -> dict[str, float]:
        """How it plays, see `scml_gym.agents.hrl_xf.hierarchy.Exploring`."""
        return {}


class DaggerStage(OnlineStage):
    """The executor learns what follows the manager's plan, wherever it comes to; and the critic what to expect.

    Attributes:
        led: Share of a rollout's worlds in which the plan is followed, in place of the executor.
        drawn: Share of the decisions whose alpha is drawn from all of its range.
        n_epochs: Passes over a rollout.
        batch_size: Decisions in negotiations of a gradient step.
        learning_rate: Of Adam, of the executor; it falls linearly to a tenth of it.
    """

    led: float = Field(ge=0, le=1)
    drawn: float = Field(ge=0, le=1)
    n_epochs: PositiveInt
    batch_size: PositiveInt
    learning_rate: PositiveFloat

    @property
    def exploring(self) -> dict[str, float]:
        """See `OnlineStage.exploring`."""
        return {"led": self.led, "drawn": self.drawn}


class LearningHyperparameters(Config):
    """How the hierarchy learns from what it plays.

    Attributes:
        n_worlds: Of a rollout; they are played to their ends.
        n_epochs: Passes over a rollout.
        batch_size: Decisions in negotiations of a gradient step.
        hidden: Units of the critic's layers.
        learning_rate: Of Adam, of the executor.
        coordinator_rate: Of the coordinator.
        critic_rate: Of the critic.
        max_grad_norm: Longer gradients of each are shortened to it.
        gamma: Discount from a decision of a negotiation to its next.
        gae_lambda: Of generalised advantages.
        clip_range: Of the ratio of probabilities.
        huber_delta: Where the critic's loss, in normalised returns, becomes linear.
        value_norm: See `scml_gym.agents.mappo.value_norms`.
        value_norm_decay: What a rollout leaves of the weight of earlier ones.
        alpha_noise: Standard deviation with which alpha is drawn, before the hyperbolic tangent.
    """

    n_worlds: PositiveInt
    n_epochs: PositiveInt
    batch_size: PositiveInt
    hidden: PositiveInt
    learning_rate: PositiveFloat
    coordinator_rate: PositiveFloat
    critic_rate: PositiveFloat
    max_grad_norm: PositiveFloat
    gamma: float = Field(ge=0, le=1)
    gae_lambda: float = Field(ge=0, le=1)
    clip_range: PositiveFloat
    huber_delta: PositiveFloat
    value_norm: Literal["popart", "running", "none"]
    value_norm_decay: float = Field(ge=0, lt=1)
    alpha_noise: PositiveFloat


class HRLXFHyperparameters(Config):
    """Of the learner ``hrl-xf``.

    Attributes:
        shared: Folder of what is recorded and pre-trained, for all runs that name it; None for the run's own.
        executor, manager, coordinator: The parts, see their classes.
        dagger, ippo, mappo, self_play: The stages in which they play together, in this order.
        alpha: The way to alpha of the trained agent.
        check_worlds: That are held out of these stages, see `OnlineStage.check`.
        learning: How it learns in these stages.
    """

    shared: str | None
    executor: ExecutorStage
    manager: ManagerStage
    coordinator: CoordinatorStage
    dagger: DaggerStage
    ippo: OnlineStage
    mappo: OnlineStage
    self_play: OnlineStage
    alpha: str
    check_worlds: PositiveInt
    learning: LearningHyperparameters

    @field_validator("alpha")
    @classmethod
    def _known(cls, alpha: str) -> str:
        ALPHAS.known(alpha)
        return alpha

    @model_validator(mode="after")
    def _somebody_plans(self) -> Any:
        if self.dagger.take == TRAIN and self.manager.take == SKIP:
            raise ValueError("dagger.take: 'train', without a manager whose plan it follows; valid: skip")
        return self

    @property
    def online(self) -> dict[str, OnlineStage]:
        """The stages in which the hierarchy learns, in order."""
        return {name: stage for name in ONLINE if (stage := getattr(self, name)).take == TRAIN}

    @property
    def fitted(self) -> bool:
        """Whether a way to alpha needs the coordinator's network."""
        ways = {self.alpha, *(stage.alpha for stage in self.online.values())}
        return any(ALPHAS.get(way).fitted for way in ways)
