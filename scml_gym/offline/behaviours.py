"""Who acts in an environment while its data are recorded: a learner, a strategy or another player, or chance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from gymnasium import spaces

from scml_gym.bilateral.envs.base import NegotiationEnv
from scml_gym.bilateral.envs.codecs import ACCEPTANCE
from scml_gym.bilateral.negotiators.base import NO_OFFER, TablePlayer
from scml_gym.bilateral.worlds.protocol import Bidder
from scml_gym.core.errors import InputError
from scml_gym.core.masks import sampling_mask
from scml_gym.game.definition import Game
from scml_gym.game.run_folders import is_folder
from scml_gym.game.world import FactoryPolicy, PlayerMaker, View
from scml_gym.jit.random import N_DRAWS, counter_draws
from scml_gym.offline.seats import Seat, seat_of
from scml_gym.policies.run_folders import load_agent

UNIFORM = "uniform"
"""Name of the behaviour that draws among the valid actions."""


class Behaviour(Protocol):
    """Acts for the agents of one environment at a time."""

    def begin(self, env: Any, seed: int) -> None:
        """An environment was reset: with this seed, or without one in an episode that goes on from there."""
        ...

    def act(self, env: Any, agent: str, observation: Any, mask: np.ndarray) -> Any:
        """An agent's action.

        Args:
            env: The environment.
            agent: Its name; of a single environment's, anything.
            observation: What it is shown.
            mask: Its valid choices, bool ``(choices,)``.
        """
        ...


class Uniform:
    """Draws valid actions evenly, as ``action_space.sample(mask=...)`` does."""

    def __init__(self, space: spaces.Space):
        self._space = space
        self._seed: int | None = None

    def begin(self, env: Any, seed: int) -> None:
        """See `Behaviour`."""
        if seed != self._seed:
            self._seed = seed
            self._space.seed(seed)

    def act(self, env: Any, agent: str, observation: Any, mask: np.ndarray) -> Any:
        """See `Behaviour`."""
        masked = isinstance(self._space, spaces.Discrete | spaces.MultiDiscrete)
        return self._space.sample(mask=sampling_mask(mask, self._space)) if masked else self._space.sample()


class Learned:
    """A learner in an environment with its own observations and actions; its best actions.

    Args:
        learner: See `scml_gym.agents.base.Agent`.
    """

    def __init__(self, learner: Any):
        self.learner = learner
        self._states: dict[str, Any] = {}

    def begin(self, env: Any, seed: int) -> None:
        """See `Behaviour`."""
        self._states = {}

    def act(self, env: Any, agent: str, observation: Any, mask: np.ndarray) -> Any:
        """See `Behaviour`."""
        action, self._states[agent] = self.learner.predict(observation, self._states.get(agent), mask)
        return action


class Watched:
    """A world that also tells who plays in it when a day has ended; all else is the world's.

    Args:
        world: The world.
        players: By index.
    """

    def __init__(self, world: Any, players: Mapping[int, FactoryPolicy]):
        self.watched, self._players = world, players

    def __getattr__(self, name: str) -> Any:
        return getattr(vars(self)["watched"], name)

    def closed_days(self, player: int) -> list[View]:
        """See `scml_gym.game.world.World`."""
        closed = self.watched.closed_days(player)
        for last in closed if player in self._players else ():
            self._players[player].end_day(last)
        return closed


class Played:
    """Players of factories, whose answers become the nearest actions; they learn from the day of their first decision.

    Args:
        maker: What makes them.
    """

    def __init__(self, maker: PlayerMaker):
        self.maker = maker
        self._seed = 0
        self._players: dict[int, FactoryPolicy] = {}

    def begin(self, env: Any, seed: int) -> None:
        """See `Behaviour`."""
        self._seed = seed
        if not isinstance(env.world, Watched):  # another world than before
            self._players = {}
            env.world = Watched(env.world, self._players)

    def act(self, env: Any, agent: str, observation: Any, mask: np.ndarray) -> Any:
        """See `Behaviour`."""
        seat: Seat = seat_of(env, agent)
        if seat.player not in self._players:
            self._players[seat.player] = self.maker(self._seed)
            self._players[seat.player].begin(seat.view)
        return seat.encode(self._players[seat.player].act(seat.view))


class Negotiating:
    """A bilateral strategy; where its offer is no action, the action of the highest target below its utility."""

    def __init__(self, bidder: Bidder):
        self._bidder = bidder
        self._player: TablePlayer | None = None

    def begin(self, env: Any, seed: int) -> None:
        """See `Behaviour`."""
        if self._bidder.strategy.n_draws > N_DRAWS:
            raise InputError(f"{self._bidder.strategy.name!r} draws more than {N_DRAWS} numbers in a turn")
        self._player = TablePlayer(
            self._bidder.strategy,
            env.table,
            int(env.view["n_steps"]),
            lambda step: counter_draws(seed, 0, 0, step),
            self._bidder.parameters,
        )

    def act(self, env: Any, agent: str, observation: Any, mask: np.ndarray) -> Any:
        """See `Behaviour`."""
        assert self._player is not None, "an episode has begun"
        view, codec = env.view, env.codec
        offer = int(view["offer"])
        bid, accepts = self._player.turn(int(view["step"]), NO_OFFER if offer == NO_OFFER else offer)
        if codec is ACCEPTANCE:
            return int(accepts)
        if accepts:
            return 1
        meant = [choice for choice in np.flatnonzero(mask) if codec.decode(choice, view, env.table) == bid]
        if meant:
            return int(meant[0])
        targets = np.linspace(0.0, 1.0, codec.n_choices - 2)
        return 2 + int(np.searchsorted(targets, env.table.utilities[bid], side="right")) - 1


def behaviour_of(name: str, game: Game, env: Any, observation: spaces.Space, action: spaces.Space) -> Behaviour:
    """Who acts under a name.

    Args:
        name: As a competitor's (a run folder, a strategy, ``module:Name``), or `UNIFORM`.
        game: Of the environment.
        env: The environment, unwrapped.
        observation: Its space, of one agent.
        action: Likewise.

    Raises:
        InputError: if there is nobody of that name, it plays another game, or its answers are no actions there.
    """
    if name == UNIFORM:
        return Uniform(action)
    if is_folder(name):
        learner = load_agent(name)
        if (getattr(learner, "observation_space", None), getattr(learner, "action_space", None)) == (
            observation,
            action,
        ):
            return Learned(learner)
    maker = game.player_maker(name)
    made = maker(0)
    if isinstance(env, NegotiationEnv):
        if not isinstance(made, Bidder):
            raise InputError(f"{name!r} is a negmas negotiator, which is asked by its mechanism alone")
        return Negotiating(made)
    if not isinstance(made, FactoryPolicy):
        raise InputError(f"{name!r} is an scml agent, which is asked by its simulation alone; valid: strategies, runs")
    return Played(maker)
