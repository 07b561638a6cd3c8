"""What a strategy of the Standard track is: a `scml_gym.game.strategy.Strategy` over the view of a factory."""

from __future__ import annotations

from dataclasses import dataclass, field

from scml_gym.game.strategy import Decide, Learn, StrategyInterface, StrategyPolicy
from scml_gym.game.strategy import Strategy as AnyStrategy
from scml_gym.simulator.strategies import place
from scml_gym.standard.view import ACTION_DTYPE, MAX_PARTNERS, VIEW_DTYPE

__all__ = ["STANDARD_INTERFACE", "Decide", "Learn", "Strategy", "StrategyPolicy"]

STANDARD_INTERFACE = StrategyInterface(
    VIEW_DTYPE, ACTION_DTYPE, MAX_PARTNERS, place, advice=", or play it with backend='reference'"
)
"""A strategy of the Standard track reads the view of a factory and answers each of its partners."""


@dataclass(frozen=True)
class Strategy(AnyStrategy):
    """A strategy that plays a factory of the Standard track; see `scml_gym.game.strategy.Strategy`, whose arguments it
    takes."""

    interface: StrategyInterface = field(default=STANDARD_INTERFACE, kw_only=True)
