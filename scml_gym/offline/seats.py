"""Whose answers an agent's actions stand for, in every environment of this package."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, singledispatch
from typing import Any, NamedTuple

from scml_gym.core.errors import InputError
from scml_gym.game.env import WorldEnv
from scml_gym.game.inverses import asked_by, encode_answers, inverse_of
from scml_gym.game.parallel_env import ParallelWorldEnv
from scml_gym.game.world import Actions, View
from scml_gym.oneshot.envs.bilateral import OneShotBilateralEnv
from scml_gym.oneshot.envs.oneshot_negotiations_v0 import OneShotNegotiationsEnv
from scml_gym.standard.envs.standard_negotiations_v0 import StandardNegotiationsEnv


class Seat(NamedTuple):
    """An agent's place in a running world.

    Attributes:
        player: Index of the factory that it plays, or plays a part of.
        view: What that factory is asked by: what it sees, see `scml_gym.game.inverses.asked_by`.
        encode: ``(answers) -> action``: the action that is nearest to the factory's answers.
        kind: Of the agent: agents of one kind see and do the same.
    """

    player: int
    view: View
    encode: Callable[[Actions], Any]
    kind: str


@singledispatch
def seat_of(env: Any, agent: str) -> Seat:
    """The seat of an agent.

    Raises:
        InputError: if nobody's answers are actions there.
    """
    raise InputError(f"answers of a factory are no actions of {type(env).__name__}")


@seat_of.register
def _world(env: WorldEnv, agent: str) -> Seat:
    inverse_of(env.codec)
    asked = asked_by(env.codec, env.view)
    return Seat(env.player, asked, lambda answers: encode_answers(env.codec, answers, env.view), agent)


@seat_of.register
def _one_partner(env: OneShotBilateralEnv, agent: str) -> Seat:
    def encode(answers: Actions) -> int:
        return env.codec.actions.encode(env.view, *answers[env.partner].tolist())

    return Seat(env.factory, env.view, encode, agent)


@seat_of.register
def _factories(env: ParallelWorldEnv, agent: str) -> Seat:
    inverse_of(env.codec)
    view = env.view(agent)
    return Seat(int(view["factory"]), view, partial(encode_answers, env.codec, view=view), f"level-{view['level']}")


@seat_of.register
def _partners(env: OneShotNegotiationsEnv, agent: str) -> Seat:
    k = env.possible_agents.index(agent)

    def encode(answers: Actions) -> int:
        return env.codec.actions.encode(env.view, *answers[k].tolist())

    return Seat(env.factory, env.view, encode, agent.partition("_")[0])


@seat_of.register
def _suppliers_and_consumers(env: StandardNegotiationsEnv, agent: str) -> Seat:
    k = env.possible_agents.index(agent)
    return Seat(
        env.factory, env.view, lambda answers: env.choices.encode(answers, env.view, k), agent.partition("_")[0]
    )
