"""Networks that were trained in OneShot, as strategies: what they may be shown, and what their choices may mean."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from scml_gym.core.errors import InputError
from scml_gym.core.registry import Registry
from scml_gym.game.network_strategies import Form, NetworkForms, NetworkStrategy, form_in, make_network_strategy
from scml_gym.oneshot.actions.factory import ACTIONS, ASKED_ACTIONS
from scml_gym.oneshot.observations.factory import ASKED_OBSERVATIONS, OBSERVATIONS
from scml_gym.oneshot.strategies.base import ONESHOT_INTERFACE
from scml_gym.oneshot.strategies.row_network import FEATURES
from scml_gym.oneshot.view import HIDDEN_DTYPE

ENVIRONMENT = "scml_gym/OneShotConcurrent-v0"
DEFAULTS = {"action": "choice", "observation": "flat"}


ASKED = "asked "
"""Before the names of actions and observations where negotiations are answered one by one."""


def _named(kind: str, together: Registry, asked: Registry) -> Registry:
    """Those of both kinds of timing."""
    both = Registry(kind)
    for before, registry in (("", together), (ASKED, asked)):
        for name in registry:
            both.register(f"{before}{name}", registry.get(name))
    return both


NETWORK_ACTIONS = _named("action of a policy file", ACTIONS, ASKED_ACTIONS)
NETWORK_OBSERVATIONS = _named("observation of a policy file", OBSERVATIONS, ASKED_OBSERVATIONS)


@functools.cache
def network_strategy(observation: str, history: int, action: str, features: str = "flatten") -> NetworkStrategy:
    """The strategy of all networks of one form, see `scml_gym.game.network_strategies.make_network_strategy`.

    Raises:
        InputError: if no network can play it.
    """
    return make_network_strategy(NETWORKS, Form(observation, history, action, features))


def form_of(env_id: str, arguments: Mapping[str, Any], features: str) -> Form:
    """The form of what is learnt in an environment; see `scml_gym.game.network_strategies.NetworkForms.form_of`."""
    if env_id != ENVIRONMENT:
        raise InputError(f"no policy files of {env_id}; valid: {ENVIRONMENT}")
    before = ASKED if arguments.get("timing", "rounds") == "negotiations" else ""
    named = {key: f"{before}{arguments.get(key, default)}" for key, default in DEFAULTS.items()}
    return form_in(NETWORKS, named["action"], {**arguments, **named}, features)


NETWORKS = NetworkForms(
    game="oneshot",
    actions=NETWORK_ACTIONS,
    observations=NETWORK_OBSERVATIONS,
    features=FEATURES,
    interface=ONESHOT_INTERFACE,
    hidden=HIDDEN_DTYPE,
    strategy=network_strategy,
    form_of=form_of,
    one_by_one=frozenset(f"{ASKED}{name}" for name in ASKED_ACTIONS),
)
"""How networks play OneShot."""
