"""Acceptance rules: functions that decide about the standing offer, combined with any strategy's bids.

Source: Baarslag, Hindriks and Jonker, *Effective acceptance conditions in real-time automated negotiation*, Decision
Support Systems 60, 2014.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from scml_gym.bilateral.negotiators.base import (
    NOT_NEGATIVE,
    Accepts,
    Range,
    Receive,
    Table,
    TableStrategy,
    between,
    receive_nothing,
    relative_time,
)
from scml_gym.core.errors import InputError
from scml_gym.jit.compile import jittable


@dataclass(frozen=True)
class AcceptanceRule:
    """How a side decides about offers.

    Attributes:
        name: As registered.
        accepts: See `TableStrategy`. The rule's parameters are the last ones of ``params``, its state the last part of
            ``state``.
        parameters: Names and defaults.
        receive: See `TableStrategy`; called after the strategy's own.
        state_per_round: Numbers of state for each round.
        summary: One line for tables.
        ranges: See `TableStrategy`.
    """

    name: str
    accepts: Accepts
    parameters: Mapping[str, float] = field(default_factory=dict)
    receive: Receive = receive_nothing
    state_per_round: int = 0
    summary: str = ""
    ranges: Mapping[str, Range] = field(default_factory=dict)


def with_acceptance(strategy: TableStrategy, rule: AcceptanceRule) -> TableStrategy:
    """The bids of a strategy with another rule to accept.

    Returns:
        A strategy with the parameters of both.

    Raises:
        InputError: if both have a parameter of the same name.

    Example:
        >>> from scml_gym.bilateral.negotiators import ACCEPTANCE_RULES, NEGOTIATORS
        >>> with_acceptance(NEGOTIATORS.get("AgentK"), ACCEPTANCE_RULES.get("AC_next")).name
        'AgentK+AC_next'
    """
    for name in rule.parameters:
        if name in strategy.parameters:
            raise InputError(f"{strategy.name!r} and {rule.name!r} both have a parameter {name!r}")
    return dataclasses.replace(
        strategy,
        name=f"{strategy.name}+{rule.name}",
        receive=_both(strategy.receive, rule.receive),
        accepts=rule.accepts,
        parameters={**strategy.parameters, **rule.parameters},
        state_per_round=strategy.state_per_round + rule.state_per_round,
        ranges={**strategy.ranges, **rule.ranges},
        summary=f"bids of {strategy.name}; {rule.summary}",
    )


def _both(first: Receive, second: Receive) -> Receive:
    """Both sides of a combined strategy see an offer."""
    if second is receive_nothing:
        return first

    @jittable
    def receive(
        table: Table, offer: int, step: int, n_steps: int, state: np.ndarray, params: np.ndarray, draws: np.ndarray
    ) -> None:
        first(table, offer, step, n_steps, state, params, draws)
        second(table, offer, step, n_steps, state, params, draws)

    return receive


@jittable
def accept_next(
    table: Table,
    offer: int,
    bid: int,
    step: int,
    n_steps: int,
    state: np.ndarray,
    params: np.ndarray,
    draws: np.ndarray,
) -> bool:
    """The offer is worth as much as the own next bid, or more."""
    return table.utilities[offer] >= table.utilities[bid]


@jittable
def accept_constant(
    table: Table,
    offer: int,
    bid: int,
    step: int,
    n_steps: int,
    state: np.ndarray,
    params: np.ndarray,
    draws: np.ndarray,
) -> bool:
    """The offer is worth the last parameter, or more."""
    return table.utilities[offer] >= params[params.size - 1]


@jittable
def accept_late(
    table: Table,
    offer: int,
    bid: int,
    step: int,
    n_steps: int,
    state: np.ndarray,
    params: np.ndarray,
    draws: np.ndarray,
) -> bool:
    """Whatever is offered, from the time on that is the last parameter."""
    return relative_time(step, n_steps) >= params[params.size - 1]


@jittable
def accept_never(
    table: Table,
    offer: int,
    bid: int,
    step: int,
    n_steps: int,
    state: np.ndarray,
    params: np.ndarray,
    draws: np.ndarray,
) -> bool:
    """Nothing: agreements are made by the other side."""
    return False


@jittable
def remember(
    table: Table, offer: int, step: int, n_steps: int, state: np.ndarray, params: np.ndarray, draws: np.ndarray
) -> None:
    """Keep the utility of the round's offer at the end of the state."""
    state[state.size - n_steps + step] = table.utilities[offer]


@jittable
def accept_combined(
    table: Table,
    offer: int,
    bid: int,
    step: int,
    n_steps: int,
    state: np.ndarray,
    params: np.ndarray,
    draws: np.ndarray,
) -> bool:
    """AC_next; and from the time on that is the last parameter, the best that can be expected.

    That is the best offer among the earlier ones of as many rounds as are still to come, MAX over the window W of the
    paper.
    """
    if accept_next(table, offer, bid, step, n_steps, state, params, draws):
        return True
    if relative_time(step, n_steps) < params[params.size - 1]:
        return False
    best = 0.0
    for earlier in range(max(2 * step - n_steps + 1, 0), step):
        best = max(best, state[state.size - n_steps + earlier])
    return table.utilities[offer] >= best


AC_NEXT = AcceptanceRule("AC_next", accept_next, summary="accepts what is worth its next bid")
AC_CONST = AcceptanceRule(
    "AC_const",
    accept_constant,
    {"constant": 0.8},
    summary="accepts from a fixed utility on",
    ranges={"constant": NOT_NEGATIVE},  # above 1: never
)
AC_TIME = AcceptanceRule(
    "AC_time",
    accept_late,
    {"time": 0.99},
    summary="accepts anything from a time on",
    ranges={"time": between(0.0, 1.0)},
)
AC_NEVER = AcceptanceRule("AC_never", accept_never, summary="accepts nothing")
AC_COMBI = AcceptanceRule(
    "AC_combi",
    accept_combined,
    {"time": 0.95},
    receive=remember,
    state_per_round=1,
    ranges={"time": between(0.0, 1.0)},
    summary="accepts what is worth its next bid, and late the best that can be expected",
)
