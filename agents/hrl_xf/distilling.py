"""The coordinator's network is fitted to the heuristic teacher, in the situations in which that coordinates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from scml_gym.agents.hrl_xf.agent_hyperparameters import CoordinatorStage
from scml_gym.agents.hrl_xf.alphas import teacher
from scml_gym.agents.hrl_xf.coordinator import Coordinator, Sets, sets_of
from scml_gym.agents.hrl_xf.monitor import Situation
from scml_gym.agents.mappo.algorithm import Descent
from scml_gym.agents.sb3.training import global_generators_kept

LONGEST_GRADIENT = 1.0


def new_coordinator(settings: CoordinatorStage, seed: int) -> Coordinator:
    """A network with weights drawn from a seed, but for its last layer: until it learns, all alphas are 0."""
    with global_generators_kept():
        torch.manual_seed(seed)
        made = Coordinator(settings.width, settings.heads, settings.layers)
    for part in made.head[-1].parameters():
        nn.init.zeros_(part)
    return made


def distil(situations: Sequence[Situation], settings: CoordinatorStage, seed: int) -> tuple[Coordinator, float]:
    """A network that coordinates as the teacher does in some situations, and the mean squared error that is left.

    Args:
        situations: At least one.
        settings: How it is fitted.
        seed: Of its weights and of the order of situations.
    """
    network, sets = new_coordinator(settings, seed), sets_of(situations)
    wanted = torch.zeros(sets.there.shape)
    wanted[sets.there] = torch.from_numpy(teacher(np.concatenate([one.negotiations for one in situations]))).float()
    descent, draws, left = Descent(network, LONGEST_GRADIENT), np.random.default_rng((seed, 2)), 0.0
    for epoch in range(settings.epochs):
        losses = []
        for rows in np.array_split(draws.permutation(len(situations)), max(1, len(situations) // settings.batch_size)):
            said = torch.tanh(network(Sets(*(part[rows] for part in sets))))
            loss = ((said - wanted[rows][sets.there[rows]]) ** 2).mean()
            descent.step(loss, settings.learning_rate, epoch)
            losses.append(float(loss.detach()))
        left = float(np.mean(losses))
    return network, left
