"""standard_factories_v0: several factories of one world of the Standard track decided from outside, for self-play."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gymnasium.utils import EzPickle

from scml_gym.core.arguments import check_render_mode, flag, named_arguments
from scml_gym.game.parallel_env import ParallelParts, ParallelWorldEnv, factory_agents
from scml_gym.standard.actions import ACTIONS
from scml_gym.standard.actions.safe import shielded
from scml_gym.standard.envs.config import StandardConfig
from scml_gym.standard.observations import make_encoder
from scml_gym.standard.render import RENDER_MODES, render_day
from scml_gym.standard.rewards import Reward, make_reward
from scml_gym.standard.rules import validate

if TYPE_CHECKING:
    from scml_gym.standard.envs.vector.factories import StandardFactoriesVectorEnv


@named_arguments(StandardConfig, without=["level"])
class StandardFactoriesEnv(ParallelWorldEnv, EzPickle):
    """Several factories of one world of SCML's Standard track, each an agent that answers all its partners at once.

    ## Description
    The factories with the given indices (level by level) are the agents, and the others are played by ``opponents``.
    Where all factories are agents, this is self-play. Factories decide one after the other, as the league asks them: in
    each step exactly one agent has something to answer, and the others are idle and have only no-ops.

    ## Action Space
    For each agent that of ``scml_gym/StandardConcurrent-v0``. ``info[agent]["action_mask"]``: the valid choices as its
    ``sample(mask=...)`` takes them.

    ## Observation Space
    For each agent that of ``scml_gym/StandardConcurrent-v0``.

    ## Rewards
    For each agent its profits settled since the last step, divided by its initial balance; ``reward`` as in
    ``scml_gym/StandardConcurrent-v0``, each agent with a copy of its own.

    ## Starting State
    ``reset(seed=s)`` draws a world from ``s``; an unseeded one goes on to the next world of that stream.

    ## Episode End
    All agents terminate after the world's last day; ``truncations`` are always False.

    ## Information
    For each agent ``action_mask`` and ``my_turn`` (whether it has something to answer), with a ``shield`` ``shielded``,
    int64 ``(16,)`` (how many of its answers to each partner were changed in this step), and with the last step only
    ``score``, ``profit``, ``agreements``, ``negotiations``, ``decisions``, ``invalid_actions`` and ``bankrupt``.

    ## Many at Once
    ``standard_factories_v0.vector_env(num_worlds)`` is a native vector environment in which each agent is a row, those
    of a world side by side; ``infos["active"]`` says which have something to answer. See
    `scml_gym.standard.envs.vector.factories.StandardFactoriesVectorEnv`.

    ## Arguments
    Those of `scml_gym.standard.envs.config.StandardConfig` but ``level``, and ``factories`` (indices),
    ``observability``, ``observation``, ``history``, ``action``, ``reward``, ``strict``, ``render_mode``.

    ## Version History
    v0: the first version. A v1 is made when the same seed and actions no longer give the same observations, rewards and
    ends. New arguments whose defaults keep them, further keys of the infos, and changes of speed make no new version.

    ## Example
    ```python
    from scml_gym.standard.envs import standard_factories_v0

    env = standard_factories_v0.parallel_env(factories=(0, 2, 4), factories_per_level=2, n_levels=3, days=4)
    observations, infos = env.reset(seed=7)
    while env.agents:
        actions = {a: env.action_space(a).sample(infos[a]["action_mask"]) for a in env.agents}
        observations, rewards, terminations, truncations, infos = env.step(actions)
    ```

    Raises:
        InputError: for an unknown name, a value of the wrong type or a factory outside the world; in strict mode for
            an invalid action.
    """

    metadata = {"name": "standard_factories_v0", "render_modes": list(RENDER_MODES), "is_parallelizable": True}

    def __init__(
        self,
        factories: tuple[int, ...] = (0, 4, 8),
        factories_per_level: int = 4,
        n_levels: int = 3,
        observability: str = "partial",
        observation: str = "flat",
        history: int = 0,
        action: str = "choice",
        reward: str | Reward = "daily-profit",
        strict: bool = False,
        render_mode: str | None = None,
        **arguments: Any,
    ):
        arguments |= {"factories_per_level": factories_per_level, "n_levels": n_levels}
        named: dict[str, Any] = {"factories": factories, "observability": observability, "observation": observation}
        named |= {"history": history, "action": action, "reward": reward, "strict": strict, "render_mode": render_mode}
        EzPickle.__init__(self, **named, **arguments)
        self.config = StandardConfig(**arguments)
        self.factories = factory_agents(factories)
        parts = ParallelParts(
            agents=self.factories,
            draw=self.config.draw,
            encoders={a: make_encoder(observability, observation, history) for a in self.factories},
            codec=shielded(ACTIONS.get(action, "action")(), self.config.shield, self.config.audit),
            rewards={a: make_reward(reward) for a in self.factories},
            validate=validate,
            render=render_day,
        )
        ParallelWorldEnv.__init__(self, parts, flag("strict", strict), check_render_mode(render_mode, RENDER_MODES))


parallel_env = StandardFactoriesEnv


def vector_env(num_worlds: int, **arguments: Any) -> StandardFactoriesVectorEnv:
    """Many of these environments at once, in compiled code, as a Gymnasium vector environment: each factory is a row.

    Args:
        num_worlds: Worlds.
        arguments: Those of `scml_gym.standard.envs.vector.factories.StandardFactoriesVectorEnv`.

    Raises:
        InputError: as that class does.
    """
    from scml_gym.standard.envs.vector.factories import StandardFactoriesVectorEnv

    return StandardFactoriesVectorEnv(num_worlds, **arguments)
