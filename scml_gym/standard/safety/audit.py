"""The safety audit: which acceptances and offers of a factory are unsafe, by both bounds and both stock rules, and why.

An act is an acceptance or an offer that can be played. It is unsafe where a shield would change it: where it is not
safe together with the acts of the same decision that are kept before it, see
`scml_gym.standard.safety.answers.allow`. So a decision is unsafe as a whole exactly where one of its acts is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from scml_gym.jit.arrays import scratch_integers
from scml_gym.jit.compile import compiled, jittable
from scml_gym.simulator.line_up import breach_rate
from scml_gym.simulator.recording.log import WorldLog
from scml_gym.standard.safety.answers import Harm, allow, list_acts
from scml_gym.standard.safety.bounds import BOUNDS
from scml_gym.standard.view import MAX_PARTNERS, ActionArray, StandardView

COUNTS = ("acts", *(f"{rule}_{bound}" for rule in ("unsafe", "other_rule") for bound in BOUNDS))
"""Acts, and those of them that are unsafe under the stock rule of the world, and under the other one."""

REASONS = ("unsafe_within", "unsafe_missing", "unsafe_unpaid")
"""Of the first decision that is unsafe by the bound ``covered`` under the world's rule: days from its own day on, that
day included, until the first one that falls short, 0 where there is no such decision; items that are missing on it;
money that is not there for its supplies."""

N_NUMBERS = len(COUNTS) + len(REASONS)


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
    own: Any = view["physical"]
    for rule in range(2):
        view["physical"] = own if rule == 0 else 1 - own
        for bound in range(2):
            found = allow(view, bound, 1.0, actions, allowed)
            for k in range(MAX_PARTNERS):
                numbers[1 + 2 * rule + bound] += allowed[k] >= 0
            if rule == 0 and bound == 0 and found[0] >= 0 and numbers[5] == 0:
                numbers[5], numbers[6], numbers[7] = found[0] + 1, found[1], found[2]
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
    """
    found = []
    for i, bound in enumerate(BOUNDS):
        allowed = np.zeros(MAX_PARTNERS, dtype=np.int64)
        ahead, missing, unpaid, idle = _allow(view, i, actions, allowed)
        if ahead >= 0:
            partners = tuple(np.flatnonzero(allowed >= 0).tolist())
            harm = Harm(int(view["day"]) + ahead, missing, unpaid, idle)
            found.append(Finding(int(view["day"]), bound, partners, harm))
    return found


@dataclass
class Tally:
    """The acts of one factory in a world; ``tally(view, actions)`` adds a decision.

    Attributes:
        tell: ``(**numbers)``: is told of every decision that is unsafe, see `scml_gym.simulator.recording.log.tell`:
            ``unsafe_covered`` and ``unsafe_possible``, how many acts are, and `REASONS`, by the stricter bound.
        numbers: Float64 ``(N_NUMBERS,)``, see `audit`.
        findings: All decisions that were unsafe.
    """

    tell: Callable[..., object] | None = None
    numbers: np.ndarray = field(default_factory=lambda: np.zeros(N_NUMBERS))
    findings: list[Finding] = field(default_factory=list)

    def __call__(self, view: StandardView, actions: ActionArray) -> None:
        """Add a decision."""
        before = self.numbers[1:3].sum()
        _audit(view, actions, self.numbers)
        if self.numbers[1:3].sum() == before:
            return
        found = find_unsafe(view, actions)
        self.findings += found
        if self.tell is not None:
            harm = found[0].harm
            within = harm.day - found[0].day + 1
            counts = {f"unsafe_{finding.bound}": len(finding.partners) for finding in found}
            self.tell(**counts, unsafe_within=within, unsafe_missing=harm.missing, unsafe_unpaid=harm.unpaid)

    def columns(self, days: np.ndarray) -> dict[str, Any]:
        """A row's columns of a table of scores, see `scml_gym.standard.game.AUDIT_COLUMNS`.

        Args:
            days: Of the factory, settled: ``SETTLEMENT_DTYPE`` of `scml_gym.standard.settlement`.
        """
        counts = dict(zip(COUNTS, self.numbers[: len(COUNTS)].astype(int).tolist(), strict=True))
        return counts | {"breach_rate": breach_rate(days)}


def audit_agents(agents: Sequence[Any], log: WorldLog | None = None) -> list[Tally]:
    """Audit what agents of scml decide, from their first day on; to be called before it.

    Args:
        agents: Of a `scml_gym.standard.worlds.reference.ReferenceWorld` (``world.agents``), whoever plays them.
        log: Of the world, where it is recorded: it is told what is unsafe.

    Returns:
        A tally for each of them, filled while the world runs.
    """
    from scml_gym.standard.safety.agents import look_at

    tallies = [Tally(None if log is None else partial(log.tell, agent)) for agent in agents]
    for agent, tally in zip(agents, tallies, strict=True):
        look_at(agent, tally)
    return tallies
