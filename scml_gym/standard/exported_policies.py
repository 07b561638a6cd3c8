"""What was learnt in an environment of the Standard track, as a player of a factory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scml_gym.core.calls import Call, Given, call, made
from scml_gym.game.codecs import ActionCodec, Encoder
from scml_gym.game.daily import Executor
from scml_gym.game.exported_policies import EncodedPolicy, encoder_arguments
from scml_gym.game.world import FactoryPolicy, Predict
from scml_gym.standard.envs.concurrent import StandardConcurrentEnv
from scml_gym.standard.envs.daily import StandardDailyEnv
from scml_gym.standard.view import ActionArray, StandardView

DAILY = "scml_gym/StandardDaily-v0"
"""The environment whose learners set goals once a day."""


class DailyPolicy(EncodedPolicy):
    """A policy that sets goals when its factory is first asked on a day, and the executor that carries them out.

    Args:
        predict: The policy.
        encoder: What it is shown.
        codec: What its actions mean: goals.
        executor: Answers the partners.
        deterministic: Whether to take the policy's best action rather than to sample.
    """

    def __init__(
        self, predict: Predict, encoder: Encoder, codec: ActionCodec, executor: Executor, deterministic: bool = True
    ):
        super().__init__(predict, encoder, codec, deterministic)
        self._executor = executor
        self._before: list[StandardView] | None = []
        self._day, self._goals = -1, None

    def begin(self, view: StandardView) -> None:
        """A new world; its executor begins with the first decision, as in the environment."""
        super().begin(view)
        self._before, self._day = [], -1

    def act(self, view: StandardView) -> ActionArray:
        """The executor's answers, by the goals of the day."""
        if self._before is not None:
            self._executor.begin(view)
            for last in self._before:
                self._executor.end_day(last)
            self._before = None
        if self._day != view["day"]:
            self._day, self._goals = int(view["day"]), self.decide(view)
        return self._executor.act(view, self._goals)

    def end_day(self, view: StandardView) -> None:
        """The executor sees what came of the day, and so does the action codec."""
        if self._before is None:
            self._executor.end_day(view)
        else:
            self._before.append(view.copy())
        super().end_day(view)


def export_policy(predict: Predict, env: Mapping[str, Any], deterministic: bool = True) -> FactoryPolicy:
    """The player that answers as a policy would in its environment; see `scml_gym.game.definition.Game.policy`.

    Raises:
        InputError: if it was trained in full observability, which no factory of the league has; for a misspelt argument
            of the environment.
    """
    return made(policy_form(env), predict=predict, deterministic=deterministic)


def policy_form(env: Mapping[str, Any]) -> Call:
    """How that player is made of ``predict``, without the environment; see `scml_gym.game.definition.Game.forms`.

    Raises:
        InputError: as `export_policy`.
    """
    daily = env.get("id") == DAILY
    seen = encoder_arguments(StandardDailyEnv if daily else StandardConcurrentEnv, env)
    encoder = call("scml_gym.standard.observations:make_encoder", **seen)
    if not daily:
        codec = call("scml_gym.standard.actions:make_codec", env.get("action", "choice"))
        return call(
            "scml_gym.game.exported_policies:EncodedPolicy", Given("predict"), encoder, codec, Given("deterministic")
        )
    codec = call("scml_gym.standard.actions:make_daily_codec", env.get("action", "goals"))
    executor = call(call("scml_gym.standard.executors:executor_maker", env.get("executor", "planner")))
    name = "scml_gym.standard.exported_policies:DailyPolicy"
    return call(name, Given("predict"), encoder, codec, executor, Given("deterministic"))
