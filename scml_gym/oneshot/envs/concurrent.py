"""OneShotConcurrent: all negotiations of a factory's day, answered by one joint action."""

from __future__ import annotations

from typing import Any, Literal

import gymnasium
import numpy as np
from gymnasium.utils import EzPickle

from scml_gym.core.arguments import flag, named_arguments
from scml_gym.core.errors import InputError, require_reset
from scml_gym.core.masks import sampling_mask
from scml_gym.oneshot.actions.factory import ACTIONS
from scml_gym.oneshot.envs.config import MOST_WORLDS, Drawn, OneShotConfig
from scml_gym.oneshot.observations.factory import make_encoder
from scml_gym.oneshot.render import RENDER_MODES, check_render_mode, render_day
from scml_gym.oneshot.rewards.factory import Reward, Transition, make_reward
from scml_gym.oneshot.rewards.hindsight import compiled_ideal_profit
from scml_gym.oneshot.rules import validate
from scml_gym.oneshot.view import ActionArray, FactoryView, new_actions


@named_arguments(OneShotConfig)
class OneShotConcurrentEnv(gymnasium.Env, EzPickle):
    """All negotiations of one factory's day in SCML OneShot, answered by one joint action.

    ## Description
    The learner is one factory of a real `SCML2024OneShotWorld`: a seller (level 0) turns exogenous supplies into
    products and sells them to the buyers (level 1), or a buyer sells exogenously what it makes of the products it buys.
    Every day it negotiates with every factory of the other level at once, over quantity and unit price. A step is one
    decision of the learner; the world runs on to its next one. In ``timing="rounds"`` (the league's) it decides
    exactly where scml's ``OneShotSyncAgent`` would; in ``"moves"`` (the league's RL mode) whenever it is its turn in
    some negotiation. The last simulated day is played. The same seed gives the same episode in every process (with
    opponents from ``scml:``, under the same PYTHONHASHSEED).

    ## Action Space
    ``action="choice"``: ``MultiDiscrete([22] * 8)``: for each partner 0 to end the negotiation (a no-op where the
    partner is idle or not there), 1 to accept its standing offer, else an offer, quantity-major: ``2 + (quantity - 1)
    * 2 + price index`` with price index 0 for the lowest and 1 for the highest price of the day's range.
    ``action="continuous"``: ``Box(-1, 1, (8, 3))``: for each partner the response (below -1/3 end, above 1/3 accept,
    else offer), the quantity and the price, mapped linearly to today's ranges.
    ``info["action_mask"]`` holds the valid choices as ``action_space.sample(mask=...)`` takes them, a tuple of 8 int8
    arrays of shape ``(22,)``; ``action_masks()`` has the same end to end as sb3-contrib takes them, bool, shape
    ``(176,)``. No dimension is ever all false. An invalid answer ends that negotiation and is counted; with
    ``strict=True`` it raises. Any form registered in `scml_gym.oneshot.actions.factory.ACTIONS` may be named.

    ## Observation Space
    ``observation="flat"``: ``Box`` of float32, 95 slots: 15 of the factory and 10 of each of 8 partners, each with
    name, range and meaning in ``env.unwrapped.encoder.slots``. ``observation="dict"``: the same as named blocks.
    ``observation="entities"``: ``Box`` of float32, shape ``(9, 16)``: a row for the factory, then one for each partner,
    whose first column is 1 for the factory and 0 for a partner; shorter rows end in zeros.
    ``history=k`` adds the offers of the last k decisions. ``observability="full"`` adds 10 private numbers of each of
    16 factories, which makes the game an MDP for fixed opponents without memory; ``"partial"`` is the POMDP.
    ``"entities"`` has neither.

    ## Rewards
    By default the daily profits settled since the last decision, divided by the initial balance, so that the
    undiscounted return of an episode is the league's score - 1 (``reward="daily-profit"``).
    ``"regret"`` is (profit - ideal profit) / initial balance of each day settled, at most 0: the ideal is what the day
    could have brought at best (`scml_gym.oneshot.rewards.hindsight.hindsight_profit`), so that what luck gave or took
    is no reward. ``"negotiations"`` is the 2021 Q-learning paper's reward of each negotiation, ``"shaped-profit"`` the
    profit shaped by the needs left; any `scml_gym.oneshot.rewards.factory.Reward` may be given.

    ## Starting State
    ``reset(seed=s)`` draws a world, the learner's factory and its opponents from ``s``; an unseeded ``reset()`` goes on
    with the next world of that stream. The first decision of the first day is due.
    With ``episode="day"`` an unseeded ``reset()`` goes on with the running world's next day on which the learner is
    asked, and with the next world where there is none; what is still being negotiated on an unfinished day is ended.
    The history of observations goes on from day to day.

    ## Episode End
    ``terminated`` at the end of the world's last day. A bankrupt factory decides no more: the world runs on to its end
    and the episode terminates with all that still happens to it. With ``episode="day"`` each day is an episode:
    ``terminated`` when the learner's day is over, with that day's last view as the observation and that day's reward.
    Days on which it is never asked, such as all those after a bankruptcy, are no episodes and in no reward.
    ``truncated`` is always False; use ``gymnasium.make(..., max_episode_steps=...)`` for a cut.

    ## Information
    At every step ``action_mask`` and ``ideal_profit`` (money): the sum over the days that ended with this step, 0 where
    none did. With the last step of a world alone ``score``, ``profit`` (money), ``agreements``, ``negotiations``,
    ``invalid_actions``, ``decisions`` and ``bankrupt``, of the whole world.

    ## Arguments
    Those of `scml_gym.oneshot.envs.config.OneShotConfig` (``level``, ``opponents``, ``days``, ``factories_per_level``,
    ``generator``, ``spec``, ``timing``, ``backend``), and ``observability``, ``observation``, ``history``, ``action``,
    ``reward``, ``episode`` (``"world"`` or ``"day"``), ``strict``, ``render_mode`` (``"ansi"`` or ``"rgb_array"``).

    ## Example
    ```python
    import gymnasium
    import scml_gym

    env = gymnasium.make("scml_gym/OneShotConcurrent-v0", level="buyer", days=3)
    observation, info = env.reset(seed=7)
    done = False
    while not done:
        action = env.action_space.sample(mask=info["action_mask"])
        observation, reward, terminated, truncated, info = env.step(action)
        done = terminated or truncated
    print(info["score"])
    ```

    Raises:
        InputError: for an unknown name or a value of the wrong form; in strict mode for an invalid action; with
            ``episode="day"`` where nobody asks the learner in any of many worlds.
    """

    metadata = {"render_modes": list(RENDER_MODES), "render_fps": 4}

    def __init__(
        self,
        observability: str = "partial",
        observation: str = "flat",
        history: int = 0,
        action: str = "choice",
        reward: str | Reward = "daily-profit",
        episode: Literal["world", "day"] = "world",
        strict: bool = False,
        render_mode: str | None = None,
        **setting: Any,
    ):
        EzPickle.__init__(
            self, observability, observation, history, action, reward, episode, strict, render_mode, **setting
        )
        if episode not in ("world", "day"):
            raise InputError(f"episode={episode!r}; valid: world, day", "episode")
        self.setting = OneShotConfig(**setting)
        self.encoder = make_encoder(observability, observation, history)
        self.codec = ACTIONS.get(action, "action")()
        self.reward = make_reward(reward)
        self.strict = flag("strict", strict)
        self.render_mode = check_render_mode(render_mode)
        self.observation_space = self.encoder.space
        self.action_space = self.codec.space
        self._per_day = episode == "day"
        self._drawn: Drawn | None = None
        self._begun = False

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Draw the next world and run it to the learner's first decision, or go on to the next day."""
        super().reset(seed=seed)
        begun, self._begun = self._begun, False
        if seed is not None or not self._per_day or not begun or not self._next_day():
            self._draw()
        self._seen = self.view
        self._day = int(self.view["day"])
        self.reward.reset(self.view)
        self._begun = True
        return self.encoder.encode(self._seen, self._hidden_state()), self._info([])

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Answer all partners and run on to the next decision."""
        if not self._begun:
            raise gymnasium.error.ResetNeeded("call reset before step")
        before = self.view.copy()
        if self.world.pending:  # else nobody ever asked the learner, and the only step settles the whole world
            actions = self.codec.decode(np.asarray(action), self.view)
            if self.strict:
                validate(self.view, actions)
            self._answer(actions)
        closed, self._closed = self._closed, []
        if self._per_day:
            closed = [last for last in closed if last["day"] == self._day]
        first = int(closed[0]["day"]) if closed else 0
        profits = self.world.profits[self.factory, first : first + len(closed)]
        done = bool(closed) if self._per_day else self.world.done
        self._seen = closed[-1] if self._per_day and done else self.view
        reward = self.reward(Transition(before, self._seen, closed, profits, done))
        encode = self.encoder.encode_last if done else self.encoder.encode
        return encode(self._seen, self._hidden_state()), float(reward), done, False, self._info(closed)

    @property
    def view(self) -> FactoryView:
        """What the learner's factory sees now: a live record."""
        require_reset(self._drawn is not None, "view")
        return self.world.view(self.factory)

    def action_masks(self) -> np.ndarray:
        """The valid choices, bool, shape ``(sum of the dimensions,)``, as sb3-contrib takes them."""
        require_reset(self._begun, "action_masks")
        return self.codec.mask(self._seen)

    def sample_mask(self) -> tuple[np.ndarray, ...]:
        """The same mask as ``action_space.sample(mask=...)`` takes it: an int8 array for each dimension."""
        return sampling_mask(self.action_masks(), self.action_space)

    def close(self) -> None:
        """End the running world; ``reset`` draws another one."""
        self._begun = False
        if self._drawn is not None:
            self._drawn.world.close()
            self._drawn = None

    def render(self) -> Any:
        """The day as text (``"ansi"``) or as a picture (``"rgb_array"``, uint8, shape ``(height, width, 3)``)."""
        if self.render_mode is None:
            return None
        require_reset(self._begun, "render")
        return render_day(self._seen, self.render_mode)

    def _draw(self) -> None:
        """The next world, run to the learner's first decision."""
        for _ in range(MOST_WORLDS):
            self._drawn = self.setting.draw(int(self.np_random.integers(2**62)))
            self.world, (self.factory,) = self._drawn.world, self._drawn.factories
            self._closed: list[FactoryView] = []
            self.encoder.reset()
            self.codec.reset()
            self.world.start()
            self._collect()
            if self.world.pending or not self._per_day:
                return
        raise InputError(f'episode="day": in {MOST_WORLDS} worlds in a row nobody asked the learner for an answer')

    def _next_day(self) -> bool:
        """Run on to the first decision of the next day; False where there is none in the running world."""
        while self.world.pending and self.view["day"] == self._day:
            self._answer(new_actions())  # where an answer is due, a no-op ends the negotiation
        self._closed = []
        return bool(self.world.pending)

    def _answer(self, actions: ActionArray) -> None:
        self.world.step({self.factory: actions})
        self._collect()

    def _collect(self) -> None:
        """Take the last views of the days that ended."""
        for last in self.world.closed_days(self.factory):
            self.codec.end_day(last)
            self._closed.append(last)

    def _hidden_state(self) -> np.ndarray | None:
        return self.world.hidden_state() if self.encoder.full else None

    def _info(self, closed: list[FactoryView]) -> dict[str, Any]:
        ideal = float(sum(compiled_ideal_profit(last) for last in closed))
        info: dict[str, Any] = {
            "action_mask": sampling_mask(self.codec.mask(self._seen), self.action_space),
            "ideal_profit": ideal,
        }
        if self.world.done:
            info |= self.world.summary(self.factory)
        return info
