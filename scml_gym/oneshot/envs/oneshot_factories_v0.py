"""oneshot_factories_v0: several factories of one world decided from outside, for self-play."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.utils import EzPickle, seeding
from pettingzoo import ParallelEnv

from scml_gym.core.arguments import flag, named_arguments, whole
from scml_gym.core.errors import InputError, require_reset
from scml_gym.core.masks import sampling_mask
from scml_gym.core.parallel import check_agents
from scml_gym.oneshot.actions.factory import ACTIONS
from scml_gym.oneshot.envs.config import OneShotConfig
from scml_gym.oneshot.observations.factory import make_encoder
from scml_gym.oneshot.render import RENDER_MODES, check_render_mode, render_day
from scml_gym.oneshot.rewards.factory import Reward, Transition, make_reward
from scml_gym.oneshot.rules import validate
from scml_gym.oneshot.view import FactoryView


@named_arguments(OneShotConfig, without=["level"])
class OneShotFactoriesEnv(ParallelEnv, EzPickle):
    """Several factories of one SCML OneShot world, each an agent that answers all its partners at once.

    ## Description
    The factories with the given indices (sellers first) are the agents, the others are played by ``opponents``; with
    all of them external it is self-play. In ``timing="rounds"`` factories decide one after the other, as the league
    asks them: in each step exactly one agent has something to answer, the others are idle and have only no-ops. In
    ``"moves"`` all whose turn it is anywhere decide together.

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
    For each agent ``action_mask`` and ``my_turn``, and with the last step alone ``score``, ``profit``, ``agreements``,
    ``negotiations``, ``decisions``, ``invalid_actions`` and ``bankrupt``.

    ## Arguments
    Those of `scml_gym.oneshot.envs.config.OneShotConfig` but ``level``, and ``factories`` (indices), ``observability``,
    ``observation``, ``history``, ``action``, ``reward``, ``strict``, ``render_mode``.

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
        InputError: for an unknown name, a value of the wrong form or a factory outside the world; in strict mode for
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
        **setting: Any,
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
            **setting,
        )
        indices = tuple(whole("factories", i, least=0) for i in factories)
        if not indices or len(set(indices)) != len(indices):
            raise InputError(f"factories={factories!r}; give at least one index, each once", "factories")
        self.setting = OneShotConfig(factories_per_level=factories_per_level, **setting)
        self.factories = dict(zip([f"factory_{i}" for i in indices], indices, strict=True))
        self.possible_agents = list(self.factories)
        self.agents: list[str] = []
        self.codec = ACTIONS.get(action, "action")()
        self._encoders = {a: make_encoder(observability, observation, history) for a in self.factories}
        self._rewards = {a: make_reward(reward) for a in self.factories}
        self._action_spaces = {a: copy.deepcopy(self.codec.space) for a in self.factories}
        self.strict = flag("strict", strict)
        self.world: Any = None
        self.render_mode = check_render_mode(render_mode)
        self._rng: np.random.Generator | None = None

    def observation_space(self, agent: str) -> spaces.Space:
        """The same space for every agent, each its own object."""
        return self._encoders[agent].space

    def action_space(self, agent: str) -> spaces.Space:
        """The same space for every agent, each its own object."""
        return self._action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        """Draw the next world and run it to the first decision of an agent."""
        if seed is not None or self._rng is None:
            self._rng, _ = seeding.np_random(seed)
        self.close()
        seed_of_world = int(self._rng.integers(2**62))
        world = self.setting.draw(seed_of_world, tuple(self.factories.values())).world
        self.codec.reset()
        world.start()
        self.world = world
        self.agents = list(self.possible_agents)
        self._settled = 0
        self._before = {a: self.view(a).copy() for a in self.agents}
        for agent in self.agents:
            self._encoders[agent].reset()
            self._rewards[agent].reset(self.view(agent))
        return self._observe(), self._infos()

    def step(self, actions: dict[str, Any]) -> tuple[dict, dict, dict, dict, dict]:
        """Give the answers of the agents whose decision is due and run on to the next one."""
        check_agents(self.agents, actions)
        answers = {}
        for agent, factory in self.factories.items():
            if factory not in self.world.pending:
                continue
            if agent not in actions:
                raise InputError(f"{agent}: no action, and its decision is due")
            answers[factory] = self.codec.decode(np.asarray(actions[agent]), self.view(agent))
            if self.strict:
                validate(self.view(agent), answers[factory])
        if answers:
            self.world.step(answers)
        rewards = {a: self._reward(a) for a in self.agents}
        self._settled = self.world.day
        self._before = {a: self.view(a).copy() for a in self.agents}
        observations, infos = self._observe(), self._infos()
        terminations = dict.fromkeys(self.agents, self.world.done)
        truncations = dict.fromkeys(self.agents, False)
        if self.world.done:
            self.agents = []
        return observations, rewards, terminations, truncations, infos

    def view(self, agent: str) -> FactoryView:
        """What an agent's factory sees now: a live record."""
        require_reset(self.world is not None, "view")
        return self.world.view(self.factories[agent])

    def sample_mask(self, agent: str) -> tuple[np.ndarray, ...]:
        """An agent's mask as ``action_space(agent).sample`` takes it: an int8 array for each dimension."""
        return sampling_mask(self.codec.mask(self.view(agent)), self.codec.space)

    def render(self) -> Any:
        """The day of the factory whose decision is due (else of the first agent), as text or as a picture."""
        if self.render_mode is None:
            return None
        require_reset(self.world is not None, "render")
        factory = self.world.pending[0] if self.world.pending else next(iter(self.factories.values()))
        return render_day(self.world.view(factory), self.render_mode)

    def close(self) -> None:
        """End the running world; ``reset`` draws another one."""
        self.agents = []
        if self.world is not None:
            self.world.close()
            self.world = None

    def _reward(self, agent: str) -> float:
        factory = self.factories[agent]
        profits = self.world.profits[factory, self._settled : self.world.day]
        closed = self.world.closed_days(factory)
        for last in closed:
            self.codec.end_day(last)
        transition = Transition(self._before[agent], self.view(agent), closed, profits, self.world.done)
        return float(self._rewards[agent](transition))

    def _observe(self) -> dict[str, Any]:
        hidden_state = self.world.hidden_state() if next(iter(self._encoders.values())).full else None
        return {a: self._encoders[a].encode(self.view(a), hidden_state) for a in self.agents}

    def _infos(self) -> dict[str, dict[str, Any]]:
        infos = {}
        for agent in self.agents:
            factory = self.factories[agent]
            infos[agent] = {"action_mask": self.sample_mask(agent), "my_turn": factory in self.world.pending}
            if self.world.done:
                infos[agent] |= self.world.summary(factory)
        return infos


parallel_env = OneShotFactoriesEnv
