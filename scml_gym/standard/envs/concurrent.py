"""StandardConcurrent: all negotiations of a factory's day on both sides, answered by one joint action."""

from __future__ import annotations

from typing import Any

from gymnasium.utils import EzPickle

from scml_gym.core.arguments import check_render_mode, flag, named_arguments
from scml_gym.game.env import EnvParts, WorldEnv
from scml_gym.standard.actions import ACTIONS
from scml_gym.standard.actions.safe import shielded
from scml_gym.standard.envs.config import StandardConfig
from scml_gym.standard.observations import make_encoder
from scml_gym.standard.render import RENDER_MODES, render_day
from scml_gym.standard.rewards import Reward, make_reward
from scml_gym.standard.rules import validate
from scml_gym.standard.view import new_actions


@named_arguments(StandardConfig)
class StandardConcurrentEnv(WorldEnv, EzPickle):
    """All negotiations of one factory's day in SCML's Standard track, answered by one joint action.

    ## Description
    The learner is one factory of a chain of 2 to 4 levels. It buys inputs from the level below, makes products of them
    and sells these to the level above; the first level is supplied, and the last one sells, by exogenous contracts.
    What is not used is kept in stock at a cost, and goods may be traded for today or for one of the next ten days.
    Every day the factory negotiates with all its suppliers and consumers at once, over quantity, delivery day and unit
    price. A step is one decision of the learner, exactly where scml's ``OneShotSyncAgent`` would be asked; the world
    runs on to its next one. The world is played in one of two simulators: by default in the compiled one
    (``backend="compiled"``), which has the league's rules in machine code, or in scml's own `SCML2024StdWorld`
    (``backend="reference"``); both give the same episodes, to the last bit. The same seed gives the same episode in
    every process (with opponents from ``scml:``, under the same PYTHONHASHSEED).

    In the league nothing ever leaves a factory's stock (``stock="league"``): ten items that were bought once are
    material for every later day. So whoever trains under this rule learns to buy some ten items once.
    ``stock="physical"`` takes what is produced out of stock; nothing else differs. Say with each result which rule it
    is of.

    ## Action Space
    ``action="choice"``: a ``MultiDiscrete`` with four numbers for each of 16 partners (8 suppliers, then 8 consumers):
    response, quantity, delivery day and price; see `scml_gym.standard.actions`. ``action="continuous"``: a ``Box`` of
    the same four. ``action="goals"``: what to buy and to sell by day and side, carried out by a planner.
    ``info["action_mask"]`` holds the valid choices as ``action_space.sample(mask=...)`` takes them; ``action_masks()``
    has the same end to end as sb3-contrib takes them. A combination that is not valid is repaired and counted; with
    ``strict=True`` it raises.

    With ``shield="covered"`` or ``"possible"`` the answers are made safe before they are given: nothing is promised
    that could not be delivered, and nothing bought that could not be paid, see `scml_gym.standard.safety`. Masks then
    have only what is safe by itself; what is not safe together is made smaller, or ended.

    ## Observation Space
    ``observation="flat"``: ``Box`` of float32, the features of the factory, of 11 days and of 16 partners, each with
    name, range and meaning in ``env.unwrapped.encoder.features``. ``observation="dict"``: the same as named blocks.
    ``observation="entities"``: ``Box`` of float32, a row for the factory, one for each partner and one for each day.
    ``history=k`` adds the offers of the last k decisions. ``observability="full"`` adds the hidden state of all
    factories, which makes the game an MDP for fixed opponents without memory; ``"partial"`` is the POMDP.

    ## Rewards
    By default the daily profits settled since the last decision, divided by the initial balance, so that the
    undiscounted return of an episode is the league's score - 1 (``reward="daily-profit"``). ``"shaped-profit"`` adds
    the change of a potential that values stock and signed contracts; it leaves the best policy as it is. Any
    `scml_gym.standard.rewards.Reward` may be given.

    ## Starting State
    ``reset(seed=s)`` draws a world, the learner's factory and its opponents from ``s``; an unseeded ``reset()`` goes on
    with the next world of that stream. The first decision is due.

    ## Episode End
    ``terminated`` at the end of the world's last day. A bankrupt factory decides no more: the world runs on to its end,
    and the last reward has all that still happens to the factory. ``truncated`` is always False.

    ## Information
    At every step ``action_mask``, and with a ``shield`` ``shielded``, int64 ``(16,)``: how many answers to each partner
    it has changed in this step; with ``audit=True`` how many acts were unsafe, and why, see
    `scml_gym.standard.safety.audit`. With the last step of a world only: ``score``, ``profit`` (money), ``agreements``,
    ``negotiations``, ``invalid_actions``, ``decisions`` and ``bankrupt``.

    ## Arguments
    Those of `scml_gym.standard.envs.config.StandardConfig` (``level``, ``opponents``, ``days``,
    ``factories_per_level``, ``n_levels``, ``generator``, ``spec``, ``stock``, ``horizon``, ``backend``,
    ``shield``, ``audit``), and ``observability``, ``observation``, ``history``, ``action``, ``reward``, ``strict``,
    ``render_mode`` (``"ansi"`` or ``"rgb_array"``).

    ## Version History
    v0: the first version. A v1 is made when the same seed and actions no longer give the same observations, rewards and
    ends. New arguments whose defaults keep them, further keys of the infos, and changes of speed make no new version.

    ## Example
    ```python
    import gymnasium
    import scml_gym

    env = gymnasium.make("scml_gym/StandardConcurrent-v0", level="middle", days=4)
    observation, info = env.reset(seed=7)
    done = False
    while not done:
        action = env.action_space.sample(mask=info["action_mask"])
        observation, reward, terminated, truncated, info = env.step(action)
        done = terminated or truncated
    print(info["score"])
    ```

    Raises:
        InputError: for an unknown name or a value of the wrong type; in strict mode for an invalid action.
    """

    metadata = {"render_modes": list(RENDER_MODES), "render_fps": 4}

    def __init__(
        self,
        observability: str = "partial",
        observation: str = "flat",
        history: int = 0,
        action: str = "choice",
        reward: str | Reward = "daily-profit",
        strict: bool = False,
        render_mode: str | None = None,
        **arguments: Any,
    ):
        EzPickle.__init__(self, observability, observation, history, action, reward, strict, render_mode, **arguments)
        self.config = StandardConfig(**arguments)
        parts = EnvParts(
            draw=self.config.draw,
            encoder=make_encoder(observability, observation, history),
            codec=shielded(ACTIONS.get(action, "action")(), self.config.shield, self.config.audit),
            reward=make_reward(reward),
            no_ops=new_actions,
            validate=validate,
            render=render_day,
        )
        strict, mode = flag("strict", strict), check_render_mode(render_mode, RENDER_MODES)
        WorldEnv.__init__(self, parts, strict=strict, render_mode=mode)

    @property
    def factory(self) -> int:
        """The learner's factory in the world that is played."""
        return self.player
