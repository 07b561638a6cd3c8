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
from scml_gym.oneshot.strategies.network import HEAD_DTYPE, SIZES, choose, layer_sizes
from scml_gym.oneshot.strategies.row_network import FEATURES
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
        features: What comes before its layers, a name in `scml_gym.oneshot.strategies.row_network.FEATURES`.

    Raises:
        InputError: if the form cannot be played by a network, or the network's sizes are not the form's.
    """

    observation: str
    history: int
    action: str
    network: np.ndarray
    features: str = "flatten"

    def __post_init__(self) -> None:
        inputs, outputs = network_sizes(*self.form)
        sizes, twice = layer_sizes(self.network), FEATURES.get(self.features).twice
        if len(sizes) < 2 + len(twice) or (sizes[0], sizes[-1]) != (inputs, outputs):
            raise InputError(f"network of {sizes} units; valid: {inputs} numbers in, {outputs} out")
        pairs = enumerate(itertools.pairwise(sizes))
        expected = SIZES + len(sizes) + sum(((1 + (i in twice)) * a + 1) * b for i, (a, b) in pairs)
        if len(self.network) != expected:
            raise InputError(f"network of {len(self.network)} numbers; valid: {expected} for {sizes} units")

    @property
    def form(self) -> tuple[str, int, str, str]:
        """What `network_strategy` takes."""
        return self.observation, self.history, self.action, self.features

    def player(self, seed: int) -> StrategyPolicy:
        """A player of this policy, in a world with that seed."""
        return StrategyPolicy(network_strategy(*self.form), seed, self.network)

    def save(self, path: Path) -> None:
        """Write it as npz, whole or not at all; weights as float32, as they were trained."""
        head = SIZES + len(layer_sizes(self.network))
        data = io.BytesIO()
        np.savez_compressed(
            data,
            schema=np.array(SCHEMA),
            form=np.array([self.observation, self.action]),
            history=np.array(self.history),
            features=np.array(self.features),
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
            features = str(data["features"]) if "features" in data else "flatten"  # as in earlier versions
            # names of registered forms alone: another one would be imported
            for registry, name in ((ACTIONS, action), (OBSERVATIONS, observation), (FEATURES, features)):
                registry.known(name)
            network = np.concatenate([data["head"], data["weights"]]).astype(np.float64, casting="safe")
            if not np.isfinite(network).all():
                raise InputError("a number of the network is none")
            return cls(observation, int(data["history"]), action, network, features)


def network_sizes(observation: str, history: int, action: str, features: str = "flatten") -> tuple[int, int]:
    """How many numbers the first layer of a network of this form takes, and how many the last one gives.

    Raises:
        InputError: if no network can play it.
    """
    space, reads = ACTIONS.get(action)().space, FEATURES.get(features)
    if not isinstance(space, spaces.MultiDiscrete):
        raise InputError(f"action={action!r} has no choices; valid: choice, planner")
    encoder = make_encoder("partial", observation, history)
    if not isinstance(encoder.space, spaces.Box):
        raise InputError(f"observation={observation!r} is no array; valid: flat, entities")
    if reads.n_inputs and (observation, history) != ("entities", 0):
        raise InputError(f"features={features!r} reads rows; valid: observation='entities', history=0")
    sizes = space.nvec.tolist()
    if reads.n_rows > 1 and sizes != [sizes[0]] * reads.n_rows:
        raise InputError(f"features={features!r} answers each partner; valid: action='choice'")
    return reads.n_inputs or len(encoder.features), sum(sizes) // reads.n_rows


@dataclass(frozen=True)
class NetworkStrategy(Strategy):
    """What `network_strategy` makes; copied and pickled by its form."""

    form: tuple[str, int, str, str] = ("flat", 0, "choice", "flatten")

    def __reduce__(self) -> tuple[Any, tuple[str, int, str, str]]:
        return network_strategy, self.form


@functools.cache
def network_strategy(observation: str, history: int, action: str, features: str) -> Strategy:
    """The strategy of all networks of one form; its parameters are a network.

    Its state holds what the form of action remembers, then the offers of earlier decisions.
    """
    network_sizes(observation, history, action, features)
    form, logits_of = ACTIONS.get(action)(), FEATURES.get(features).logits
    (decode, mask, remember, _), _, memory_size = action_kernel(form)
    encoder = make_encoder("partial", observation, history)
    encode, _ = encoder_kernel(encoder)
    heads, n_inputs = tuple(form.space.nvec.tolist()), len(encoder.features)
    n_heads, n_outputs = len(heads), sum(heads)

    @compiled
    def play(view: FactoryView, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: ActionArray) -> None:
        seen, valid = np.zeros(n_inputs, dtype=np.float32), np.ones(n_outputs, dtype=np.bool_)
        offer_history = state[memory_size:].reshape((history, MAX_PARTNERS, 4))
        encode(view, np.zeros(0, dtype=HIDDEN_DTYPE), offer_history, seen)
        rules = record_of(params, HEAD_DTYPE, 0)
        if rules["masked"] != 0.0:
            mask(view, valid)
        logits, choices, first = logits_of(params, seen), np.zeros(n_heads, dtype=np.int64), 0
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
        form=(observation, history, action, features),
    )
