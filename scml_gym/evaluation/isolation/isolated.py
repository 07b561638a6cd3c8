"""One world with each player in a process of its own, see `scml_gym.simulator.lockstep`.

The processes are forked from one in which no player's code has run. None of them can reach the world in which the
contracts are made: that of the leading process, which plays nobody. A player that changes its copy of the world changes
what it sees itself; and as its copy then brings other contracts or another profit than the world, it is found.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scml_gym.core.errors import InputError
from scml_gym.core.registry import load
from scml_gym.evaluation.config import competition_of
from scml_gym.evaluation.exceptions import ERRORS, NOBODY, ErrorRule, describe, watch
from scml_gym.evaluation.isolation.confinement import MOST_PROCESSES, confine, end_with_parent
from scml_gym.evaluation.isolation.descendants import death, descendants, end_descendants, stopped
from scml_gym.evaluation.isolation.exchange import LOADING, Fault, Leader, Player, receive, send
from scml_gym.evaluation.isolation.kinds import SLOWEST
from scml_gym.evaluation.recording import world_log
from scml_gym.game.definition import Setting
from scml_gym.simulator.line_up import LineUp, contracts_of
from scml_gym.simulator.lockstep import Lockstep, ProtocolError

_POLL = 0.5
"""Seconds between two looks at whether the processes stand still, or multiply."""

_GRACE = 30.0
"""Seconds that the leading process may take beside its players, for each of them."""


def play_isolated(
    task: Mapping[str, Any],
    spec: Any,
    take_part: Callable[..., None],
    lead: Callable[..., dict[str, Any]],
    limit: float,
    kept: Sequence[int],
    ready: Callable[[Any, float], bool],
) -> dict[str, Any]:
    """Play a world; its processes are children of this one, and gone when this returns.

    Args:
        task: ``game``, ``names``, ``seed``, ``setting``, ``errors``, ``record``: see `scml_gym.evaluation.play.play`.
        spec: The world's parameters.
        take_part: What is done in the process of a player: see `scml_gym.evaluation.judging.Judging`.
        lead: What is done in the process that leads the world, likewise.
        limit: Seconds that each player may take in all.
        kept: Children of this process that stay.
        ready: ``(socket, seconds) -> bool``: waits until something can be read.

    Returns:
        ``value``, what was handed over; or ``failure``, ``message`` and ``player``.
    """
    names, pids, lines = task["names"], [], []
    for factory in range(len(names)):
        line, theirs = socket.socketpair()
        pids.append(_fork(lambda factory=factory, theirs=theirs: take_part(task, spec, factory, theirs)))
        theirs.close()
        lines.append(line)
    result, theirs = socket.socketpair()
    leader = _fork(lambda: send(theirs, lead(task, spec, lines, pids, limit)))
    theirs.close()
    end = time.monotonic() + (SLOWEST * limit + LOADING + _GRACE) * len(names)
    try:
        while not ready(result, _POLL):
            if stopped(leader) or time.monotonic() > end:
                raise EOFError
            for pid in pids:
                below = descendants(pid)
                for process in (pid, *below) if len(below) > MOST_PROCESSES else ():
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(process, signal.SIGKILL)
        told = receive(result)
    except (EOFError, OSError, ProtocolError):
        told = {"failure": "crash", "message": f"the process that led the world {death(leader)}", "player": NOBODY}
    if told.get("message") == "its process ended":
        told["message"] = f"its process {death(pids[told['player']])}"
    for line in (*lines, result):
        line.close()
    end_descendants(kept)
    return told


def _fork(act: Callable[[], Any]) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            act()
        finally:
            os._exit(0)
    return pid


def lead(
    task: Mapping[str, Any], spec: Any, lines: Sequence[socket.socket], pids: Sequence[int], limit: float
) -> dict[str, Any]:
    """In the leading process: the world, all of whose players are elsewhere."""
    end_with_parent()
    exchange, setting = Leader(lines, pids, limit), Setting(*task["setting"])
    try:
        world = _world(task, spec, setting, Lockstep(None, exchange), exchange)
        world.run()
        parts = [exchange.ask(factory) for factory in range(len(lines))]
        played = {"contracts": contracts_of(world), "profits": world.profits.tolist()}
        played["bankrupt"] = world.bankrupt.tolist()
        for factory, part in enumerate(parts):
            _compare(factory, part, played)
    except Fault as fault:
        return {"failure": fault.failure, "message": fault.message, "player": fault.player}
    except InputError as error:
        return {"failure": "input", "message": str(error), "player": NOBODY}
    except BaseException as error:
        return {"failure": "exception", "message": describe(error), "player": NOBODY}
    raised = {str(factory): part["raised"] for factory, part in enumerate(parts) if part["raised"] is not None}
    audits = [part["audit"] for part in parts]
    return {"value": {**played, "audits": audits, "raised": raised}}


def _world(task: Mapping[str, Any], spec: Any, setting: Setting, lockstep: Lockstep, exchange: Leader) -> Any:
    from scml_gym.evaluation.play import seed_globals

    line_up: LineUp = load(competition_of(task["game"]).line_up)
    log = None if task.get("record") is None else world_log(task["game"], task["record"])
    seed_globals(task["seed"])
    for factory in range(len(task["names"])):
        lockstep.do(factory, "player", lambda: None)
    players = [lockstep.player(factory) for factory in range(len(task["names"]))]
    world = line_up.make(spec, players, task["seed"], setting, log)
    line_up.begin(world, ERRORS.get(task["errors"]).played_by)
    lockstep.attach(world)
    return world


def _compare(factory: int, part: Any, played: Mapping[str, Any]) -> None:
    """Whether a player's copy of the world became what the world did."""
    valid = isinstance(part, dict) and part.keys() == {*played, "audit", "raised", "changed"}
    if not valid or not (part["raised"] is None or _is_raised(part["raised"])):
        raise Fault(
            factory, "exception", "it misses the protocol: it does not say what became of its copy of the world"
        )
    if part["changed"] is not None:
        raise Fault(factory, "exception", f"in its copy of the world: {str(part['changed'])[:200]}")
    if any(part[name] != value for name, value in played.items()):
        raise Fault(factory, "exception", "its copy of the world brought something else than the world")


def _is_raised(told: Any) -> bool:
    return (
        isinstance(told, dict)
        and told.keys() == {"count", "first"}
        and type(told["count"]) is int
        and told["count"] > 0
        and isinstance(told["first"], str)
    )


def take_part(task: Mapping[str, Any], spec: Any, own: int, line: socket.socket) -> None:
    """In the process of a player."""
    confine(line.fileno())
    player = Player(line)
    try:
        part = _part(task, spec, own, player)
    except InputError as error:
        part = {"failure": "input", "message": str(error)}
    except BaseException as error:  # SystemExit and KeyboardInterrupt of the player too
        part = {"failure": "exception", "message": describe(error)}
    player.say(part)
    receive(line)  # its end


def _part(task: Mapping[str, Any], spec: Any, own: int, exchange: Player) -> dict[str, Any]:
    from scml_gym.evaluation.play import load_maker, seed_globals

    line_up: LineUp = load(competition_of(task["game"]).line_up)
    seed, names, setting = task["seed"], task["names"], Setting(*task["setting"])
    rule: ErrorRule = ERRORS.get(task["errors"])()
    lockstep = Lockstep(own, exchange)
    maker = load_maker(task["game"], names[own])
    seed_globals(seed)
    made: list[Any] = []
    for factory in range(len(names)):
        lockstep.do(factory, "player", lambda mine=factory == own: made.append(maker(seed)) if mine else None)

    def agent() -> Any:
        (player,) = made
        kind, arguments = line_up.agent(player)
        new: Any = kind(**arguments)
        if not isinstance(player, tuple):
            new.policy = player
        return new

    players = [lockstep.player(factory, agent if factory == own else None) for factory in range(len(names))]
    world = line_up.make(spec, players, seed, setting, None)
    line_up.begin(world, rule.played_by)
    played = line_up.part(world, own, lambda *given: watch(rule, [NOBODY], *given), lockstep)
    (audit,) = played.audits
    told = {name: getattr(played, name) for name in ("contracts", "profits", "bankrupt", "changed")}
    return {**told, "audit": audit, "raised": rule.raised.get(own)}
