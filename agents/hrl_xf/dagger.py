"""What a stage learns from its rollouts: to follow the manager's plan, or what pays, by its name in `LESSONS`."""

from __future__ import annotations

from collections.abc import Callable

from scml_gym.agents.decision_transformer.fitting import measure_new
from scml_gym.agents.hrl_xf.agent_hyperparameters import DaggerStage, OnlineStage
from scml_gym.agents.hrl_xf.improving import Improving, Rollout

LAST_RATE = 0.1
"""Of the first learning rate, when the last worlds are played."""

Lesson = Callable[[Rollout, int], dict[str, float]]
"""``(rollout, worlds) -> measured``: learns from a rollout before which so many worlds were played."""


def follow_plan(improving: Improving, stage: DaggerStage, begun: int) -> Lesson:
    """To follow the plan, at a rate that falls; ``begun`` worlds were played before the stage.

    What the executor was never told before, as its part of a plan, is measured by the first rollout.
    """

    def learn(rollout: Rollout, worlds: int) -> dict[str, float]:
        if worlds == begun:
            measure_new(improving.network, rollout.sequences.observations)
        done = (worlds - begun) / stage.worlds
        rate = stage.learning_rate * (1.0 - (1.0 - LAST_RATE) * done)
        return improving.follow(rollout, stage, rate, worlds)

    return learn


def improve(improving: Improving, stage: OnlineStage, begun: int) -> Lesson:
    """What pays."""
    return improving.update


LESSONS: dict[str, Callable[..., Lesson]] = {
    "dagger": follow_plan,
    **dict.fromkeys(("ippo", "mappo", "self_play"), improve),
}
"""Of each stage: ``(improving, stage, begun) -> lesson``."""
