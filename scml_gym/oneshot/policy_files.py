"""Networks that were trained in OneShot, as strategies: what they may be shown, and what their choices may mean."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from scml_gym.core.errors import InputError
from scml_gym.game.network_strategies import Form, NetworkForms, NetworkStrategy, form_in, make_network_strategy
from scml_gym.oneshot.actions.factory import ACTIONS
from scml_gym.oneshot.observations.factory import OBSERVATIONS
from scml_gym.oneshot.strategies.base import ONESHOT_INTERFACE
from scml_gym.oneshot.strategies.row_network import FEATURES
from scml_gym.oneshot.view import HIDDEN_DTYPE

ENVIRONMENT = "scml_gym/OneShotConcurrent-v0"


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
    if arguments.get("timing", "rounds") == "negotiations":
        raise InputError("no policy files with env.timing='negotiations', where partners are answered one by one")
    return form_in(NETWORKS, arguments.get("action", "choice"), arguments, features)


NETWORKS = NetworkForms(
    game="oneshot",
    actions=ACTIONS,
    observations=OBSERVATIONS,
    features=FEATURES,
    interface=ONESHOT_INTERFACE,
    hidden=HIDDEN_DTYPE,
    strategy=network_strategy,
    form_of=form_of,
)
"""How networks play OneShot."""
