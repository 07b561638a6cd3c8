"""Networks that were trained in the Standard track, as strategies: what they may be shown and what their choices mean.

Whoever sets goals once a day chooses them when its factory is first asked on a day; they and the day are what the
strategy remembers, and the executor answers by them until the day is over.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from functools import partial
from typing import Any

from scml_gym.core.errors import InputError
from scml_gym.core.registry import Registry
from scml_gym.game.network_strategies import Form, NetworkForms, NetworkStrategy, form_in, make_network_strategy
from scml_gym.game.networks import FLATTEN
from scml_gym.standard.actions import ACTIONS, DAILY_ACTIONS, make_codec, make_daily_codec
from scml_gym.standard.actions.executed import ExecutedGoals
from scml_gym.standard.executors import EXECUTORS
from scml_gym.standard.observations import OBSERVATIONS
from scml_gym.standard.strategies.base import STANDARD_INTERFACE
from scml_gym.standard.view import HIDDEN_DTYPE

CONCURRENT, DAILY = "scml_gym/StandardConcurrent-v0", "scml_gym/StandardDaily-v0"

FEATURES = Registry("features of a policy file")
"""Of `scml_gym.game.networks.Features`."""
FEATURES.register("flatten", FLATTEN)


def daily_codec(action: str) -> ExecutedGoals:
    """The codec of the goals of a day of that registered action, with the executor that carries such goals out."""
    goals: Any = make_daily_codec(action)
    return ExecutedGoals(goals, EXECUTORS.get(goals.form.executor)())


NETWORK_ACTIONS = Registry("action of a policy file")
"""Action codecs of networks: those of a decision on all partners, and the goals of a day, as ``daily goals``."""
for _action in ACTIONS:
    NETWORK_ACTIONS.register(_action, partial(make_codec, _action))
for _action in DAILY_ACTIONS:
    NETWORK_ACTIONS.register(f"daily {_action}", partial(daily_codec, _action))


@functools.cache
def network_strategy(observation: str, history: int, action: str, features: str = "flatten") -> NetworkStrategy:
    """The strategy of all networks of one form, see `scml_gym.game.network_strategies.make_network_strategy`.

    Raises:
        InputError: if no network can play it.
    """
    return make_network_strategy(NETWORKS, Form(observation, history, action, features))


def form_of(env_id: str, arguments: Mapping[str, Any], features: str) -> Form:
    """The form of what is learnt in an environment; see `scml_gym.game.network_strategies.NetworkForms.form_of`."""
    if env_id not in (CONCURRENT, DAILY):
        raise InputError(f"no policy files of {env_id}; valid: {CONCURRENT}, {DAILY}")
    if (shield := arguments.get("shield")) is not None:
        raise InputError(f"no policy files with env.shield={shield!r}, which is no part of the policy")
    if env_id == CONCURRENT:
        return form_in(NETWORKS, arguments.get("action", "choice"), arguments, features)
    if (executor := arguments.get("executor", "planner")) not in EXECUTORS:
        raise InputError(f"no policy files with env.executor={executor!r}; valid: {', '.join(EXECUTORS)}")
    return form_in(NETWORKS, f"daily {arguments.get('action', 'goals')}", arguments, features)


NETWORKS = NetworkForms(
    game="standard",
    actions=NETWORK_ACTIONS,
    observations=OBSERVATIONS,
    features=FEATURES,
    interface=STANDARD_INTERFACE,
    hidden=HIDDEN_DTYPE,
    strategy=network_strategy,
    form_of=form_of,
)
"""How networks play the Standard track."""
