"""Many networks of one shape in one tensor, and a step of Q-learning for all of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Self

import numpy as np
import torch
from torch import Tensor

_WIDTH = 16
"""A network's parameters are filled up to a multiple of this, so that all begin at the same place of a vector register:
a network's numbers do not depend on those beside it."""


class QNetworks:
    """``n`` multilayer perceptrons with ReLU, alike in shape.

    Attributes:
        sizes: Inputs, units of each hidden layer, actions.
        flat: float32 ``(n, size)``, all parameters; what is changed here is changed in the layers.
        layers: Weights ``(n, inputs, outputs)`` and biases ``(n, 1, outputs)`` of each layer, views of ``flat``.
    """

    def __init__(self, sizes: Sequence[int], flat: Tensor):
        self.sizes = tuple(sizes)
        self.flat = flat
        self.layers: list[tuple[Tensor, Tensor]] = []
        at = 0
        for inputs, outputs in pairwise(self.sizes):
            weights = flat[:, at : at + inputs * outputs].view(-1, inputs, outputs)
            at += inputs * outputs
            self.layers.append((weights, flat[:, at : at + outputs].view(-1, 1, outputs)))
            at += outputs

    @classmethod
    def zeros(cls, sizes: Sequence[int], n: int) -> Self:
        """``n`` networks whose parameters are 0."""
        size = sum((inputs + 1) * outputs for inputs, outputs in pairwise(sizes))
        return cls(sizes, torch.zeros(n, -(-size // _WIDTH) * _WIDTH))

    @classmethod
    def drawn(cls, sizes: Sequence[int], generators: Sequence[np.random.Generator]) -> Self:
        """A network drawn from each generator: uniform in ± 1 / sqrt(inputs of the layer), as torch's ``Linear``."""
        networks = cls.zeros(sizes, len(generators))
        for layer in networks.layers:
            bound = 1 / math.sqrt(layer[0].shape[1])
            for part in layer:
                for network, rng in zip(part, generators, strict=True):
                    network.copy_(torch.from_numpy(rng.uniform(-bound, bound, network.shape)))
        return networks

    def copy(self) -> Self:
        """With parameters of its own."""
        return type(self)(self.sizes, self.flat.clone())

    def outputs(self, inputs: Tensor) -> list[Tensor]:
        """What each layer makes of inputs ``(n, batch, inputs)``; the last are the values ``(n, batch, actions)``."""
        outputs = []
        for weights, biases in self.layers:
            inputs = torch.baddbmm(biases, inputs, weights)
            if len(outputs) < len(self.layers) - 1:
                inputs.relu_()
            outputs.append(inputs)
        return outputs

    def values(self, inputs: Tensor) -> Tensor:
        """Values of the actions, float32 ``(n, batch, actions)``, for inputs float32 ``(n, batch, inputs)``."""
        return self.outputs(inputs)[-1]

    def write_gradients(self, inputs: Tensor, outputs: Sequence[Tensor], slope: Tensor, into: QNetworks) -> None:
        """Gradients of a loss by the parameters.

        Args:
            inputs: As given to `outputs`.
            outputs: What it returned.
            slope: Of the loss by the values, ``(n, batch, actions)``.
            into: Its parameters become the gradients.
        """
        befores = [inputs, *outputs[:-1]]
        for at in reversed(range(len(self.layers))):
            weights, biases = into.layers[at]
            weights.copy_(torch.bmm(befores[at].transpose(1, 2), slope))
            biases.copy_(slope.sum(1, keepdim=True))
            if at:
                slope = torch.bmm(slope, self.layers[at][0].transpose(1, 2))
                slope = torch.ops.aten.threshold_backward(slope, befores[at], 0)  # where the ReLU was open


class Optimiser:
    """A step of DQN for each network: Huber loss, gradients shortened network by network, Adam.

    Args:
        networks: To be changed.
        learning_rate: Of Adam.
        max_grad_norm: See `DQNBatchHyperparameters`.
    """

    def __init__(self, networks: QNetworks, learning_rate: float, max_grad_norm: float):
        self._networks = networks
        self._gradients = QNetworks(networks.sizes, torch.zeros_like(networks.flat))
        self._max_norm = max_grad_norm
        parameter = torch.nn.Parameter(networks.flat)  # shares its memory
        parameter.grad = self._gradients.flat
        self._adam = torch.optim.Adam([parameter], lr=learning_rate, fused=True)

    def step(self, observations: Tensor, chosen: Tensor, wanted: Tensor) -> None:
        """Move the values of the chosen actions towards the wanted ones.

        Args:
            observations: float32 ``(n, batch, inputs)``.
            chosen: float32 ``(n, batch, actions)``, 1 for the action taken, else 0.
            wanted: float32 ``(n, batch)``: reward and discounted value of the next observation.
        """
        outputs = self._networks.outputs(observations)
        error = (outputs[-1] * chosen).sum(2) - wanted
        slope = error.clamp_(-1, 1).div_(wanted.shape[1])  # of the mean Huber loss
        self._networks.write_gradients(observations, outputs, slope.unsqueeze(2) * chosen, self._gradients)
        shorter = self._max_norm / (torch.linalg.vector_norm(self._gradients.flat, dim=1) + 1e-6)
        if bool((shorter < 1).any()):
            self._gradients.flat.mul_(shorter.clamp_(max=1).unsqueeze(1))
        self._adam.step()
