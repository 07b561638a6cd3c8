"""Strategies whose ``decide`` is made of another strategy's, and which can be copied and pickled all the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

from scml_gym.game.strategy import Decide, Strategy


@dataclass(frozen=True)
class WrappedStrategy(Strategy):
    """What `wrapped` makes. Pickles find functions by name, so one holds what its ``decide`` is made of."""

    of: Strategy = field(kw_only=True)
    wrap: Callable[..., Decide] = field(kw_only=True)
    arguments: tuple[Any, ...] = field(kw_only=True)

    def __getstate__(self) -> dict[str, Any]:
        own = self.decide is self.wrap(self.of.decide, *self.arguments)  # another one was put in its place otherwise
        return vars(self) | {"decide": None} if own else dict(vars(self))

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        if self.decide is None:
            vars(self)["decide"] = self.wrap(self.of.decide, *self.arguments)


def wrapped(strategy: Strategy, wrap: Callable[..., Decide], *arguments: Any, **changes: Any) -> WrappedStrategy:
    """The strategy with ``wrap(strategy.decide, *arguments)`` in place of its ``decide``.

    Args:
        strategy: Any, a wrapped one too.
        wrap: A function of a module, which gives the same one for the same arguments (`functools.cache`).
        arguments: Further ones of it.
        changes: Other attributes of the strategy, by name.
    """
    parts: dict[str, Any] = {part.name: getattr(strategy, part.name) for part in fields(Strategy)}
    parts |= changes | {"decide": wrap(strategy.decide, *arguments)}
    return WrappedStrategy(**parts, of=strategy, wrap=wrap, arguments=arguments)
