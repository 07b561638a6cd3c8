"""What was learnt in environments of many agents, as players of a factory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from scml_gym.core.calls import Call, filled
from scml_gym.core.errors import InputError
from scml_gym.core.masks import sampling_mask
from scml_gym.experiments.make_parallel import make_parallel
from scml_gym.export.modules import network_call
from scml_gym.game.definition import Game
from scml_gym.game.world import Actions, FactoryPolicy, View
from scml_gym.games import GAMES
from scml_gym.oneshot.envs.oneshot_negotiations_v0 import OneShotNegotiationsEnv
from scml_gym.oneshot.view import new_actions as oneshot_actions
from scml_gym.standard.actions import ChoiceActions
from scml_gym.standard.actions.safe import ShieldedActions, shielded
from scml_gym.standard.envs.standard_negotiations_v0 import StandardNegotiationsEnv
from scml_gym.standard.view import new_actions as standard_actions

FACTORIES = {
    "oneshot_factories_v0": ("oneshot", "scml_gym/OneShotConcurrent-v0"),
    "standard_factories_v0": ("standard", "scml_gym/StandardConcurrent-v0"),
}
"""Environments whose agents are factories: their game, and the environment of one factory that sees and does alike."""

NOT_OF_ONE = ("id", "factories", "factories_per_level", "n_levels")
"""Arguments that a player of one factory in any world does not need."""


class Seat(Protocol):
    """What the agents of a factory's negotiations see and do, from the factory's view."""

    def seen(self, view: View) -> list[tuple[Any, Any]]:
        """Of each agent its observation, and its mask as infos have it."""
        ...

    def answers(self, view: View, actions: Mapping[int, Any]) -> Actions:
        """The factory's answers that agents' actions stand for, by index of the agent."""
        ...


class OneShotSeat:
    """Of ``oneshot_negotiations_v0``."""

    def __init__(self, env: OneShotNegotiationsEnv):
        self._codec = env.codec

    def seen(self, view: View) -> list[tuple[Any, Any]]:
        """See `Seat`."""
        return [(self._codec.observe(view, k), self._codec.mask(view, k)) for k in range(len(view["partners"]))]

    def answers(self, view: View, actions: Mapping[int, Any]) -> Actions:
        """See `Seat`."""
        answers = oneshot_actions()
        for k, action in actions.items():
            answers[k] = self._codec.actions.decode(action, view, k)
        return answers


class StandardSeat:
    """Of ``standard_negotiations_v0``, with its shield."""

    def __init__(self, env: StandardNegotiationsEnv):
        self._choices, self._encoder = env.choices, env.encoder
        self._joint = shielded(ChoiceActions(env.choices), env.config.shield)

    def seen(self, view: View) -> list[tuple[Any, Any]]:
        """See `Seat`."""
        n = len(view["partners"])
        masks = self._joint.mask(view).reshape(n, -1)
        return [(self._encoder.encode(view, k), sampling_mask(masks[k], self._choices.space)) for k in range(n)]

    def answers(self, view: View, actions: Mapping[int, Any]) -> Actions:
        """See `Seat`."""
        answers = standard_actions()
        for k, action in actions.items():
            self._choices.decode(np.asarray(action), view, k, answers)
        if isinstance(self._joint, ShieldedActions):
            self._joint.check(view, answers)
        return answers


SEATS = {"oneshot_negotiations_v0": OneShotSeat, "standard_negotiations_v0": StandardSeat}


@dataclass
class NegotiationsPlayer:
    """A factory that is played by an agent for each of its partners; all see the same view.

    Attributes:
        learner: A `scml_gym.agents.mappo.learner.MAPPO`.
        seat: Of its environment.
    """

    learner: Any
    seat: Seat
    synchronous = True

    def begin(self, view: View) -> None:
        """Nothing is kept from world to world."""

    def act(self, view: View) -> Actions:
        """The answers of the agents whose turn it is."""
        seen = self.seat.seen(view)
        due = np.flatnonzero(view["partners"]["my_turn"]).tolist()
        return self.seat.answers(view, {k: self.learner.predict((k, seen[k][0]), None, seen[k][1])[0] for k in due})

    def end_day(self, view: View) -> None:
        """Nothing is kept from day to day."""


@dataclass
class OfOneFactory:
    """A learner of factories as the ``predict`` of a single one.

    Attributes:
        learner: A `scml_gym.agents.mappo.learner.MAPPO`, whose agents are not told apart.
    """

    learner: Any

    def __call__(
        self, observation: Any, state: Any = None, mask: np.ndarray | None = None, deterministic: bool = True
    ) -> tuple[Any, Any]:
        """See `scml_gym.agents.base.Agent.predict`."""
        return self.learner.predict((0, observation), state, mask, deterministic)


def factory_player(learner: Any, env: Mapping[str, Any]) -> FactoryPolicy:
    """A player of a factory, by what was learnt in an environment.

    Raises:
        InputError: if the environment has no factories, or its agents, which are factories, are told apart.
    """
    name = env["id"]
    if name in SEATS:
        return NegotiationsPlayer(learner, SEATS[name](make_parallel(env)))
    if name not in FACTORIES:
        raise InputError(f"trained in {name!r}, which has no factories to play")
    game, like = _of_one(learner, env)
    return game.policy(OfOneFactory(learner), like)


def exported_player(learner: Any, env: Mapping[str, Any]) -> Call:
    """The same player made without this package, see `scml_gym.agents.base.Exports.exported`.

    Raises:
        InputError: as `factory_player`, and for agents of negotiations, whose players are none that can be exported.
    """
    if env["id"] not in FACTORIES:
        raise InputError(f"cannot be exported: trained in {env['id']!r}; valid: {', '.join(FACTORIES)}")
    game, like = _of_one(learner, env)
    single: Any = make_parallel(env)
    try:
        agent = single.possible_agents[0]
        spaces = single.observation_space(agent), single.action_space(agent)
        predict = network_call(learner.networks.actor.layers, *spaces, masked=True)
    finally:
        single.close()
    return filled(game.load("forms")(like), predict=predict, deterministic=True)


def _of_one(learner: Any, env: Mapping[str, Any]) -> tuple[Game, dict[str, Any]]:
    """The game of environments of factories, and the environment of one factory that sees and does alike."""
    if learner.hyperparameters.identity != "none":
        told = "its factories are told apart by their number, which other worlds do not have"
        raise InputError(f"trained with agent.identity={learner.hyperparameters.identity!r}: {told}; valid: none")
    game, single = FACTORIES[env["id"]]
    arguments = {key: value for key, value in env.items() if key not in NOT_OF_ONE}
    return GAMES.get(game), {"id": single} | arguments
