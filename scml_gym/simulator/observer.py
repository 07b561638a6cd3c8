"""Observers: how a game's view of a factory is kept up to date with scml, as far as all tracks do it alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from negmas.gb.common import ResponseType
from negmas.outcomes import Outcome
from negmas.sao.common import SAOResponse, SAOState

from scml_gym.simulator.compiled.alternating_offers import ACCEPT, NOOP, OFFER, WAIT


class ViewObserver(ABC):
    """A `scml_gym.simulator.adapters.Observer` over a record whose ``partners`` have a row for each partner.

    A game adds what is its own: ``begin_day``, ``agree``, ``opens``, ``outcome``, and the class attributes below.

    Args:
        agent: Any agent of scml whose world is there: who plays the factory does not matter.
        view: An empty view of the game, which is the observer's from now on.
        partners: Id of each partner's agent -> the partner's index in the view.

    Attributes:
        issues: What an answer offers, in its order: the name in the view's partners (``offer_...``, ``my_...``) -> the
            place in scml's offers.
        repair: ``(view, actions) -> invalid``: makes answers playable, in place, and counts those that were not.
        view: Of the factory.
        partners: As given.
    """

    issues: ClassVar[Mapping[str, int]]
    repair: ClassVar[Callable[..., int]]

    def __init__(self, agent: Any, view: Any, partners: Mapping[str, int]):
        self._agent = agent
        self.view = view
        self.partners = partners

    def begin_partners(self) -> None:
        """Empty the rows of all partners, and show which negotiations there are today."""
        view, partners = self.view, self.view["partners"]
        exists = list(self.partners.values())
        partners[:] = 0
        partners["exists"][exists] = 1
        for other, (negotiator, _) in self._agent.negotiators.items():
            partners[self.partners[other]]["running"] = 1
            view["n_rounds"] = negotiator.nmi.n_steps
        partners["relative_time"] = partners["running"] / (view["n_rounds"] + 1)

    def end_day(self) -> None:
        """The day's negotiations are over."""
        self.view["partners"]["running"] = 0
        self.forget_turns()

    def see_offer(self, partner: str, offer: Outcome | None, state: SAOState) -> None:
        """Write a partner's standing offer into the view, and that an answer is asked for."""
        record = self.view["partners"][self.partners[partner]]
        if offer is not None:
            for name, place in self.issues.items():
                record[f"offer_{name}"] = offer[place]
        record["step"] = state.step
        record["relative_time"] = (state.step + 1) / (self.view["n_rounds"] + 1)
        record["my_turn"] = 1

    def see_step(self, partner: str, step: int) -> None:
        """Write how far a negotiation is."""
        self.view["partners"][self.partners[partner]]["step"] = step

    def forget_turns(self) -> None:
        """No answer is asked for any more."""
        self.view["partners"]["my_turn"] = 0

    def fail(self, partner: str) -> None:
        """A negotiation ended without agreement."""
        self.view["partners"][self.partners[partner]]["running"] = 0

    def take(self, actions: Any) -> int:
        """Make a decision's answers playable, in place, and show them; returns how many were not."""
        view, partners = self.view, self.view["partners"]
        invalid = self.repair(view, actions)
        view["decision"] += 1
        for k, (response, *offer) in enumerate(actions.tolist()):
            if response == OFFER:
                for name, number in zip(self.issues, offer, strict=True):
                    partners[k][f"my_{name}"] = number
        self.forget_turns()
        return invalid

    def answer(self, actions: Any, partner: str, offer: Outcome | None) -> SAOResponse | None:
        """The checked answer to a partner as negmas takes it; None for a no-op."""
        response, *mine = actions[self.partners[partner]].tolist()
        if response == NOOP:
            return None
        if response == ACCEPT:
            return SAOResponse(ResponseType.ACCEPT_OFFER, offer)
        if response == OFFER:
            return SAOResponse(ResponseType.REJECT_OFFER, self.outcome(*mine))
        if response == WAIT:
            return SAOResponse(ResponseType.WAIT, None)
        return SAOResponse(ResponseType.END_NEGOTIATION, None)

    @abstractmethod
    def outcome(self, *offer: int) -> Outcome:
        """What an answer offers, as scml has it: quantity, time, unit price."""
