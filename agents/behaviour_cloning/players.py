"""Players of what was learnt from datasets, in every environment whose agents are factories, or parts of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from gymnasium import spaces

from scml_gym.agents.mappo.players import FACTORIES, NOT_OF_ONE, SEATS, Seat
from scml_gym.core.config import ConfigError
from scml_gym.core.errors import InputError
from scml_gym.experiments.make_env import WRAPPERS, env_arguments, make_env, wrappers_change_play
from scml_gym.experiments.make_parallel import GAME_ENVIRONMENTS, make_parallel
from scml_gym.game.world import Actions, FactoryPolicy, Predict, View
from scml_gym.games import GAMES, game_of
from scml_gym.offline.playing import flat_mask
from scml_gym.registration import PARALLEL_ENVIRONMENTS


def is_parallel(env: Mapping[str, Any]) -> bool:
    """Whether an ``env`` section names an environment of PettingZoo."""
    return env.get("id") in PARALLEL_ENVIRONMENTS or env.get("id") in GAME_ENVIRONMENTS


def spaces_of(env: Mapping[str, Any]) -> tuple[spaces.Space, spaces.Space]:
    """Observations and actions of an ``env`` section, of Gymnasium or of PettingZoo; there, of every agent.

    Raises:
        InputError: if there is no such environment, an argument is refused, or agents have different spaces.
    """
    if not is_parallel(env):
        single = make_env(env)
        single.close()
        return single.observation_space, single.action_space
    together: Any = make_parallel(env)
    try:
        found = [(together.observation_space(a), together.action_space(a)) for a in together.possible_agents]
    finally:
        together.close()
    if any(pair != found[0] for pair in found):
        raise ConfigError(("env",), "its agents have different observations or actions; valid: the same for all")
    return found[0]


class Decides(Protocol):
    """What decides for several agents at once."""

    @property
    def env(self) -> Mapping[str, Any]:
        """The ``env`` section in which it was trained."""
        ...

    @property
    def predict(self) -> Predict:
        """For one agent."""
        ...

    def decide(
        self, observations: Sequence[Any], states: Sequence[Any], masks: np.ndarray
    ) -> tuple[Sequence[Any], list[Any]]:
        """Actions of agents, and their states afterwards; ``masks`` are bool ``(n, options)``, choice after choice."""
        ...


class NegotiationsPlayer:
    """A factory that is played by an agent for each of its partners, each with a state of its own.

    Args:
        learner: Decides.
        seat: What the agents see and do.
    """

    synchronous = True

    def __init__(self, learner: Decides, seat: Seat):
        self._learner, self._seat = learner, seat
        self._states: list[Any] = []

    def begin(self, view: View) -> None:
        """A new world: nothing is remembered."""
        self._states = []

    def act(self, view: View) -> Actions:
        """The answers of the agents whose turn it is; as in the environment, the others act too."""
        seen = self._seat.seen(view)
        masks = np.stack([flat_mask(mask) for _, mask in seen])
        states = self._states or [None] * len(seen)
        actions, self._states = self._learner.decide([shown for shown, _ in seen], states, masks)
        due = np.flatnonzero(view["partners"]["my_turn"]).tolist()
        return self._seat.answers(view, {k: actions[k] for k in due})

    def end_day(self, view: View) -> None:
        """Episodes go on to the last day."""


def factory_player(learner: Decides) -> FactoryPolicy:
    """A player of one factory of one world.

    Raises:
        InputError: if the learner's environment has no factories, or wrappers that may change what it sees and does.
    """
    env_id, arguments = env_arguments(learner.env)
    if wrappers_change_play(learner.env):
        raise InputError(f"trained with env.wrappers={learner.env[WRAPPERS]}: it plays in these only")
    if env_id in SEATS:
        return NegotiationsPlayer(learner, SEATS[env_id](make_parallel(learner.env)))
    if env_id in FACTORIES:
        name, env_id = FACTORIES[env_id]
        arguments = {key: value for key, value in arguments.items() if key not in NOT_OF_ONE}
        return GAMES.get(name).policy(learner.predict, {"id": env_id} | arguments)
    game = game_of(env_id)
    if game is None or env_id not in game.environments:
        raise InputError(f"trained in {env_id!r}, which has no factories to play")
    return game.policy(learner.predict, {"id": env_id} | arguments)
