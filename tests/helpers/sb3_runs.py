"""Tiny experiments of Stable-Baselines3's learners, and their runs."""

from scml_gym.agents import AGENTS
from scml_gym.core.config import CONFIGS, read_yaml
from scml_gym.experiments.run_folder import Run

ENV = {"days": 3, "factories_per_level": 4, "backend": "reference"}

ON_POLICY = {"total_steps": 64, "n_envs": 2, "n_steps": 16, "batch_size": 16, "n_epochs": 2, "net_arch": [16]}
SMALL = {
    "ppo": ON_POLICY,
    "maskable-ppo": ON_POLICY,
    "recurrent-ppo": ON_POLICY | {"lstm_hidden_size": 8},
    "dqn": {
        **{"total_steps": 96, "learning_starts": 32, "log_steps": 32, "net_arch": [16]},
        **{"batch_size": 16, "buffer_size": 64, "target_update_interval": 32},
    },
}


def experiment(name, **changes):
    """On the reference world, one by one; tests/agents/sb3/test_batch.py has the native environments."""
    env_file = "bilateral" if name == "dqn" else "concurrent"
    agent = read_yaml(CONFIGS / "agent" / f"{name.replace('-', '_')}.yaml") | {"name": name} | SMALL[name]
    env = read_yaml(CONFIGS / "env" / f"{env_file}.yaml") | ENV
    config = {"seed": 1, "agent": agent, "env": env, "checkpoint_minutes": 0, "threads": 1}
    for section, values in changes.items():
        config[section] = config[section] | values
    return config


def trained(folder, config):
    agent = AGENTS.get(config["agent"]["name"]).build(config["agent"], config["env"])
    run = Run.create(folder, config, "test")
    agent.train(run)
    return agent, run
