"""The safety audit: which acceptances and offers of a decision are unsafe, and why.

An act is an acceptance or an offer that can be played. Acts are *safe* together if with them, and with what the factory
has agreed and offered today, no more items and no more money are missing in the evening than without them. Offers may
still be taken or left, and count by what can go wrong: a purchase that is offered must be paid and brings nothing, a
sale must be delivered. An act is unsafe where it is not safe together with those that are kept before it: acceptances
before offers, and of these the best paid first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from scml_gym.core.arguments import one_of
from scml_gym.jit.arrays import scratch_floats, scratch_integers
from scml_gym.jit.compile import compiled, jittable
from scml_gym.oneshot.rules import is_valid
from scml_gym.oneshot.settlement import settle_view
from scml_gym.oneshot.view import (
    ACCEPT,
    MAX_PARTNERS,
    OFFER,
    SELLER,
    VIEW_DTYPE,
    ActionArray,
    FactoryView,
    new_actions,
    new_view,
)
from scml_gym.simulator.compiled.scores import breach_rate
from scml_gym.simulator.pending import check_answers, check_view
from scml_gym.simulator.recording import audits
from scml_gym.simulator.recording.log import Judged, UnsafeAct, WorldLog

BOUNDS = ("covered", "possible")
"""What is held against the acts: ``covered``, what the exogenous supplies, the lines and the money can deliver and pay;
``possible``, the lines and the money, whatever the supplies. Of buyers, who promise money only, both say the same."""

NONE, CERTAIN, OFFERED = range(3)
"""What partners hold: nothing, an agreement, an offer."""


@jittable
def evening(
    view: FactoryView, bound: int, kinds: np.ndarray, quantities: np.ndarray, prices: np.ndarray
) -> tuple[int, float]:
    """Items that are sold and cannot be delivered, and money that is to be paid and is not there, with what each
    partner holds; int64 ``(MAX_PARTNERS,)`` each."""
    items, money = scratch_integers(MAX_PARTNERS), scratch_floats(MAX_PARTNERS)
    sells, n, sold, to_pay = view["level"] == SELLER, 0, 0, 0.0
    for k in range(MAX_PARTNERS):
        if kinds[k] == NONE:
            continue
        sold += quantities[k]
        if kinds[k] == OFFERED and not sells:
            to_pay += quantities[k] * prices[k]
        else:
            items[n], money[n] = quantities[k], prices[k]
            n += 1
    settled = settle_view(view, n, items, money)
    missing, unpaid = settled[8], max(0.0, settled[2] + to_pay - view["balance"])
    if bound == 1 and sells:
        missing = max(0, sold - view["lines"])
    return missing, unpaid


@jittable
def mark_unsafe(view: FactoryView, bound: int, actions: ActionArray, unsafe: np.ndarray) -> tuple[int, int, float]:
    """Mark the unsafe acts of a decision.

    Args:
        view: What the factory sees.
        bound: Index in `BOUNDS`.
        actions: Its answers.
        unsafe: int64 ``(MAX_PARTNERS,)``, receives 1 where an act is unsafe, else 0.

    Returns:
        How many acts there are; items and money that are missing with all of them, beyond what is without them.
    """
    kinds, quantities, prices = (
        scratch_integers(MAX_PARTNERS),
        scratch_integers(MAX_PARTNERS),
        scratch_integers(MAX_PARTNERS),
    )
    acts, ranks, n = scratch_integers(MAX_PARTNERS), scratch_integers(MAX_PARTNERS), 0
    for k in range(MAX_PARTNERS):
        partner, response = view["partners"][k], actions[k]["response"]
        unsafe[k] = 0
        if partner["agreed_quantity"] > 0:
            kinds[k], quantities[k], prices[k] = CERTAIN, partner["agreed_quantity"], partner["agreed_price"]
        elif response in (ACCEPT, OFFER) and is_valid(view, actions, k):
            accepts = response == ACCEPT
            quantities[k] = partner["offer_quantity"] if accepts else actions[k]["quantity"]
            prices[k] = partner["offer_price"] if accepts else actions[k]["price"]
            gain = prices[k] if view["level"] == SELLER else -prices[k]
            rank, j = (0 if accepts else 1_000_000_000) - gain, n
            while j > 0 and ranks[j - 1] > rank:
                acts[j], ranks[j] = acts[j - 1], ranks[j - 1]
                j -= 1
            acts[j], ranks[j] = k, rank
            n += 1
        elif partner["running"] != 0 and partner["my_turn"] == 0 and partner["my_quantity"] > 0:
            kinds[k], quantities[k], prices[k] = OFFERED, partner["my_quantity"], partner["my_price"]
    if n == 0:
        return 0, 0, 0.0
    missing, unpaid = evening(view, bound, kinds, quantities, prices)
    for i in range(n):
        kinds[acts[i]] = CERTAIN if actions[acts[i]]["response"] == ACCEPT else OFFERED
    all_missing, all_unpaid = evening(view, bound, kinds, quantities, prices)
    more, short = max(0, all_missing - missing), max(0.0, all_unpaid - unpaid)
    if more == 0 and short == 0.0:
        return n, 0, 0.0
    for i in range(n):
        kinds[acts[i]] = NONE
    for i in range(n):
        k = acts[i]
        kinds[k] = CERTAIN if actions[k]["response"] == ACCEPT else OFFERED
        with_missing, with_unpaid = evening(view, bound, kinds, quantities, prices)
        if with_missing > missing or with_unpaid > unpaid:
            kinds[k], unsafe[k] = NONE, 1
    return n, more, short


_mark_unsafe = compiled(mark_unsafe)


class Harm(NamedTuple):
    """What comes of the acts of a decision, beyond what there would be without them.

    Attributes:
        acts: Acceptances and offers.
        unsafe: Indices of the partners to whom the unsafe ones are.
        missing: Items that are sold and cannot be delivered.
        unpaid: Money that is to be paid for supplies, and is not there.
    """

    acts: int
    unsafe: tuple[int, ...]
    missing: int
    unpaid: float

    @property
    def safe(self) -> bool:
        """Whether there is none."""
        return not self.missing and not self.unpaid

    def __str__(self) -> str:
        """In words."""
        parts = [f"{self.missing} items missing"] if self.missing else []
        parts += [f"{self.unpaid:.2f} of money short"] if self.unpaid else []
        return ", ".join(parts) or "safe"


def judge_answers(view: FactoryView, actions: ActionArray, bound: str = "covered") -> Harm:
    """What comes of the acts of a decision.

    Args:
        view: What the factory sees.
        actions: Its answers, ``ACTION_DTYPE``, shape ``(MAX_PARTNERS,)``.
        bound: A name in `BOUNDS`.

    Raises:
        InputError: if it is no view, there is no such bound, or the answers are of another form.
    """
    check_view(view, VIEW_DTYPE)
    check_answers(actions, new_actions())
    index = BOUNDS.index(one_of("bound", bound, BOUNDS))
    unsafe = np.zeros(MAX_PARTNERS, dtype=np.int64)
    acts, missing, unpaid = _mark_unsafe(view, index, actions, unsafe)
    return Harm(acts, tuple(np.flatnonzero(unsafe).tolist()), missing, unpaid)


class Finding(NamedTuple):
    """A decision that is unsafe: on which day, by which bound, and what would come of it."""

    day: int
    bound: str
    harm: Harm


def find_unsafe(view: FactoryView, actions: ActionArray) -> list[Finding]:
    """What is unsafe in a decision: a finding for each bound by which it is."""
    judged = ((bound, judge_answers(view, actions, bound)) for bound in BOUNDS)
    return [Finding(int(view["day"]), bound, harm) for bound, harm in judged if not harm.safe]


def unsafe_acts(view: FactoryView, actions: ActionArray, finding: Finding) -> list[UnsafeAct]:
    """What a recording tells of a decision that is unsafe: its unsafe acts, and what would come of all of them."""
    told, day, harm = [], finding.day, finding.harm
    for k in harm.unsafe:
        partner, action = view["partners"][k], actions[k]
        accepts = action["response"] == ACCEPT
        quantity = int(partner["offer_quantity"] if accepts else action["quantity"])
        price = int(partner["offer_price"] if accepts else action["price"])
        act = "accepts" if accepts else "offers"
        told.append(UnsafeAct(finding.bound, k, act, quantity, price, day, day, harm.missing, harm.unpaid, None))
    return told


@dataclass(eq=False)
class Tally:
    """The acts of one factory; ``tally(view, actions)`` adds a decision.

    Attributes:
        tell: Is told of every decision; None for nobody.
        acts: Acceptances and offers.
        unsafe: How many of them are unsafe, by bound.
        findings: All decisions that were unsafe.
    """

    tell: Judged | None = None
    acts: int = 0
    unsafe: dict[str, int] = field(default_factory=lambda: dict.fromkeys(BOUNDS, 0))
    findings: list[Finding] = field(default_factory=list)

    def __call__(self, view: FactoryView, actions: ActionArray) -> None:
        """Add a decision."""
        acts, found = judge_answers(view, actions).acts, find_unsafe(view, actions)
        self.acts += acts
        self.findings += found
        for finding in found:
            self.unsafe[finding.bound] += len(finding.harm.unsafe)
        if self.tell is not None:
            self.tell(view, acts, [act for finding in found for act in unsafe_acts(view, actions, finding)])

    def columns(self, days: np.ndarray) -> dict[str, Any]:
        """A row's columns of a table of scores, see `scml_gym.oneshot.game.AUDIT_COLUMNS`.

        Args:
            days: Of the factory, settled: ``SETTLEMENT_DTYPE`` of `scml_gym.oneshot.settlement`.
        """
        return self.counts() | {"breach_rate": breach_rate(days)}

    def counts(self) -> dict[str, int]:
        """What was counted, by the names of `scml_gym.simulator.recording.log.AUDITED`."""
        return {"acts": self.acts} | {f"unsafe_{bound}": n for bound, n in self.unsafe.items()}


def prepare_audit() -> None:
    """Have what a tally computes with compiled, or taken from disk."""
    Tally()(new_view(), new_actions())


def audit_world(world: Any, log: WorldLog | None = None) -> list[Tally]:
    """Audit what is decided in a world, whoever plays it; to be called before it is started.

    Args:
        world: Of either backend.
        log: Of the world, where it is recorded: it is told what is unsafe.

    Returns:
        A tally for each factory, filled while the world runs.
    """
    return audits.audit_world(world, Tally, 0, log)
