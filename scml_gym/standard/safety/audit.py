"""The safety audit: which acceptances and offers of a factory are unsafe, by both bounds and both stock rules, and why.

An act is an acceptance or an offer that can be played. It is unsafe where a shield would change it: where it is not
safe together with the acts of the same decision that are kept before it, see
`scml_gym.standard.safety.answers.allow`. So a decision is unsafe as a whole exactly where one of its acts is.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from scml_gym.game.strategy import Strategy
from scml_gym.jit.arrays import scratch_integers
from scml_gym.jit.compile import compiled, jittable
from scml_gym.simulator.compiled.scores import breach_rate
from scml_gym.simulator.pending import check_answers, check_view
from scml_gym.simulator.recording import audits
from scml_gym.simulator.recording.log import Judged, UnsafeAct, WorldLog
from scml_gym.standard.safety.answers import Harm, allow, list_acts
from scml_gym.standard.safety.bounds import BOUNDS, COVERED
from scml_gym.standard.safety.wrapped import wrapped
from scml_gym.standard.view import (
    ACCEPT,
    MAX_PARTNERS,
    MAX_PER_LEVEL,
    VIEW_DTYPE,
    ActionArray,
    StandardView,
    is_consumer,
    new_actions,
    new_view,
)

COUNTS = (
    "acts",
    *(f"{rule}_{bound}" for rule in ("unsafe", "other_rule") for bound in BOUNDS),
    *("accepted_sales", "unsafe_sales", "other_rule_sales"),
    *("sets", "unsafe_sets"),
)
"""Acts, and those of them that are unsafe under the stock rule of the world, and under the other one. Then by the bound
``covered``: sales accepted, and those that are unsafe under either rule; decisions with acts, and those that are unsafe
as a whole under the world's rule."""

REASONS = ("unsafe_within", "unsafe_missing", "unsafe_unpaid")
"""Of the first decision that is unsafe by the bound ``covered`` under the world's rule: days from its own day on, that
day included, until the first one that falls short, 0 where there is no such decision; items that are missing on it;
money that is not there for its supplies."""

N_NUMBERS = len(COUNTS) + len(REASONS)
SALES, SETS, FIRST_REASON = COUNTS.index("accepted_sales"), COUNTS.index("sets"), len(COUNTS)


@jittable
def accepts_sale(actions: ActionArray, k: int) -> bool:
    """Whether the answer to partner ``k`` accepts to sell; one that cannot be played is no act, and never unsafe."""
    return is_consumer(k) and actions[k]["response"] == ACCEPT


@jittable
def audit(view: StandardView, actions: ActionArray, numbers: np.ndarray) -> None:
    """Count the acts of a decision, and those that are unsafe.

    Args:
        view: What the factory sees.
        actions: Its answers.
        numbers: ``(N_NUMBERS,)``, those of `COUNTS`, which are added to, then those of `REASONS`.
    """
    allowed = scratch_integers(MAX_PARTNERS)
    acts = list_acts(view, actions, allowed)
    numbers[0] += acts
    if acts == 0:
        return
    for i in range(acts):
        numbers[SALES] += accepts_sale(actions, allowed[i])
    numbers[SETS] += 1
    own: Any = view["physical"]
    for rule in range(2):
        view["physical"] = own if rule == 0 else 1 - own
        for bound in range(2):
            found = allow(view, bound, 1.0, actions, allowed)
            for k in range(MAX_PARTNERS):
                numbers[1 + 2 * rule + bound] += allowed[k] >= 0
                if bound == COVERED and allowed[k] >= 0:
                    numbers[SALES + 1 + rule] += accepts_sale(actions, k)
            if rule == 0 and bound == COVERED and found[0] >= 0:
                numbers[SETS + 1] += 1
                if numbers[FIRST_REASON] == 0:
                    numbers[FIRST_REASON], numbers[FIRST_REASON + 1] = found[0] + 1, found[1]
                    numbers[FIRST_REASON + 2] = found[2]
    view["physical"] = own


_audit = compiled(audit)


@compiled
def _allow(view: StandardView, bound: int, actions: ActionArray, allowed: np.ndarray) -> tuple[int, int, float, int]:
    """`allow` in the worst case."""
    return allow(view, bound, 1.0, actions, allowed)


class Finding(NamedTuple):
    """A decision that is unsafe.

    Attributes:
        day: On which it was taken.
        bound: By which it is unsafe, under the world's stock rule.
        partners: Indices of those to whom the unsafe acts are.
        harm: What would come of all its acts together.
    """

    day: int
    bound: str
    partners: tuple[int, ...]
    harm: Harm

    def __str__(self) -> str:
        """In words."""
        return f"day {self.day}, {self.bound}, to {', '.join(map(str, self.partners))}: {self.harm}"


def find_unsafe(view: StandardView, actions: ActionArray) -> list[Finding]:
    """What is unsafe in a decision, by each bound under the stock rule of the world.

    Args:
        view: What the factory sees.
        actions: Its answers, ``ACTION_DTYPE``, shape ``(MAX_PARTNERS,)``.

    Returns:
        A finding for each bound by which the decision is unsafe.

    Raises:
        InputError: if it is no view, or the answers are of another form.
    """
    check_view(view, VIEW_DTYPE)
    check_answers(actions, new_actions())
    found = []
    for i, bound in enumerate(BOUNDS):
        allowed = np.zeros(MAX_PARTNERS, dtype=np.int64)
        ahead, missing, unpaid, idle = _allow(view, i, actions, allowed)
        if ahead >= 0:
            partners = tuple(np.flatnonzero(allowed >= 0).tolist())
            harm = Harm(int(view["day"]) + ahead, missing, unpaid, idle)
            found.append(Finding(int(view["day"]), bound, partners, harm))
    return found


def unsafe_acts(view: StandardView, actions: ActionArray, finding: Finding) -> list[UnsafeAct]:
    """What a recording tells of a decision that is unsafe: its unsafe acts, and what would come of all of them."""
    told = []
    for k in finding.partners:
        partner, action = view["partners"][k], actions[k]
        accepts = action["response"] == ACCEPT
        quantity = int(partner["offer_quantity"] if accepts else action["quantity"])
        price = int(partner["offer_price"] if accepts else action["price"])
        delivery = int(partner["offer_day"] if accepts else action["day"])
        act, (short_day, missing, unpaid, idle) = "accepts" if accepts else "offers", finding.harm
        told.append(UnsafeAct(finding.bound, k, act, quantity, price, delivery, short_day, missing, unpaid, idle))
    return told


@dataclass(eq=False)
class Tally:
    """The acts of one factory in a world; ``tally(view, actions)`` adds a decision.

    Attributes:
        tell: Is told of every decision; None for nobody.
        numbers: Float64 ``(N_NUMBERS,)``, see `audit`.
        findings: All decisions that were unsafe.
    """

    tell: Judged | None = None
    numbers: np.ndarray = field(default_factory=lambda: np.zeros(N_NUMBERS))
    findings: list[Finding] = field(default_factory=list)

    def __call__(self, view: StandardView, actions: ActionArray) -> None:
        """Add a decision."""
        acts, unsafe = self.numbers[0], self.numbers[1:3].sum()
        _audit(view, actions, self.numbers)
        found = find_unsafe(view, actions) if self.numbers[1:3].sum() > unsafe else []
        self.findings += found
        if self.tell is not None:
            told = [act for finding in found for act in unsafe_acts(view, actions, finding)]
            self.tell(view, int(self.numbers[0] - acts), told)

    def columns(self, days: np.ndarray) -> dict[str, Any]:
        """A row's columns of a table of scores, see `scml_gym.standard.game.AUDIT_COLUMNS`.

        Args:
            days: Of the factory, settled: ``SETTLEMENT_DTYPE`` of `scml_gym.standard.settlement`.
        """
        return audit_columns(self.numbers, days)

    def counts(self) -> dict[str, int]:
        """What was counted, by the names of ``COUNTS``."""
        return _counts(self.numbers)


def audit_columns(numbers: np.ndarray, days: np.ndarray) -> dict[str, Any]:
    """The numbers of an audit as columns; see `Tally.columns`."""
    return _counts(numbers) | {"breach_rate": breach_rate(days)}


def _counts(numbers: np.ndarray) -> dict[str, int]:
    return dict(zip(COUNTS, numbers[: len(COUNTS)].astype(int).tolist(), strict=True))


def audited(strategy: Strategy) -> Strategy:
    """The strategy whose decisions are audited: the numbers of `audit` stand at the end of its state, so that compiled
    worlds audit too."""
    first = strategy.state_size
    return wrapped(strategy, audited_decide, first, state_size=first + N_NUMBERS)


@functools.cache
def audited_decide(decide: Callable[..., None], first: int) -> Callable[..., None]:
    """A strategy's ``decide`` that counts what it does into its state, from ``first`` on."""
    decide = jittable(decide)

    @jittable
    def decide_audited(
        view: StandardView, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: ActionArray
    ) -> None:
        decide(view, state, params, draws, actions)
        audit(view, actions, state[first : first + N_NUMBERS])

    return decide_audited


def prepare_audit() -> None:
    """Have what a tally computes with compiled, or taken from disk."""
    view, actions = new_view(), new_actions()
    Tally()(view, actions)
    find_unsafe(view, actions)


def audit_world(world: Any, log: WorldLog | None = None) -> list[Tally]:
    """Audit what is decided in a world, whoever plays it; to be called before it is started.

    Args:
        world: Of either backend.
        log: Of the world, where it is recorded: it is told what is unsafe.

    Returns:
        A tally for each factory, filled while the world runs.
    """
    return audits.audit_world(world, Tally, MAX_PER_LEVEL, log)
