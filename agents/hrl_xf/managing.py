"""The manager of L2: what a learner of ``StandardDaily-v0`` decides once a day, and what it makes of a decision.

Its goals may be of any form that a rule carries out (`scml_gym.standard.executors`): items by day, or the traits by
which a member of the stock family works them out anew at every decision. Either way they reach the executor as a plan
of the decision, see `scml_gym.agents.hrl_xf.planned`, in which the worst prices are those that the rule asks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scml_gym.agents.hrl_xf.planned import Plan, plan_of_answers
from scml_gym.core.errors import InputError
from scml_gym.game.exported_policies import EncodedPolicy, encoder_arguments
from scml_gym.standard.actions import make_daily_codec
from scml_gym.standard.envs.daily import StandardDailyEnv
from scml_gym.standard.executors import EXECUTORS
from scml_gym.standard.exported_policies import DAILY
from scml_gym.standard.observations import make_encoder
from scml_gym.standard.safety.answers import restrict_answers
from scml_gym.standard.view import StandardView


class ManagerSeat:
    """A manager in one factory of one world.

    Args:
        learner: Decides.
        env: The ``env`` section that it was trained with.
        shield: A bound, behind which its plans are safe; None for none.

    Raises:
        InputError: if its environment is another one, no rule carries its goals out, or it sees what no factory does.
    """

    def __init__(self, learner: Any, env: Mapping[str, Any], shield: str | None = None):
        if env.get("id") != DAILY:
            action = env.get("action", "goals")
            raise InputError(f"a manager with action={action!r} of {env.get('id')!r}; valid: a run of {DAILY!r}")
        codec: Any = make_daily_codec(env.get("action", "goals"))
        self._rule = EXECUTORS.get(codec.form.executor, "executor")()
        encoder = make_encoder(**encoder_arguments(StandardDailyEnv, env))
        self._policy, self._shield = EncodedPolicy(learner.predict, encoder, codec), shield
        self._day, self._goals = -1, None

    def begin(self, view: StandardView) -> None:
        """A world starts."""
        self._day, self._goals = -1, None
        self._policy.begin(view)

    def plan(self, view: StandardView) -> Plan:
        """What is to be done now; the goals are set at the first decision of a day."""
        if self._day != view["day"]:
            self._day, self._goals = int(view["day"]), self._policy.decide(view)
        answers = self._rule.act(view, self._goals)
        if self._shield is not None:
            restrict_answers(view, answers, self._shield)
        return plan_of_answers(view, answers)

    def end_day(self, view: StandardView) -> None:
        """The day's negotiations are over."""
        self._policy.end_day(view)
