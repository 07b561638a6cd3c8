"""From a trained learner of Stable-Baselines3 to a policy file: its network as data that every world can play."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from stable_baselines3.common.torch_layers import FlattenExtractor, MlpExtractor
from torch import nn

from scml_gym.core.errors import InputError
from scml_gym.experiments.make_env import WRAPPERS, env_arguments, wrappers_change_play
from scml_gym.experiments.run_folder import POLICY_FILE
from scml_gym.oneshot.policy_files import PolicyFile, network_sizes
from scml_gym.oneshot.strategies.network import pack_network

MASKED = {"stable_baselines3:PPO": False, "sb3_contrib:MaskablePPO": True}
"""Algorithms whose policy is a network of choices, and whether it chooses among the valid ones only."""

ENVIRONMENT = "scml_gym/OneShotConcurrent-v0"
_ACTIVATIONS = {nn.Tanh: "tanh", nn.ReLU: "relu"}


class Learner(Protocol):
    """What of `scml_gym.agents.sb3.learner.SB3Agent` makes a policy file."""

    @property
    def algorithm(self) -> str: ...

    @property
    def hyperparameters(self) -> Any: ...

    @property
    def env(self) -> Mapping[str, Any]: ...

    @property
    def model(self) -> Any: ...


def policy_form(agent: Learner) -> tuple[str, int, str]:
    """Observation, history and action of a learner of which policy files can be made.

    Raises:
        InputError: saying in one line what a policy file cannot stand for.
    """
    env_id, arguments = env_arguments(agent.env)
    if agent.algorithm not in MASKED:
        raise InputError(f"{agent.algorithm.partition(':')[2]} makes no policy files; valid: PPO, MaskablePPO")
    if wrappers_change_play(agent.env):
        raise InputError(f"no policy files with env.wrappers={agent.env[WRAPPERS]}")
    if env_id != ENVIRONMENT:
        raise InputError(f"no policy files of {env_id}; valid: {ENVIRONMENT}")
    if agent.hyperparameters.features != "flatten":
        raise InputError(f"no policy files with agent.features={agent.hyperparameters.features!r}; valid: flatten")
    if arguments.get("observability", "partial") != "partial":
        raise InputError("no policy files with env.observability='full', which no factory of the league has")
    if arguments.get("timing", "rounds") == "negotiations":
        raise InputError("no policy files with env.timing='negotiations', where partners are answered one by one")
    form = arguments.get("observation", "flat"), int(arguments.get("history", 0)), arguments.get("action", "choice")
    network_sizes(*form)
    return form


def export_policy(agent: Learner, temperature: float = 0.0) -> PolicyFile:
    """What a trained learner plays now.

    Args:
        agent: The learner.
        temperature: 0 for the likeliest actions, as learners are judged; 1 to draw them, as learners explore.

    Raises:
        InputError: as `policy_form`; if the learner is not trained, or its network is of another kind.
    """
    form = policy_form(agent)
    if agent.model is None:
        raise InputError("no policy file of a learner that is not trained")
    layers, activation = _layers(agent.model.policy)
    return PolicyFile(*form, pack_network(layers, activation, MASKED[agent.algorithm], temperature))


def save_policy_file(agent: Learner, folder: Path) -> None:
    """Write ``policy.npz`` into a checkpoint; nothing where no policy file can be made."""
    try:
        policy = export_policy(agent)
    except InputError:
        return
    policy.save(folder / POLICY_FILE)


def _layers(policy: Any) -> tuple[list[tuple[np.ndarray, np.ndarray]], str]:
    """Weights ``(inputs, outputs)`` and biases of each layer from the observation to the logits; the activation."""
    body, last = policy.mlp_extractor, policy.action_net
    plain = isinstance(policy.features_extractor, FlattenExtractor) and isinstance(body, MlpExtractor)
    modules = list(body.policy_net) if plain else []
    linear, others = modules[::2], {type(module) for module in modules[1::2]} or {nn.Tanh}
    if not plain or not all(isinstance(m, nn.Linear) for m in [*linear, last]) or others - _ACTIVATIONS.keys():
        raise InputError("no policy file of this policy; valid: SB3's hidden layers with tanh or relu")
    if len(others) > 1:
        raise InputError("no policy file of a policy with several activations")
    layers = [(m.weight.detach().cpu().numpy().T, m.bias.detach().cpu().numpy()) for m in [*linear, last]]
    return layers, _ACTIVATIONS[others.pop()]
