"""oneshot_factories_v0: several factories of one world decided from outside, for self-play."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gymnasium.utils import EzPickle

from scml_gym.core.arguments import check_render_mode, flag, named_arguments
from scml_gym.game.parallel_env import ParallelParts, ParallelWorldEnv, factory_agents
from scml_gym.oneshot.actions.factory import ACTIONS
from scml_gym.oneshot.envs.config import OneShotConfig, answered_together
from scml_gym.oneshot.observations.factory import make_encoder
from scml_gym.oneshot.render import RENDER_MODES, render_day
from scml_gym.oneshot.rewards.factory import Reward, make_reward
from scml_gym.oneshot.rules import validate

if TYPE_CHECKING:
    from scml_gym.oneshot.envs.vector.factories import OneShotFactoriesVectorEnv


@named_arguments(OneShotConfig, without=["level"])
class OneShotFactoriesEnv(ParallelWorldEnv, EzPickle):
    """Several factories of one SCML OneShot world, each an agent that answers all its partners at once.

    ## Description
    The factories with the given indices (sellers first) are the agents, and the others are played by ``opponents``.
    Where all factories are agents, this is self-play. In ``timing="rounds"`` factories decide one after the other, as
    the league asks them: in each step exactly one agent has something to answer, and the others are idle and have only
    no-ops. In ``"moves"`` all agents decide together whose turn it is in some negotiation.

    ## Action Space
    For each agent that of ``scml_gym/OneShotConcurrent-v0``. ``info[agent]["action_mask"]``: the valid choices as its
    ``sample(mask=...)`` takes them, a tuple of 8 int8 arrays of shape ``(22,)``.

    ## Observation Space
    For each agent that of ``scml_gym/OneShotConcurrent-v0``.

    ## Rewards
    For each agent its profits settled since the last step, divided by its initial balance; ``reward`` as in
    ``scml_gym/OneShotConcurrent-v0``, each agent with a copy of its own.

    ## Starting State
    ``reset(seed=s)`` draws a world from ``s``; an unseeded one goes on to the next world of that stream.

    ## Episode End
    All agents terminate after the world's last day; ``truncations`` are always False.

    ## Information
    For each agent ``action_mask`` and ``my_turn`` (whether it has something to answer), and with the last step only
    ``score``, ``profit``, ``agreements``, ``negotiations``, ``decisions``, ``invalid_actions`` and ``bankrupt``.

    ## Many at Once
    ``oneshot_factories_v0.vector_env(num_worlds)`` is a native vector environment in which each agent is a row, those
    of a world side by side; ``infos["active"]`` says which have something to answer. See
    `scml_gym.oneshot.envs.vector.factories.OneShotFactoriesVectorEnv`.

    ## Arguments
    Those of `scml_gym.oneshot.envs.config.OneShotConfig` but ``level``, and ``factories`` (indices), ``observability``,
    ``observation``, ``history``, ``action``, ``reward``, ``strict``, ``render_mode``.

    ## Version History
    v0: the first version. A v1 is made when the same seed and actions no longer give the same observations, rewards and
    ends. New arguments whose defaults keep them, further keys of the infos, and changes of speed make no new version.

    ## Example
    ```python
    from scml_gym.oneshot.envs import oneshot_factories_v0

    env = oneshot_factories_v0.parallel_env(factories=(0, 4), factories_per_level=4, days=3)
    observations, infos = env.reset(seed=7)
    while env.agents:
        actions = {a: env.action_space(a).sample(infos[a]["action_mask"]) for a in env.agents}
        observations, rewards, terminations, truncations, infos = env.step(actions)
    ```

    Raises:
        InputError: for an unknown name, a value of the wrong type or a factory outside the world; in strict mode for
            an invalid action.
    """

    metadata = {"name": "oneshot_factories_v0", "render_modes": list(RENDER_MODES), "is_parallelizable": True}

    def __init__(
        self,
        factories: tuple[int, ...] = (0, 4),
        factories_per_level: int = 4,
        observability: str = "partial",
        observation: str = "flat",
        history: int = 0,
        action: str = "choice",
        reward: str | Reward = "daily-profit",
        strict: bool = False,
        render_mode: str | None = None,
        **arguments: Any,
    ):
        EzPickle.__init__(
            self,
            factories,
            factories_per_level,
            observability,
            observation,
            history,
            action,
            reward,
            strict,
            render_mode,
            **arguments,
        )
        self.config = answered_together(factories_per_level=factories_per_level, **arguments)
        self.factories = factory_agents(factories)
        parts = ParallelParts(
            agents=self.factories,
            draw=self.config.draw,
            encoders={a: make_encoder(observability, observation, history) for a in self.factories},
            codec=ACTIONS.get(action, "action")(),
            rewards={a: make_reward(reward) for a in self.factories},
            validate=validate,
            render=render_day,
        )
        ParallelWorldEnv.__init__(self, parts, flag("strict", strict), check_render_mode(render_mode, RENDER_MODES))


parallel_env = OneShotFactoriesEnv


def vector_env(num_worlds: int, **arguments: Any) -> OneShotFactoriesVectorEnv:
    """Many of these environments at once, in compiled code, as a Gymnasium vector environment: each factory is a row.

    Args:
        num_worlds: Worlds.
        arguments: Those of `scml_gym.oneshot.envs.vector.factories.OneShotFactoriesVectorEnv`.

    Raises:
        InputError: as that class does.
    """
    from scml_gym.oneshot.envs.vector.factories import OneShotFactoriesVectorEnv

    return OneShotFactoriesVectorEnv(num_worlds, **arguments)
