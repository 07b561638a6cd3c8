"""The reference world: the real scml simulation behind the World protocol, reproducible, any factories external."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from scml_gym.game.world import PlayerMaker
from scml_gym.simulator.looking import Seen
from scml_gym.simulator.paused_world import PausedWorld
from scml_gym.simulator.recording.log import WorldLog
from scml_gym.standard.players import Player, player_maker
from scml_gym.standard.view import HIDDEN_DTYPE, MAX_FACTORIES, MOST_HORIZON, new_actions
from scml_gym.standard.worlds.adapters import StandardObserver, agent_class, write_books
from scml_gym.standard.worlds.protocol import CONTRACT_DTYPE, check_players
from scml_gym.standard.worlds.simulation import StandardSimulation
from scml_gym.standard.worlds.spec import WorldSpec


class ReferenceWorld(PausedWorld):
    """One real Standard simulation; see `scml_gym.standard.worlds.protocol.StandardWorld`.

    An external factory decides exactly where a ``StdSyncAgent`` would: where it makes the first offers of a day, and
    then whenever the offers of all its negotiations, of both sides, are in.

    Args:
        spec: The world's parameters.
        players: For each factory who plays it; None marks it external.
        seed: Of the simulation's own generators, which only scml's agents draw from.
        stock: What production takes out of stock: ``"league"``, nothing, as in scml; ``"physical"``, what it uses. See
            `scml_gym.standard.rules.stock_after`.
        horizon: Days ahead that goods are traded for, 0 to ``MOST_HORIZON``.
        log: Receives what happens, where the world is recorded; see `scml_gym.standard.recording`.

    Raises:
        InputError: if the number of players is not that of the spec's factories, or the stock rule or the horizon is
            unknown.

    The simulation runs in a greenlet and must be stepped from the thread that started it. The caller's global random
    generators are untouched. Some of scml's and most of the league's agents iterate over sets of names, so worlds with
    them repeat only under the same PYTHONHASHSEED.
    """

    no_ops = staticmethod(new_actions)
    seen = Seen(StandardObserver, new_actions)

    def __init__(
        self,
        spec: WorldSpec,
        players: Sequence[Player],
        seed: int = 0,
        stock: Literal["league", "physical"] = "league",
        horizon: int = MOST_HORIZON,
        log: WorldLog | None = None,
    ):
        check_players(spec, players, stock, horizon)
        classes = [agent_class(player) for player in players]
        self.stock_rule, self.horizon = stock, int(horizon)
        super().__init__(
            spec, players, seed, lambda name: StandardSimulation(spec, classes, stock, int(horizon), name), log
        )

    @staticmethod
    def player_maker(opponent: Any) -> PlayerMaker:
        """What makes an opponent's players: every kind can play here."""
        return player_maker(opponent) if isinstance(opponent, str) else opponent

    @property
    def stock(self) -> np.ndarray:
        """Inputs in stock at the start of each day, int64, shape ``(n_factories, n_days + 1)``; days to come repeat
        what is known last."""
        simulation: Any = self.world
        return simulation.stock

    @property
    def contracts(self) -> np.ndarray:
        """Negotiated contracts so far, ``CONTRACT_DTYPE``, in order of conclusion; factories by index."""
        kept = itertools.chain.from_iterable(self.world.agent_contracts.values())
        nullified = {contract.id for contract in kept if contract.nullified_at >= 0}
        rows = [
            (
                record["concluded_at"],
                record["delivery_time"],
                seller,
                buyer,
                record["quantity"],
                record["unit_price"],
                record["id"] in nullified,
            )
            for record, seller, buyer in self.negotiated()
        ]
        return np.array(rows, dtype=CONTRACT_DTYPE)

    def hidden_state(self) -> np.ndarray:
        """The hidden state of all factories, ``HIDDEN_DTYPE``, shape ``(MAX_FACTORIES,)``; books are from today on, and
        empty when all days are over."""
        table = np.zeros(MAX_FACTORIES, dtype=HIDDEN_DTYPE)
        spec, world = self.spec, self.world
        day = min(world.current_step, spec.n_days - 1)
        for i, agent in enumerate(self.ids):
            awi: Any = world.agents[agent].awi
            row, price = table[i], spec.exogenous_price[i, day] if spec.exogenous_quantity[i, day] else 0.0
            row["exists"] = 1
            row["level"] = spec.level[i]
            row["bankrupt"] = world.is_bankrupt[agent]
            row["stock"] = awi.current_inventory_input
            if spec.level[i] == 0:
                row["exogenous_supply"], row["exogenous_supply_price"] = spec.exogenous_quantity[i, day], price
            if spec.level[i] == spec.n_levels - 1:
                row["exogenous_sales"], row["exogenous_sales_price"] = spec.exogenous_quantity[i, day], price
            row["production_cost"] = spec.production_cost[i]
            row["shortfall_penalty"] = spec.shortfall_penalty[i, day]
            row["storage_cost"] = spec.storage_cost[i, day]
            row["balance"] = world.current_balance(agent)
            row["initial_balance"] = spec.initial_balance[i]
            write_books(row, awi)
        return table
