"""Whether somebody changed what is not his in a simulation: methods of agents and classes, views of policies.

All players of a world share its process unless they are isolated, and Python keeps nothing from any of them. This looks
for what a player that reaches for others leaves behind. One that is written against this module can undo its traces: it
gives reason to play a world once more with its players isolated, and is no proof.
"""

from __future__ import annotations

import sys
import types
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from negmas.gb.common import ResponseType
from scml.oneshot.common import QUANTITY, UNIT_PRICE

from scml_gym.simulator.adapters import Adapter

PACKAGES = ("negmas", "scml", "scml_gym")
"""Whose classes no player may change."""

_FUNCTIONS = (types.FunctionType, property, classmethod, staticmethod)


class Guard:
    """Of one world; made when all is in place and nobody has played.

    Args:
        world: A `scml_gym.simulator.paused_world.PausedWorld` that has not started.
        guarded: Factories whose agents nobody but themselves may change.
        entry_points: Names of the methods by which the simulation calls agents.
    """

    def __init__(self, world: Any, guarded: Sequence[int], entry_points: Sequence[str]):
        self._world, self._entry_points = world, tuple(entry_points)
        self._agents = [world.agents[factory] for factory in guarded]
        self._views_changed = False
        for agent in self._agents:
            if isinstance(agent, Adapter):
                self._seal(agent)
        simulation = world.world
        self._accepted: Counter[tuple[int, ...]] = Counter()
        self._note_acceptances(world)
        objects = [*world.agents, simulation, *simulation.agents.values(), *(a.awi for a in simulation.agents.values())]
        self._classes = _ours([*map(type, objects), *(simulation.mechanisms or ())])
        self._methods = list(self._own_methods())
        self._functions = list(self._class_functions())

    def found(self) -> str | None:
        """What was changed, in words; None where nothing is known to be."""
        contracts = self._world.contracts
        fields = (contracts[name].tolist() for name in ("day", "seller", "buyer", "quantity", "price"))
        if Counter(zip(*fields, strict=True)) != self._accepted:
            return "a contract is not what was agreed"
        if _differ(self._methods, self._own_methods()):
            return "methods of an agent were exchanged while the world was played"
        if _differ(self._functions, self._class_functions()):
            return "a class of the simulation was changed while the world was played"
        return "the view of a policy was changed from outside" if self._views_changed else None

    def _note_acceptances(self, world: Any) -> None:
        """Keep what is agreed where it is agreed, as contracts are objects that players are shown."""
        index = {agent: i for i, agent in enumerate(world.ids)}
        ((kind, parameters),) = world.world.mechanisms.items()
        ask, accepted, level = kind._safe_counter, self._accepted, world.spec.level

        def counter(mechanism: Any, negotiator: Any, state: Any, *args: Any, **kwargs: Any) -> Any:
            answer, failed = ask(mechanism, negotiator, state, *args, **kwargs)
            if answer is not None and answer.response == ResponseType.ACCEPT_OFFER and state.current_offer is not None:
                pair = sorted((index[n.owner.id] for n in mechanism.negotiators), key=lambda i: level[i])
                offer = state.current_offer
                accepted[negotiator.owner.awi.current_step, *pair, int(offer[QUANTITY]), int(offer[UNIT_PRICE])] += 1
            return answer, failed

        world.world.mechanisms = {type(kind.__name__, (kind,), {"_safe_counter": counter}): parameters}

    def _own_methods(self) -> Iterator[Any]:
        for agent in self._agents:
            yield from (vars(agent).get(name) for name in self._entry_points)
            own = getattr(getattr(agent, "policy", None), "__dict__", {})
            yield from (own.get(name) for name in ("begin", "act", "end_day"))

    def _class_functions(self) -> Iterator[Any]:
        for kind in self._classes:
            yield from (value for value in list(vars(kind).values()) if isinstance(value, _FUNCTIONS))

    def _seal(self, agent: Any) -> None:
        """Remember a policy's view whenever its adapter is left, and compare it when it is entered."""
        seen: list[bytes] = []
        depth = 0

        def sealed(method: Callable[..., Any]) -> Callable[..., Any]:
            def call(*args: Any, **kwargs: Any) -> Any:
                nonlocal depth
                if depth == 0 and seen and agent.view.tobytes() != seen[0]:
                    self._views_changed = True
                depth += 1
                try:
                    return method(*args, **kwargs)
                finally:
                    depth -= 1
                    if depth == 0 and hasattr(agent, "observer"):
                        seen[:] = [agent.view.tobytes()]

            return call

        for name in self._entry_points:
            if hasattr(agent, name):
                setattr(agent, name, sealed(getattr(agent, name)))


def functions_of_packages() -> dict[tuple[str, ...], Any]:
    """The functions of all modules and classes of `PACKAGES` that are loaded, by name."""
    found: dict[tuple[str, ...], Any] = {}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in PACKAGES:
            for key, value in list(vars(module).items()):
                if isinstance(value, type) and value.__module__ == name:
                    own = vars(value).items()
                    found |= {(name, key, k): v for k, v in list(own) if isinstance(v, _FUNCTIONS)}
                elif isinstance(value, _FUNCTIONS):
                    found[name, key] = value
    return found


def _ours(kinds: Sequence[type]) -> list[type]:
    """The classes from which these derive, as far as they are of `PACKAGES`."""
    classes = dict.fromkeys(base for kind in kinds for base in kind.__mro__)
    return [kind for kind in classes if kind.__module__.partition(".")[0] in PACKAGES]


def _differ(before: Sequence[Any], now: Iterator[Any]) -> bool:
    found = list(now)
    return len(found) != len(before) or any(one is not other for one, other in zip(before, found, strict=True))
