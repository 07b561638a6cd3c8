"""External factories: how a simulation hands their decisions out and takes the answers in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import greenlet
from negmas.sao.common import SAOResponse
from scml.oneshot.agent import OneShotAgent

from scml_gym.simulator.adapters import Adapter


class External:
    """The policy of an external factory: it hands the decision out of the simulation and waits for the answer.

    Args:
        factory: Its index, which the decision is handed out with.
        simulation: The greenlet that the simulation runs in.
    """

    synchronous = True

    def __init__(self, factory: int, simulation: greenlet.greenlet):
        self._factory = factory
        self._simulation = simulation
        self.closed: list[Any] = []

    def begin(self, view: Any) -> None:
        """Nothing: the environment sees the first view with the first decision."""

    def act(self, view: Any) -> Any:
        """Pause the simulation here until the world's ``step`` brings the answer."""
        outside = self._simulation.parent
        assert outside is not None, "an external factory decides inside a running simulation only"
        return outside.switch(self._factory)

    def end_day(self, view: Any) -> None:
        """Keep the last view of the day, which the next decision's view no longer shows."""
        self.closed.append(view.copy())


class MovesAdapter(Adapter, OneShotAgent):
    """The adapter of an external factory in ``"moves"`` timing: the world answers for it before each pass."""

    def propose(self, negotiator_id: str, state: Any) -> None:
        """Never asked: a negotiation in which it is this factory's turn gets its answer with the pass."""
        raise AssertionError("an external factory was asked inside the simulation")

    def look(self) -> bool:
        """Read the running negotiations; True where an answer is due in one of them."""
        self.observer.forget_turns()
        due = False
        for agent, mechanism, mine in self._running():
            state = mechanism.state
            received = state.current_offer is not None and state.current_proposer != mine
            if mechanism.next_negotitor_ids()[0] == mine:
                self.observer.see_offer(agent, state.current_offer if received else None, state)
                due = True
            else:
                self.observer.see_step(agent, state.step)
        return due

    def answers(self, actions: Any) -> dict[str, dict[str, SAOResponse]]:
        """The checked actions as negmas takes them: mechanism id -> {negotiator id: response}."""
        self._take(actions)
        result = {}
        for agent, mechanism, mine in self._running():
            answer = self.observer.answer(actions, agent, mechanism.state.current_offer)
            if answer is not None:
                result[mechanism.id] = {mine: answer}
        return result

    def _running(self) -> Iterator[tuple[str, Any, str]]:
        """The partner, the mechanism and the own negotiator's id of each negotiation."""
        details = self.awi.current_negotiation_details
        for agent, detail in (*details["buy"].items(), *details["sell"].items()):
            yield agent, detail.nmi._mechanism, self.negotiators[agent][0].id
