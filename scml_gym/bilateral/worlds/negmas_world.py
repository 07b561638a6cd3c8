"""The reference world of bilateral negotiations: negmas' own ``SAOMechanism``, paused where the learner must answer."""

from __future__ import annotations

import functools
import itertools
import weakref
from collections.abc import Callable
from typing import Any

import greenlet
from negmas.gb.common import ResponseType
from negmas.sao import SAOCallNegotiator, SAOMechanism, SAOResponse, SAOState

from scml_gym.bilateral.negotiators.base import NO_OFFER, TablePlayer
from scml_gym.bilateral.view import (
    ACCEPT,
    END,
    LEARNER,
    NOBODY,
    OPPONENT,
    BilateralView,
    close_view,
    open_view,
    see_offer,
)
from scml_gym.bilateral.worlds.protocol import Bidder, Negotiation, check_response
from scml_gym.core.copying import Uncopied
from scml_gym.core.threads import Home
from scml_gym.jit.random import counter_draws
from scml_gym.simulator.global_rng import GlobalStreams
from scml_gym.simulator.pausing import unwind

Decide = Callable[[int, int], int]
"""``decide(step, offer) -> response``: the round from 0, the standing offer or ``NO_OFFER``."""


class NegmasWorld(Uncopied):
    """A negotiation in negmas; see `scml_gym.bilateral.worlds.protocol.BilateralWorld`.

    The mechanism runs in a greenlet, out of which the learner's negotiator switches in the middle of negmas' call.
    Draws of negmas and of its negotiators come from generators of this world's own, seeded with each start.
    """

    backend = "reference"
    why_not = "negmas is paused in the middle of a call; make another one of the same negotiation and start it"

    def __init__(self, negotiation: Negotiation):
        self._negotiation = negotiation
        self._negmas = negotiation.scenario.to_negmas()
        self._outcomes = list(itertools.product(*negotiation.scenario.issues.values()))
        self._index = {outcome: i for i, outcome in enumerate(self._outcomes)}
        self._end: Callable[[], Any] = lambda: None
        self.view: BilateralView = negotiation.new_view()

    def start(self, seed: int) -> None:
        """Begin anew and run to the learner's first turn.

        Raises:
            InputError: if a strategy fails or offers what is no outcome.
        """
        self.close()
        self._streams, self._home = GlobalStreams(seed), Home("the negotiation")
        open_view(self.view)
        with self._streams.active():
            self._mechanism = SAOMechanism(outcome_space=self._negmas.outcome_space, n_steps=self._negotiation.rounds)
            self._greenlet = greenlet.greenlet(functools.partial(_run, self._mechanism))
            sides = [self._learner(seed), self._opponent(seed)]
            self._ids = [side.id for side in sides]
            for side in reversed(sides) if self._negotiation.opponent_first else sides:
                self._mechanism.add(side)
        end = weakref.finalize(self, unwind, self._greenlet, self._streams)
        end.atexit = False
        self._end = end
        self._resume()

    def answer(self, response: int) -> None:
        """Give the learner's response and run to its next turn or the end.

        Raises:
            InputError: if the negotiation has ended, or the response is neither one nor an outcome; as `start`.
        """
        check_response(self.view, response)
        self._home.check()
        if response >= 0:
            self.view["mine"], self.view["my_utility"] = response, self._utility(LEARNER, response)
        self._resume(response)

    def close(self) -> None:
        """End a running negotiation; done by itself when nothing refers to this object any more."""
        self.view["running"] = 0
        self._end()

    def _resume(self, *response: int) -> None:
        """Switch into the mechanism; it comes back with the learner's turn, or at its end."""
        self._greenlet.parent = greenlet.getcurrent()
        with self._streams.active():
            try:
                turn = self._greenlet.switch(*response)
            except BaseException:
                self.view["running"] = 0
                raise
        if turn is not None:
            step, offer, bid = turn
            self.view["step"], self.view["bid"] = step, bid
            if offer != NO_OFFER:
                see_offer(self.view, offer, self._utility(LEARNER, offer))
        else:
            self._finish(response[-1] if response else NO_OFFER)

    def _finish(self, last: int) -> None:
        """Read how the mechanism ended."""
        state, view = self._mechanism.state, self.view
        agreement = NO_OFFER if state.agreement is None else self._index[tuple(state.agreement)]
        if agreement == NO_OFFER and last >= 0 and state.current_proposer == self._ids[OPPONENT]:
            offer = self._index[tuple(state.current_offer or ())]  # the last one, which is never answered
            see_offer(view, offer, self._utility(LEARNER, offer))
        accepted_by = NOBODY if agreement == NO_OFFER else LEARNER if last == ACCEPT else OPPONENT
        if view["opponent_first"] and last >= 0 and (accepted_by == OPPONENT or state.broken):
            view["step"] += 1  # the opponent ended it in its next turn
        utilities = [self._utility(side, agreement) for side in (LEARNER, OPPONENT)]
        close_view(view, agreement, accepted_by, *utilities)

    def _utility(self, side: int, outcome: int) -> float:
        return 0.0 if outcome == NO_OFFER else self._negotiation.tables[side].utilities[outcome]

    def _learner(self, seed: int) -> SAOCallNegotiator:
        """The learner's negotiator, which hands its turns out."""
        bids = self._negotiation.bids
        player = None if bids is None else self._player(bids, LEARNER, seed)
        mechanism = self._greenlet

        def decide(step: int, offer: int) -> int:
            bid = NO_OFFER if player is None else player.turn(step, offer)[0]
            assert mechanism.parent is not None, "a learner decides inside a running mechanism only"
            return mechanism.parent.switch((step, offer, bid))

        return Adapter(decide, self._outcomes, self._index, name="learner")

    def _opponent(self, seed: int) -> Any:
        opponent = self._negotiation.opponent
        if not isinstance(opponent, Bidder):
            return opponent(ufun=self._negmas.ufuns[1 - self._negotiation.profile], name="opponent")
        player = self._player(opponent, OPPONENT, seed)

        def decide(step: int, offer: int) -> int:
            bid, accepts = player.turn(step, offer)
            return ACCEPT if accepts else bid

        return Adapter(decide, self._outcomes, self._index, name="opponent")

    def _player(self, bidder: Bidder, side: int, seed: int) -> TablePlayer:
        table, rounds = self._negotiation.tables[side], self._negotiation.rounds
        return TablePlayer(
            bidder.strategy, table, rounds, lambda step: counter_draws(seed, side, step, 0), bidder.parameters
        )


class Adapter(SAOCallNegotiator):
    """A negotiator whose turns are decided by a function over outcome indices."""

    def __init__(self, decide: Decide, outcomes: list[Any], index: dict[Any, int], **kwargs: Any):
        super().__init__(**kwargs)
        self._decide, self._outcomes, self._index = decide, outcomes, index

    def __call__(self, state: SAOState, dest: str | None = None) -> SAOResponse:
        """Answer the other side's standing offer."""
        offer = state.current_offer
        response = self._decide(state.step, NO_OFFER if offer is None else self._index[tuple(offer)])
        if response == ACCEPT:
            return SAOResponse(ResponseType.ACCEPT_OFFER, offer)
        if response == END:
            return SAOResponse(ResponseType.END_NEGOTIATION, None)
        return SAOResponse(ResponseType.REJECT_OFFER, self._outcomes[response])


def _run(mechanism: SAOMechanism) -> None:
    """The whole negotiation, inside the greenlet."""
    mechanism.run()
