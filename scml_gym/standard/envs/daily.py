"""StandardDaily: one decision a day, goals that an executor carries out in all negotiations."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from gymnasium.utils import EzPickle

from scml_gym.core.arguments import check_render_mode, named_arguments
from scml_gym.game.daily import DailyWorld
from scml_gym.game.env import EnvParts, WorldEnv
from scml_gym.game.world import Drawn
from scml_gym.standard.actions import DAILY_ACTIONS, Goals
from scml_gym.standard.actions.safe import ShieldedGoals
from scml_gym.standard.envs.config import StandardConfig
from scml_gym.standard.executors import MakeExecutor, executor_for
from scml_gym.standard.observations import make_encoder
from scml_gym.standard.planner import N_GOALS
from scml_gym.standard.render import RENDER_MODES, render_day
from scml_gym.standard.rewards import Reward, make_reward
from scml_gym.standard.view import StandardView


@named_arguments(StandardConfig)
class StandardDailyEnv(WorldEnv, EzPickle):
    """One decision a day for a factory in SCML's Standard track: how much to buy and to sell, and at which prices.

    ## Description
    The worlds are those of ``scml_gym/StandardConcurrent-v0``. Here the learner does not answer its partners: once a
    day, when its factory is first asked, it sets goals for each side and for groups of delivery days, and an *executor*
    answers all partners by them until the day is over. The planner, the default executor, takes standing offers within
    the price limits and asks the other partners for what is left, so that all offers together never exceed the goals.
    So an episode has as many steps as days on which the factory is asked.

    In the league nothing ever leaves a factory's stock (``stock="league"``): ten items that were bought once are
    material for every later day. ``stock="physical"`` takes what is produced out of stock; nothing else differs. Say
    with each result which rule it is of.

    ## Action Space
    ``action="goals"``: ``MultiDiscrete([8, 4] * 8)``: for buying, then for selling, and there for today, 1 to 3, 4 to 6
    and 7 to 10 days from today, a quantity (0 to twice the lines) and the worst price that is taken and asked for (any
    price of today's range to only the best one). ``action="goals-continuous"``: ``Box(-1, 1, (2, 4, 2))``, the same as
    numbers. ``action="goals-by-day"``, with ``executor="planner-by-day"``: ``MultiDiscrete([8, 4] * 22)``, the same for
    each of the eleven delivery days, with quantities from 0 to 1.5 times what the lines make on it; as numbers
    (``"goals-by-day-continuous"``) ``Box(-1, 1, (2, 11, 2))``. ``action="goals-by-bucket"``, with
    ``executor="planner-by-bucket"``: ``MultiDiscrete([8, 4] * 6)``, for 0 to 2, 3 to 7 and 8 to 10 days from today.
    ``action="traits"``, with ``executor="stock"``: ``MultiDiscrete([3, 4, 3, 3, 3, 2, 2, 3])``, how a member
    of the stock family plays the day, see `scml_gym.standard.actions.traits.CHOSEN`: how much material it holds, how
    many days ahead it sells, and for which prices. ``info["action_mask"]`` holds the valid choices as
    ``action_space.sample(mask=...)`` takes them. Every action can be carried out.

    ## Observation Space
    That of ``scml_gym/StandardConcurrent-v0``, at the first decision of the day. ``observation="plan"`` shows in place
    of each partner what all of them offer and ask for each day, and the balance by day: ``Box(1, 137)``.

    ## Rewards
    By default the daily profits settled since the last decision, divided by the initial balance, so that the
    undiscounted return of an episode is the league's score - 1; ``reward`` as in ``scml_gym/StandardConcurrent-v0``.

    ## Starting State
    ``reset(seed=s)`` draws a world, the learner's factory and its opponents from ``s``; an unseeded ``reset()`` goes on
    with the next world of that stream. The first day's goals are due.

    ## Episode End
    ``terminated`` at the end of the world's last day. A bankrupt factory decides no more: the world runs on to its end,
    and the last reward has all that still happens to the factory. ``truncated`` is always False.

    ## Information
    At every step ``action_mask``, and with a ``shield`` ``shielded``, int64 ``(16,)``: how many of the executor's
    answers to each partner it has changed in this step. With the last step of a world only: ``score``, ``profit``
    (money), ``agreements``, ``negotiations``, ``invalid_actions``, ``decisions`` (of the executor) and ``bankrupt``.

    ## Arguments
    Those of `scml_gym.standard.envs.config.StandardConfig`, and ``observability``, ``observation``, ``history``,
    ``action``, ``reward``, ``executor`` (``"planner"``, ``"planner-by-day"`` and ``"planner-by-bucket"`` for these
    goals, ``"stock"`` for traits, or what makes a `scml_gym.game.daily.Executor` for each world), ``render_mode``
    (``"ansi"`` or ``"rgb_array"``).

    ## Version History
    v0: the first version. A v1 is made when the same seed and actions no longer give the same observations, rewards and
    ends. New arguments whose defaults keep them, further keys of the infos, and changes of speed make no new version.

    ## Example
    ```python
    import gymnasium
    import scml_gym

    env = gymnasium.make("scml_gym/StandardDaily-v0", level="last", days=5, stock="physical")
    observation, info = env.reset(seed=7)
    done = False
    while not done:
        action = env.action_space.sample(mask=info["action_mask"])
        observation, reward, terminated, truncated, info = env.step(action)
        done = terminated or truncated
    print(info["score"])
    ```

    Raises:
        InputError: for an unknown name or a value of the wrong type.
    """

    metadata = {"render_modes": list(RENDER_MODES), "render_fps": 4}

    def __init__(
        self,
        observability: str = "partial",
        observation: str = "flat",
        history: int = 0,
        action: str = "goals",
        reward: str | Reward = "daily-profit",
        executor: str | MakeExecutor = "planner",
        render_mode: str | None = None,
        **arguments: Any,
    ):
        EzPickle.__init__(self, observability, observation, history, action, reward, executor, render_mode, **arguments)
        self.config = StandardConfig(**arguments)
        goals = DAILY_ACTIONS.get(action, "action")()
        self._make_executor = executor_for(executor, goals)
        n_goals = goals.form.n_goals if isinstance(goals, Goals) else N_GOALS
        if self.config.shield is not None or self.config.audit:
            goals = ShieldedGoals(goals, self.config.shield, self.config.audit)
        parts = EnvParts(
            draw=self._draw_daily,
            encoder=make_encoder(observability, observation, history),
            codec=goals,
            reward=make_reward(reward),
            no_ops=partial(np.zeros, n_goals),
            validate=accept_all,
            render=render_day,
        )
        WorldEnv.__init__(self, parts, render_mode=check_render_mode(render_mode, RENDER_MODES))

    @property
    def factory(self) -> int:
        """The learner's factory in the world that is played."""
        return self.player

    def _draw_daily(self, seed: int) -> Drawn:
        drawn = self.config.draw(seed)
        executors = {i: self._make_executor() for i in drawn.players}
        if isinstance(self.codec, ShieldedGoals):
            executors = {i: self.codec.shield(executor) for i, executor in executors.items()}
        return Drawn(DailyWorld(drawn.world, executors), drawn.players)


def accept_all(view: StandardView, goals: np.ndarray) -> None:
    """All goals can be carried out."""
