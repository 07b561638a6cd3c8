"""The reference world: the real scml simulation behind the World protocol, reproducible, any factories external."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from scml_gym.game.world import PlayerMaker
from scml_gym.oneshot.players import Player, player_maker
from scml_gym.oneshot.view import HIDDEN_DTYPE, MAX_PARTNERS, SELLER, new_actions
from scml_gym.oneshot.worlds.adapters import OneShotObserver, agent_class
from scml_gym.oneshot.worlds.protocol import check_players
from scml_gym.oneshot.worlds.simulation import OneShotSimulation
from scml_gym.oneshot.worlds.spec import WorldSpec
from scml_gym.simulator.looking import Seen
from scml_gym.simulator.paused_world import PausedWorld
from scml_gym.simulator.recording.log import WorldLog

Timing = Literal["rounds", "moves", "negotiations"]

CONTRACT_DTYPE = np.dtype([(n, np.int64) for n in ("day", "seller", "buyer", "quantity", "price")])


class ReferenceWorld(PausedWorld):
    """One real OneShot simulation; see `scml_gym.oneshot.worlds.protocol.OneShotWorld`.

    Args:
        spec: The world's parameters.
        players: For each factory who plays it; None marks it external.
        seed: Of the simulation's own generators, which only scml's built-in agents draw from.
        timing: ``"rounds"``, the league's: an external factory decides exactly where a ``OneShotSyncAgent`` would, one
            factory at a time. ``"moves"``, the league's RL mode: negotiations advance a move a pass (twice as many
            moves as rounds), and all external factories whose turn it is anywhere decide together. ``"negotiations"``:
            rounds as in the league's; an external factory decides whenever it is its turn in one negotiation, about
            that one alone, and may answer ``WAIT``.
        log: Receives what happens, where the world is recorded; see `scml_gym.oneshot.recording`.

    Raises:
        InputError: if the number of players is not that of the spec's factories, or the timing is unknown.

    The simulation runs in a greenlet and must be stepped from the thread that started it. The caller's global random
    generators are untouched. scml's built-in agents iterate over sets of names, so worlds with them repeat only under
    the same PYTHONHASHSEED.
    """

    no_ops = staticmethod(new_actions)
    seen = Seen(OneShotObserver, new_actions)

    def __init__(
        self,
        spec: WorldSpec,
        players: Sequence[Player],
        seed: int = 0,
        timing: Timing = "rounds",
        log: WorldLog | None = None,
    ):
        check_players(spec, players, timing)
        self.timing = timing
        self.passes = 0
        classes = [agent_class(p, timing) for p in players]
        super().__init__(
            spec, players, seed, lambda name: OneShotSimulation(spec, classes, timing == "moves", name), log
        )

    @staticmethod
    def player_maker(opponent: Any) -> PlayerMaker:
        """What makes an opponent's players: every kind can play here."""
        return player_maker(opponent) if isinstance(opponent, str) else opponent

    def _begin(self) -> None:
        if self.timing == "moves":
            self._pass({}, n_steps=0)
        else:
            self._resume()

    def _go_on(self, actions: dict[int, np.ndarray]) -> None:
        if self.timing == "moves":
            answers: dict[str, Any] = {}
            for factory, action in actions.items():
                answers |= self.agents[factory].answers(action)
            self._pass(answers)
        else:
            self._resume(*actions.values())

    def _pass(self, answers: dict[str, Any], n_steps: int = 1) -> None:
        """Pass after pass, until it is an external factory's turn somewhere."""
        while True:
            running = self.world.step(n_neg_steps=n_steps, neg_actions=answers)
            self.passes += n_steps
            if not running:
                self._done, self._pending = True, ()
                self._tell_end()
                return
            self._pending = tuple(i for i in self.external if self.agents[i].look())
            if self._pending:
                return
            answers, n_steps = {}, 1

    @property
    def contracts(self) -> np.ndarray:
        """Negotiated contracts so far, ``CONTRACT_DTYPE``, in order of conclusion; factories by index."""
        rows = [
            (record["delivery_time"], seller, buyer, record["quantity"], record["unit_price"])
            for record, seller, buyer in self.negotiated()
        ]
        return np.array(rows, dtype=CONTRACT_DTYPE)

    def hidden_state(self) -> np.ndarray:
        """The hidden state of all factories, ``HIDDEN_DTYPE``, shape ``(2 * MAX_PARTNERS,)``."""
        table = np.zeros(2 * MAX_PARTNERS, dtype=HIDDEN_DTYPE)
        spec, world = self.spec, self.world
        day = min(world.current_step, spec.n_days - 1)
        for i, agent in enumerate(self.ids):
            awi: Any = world.agents[agent].awi
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
