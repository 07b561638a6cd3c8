"""What a world brought, computed where no player's code runs: from its contracts, or from its players' answers.

What the process of a world hands over is what players can write too, so nothing in it is believed.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from scml_gym.core.registry import load
from scml_gym.evaluation.config import competition_of
from scml_gym.evaluation.isolation import answers, isolated
from scml_gym.game.definition import Setting
from scml_gym.simulator.line_up import LineUp, Played

Task = Mapping[str, Any]
"""``game``, ``names``, ``seed``, ``setting``, ``errors``, ``record``: see `scml_gym.evaluation.play.play`."""

IMPOSSIBLE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What reading something else than was handed over may raise, beside a `MismatchError`."""


class Judging(NamedTuple):
    """How worlds of a game are judged.

    Attributes:
        spec: ``(task) -> spec``: a world's parameters, where they are drawn before it is played.
        rows: ``(task, spec, value) -> rows``: what it brought each of its players, from what was handed over; raises
            `MismatchError` or one of `IMPOSSIBLE`, where that cannot be true.
        take_part: In the process of an isolated player: ``(task, spec, factory, line)``.
        lead: In the process that leads a world of isolated players: ``(task, spec, lines, pids, limit) -> result``.
    """

    spec: Callable[[Task], Any]
    rows: Callable[[Task, Any, Any], list[dict[str, Any]]]
    take_part: Callable[[Task, Any, int, socket.socket], None]
    lead: Callable[[Task, Any, Sequence[socket.socket], Sequence[int], float], dict[str, Any]]


def judging_of(game: str) -> Judging | None:
    """How worlds of a game are judged; None where what their processes say of them is all that there is."""
    competition = competition_of(game)
    if competition.line_up is not None:
        return Judging(_spec, _settled, isolated.take_part, isolated.lead)
    if competition.entry_points:
        return Judging(lambda task: None, answers.rows_of, answers.take_part, answers.lead)
    return None


def _spec(task: Task) -> Any:
    return _line_up(task).spec(task["seed"], Setting(*task["setting"]), len(task["names"]))


def _settled(task: Task, spec: Any, value: Any) -> list[dict[str, Any]]:
    fields = ("contracts", "profits", "bankrupt", "audits")
    played = Played(*(value[name] for name in fields), changed=value.get("changed"))
    rows = _line_up(task).account(spec, Setting(*task["setting"]), played)
    raised = _raised(value, len(rows))
    return [row | raised.get(i, {}) for i, row in enumerate(rows)]


def _line_up(task: Task) -> LineUp:
    return load(competition_of(task["game"]).line_up)


def _raised(value: Any, n: int) -> dict[int, Any]:
    """Position -> the row's ``raised``, see `scml_gym.evaluation.exceptions.Raised`.

    Raises:
        ValueError: if it is something else.
    """
    found = {int(position): raised for position, raised in value["raised"].items()}
    for position, raised in found.items():
        whole = (
            raised.keys() == {"count", "first"} and type(raised["count"]) is int and isinstance(raised["first"], str)
        )
        if position not in range(n) or not whole:
            raise ValueError("no list of exceptions")
    return {position: {"raised": raised} for position, raised in found.items()}
