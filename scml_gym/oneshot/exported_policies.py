"""What was learnt in an environment of OneShot, as a player of a factory.

A policy that was trained on one of the environments sees and means the same everywhere, by the encoders and codecs of
that environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from scml_gym.core.calls import Call, Given, call, made
from scml_gym.game.exported_policies import EncodedPolicy, encoder_arguments, known_arguments
from scml_gym.game.telling import tell_thoughts
from scml_gym.game.world import FactoryPolicy, Predict
from scml_gym.oneshot.envs.bilateral import OneShotBilateralEnv
from scml_gym.oneshot.envs.concurrent import OneShotConcurrentEnv
from scml_gym.oneshot.envs.partner_codec import PartnerCodec
from scml_gym.oneshot.view import ACCEPT, ActionArray, FactoryView, new_actions

CONCURRENT, ONE_PARTNER = "scml_gym/OneShotConcurrent-v0", "scml_gym/OneShotBilateral-v0"
"""The environments whose learners answer all partners together, and one at a time."""


class JointPolicy(EncodedPolicy):
    """A policy trained on ``scml_gym/OneShotConcurrent-v0``, as a player of a factory: one that is asked in each
    negotiation by itself where it was trained so (``timing="negotiations"``).

    Args:
        predict: The policy.
        env: The environment's arguments; those that shape observations and actions are read.
        deterministic: Whether to take the policy's best action rather than to sample.

    Raises:
        InputError: if it was trained in full observability, which no factory of the league has; for a misspelt
            argument of the environment.
    """

    def __init__(self, predict: Predict, env: Mapping[str, Any], deterministic: bool = True):
        super().__init__(predict, deterministic=deterministic, **made(_joint_parts(env)))


class PartnerByPartner:
    """A policy of one negotiation, playing every negotiation of a factory.

    Partners are answered in the order of their indices; what is accepted reduces the needs that later ones are shown,
    as it would had they been asked one after the other.

    Args:
        predict: The policy, whose recurrent state is that of a negotiation.
        codec: What it is shown, and what its actions mean.
        deterministic: Whether to take the policy's best action rather than to sample.
    """

    synchronous = True

    def __init__(self, predict: Predict, codec: PartnerCodec, deterministic: bool = True):
        self._codec = codec
        self._predict = predict
        self._deterministic = deterministic
        self._states: dict[int, Any] = {}

    def begin(self, view: FactoryView) -> None:
        """Nothing is kept from world to world."""
        self._states.clear()

    def act(self, view: FactoryView) -> ActionArray:
        """The policy's answer to every partner whose turn it is."""
        seen, actions = view.copy(), new_actions()
        for k in np.flatnonzero(view["partners"]["my_turn"]).tolist():
            observation, mask = self._codec.observe(seen, k), self._codec.mask(seen, k)
            state = self._states.get(k)
            action, self._states[k] = self._predict(observation, state, mask, self._deterministic)
            tell_thoughts(self._predict, view, observation, mask, action, k)
            actions[k] = self._codec.actions.decode(int(action), seen, k)
            if actions[k]["response"] == ACCEPT:
                seen["needs"] -= seen["partners"][k]["offer_quantity"]
        return actions

    def end_day(self, view: FactoryView) -> None:
        """Nothing is kept from day to day: negotiations end with it."""
        self._states.clear()


class PartnerPolicy(PartnerByPartner):
    """A policy trained on ``scml_gym/OneShotBilateral-v0``, as a player of a factory.

    Args:
        predict: The policy of one negotiation.
        env: The environment's arguments; those that shape observations and actions are read.
        deterministic: Whether to take the policy's best action rather than to sample.

    Raises:
        InputError: for a misspelt argument of the environment.
    """

    def __init__(self, predict: Predict, env: Mapping[str, Any], deterministic: bool = True):
        super().__init__(predict, made(_partner_codec(env)), deterministic)


def export_policy(predict: Predict, env: Mapping[str, Any], deterministic: bool = True) -> FactoryPolicy:
    """The player that answers as a policy would in its environment; see `scml_gym.game.definition.Game.policy`.

    Raises:
        InputError: as `JointPolicy`.
    """
    kind = PartnerPolicy if env.get("id") == ONE_PARTNER else JointPolicy
    return kind(predict, env, deterministic)


def policy_form(env: Mapping[str, Any]) -> Call:
    """How that player is made of ``predict``, without the environment; see `scml_gym.game.definition.Game.forms`.

    Raises:
        InputError: as `JointPolicy`.
    """
    predict, best = Given("predict"), Given("deterministic")
    if env.get("id") == ONE_PARTNER:
        codec = _partner_codec(env)
        return call("scml_gym.oneshot.exported_policies:PartnerByPartner", predict, codec, best)
    name = "scml_gym.game.exported_policies:EncodedPolicy"
    return call(name, predict, deterministic=best, **_joint_parts(env))


def _joint_parts(env: Mapping[str, Any]) -> dict[str, Any]:
    """What `EncodedPolicy` takes beside the policy."""
    timing = env.get("timing", "rounds")
    seen = encoder_arguments(OneShotConcurrentEnv, env)
    return {
        "encoder": call("scml_gym.oneshot.observations.factory:make_encoder", **seen, timing=timing),
        "codec": call("scml_gym.oneshot.actions.factory:make_codec", env.get("action", "choice"), timing),
        "per_day": env.get("episode") == "day",
        "synchronous": timing != "negotiations",
    }


def _partner_codec(env: Mapping[str, Any]) -> Call:
    shapes = ("observation", "quantity_bins", "price_bins")
    return call("scml_gym.oneshot.envs.partner_codec:PartnerCodec", **known_arguments(OneShotBilateralEnv, env, shapes))
