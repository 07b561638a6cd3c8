"""standard_negotiations_v0: one agent for each partner of one factory, all paid alike."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium.utils import EzPickle

from scml_gym.core.arguments import check_render_mode, flag, named_arguments
from scml_gym.core.errors import require_reset
from scml_gym.core.masks import sampling_mask
from scml_gym.core.parallel import check_agents
from scml_gym.core.threads import one_thread
from scml_gym.game.codecs import Transition, read_action, told_by
from scml_gym.game.parallel_env import WorldAgents
from scml_gym.game.rewards import pay
from scml_gym.standard.actions import ChoiceActions, PartnerChoices
from scml_gym.standard.actions.safe import ShieldedActions, shielded
from scml_gym.standard.envs.config import StandardConfig
from scml_gym.standard.envs.partner_agents import AGENTS
from scml_gym.standard.observations import PartnerEncoder
from scml_gym.standard.render import RENDER_MODES, render_day
from scml_gym.standard.rewards import Reward, make_reward
from scml_gym.standard.rules import validate
from scml_gym.standard.view import StandardView, new_actions

if TYPE_CHECKING:
    from scml_gym.standard.envs.vector.negotiations import StandardNegotiationsVectorEnv


@named_arguments(StandardConfig)
class StandardNegotiationsEnv(WorldAgents, EzPickle):
    """A factory's negotiations in SCML's Standard track, one agent for each of its partners.

    ## Description
    The learner's factory is the one of ``scml_gym/StandardConcurrent-v0``; here each negotiation has an agent of its
    own (multi-agent PPO). Agent ``supplier_k`` negotiates with the ``k``-th factory of the level below, ``consumer_k``
    with the ``k``-th one of the level above, on every day. There are always 16 agents, the most partners that a factory
    has, and all live for the whole episode. An agent is idle, and has only the no-op, while its negotiation asks for no
    answer, and where the world does not have its partner.

    ## Action Space
    ``MultiDiscrete([3, 10, 11, 4])`` for each agent: the response (0 ends, and is the no-op of an idle agent, 1
    accepts, 2 offers), the quantity, the delivery day counted from today, and the price within today's range.
    ``info[agent]["action_mask"]``: the valid numbers as its ``sample(mask=...)`` takes them, a tuple of four int8
    arrays.

    ## Observation Space
    ``Box`` of float32, shape ``(116,)``: the factory's features, those of today and the ten days to come, and those of
    the partner.

    ## Rewards
    All agents work for one factory, and each is paid what the factory is: ``reward`` as in
    ``scml_gym/StandardConcurrent-v0``.

    ## Starting State
    ``reset(seed=s)`` draws a world, the learner's factory and its opponents from ``s``; an unseeded one goes on to the
    next world of that stream.

    ## Episode End
    All agents terminate after the world's last day; ``truncations`` are always False.

    ## Information
    For each agent ``action_mask`` and ``my_turn`` (whether it has something to answer), with a ``shield`` ``shielded``
    (1 where its answer was changed, as those of all agents together were not safe), and with the last step only the
    factory's ``score``, ``profit``, ``agreements``, ``negotiations``, ``decisions``, ``invalid_actions`` and
    ``bankrupt``.

    ## Many at Once
    ``standard_negotiations_v0.vector_env(num_worlds)`` is a native vector environment in which each agent is a row, 16
    of each world; ``infos["active"]`` says which have something to answer. See
    `scml_gym.standard.envs.vector.negotiations.StandardNegotiationsVectorEnv`.

    ## Arguments
    Those of `scml_gym.standard.envs.config.StandardConfig`, and ``quantity_bins``, ``price_bins``, ``reward``,
    ``strict``, ``render_mode``.

    ## Version History
    v0: the first version. A v1 is made when the same seed and actions no longer give the same observations, rewards and
    ends. New arguments whose defaults keep them, further keys of the infos, and changes of speed make no new version.

    ## Example
    ```python
    from scml_gym.standard.envs import standard_negotiations_v0

    env = standard_negotiations_v0.parallel_env(level="middle", days=4)
    observations, infos = env.reset(seed=7)
    while env.agents:
        actions = {a: env.action_space(a).sample(infos[a]["action_mask"]) for a in env.agents}
        observations, rewards, terminations, truncations, infos = env.step(actions)
    ```

    Raises:
        InputError: for an unknown name or a value of the wrong type; in strict mode for an invalid action.
    """

    metadata = {"name": "standard_negotiations_v0", "render_modes": list(RENDER_MODES), "is_parallelizable": True}

    def __init__(
        self,
        quantity_bins: int = 10,
        price_bins: int = 4,
        reward: str | Reward = "daily-profit",
        strict: bool = False,
        render_mode: str | None = None,
        **arguments: Any,
    ):
        EzPickle.__init__(self, quantity_bins, price_bins, reward, strict, render_mode, **arguments)
        self.config = StandardConfig(**arguments)
        self.choices, self.encoder = PartnerChoices(quantity_bins, price_bins), PartnerEncoder()
        self._joint = shielded(ChoiceActions(self.choices), self.config.shield, self.config.audit)
        self.reward = make_reward(reward)
        self.strict = flag("strict", strict)
        self.render_mode = check_render_mode(render_mode, RENDER_MODES)
        WorldAgents.__init__(self, {a: copy.deepcopy(self.encoder.space) for a in AGENTS}, self.choices.space)

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        """Draw the next world and run it to the factory's first decision."""
        self.close()
        drawn = self.config.draw(self._next_seed(seed))
        drawn.world.start()
        self.world, (self.factory,) = drawn.world, drawn.players
        self._settled = 0
        self._joint.reset()
        self.reward.reset(self.view)
        self.agents = list(self.possible_agents)
        return self._observe(), self._infos()

    @one_thread
    def step(self, actions: dict[str, Any]) -> tuple[dict, dict, dict, dict, dict]:
        """Answer all partners whose turn it is and run on to the factory's next decision."""
        check_agents(self.agents, actions)
        before, answers = self.view.copy(), new_actions()
        self._joint.reset()
        for agent, action in actions.items():
            k = AGENTS.index(agent)
            self.choices.decode(read_action(action), self.view, k, answers)
        if isinstance(self._joint, ShieldedActions):
            self._joint.check(self.view, answers)
        if self.strict:
            validate(self.view, answers)
        if self.world.pending:
            self._play({self.factory: answers})
        closed = self.world.closed_days(self.factory)
        profits = self.world.profits[self.factory, self._settled : self.world.day]
        self._settled = self.world.day
        paid = pay(self.reward, Transition(before, self.view, closed, profits, self.world.done))
        rewards = dict.fromkeys(self.agents, paid)
        observations, infos = self._observe(), self._infos()
        return observations, rewards, *self._ends(), infos

    @property
    def view(self) -> StandardView:
        """What the factory sees now: a live record."""
        require_reset(self.world is not None, "view")
        return self.world.view(self.factory)

    def render(self) -> Any:
        """The factory's day as text (``"ansi"``) or as a picture (``"rgb_array"``)."""
        if self.render_mode is None:
            return None
        require_reset(self.world is not None, "render")
        return render_day(self.view, self.render_mode)

    def _observe(self) -> dict[str, Any]:
        return {a: self.encoder.encode(self.view, k) for k, a in enumerate(self.agents)}

    def _infos(self) -> dict[str, dict[str, Any]]:
        view, space = self.view, self.choices.space
        last = self.world.summary(self.factory) if self.world.done else {}
        masks = self._joint.mask(view).reshape(len(AGENTS), -1)
        told = told_by(self._joint)
        return {
            a: {"action_mask": sampling_mask(masks[k], space), "my_turn": bool(view["partners"][k]["my_turn"])}
            | {name: numbers[k] if np.ndim(numbers) else numbers for name, numbers in told.items()}
            | last
            for k, a in enumerate(self.agents)
        }


parallel_env = StandardNegotiationsEnv


def vector_env(num_worlds: int, **arguments: Any) -> StandardNegotiationsVectorEnv:
    """Many of these environments at once, in compiled code, as a Gymnasium vector environment: each agent is a row.

    Args:
        num_worlds: Worlds, of 16 rows each.
        arguments: Those of `scml_gym.standard.envs.vector.negotiations.StandardNegotiationsVectorEnv`.

    Raises:
        InputError: as that class does.
    """
    from scml_gym.standard.envs.vector.negotiations import StandardNegotiationsVectorEnv

    return StandardNegotiationsVectorEnv(num_worlds, **arguments)
