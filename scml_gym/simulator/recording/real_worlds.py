"""Real simulations that are recorded: every answer in their negotiations is written into a log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from negmas.gb.common import ResponseType
from scml.oneshot.common import QUANTITY, TIME, UNIT_PRICE

from scml_gym.simulator.compiled.alternating_offers import ACCEPT, END, OFFER
from scml_gym.simulator.deterministic_world import OrderedWorld
from scml_gym.simulator.negotiation import DeterministicMechanism
from scml_gym.simulator.recording.log import Moment, WorldLog, moment_of, place_of


class RecordedMechanism(DeterministicMechanism):
    """A negotiation whose answers are written down.

    Args:
        log: Of the world.
        index: Id of an agent -> its factory.
    """

    def __init__(self, *args: Any, log: WorldLog, index: dict[str, int], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._log, self._index = log, index

    def _safe_counter(self, negotiator: Any, state: Any, *args: Any, **kwargs: Any) -> tuple[Any, bool]:
        """As negmas asks a negotiator for its answer."""
        answer, failed = super()._safe_counter(negotiator, state, *args, **kwargs)
        other: Any = next(n for n in self.negotiators if n is not negotiator)
        sender, receiver = self._index[negotiator.owner.id], self._index[other.owner.id]
        day = negotiator.owner.awi.current_step
        response, offer = getattr(answer, "response", None), getattr(answer, "outcome", None)
        if failed:
            self._log.failed(day, sender, receiver, _last_line(args[2][negotiator.id] if len(args) > 2 else ""))
        elif response == ResponseType.ACCEPT_OFFER and state.current_offer is not None:
            self._log.answered(day, sender, receiver, state.step, ACCEPT, 0, 0, 0)
        elif response == ResponseType.REJECT_OFFER and offer is not None:
            numbers = int(offer[QUANTITY]), int(offer[UNIT_PRICE]), int(offer[TIME])
            self._log.answered(day, sender, receiver, state.step, OFFER, *numbers)
        elif response not in (None, ResponseType.WAIT, ResponseType.NO_RESPONSE):
            self._log.answered(day, sender, receiver, state.step, END, 0, 0, 0)
        return answer, failed


def watch_world(world: OrderedWorld, agents: Sequence[Any], log: WorldLog) -> None:
    """Let a simulation that has not begun write into a log, and the log know its players.

    Args:
        world: The simulation.
        agents: scml's agents that play its factories, in order.
        log: Of the world.
    """
    index = {agent: i for i, agent in enumerate(world.factory_ids)}
    assert world.mechanisms is not None
    (parameters,) = world.mechanisms.values()
    world.mechanisms = cast(Any, {RecordedMechanism: {**parameters, "log": log, "index": index}})

    def find(seen: Any) -> Moment | None:
        if hasattr(seen, "awi"):
            factory = next((i for i, agent in enumerate(agents) if agent is seen), None)
            return None if factory is None else Moment(factory, int(seen.awi.current_step), None)
        place = place_of(seen)
        views = (getattr(getattr(agent, "observer", None), "view", None) for agent in agents)
        factory = next((i for i, view in enumerate(views) if place is not None and place_of(view) == place), None)
        return None if factory is None else moment_of(factory, seen)

    def partner(factory: int, who: Any) -> int | None:
        if isinstance(who, str):
            return index.get(who)
        known = {} if not hasattr(agents[factory], "observer") else agents[factory].observer.partners
        return next((index[agent] for agent, k in known.items() if k == who), None)

    log.watch(find, partner)


def _last_line(messages: Any) -> str:
    lines = str(messages[-1] if isinstance(messages, list) and messages else messages).strip().splitlines()
    return lines[-1] if lines else "unknown"
