"""OneShotConcurrent: all negotiations of a factory's day, answered by one joint action."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from gymnasium.utils import EzPickle

from scml_gym.core.arguments import check_render_mode, flag, named_arguments, one_of
from scml_gym.game.env import EnvParts, WorldEnv
from scml_gym.oneshot.actions.factory import make_codec
from scml_gym.oneshot.envs.config import OneShotConfig
from scml_gym.oneshot.observations.factory import make_encoder
from scml_gym.oneshot.render import RENDER_MODES, render_day
from scml_gym.oneshot.rewards.factory import Reward, make_reward
from scml_gym.oneshot.rewards.hindsight import compiled_hindsight_profit
from scml_gym.oneshot.rules import validate
from scml_gym.oneshot.view import FactoryView, new_actions


@named_arguments(OneShotConfig)
class OneShotConcurrentEnv(WorldEnv, EzPickle):
    """All negotiations of one factory's day in SCML OneShot, answered by one joint action.

    ## Description
    The learner is one factory of a OneShot world: a seller (level 0) turns exogenous supplies into products and sells
    them to the buyers (level 1), or a buyer makes products of what it buys and sells them exogenously. The world is
    played in one of two simulators: by default in the compiled one (``backend="compiled"``), which has the league's
    rules in machine code, or in scml's own `SCML2024OneShotWorld` (``backend="reference"``); both give the same
    episodes, to the last bit. Every day the factory negotiates with every factory of the other level at once, over
    quantity and unit price. A step is one decision of the learner; the world runs on to its next one. In
    ``timing="rounds"`` (the league's) it decides exactly where scml's ``OneShotSyncAgent`` would; in ``"moves"`` (the
    league's RL mode) whenever it is its turn in some negotiation. In ``"negotiations"`` it decides in each negotiation
    by itself, whenever it is its turn there, sees all of them, and may also wait, as often in a row as the world has
    factories; rounds are the league's. The last simulated day is played. The same seed gives the same episode in every
    process (with opponents from ``scml:``, under the same PYTHONHASHSEED).

    ## Action Space
    ``action="choice"``: ``MultiDiscrete([22] * 8)``: for each partner 0 ends the negotiation (and is a no-op where the
    partner is idle or not there), 1 accepts its standing offer, and the rest are offers, quantity-major:
    ``2 + (quantity - 1) * 2 + price index`` with price index 0 for the lowest and 1 for the highest price of the day's
    range.
    With ``timing="negotiations"`` it is ``Discrete(23)``, the choice for the one partner that is asked about: as above,
    and 22 waits: no round passes, and the partner is asked about again in the next pass through all negotiations.
    There, ``action="choice-offer-first"`` is the same without a wait before one of both has made an offer.
    ``action="continuous"``: ``Box(-1, 1, (8, 3))``: for each partner the response (below -1/3 end, above 1/3 accept,
    else offer), the quantity and the price, mapped linearly to today's ranges.
    ``action="planner"``: ``MultiDiscrete([6, 5, 2, 5, 3, 3])``: how a planner answers all partners together at this
    decision. The choices say by how many items the accepted total may miss and may exceed the needs, whether all prices
    or the good half of them are accepted, how many items are expected of what is asked for, at which prices the rest is
    asked for, and of whom; `scml_gym.oneshot.actions.planner.HEADS` has what each value stands for. Every choice is
    valid, and no answer is invalid. It is learnt fastest. ``action="planner-fine"``: the same with finer heads, and
    first offers that may be the best vector by the chances counted so far
    (`scml_gym.oneshot.actions.fine_planner.FINE_HEADS`).
    ``info["action_mask"]`` holds the valid choices as ``action_space.sample(mask=...)`` takes them, a tuple of 8 int8
    arrays of shape ``(22,)``; ``action_masks()`` has the same end to end as sb3-contrib takes them, bool, shape
    ``(176,)``. With ``timing="negotiations"`` both have shape ``(23,)``, and to wait is masked at its limit. No
    dimension is ever all false. An invalid answer ends that negotiation and is counted; with ``strict=True`` it raises.
    ``action`` may name any action codec of `scml_gym.oneshot.actions.factory.ACTIONS`, with ``timing="negotiations"``
    of ``ASKED_ACTIONS`` there.

    ## Observation Space
    ``observation="flat"``: ``Box`` of float32, 95 features: 15 of the factory and 10 of each of 8 partners, each with
    name, range and meaning in ``env.unwrapped.encoder.features``. ``observation="dict"``: the same as named blocks.
    ``observation="entities"``: ``Box`` of float32, shape ``(9, 16)``: a row for the factory, then one for each partner,
    whose first column is 1 for the factory and 0 for a partner; shorter rows end in zeros. With
    ``timing="negotiations"`` the partner that is asked about is the one whose ``my_turn`` is 1, and how often in a row
    each was let wait, as a fraction of the limit, is shown too: 8 more features at the beginning (the block ``waits``),
    or one more column of a partner's row. There, ``observation="prospects"`` is a ``Box`` of 270 features: those of the
    factory; what each of the 23 answers is worth by the reckoning of the strategy ``sequential``, and which one it
    gives; and 26 of each partner, the one that is asked about first: among them the items under way, what its offer
    adds to the best set, the chances that offers to it are accepted, as counted since the world began, and on which
    share of the days it waited before it asked (``late_days``), which ``"prospects-no-late-days"`` leaves out.
    ``history=k`` adds the offers of the last k decisions. ``observability="full"`` adds the hidden state of the 16
    factories, 10 numbers each, which makes the game an MDP for fixed opponents without memory; ``"partial"`` is the
    POMDP. ``"entities"`` and the ``"prospects"`` can have neither.

    ## Rewards
    By default the daily profits settled since the last decision, divided by the initial balance, so that the
    undiscounted return of an episode is the league's score - 1 (``reward="daily-profit"``).
    ``"regret"`` is (profit - hindsight-optimal profit) / initial balance of each day settled, at most 0. The
    hindsight-optimal profit is what the day could have brought at most
    (`scml_gym.oneshot.rewards.hindsight.hindsight_profit`), so good or bad luck with the day's exogenous contract is
    not rewarded. ``"negotiations"`` is the 2021 Q-learning paper's reward of each negotiation,
    ``"shaped-profit"`` the profit shaped by the needs left; any `scml_gym.oneshot.rewards.factory.Reward` may be given.

    ## Starting State
    ``reset(seed=s)`` draws a world, the learner's factory and its opponents from ``s``; an unseeded ``reset()`` goes on
    with the next world of that stream. The first decision of the first day is due.
    With ``episode="day"`` an unseeded ``reset()`` goes on with the running world's next day on which the learner is
    asked, and with the next world where there is none; the negotiations of an unfinished day are ended. The history of
    observations goes on from day to day.

    ## Episode End
    ``terminated`` at the end of the world's last day. A bankrupt factory decides no more: the world runs on to its end,
    and the last reward has all that still happens to the factory. With ``episode="day"`` each day is an episode:
    ``terminated`` when the learner's day is over, with that day's last view as the observation and that day's reward.
    Days without a decision, such as all days after a bankruptcy, are skipped; their profit is in no reward.
    ``truncated`` is always False; to cut episodes short, use ``gymnasium.make(..., max_episode_steps=...)``.

    ## Information
    At every step ``action_mask`` and ``ideal_profit`` (the hindsight-optimal profit in money, summed over the days that
    ended with this step, 0 where none did). With the last step of a world only: ``score``, ``profit`` (money),
    ``agreements``, ``negotiations``, ``invalid_actions``, ``decisions`` and ``bankrupt``, of the whole world.

    ## Arguments
    Those of `scml_gym.oneshot.envs.config.OneShotConfig` (``level``, ``opponents``, ``days``, ``factories_per_level``,
    ``generator``, ``spec``, ``timing``, ``backend``), and ``observability``, ``observation``, ``history``, ``action``,
    ``reward``, ``episode`` (``"world"`` or ``"day"``), ``strict``, ``render_mode`` (``"ansi"`` or ``"rgb_array"``).

    ## Version History
    v0: the first version. A v1 is made when the same seed and actions no longer give the same observations, rewards and
    ends. New arguments whose defaults keep them, further keys of the infos, and changes of speed make no new version.

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
        InputError: for an unknown name or a value of the wrong type; in strict mode for an invalid action; with
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
        **arguments: Any,
    ):
        EzPickle.__init__(
            self, observability, observation, history, action, reward, episode, strict, render_mode, **arguments
        )
        one_of("episode", episode, ("world", "day"))
        self.config = config = OneShotConfig(**arguments)
        parts = EnvParts(
            draw=config.draw,
            encoder=make_encoder(observability, observation, history, config.timing),
            codec=make_codec(action, config.timing),
            reward=make_reward(reward),
            no_ops=new_actions,
            validate=validate,
            more_info=hindsight_profit_info,
            render=render_day,
        )
        WorldEnv.__init__(
            self, parts, episode == "day", flag("strict", strict), check_render_mode(render_mode, RENDER_MODES)
        )

    @property
    def factory(self) -> int:
        """The learner's factory in the world that is played."""
        return self.player


def hindsight_profit_info(closed: Sequence[FactoryView]) -> dict[str, Any]:
    """What the days that ended with a step could have brought at best."""
    return {"ideal_profit": float(sum(compiled_hindsight_profit(last) for last in closed))}
