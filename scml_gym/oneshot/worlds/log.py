"""Real simulations that leave logs: scml's own tables, and what they do not say, recorded while it happens.

scml's tables are ``agents``, ``negs``, ``actions`` and ``negotiations``. They tell what a factory still needed only as
it was when a negotiation ended, so three tables of ours stand beside them:

- ``factories``: each factory's agent and the name of its player;
- ``days``: what a factory knows of a day, fields of `scml_gym.oneshot.view`;
- ``needs``: for each row of ``actions`` what the one who offers still had to trade when it decided on the offer,
  without what it accepted in the same breath. A ``OneShotSyncAgent`` decides in ``first_proposals`` and
  ``counter_all``, for all partners at once; any other agent when it proposes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from negmas import Contract
from negmas.gb.common import ResponseType
from negmas.helpers.inout import save_table
from negmas.sao.controllers import SAOSyncController
from scml.oneshot.common import QUANTITY

from scml_gym.core.errors import InputError
from scml_gym.core.files import new_folder
from scml_gym.oneshot.view import FactoryView
from scml_gym.oneshot.worlds.adapters import OneShotObserver, agent_class
from scml_gym.oneshot.worlds.protocol import check_players
from scml_gym.oneshot.worlds.reference import Player
from scml_gym.oneshot.worlds.simulation import OneShotSimulation
from scml_gym.oneshot.worlds.spec import WorldSpec
from scml_gym.simulator.global_rng import GlobalStreams
from scml_gym.simulator.log import LoggedWorld

SCHEMA = "scml-gym-world-log-1"
LOG = "log.json"
"""Holds the schema's version; a folder with this file is the log of a world."""

DAYS = (
    "day",
    "n_days",
    "level",
    "factory",
    "n_partners",
    "n_competitors",
    "lines",
    "exogenous_quantity",
    "exogenous_price",
    "total_supply",
    "total_demand",
    "production_cost",
    "shortfall_penalty",
    "disposal_cost",
    "input_price",
    "output_price",
)
"""The columns of ``days``: fields of ``VIEW_DTYPE`` that hold for a whole day."""


class OfferLog:
    """What scml's logs of offers do not say, of one world, which must tell what happens.

    Args:
        world: A OneShot world of scml that logs actions.
    """

    def __init__(self, world: Any):
        self._world = world
        self._needs: dict[str, int] = {}
        self._decided: dict[str, dict[str, int]] = {}
        self._observers: dict[str, OneShotObserver] = {}
        self._days: list[FactoryView] = []
        self._rows: list[tuple[int, int]] = []

    def begin_day(self) -> None:
        """The first stage of a simulation step is over: all is known, nothing is negotiated yet."""
        if not self._observers:
            for agent in (a for a in self._world.agents if a in self._world.agent_profiles):
                player = self._world.agents[agent].adapted_object
                self._observers[agent], self._decided[agent] = OneShotObserver(player), {}
                if isinstance(player, SAOSyncController):
                    _watch_decisions(player, lambda a=agent: self._needs[a], self._decided[agent])
        for agent, observer in self._observers.items():
            observer.begin_day()
            self._needs[agent] = int(observer.view["needs"])
            self._decided[agent].clear()
            self._days.append(observer.view.copy())

    def agree(self, contract: Contract) -> None:
        """A contract was concluded, and not registered with the agents yet."""
        seller, buyer = contract.annotation["seller"], contract.annotation["buyer"]
        if seller in self._observers and buyer in self._observers:
            for agent, partner in ((seller, buyer), (buyer, seller)):
                self._observers[agent].agree(partner, contract)
                self._needs[agent] = int(self._observers[agent].view["needs"])

    def stepped(self, mechanism: Any, first: int) -> None:
        """A negotiation was stepped and its offers logged; an agreement is not concluded yet.

        Args:
            mechanism: Of the negotiation.
            first: Rows of the log before.
        """
        parties = [negotiator.owner.id for negotiator in mechanism.negotiators]
        senders = {negotiator.id: negotiator.owner.id for negotiator in mechanism.negotiators}
        for row, (negotiator, _) in zip(self._world._offer_info[first:], mechanism.state.new_offers, strict=True):
            sender = senders[negotiator]
            partner = parties[1 - parties.index(sender)]
            self._rows.append((row[0], self._decided[sender].get(partner, self._needs[sender])))

    def save(self, folder: Path, players: Sequence[str], storage_format: Any) -> None:
        """Write the tables into the folder of scml's, and then ``log.json``.

        Args:
            folder: Must exist.
            players: Names of the factories' players.
            storage_format: As negmas' ``save_table`` takes it.
        """
        factories = pd.DataFrame({"factory": range(len(players)), "agent": list(self._observers), "player": players})
        needs = pd.DataFrame(self._rows, columns=["id", "needs"])
        days = pd.DataFrame({name: np.array([view[name] for view in self._days]) for name in DAYS})
        for name, table in (("factories", factories), ("needs", needs), ("days", days)):
            save_table(table, folder / f"{name}.csv", storage_format=storage_format)
        (folder / LOG).write_text(json.dumps({"schema": SCHEMA}))


class LoggedSimulation(LoggedWorld, OneShotSimulation):
    """`OneShotSimulation` with logs."""


def record_world(
    spec: WorldSpec, players: Sequence[Player], names: Sequence[str], folder: str | os.PathLike[str], seed: int = 0
) -> None:
    """Play a real simulation and leave its logs, as a whole.

    Args:
        spec: The world's parameters.
        players: Of all factories, none external; see `scml_gym.oneshot.worlds.reference.Player`.
        names: What the players are called in the logs.
        folder: Of the logs; must not exist.
        seed: Of the simulation's own generators, see `scml_gym.oneshot.worlds.reference.ReferenceWorld`.

    Raises:
        InputError: if the number of players or names is wrong, a player is external, or the folder exists.
    """
    check_players(spec, players, "rounds")
    if len(names) != len(players) or any(player is None for player in players):
        raise InputError(f"{len(names)} names for {len(players)} players, none of which may be external")
    folder = Path(folder)
    if folder.exists():
        raise InputError(f"{folder} exists: logs of a world are written into a new folder")
    with new_folder(folder) as filling, GlobalStreams(seed).active():
        classes = [agent_class(player, "rounds") for player in players]
        world = LoggedSimulation(spec, classes, folder=filling, make_log=OfferLog, name=f"world{seed}")
        for agent, player in zip(world.factory_ids, players, strict=True):
            if not isinstance(player, tuple):
                adapter: Any = world.agents[agent]
                adapter.adapted_object.policy = player
        while world.step():
            pass
        world.save_logs(names)


def _watch_decisions(player: Any, needs: Callable[[], int], decided: dict[str, int]) -> None:
    """Keep, for each partner, what a synchronous agent needed when it decided on its last offer to it."""
    first_proposals, counter_all = player.first_proposals, player.counter_all

    def first() -> Any:
        left = needs()
        proposals = first_proposals()
        decided.update(dict.fromkeys(proposals or (), left))
        return proposals

    def counter(offers: dict[str, Any], states: dict[str, Any]) -> Any:
        left, before = needs(), dict(offers)  # agents change what they are given
        answers = counter_all(offers, states)
        for partner, answer in answers.items():
            if answer is not None and answer.response == ResponseType.ACCEPT_OFFER and before.get(partner):
                left -= before[partner][QUANTITY]
        decided.update({p: left for p, a in answers.items() if a is not None and a.outcome is not None})
        return answers

    player.first_proposals, player.counter_all = first, counter
