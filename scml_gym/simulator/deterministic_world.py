"""scml's own simulation, of any track, made reproducible and cheap; its rules are scml's own.

What is changed, and why (line numbers of scml 0.8.4 and negmas 0.16.0):

- No folder is made and no log written (negmas/situated/world.py:612 makes one under the home directory).
- No wall-clock limit; a negotiation draws no random number for each second that passes (see
  `scml_gym.simulator.negotiation`).
- Contracts and entities are kept in the order in which they came, not in sets ordered by address or random ids
  (world.py:430, 467), so execution order, and with it the last bit of prices, is the same in every run.
- Negotiations cost less (see `scml_gym.simulator.negotiation`), and no statistics are kept.
- Agents are named by position only, so that nobody can tell a strategy by its partner's name.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import Any, cast

from negmas import Contract
from scml.oneshot.sysagents import DefaultOneShotAdapter
from scml.oneshot.world import SCMLBaseWorld

from scml_gym.simulator.negotiation import DeterministicMechanism, make_deterministic, uses_callbacks


class InsertionOrderedSet:
    """The part of ``set`` that negmas uses, iterated in the order of insertion."""

    def __init__(self, items: Iterable[Any] = ()):
        self._items = dict.fromkeys(items)

    def add(self, item: Any) -> None:
        """As ``set.add``."""
        self._items[item] = None

    def remove(self, item: Any) -> None:
        """As ``set.remove``."""
        del self._items[item]

    def __contains__(self, item: object) -> bool:
        return item in self._items

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self._items))

    def __len__(self) -> int:
        return len(self._items)


class _OrderedContracts(defaultdict):
    """Unsigned contracts by day, each day's in order of conclusion."""

    def __init__(self, content: dict[int, Iterable[Contract]]):
        super().__init__(InsertionOrderedSet, {day: InsertionOrderedSet(c) for day, c in content.items()})


def world_arguments(agents: list[tuple[type, dict[str, Any]]], name: str) -> dict[str, Any]:
    """Who plays a world, as scml takes it, under the rules of the league's tournaments.

    Args:
        agents: For each factory, the scml agent class and its keyword arguments.
        name: Of the world.
    """
    return {
        "agent_types": [DefaultOneShotAdapter] * len(agents),
        "agent_params": [{"controller_type": c, "controller_params": dict(p)} for c, p in agents],
        "force_signing": True,
        "agent_name_reveals_type": False,
        "name": name,
    }


class OrderedWorld(SCMLBaseWorld):
    """scml's world with its unordered sets in the order of insertion, and nothing else changed; to be put before the
    class of a track."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        # a set to negmas: it adds to it and iterates over it, here in order
        self._entities = cast(Any, {0: InsertionOrderedSet(self.agents.values())})

    @property
    def factory_ids(self) -> list[str]:
        """Agent ids in the order of the factories."""
        return [a for a in self.agents if a in self.agent_profiles]

    def on_contract_concluded(self, contract: Contract, to_be_signed_at: int) -> None:
        """Keep unsigned contracts in the order of their conclusion."""
        if not isinstance(self.unsigned_contracts, _OrderedContracts):
            self.unsigned_contracts = _OrderedContracts(self.unsigned_contracts)
        super().on_contract_concluded(contract, to_be_signed_at)


class DeterministicWorld(OrderedWorld):
    """scml's world without clocks, folders and unordered sets; to be put before the class of a track.

    Args:
        agents: For each factory, the scml agent class and its keyword arguments.
        name: Of the world.
        parameters: Of the track's class: its catalog prices, profiles, exogenous contracts, balances, days and rounds.

    Example::

        class World(DeterministicWorld, SCML2024OneShotWorld): ...
    """

    # negmas makes this folder in its constructor: here there is none, which also turns its detailed logs off
    _extra_folder: Any = property(lambda self: None, lambda self, value: None)

    def __init__(self, agents: list[tuple[type, dict[str, Any]]], name: str, **parameters: Any):
        no_clock: dict[str, Any] = {"time_limit": None, "neg_time_limit": None}
        no_clock |= dict.fromkeys(("neg_hidden_time_limit", "neg_step_time_limit"), math.inf)
        super().__init__(**world_arguments(agents, name), **parameters, **no_clock)
        assert self.mechanisms is not None
        players = [self.agents[a].adapted_object for a in self.factory_ids]
        for player in players:
            make_deterministic(player)
        mechanism: dict[str, Any] = next(iter(self.mechanisms.values()))
        mechanism["extra_callbacks"] = any(uses_callbacks(p) for p in players)
        # negmas' annotation says name -> parameters, but takes a class too; a name would be looked up each time
        self.mechanisms = cast(Any, {DeterministicMechanism: mechanism})
        self.save_negotiations = False

    def executable_contracts(self) -> Collection[Contract]:
        """Today's contracts in the order of signing (without the consistency check over the whole past)."""
        return self.contracts_per_step.get(self.current_step, [])

    def update_stats(self, stage: int) -> None:
        """Keep no statistics; profits and contracts are kept by the world itself."""
