"""The hyperparameters of tabular Q-learning; their defaults stand in configs/agent/q_learning.yaml."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from scml_gym.core.config import Config
from scml_gym.oneshot.actions.negotiation import PartnerActions
from scml_gym.oneshot.observations.negotiation import PartnerStates, StateKind
from scml_gym.oneshot.rewards.negotiation import Costs, NegotiationReward, Scaling


class States(Config):
    """The states of a negotiation (section 2.1.2 of the paper); see
    `scml_gym.oneshot.observations.negotiation.PartnerStates`."""

    kind: StateKind
    quantity_bins: int = Field(ge=1, le=50)
    price_bins: int = Field(ge=1, le=50)
    needs_bins: int = Field(ge=1, le=50)
    time_bins: int = Field(ge=1, le=50)

    def states(self) -> PartnerStates:
        """The encoder of states."""
        return PartnerStates(self.kind, self.quantity_bins, self.price_bins, self.needs_bins, self.time_bins)

    def actions(self) -> PartnerActions:
        """The decoder of actions; offers have the bins of the states."""
        return PartnerActions(self.quantity_bins, self.price_bins)


class Rewards(Config):
    """The reward of a negotiation (2.1.4); see `scml_gym.oneshot.rewards.negotiation.NegotiationReward`.

    ``settle``: ``"negotiation"`` gives it when the negotiation ends, with the needs of that moment, as the paper;
    ``"day"`` when the day is over, with the needs that were left then.
    """

    profit: float
    deviation: float
    scaling: Scaling
    costs: Costs
    end_needs: float
    end_gap: float
    relative: bool
    settle: Literal["negotiation", "day"]

    def reward(self) -> NegotiationReward:
        """The reward function."""
        return NegotiationReward(**self.model_dump(exclude={"settle"}))


class Initialisation(Config):
    """Q-values before any learning (2.2.a), in units of reward; ``preference`` 0 makes a table of zeros.

    ``preference`` is the value of an item traded at the best price, ``price_step`` the share of it that the worst price
    loses, ``excess`` the cost of an item beyond the needs.
    """

    preference: float
    price_step: float = Field(ge=0, le=1)
    excess: float = Field(ge=0)


class Learning(Config):
    """Training: ``rate`` is the floor of the learning rate ``max(rate, visits / (visits + n))`` of the n-th visit.

    The probability of exploring falls linearly from ``epsilon_start`` to ``epsilon_end`` over the share
    ``epsilon_until`` of the training (2.1.1, item 3). ``backward``: a negotiation's steps are updated when it is
    over, the last one first, so that its reward reaches the first step at once; else each when the next is taken.
    """

    gamma: float = Field(ge=0, le=1)
    rate: float = Field(gt=0, le=1)
    visits: float = Field(gt=0)
    epsilon_start: float = Field(ge=0, le=1)
    epsilon_end: float = Field(ge=0, le=1)
    epsilon_until: float = Field(gt=0, le=1)
    backward: bool


class Play(Config):
    """Deployment: whether tables go on learning in a world, each opponent its own copy of the pre-trained one.

    ``pretrained`` False starts each world from the initial table; epsilon falls linearly over the world's days.
    """

    pretrained: bool
    learn: bool
    per_opponent: bool
    rate: float = Field(ge=0, le=1)
    epsilon_start: float = Field(ge=0, le=1)
    epsilon_end: float = Field(ge=0, le=1)


class Heuristics(Config):
    """Constraints on selection (2.2.d); see `scml_gym.agents.q_learning.selection`."""

    margin: int | None = Field(ge=0)
    reserve: float | None = Field(ge=0, le=1)
    greedy_first: float = Field(ge=0, le=1)
    offered_share: float = Field(ge=0, le=1)
    order: Literal["value", "slot", "random"]


class Training(Config):
    """What is played while learning; weights of the kinds of worlds, see `scml_gym.agents.q_learning.training`.

    ``worlds`` in all; ``log_every`` worlds make a row of the learning curve and may end with a checkpoint; ``seats``
    the share of the factories that learn in worlds with opponents.
    """

    worlds: int = Field(ge=1)
    log_every: int = Field(ge=1)
    seats: float = Field(gt=0, le=1)
    self_play: float = Field(ge=0)
    single: float = Field(ge=0)
    mixed: float = Field(ge=0)


class QLearningHyperparameters(Config):
    """The ``agent`` section of an experiment with tabular Q-learning."""

    states: States
    reward: Rewards
    initialisation: Initialisation
    learning: Learning
    play: Play
    heuristics: Heuristics
    training: Training
