"""OneShotBilateral: one partner's negotiation as an MDP, the other partners answered by a strategy."""

from __future__ import annotations

from typing import Any, Literal

import gymnasium
import numpy as np
from gymnasium.utils import EzPickle

from scml_gym.core.arguments import check_render_mode, flag, named_arguments, one_of, whole
from scml_gym.core.errors import InputError, require_reset
from scml_gym.core.masks import sampling_mask
from scml_gym.core.threads import WrongThreadError, one_thread
from scml_gym.game.codecs import read_choice
from scml_gym.game.env import MOST_WORLDS
from scml_gym.game.rewards import finite
from scml_gym.oneshot.envs.config import OneShotConfig, answered_together
from scml_gym.oneshot.envs.partner_codec import PartnerCodec, draw_partner, negotiation_reward, open_partners
from scml_gym.oneshot.render import RENDER_MODES, render_day
from scml_gym.oneshot.rewards.negotiation import NegotiationReward
from scml_gym.oneshot.rewards.negotiation_ends import NegotiationEnd, PartnerTracker
from scml_gym.oneshot.rules import validate
from scml_gym.oneshot.strategies import STRATEGIES
from scml_gym.oneshot.strategies.base import StrategyPolicy
from scml_gym.oneshot.view import ActionArray, FactoryView, new_actions


@named_arguments(OneShotConfig)
class OneShotBilateralEnv(gymnasium.Env, EzPickle):
    """The negotiation with one partner of a factory in SCML OneShot, as the 2021 Q-learning paper models it.

    ## Description
    The learner negotiates for its factory with one partner a day. A strategy of this package answers the factory's
    other partners in the same decisions, so that needs change meanwhile, as they would in the league. One negotiation
    is one episode (``episode="negotiation"``, the paper's): an unseeded ``reset()`` goes on to the next negotiation of
    the running world, with a partner drawn anew, and to the next world where that one is over. If a ``reset()`` comes
    before the negotiation has ended, the strategy finishes it. With ``episode="world"`` the partner stays and the world
    is the episode.

    ## Action Space
    ``Discrete(22)``: 0 ends the negotiation (a no-op while it is not the learner's turn), 1 accepts the standing offer,
    the rest offer, quantity-major: ``2 + (quantity - 1) * 2 + price index``, price index 0 for the lowest and 1 for the
    highest price of the day. ``info["action_mask"]`` holds the valid ones as ``action_space.sample(mask=...)``
    takes them, int8, shape ``(22,)``; ``action_masks()`` the same as sb3-contrib takes them, bool.

    ## Observation Space
    The paper's discrete states, in bins that do not depend on the world's prices, as one index:
    ``observation="needs"``: ``Discrete(13)``; ``"offer"``, (needs, their offer): ``Discrete(233)``; ``"full"``, the
    default, (needs, my last offer, their offer): ``Discrete(4853)``. The last two indices are the terminal states
    ACCEPT and END.
    ``observation="flat"``: ``Box`` of float32, 25 features, listed below.

    ## Rewards
    The paper's reward at the end of a negotiation (section 2.1.4), 0 before; ``reward`` takes any
    `scml_gym.oneshot.rewards.negotiation.NegotiationReward`.

    ## Starting State
    ``reset(seed=s)`` draws a world and a partner from ``s``; the first decision of the negotiation is due. The partners
    of a world's negotiations are a function of the world's seed and of how many were played in it.

    ## Episode End
    ``terminated`` when the negotiation has ended, or with ``episode="world"`` after the world's last day.
    ``truncated`` is always False.

    ## Information
    At every step ``action_mask`` and ``partner`` (its index). Only where a negotiation ended, ``negotiation_end``: a
    dict of ``quantity`` and ``price`` (0 without agreement), ``needs`` (what it left) and ``reward``. With the last
    step only: ``score``, ``profit`` (money), ``agreements``, ``negotiations``, ``decisions``, ``invalid_actions`` and
    ``bankrupt`` of the factory, in its world so far.

    ## Arguments
    Those of `scml_gym.oneshot.envs.config.OneShotConfig`, and ``partner`` (its index, or None to draw it), ``others``
    (the strategy that answers the other partners), ``observation``, ``quantity_bins``, ``price_bins``, ``reward``,
    ``episode``, ``strict``, ``render_mode``.

    ## Version History
    v0: the first version. A v1 is made when the same seed and actions no longer give the same observations, rewards and
    ends. New arguments whose defaults keep them, further keys of the infos, and changes of speed make no new version.

    ## Example
    ```python
    import gymnasium
    import scml_gym

    env = gymnasium.make("scml_gym/OneShotBilateral-v0", level="seller", days=3)
    state, info = env.reset(seed=7)
    terminated = False
    while not terminated:
        action = env.action_space.sample(mask=info["action_mask"])
        state, reward, terminated, truncated, info = env.step(action)
    print(reward, info["negotiation_end"])
    ```

    Raises:
        InputError: for an unknown name or a value of the wrong type; in strict mode for an invalid action; where nobody
            asks the learner in any of many worlds.
    """

    metadata = {"render_modes": list(RENDER_MODES), "render_fps": 4}

    def __init__(
        self,
        partner: int | None = None,
        others: str = "best-subset",
        observation: str = "full",
        quantity_bins: int = 10,
        price_bins: int = 2,
        reward: NegotiationReward | None = None,
        episode: Literal["negotiation", "world"] = "negotiation",
        strict: bool = False,
        render_mode: str | None = None,
        **arguments: Any,
    ):
        EzPickle.__init__(
            self,
            partner,
            others,
            observation,
            quantity_bins,
            price_bins,
            reward,
            episode,
            strict,
            render_mode,
            **arguments,
        )
        one_of("episode", episode, ("negotiation", "world"))
        self.config = answered_together(**arguments)
        self.codec = PartnerCodec(observation, quantity_bins, price_bins)
        self.reward = negotiation_reward(reward)
        self.observation_space = self.codec.observation_space
        self.action_space = self.codec.action_space
        self.render_mode = check_render_mode(render_mode, RENDER_MODES)
        self.strict = flag("strict", strict)
        self._fixed_partner = None if partner is None else whole("partner", partner, least=0)
        self._others = STRATEGIES.get(others, "others")
        self._per_world = episode == "world"
        self._partners = np.zeros(1, dtype=np.uint64)
        self.world: Any = None
        self._begun = self._over = False

    @one_thread
    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Go on to the next negotiation, or to a new world where a seed is given or the last world is over."""
        super().reset(seed=seed)
        begun, self._begun = self._begun, False
        if seed is not None or not begun or self._per_world or not self._next():
            self._draw()
        self._begun, self._over = True, False
        return self.codec.observe(self.view, self.partner), self._info(None, False)

    @one_thread
    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Answer the partner and run on to the negotiation's next decision, or to its end."""
        if not self._begun or self._over:
            raise gymnasium.error.ResetNeeded("call reset before step")
        end = self._run(self.codec.actions.decode(read_choice(action, self.codec.actions.n), self.view, self.partner))
        terminated = end is not None
        if self._per_world:
            terminated = terminated and not self._find()
            self._seen = self.view
        self._over = terminated
        reward = 0.0 if end is None else finite(type(self.reward).__qualname__, end.reward)
        return self.codec.observe(self._seen, self.partner), reward, terminated, False, self._info(end, terminated)

    @property
    def goes_on(self) -> bool:
        """Whether an unseeded reset goes on in the running world."""
        return not self._per_world

    @property
    def view(self) -> FactoryView:
        """What the learner's factory sees now: a live record."""
        require_reset(self.world is not None, "view")
        return self.world.view(self.factory)

    def action_masks(self) -> np.ndarray:
        """The valid actions, bool, shape ``(22,)``, as sb3-contrib takes them."""
        require_reset(self._begun, "action_masks")
        return self.codec.mask(self._seen, self.partner)

    def render(self) -> Any:
        """The factory's day as text (``"ansi"``) or as a picture (``"rgb_array"``)."""
        if self.render_mode is None:
            return None
        require_reset(self._begun, "render")
        return render_day(self._seen, self.render_mode)

    def close(self) -> None:
        """End the running world; ``reset`` draws another one."""
        self._begun = False
        if self.world is not None:
            self.world.close()
            self.world = None

    def _draw(self) -> None:
        """The next world in which the learner is asked, run to the first decision of its first negotiation."""
        for _ in range(MOST_WORLDS):
            seed = int(self.np_random.integers(2**62))
            drawn = self.config.draw(seed)
            self.world, (self.factory,) = drawn.world, drawn.players
            self._strategy = StrategyPolicy(self._others, seed)
            self._tracker = PartnerTracker(self.reward)
            self._last_day = -1
            open_partners(self._partners, seed)
            self.world.start()
            self._strategy.begin(self.view)
            self.partner = self._draw_partner()
            self._collect()
            if self._find():
                return
        raise InputError(f"in {MOST_WORLDS} worlds in a row nobody asked the learner for an answer")

    def _draw_partner(self) -> int:
        n = int(self.view["n_partners"])
        if self._fixed_partner is None:
            return draw_partner(self._partners, n)
        if not 0 <= self._fixed_partner < n:
            raise InputError(
                f"partner={self._fixed_partner!r}: this world's factory has partners 0 to {n - 1}", "partner"
            )
        return self._fixed_partner

    def _next(self) -> bool:
        """The next negotiation of the running world; False where there is none."""
        if not self.world.pending:
            return False
        self.partner = self._draw_partner()
        return self._find()

    def _find(self) -> bool:
        """Run on to the first decision of a later day's negotiation; False where the world ends before."""
        while self.world.pending:
            if self._due() and self.view["day"] > self._last_day:
                self._last_day, self._seen = int(self.view["day"]), self.view
                return True
            self._advance(None)
        return False

    def _run(self, answer: tuple[int, int, int]) -> NegotiationEnd | None:
        """Give the learner's answer and run on to its negotiation's next decision (None) or end."""
        end = self._advance(answer)
        while end is None and not self._due() and self.world.pending:
            end = self._advance(None)
        return end

    def _due(self) -> bool:
        return bool(self.world.pending and self.view["partners"][self.partner]["my_turn"])

    def _advance(self, answer: tuple[int, int, int] | None) -> NegotiationEnd | None:
        """One decision of the factory; the end of the learner's negotiation where it came before the next one."""
        answers = self._answers(answer)
        begun, self._begun = self._begun, False  # where a player fails, the episode is over
        try:
            self.world.step({self.factory: answers})
        except WrongThreadError:
            self._begun = begun
            raise
        self._begun = begun
        return self._collect()

    def _collect(self) -> NegotiationEnd | None:
        """Follow what has happened since the last decision; the end of the learner's negotiation where it was in it."""
        ends = []
        for last in self.world.closed_days(self.factory):
            self._strategy.end_day(last)
            ends += [(e, last) for e in self._tracker.end_day(last)]
        if self.world.pending:
            ends += [(e, self.view) for e in self._tracker.update(self.view)]
        end, self._seen = next(((e, v) for e, v in ends if e.partner == self.partner), (None, self.view))
        return end

    def _answers(self, answer: tuple[int, int, int] | None) -> ActionArray:
        """The learner's answer to its partner, where it has one, and the strategy's to everybody else."""
        view = self.view.copy()
        if answer is not None:
            view["partners"][self.partner]["my_turn"] = 0
        actions = self._strategy.act(view) if view["partners"]["my_turn"].any() else new_actions()
        if answer is not None:
            actions[self.partner] = answer
            if self.strict:
                validate(self.view, actions)
        return actions

    def _info(self, end: NegotiationEnd | None, last: bool) -> dict[str, Any]:
        info: dict[str, Any] = {
            "action_mask": sampling_mask(self.action_masks(), self.action_space),
            "partner": self.partner,
        }
        if end is not None:
            info["negotiation_end"] = {n: getattr(end, n) for n in ("quantity", "price", "needs", "reward")}
        if last:
            info |= self.world.summary(self.factory)
        return info
