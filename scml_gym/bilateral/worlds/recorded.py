"""Bilateral negotiations that are recorded: what is said in either world is written down where it is played from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scml_gym.bilateral.negotiators.base import NO_OFFER
from scml_gym.bilateral.view import ACCEPT, END, LEARNER, OPPONENT, BilateralView
from scml_gym.bilateral.worlds.protocol import BilateralWorld, Negotiation
from scml_gym.core.copying import Independent
from scml_gym.simulator.compiled import alternating_offers
from scml_gym.simulator.recording.log import Moment, WorldLog, place_of


class RecordedWorld(Independent):
    """A negotiation that writes down what both sides say; see `scml_gym.bilateral.worlds.protocol.BilateralWorld`.

    Both kinds of world tell it in the same view, so nothing in them knows of this. A copy is recorded by itself.

    Args:
        world: Plays it.
        negotiation: What it plays.
        new_log: ``(seed) -> log``: the log of a negotiation that begins; its ``end`` is called when that is over, with
            this world.

    Attributes:
        view: Of the world.
        negotiation: As given.
        log: Of the negotiation that began last.
        backend: Of the world.
    """

    view: BilateralView

    def __init__(self, world: BilateralWorld, negotiation: Negotiation, new_log: Callable[[int], WorldLog]):
        self._world, self.negotiation, self._new_log = world, negotiation, new_log
        self.backend = world.backend
        self.view = world.view
        self.log = WorldLog()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "view"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.view = self._world.view
        self._watch()

    def start(self, seed: int) -> None:
        """Begin anew, with a new log; see `BilateralWorld`."""
        self.log = self._new_log(seed)
        self._watch()
        self._world.start(seed)
        if self.view["n_received"]:
            self._say(OPPONENT, 0, int(self.view["offer"]))
        self._end()

    def answer(self, response: int) -> None:
        """Give the learner's response; see `BilateralWorld`."""
        view = self.view
        before, received, standing = int(view["step"]), int(view["n_received"]), int(view["offer"])
        self._world.answer(response)
        self._say(LEARNER, before, END if response == ACCEPT and standing == NO_OFFER else response)
        turn = before + int(view["opponent_first"])
        if view["accepted_by"] == OPPONENT:
            self._say(OPPONENT, turn, ACCEPT)
        elif view["n_received"] > received:
            self._say(OPPONENT, turn, int(view["offer"]))
        elif response >= 0 and not view["running"] and turn < view["n_steps"]:
            self._say(OPPONENT, turn, END)  # it had a turn left, and the time had not run out
        self._end()

    def close(self) -> None:
        """Give up a running negotiation, which is not recorded then."""
        self._world.close()

    def _say(self, side: int, step: int, response: int) -> None:
        """Write an answer down: a side's ``ACCEPT``, ``END``, or outcome to offer."""
        sender, receiver = self.seat(side), self.seat(1 - side)
        if response >= 0:
            self.log.answered(0, sender, receiver, step, alternating_offers.OFFER, response, 0, 0)
        else:
            said = alternating_offers.ACCEPT if response == ACCEPT else alternating_offers.END
            self.log.answered(0, sender, receiver, step, said, 0, 0, 0)

    def seat(self, side: int) -> int:
        """Where a side, ``LEARNER`` or ``OPPONENT``, stands in tables: the index of its profile in the scenario."""
        return self.negotiation.profile if side == LEARNER else 1 - self.negotiation.profile

    def _end(self) -> None:
        if not self.view["running"]:
            self.log.end(self)

    def _watch(self) -> None:
        view, learner = self.view, self.seat(LEARNER)

        def find(seen: Any) -> Moment | None:
            return Moment(learner, 0, int(view["step"])) if place_of(seen) == place_of(view) else None

        self.log.watch(find, lambda factory, partner: 1 - factory if partner == 0 else None)
