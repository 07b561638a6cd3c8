"""What a bilateral negotiation strategy is: plain functions over one side's table of utilities.

The same functions play in the compiled table world, in Python, and as negotiators of any negmas mechanism
(`scml_gym.bilateral.negotiators.negmas_negotiators`).

A negotiation has ``n_steps`` rounds of one move of each side. In its turn of a round a side

1. sees the standing offer, if there is one: ``receive``;
2. prepares its next bid: ``propose``, once in a turn, whether the bid will be made or not;
3. decides about the standing offer, if there is one, knowing that bid: ``accepts``;
4. makes the bid if it has not accepted.

All of a turn get the same ``draws``. Outcomes are indices into the table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from scml_gym.core.arguments import real
from scml_gym.core.errors import InputError, nearest
from scml_gym.jit.compile import jittable

NO_OFFER = -1
"""In place of an outcome's index: there is no offer."""


_LARGEST = float(np.finfo(np.float64).max)


class Range(NamedTuple):
    """Which values a parameter may have: finite ones, ends included.

    Attributes:
        low: The smallest.
        high: The largest.
        text: The same in words.
    """

    low: float
    high: float
    text: str


FINITE = Range(-_LARGEST, _LARGEST, "a finite number")
NOT_NEGATIVE = Range(0.0, _LARGEST, "0 or more")
POSITIVE = Range(float(np.nextafter(0.0, 1.0)), _LARGEST, "a finite number above 0")


def between(low: float, high: float) -> Range:
    """The range from ``low`` to ``high``."""
    return Range(low, high, f"from {low:g} to {high:g}")


class Table(NamedTuple):
    """One side's preferences over ``n`` outcomes, and what is sorted once.

    Attributes:
        utilities: float64 ``(n,)`` in [0, 1], by outcome.
        order: int64 ``(n,)``, outcomes from best to worst, equal ones by index.
        sorted: float64 ``(n,)``, utilities in that order.
        shape: int64 ``(n_issues,)``, how many values each issue has; outcomes count in C order over them.
    """

    utilities: np.ndarray
    order: np.ndarray
    sorted: np.ndarray
    shape: np.ndarray


def make_table(utilities: Any, shape: Sequence[int] | None = None) -> Table:
    """The table of a side.

    Args:
        utilities: ``(n,)``, of each outcome.
        shape: How many values each issue has; by default there is one issue.

    Example:
        >>> make_table([0.5, 1.0, 0.0]).order.tolist()
        [1, 0, 2]
    """
    values = np.array(utilities, dtype=np.float64)
    order = np.argsort(-values, kind="stable").astype(np.int64)
    return Table(values, order, values[order], np.array([len(values)] if shape is None else shape, dtype=np.int64))


@jittable
def relative_time(step: int, n_steps: int) -> float:
    """Time of a round: r / (T + 1), where ``step`` = r - 1 counts from 0 and ``n_steps`` = T."""
    return (step + 1) / (n_steps + 1)


@jittable
def count_at_least(table: Table, utility: float) -> int:
    """How many outcomes are worth that utility or more: they are the first ones of ``table.order``."""
    low, high = 0, table.sorted.size
    while low < high:
        middle = (low + high) // 2
        if table.sorted[middle] >= utility:
            low = middle + 1
        else:
            high = middle
    return low


@jittable
def at_least(table: Table, utility: float) -> int:
    """The outcome of lowest utility at or above ``utility``, of equal ones the last; the best if there is none."""
    return int(table.order[max(count_at_least(table, utility), 1) - 1])


@jittable
def outside(table: Table, bid: int) -> bool:
    """Whether a bid is no outcome of the table."""
    return bid < 0 or bid >= table.utilities.size


def outside_error(strategy: TableStrategy, bid: int, n_outcomes: int) -> InputError:
    """What is said of a bid `outside` the table, in every world."""
    return InputError(f"negotiator {strategy.name!r} offers outcome {bid}; valid: 0 to {n_outcomes - 1}")


Receive = Callable[[Table, int, int, int, np.ndarray, np.ndarray, np.ndarray], None]
"""``receive(table, offer, step, n_steps, state, params, draws)``: see `TableStrategy`."""

Propose = Callable[[Table, int, int, np.ndarray, np.ndarray, np.ndarray], int]
"""``propose(table, step, n_steps, state, params, draws)``: see `TableStrategy`."""

Accepts = Callable[[Table, int, int, int, int, np.ndarray, np.ndarray, np.ndarray], bool]
"""``accepts(table, offer, bid, step, n_steps, state, params, draws)``: see `TableStrategy`."""


@dataclass(frozen=True)
class TableStrategy:
    """A bilateral strategy; its functions use numbers and arrays only, so that they can be compiled.

    Attributes:
        name: As registered.
        receive: ``(table, offer, step, n_steps, state, params, draws) -> None``: the other side's offer is seen.
        propose: ``(table, step, n_steps, state, params, draws) -> int``: the outcome that would be offered next.
        accepts: ``(table, offer, bid, step, n_steps, state, params, draws) -> bool``: about the offer just received,
            given the bid just prepared. It changes nothing.
        parameters: Names and defaults of ``params`` (float64, in this order).
        state_size: Fixed part of the length of ``state``: float64, zeros at the start of a negotiation.
        state_per_outcome: Numbers of state for each outcome of the space.
        state_per_round: Numbers of state for each round.
        n_draws: How many uniform numbers of [0, 1) it needs in a turn.
        summary: One line for tables.
        ranges: Of the parameters that replace defaults; of those without one, any finite number.
    """

    name: str
    receive: Receive
    propose: Propose
    accepts: Accepts
    parameters: Mapping[str, float] = field(default_factory=dict)
    state_size: int = 0
    state_per_outcome: int = 0
    state_per_round: int = 0
    n_draws: int = 0
    summary: str = ""
    ranges: Mapping[str, Range] = field(default_factory=dict)

    def state_length(self, n_outcomes: int, n_steps: int) -> int:
        """Length that ``state`` must have, exactly, in a negotiation over that many outcomes and rounds."""
        return self.state_size + self.state_per_outcome * n_outcomes + self.state_per_round * n_steps

    def parameter_array(self, overrides: Mapping[str, float] | None = None) -> np.ndarray:
        """The parameters as float64, with some of them replaced.

        Raises:
            InputError: if an override names no parameter of this strategy, or is outside its range.
        """
        overrides = dict(overrides or {})
        for name, value in overrides.items():
            valid = self.ranges.get(name, FINITE)
            if name in self.parameters:
                real(f"negotiator {self.name!r}: {name}", value, valid.low, valid.high, valid.text)
            if name not in self.parameters:
                raise InputError(f"negotiator {self.name!r} has no parameter {name!r}{nearest(name, self.parameters)}")
        return np.array([float(overrides.get(n, v)) for n, v in self.parameters.items()], dtype=np.float64)


@jittable
def receive_nothing(
    table: Table, offer: int, step: int, n_steps: int, state: np.ndarray, params: np.ndarray, draws: np.ndarray
) -> None:
    """For strategies to which the other side's offers are the same until they decide about them."""


class TablePlayer:
    """A strategy in one negotiation, in Python.

    Args:
        strategy: What to play.
        table: The side's preferences.
        n_steps: Rounds of the negotiation.
        draws: ``(step) -> float64 (n_draws,)`` or longer: the uniform numbers of a turn.
        parameters: Replacements for the strategy's defaults.
    """

    def __init__(
        self,
        strategy: TableStrategy,
        table: Table,
        n_steps: int,
        draws: Callable[[int], np.ndarray],
        parameters: Mapping[str, float] | None = None,
    ):
        self.strategy = strategy
        self._table, self._n_steps, self._draws = table, n_steps, draws
        self._params = strategy.parameter_array(parameters)
        self._state = np.zeros(strategy.state_length(table.utilities.size, n_steps))

    def turn(self, step: int, offer: int = NO_OFFER) -> tuple[int, bool]:
        """A turn in round ``step``, from 0.

        Returns:
            The bid, and whether the standing offer is accepted instead.

        Raises:
            InputError: if a function of the strategy fails, or the bid is no outcome.
        """
        try:
            with np.errstate(divide="raise", invalid="raise"):  # compiled code fails at a division by zero too
                return self._turn(step, offer)
        except InputError:
            raise
        except Exception as error:
            raise InputError(
                f"negotiator {self.strategy.name!r} fails in round {step + 1}: {type(error).__name__}: {error}"
            ) from error

    def _turn(self, step: int, offer: int) -> tuple[int, bool]:
        strategy, rest = self.strategy, (step, self._n_steps, self._state, self._params, self._draws(step))
        if offer != NO_OFFER:
            strategy.receive(self._table, offer, *rest)
        bid = int(strategy.propose(self._table, *rest))
        if outside(self._table, bid):
            raise outside_error(strategy, bid, self._table.utilities.size)
        return bid, offer != NO_OFFER and bool(strategy.accepts(self._table, offer, bid, *rest))
