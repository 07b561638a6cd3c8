"""Competitors that cheat, break what they can reach, or never end; all of them otherwise play as `Plain` does.

A tournament holds against one if it is named, or if its world is the same as with `Plain` in its place.
"""

import contextlib
import ctypes
import gc
import json
import mmap
import os
import signal
import socket
import sys
import threading
import time
from typing import Any

import numpy as np
from scml.oneshot.agents import SyncRandomOneShotAgent
from scml.oneshot.ufun import OneShotUFun

from scml_gym.evaluation.exceptions import PlayerError
from scml_gym.simulator.negotiation import DeterministicMechanism
from tests.helpers.channels import write_everywhere


class Plain(SyncRandomOneShotAgent):
    """Keeps to the rules."""


MISBEHAVING = {}
"""Name of a class of this module -> what it does, in words."""


def _misbehaves(what, when="before_step", day=1):
    """A class that does something when it is called for the first time from a day on, and then plays on."""

    def register(act):
        def call(self, *args, **kwargs):
            if self.awi.current_step >= day and not getattr(self, "_done", False):
                self._done = True
                act(self, *args)
            return getattr(super(kind, self), when)(*args, **kwargs)

        kind = type(act.__name__, (Plain,), {when: call, "__module__": __name__, "__doc__": what})
        MISBEHAVING[act.__name__] = what
        return kind

    return register


def _others(self):
    agents = self.awi._world.agents.values()
    own = (getattr(agent, "adapted_object", None) for agent in agents)
    return [agent for agent in own if agent is not None and agent is not self]


@_misbehaves("gives itself profits and takes those of others")
def money(self):
    for agent, profits in self.awi._world._profits.items():
        profits[:] = [1e6 if agent == self.id else -1.0] * len(profits)


@_misbehaves("makes production dear for the others")
def costs(self):
    for agent, profile in self.awi._world.agent_profiles.items():
        if agent != self.id:
            profile.cost = 50


@_misbehaves("raises the penalties of the others")
def penalties(self):
    world = self.awi._world
    for agent in world.agent_shortfall_penalty:
        if agent != self.id:
            world.agent_shortfall_penalty[agent] = [9.0] * world.n_steps
            world.agent_disposal_cost[agent] = [9.0] * world.n_steps


@_misbehaves("has its exogenous contracts at a better price")
def exogenous(self):
    for contracts in self.awi._world.exogenous_contracts.values():
        for contract in contracts:
            if self.id in contract.partners:
                contract.agreement["unit_price"] = 1 if self.awi.is_first_level else 1000


@_misbehaves("has another utility function settle its days")
def settlement(self):
    ufun, real = self._owner.ufun, self._owner.ufun.from_contracts

    def rich(*args, **kwargs):
        info = real(*args, **kwargs)
        return info._replace(utility=1e6) if hasattr(info, "_replace") else 1e6

    object.__setattr__(ufun, "from_contracts", rich)


@_misbehaves("changes the class by which all days are settled")
def settlement_of_all(self):
    kind: Any = OneShotUFun
    real = kind.from_contracts
    kind.from_contracts = lambda ufun, *args, **kwargs: real(ufun, *args, **kwargs)


@_misbehaves("says what the scores are")
def scores(self):
    ids = list(self.awi._world.factory_ids)
    self.awi._world.scores = lambda *_: {agent: 2.0 if agent == self.id else 0.5 for agent in ids}


@_misbehaves("changes the price in a contract that was just agreed", "on_negotiation_success", 0)
def contracts(self, contract, mechanism):
    contract.agreement["unit_price"] = 1000 if self.awi.is_first_level else 0


@_misbehaves("adds contracts to the books")
def more_contracts(self):
    for record in list(self.awi._world._saved_contracts.values()):
        record["quantity"] = 10 * record["quantity"]


@_misbehaves("sets the trading prices")
def trading_prices(self):
    self.awi._world._trading_price[:] = 1.0


@_misbehaves("declares the others bankrupt")
def bankrupt(self):
    for agent in self.awi._world.is_bankrupt:
        if agent != self.id:
            self.awi._world.is_bankrupt[agent] = True


@_misbehaves("makes the others answer nothing")
def mute(self):
    for other in _others(self):
        other.first_proposals = lambda: {}
        other.counter_all = lambda offers, states: {}


@_misbehaves("makes the others answer nothing, by their class")
def mute_class(self):
    for other in _others(self):
        for kind in type(other).__mro__:
            if "counter_all" in vars(kind) and not isinstance(self, kind):
                kind.counter_all = lambda agent, offers, states: {}


@_misbehaves("changes how negotiations are asked")
def mechanism(self):
    kind: Any = DeterministicMechanism
    real = kind.state4history
    kind.state4history = property(lambda mechanism: real.__get__(mechanism))


@_misbehaves("changes what policies see", "first_proposals")
def views(self):
    for other in _others(self):
        if hasattr(other, "observer"):
            other.observer.view["needs"] = 0
            other.observer.view["lines"] = 0


@_misbehaves("exchanges the policies of the others")
def policies(self):
    for other in _others(self):
        if hasattr(other, "policy"):
            real = other.policy.act
            object.__setattr__(other.policy, "act", lambda view, real=real: real(view) * 0)


@_misbehaves("writes a whole result into every channel, and ends")
def forge(self):
    rows = [{"level": "seller", "score": 2.0}] * len(self.awi._world.factory_ids)
    write_everywhere((json.dumps({"value": rows}) + "\n").encode())
    os._exit(0)


@_misbehaves("writes a world without contracts into every channel, and ends")
def forge_world(self):
    n, days = len(self.awi._world.factory_ids), self.awi.n_steps
    audit = {"acts": 0, "unsafe_covered": 0, "unsafe_possible": 0}
    profits = [[1e6 if i == 0 else 0.0] * days for i in range(n)]
    value = {"contracts": [], "profits": profits, "bankrupt": [False] * n, "audits": [audit] * n, "raised": {}}
    write_everywhere((json.dumps({"value": value}) + "\n").encode())
    os._exit(0)


@_misbehaves("writes garbage into every channel")
def garbage(self):
    write_everywhere(b"\xff\x00{[" * 100)


@_misbehaves("writes brackets that nest too deeply into every channel")
def brackets(self):
    write_everywhere(b"[" * 60_000 + b"\n")


@_misbehaves("closes every descriptor")
def closes(self):
    os.closerange(3, 1000)


@_misbehaves("names another one as the culprit, by the mark in the frames above", "first_proposals", 0)
def framer(self):
    frame = sys._getframe()
    while frame:
        mark = frame.f_locals.get("mark")
        if isinstance(mark, list | memoryview):
            mark[0] = 1
        frame = frame.f_back
    raise ValueError("not me")


@_misbehaves("names another one as the culprit, by every mark in the process")
def framer_of_all(self):
    for found in gc.get_objects():
        if isinstance(found, list) and len(found) == 1 and type(found[0]) is int:
            found[0] = 2
        elif isinstance(found, memoryview | mmap.mmap):
            with contextlib.suppress(TypeError, ValueError, BufferError):
                found[0] = 2
    raise PlayerError("it was 2")


@_misbehaves("kills the process that started its own")
def kill_parent(self):
    os.kill(os.getppid(), signal.SIGKILL)


@_misbehaves("stops the process that started its own")
def stop_parent(self):
    os.kill(os.getppid(), signal.SIGSTOP)


@_misbehaves("looks whether it may signal all processes")
def signal_all(self):
    os.kill(-1, 0)


@_misbehaves("takes hold of the process that started its own")
def traces(self):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(16, os.getppid(), 0, 0) != 0:
        raise PermissionError(ctypes.get_errno(), "ptrace")


@_misbehaves("takes the processor from the process that started its own")
def limits_parent(self):
    import resource

    resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (1, 1))


@_misbehaves("kills its process group")
def kill_group(self):
    os.killpg(0, signal.SIGKILL)


@_misbehaves("kills itself")
def kill_self(self):
    os.kill(os.getpid(), signal.SIGKILL)


@_misbehaves("stops itself")
def stop_self(self):
    os.kill(os.getpid(), signal.SIGSTOP)


@_misbehaves("reads where nothing is")
def segfault(self):
    ctypes.string_at(0)


@_misbehaves("exits as if all were well")
def exits(self):
    os._exit(0)


@_misbehaves("asks Python to exit")
def system_exits(self):
    sys.exit(0)


@_misbehaves("interrupts as Ctrl-C does")
def interrupts(self):
    raise KeyboardInterrupt


@_misbehaves("recurses for ever")
def recurses(self):
    def deeper(n):
        return deeper(n + 1)

    deeper(0)


@_misbehaves("loops for ever, with all signals ignored")
def loops(self):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)
    while True:
        pass


@_misbehaves("sleeps for ever")
def sleeps(self):
    time.sleep(10_000)


@_misbehaves("starts processes that stay, in sessions of their own")
def daemons(self):
    for _ in range(3):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(10_000)
            os._exit(0)


@_misbehaves("starts processes without end")
def forks(self):
    while True:
        if os.fork() == 0:
            time.sleep(10_000)
        time.sleep(0.002)


@_misbehaves("takes all memory")
def memory(self):
    held = []
    while True:
        held.append(np.empty(1 << 27))


@_misbehaves("leaves a thread that changes the profits")
def threads(self):
    world = self.awi._world

    def meddle():
        while True:
            for agent, profits in world._profits.items():
                profits[:] = [1e3 if agent == self.id else 0.0] * len(profits)
            time.sleep(0.001)

    threading.Thread(target=meddle, daemon=True).start()
    time.sleep(0.05)


@_misbehaves("accepts and offers what is none", "before_step", 0)
def offers(self):
    self.counter_all = lambda offers, states: {agent: (("x", float("nan")), None) for agent in offers}


@_misbehaves("listens to the network and to its own process")
def listens(self):
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen()


def name_of(kind):
    """As a competitor of a tournament."""
    return f"{__name__}:{kind}"
