"""Deployment: what a run folder learnt plays a factory, in our worlds and in scml's own tournaments.

A policy that was trained on one of the environments is turned into a `scml_gym.oneshot.worlds.protocol.FactoryPolicy`
by the encoders and codecs of that environment, so that it sees and means the same everywhere; `DeployedAgent` seats it
as an scml agent. Nothing stands in for a policy that cannot be loaded or fails: the error is raised.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from scml_gym.core.arguments import argument_names, check_names
from scml_gym.core.errors import InputError
from scml_gym.core.files import replace_file
from scml_gym.core.registry import load_object
from scml_gym.experiments.run_folder import Run
from scml_gym.oneshot.actions.factory import ACTIONS
from scml_gym.oneshot.envs.bilateral import OneShotBilateralEnv
from scml_gym.oneshot.envs.concurrent import OneShotConcurrentEnv
from scml_gym.oneshot.envs.partner_codec import PartnerCodec
from scml_gym.oneshot.observations.factory import make_encoder
from scml_gym.oneshot.view import ACCEPT, ActionArray, FactoryView, new_actions

if TYPE_CHECKING:
    from scml.oneshot.agent import OneShotAgent

    from scml_gym.oneshot.worlds.protocol import FactoryPolicy


class Predict(Protocol):
    """``predict(observation, state, mask, deterministic) -> (action, next state)``, as `agents.base.Agent.predict`."""

    def __call__(
        self, observation: Any, state: Any = None, mask: np.ndarray | None = None, deterministic: bool = True
    ) -> tuple[Any, Any]:
        """The action for one observation."""
        ...


PASSED_OVER = ("id", "name", "num_envs", "threads", "max_episode_steps")
"""Arguments of ``gymnasium.make``, and keys of an ``env`` section, that shape neither observations nor actions."""


def _arguments(cls: type, env: Mapping[str, Any], known: tuple[str, ...]) -> dict[str, Any]:
    """Those of an environment's arguments that are known.

    Raises:
        InputError: for a misspelt one.
    """
    check_names(env, argument_names(cls) | frozenset(PASSED_OVER))
    return {name: env[name] for name in known if name in env}


class JointPolicy:
    """A policy trained on ``scml_gym/OneShotConcurrent-v0``, as a player of a factory.

    Args:
        predict: The policy.
        env: The environment's arguments; those that shape observations and actions are read.
        deterministic: Whether to take the policy's best action rather than to sample.

    Raises:
        InputError: if it was trained in full observability, which no factory of the league has; for a misspelt
            argument of the environment.
    """

    synchronous = True

    def __init__(self, predict: Predict, env: Mapping[str, Any], deterministic: bool = True):
        arguments = _arguments(OneShotConcurrentEnv, env, ("observability", "observation", "history"))
        if arguments.get("observability") == "full":
            raise InputError("trained with observability='full', which no factory of the league has; use 'partial'")
        self._encoder = make_encoder(**arguments)
        self._codec = ACTIONS.get(env.get("action", "choice"))()
        self._per_day = env.get("episode") == "day"
        self._predict = predict
        self._deterministic = deterministic
        self._state: Any = None

    def begin(self, view: FactoryView) -> None:
        """A new world: no history, no recurrent state."""
        self._encoder.reset()
        self._codec.reset()
        self._state = None

    def act(self, view: FactoryView) -> ActionArray:
        """The policy's answer to every partner."""
        observation = self._encoder.encode(view)
        action, self._state = self._predict(observation, self._state, self._codec.mask(view), self._deterministic)
        return self._codec.decode(np.asarray(action), view)

    def end_day(self, view: FactoryView) -> None:
        """The form of action sees what came of the day; where it was trained on days, so ends the recurrent state."""
        self._codec.end_day(view)
        if self._per_day:
            self._state = None


class PartnerPolicy:
    """A policy trained on ``scml_gym/OneShotBilateral-v0``, playing every negotiation of a factory.

    Partners are answered in the order of their slots; what is accepted reduces the needs that later ones are shown, as
    it would had they been asked one after the other.

    Args:
        predict: The policy of one negotiation, without recurrent state.
        env: The environment's arguments; those that shape observations and actions are read.
        deterministic: Whether to take the policy's best action rather than to sample.

    Raises:
        InputError: for a misspelt argument of the environment.
    """

    synchronous = True

    def __init__(self, predict: Predict, env: Mapping[str, Any], deterministic: bool = True):
        shapes = ("observation", "quantity_bins", "price_bins")
        self._form = PartnerCodec(**_arguments(OneShotBilateralEnv, env, shapes))
        self._predict = predict
        self._deterministic = deterministic

    def begin(self, view: FactoryView) -> None:
        """Nothing is kept from world to world."""

    def act(self, view: FactoryView) -> ActionArray:
        """The policy's answer to every partner whose turn it is."""
        seen, actions = view.copy(), new_actions()
        for k in np.flatnonzero(view["partners"]["my_turn"]).tolist():
            observation, mask = self._form.observe(seen, k), self._form.mask(seen, k)
            action, _ = self._predict(observation, None, mask, self._deterministic)
            actions[k] = self._form.actions.decode(int(action), seen, k)
            if actions[k]["response"] == ACCEPT:
                seen["needs"] -= seen["partners"][k]["offer_quantity"]
        return actions

    def end_day(self, view: FactoryView) -> None:
        """Nothing is kept from day to day."""


def load_agent(run: str | os.PathLike[str]) -> Any:
    """The learner (`agents.base.Agent`) that a run folder holds, from its last checkpoint.

    Raises:
        InputError: if the folder is missing or corrupt, or has no checkpoint yet.
    """
    return load_object(Run.open(Path(run)).info["agent"]).load(latest_checkpoint(run))


def latest_checkpoint(run: str | os.PathLike[str]) -> Path:
    """The folder of a run folder's last checkpoint.

    Raises:
        InputError: as `load_agent`.
    """
    checkpoint = Run.open(Path(run)).latest_checkpoint()
    if checkpoint is None:
        raise InputError(f"{run}: the run has no checkpoint yet")
    return checkpoint


def run_policy_maker(run: str | os.PathLike[str]) -> Callable[[int], FactoryPolicy]:
    """``make(seed) -> FactoryPolicy``: players of what a run folder learnt.

    Raises:
        InputError: as `load_agent`.
    """
    agent = load_agent(run)
    return agent.policy


def deploy(run: str | os.PathLike[str], **parameters: Any) -> tuple[type[OneShotAgent], dict[str, Any]]:
    """The scml agent class, and its entry of ``competitor_params``, with which a run plays in scml's own tournaments.

    The class can be imported by name, so tournaments may run in parallel processes.

    Args:
        run: The run folder.
        parameters: Further parameters of `scml_gym.deployed.DeployedAgent`: ``seed``, ``counts`` and ``name``.

    Raises:
        InputError: if the run folder cannot be deployed; it is tried here, so that no tournament starts in vain.

    Example::

        competitor, parameters = deploy("runs/ppo")
        anac2024_oneshot(competitors=[competitor, SyncRandomOneShotAgent], competitor_params=[parameters, {}])
    """
    from scml_gym.deployed import DeployedAgent, DeployedAsyncAgent

    check_names(parameters, ("seed", "counts", "name"))
    policy = run_policy_maker(run)(0)
    kind = DeployedAgent if policy.synchronous else DeployedAsyncAgent
    return kind, {"controller_params": {"run": str(Path(run).resolve()), **parameters}}


def write_count(folder: Path, name: str, counts: Mapping[str, int]) -> None:
    """Write one agent's counts of a world as JSON, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(folder / f"{name}.json", json.dumps(dict(counts)))
