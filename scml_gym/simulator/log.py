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
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from negmas import Contract
from negmas.gb.common import ResponseType
from negmas.helpers.inout import save_table
from negmas.sao.controllers import SAOSyncController
from scml.oneshot.agent import OneShotAgent
from scml.oneshot.common import QUANTITY

from scml_gym.core.errors import InputError
from scml_gym.oneshot.view import ActionArray, FactoryView, new_actions
from scml_gym.oneshot.worlds.protocol import check_players
from scml_gym.oneshot.worlds.spec import WorldSpec
from scml_gym.simulator.adapters import Adapter
from scml_gym.simulator.deterministic_world import DeterministicWorld
from scml_gym.simulator.global_rng import GlobalStreams

if TYPE_CHECKING:
    from scml_gym.oneshot.worlds.reference import Player

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
        self._watchers: dict[str, _Watcher] = {}
        self._days: list[FactoryView] = []
        self._rows: list[tuple[int, int]] = []

    def begin_day(self) -> None:
        """The first stage of a simulation step is over: all is known, nothing is negotiated yet."""
        if not self._watchers:
            for agent in (a for a in self._world.agents if a in self._world.agent_profiles):
                player = self._world.agents[agent].adapted_object
                self._watchers[agent], self._decided[agent] = _Watcher(player), {}
                if isinstance(player, SAOSyncController):
                    _watch_decisions(player, lambda a=agent: self._needs[a], self._decided[agent])
        for agent, watcher in self._watchers.items():
            watcher.before_step()
            self._needs[agent] = int(watcher.view["needs"])
            self._decided[agent].clear()
            self._days.append(watcher.view.copy())

    def agree(self, contract: Contract) -> None:
        """A contract was concluded, and not registered with the agents yet."""
        parties = contract.annotation["seller"], contract.annotation["buyer"]
        if all(agent in self._watchers for agent in parties):
            for agent in parties:
                self._needs[agent] = self._watchers[agent].trade(contract.agreement["quantity"])

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
        factories = pd.DataFrame({"factory": range(len(players)), "agent": list(self._watchers), "player": players})
        needs = pd.DataFrame(self._rows, columns=["id", "needs"])
        days = pd.DataFrame({name: np.array([view[name] for view in self._days]) for name in DAYS})
        for name, table in (("factories", factories), ("needs", needs), ("days", days)):
            save_table(table, folder / f"{name}.csv", storage_format=storage_format)
        (folder / LOG).write_text(json.dumps({"schema": SCHEMA}))


class LoggedWorld(DeterministicWorld):
    """`DeterministicWorld` with logs.

    Args:
        spec: The parameters.
        agents: For each factory of the spec, the scml agent class and its keyword arguments.
        folder: Of the logs; is made.
        name: Of the world.
    """

    _extra_folder: Any = property(lambda self: self._logs, lambda self, value: None)

    def __init__(self, spec: WorldSpec, agents: list[tuple[type, dict[str, Any]]], folder: Path, name: str = "world"):
        self._logs = folder
        self._log = OfferLog(self)
        super().__init__(spec, agents, name=name)
        self.save_negotiations = True

    def simulation_step(self, stage: int = 0) -> None:
        """A day's stages."""
        super().simulation_step(stage)
        if stage == 0:
            self._log.begin_day()

    def on_negotiation_stepped(self, info: Any) -> None:
        """Log the offers of a step."""
        before = len(self._offer_info)
        super().on_negotiation_stepped(info)
        self._log.stepped(info.mechanism, before)

    def on_contract_concluded(self, contract: Contract, to_be_signed_at: int) -> None:
        """Know what is still needed."""
        super().on_contract_concluded(contract, to_be_signed_at)
        self._log.agree(contract)

    def save_logs(self, players: Sequence[str]) -> None:
        """Write all tables; to be called when the world is over.

        Args:
            players: Names of the factories' players.
        """
        super()._save_extra()
        negotiations = list(self._saved_negotiations.values())
        save_table(negotiations, self._logs / "negotiations.csv", storage_format=self._storage_format)
        self._log.save(self._logs, players, self._storage_format)

    def _save_extra(self) -> None:
        """negmas writes all tables anew every day; here they are written once."""

    def _make_negotiation_record(self, negotiation: Any) -> dict[str, Any]:
        """The columns of negmas' record, without copies of all states."""
        state = negotiation.mechanism.state
        return {
            "id": negotiation.mechanism.id,
            "partner_ids": [agent.id for agent in negotiation.partners],
            "requested_at": negotiation.requested_at,
            "ended_at": self.current_step,
            "issues": [str(issue) for issue in negotiation.issues],
            "failed": state.agreement is None,
            "agreement": str(state.agreement),
            "timedout": state.timedout,
            "ended": state.ended,
        }


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
    from scml_gym.oneshot.worlds.reference import _agent_class

    check_players(spec, players, "rounds")
    if len(names) != len(players) or any(player is None for player in players):
        raise InputError(f"{len(names)} names for {len(players)} players, none of which may be external")
    folder = Path(folder)
    if folder.exists():
        raise InputError(f"{folder} exists: logs of a world are written into a new folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = folder.with_name(f".{folder.name}.{os.getpid()}")
    streams = GlobalStreams(seed)
    try:
        with streams.active():
            classes = [_agent_class(player, "rounds") for player in players]
            world = LoggedWorld(spec, classes, unfinished, f"world{seed}")
            for agent, player in zip(world.factory_ids, players, strict=True):
                if not isinstance(player, tuple):
                    adapter: Any = world.agents[agent]
                    adapter.adapted_object.policy = player
            while world.step():
                pass
            world.save_logs(names)
        os.replace(unfinished, folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


class _Watcher(Adapter):
    """The view of a factory, kept by the code of seats, whoever plays there."""

    def __init__(self, agent: OneShotAgent):
        self._awi = agent.awi
        self._agent = agent
        self.policy = _Nobody()
        self.init()

    @property
    def negotiators(self) -> Any:
        """The agent's negotiators today."""
        return self._agent.negotiators

    def trade(self, quantity: int) -> int:
        """Book an agreement; returns what is left to be traded."""
        view = self.view
        view["agreed_quantity"] += quantity
        view["needs"] = min(int(view["lines"]), int(view["exogenous_quantity"] - view["agreed_quantity"]))
        return int(view["needs"])


class _Nobody:
    """The policy of a watcher, which is never asked."""

    synchronous = True

    def begin(self, view: FactoryView) -> None:
        """Nothing."""

    def act(self, view: FactoryView) -> ActionArray:
        """No-ops."""
        return new_actions()

    def end_day(self, view: FactoryView) -> None:
        """Nothing."""


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
