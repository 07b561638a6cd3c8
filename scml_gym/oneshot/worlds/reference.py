"""The reference world: the real scml simulation behind the World protocol, reproducible, any factories external."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import greenlet
import numpy as np

from scml_gym.core.copying import Uncopied
from scml_gym.core.errors import InputError
from scml_gym.game.world import PlayerMaker
from scml_gym.oneshot.players import Player, player_maker
from scml_gym.oneshot.view import HIDDEN_DTYPE, MAX_PARTNERS, SELLER, ActionArray, FactoryView
from scml_gym.oneshot.worlds.adapters import agent_class
from scml_gym.oneshot.worlds.protocol import check_players
from scml_gym.oneshot.worlds.simulation import OneShotSimulation
from scml_gym.oneshot.worlds.spec import WorldSpec
from scml_gym.simulator.external import External
from scml_gym.simulator.global_rng import GlobalStreams
from scml_gym.simulator.pausing import unwind

Timing = Literal["rounds", "moves"]

CONTRACT_DTYPE = np.dtype([(n, np.int64) for n in ("day", "seller", "buyer", "quantity", "price")])


class ReferenceWorld(Uncopied):
    """One real OneShot simulation; see `scml_gym.oneshot.worlds.protocol.OneShotWorld`.

    Args:
        spec: The world's parameters.
        players: For each factory who plays it; None marks it external.
        seed: Of the simulation's own generators, which only scml's built-in agents draw from.
        timing: ``"rounds"``, the league's: an external factory decides exactly where a ``OneShotSyncAgent`` would, one
            factory at a time. ``"moves"``, the league's RL mode: negotiations advance a move a pass (twice as many
            moves as rounds), and all external factories whose turn it is anywhere decide together.

    Raises:
        InputError: if the number of players is not that of the spec's factories, or the timing is unknown.

    The simulation runs in a greenlet and must be stepped from the thread that started it. The caller's global random
    generators are untouched. scml's built-in agents iterate over sets of names, so worlds with them repeat only under
    the same PYTHONHASHSEED.
    """

    why_not = "scml is paused in the middle of a call; make another one of the same spec and players and start it"

    def __init__(self, spec: WorldSpec, players: Sequence[Player], seed: int = 0, timing: Timing = "rounds"):
        check_players(spec, players, timing)
        self.spec = spec
        self.timing = timing
        self.external = tuple(i for i, p in enumerate(players) if p is None)
        self.passes = 0
        self._streams = GlobalStreams(seed)
        self._pending: tuple[int, ...] = ()
        self._done = False
        self._profits = np.zeros((spec.n_factories, spec.n_days))
        classes = [agent_class(p, timing) for p in players]
        with self._streams.active():
            self.world = OneShotSimulation(spec, classes, one_offer_per_step=timing == "moves", name=f"world{seed}")
        self.ids = self.world.factory_ids
        adapters: dict[str, Any] = self.world.agents
        self.agents = [adapters[i].adapted_object for i in self.ids]
        # the simulation must not hold this object: an abandoned one is ended when this object goes
        self._greenlet = greenlet.greenlet(functools.partial(_run, self.world))
        self._end = weakref.finalize(self, unwind, self._greenlet, self._streams)
        self._end.atexit = False
        for factory, (agent, player) in enumerate(zip(self.agents, players, strict=True)):
            if player is None:
                agent.policy = External(factory, self._greenlet)
            elif not isinstance(player, tuple):
                agent.policy = player

    @staticmethod
    def player_maker(opponent: Any) -> PlayerMaker:
        """What makes an opponent's players: every kind can play here."""
        return player_maker(opponent) if isinstance(opponent, str) else opponent

    def start(self) -> None:
        """Run to the first decision of an external factory, or to the end where there is none."""
        with self._streams.active():
            if self.timing == "moves":
                self._pass({}, n_steps=0)
            else:
                self._resume()

    def step(self, actions: Mapping[int, ActionArray]) -> None:
        """Give the pending factories' answers and run on to the next decision.

        Raises:
            InputError: if the world has ended or an answer is missing.
        """
        if not self._pending:
            raise InputError("the world has ended: start a new one")
        for factory in self._pending:
            if factory not in actions:
                raise InputError(f"no action for factory {factory}, whose decision is due")
        with self._streams.active():
            if self.timing == "moves":
                answers: dict[str, Any] = {}
                for factory in self._pending:
                    answers |= self.agents[factory].answers(actions[factory].copy())
                self._pass(answers)
            else:
                self._resume(actions[self._pending[0]].copy())

    def run(self) -> None:
        """Play a world without external factories to its end."""
        self.start()
        assert self.done, "a world with external factories is played with step"

    def close(self) -> None:
        """End an unfinished simulation; done by itself when nothing refers to this object any more."""
        self._pending = ()
        self._end()

    def _resume(self, *answer: ActionArray) -> None:
        """Switch into the simulation; it comes back with the factory that must decide, or at its end."""
        self._greenlet.parent = greenlet.getcurrent()
        factory = self._greenlet.switch(*answer)
        self._done = self._greenlet.dead
        self._pending = () if self._done else (factory,)

    def _pass(self, answers: dict[str, Any], n_steps: int = 1) -> None:
        """Pass after pass, until it is an external factory's turn somewhere."""
        while True:
            running = self.world.step(n_neg_steps=n_steps, neg_actions=answers)
            self.passes += n_steps
            if not running:
                self._done, self._pending = True, ()
                return
            self._pending = tuple(i for i in self.external if self.agents[i].look())
            if self._pending:
                return
            answers, n_steps = {}, 1

    @property
    def pending(self) -> tuple[int, ...]:
        """The external factories whose decision is due; empty where the world has ended."""
        return self._pending

    @property
    def done(self) -> bool:
        """Whether all days are over."""
        return self._done

    @property
    def day(self) -> int:
        """Days whose profits are settled, 0 to ``spec.n_days``."""
        return len(self.world._profits[self.ids[0]])

    def view(self, factory: int) -> FactoryView:
        """What a factory played by a policy or from outside sees now: a live record."""
        return self.agents[factory].view

    def closed_days(self, factory: int) -> list[FactoryView]:
        """The last views of the days that an external factory saw end since this was last called (copies)."""
        policy = self.agents[factory].policy
        closed, policy.closed = policy.closed, []
        return closed

    @property
    def profits(self) -> np.ndarray:
        """Daily profits in money, float64, shape ``(n_factories, n_days)``; 0 for days to come."""
        for row, agent in zip(self._profits, self.ids, strict=True):
            daily = self.world._profits[agent]
            row[: len(daily)] = daily
        return self._profits

    @property
    def scores(self) -> np.ndarray:
        """(initial balance + profits so far) / initial balance, float64, shape ``(n_factories,)``."""
        scores = self.world.scores()
        return np.array([scores[a] for a in self.ids])

    @property
    def bankrupt(self) -> np.ndarray:
        """Which factories have gone bankrupt, bool, shape ``(n_factories,)``."""
        return np.array([self.world.is_bankrupt[a] for a in self.ids])

    @property
    def trading_prices(self) -> np.ndarray:
        """Trading prices of the three products at the start of each day, float64, shape ``(3, n_days + 1)``."""
        return self.world._trading_price

    @property
    def contracts(self) -> np.ndarray:
        """Negotiated contracts so far, ``CONTRACT_DTYPE``, in order of conclusion; factories by index."""
        index = {agent: i for i, agent in enumerate(self.ids)}
        rows = [
            (c["delivery_time"], index[c["seller"]], index[c["buyer"]], c["quantity"], c["unit_price"])
            for c in self.world._saved_contracts.values()
            if c["seller"] in index and c["buyer"] in index
        ]
        return np.array(rows, dtype=CONTRACT_DTYPE)

    def summary(self, factory: int) -> dict[str, Any]:
        """What became of one external factory so far."""
        agent = self.agents[factory]
        return {
            "score": float(self.scores[factory]),
            "profit": float(sum(self.world._profits[self.ids[factory]])),
            "agreements": agent.agreements,
            "negotiations": agent.negotiations,
            "decisions": agent.decisions,
            "invalid_actions": agent.invalid,
            "bankrupt": bool(self.bankrupt[factory]),
        }

    def hidden_state(self) -> np.ndarray:
        """The hidden state of all factories, ``HIDDEN_DTYPE``, shape ``(2 * MAX_PARTNERS,)``."""
        table = np.zeros(2 * MAX_PARTNERS, dtype=HIDDEN_DTYPE)
        spec, world = self.spec, self.world
        day = min(world.current_step, spec.n_days - 1)
        for i, agent in enumerate(self.ids):
            awi = world.agents[agent].awi
            table[i] = (
                1,
                spec.level[i],
                world.is_bankrupt[agent],
                awi.needed_sales if spec.level[i] == SELLER else awi.needed_supplies,
                spec.exogenous_quantity[i, day],
                spec.exogenous_price[i, day],
                spec.production_cost[i],
                spec.shortfall_penalty[i, day],
                spec.disposal_cost[i, day],
                world.current_balance(agent),
                spec.initial_balance[i],
            )
        return table


def _run(world: OneShotSimulation) -> None:
    """All days, inside the greenlet."""
    while world.step():
        pass
