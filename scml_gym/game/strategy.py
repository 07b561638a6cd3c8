"""What a strategy is, and how one plays: the same for every game, which says what its strategies read and write."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from scml_gym.core.arguments import real, whole
from scml_gym.core.errors import InputError, nearest
from scml_gym.game.telling import listener_of
from scml_gym.jit.random import N_DRAWS, counter_draws

Decide = Callable[[Any, np.ndarray, np.ndarray, np.ndarray, np.ndarray], None]
"""``decide(view, state, params, draws, actions)``: see `Strategy.decide`."""

Learn = Callable[[Any, np.ndarray, np.ndarray], None]
"""``learn(view, state, params)``: see `Strategy.learn`."""

Thoughts = Callable[[Any, np.ndarray, np.ndarray], Mapping[int | None, Mapping[str, float]]]
"""``thoughts(view, state, actions)``: see `Strategy.thoughts`."""


@dataclass(frozen=True)
class StrategyInterface:
    """What the strategies of a game read and write.

    Attributes:
        view: Dtype of the record that shows what a player sees.
        action: Dtype of one answer; zeros are a no-op.
        n_answers: Answers to a view, one for each partner that a player may have.
        place: ``(view) -> (player, period, decision)``: where a decision stands, which determines its draws.
        advice: What else can be done with a strategy that does not compile, for the end of an error message.
    """

    view: np.dtype
    action: np.dtype
    n_answers: int
    place: Callable[[Any], tuple[int, int, int]]
    advice: str = ""

    def new_actions(self) -> np.ndarray:
        """No-ops, of the actions' dtype, shape ``(n_answers,)``."""
        return np.zeros(self.n_answers, dtype=self.action)


@dataclass(frozen=True)
class Strategy:
    """A scripted strategy: one function over arrays, so that every world of its game can run it.

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
            ``OneShotSyncAgent``), or answers each negotiation when that is its turn (as ``OneShotAgent``), where it may
            also wait if its game knows that (OneShot).
        summary: One line for tables.
        learn: ``(view, state, params) -> None``, or None: called when a day's negotiations are over, with the view that
            shows how each one ended; may change ``state``. As ``decide`` it uses numbers and arrays only.
        n_draws: How many of the numbers ``decide`` may read, from the first on; the compiled world makes no others.
        interface: Of its game; given by name.
        partner_draws: So many times ``interface.n_answers`` of the numbers, from the first on, belong to partners by
            index: the answer to partner ``k`` is made from numbers ``k``, ``k + n_answers``, .. of these and from all
            those after them. Where a decision is about one partner alone, the compiled world makes no others.
        thoughts: ``(view, state, actions) -> {partner or None: {name: number}}``, or None: what is told of a decision
            in a recorded world, see `scml_gym.game.telling.tell`. Plain Python, called after ``decide``.

    Raises:
        InputError: if a number of draws is below 0 or more than there are.
    """

    name: str
    decide: Decide
    parameters: Mapping[str, float] = field(default_factory=dict)
    state_size: int = 0
    synchronous: bool = True
    summary: str = ""
    learn: Learn | None = None
    n_draws: int = N_DRAWS
    interface: StrategyInterface = field(kw_only=True)
    partner_draws: int = field(default=0, kw_only=True)
    thoughts: Thoughts | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        whole("n_draws", self.n_draws, 0, N_DRAWS)
        whole("partner_draws", self.partner_draws, 0, self.n_draws // self.interface.n_answers)

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


def check_interface(strategy: Strategy, interface: StrategyInterface) -> None:
    """Refuse a strategy of another game.

    Raises:
        InputError: if it reads or writes something else than the strategies of this one.
    """
    theirs = strategy.interface
    if (theirs.view, theirs.action, theirs.n_answers) != (interface.view, interface.action, interface.n_answers):
        raise InputError(f"strategy {strategy.name!r} plays another game: it reads another view")


def tell_decision(strategy: Strategy, view: Any, state: np.ndarray, actions: np.ndarray) -> None:
    """Tell what a strategy thinks of a decision that it has taken, where somebody hears it."""
    if strategy.thoughts is not None and (listener := listener_of(view)) is not None:
        for partner, numbers in strategy.thoughts(view, state, actions).items():
            listener.hear(view, partner, numbers)


class StrategyError(InputError):
    """A strategy raised an error in compiled code, which can tell whose error it was, and not which.

    Args:
        decide: Address of the strategy's compiled ``decide``.

    Attributes:
        names: By that address, the strategies that have it: each name once.
    """

    names: ClassVar[dict[int, dict[str, None]]] = {}

    def __init__(self, decide: int):
        name = " or ".join(map(repr, self.names[decide]))
        super().__init__(f"strategy {name} fails: a function of it raised; backend='reference' tells what")

    def __reduce__(self) -> Any:  # the address means nothing in another process
        return InputError, (str(self),)


class StrategyPolicy:
    """A strategy as one player of one world: a `scml_gym.game.world.FactoryPolicy`.

    Args:
        strategy: What to play.
        seed: Of the world; with the place of a decision it determines all draws.
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

    def begin(self, view: Any) -> None:
        """Forget what was learnt in an earlier world."""
        self.state[:] = 0.0

    def act(self, view: Any) -> np.ndarray:
        """The strategy's answers, of its game's action dtype, shape ``(n_answers,)``."""
        interface = self.strategy.interface
        actions = interface.new_actions()
        draws = counter_draws(self.seed, *interface.place(view))
        with self._failing_as_compiled():
            self.strategy.decide(view, self.state, self.parameters, draws, actions)
        tell_decision(self.strategy, view, self.state, actions)
        return actions

    def end_day(self, view: Any) -> None:
        """Let the strategy learn from how the day's negotiations ended."""
        if self.strategy.learn is not None:
            with self._failing_as_compiled():
                self.strategy.learn(view, self.state, self.parameters)

    @contextmanager
    def _failing_as_compiled(self) -> Iterator[None]:
        """Compiled code fails at a division by zero, where NumPy only warns; an error says whose it is."""
        try:
            with np.errstate(divide="raise", invalid="raise"):
                yield
        except Exception as error:
            error.add_note(f"in the strategy {self.strategy.name!r}")
            raise
