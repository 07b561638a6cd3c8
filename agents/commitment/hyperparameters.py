"""The hyperparameters of the learners for games; their defaults stand in configs/agent/."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from scml_gym.core.config import Config


class Decay(Config):
    """A number that falls linearly from ``start`` to ``floor`` in the first ``updates`` updates and stays there."""

    start: NonNegativeFloat
    floor: NonNegativeFloat
    updates: PositiveInt

    def at(self, update: int) -> float:
        """Its value in an update, counted from 0."""
        share = min(1.0, update / self.updates)
        return self.start + (self.floor - self.start) * share


class PositiveDecay(Decay):
    """A `Decay` that never comes to 0, for what is divided by."""

    start: PositiveFloat
    floor: PositiveFloat


class GameHyperparameters(Config):
    """What all learners for games have.

    ``updates`` in all, each of about ``batch`` decisions (whole episodes); ``log_every`` updates make a row of the
    learning curve. ``hidden`` units in each of two layers. ``scale`` divides rewards before anything is learnt from
    them (at least 1e-6), so that one pair of rates and one entropy serve games of any size. ``entropy`` is the weight
    of the policies' entropy, in scaled rewards.
    """

    updates: PositiveInt
    batch: PositiveInt
    log_every: PositiveInt
    hidden: PositiveInt
    actor_rate: PositiveFloat
    critic_rate: PositiveFloat
    gamma: float = Field(ge=0, le=1)
    scale: float = Field(ge=1e-6)
    entropy: Decay

    def episodes(self, horizon: int) -> int:
        """Whole episodes of a batch, at least one."""
        return max(1, self.batch // horizon)

    def shortened(self, share: float) -> Self:
        """The same course of training in a share of the updates: schedules and rows of the curve are scaled with them.

        Nothing becomes less than 1 update.
        """
        changed: dict[str, Any] = {name: _part(getattr(self, name), share) for name in ("updates", "log_every")}
        for name, value in self:
            if isinstance(value, Decay):
                changed[name] = value.model_copy(update={"updates": _part(value.updates, share)})
        return self.model_copy(update=changed)


class DCLHyperparameters(GameHyperparameters):
    """Differentiable commitment learning.

    ``constraint`` is lambda, the weight of the incentive-compatible constraint: 0 is DCL, 1 DCL-IC. ``information``:
    others' policies and critics are seen (centralised) or estimated (decentralised, with ``estimate_rate``).
    ``temperature`` is of the Gumbel-softmax. ``baseline``: what is subtracted from Q, nothing or its expectation under
    the action policies; see `scml_gym.agents.commitment.policy_gradient_terms`. The factors are the lemma's or those of
    known implementations (`ACTION_FACTORS`, `OTHERS_FACTORS`).
    """

    constraint: NonNegativeFloat
    information: Literal["centralised", "decentralised"]
    estimate_rate: PositiveFloat
    temperature: PositiveFloat
    baseline: Literal["none", "no-agreement"]
    action_factor: Literal["lemma", "mutual", "none"]
    commitment_factor: Literal["lemma", "mutual", "none"]
    proposal_factor: Literal["lemma", "mutual", "none"]


class IPPOHyperparameters(GameHyperparameters):
    """Independent PPO: ``clip`` and ``epochs`` over each batch; ``trace`` is lambda of the generalised advantages."""

    clip: PositiveFloat
    epochs: PositiveInt
    trace: float = Field(ge=0, le=1)


class MediatedHyperparameters(GameHyperparameters):
    """Mediated MARL: ``multiplier_rate`` of the constraint's multipliers, which stay below ``multiplier_most``."""

    multiplier_rate: NonNegativeFloat
    multiplier_most: NonNegativeFloat


class MOCAHyperparameters(GameHyperparameters):
    """MOCA: ``subgame`` is the share of the updates that trains actions under drawn contracts.

    A contract's payments lie in 0 to ``payment``, in the game's rewards; ``no_contract`` of the drawn contracts are
    none. ``spread`` is the standard deviation of proposals, before they are squashed; ``explore`` is the share of them
    that is drawn at random instead, so that acceptance is learnt for contracts of all kinds.
    """

    subgame: float = Field(gt=0, lt=1)
    payment: PositiveFloat
    no_contract: float = Field(gt=0, lt=1)
    spread: PositiveDecay
    explore: Decay


def _part(updates: int, share: float) -> int:
    return max(1, round(updates * share))
