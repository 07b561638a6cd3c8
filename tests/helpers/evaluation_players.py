"""Players that misbehave, for the tests of tournaments."""

import os
import signal
import time

from scml.oneshot.agents import GreedyOneShotAgent, OneshotDoNothingAgent, SyncRandomOneShotAgent


class Raises(GreedyOneShotAgent):
    """An exception in the middle of a negotiation."""

    def propose(self, negotiator_id, state, source=None):
        if self.awi.current_step == 1:
            raise RuntimeError("two\nlines")
        return super().propose(negotiator_id, state)


class Exits(GreedyOneShotAgent):
    """Ends the process without a word."""

    def before_step(self):
        if self.awi.current_step == 1:
            os._exit(7)
        super().before_step()


class Segfaults(GreedyOneShotAgent):
    """Dies as a broken extension module does."""

    def step(self):
        if self.awi.current_step == 1:
            os.kill(os.getpid(), signal.SIGSEGV)
        super().step()


class Hangs(GreedyOneShotAgent):
    """Never answers."""

    def before_step(self):
        time.sleep(1000)


class Leaves(GreedyOneShotAgent):
    """Leaves a process behind, which holds what the world's process has open."""

    def init(self):
        super().init()
        if os.fork() == 0:
            time.sleep(1000)
            os._exit(0)


class Slow(GreedyOneShotAgent):
    """Takes a second for a world."""

    def before_step(self):
        time.sleep(0.4)
        super().before_step()


class CannotBeMade(GreedyOneShotAgent):
    """Fails in its constructor."""

    def __init__(self, *args, **kwargs):
        raise OSError("no model file")


class Sometimes(GreedyOneShotAgent):
    """Fails in about half of the worlds, and in those only on one level."""

    def before_step(self):
        if self.awi.is_first_level and self.awi.profile.cost % 2:
            raise RuntimeError("odd production cost")
        super().before_step()


class Remembers(GreedyOneShotAgent):
    """Is idle in all but the first world that its process plays: it would tell which worker plays what."""

    worlds = 0

    def init(self):
        type(self).worlds += 1
        super().init()

    def propose(self, negotiator_id, state, source=None):
        return super().propose(negotiator_id, state) if type(self).worlds == 1 else None


class Handles(OneshotDoNothingAgent):
    """Raises and handles it: no failure."""

    def propose(self, negotiator_id, state):
        try:
            return self.first_proposals()
        except RuntimeError:
            return None

    def first_proposals(self):
        raise RuntimeError


class Brackets(GreedyOneShotAgent):
    """Says what a terminal, or a page, may take for markup."""

    def before_step(self):
        raise IndexError("[/red] list index [0] <b>|</b>")


def takes_nothing():
    """No maker of players: it takes no seed."""


def not_a_policy(seed):
    """A callable that makes no player."""
    return seed


def raising_in(method):
    """An agent that raises where the simulation calls this method, from day 1 on."""

    def fail():
        raise RuntimeError(f"in {method}")

    return _agent_with(method, fail)


def skipping(method):
    """An agent that does nothing where ``raising_in(method)`` raises."""
    return _agent_with(method, lambda: None)


def _agent_with(method, act):
    def changed(self, *args, **kwargs):
        if method == "init" or self.awi.current_step >= 1:
            return act()
        return getattr(super(agent, self), method)(*args, **kwargs)

    agent: type = type("Changed", (SyncRandomOneShotAgent,), {method: changed})
    return agent
