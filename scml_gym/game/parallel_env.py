"""A PettingZoo parallel environment over any world: several players of one world are agents."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.utils import seeding
from pettingzoo import ParallelEnv

from scml_gym.core.arguments import whole
from scml_gym.core.errors import InputError, require_reset
from scml_gym.core.masks import sampling_mask
from scml_gym.core.parallel import check_agents
from scml_gym.core.threads import WrongThreadError, one_thread
from scml_gym.game.codecs import ActionCodec, Encoder, Reward, Transition, read_action, told_by
from scml_gym.game.rewards import pay
from scml_gym.game.world import Actions, Drawn, View


@dataclass(frozen=True)
class ParallelParts:
    """What a parallel environment over worlds is made of.

    Attributes:
        agents: Name of each agent -> index of its player in the world.
        draw: ``(seed, players) -> Drawn``: the world of an episode, in which those players are decided from outside.
        encoders: What each agent is shown, an encoder each.
        codec: What all of them may answer.
        rewards: What each is paid, a reward each.
        validate: ``(view, actions) -> None``: refuses answers that are not playable, with an `InputError`.
        render: ``(view, mode) -> picture or text``; None for a game that is not drawn.
    """

    agents: Mapping[str, int]
    draw: Callable[[int, tuple[int, ...]], Drawn]
    encoders: Mapping[str, Encoder]
    codec: ActionCodec
    rewards: Mapping[str, Reward]
    validate: Callable[[View, Actions], None]
    render: Callable[[View, str], Any] | None = None


def factory_agents(factories: Iterable[Any]) -> dict[str, int]:
    """Agents for factories of a world: the name of each -> its index.

    Raises:
        InputError: if there is none, one is given twice, or one is no index.
    """
    given = factories if isinstance(factories, Iterable) else ()
    indices = tuple(whole("factories", i, least=0) for i in given)
    if not indices or len(set(indices)) != len(indices):
        raise InputError(f"factories={factories!r}; give at least one index, each once", "factories")
    return {f"factory_{i}": i for i in indices}


class WorldAgents(ParallelEnv):
    """What PettingZoo environments over worlds share: spaces by agent, a stream of seeds, and how a world is ended.

    Args:
        observation_spaces: Of each agent.
        action_space: Of every agent; each gets a copy.

    Attributes:
        world: The one that is played, None before ``reset`` and after ``close``.
    """

    def __init__(self, observation_spaces: Mapping[str, spaces.Space], action_space: spaces.Space):
        self.possible_agents = list(observation_spaces)
        self.agents: list[str] = []
        self.world: Any = None
        self._observation_spaces = dict(observation_spaces)
        self._action_spaces = {agent: copy.deepcopy(action_space) for agent in self.possible_agents}
        self._rng: np.random.Generator | None = None

    def observation_space(self, agent: str) -> spaces.Space:
        """The same space for every agent, each its own object."""
        return self._observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space:
        """The same space for every agent, each its own object."""
        return self._action_spaces[agent]

    def close(self) -> None:
        """End the running world; ``reset`` draws another one."""
        self.agents = []
        if self.world is not None:
            self.world.close()
            self.world = None

    def _play(self, answers: dict[int, Actions]) -> None:
        """Give the players' answers and run on to the next decision; where a player fails, the episode is over."""
        agents, self.agents = self.agents, []
        try:
            self.world.step(answers)
        except WrongThreadError:
            self.agents = agents
            raise
        self.agents = agents

    def _next_seed(self, seed: int | None) -> int:
        """The seed of the next world; a seed starts the stream anew."""
        if seed is not None or self._rng is None:
            self._rng, _ = seeding.np_random(seed)
        return int(self._rng.integers(2**62))

    def _ends(self) -> tuple[dict[str, bool], dict[str, bool]]:
        """Terminations and truncations after a step; nobody is left where the world has ended."""
        done = bool(self.world.done)
        ends = dict.fromkeys(self.agents, done), dict.fromkeys(self.agents, False)
        if done:
            self.agents = []
        return ends


class ParallelWorldEnv(WorldAgents):
    """Several players of one world, each an agent; those whose decision is not due have only no-ops.

    For each agent infos have ``action_mask`` and ``my_turn``, and with the last step the summary of its player.

    Args:
        parts: What it is made of.
        strict: Whether an invalid answer raises.
        render_mode: As the parts' ``render`` takes it, or None.

    Raises:
        InputError: in strict mode for an invalid action; for an action of an agent that is not there, or a missing one
            of an agent whose decision is due; for what is used before ``reset`` or after ``close``; if a strategy
            raises in the compiled world, or a reward gives no finite number.
    """

    def __init__(self, parts: ParallelParts, strict: bool = False, render_mode: str | None = None):
        observation_spaces = {agent: parts.encoders[agent].space for agent in parts.agents}
        super().__init__(observation_spaces, parts.codec.space)
        self.codec = parts.codec
        self.strict = strict
        self.render_mode = render_mode
        self._parts = parts

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        """Draw the next world and run it to the first decision of an agent."""
        self.close()
        world = self._parts.draw(self._next_seed(seed), tuple(self._parts.agents.values())).world
        self.codec.reset()
        self._told = {agent: told_by(self.codec) for agent in self.possible_agents}
        self._nothing = told_by(self.codec)
        world.start()
        self.world = world
        self.agents = list(self.possible_agents)
        self._settled = 0
        self._before = {a: self.view(a).copy() for a in self.agents}
        for agent in self.agents:
            self._parts.encoders[agent].reset()
            self._parts.rewards[agent].reset(self.view(agent))
        return self._observe(), self._infos()

    @one_thread
    def step(self, actions: dict[str, Any]) -> tuple[dict, dict, dict, dict, dict]:
        """Give the answers of the agents whose decision is due and run on to the next one."""
        check_agents(self.agents, actions)
        self._told = dict.fromkeys(self.agents, self._nothing)
        answers = {}
        for agent, player in self._parts.agents.items():
            if player not in self.world.pending:
                continue
            if agent not in actions:
                raise InputError(f"{agent}: no action, and its decision is due")
            answers[player] = self.codec.decode(read_action(actions[agent]), self.view(agent))
            self._told[agent] = told_by(self.codec)
            if self.strict:
                self._parts.validate(self.view(agent), answers[player])
        if answers:
            self._play(answers)
        rewards = {a: self._reward(a) for a in self.agents}
        self._settled = self.world.day
        self._before = {a: self.view(a).copy() for a in self.agents}
        observations, infos = self._observe(), self._infos()
        return observations, rewards, *self._ends(), infos

    def view(self, agent: str) -> View:
        """What an agent's player sees now: a live record."""
        require_reset(self.world is not None, "view")
        return self.world.view(self._parts.agents[agent])

    def sample_mask(self, agent: str) -> Any:
        """An agent's mask as ``action_space(agent).sample`` takes it: an int8 array for each dimension."""
        return sampling_mask(self.codec.mask(self.view(agent)), self.codec.space)

    def render(self) -> Any:
        """The day of the player whose decision is due (else of the first agent), in the ``render_mode``."""
        if self.render_mode is None or self._parts.render is None:
            return None
        require_reset(self.world is not None, "render")
        player = self.world.pending[0] if self.world.pending else next(iter(self._parts.agents.values()))
        return self._parts.render(self.world.view(player), self.render_mode)

    def _reward(self, agent: str) -> float:
        player = self._parts.agents[agent]
        profits = self.world.profits[player, self._settled : self.world.day]
        closed = self.world.closed_days(player)
        for last in closed:
            self.codec.end_day(last)
        transition = Transition(self._before[agent], self.view(agent), closed, profits, self.world.done)
        return pay(self._parts.rewards[agent], transition)

    def _observe(self) -> dict[str, Any]:
        encoders = self._parts.encoders
        hidden_state = self.world.hidden_state() if next(iter(encoders.values())).full else None
        return {a: encoders[a].encode(self.view(a), hidden_state) for a in self.agents}

    def _infos(self) -> dict[str, dict[str, Any]]:
        infos = {}
        for agent in self.agents:
            player = self._parts.agents[agent]
            infos[agent] = {"action_mask": self.sample_mask(agent), "my_turn": player in self.world.pending}
            infos[agent] |= copy.deepcopy(self._told[agent])
            if self.world.done:
                infos[agent] |= self.world.summary(player)
        return infos
