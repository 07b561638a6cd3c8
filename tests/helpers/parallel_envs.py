"""Parallel environments that tests of learners of many agents share."""

import numpy as np
from gymnasium import spaces
from pettingzoo import ParallelEnv


class Errands(ParallelEnv):
    """Three agents of two kinds; agent ``k`` comes in step ``k``, leaves after a drawn number of steps, and may come
    back; the episode is stopped after 8 steps. Agents see a drawn number and who is there.

    Args:
        shield: Whether every second answer of an agent is changed, as infos then say.
    """

    metadata = {"name": "errands"}

    def __init__(self, shield=False):
        self.possible_agents = ["a", "b", "c"]
        self.agents, self.shield = [], shield

    def observation_space(self, agent):
        box = spaces.Box(-1.0, 1.0, (4 if agent == "a" else 5,), np.float32)
        return spaces.Dict({"observation": box, "action_mask": spaces.MultiBinary(3)}) if agent == "c" else box

    def action_space(self, agent):
        return spaces.Discrete(2 if agent == "a" else 3, start=1 if agent == "b" else 0)

    def reset(self, seed=None, options=None):
        if seed is not None:
            self.rng = np.random.default_rng(seed)
        self.agents, self.time = ["a"], 0
        return self._observations(), {"a": {}}

    def step(self, actions):
        assert set(actions) == set(self.agents), "agents that are not there act, or others do not"
        for agent, action in actions.items():
            assert self.action_space(agent).contains(action)
            assert agent != "c" or action in self.valid, "the mask was not heeded"
        now, self.time = self.agents, self.time + 1
        stays = [agent for agent in now if self.rng.random() < 0.7]
        comes = [agent for k, agent in enumerate(self.possible_agents) if agent not in now and self.time >= k]
        over = self.time == 8
        rewards = {agent: float(actions[agent] == 1) for agent in now}
        ended = {agent: agent not in stays for agent in now}
        cut = {agent: over and agent in stays for agent in now}
        self.agents = sorted([*stays, *(comes or ([] if stays else ["a"]))])
        observations = self._observations(self.agents + now)
        infos = {agent: {"shielded": int(self.shield and self.time % 2)} for agent in [*now, *self.agents]}
        if over:
            self.agents = []
        return observations, rewards, ended, cut, infos

    def _observations(self, agents=None):
        seen = {}
        for agent in agents or self.agents:
            there = [float(other in self.agents) for other in self.possible_agents]
            numbers = np.array([self.rng.uniform(-1, 1), *there, *([0.5] if agent != "a" else [])], np.float32)
            seen[agent] = numbers
            if agent == "c":
                self.valid = (1, int(self.rng.integers(2)) * 2)
                mask = np.array([option in self.valid for option in range(3)], np.int8)
                seen[agent] = {"observation": numbers, "action_mask": mask}
        return seen


class NoDiscrete(Errands):
    """The same with an action that is no choice."""

    def action_space(self, agent):
        return spaces.Box(0.0, 1.0, (2,), np.float32)
