"""Policy files: trained networks as data alone, the form of what they see and do, and their numbers."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scml_gym.core.data_files import content_of
from scml_gym.core.errors import InputError
from scml_gym.core.files import read_arrays, replace_file
from scml_gym.game.network_strategies import Form, NetworkForms, NetworkStrategy
from scml_gym.game.networks import SIZES, check_network, layer_sizes
from scml_gym.game.strategy import StrategyPolicy

SCHEMA = "scml-gym-policy-2"
FORMER = {"scml-gym-policy-1": "oneshot", "scml-gym-snapshot-1": "oneshot"}
"""Schemas of earlier versions, which do not say of which game a file is, with that game."""


@dataclass(frozen=True)
class PolicyFile:
    """A policy at one moment of its training.

    Attributes:
        strategy: Of all networks of its form.
        network: Float64, as `scml_gym.game.networks.pack_network` made it.

    Raises:
        InputError: if the network's sizes are not the form's.
    """

    strategy: NetworkStrategy
    network: np.ndarray

    def __post_init__(self) -> None:
        check_network(self.network, *self.strategy.sizes, self.strategy.reads)

    def player(self, seed: int) -> StrategyPolicy:
        """A player of this policy, in a world with that seed."""
        return StrategyPolicy(self.strategy, seed, self.network)

    def save(self, path: Path) -> None:
        """Write it as npz, whole or not at all; weights as float32, as they were trained."""
        form, head = self.strategy.form, SIZES + len(layer_sizes(self.network))
        data = io.BytesIO()
        np.savez_compressed(
            data,
            schema=np.array(SCHEMA),
            game=np.array(self.strategy.forms.game),
            form=np.array([form.observation, form.action]),
            history=np.array(form.history),
            features=np.array(form.features),
            head=self.network[:head],
            weights=self.network[head:].astype(np.float32),
        )
        replace_file(path, data.getvalue())

    @classmethod
    def load(cls, path: str | os.PathLike[str], forms: NetworkForms) -> PolicyFile:
        """Read what `save` wrote.

        Args:
            path: Of the file.
            forms: Of the game that it is to play.

        Raises:
            InputError: if the file is missing or no policy file, or plays another game.
        """
        data = read_arrays(path, "a policy file")
        with content_of(path, "a policy file"):
            game = _game_in(path, data)
            if game != forms.game:
                raise InputError(f"{os.fspath(path)!r} plays the game {game!r} and does not play {forms.game!r}")
            observation, action = data["form"].tolist()
            features = str(data["features"]) if "features" in data else "flatten"  # as in earlier versions
            form = Form(observation, int(data["history"]), action, features)
            # names of registered forms alone: another one would be imported
            for registry, name in ((forms.actions, action), (forms.observations, observation)):
                registry.known(name)
            forms.features.known(features)
            network = np.concatenate([data["head"], data["weights"]]).astype(np.float64, casting="safe")
            if not np.isfinite(network).all():
                raise InputError("a number of the network is none")
            return cls(forms.strategy(*form), network)


def game_of_policy_file(path: str | os.PathLike[str]) -> str:
    """The name of the game that a policy file plays, as it says; not yet checked.

    Raises:
        InputError: if the file is missing or no policy file.
    """
    data = read_arrays(path, "a policy file")
    with content_of(path, "a policy file"):
        return _game_in(path, data)


def _game_in(path: str | os.PathLike[str], data: dict[str, Any]) -> str:
    schema = str(data["schema"])
    if schema in FORMER:
        return FORMER[schema]
    if schema != SCHEMA:
        raise InputError(f"{path} has the schema {schema!r}; {SCHEMA!r} is needed")
    return str(data["game"])
