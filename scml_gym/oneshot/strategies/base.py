"""What a strategy is, and how one plays a factory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from scml_gym.core.arguments import real
from scml_gym.core.errors import InputError, nearest
from scml_gym.jit.random import N_DRAWS, counter_draws
from scml_gym.oneshot.view import ActionArray, FactoryView, new_actions

Decide = Callable[[FactoryView, np.ndarray, np.ndarray, np.ndarray, ActionArray], None]
"""``decide(view, state, params, draws, actions)``: see `Strategy.decide`."""

Learn = Callable[[FactoryView, np.ndarray, np.ndarray], None]
"""``learn(view, state, params)``: see `Strategy.learn`."""


@dataclass(frozen=True)
class Strategy:
    """A scripted factory strategy: one function over arrays, so that every world can run it.

    Attributes:
        name: As registered.
        decide: ``(view, state, params, draws, actions) -> None``. Reads the view record, the parameters (float64, in
            the order of ``parameters``) and the uniform numbers of this decision (float64, shape ``(N_DRAWS,)``); may
            keep what it learns in ``state``; writes an answer for each partner whose ``my_turn`` is set into
            ``actions``, which come as no-ops. It uses numbers and arrays only: no objects, no texts, no other
            randomness. Small arrays of its own are cheapest from `scml_gym.jit.arrays`.
        parameters: Names and defaults of the parameters.
        state_size: Length of ``state``: float64, zeros at the start of a world, kept from day to day.
        synchronous: Whether it waits for the offers of all partners and answers them together (as scml's
            ``OneShotSyncAgent``), or answers each negotiation when that is its turn (as ``OneShotAgent``).
        summary: One line for tables.
        learn: ``(view, state, params) -> None``, or None: called when a day's negotiations are over, with the view that
            shows how each one ended; may change ``state``. As ``decide`` it uses numbers and arrays only.
        n_draws: How many of the numbers ``decide`` may read, from the first on; the compiled world makes no others.
    """

    name: str
    decide: Decide
    parameters: Mapping[str, float] = field(default_factory=dict)
    state_size: int = 0
    synchronous: bool = True
    summary: str = ""
    learn: Learn | None = None
    n_draws: int = N_DRAWS

    def parameter_array(self, overrides: Mapping[str, float] | np.ndarray | None = None) -> np.ndarray:
        """The parameters as float64, with some of them replaced; an array replaces all (a float64 one is not copied).

        Raises:
            InputError: if an override names no parameter of this strategy, or is no finite number.
        """
        if isinstance(overrides, np.ndarray):
            return np.ascontiguousarray(overrides, dtype=np.float64)
        overrides = dict(overrides or {})
        for name in overrides:
            if name not in self.parameters:
                raise InputError(f"strategy {self.name!r} has no parameter {name!r}{nearest(name, self.parameters)}")
        given = {name: real(f"strategy {self.name!r}: {name}", value) for name, value in overrides.items()}
        return np.array([given.get(n, v) for n, v in self.parameters.items()], dtype=np.float64)


class StrategyPolicy:
    """A strategy at one factory of one world: a `scml_gym.oneshot.worlds.protocol.FactoryPolicy`.

    Args:
        strategy: What to play.
        seed: Of the world; with factory, day and decision it determines all draws.
        parameters: Replacements for the strategy's defaults, or an array in place of all of them, which players share.

    Attributes:
        state: What it keeps, float64, shape ``(strategy.state_size,)``.
    """

    def __init__(self, strategy: Strategy, seed: int, parameters: Mapping[str, float] | np.ndarray | None = None):
        self.strategy = strategy
        self.synchronous = strategy.synchronous
        self.seed = seed
        self.parameters = strategy.parameter_array(parameters)
        self.state = np.zeros(strategy.state_size, dtype=np.float64)

    def begin(self, view: FactoryView) -> None:
        """Forget what was learnt in an earlier world."""
        self.state[:] = 0.0

    def act(self, view: FactoryView) -> ActionArray:
        """The strategy's answer to each partner, shape ``(MAX_PARTNERS,)``."""
        actions = new_actions()
        draws = counter_draws(self.seed, int(view["factory"]), int(view["day"]), int(view["decision"]))
        self.strategy.decide(view, self.state, self.parameters, draws, actions)
        return actions

    def end_day(self, view: FactoryView) -> None:
        """Let the strategy learn from how the day's negotiations ended."""
        if self.strategy.learn is not None:
            self.strategy.learn(view, self.state, self.parameters)
