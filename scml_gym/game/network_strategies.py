"""Trained networks as strategies, which play in every world of their game: what of it no game has by itself.

A game says by one `NetworkForms` what its networks may be shown and what their choices may mean. Networks of one form
share their code; players of one network share its numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces

from scml_gym.core.errors import InputError
from scml_gym.core.registry import Registry
from scml_gym.game.codecs import ActionCodec
from scml_gym.game.encoders import Encoder
from scml_gym.game.kernels import action_kernel, encoder_kernel
from scml_gym.game.networks import HEAD_DTYPE, Features, choose, fill_head_draws
from scml_gym.game.strategy import Strategy, StrategyInterface
from scml_gym.jit.arrays import part_of
from scml_gym.jit.compile import jittable
from scml_gym.jit.once import compiled_once
from scml_gym.jit.parameters import record_of
from scml_gym.jit.random import N_DRAWS


class Form(NamedTuple):
    """What a network is shown, and what its choices mean, by registered names.

    Attributes:
        observation: In `NetworkForms.observations`, with partial observability.
        history: Earlier decisions that are shown.
        action: In `NetworkForms.actions`: one choice, or one for each of several heads.
        features: What comes before its layers, in `NetworkForms.features`.
    """

    observation: str
    history: int
    action: str
    features: str = "flatten"


@dataclass(frozen=True, eq=False)
class NetworkForms:
    """How networks play a game.

    Attributes:
        game: Its name in ``scml_gym.games.GAMES``.
        actions: Registry of what makes an action codec with a kernel.
        observations: Registry of what makes an encoder, as `scml_gym.game.encoders.BlockEncoder` is made.
        features: Registry of `scml_gym.game.networks.Features`.
        interface: Of the game's strategies.
        hidden: Dtype of the records that nobody sees.
        strategy: ``(observation, history, action, features) -> NetworkStrategy``, always the same one for a form: it
            calls `make_network_strategy`, and is found by its name, as copies in other processes are made by it.
        form_of: ``(env_id, arguments, features) -> Form``: of what is learnt in one of the game's environments; raises
            an `InputError` where no network can stand for that.
        one_by_one: Actions that answer one negotiation at a time, by name in ``actions``.
    """

    game: str
    actions: Registry
    observations: Registry
    features: Registry
    interface: StrategyInterface
    hidden: np.dtype
    strategy: Callable[..., NetworkStrategy]
    form_of: Callable[[str, Mapping[str, Any], str], Form]
    one_by_one: frozenset[str] = frozenset()


@dataclass(frozen=True)
class NetworkStrategy(Strategy):
    """What `make_network_strategy` makes; copied and pickled by its form.

    Attributes:
        forms: Of its game.
        form: Its own.
        sizes: How many numbers the first layer of its networks takes, and how many the last one gives.
    """

    forms: NetworkForms = field(kw_only=True)
    form: Form = field(kw_only=True)
    sizes: tuple[int, int] = field(kw_only=True)

    @property
    def reads(self) -> Features:
        """What comes before the layers of its networks."""
        return self.forms.features.get(self.form.features)

    def __reduce__(self) -> tuple[Any, Form]:
        return self.forms.strategy, self.form


def make_network_strategy(forms: NetworkForms, form: Form) -> NetworkStrategy:
    """The strategy of all networks of one form; its parameters are a network.

    Its state holds what the form of action remembers, then the offers of earlier decisions.

    Raises:
        InputError: if no network can play it.
    """
    encoder, codec, reads = _parts(forms, form)
    space: Any = codec.space
    (decode, mask, remember, go_on), _, memory_size = action_kernel(codec)
    encode, shape, remember_seen = encoder_kernel(encoder)
    (heads, action_of), n_inputs = _choices(space), len(encoder.features)
    n_heads, n_outputs, logits_of, hidden = len(heads), sum(heads), reads.logits, forms.hidden

    @compiled_once
    def play(view: Any, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: Any) -> None:
        memory, offer_history = state[:memory_size], state[memory_size:].reshape(shape)
        if go_on(view, memory, actions):
            return
        seen, valid = np.zeros(n_inputs, dtype=np.float32), np.ones(n_outputs, dtype=np.bool_)
        encode(view, np.zeros(0, dtype=hidden), offer_history, seen)
        rules = record_of(params, HEAD_DTYPE, 0)
        if rules["masked"] != 0.0:
            mask(view, valid)
        logits, choices, points = logits_of(params, seen), np.zeros(n_heads, dtype=np.int64), np.zeros(n_heads)
        fill_head_draws(draws, points)
        first = 0
        for head in range(n_heads):
            last = first + heads[head]
            choices[head] = choose(logits[first:last], valid[first:last], rules["temperature"], points[head])
            first = last
        decode(action_of(choices), view, memory, actions)

    def decide(view: Any, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: Any) -> None:
        play(view, state, params, draws, actions)

    def learn(view: Any, state: np.ndarray, params: np.ndarray) -> None:
        remember(view, state[:memory_size])
        remember_seen(view, state[memory_size:].reshape(shape))

    return NetworkStrategy(
        name=f"network of {form.observation} and {form.action}",
        decide=decide,
        state_size=memory_size + int(np.prod(shape)),
        summary="a trained network",
        synchronous=form.action not in forms.one_by_one,
        learn=learn,
        n_draws=min(n_heads, N_DRAWS),
        interface=forms.interface,
        forms=forms,
        form=form,
        sizes=(reads.n_inputs or n_inputs, n_outputs // reads.n_rows),
    )


@jittable
def _all_of(choices: np.ndarray) -> np.ndarray:
    """The action of several heads."""
    return choices


@jittable
def _only_one(choices: np.ndarray) -> np.ndarray:
    """The action of one choice, an array of no dimension."""
    return part_of(choices, 0)


def _choices(space: Any) -> tuple[tuple[int, ...], Callable[[np.ndarray], np.ndarray]]:
    """Options of each choice, and the action that choices are."""
    if isinstance(space, spaces.Discrete):
        return (int(space.n),), _only_one
    return tuple(space.nvec.tolist()), _all_of


def _parts(forms: NetworkForms, form: Form) -> tuple[Encoder, ActionCodec, Features]:
    """What a form is made of.

    Raises:
        InputError: if no network can play it.
    """
    codec, reads = forms.actions.get(form.action, "action")(), forms.features.get(form.features)
    of_choices = spaces.Discrete | spaces.MultiDiscrete
    if not isinstance(codec.space, of_choices):
        choices = [name for name in forms.actions if isinstance(forms.actions.get(name)().space, of_choices)]
        raise InputError(f"action={form.action!r} has no choices; valid: {', '.join(choices)}")
    encoder = forms.observations.get(form.observation, "observation")(observability="partial", history=form.history)
    if not isinstance(encoder.space, spaces.Box):
        raise InputError(f"observation={form.observation!r} is no array; valid: flat, entities")
    if reads.n_inputs and (form.observation, form.history) != ("entities", 0):
        raise InputError(f"features={form.features!r} reads rows; valid: observation='entities', history=0")
    sizes, _ = _choices(codec.space)
    if reads.n_rows > 1 and sizes != (sizes[0],) * reads.n_rows:
        raise InputError(f"features={form.features!r} answers each partner; valid: action='choice'")
    return encoder, codec, reads


def form_in(forms: NetworkForms, action: str, arguments: Mapping[str, Any], features: str) -> Form:
    """The form of what is learnt with that action in an environment with these arguments.

    Raises:
        InputError: if a part has no registered name, by which a file could tell it, or it is seen in full
            observability.
    """
    parts = (
        (action, forms.actions, "env.action"),
        (arguments.get("observation", "flat"), forms.observations, "env.observation"),
    )
    for name, registry, key in parts:
        if name not in registry:
            raise InputError(f"no policy files with {key}={name!r}; valid: {', '.join(registry)}")
    if features not in forms.features:
        raise InputError(f"no policy files with agent.features={features!r}; valid: {', '.join(forms.features)}")
    if arguments.get("observability", "partial") != "partial":
        raise InputError("no policy files with env.observability='full', which no factory of the league has")
    return Form(arguments.get("observation", "flat"), int(arguments.get("history", 0)), action, features)
