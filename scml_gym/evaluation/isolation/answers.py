"""Games whose worlds call a few methods of their players, and make the rest of what these answer.

A world is then a function of its seed and of the answers. The process in which it is played hands these over, and what
they brought is computed anew where no player's code runs. Isolated, each player has a process of its own, which is
sent what the player is called with, and the process that leads the world plays nobody. The state of both global
generators travels with the calls, so that both ways bring the same.
"""

from __future__ import annotations

import base64
import json
import pickle
import socket
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from scml_gym.evaluation.config import competition_of
from scml_gym.evaluation.exceptions import NOBODY, Mark, PlayerError, describe
from scml_gym.evaluation.isolation.confinement import confine, end_with_parent
from scml_gym.evaluation.isolation.exchange import Fault, Leader, receive, send
from scml_gym.evaluation.play import Watching, load_maker, make_players, play_with, seed_globals
from scml_gym.simulator.global_rng import global_state, same_state, set_global_state, state_heard, state_told
from scml_gym.simulator.line_up import MismatchError


class StandIn:
    """Stands in a player's place, and has its entry points.

    Args:
        entry_points: Names of them.
        ask: ``(name, *arguments) -> answer``.
    """

    def __init__(self, entry_points: Sequence[str], ask: Callable[..., Any]):
        for name in entry_points:
            setattr(self, name, partial(ask, name))


def hand_over(game: str, names: Sequence[str], seed: int, mark: Mark, **settings: Any) -> dict[str, Any]:
    """Play one world as `scml_gym.evaluation.play.play` does.

    Returns:
        ``answers`` of each player, in order; ``rows`` of `play`; what was ``changed`` of the players meanwhile, in
        words, None for nothing.
    """
    return _played(make_players(game, names, seed, mark), game, seed=seed, mark=mark, **settings)


def _played(players: Sequence[Any], game: str, **settings: Any) -> dict[str, Any]:
    entry_points = competition_of(game).entry_points
    answers: list[list[Any]] = [[] for _ in players]

    def note(position: int, name: str, *given: Any) -> Any:
        answer = getattr(players[position], name)(*given)
        answers[position].append(_plain(answer))
        return answer

    watched: list[tuple[Any, dict[str, Any]]] = [(player, _methods(player)) for player in players]

    def watching(watch: Watching) -> Watching:
        def begin(agent: Any, position: int, names: Sequence[str]) -> None:
            watch(agent, position, names)
            watched.append((agent, _methods(agent)))

        return begin

    stand_ins = [StandIn(entry_points, partial(note, position)) for position in range(len(players))]
    rows = play_with(stand_ins, game, watching=watching, **settings)
    changed = any(_methods(agent) != methods for agent, methods in watched)
    told = "methods of a player were exchanged while the world was played" if changed else None
    return {"answers": answers, "rows": rows, "changed": told}


def _methods(agent: Any) -> dict[str, Any]:
    own = {name: value for name, value in getattr(agent, "__dict__", {}).items() if callable(value)}
    return own | {f"{type(agent)}.{name}": value for name, value in vars(type(agent)).items() if callable(value)}


def rows_of(task: Mapping[str, Any], spec: None, value: Any) -> list[dict[str, Any]]:
    """What a world brought, from the answers that were handed over.

    Raises:
        MismatchError: if they are not the answers of a world, or it is said to have brought something else.
    """
    entry_points, given = competition_of(task["game"]).entry_points, [deque(part) for part in value["answers"]]
    if len(given) != len(task["names"]):
        raise MismatchError("the answers are of another number of players")

    def answer(left: deque[Any], name: str, *_: Any) -> Any:
        return _numbers(left.popleft())

    players = [StandIn(entry_points, partial(answer, left)) for left in given]
    try:
        rows = play_with(players, **_settings(task), mark=[NOBODY])
    except PlayerError as error:
        raise MismatchError(f"the answers are of no such world: {describe(error)}") from error
    if any(given) or json.dumps(rows) != json.dumps(value["rows"]):
        raise MismatchError("it is said to have brought something else than its players' answers bring")
    return rows


def _settings(task: Mapping[str, Any]) -> dict[str, Any]:
    """Of `play_with`, without a recording."""
    return {name: task[name] for name in ("game", "seed", "setting", "errors") if name in task}


def take_part(task: Mapping[str, Any], spec: None, own: int, line: socket.socket) -> None:
    """In the process of a player."""
    confine(line.fileno())
    made: list[Any] = []

    def call(name: str, given: str) -> Any:
        if made:
            return _plain(getattr(made[0], name)(*pickle.loads(base64.b64decode(given))))  # of the leading process
        made.append(load_maker(task["game"], task["names"][own])(task["seed"]))
        return None

    while True:
        name, given, state = receive(line)
        if state is not None:
            set_global_state(state_heard(state))
        before = global_state()
        try:
            answer = call(name, given)
        except BaseException as error:  # SystemExit and KeyboardInterrupt of the player too
            send(line, {"failure": "exception", "message": describe(error)})
            return
        now = global_state()
        send(line, {"answer": answer, "state": None if same_state(before, now) else state_told(now)})


def lead(
    task: Mapping[str, Any], spec: None, lines: Sequence[socket.socket], pids: Sequence[int], limit: float
) -> dict[str, Any]:
    """In the process that leads a world of isolated players."""
    end_with_parent()
    leader, mark = Leader(lines, pids, limit), [NOBODY]
    known: list[Any] = [None] * len(lines)  # the state of the generators that a player's process has

    def ask(factory: int, name: str, *given: Any) -> Any:
        now = global_state()
        told_already = known[factory] is not None and same_state(known[factory], now)
        content = base64.b64encode(pickle.dumps(given)).decode()
        told = leader.call(factory, [name, content, None if told_already else state_told(now)])
        try:
            if not isinstance(told, dict) or told.keys() != {"answer", "state"}:
                raise ValueError("what it says is no answer")
            if told["state"] is not None:
                set_global_state(state_heard(told["state"]))
            answer = _numbers(told["answer"])
        except ValueError as error:
            raise Fault(factory, "exception", f"it misses the protocol: {error}") from None
        known[factory] = global_state()
        return answer

    try:
        seed_globals(task["seed"])
        for factory in range(len(lines)):
            ask(factory, "")  # it is made
        players = [StandIn(competition_of(task["game"]).entry_points, partial(ask, i)) for i in range(len(lines))]
        record = {"record": task["record"]} if "record" in task else {}
        return {"value": _played(players, **_settings(task), mark=mark, **record)}
    except Fault as fault:
        return {"failure": fault.failure, "message": fault.message, "player": fault.player}
    except BaseException as error:
        return {"failure": "exception", "message": describe(error), "player": mark[0]}


def _plain(answer: Any) -> Any:
    """An answer as JSON has it."""
    return None if answer is None else np.asarray(answer).tolist()


def _numbers(told: Any) -> np.ndarray | None:
    """An answer that was told.

    Raises:
        ValueError: if it is neither numbers nor nothing.
    """
    if told is None:
        return None
    numbers = np.asarray(told)
    if numbers.dtype.kind not in "biuf":
        raise ValueError("its answer is no numbers")
    return numbers
