"""From a trained learner of Stable-Baselines3 to a policy file: its network as data that every world can play."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from stable_baselines3.common.torch_layers import FlattenExtractor, MlpExtractor
from torch import nn

from scml_gym.agents.sb3.partners import PartnerBody, SetFeatures
from scml_gym.core.errors import InputError
from scml_gym.experiments.make_env import WRAPPERS, env_arguments, wrappers_change_play
from scml_gym.experiments.run_folder import POLICY_FILE
from scml_gym.game.network_strategies import NetworkStrategy
from scml_gym.game.networks import pack_network
from scml_gym.game.policy_files import PolicyFile
from scml_gym.games import game_of

MASKED = {"stable_baselines3:PPO": False, "sb3_contrib:MaskablePPO": True}
"""Algorithms whose policy is a network of choices, and whether it chooses among the valid ones only."""

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


def policy_strategy(agent: Learner) -> NetworkStrategy:
    """The strategy of the policy files of a learner, which says what its network sees and means.

    Raises:
        InputError: saying in one line what a policy file cannot stand for.
    """
    env_id, arguments = env_arguments(agent.env)
    if agent.algorithm not in MASKED:
        raise InputError(f"{agent.algorithm.partition(':')[2]} makes no policy files; valid: PPO, MaskablePPO")
    if wrappers_change_play(agent.env):
        raise InputError(f"no policy files with env.wrappers={agent.env[WRAPPERS]}")
    game = game_of(env_id)
    if game is None or game.networks is None:
        raise InputError(f"no policy files of {env_id}, which is no environment of a game that has some")
    forms = game.load("networks")
    return forms.strategy(*forms.form_of(env_id, arguments, agent.hyperparameters.features))


def export_policy(agent: Learner, temperature: float = 0.0) -> PolicyFile:
    """What a trained learner plays now.

    Args:
        agent: The learner.
        temperature: 0 for the likeliest actions, as learners are judged; 1 to draw them, as learners explore.

    Raises:
        InputError: as `policy_strategy`; if the learner is not trained, or its network is of another kind.
    """
    strategy = policy_strategy(agent)
    if agent.model is None:
        raise InputError("no policy file of a learner that is not trained")
    layers, activation = _layers(agent.model.policy)
    network = pack_network(layers, activation, MASKED[agent.algorithm], temperature, strategy.reads.twice)
    return PolicyFile(strategy, network)


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
    if isinstance(body, PartnerBody):
        first, second = [body.row, body.context], [body.second_row, body.second_context]
        return [_numbers(first), _numbers(second), _numbers([m for m in last if isinstance(m, nn.Linear)])], "tanh"
    plain = isinstance(policy.features_extractor, FlattenExtractor | SetFeatures) and isinstance(body, MlpExtractor)
    modules = list(body.policy_net) if plain else []
    linear, others = modules[::2], {type(module) for module in modules[1::2]} or {nn.Tanh}
    if not plain or not all(isinstance(m, nn.Linear) for m in [*linear, last]) or others - _ACTIVATIONS.keys():
        raise InputError("no policy file of this policy; valid: SB3's hidden layers with tanh or relu")
    if len(others) > 1:
        raise InputError("no policy file of a policy with several activations")
    return [_numbers([m]) for m in [*linear, last]], _ACTIVATIONS[others.pop()]


def _numbers(modules: Sequence[nn.Linear]) -> tuple[np.ndarray, np.ndarray]:
    """Weights and biases of a layer that sums some, each of a part of its inputs."""
    weights = [m.weight.detach().cpu().numpy().T for m in modules]
    return np.concatenate(weights), np.sum([m.bias.detach().cpu().numpy() for m in modules], axis=0)
