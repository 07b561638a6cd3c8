"""oneshot_negotiations_v0: one agent for each partner of one factory."""

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
from scml_gym.game.codecs import read_choice
from scml_gym.game.parallel_env import WorldAgents
from scml_gym.game.rewards import finite
from scml_gym.oneshot.envs.config import OneShotConfig, answered_together
from scml_gym.oneshot.envs.partner_codec import AGENTS, PartnerCodec, negotiation_reward
from scml_gym.oneshot.render import RENDER_MODES, render_day
from scml_gym.oneshot.rewards.negotiation import NegotiationReward
from scml_gym.oneshot.rewards.negotiation_ends import PartnerTracker
from scml_gym.oneshot.rules import validate
from scml_gym.oneshot.view import FactoryView, new_actions

if TYPE_CHECKING:
    from scml_gym.oneshot.envs.vector.negotiations import OneShotNegotiationsVectorEnv


@named_arguments(OneShotConfig)
class OneShotNegotiationsEnv(WorldAgents, EzPickle):
    """A factory's negotiations in SCML OneShot, one agent for each of its partners.

    ## Description
    The learner's factory is the one of ``scml_gym/OneShotConcurrent-v0``; here each negotiation has an agent of its own
    (per-opponent Q-learning, multi-agent PPO). Agent ``partner_k`` negotiates with the ``k``-th factory of the other
    level on every day. There are always 8 agents, the most factories that a level has, and all live for the whole
    episode. An agent is idle, and has only the no-op, while its negotiation asks for no answer, and where the world
    does not have its partner.

    ## Action Space
    ``Discrete(22)`` for each agent: 0 ends (no-op where idle), 1 accepts, the rest offer, as in
    ``scml_gym/OneShotBilateral-v0``. ``info[agent]["action_mask"]``: the valid ones as its ``sample(mask=...)``
    takes them, int8, shape ``(22,)``.

    ## Observation Space
    As in ``scml_gym/OneShotBilateral-v0``: ``observation="needs"``, ``"offer"``, ``"full"`` (default) or ``"flat"``.

    ## Rewards
    The paper's reward (section 2.1.4) to the agent whose negotiation ended since the last step, 0 else.
    ``info[agent]["negotiation_end"]`` is True in that step: a learner must not bootstrap across it.

    ## Starting State
    ``reset(seed=s)`` draws a world, the learner's factory and its opponents from ``s``; an unseeded one goes on to the
    next world of that stream.

    ## Episode End
    All agents terminate after the world's last day; ``truncations`` are always False.

    ## Information
    For each agent ``action_mask``, ``negotiation_end``, and with the last step only the factory's ``score``,
    ``profit``, ``agreements``, ``negotiations``, ``decisions``, ``invalid_actions`` and ``bankrupt``.

    ## Many at Once
    ``oneshot_negotiations_v0.vector_env(num_worlds)`` is a native vector environment in which each agent is a row,
    8 of each world; ``infos["active"]`` says which have something to answer. See
    `scml_gym.oneshot.envs.vector.negotiations.OneShotNegotiationsVectorEnv`.

    ## Arguments
    Those of `scml_gym.oneshot.envs.config.OneShotConfig`, and ``observation``, ``quantity_bins``, ``price_bins``,
    ``reward``, ``strict``, ``render_mode``.

    ## Version History
    v0: the first version. A v1 is made when the same seed and actions no longer give the same observations, rewards and
    ends. New arguments whose defaults keep them, further keys of the infos, and changes of speed make no new version.

    ## Example
    ```python
    from scml_gym.oneshot.envs import oneshot_negotiations_v0

    env = oneshot_negotiations_v0.parallel_env(days=3)
    observations, infos = env.reset(seed=7)
    while env.agents:
        actions = {a: env.action_space(a).sample(infos[a]["action_mask"]) for a in env.agents}
        observations, rewards, terminations, truncations, infos = env.step(actions)
    ```

    Raises:
        InputError: for an unknown name or a value of the wrong type; in strict mode for an invalid action.
    """

    metadata = {"name": "oneshot_negotiations_v0", "render_modes": list(RENDER_MODES), "is_parallelizable": True}

    def __init__(
        self,
        observation: str = "full",
        quantity_bins: int = 10,
        price_bins: int = 2,
        reward: NegotiationReward | None = None,
        strict: bool = False,
        render_mode: str | None = None,
        **arguments: Any,
    ):
        EzPickle.__init__(self, observation, quantity_bins, price_bins, reward, strict, render_mode, **arguments)
        self.config = answered_together(**arguments)
        self.codec = PartnerCodec(observation, quantity_bins, price_bins)
        self.reward = negotiation_reward(reward)
        self.strict = flag("strict", strict)
        self.render_mode = check_render_mode(render_mode, RENDER_MODES)
        observation_spaces = {agent: copy.deepcopy(self.codec.observation_space) for agent in AGENTS}
        WorldAgents.__init__(self, observation_spaces, self.codec.action_space)

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        """Draw the next world and run it to the factory's first decision."""
        self.close()
        drawn = self.config.draw(self._next_seed(seed))
        drawn.world.start()
        self.world, (self.factory,) = drawn.world, drawn.players
        self._tracker = PartnerTracker(self.reward)
        self._tracker.begin_day(self.view)
        self.agents = list(self.possible_agents)
        return self._observe(), self._infos({})

    @one_thread
    def step(self, actions: dict[str, Any]) -> tuple[dict, dict, dict, dict, dict]:
        """Answer all partners whose turn it is and run on to the factory's next decision."""
        check_agents(self.agents, actions)
        answers = new_actions()
        for agent, action in actions.items():
            k = self.possible_agents.index(agent)
            answers[k] = self.codec.actions.decode(read_choice(action, self.codec.actions.n), self.view, k)
        if self.strict:
            validate(self.view, answers)
        if self.world.pending:
            self._play({self.factory: answers})
        ended = {e.partner: e for last in self.world.closed_days(self.factory) for e in self._tracker.end_day(last)}
        if not self.world.done:
            ended |= {e.partner: e for e in self._tracker.update(self.view)}
        observations, infos = self._observe(), self._infos(ended)
        name = type(self.reward).__qualname__
        rewards = {a: finite(name, ended[k].reward) if k in ended else 0.0 for k, a in enumerate(self.agents)}
        return observations, rewards, *self._ends(), infos

    @property
    def view(self) -> FactoryView:
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
        return {a: self.codec.observe(self.view, k) for k, a in enumerate(self.agents)}

    def _mask(self, k: int) -> np.ndarray:
        return sampling_mask(self.codec.mask(self.view, k), self.codec.action_space)

    def _infos(self, ended: dict[int, Any]) -> dict[str, dict[str, Any]]:
        last = self.world.summary(self.factory) if self.world.done else {}
        return {
            a: {"action_mask": self._mask(k), "negotiation_end": k in ended} | last for k, a in enumerate(self.agents)
        }


parallel_env = OneShotNegotiationsEnv


def vector_env(num_worlds: int, **arguments: Any) -> OneShotNegotiationsVectorEnv:
    """Many of these environments at once, in compiled code, as a Gymnasium vector environment: each agent is a row.

    Args:
        num_worlds: Worlds, of 8 rows each.
        arguments: Those of `scml_gym.oneshot.envs.vector.negotiations.OneShotNegotiationsVectorEnv`.

    Raises:
        InputError: as that class does.
    """
    from scml_gym.oneshot.envs.vector.negotiations import OneShotNegotiationsVectorEnv

    return OneShotNegotiationsVectorEnv(num_worlds, **arguments)
