"""An own learner, 30 lines of code: Monte-Carlo control, one partner at a time.

    python train.py examples/own_learner.yaml --out runs/own
    python evaluate.py runs/own best-subset --trust runs/own

`MonteCarlo` fulfils `scml_gym.agents.base.Agent`. An experiment names it as ``examples.own_learner:MonteCarlo``; one
line in agents/__init__.py would give it a short name: ``AGENTS.register("monte-carlo",
"examples.own_learner:MonteCarlo")``.
"""

import json

import numpy as np
from gymnasium.spaces.utils import flatdim

from scml_gym.core.config import Config, validate
from scml_gym.experiments.make_env import env_arguments, make_env
from scml_gym.oneshot.exported_policies import PartnerPolicy


class Settings(Config):
    """The experiment's ``agent`` section: its keys are checked, and so are their types."""

    name: str
    episodes: int
    exploration: float


class MonteCarlo:
    """Plays the answer with the best mean reward so far, for each of the environment's discrete states."""

    def __init__(self, config, env, table=None):
        self.config, self.env, single = config, env, make_env(env)
        shape = (2, flatdim(single.observation_space), flatdim(single.action_space))  # visits and sums of rewards
        self.table = np.zeros(shape) if table is None else table

    @classmethod
    def build(cls, config, env):
        return cls(validate(Settings, config, "agent"), env)

    def train(self, run):
        env, rng = make_env(self.env), np.random.default_rng(run.config["seed"])
        observation, info = env.reset(seed=run.config["seed"])
        for episode in range(1, self.config.episodes + 1):
            taken, terminated, total = [], False, 0.0
            while not terminated:
                action, _ = self.predict(observation, None, info["action_mask"])
                if rng.random() < self.config.exploration:
                    action = rng.choice(np.flatnonzero(info["action_mask"]))
                taken.append((observation, action))
                observation, reward, terminated, _, info = env.step(action)
                total += float(reward)
            for pair in taken:
                self.table[(slice(None), *pair)] += (1.0, total)
            run.log(episode, reward=total)
            observation, info = env.reset()
        run.checkpoint(self.config.episodes, self.save)

    def predict(self, observation, state=None, mask=None, deterministic=True):
        visits, total = self.table[:, observation]
        valid = np.ones(len(visits), dtype=bool) if mask is None else mask
        return int(np.argmax(np.where(valid, total / np.maximum(visits, 1), -np.inf))), None

    def policy(self, seed):
        return PartnerPolicy(self.predict, env_arguments(self.env)[1])

    def save(self, folder):
        np.save(folder / "table.npy", self.table)
        (folder / "agent.json").write_text(json.dumps([self.config.model_dump(), self.env]))

    @classmethod
    def load(cls, folder):
        config, env = json.loads((folder / "agent.json").read_text())
        return cls(validate(Settings, config, "agent"), env, np.load(folder / "table.npy"))
