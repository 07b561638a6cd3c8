"""What competitors that cheat get: their world is played with isolated players, and they are named."""

import ctypes
import json
import os
import random
import signal
import sys
from typing import Any

import numpy as np
import pytest
from negmas.gb.common import ResponseType
from negmas.sao.common import SAOResponse

from scml_gym.core.errors import InputError
from scml_gym.evaluation.config import TournamentConfig
from scml_gym.evaluation.isolation.confinement import confine
from scml_gym.evaluation.isolation.descendants import descendants, end_descendants
from scml_gym.evaluation.isolation.fork_server import read_result
from scml_gym.evaluation.isolation.kinds import ISOLATION
from scml_gym.evaluation.pool import WorkerPool
from scml_gym.evaluation.tournament import run_tournament
from scml_gym.game.definition import Setting
from scml_gym.games import GAMES
from scml_gym.oneshot.line_up import LINE_UP
from scml_gym.simulator.global_rng import global_state, same_state, set_global_state, state_heard, state_told
from scml_gym.simulator.line_up import MismatchError, Played
from scml_gym.simulator.lockstep import ProtocolError, answer_heard, answer_told
from tests.helpers.misbehaving import MISBEHAVING, name_of

OTHERS = ["best-subset", "greedy", "scml:GreedySyncAgent"]
CHOSEN = ("money", "mute", "forge", "framer", "kill_parent", "contracts", "views", "daemons", "exits")
"""Of those that misbehave; ``benchmarks/attack.py`` tries them all."""


def forked(act) -> Any:
    """What a function gives in a confined process, or the signal that ended it."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        confine(writer)
        os.write(writer, json.dumps(act()).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        content = file.read()
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return json.loads(content) if code == 0 else code


def refused(act):
    try:
        act()
    except OSError as error:
        return type(error).__name__
    return None


def test_a_confined_process_holds_nothing_of_the_one_that_forked_it():
    parent = os.getpid()

    def act():
        return [sorted(os.listdir("/proc/self/fd"))[:4], os.getsid(0) == os.getpid(), os.getppid() == parent]

    found, own_session, child = forked(act)
    assert len(found) <= 5 and own_session and child


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a filter of Linux")
def test_a_confined_process_signals_nobody_but_itself():
    parent, libc = os.getpid(), ctypes.CDLL(None)
    assert forked(lambda: refused(lambda: os.kill(parent, 0))) == "PermissionError"
    assert forked(lambda: refused(lambda: os.kill(parent, signal.SIGSTOP))) == "PermissionError"
    assert forked(lambda: refused(lambda: os.kill(-1, 0))) == "PermissionError"
    assert forked(lambda: libc.ptrace(16, parent, 0, 0)) == -1
    assert forked(lambda: refused(lambda: os.kill(os.getpid(), 0))) is None
    assert forked(lambda: os.kill(os.getpid(), signal.SIGTERM)) == -signal.SIGTERM
    assert forked(os.abort) == -signal.SIGABRT


def test_processes_that_left_their_group_are_ended():
    pid = os.fork()
    if pid == 0:
        os.setsid()
        if os.fork() == 0:
            os.setsid()
        signal.pause()
        os._exit(0)
    while len(descendants(pid)) < 1:
        pass
    below = [pid, *descendants(pid)]
    kept = [p for p in descendants(os.getpid()) if p not in below]
    end_descendants([*kept])
    assert not [p for p in below if p in descendants(os.getpid())]


@pytest.mark.parametrize("answer", [None, SAOResponse(ResponseType.REJECT_OFFER, (np.int64(3), 4, 5.5))])
def test_answers_are_told_and_heard(answer):
    assert answer_heard(json.loads(json.dumps(answer_told(answer)))) == answer


@pytest.mark.parametrize("told", [3, [], [9, None], [1, [1, 2]], [1, [1, 2, "x"]], [1, [1, 2, float("inf")]], "ab"])
def test_what_is_no_answer_is_refused(told):
    with pytest.raises(ProtocolError):
        answer_heard(told)


def test_the_state_of_the_generators_is_told_and_heard():
    before = global_state()
    random.gauss(0, 1)
    told = json.loads(json.dumps(state_told(global_state())))
    expected = random.random(), random.gauss(0, 1)
    set_global_state(state_heard(told))
    assert (random.random(), random.gauss(0, 1)) == expected
    assert not same_state(before, global_state())
    set_global_state(before)
    for wrong in (None, [], [1] * 6, ["", None, "", 0, 0, 0.0], [told[0], 1, *told[2:]], [*told[:3], 1000, 0, 0.0]):
        with pytest.raises(ValueError):
            state_heard(wrong)


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]\n", b"[" * 100_000 + b"\n", b"{}\n{}\n", b"\xff\n"])
def test_what_a_process_writes_is_a_result_or_nothing(content):
    assert read_result(content) is None


@pytest.fixture(scope="module")
def played():
    """A world's parameters and what was handed over."""
    setting, names = Setting(3), ["greedy", "best-subset"]
    spec = LINE_UP.spec(1, setting, 2)
    players = [GAMES.get("oneshot").player_maker(name)(1) for name in names]
    return spec, setting, LINE_UP.hand_over(LINE_UP.make(spec, players, 1, setting, None), lambda *_: None)


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p._replace(profits=[[1.0] * 3] * 2),
        lambda p: p._replace(contracts=[[0, 1, 0, 1, 1]]),
        lambda p: p._replace(contracts=[[0, 0, 9, 1, 1]]),
        lambda p: p._replace(contracts=[[-1, 0, 1, 1, 1]]),
        lambda p: p._replace(contracts=[[0, 0, 1, 1, 1]] * 2),
        lambda p: p._replace(contracts=[[0, 0, 1, 1.5, 1]]),
        lambda p: p._replace(contracts=[[0, 0, 1, 10**30, 1]]),
        lambda p: p._replace(contracts=[[0, 0, 1]]),
        lambda p: p._replace(audits=[{"acts": -1}] * 2),
        lambda p: p._replace(audits=[]),
        lambda p: p._replace(bankrupt=[True, False]),
    ],
)
def test_what_cannot_be_true_is_refused(played, change):
    spec, setting, handed_over = played
    assert isinstance(handed_over, Played) and handed_over.changed is None
    assert len(LINE_UP.account(spec, setting, handed_over)) == 2
    with pytest.raises(MismatchError):
        LINE_UP.account(spec, setting, change(handed_over))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("game", "setting", "names"),
    [
        ("oneshot", Setting(4), ["sequential", "scml:SyncRandomOneShotAgent", "greedy", "scml:GreedyOneShotAgent"]),
        ("standard", Setting(5, 3, "physical"), ["just-in-time", "scml:SyncRandomStdAgent", "scml:GreedyStdAgent"]),
    ],
)
def test_isolated_players_bring_the_same(game, setting, names):
    results = []
    for isolate in ISOLATION:
        with WorkerPool(1, 120.0, game, isolate=isolate) as pool:
            pool.load(names)
            results.append(pool.play(names, 3, setting).result())
    assert len(results[0]["value"]) == len(names)
    assert results[0] == results[1]


@pytest.mark.slow
def test_who_misbehaves_is_named_or_changes_nothing():
    # what "daemons" starts keeps the process of its world from ending before the limit
    with WorkerPool(1, limit=5.0) as pool:
        pool.load([name_of("Plain"), *OTHERS])
        honest = pool.play([name_of("Plain"), *OTHERS], 1, Setting(3)).result()
        for kind in CHOSEN:
            result = pool.play([name_of(kind), *OTHERS], 1, Setting(3)).result()
            assert result == honest or ("failure" in result and result["player"] == 0), (kind, result)
            assert (result == honest) == (kind == "daemons") or kind == "views", (kind, result)
    assert len(honest["value"]) == 4
    assert len(MISBEHAVING) >= 40


@pytest.mark.slow
def test_a_module_that_changes_the_simulation_when_it_is_loaded_changes_nobody_else():
    names = ["tests.helpers.patching:Patches", *OTHERS]
    results = []
    for loaded in (names, [name_of("Plain"), *OTHERS]):
        with WorkerPool(1, limit=60.0) as pool:
            pool.load(loaded)
            results.append(pool.play(loaded, 1, Setting(3)).result())
    assert results[0] == results[1]


@pytest.mark.slow
def test_a_tournament_with_a_cheat_is_that_with_its_substitute():
    settings = {"worlds": 1, "days": 3, "factories": 2, "background": ("greedy",), "workers": 1}
    cheated = run_tournament(TournamentConfig(competitors=(name_of("mute"), "best-subset"), **settings))
    assert {row["competitor"] for row in cheated.rows if row["role"] == "competitor"} == {"best-subset"}
    (failure,) = cheated.failures
    assert failure["player"] == name_of("mute") and "methods of an agent" in failure["message"]


@pytest.mark.parametrize("isolate", ["yes", "", "Agents"])
def test_other_isolations_are_refused(isolate):
    with pytest.raises((InputError, ValueError), match="valid: none, agents"):
        TournamentConfig(competitors=("greedy",), isolate=isolate)
