"""What a strategy of OneShot is: a `scml_gym.game.strategy.Strategy` over the view of a factory."""

from __future__ import annotations

from dataclasses import dataclass, field

from scml_gym.game.strategy import Decide, Learn, StrategyInterface, StrategyPolicy
from scml_gym.game.strategy import Strategy as AnyStrategy
from scml_gym.oneshot.view import ACTION_DTYPE, MAX_PARTNERS, VIEW_DTYPE
from scml_gym.simulator.strategies import place

__all__ = ["ONESHOT_INTERFACE", "Decide", "Learn", "Strategy", "StrategyPolicy"]

ONESHOT_INTERFACE = StrategyInterface(
    VIEW_DTYPE, ACTION_DTYPE, MAX_PARTNERS, place, advice=", or play it with backend='reference'"
)
"""A strategy of OneShot reads the view of a factory and answers each of its partners."""


@dataclass(frozen=True)
class Strategy(AnyStrategy):
    """A strategy that plays a factory of OneShot; see `scml_gym.game.strategy.Strategy`, whose arguments it takes."""

    interface: StrategyInterface = field(default=ONESHOT_INTERFACE, kw_only=True)
