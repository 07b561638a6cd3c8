"""A factory played by Q-tables: one negotiation process for each opponent, learning on while it plays."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from agents.q_learning.selection import Selection
from agents.q_learning.settings import QLearningSettings
from agents.q_learning.tables import QTable
from scml_gym.partner import PartnerActions, PartnerStates
from scml_gym.partner_tracker import NegotiationEnd, PartnerTracker
from scml_gym.view import ACCEPT, MAX_PARTNERS, OFFER, SELLER, ActionArray, AgentView, new_actions

Step = tuple[int, int, np.ndarray]
"""State, action, and which actions were allowed."""

EndHook = Callable[[int, NegotiationEnd], None]
"""``hook(factory, end)``: told of every negotiation that ended, for learning curves."""


class QPolicy:
    """A `scml_gym.worlds.protocol.FactoryPolicy`: an epsilon-greedy Q-learner in each negotiation.

    It answers all partners together, but decides one after the other, as the paper's ``respond`` and ``propose`` calls
    come: first the partners whose offers are taken, each seeing the needs that the earlier ones left; then the counter
    offers, each seeing also a share of what has been offered already (``heuristics.offered_share``).

    Args:
        settings: All settings.
        tables: The seller's and the buyer's table.
        seed: Of exploring and of ties, together with the factory.
        epsilon: Share of a world that has passed, in [0, 1] -> probability of exploring.
        rate: Floor of the learning rate; 0 for no learning.
        visits: See `QTable.update`.
        own_tables: Whether each opponent gets its own copies at the start of a world; else the given tables
            themselves are played and, where there is learning, changed.
        on_end: Told of every negotiation that ended.
    """

    synchronous = True

    def __init__(
        self,
        settings: QLearningSettings,
        tables: tuple[QTable, QTable],
        seed: tuple[int, ...],
        epsilon: Callable[[float], float],
        rate: float,
        visits: float,
        own_tables: bool,
        on_end: EndHook | None = None,
    ):
        self.settings = settings
        self.states: PartnerStates = settings.states.states()
        self.actions: PartnerActions = settings.states.actions()
        self.selection = Selection(settings.heuristics, self.actions)
        self._base = tables
        self._seed = seed
        self._epsilon = epsilon
        self._rate, self._visits = rate, visits
        self._own_tables = own_tables
        self._on_end = on_end
        self._per_opponent = settings.play.per_opponent
        self._settle_daily = settings.reward.settle == "day"
        self._gamma = settings.learning.gamma
        self._backward = settings.learning.backward

    def begin(self, view: AgentView) -> None:
        """A world starts: fresh copies of the tables, where each opponent has its own."""
        self._rng = np.random.default_rng([*self._seed, int(view["factory"])])
        base = self._base[int(view["level"])]
        if self._own_tables and self._per_opponent:
            self.tables = [base.copy() for _ in range(int(view["n_partners"]))]
        else:
            table = base.copy() if self._own_tables else base
            self.tables = [table] * int(view["n_partners"])
        self.tracker = PartnerTracker(self.settings.reward.reward())
        self._steps: list[list[Step]] = [[] for _ in range(MAX_PARTNERS)]
        self._due: list[tuple[list[Step], NegotiationEnd]] = []

    def act(self, view: AgentView) -> ActionArray:
        """Learn from what has happened since the last decision, and answer every partner that waits."""
        self._learn_ends(view, self.tracker.update(view))
        epsilon = self._epsilon(int(view["day"]) / max(1, int(view["n_days"]) - 1))
        partners = view["partners"]
        asked = np.flatnonzero(partners["my_turn"]).tolist()
        waiting = (partners["running"] > 0) & (partners["my_turn"] == 0)
        share = self.settings.heuristics.offered_share
        needed = int(view["needs"])
        offered = share * float(partners["my_quantity"][waiting].sum())
        actions = new_actions()
        greedy = {k: self._rng.random() < self.settings.heuristics.greedy_first for k in asked}
        open_ = []
        for k in self._order(view, [k for k in asked if partners[k]["offer_quantity"] > 0]):
            state, mask, choice = self._choose(view, k, needed, offered, greedy[k], epsilon, may_accept=True)
            if choice != 1:
                open_.append(k)
                continue
            self._step(k, state, choice, mask)
            actions[k] = (ACCEPT, 0, 0)
            needed -= int(partners[k]["offer_quantity"])
        open_ += [k for k in asked if partners[k]["offer_quantity"] == 0]
        for k in self._order(view, open_):
            state, mask, choice = self._choose(view, k, needed, offered, greedy[k], epsilon, may_accept=False)
            self._step(k, state, choice, mask)
            actions[k] = self.actions.decode(choice, view, k)
            if actions[k]["response"] == OFFER:
                offered += share * float(actions[k]["quantity"])
        return actions

    def end_day(self, view: AgentView) -> None:
        """Learn from the day's last negotiations."""
        self._learn_ends(view, self.tracker.end_day(view))
        needs, won = int(view["needs"]), self.tracker.won
        for steps, end in self._due:
            if end.agreed:
                reward = self.tracker.reward.accepted(view, end.quantity, end.price, needs, won)
            else:
                reward = self.tracker.reward.ended(view, end.partner, needs)
            self._learn(end.partner, steps, reward)
        self._due.clear()

    def _order(self, view: AgentView, ks: list[int]) -> list[int]:
        """In which order the partners are decided on."""
        order = self.settings.heuristics.order
        if order == "slot" or len(ks) < 2:
            return ks
        ks = [ks[i] for i in self._rng.permutation(len(ks)).tolist()]
        if order == "value":
            sign = 1 if view["level"] == SELLER else -1
            offers = view["partners"]
            ks.sort(
                key=lambda k: (sign * int(offers[k]["offer_price"]), int(offers[k]["offer_quantity"])), reverse=True
            )
        return ks

    def _choose(
        self, view: AgentView, k: int, needed: int, offered: float, greedy: bool, epsilon: float, may_accept: bool
    ) -> tuple[int, np.ndarray, int]:
        """The state, the allowed actions and the one selected."""
        left = round(needed - offered)
        state = self.states.index(view, k, needed if may_accept else left)
        mask = self.selection.allowed(view, k, needed, left, greedy)
        choices = mask
        if not may_accept and mask[1]:
            choices = mask.copy()
            choices[1] = False
        if epsilon and self._rng.random() < epsilon:
            return state, mask, int(self._rng.choice(np.flatnonzero(choices)))
        return state, mask, self._best(k, state, choices)

    def _best(self, k: int, state: int, mask: np.ndarray) -> int:
        values = np.where(mask, self.tables[k].values[state], -np.inf)
        best = np.flatnonzero(values == values.max())
        return int(best[0] if len(best) == 1 else self._rng.choice(best))

    def _step(self, k: int, state: int, action: int, mask: np.ndarray) -> None:
        """One step of the process with partner ``k``; the action before led here, at no reward."""
        if not self._rate:
            return
        steps = self._steps[k]
        if steps and not self._backward:
            last = steps.pop()
            self._update(k, last, self._gamma * self._value(k, state, mask))
        steps.append((state, action, mask))

    def _learn_ends(self, view: AgentView, ends: list[NegotiationEnd]) -> None:
        for end in ends:
            if self._on_end is not None:
                self._on_end(int(view["factory"]), end)
            steps, self._steps[end.partner] = self._steps[end.partner], []
            if steps and self._settle_daily:
                self._due.append((steps, end))
            elif steps:
                self._learn(end.partner, steps, end.reward)

    def _learn(self, k: int, steps: list[Step], reward: float) -> None:
        """A negotiation ended with this reward: update its steps that have not been, the last one first."""
        target = reward
        for step in reversed(steps):
            self._update(k, step, target)
            target = self._gamma * self._value(k, step[0], step[2])

    def _update(self, k: int, step: Step, target: float) -> None:
        self.tables[k].update(step[0], step[1], target, self._rate, self._visits)

    def _value(self, k: int, state: int, mask: np.ndarray) -> float:
        return float(self.tables[k].values[state][mask].max())
