"""Any player behind a shield: ``shielded?of=NAME&bound=covered``.

What stands after ``of=`` is the name of another player. Parameters that are not the shield's own are that player's:
``shielded?of=greedy?target=0.5&slack_min=0.1&bound=possible`` shields ``greedy?target=0.5&slack_min=0.1``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from scml_gym.core.errors import InputError
from scml_gym.game.strategy import Strategy
from scml_gym.game.world import PlayerMaker
from scml_gym.jit.arrays import scratch_floats
from scml_gym.jit.compile import jittable
from scml_gym.simulator.players import Player
from scml_gym.standard.safety.answers import restrict, restrict_answers
from scml_gym.standard.safety.bounds import BOUNDS, named_bound
from scml_gym.standard.safety.limits import check_chance
from scml_gym.standard.safety.wrapped import WrappedStrategy, wrapped
from scml_gym.standard.strategies.base import StrategyPolicy
from scml_gym.standard.view import MAX_PARTNERS, ActionArray, StandardView

PREFIX = "shielded?"
DEFAULTS = {"bound": BOUNDS[0], "chance": "1"}
"""The shield's own parameters: the bound, and the chance with which a partner takes an offer, 1 for the worst case."""


def shielded_maker(name: str, resolve: Callable[[str], PlayerMaker]) -> PlayerMaker:
    """What makes the players of a shielded name.

    Args:
        name: ``shielded?of=NAME``, with ``bound=`` and ``chance=`` where they are not the defaults.
        resolve: Makes the players of the name inside.

    Raises:
        InputError: if the name inside is missing, does not exist or plays another track; if it is shielded itself; if
            there is no such bound, the chance is none, or one of them is given twice.
    """
    given, inner = {}, []
    for part in name.removeprefix(PREFIX).split("&"):
        key, _, value = part.partition("=")
        if key in given:
            raise InputError(f"{name!r}: {key} is given twice")
        if key in DEFAULTS:
            given[key] = value
        else:
            inner.append(part)
    text = "&".join(inner)
    if not text.startswith("of=") or text == "of=":
        raise InputError(f"{name!r}: who is shielded is missing; valid: {PREFIX}of=NAME&bound=covered")
    of = text.removeprefix("of=")
    if of == PREFIX.removesuffix("?") or of.startswith(PREFIX):
        raise InputError(f"{name!r}: a shielded player is shielded already; give the name inside")
    own = DEFAULTS | given
    bound = named_bound(own["bound"])
    try:
        chance = check_chance(float(own["chance"]))
    except ValueError:
        raise InputError(f"{name!r}: chance={own['chance']!r}; valid: 0 to 1") from None
    return functools.partial(_make, resolve(of), bound, chance)


def _make(make: PlayerMaker, bound: int, chance: float, seed: int) -> Player:
    """A shielded player of a world with that seed."""
    return shield_player(make(seed), bound, chance)


def shield_player(player: Any, bound: int, chance: float = 1.0) -> Any:
    """The player whose answers are another's, made safe.

    Args:
        player: A policy, or an scml agent class with its keyword arguments.
        bound: ``COVERED`` or ``POSSIBLE``.
        chance: With which a partner takes an offer; 1 for the worst case.
    """
    if isinstance(player, tuple):
        from scml_gym.standard.safety.agents import shielded_class

        agent, arguments = player
        return shielded_class(agent, bound, chance), arguments
    if isinstance(player, StrategyPolicy):
        return StrategyPolicy(shield_strategy(player.strategy, bound, chance), player.seed, player.parameters)
    return ShieldedPolicy(player, bound, chance)


def shield_strategy(strategy: Strategy, bound: int, chance: float) -> WrappedStrategy:
    """The strategy whose answers are another's, made safe; see `shield_player`."""
    return wrapped(strategy, shielded_decide, bound, chance, name=f"shielded {strategy.name}")


@functools.cache
def shielded_decide(decide: Callable[..., None], bound: int, chance: float) -> Callable[..., None]:
    """A strategy's ``decide`` whose answers are made safe."""
    decide = jittable(decide)

    @jittable
    def decide_safely(
        view: StandardView, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: ActionArray
    ) -> None:
        decide(view, state, params, draws, actions)
        restrict(view, bound, chance, actions, scratch_floats(MAX_PARTNERS))

    return decide_safely


class ShieldedPolicy:
    """A policy whose answers are made safe; a `scml_gym.game.world.FactoryPolicy`.

    Args:
        policy: Whose answers they are.
        bound: ``COVERED`` or ``POSSIBLE``.
        chance: With which a partner takes an offer; 1 for the worst case.
    """

    def __init__(self, policy: Any, bound: int, chance: float):
        self.policy, self.bound, self.chance = policy, BOUNDS[bound], chance
        self.synchronous = policy.synchronous

    def begin(self, view: StandardView) -> None:
        """See `FactoryPolicy`."""
        self.policy.begin(view)

    def act(self, view: StandardView) -> ActionArray:
        """The policy's answers, made safe."""
        actions = self.policy.act(view)
        restrict_answers(view, actions, self.bound, self.chance)
        return actions

    def end_day(self, view: StandardView) -> None:
        """See `FactoryPolicy`."""
        self.policy.end_day(view)
