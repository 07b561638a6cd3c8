"""What was learnt in an environment over views, as a player: it sees and means the same everywhere, by the encoder and
the codec of that environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from scml_gym.core.arguments import argument_names, check_names
from scml_gym.core.errors import InputError
from scml_gym.game.codecs import ActionCodec, Encoder, end_day
from scml_gym.game.telling import tell_thoughts
from scml_gym.game.world import Actions, Predict, View

PASSED_OVER = ("id", "name", "num_envs", "threads", "max_episode_steps")
"""Arguments of ``gymnasium.make``, and keys of an ``env`` section, that shape neither observations nor actions."""

SEEN = ("observability", "observation", "history")
"""Arguments of an environment that make its encoder."""


def known_arguments(cls: type, env: Mapping[str, Any], known: tuple[str, ...]) -> dict[str, Any]:
    """Those of an environment's arguments that are known.

    Raises:
        InputError: for a misspelt one.
    """
    check_names(env, argument_names(cls) | frozenset(PASSED_OVER))
    return {name: env[name] for name in known if name in env}


def encoder_arguments(cls: type, env: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that make the encoder of a deployable policy.

    Raises:
        InputError: for a misspelt argument; for full observability, which no factory of the league has.
    """
    arguments = known_arguments(cls, env, SEEN)
    if arguments.get("observability") == "full":
        raise InputError("trained with observability='full', which no factory of the league has; use 'partial'")
    return arguments


class EncodedPolicy:
    """A policy that is asked decision by decision, as a player of a factory.

    Args:
        predict: The policy.
        encoder: What it is shown.
        codec: What its actions mean.
        deterministic: Whether to take the policy's best action rather than to sample.
        per_day: Whether it was trained on days, so that its recurrent state ends with each day.
        synchronous: Whether it answers all partners together; else each negotiation by itself.
    """

    def __init__(
        self,
        predict: Predict,
        encoder: Encoder,
        codec: ActionCodec,
        deterministic: bool = True,
        per_day: bool = False,
        synchronous: bool = True,
    ):
        self.synchronous = synchronous
        self._encoder, self._codec = encoder, codec
        self._predict = predict
        self._deterministic = deterministic
        self._per_day = per_day
        self._state: Any = None

    def begin(self, view: View) -> None:
        """A new world: no history, no recurrent state."""
        self._encoder.reset()
        self._codec.reset()
        self._state = None

    def act(self, view: View) -> Actions:
        """The policy's answer to every partner."""
        return self.decide(view)

    def decide(self, view: View) -> Any:
        """What the policy's action for this view means."""
        observation = self._encoder.encode(view)
        mask = self._codec.mask(view)
        action, self._state = self._predict(observation, self._state, mask, self._deterministic)
        tell_thoughts(self._predict, view, observation, mask, action)
        return self._codec.decode(np.asarray(action), view)

    def end_day(self, view: View) -> None:
        """The codecs see what came of the day; where it was trained on days, so ends the recurrent state."""
        self._codec.end_day(view)
        end_day(self._encoder, view)
        if self._per_day:
            self._state = None
