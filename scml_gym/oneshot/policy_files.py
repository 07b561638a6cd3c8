"""Policy files: trained networks as strategies, which play in every world.

A policy file is data alone: the form of its observation and of its action, and the numbers of its network. Policy files
of one form share their code; players of one file share its numbers.
"""

from __future__ import annotations

import functools
import io
import itertools
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces

from scml_gym.core.data_files import content_of
from scml_gym.core.errors import InputError
from scml_gym.core.files import read_arrays, replace_file
from scml_gym.game.kernels import action_kernel, encoder_kernel
from scml_gym.jit.compile import compiled
from scml_gym.jit.parameters import record_of
from scml_gym.oneshot.actions.factory import ACTIONS
from scml_gym.oneshot.observations.factory import OBSERVATIONS, make_encoder
from scml_gym.oneshot.strategies.base import Strategy, StrategyPolicy
from scml_gym.oneshot.strategies.network import HEAD_DTYPE, SIZES, choose, compute_logits, layer_sizes
from scml_gym.oneshot.view import HIDDEN_DTYPE, MAX_PARTNERS, ActionArray, FactoryView

SCHEMA = "scml-gym-policy-1"
SCHEMAS = (SCHEMA, "scml-gym-snapshot-1")
"""Of files that can be read; the second is the same by its old name."""


@dataclass(frozen=True)
class PolicyFile:
    """A policy at one moment of its training.

    Attributes:
        observation: As `scml_gym.oneshot.observations.factory.make_encoder` takes it, with partial observability.
        history: Likewise.
        action: A name in `scml_gym.oneshot.actions.factory.ACTIONS`, with one choice for each of several heads.
        network: Float64, as `scml_gym.oneshot.strategies.network.pack_network` made it.

    Raises:
        InputError: if the form cannot be played by a network, or the network's sizes are not the form's.
    """

    observation: str
    history: int
    action: str
    network: np.ndarray

    def __post_init__(self) -> None:
        inputs, outputs = network_sizes(self.observation, self.history, self.action)
        sizes = layer_sizes(self.network)
        if len(sizes) < 2 or (sizes[0], sizes[-1]) != (inputs, outputs):
            raise InputError(f"network of {sizes} units; valid: {inputs} numbers in, {outputs} out")
        expected = SIZES + len(sizes) + sum((a + 1) * b for a, b in itertools.pairwise(sizes))
        if len(self.network) != expected:
            raise InputError(f"network of {len(self.network)} numbers; valid: {expected} for {sizes} units")

    def player(self, seed: int) -> StrategyPolicy:
        """A player of this policy, in a world with that seed."""
        return StrategyPolicy(network_strategy(self.observation, self.history, self.action), seed, self.network)

    def save(self, path: Path) -> None:
        """Write it as npz, whole or not at all; weights as float32, as they were trained."""
        head = SIZES + len(layer_sizes(self.network))
        data = io.BytesIO()
        np.savez_compressed(
            data,
            schema=np.array(SCHEMA),
            form=np.array([self.observation, self.action]),
            history=np.array(self.history),
            head=self.network[:head],
            weights=self.network[head:].astype(np.float32),
        )
        replace_file(path, data.getvalue())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> PolicyFile:
        """Read what `save` wrote.

        Raises:
            InputError: if the file is missing or no policy file.
        """
        data = read_arrays(path, "a policy file")
        with content_of(path, "a policy file"):
            schema = str(data["schema"])
            if schema not in SCHEMAS:
                raise InputError(f"{path} has the schema {schema!r}; {SCHEMA!r} is needed")
            observation, action = data["form"].tolist()
            # names of registered forms alone: another one would be imported
            ACTIONS.known(action, "action")
            OBSERVATIONS.known(observation, "observation")
            network = np.concatenate([data["head"], data["weights"]]).astype(np.float64, casting="safe")
            if not np.isfinite(network).all():
                raise InputError("a number of the network is none")
            return cls(observation, int(data["history"]), action, network)


def network_sizes(observation: str, history: int, action: str) -> tuple[int, int]:
    """How many numbers a network of this form takes, and how many it gives.

    Raises:
        InputError: if no network can play it.
    """
    space = ACTIONS.get(action)().space
    if not isinstance(space, spaces.MultiDiscrete):
        raise InputError(f"action={action!r} has no choices; valid: choice, planner")
    encoder = make_encoder("partial", observation, history)
    if not isinstance(encoder.space, spaces.Box):
        raise InputError(f"observation={observation!r} is no array; valid: flat, entities")
    return len(encoder.features), int(space.nvec.sum())


@dataclass(frozen=True)
class NetworkStrategy(Strategy):
    """What `network_strategy` makes; copied and pickled by its form."""

    form: tuple[str, int, str] = ("flat", 0, "choice")

    def __reduce__(self) -> tuple[Any, tuple[str, int, str]]:
        return network_strategy, self.form


@functools.cache
def network_strategy(observation: str, history: int, action: str) -> Strategy:
    """The strategy of all networks of one form; its parameters are a network.

    Its state holds what the form of action remembers, then the offers of earlier decisions.
    """
    n_inputs, n_outputs = network_sizes(observation, history, action)
    form = ACTIONS.get(action)()
    (decode, mask, remember, _), _, memory_size = action_kernel(form)
    encode, _ = encoder_kernel(make_encoder("partial", observation, history))
    heads = tuple(form.space.nvec.tolist())
    n_heads = len(heads)

    @compiled
    def play(view: FactoryView, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: ActionArray) -> None:
        seen, valid = np.zeros(n_inputs, dtype=np.float32), np.ones(n_outputs, dtype=np.bool_)
        offer_history = state[memory_size:].reshape((history, MAX_PARTNERS, 4))
        encode(view, np.zeros(0, dtype=HIDDEN_DTYPE), offer_history, seen)
        rules = record_of(params, HEAD_DTYPE, 0)
        if rules["masked"] != 0.0:
            mask(view, valid)
        logits, choices, first = compute_logits(params, seen), np.zeros(n_heads, dtype=np.int64), 0
        for head in range(n_heads):
            last = first + heads[head]
            choices[head] = choose(logits[first:last], valid[first:last], rules["temperature"], draws[head])
            first = last
        decode(choices, view, state[:memory_size], actions)

    def decide(
        view: FactoryView, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: ActionArray
    ) -> None:
        play(view, state, params, draws, actions)

    def learn(view: FactoryView, state: np.ndarray, params: np.ndarray) -> None:
        remember(view, state[:memory_size])

    return NetworkStrategy(
        name=f"network of {observation} and {action}",
        decide=decide,
        state_size=memory_size + history * MAX_PARTNERS * 4,
        summary="a trained network",
        learn=learn,
        n_draws=n_heads,
        form=(observation, history, action),
    )
