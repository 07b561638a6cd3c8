"""Tiny trainings in compiled worlds whose policies are networks, in every game that has some."""

from scml_gym.agents import AGENTS
from scml_gym.core.config import CONFIGS, read_yaml
from scml_gym.experiments.run_folder import Run

SETTINGS = {"total_steps": 64, "n_envs": 4, "n_steps": 8, "batch_size": 16, "n_epochs": 2, "net_arch": [16]}
WORLDS = {
    "concurrent": {"days": 3, "factories_per_level": 4},
    "standard_concurrent": {"days": 4, "factories_per_level": 2, "n_levels": 3},
    "standard_daily": {"days": 4, "factories_per_level": 2, "n_levels": 3},
}
"""File in configs/env -> arguments."""

TRAITS = {"action": "traits", "executor": "stock"}
DAYS = {"episode": "day", "reward": "regret", "observation": "entities"}
ASKED = DAYS | {"timing": "negotiations", "observation": "prospects", "action": "choice-offer-first"}
"""Of environments that other tests compile too."""


def experiment(name="ppo", agent=None, env=None, world="concurrent"):
    learner = read_yaml(CONFIGS / "agent" / f"{name.replace('-', '_')}.yaml") | {"name": name} | SETTINGS
    arguments = read_yaml(CONFIGS / "env" / f"{world}.yaml") | WORLDS[world]
    arguments |= {"generator": "compiled", "backend": "compiled"} | (env or {})
    return {"seed": 1, "agent": learner | (agent or {}), "env": arguments, "checkpoint_minutes": 0, "threads": 1}


def build(config):
    return AGENTS.get(config["agent"]["name"]).build(config["agent"], config["env"])


def train(folder, config):
    agent = build(config)
    run = Run.create(folder, config, "test")
    agent.train(run)
    return agent, run
