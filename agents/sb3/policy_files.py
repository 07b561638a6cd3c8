"""From a trained learner of Stable-Baselines3 to a snapshot: its policy network as data that every world can play."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from stable_baselines3.common.torch_layers import FlattenExtractor, MlpExtractor
from torch import nn

from scml_gym.core.errors import InputError
from scml_gym.experiments.make_env import env_arguments
from scml_gym.oneshot.policy_files import FILE, PolicyFile, network_sizes
from scml_gym.oneshot.strategies.network import pack_network

if TYPE_CHECKING:
    from agents.sb3.learner import SB3Agent

MASKED = {"stable_baselines3:PPO": False, "sb3_contrib:MaskablePPO": True}
"""Algorithms whose policy is a network of choices, and whether it chooses among the valid ones only."""

ENVIRONMENT = "scml_gym/OneShotConcurrent-v0"
_ACTIVATIONS = {nn.Tanh: "tanh", nn.ReLU: "relu"}


def snapshot_form(agent: SB3Agent) -> tuple[str, int, str]:
    """Observation, history and action of a learner whose snapshots can be taken.

    Raises:
        InputError: saying in one line what a snapshot cannot stand for.
    """
    env_id, arguments = env_arguments(agent.env)
    if agent.algorithm not in MASKED:
        raise InputError(f"{agent.algorithm.partition(':')[2]} makes no snapshots; valid: PPO, MaskablePPO")
    if env_id != ENVIRONMENT:
        raise InputError(f"no snapshots of {env_id}; valid: {ENVIRONMENT}")
    if agent.settings.features != "flatten":
        raise InputError(f"no snapshots with agent.features={agent.settings.features!r}; valid: flatten")
    if arguments.get("observability", "partial") != "partial":
        raise InputError("no snapshots with env.observability='full', which no factory of the league has")
    form = arguments.get("observation", "flat"), int(arguments.get("history", 0)), arguments.get("action", "choice")
    network_sizes(*form)
    return form


def take_snapshot(agent: SB3Agent, temperature: float = 0.0) -> PolicyFile:
    """What a trained learner plays now.

    Args:
        agent: The learner.
        temperature: 0 for the likeliest actions, as learners are judged; 1 to draw them, as learners explore.

    Raises:
        InputError: as `snapshot_form`; if the learner is not trained, or its network is of another kind.
    """
    form = snapshot_form(agent)
    if agent.model is None:
        raise InputError("no snapshot of a learner that is not trained")
    policy: Any = agent.model.policy
    layers, activation = _layers(policy)
    return PolicyFile(*form, pack_network(layers, activation, MASKED[agent.algorithm], temperature))


def save_policy_file(agent: SB3Agent, folder: Path) -> None:
    """Write ``snapshot.npz`` into a checkpoint; nothing where no snapshot can be taken."""
    try:
        snapshot = take_snapshot(agent)
    except InputError:
        return
    snapshot.save(folder / FILE)


def _layers(policy: Any) -> tuple[list[tuple[np.ndarray, np.ndarray]], str]:
    """Weights ``(inputs, outputs)`` and biases of each layer from the observation to the logits; the activation."""
    body, last = policy.mlp_extractor, policy.action_net
    plain = isinstance(policy.features_extractor, FlattenExtractor) and isinstance(body, MlpExtractor)
    modules = list(body.policy_net) if plain else []
    linear, others = modules[::2], {type(module) for module in modules[1::2]} or {nn.Tanh}
    if not plain or not all(isinstance(m, nn.Linear) for m in [*linear, last]) or others - _ACTIVATIONS.keys():
        raise InputError("no snapshot of this policy; valid: SB3's hidden layers with tanh or relu")
    if len(others) > 1:
        raise InputError("no snapshot of a policy with several activations")
    layers = [(m.weight.detach().cpu().numpy().T, m.bias.detach().cpu().numpy()) for m in [*linear, last]]
    return layers, _ACTIVATIONS[others.pop()]
