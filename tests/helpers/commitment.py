"""Games and environments that tests of commitments share."""

from gymnasium import spaces
from pettingzoo import ParallelEnv

SQUARE = [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]
"""Payoffs of two players with two actions each."""


class Leaving(ParallelEnv):
    """Three agents, of whom the k-th leaves after k + 1 steps."""

    metadata = {"name": "leaving"}

    def __init__(self):
        self.possible_agents = ["a", "b", "c"]

    def observation_space(self, agent):
        return spaces.Discrete(3)

    def action_space(self, agent):
        return spaces.Discrete(2)

    def reset(self, seed=None, options=None):
        self.agents, self.time = list(self.possible_agents), 0
        return dict.fromkeys(self.agents, 0), {agent: {} for agent in self.agents}

    def step(self, actions):
        assert set(actions) == set(self.agents)
        now, self.time = self.agents, self.time + 1
        self.agents = self.possible_agents[self.time :]
        ended = {agent: agent not in self.agents for agent in now}
        ones = dict.fromkeys(now, 1.0)
        return dict.fromkeys(now, self.time - 1), ones, ended, dict.fromkeys(now, False), {a: {} for a in now}
