"""The numbers of a clone: what each of its four choices is weighed by, and where the weights stand.

A clone decides in four steps, each a choice among alternatives by a conditional logit (McFadden, "Conditional logit
analysis of qualitative choice behavior", 1974): the chance of an alternative is ``exp(u) / sum(exp(u))``,

    u = sum_i x_i (sum_c y_c A_ic) + sum_j z_j b_j,

where ``x`` and ``z`` are features of the alternative and ``y`` the context of the decision (`fill_context`). ``A`` and
``b`` are fitted. Each level has weights of its own.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scml_gym.jit.compile import jittable
from scml_gym.oneshot.view import MAX_PARTNERS, SELLER, FactoryView

MAX_TOTAL = 40
"""Items that a clone asks for at once, at most."""

TOTALS = 25
"""Columns of the table of what is asked for; larger totals count alike there."""

MEANS = 11
"""Items that each partner is asked for on average, 0 to 10."""

LEFT_LOW, LEFT_HIGH = -8, 12
LEFTS = LEFT_HIGH - LEFT_LOW + 1
"""Items that are left to be traded, below and above which all count alike."""

NEAR_LOW, NEAR_HIGH = -3, 12
NEARS = NEAR_HIGH - NEAR_LOW + 1
"""The same, in the table of what is asked for."""

SHARE_LOW, SHARE_HIGH = -4, 5
SHARES = SHARE_HIGH - SHARE_LOW + 1
"""Items of a share above an equal one."""

TIME_KNOTS = (0.0, 0.05, 0.15, 0.35, 0.65, 0.95)
"""Fractions of the rounds between which a decision's time is interpolated."""

RATIO_KNOTS = (0.0, 0.05, 0.12, 0.25)
"""Likewise of what an item too many costs, as a fraction of what one too many and one too few cost together."""

OPENING = len(TIME_KNOTS)
RATIO = OPENING + 1
UNMET = RATIO + len(RATIO_KNOTS) - 1
OVER = UNMET + 1
SCARCE = OVER + 1
AMPLE = SCARCE + 1
EARLY = AMPLE + 1
AGREEABLE = EARLY + 1
N_CONTEXTS = AGREEABLE + 1
"""The context: hats over time and, for first offers, one number in their place; hats over the ratio, but for the first;
what was missing, and too much, at the end of earlier days; by how much partners can trade less than the own level, and
more; how early in the world it is; how often partners agreed."""

EARLY_DAYS = 15
"""Days after which a world is not early any more."""


class Choice(NamedTuple):
    """Where the weights of a choice stand in those of a level.

    Attributes:
        first: The first one.
        n_contextual: Features whose weight depends on the context.
        n_static: Features, after those, whose weight does not.
    """

    first: int
    n_contextual: int
    n_static: int

    @property
    def size(self) -> int:
        """How many there are."""
        return self.n_contextual * N_CONTEXTS + self.n_static


N_SET = 2 * LEFTS + 14
SET = Choice(0, N_SET, 0)
"""Which of the standing offers to take."""

N_TOTAL = LEFTS + 6
TOTAL = Choice(SET.first + SET.size, N_TOTAL, 2 * NEARS * (TOTALS + MEANS) + MAX_PARTNERS * SHARES)
"""How many items to ask the other partners for, all together."""

N_SHARE = 16
SHARE = Choice(TOTAL.first + TOTAL.size, N_SHARE, 2 * (MAX_PARTNERS - 1) * SHARES)
"""How many of them to ask the next partner for."""

N_PRICE = 10
PRICE = Choice(SHARE.first + SHARE.size, N_PRICE, 0)
"""At the worst price, between, or at the best one."""

CHOICES = {"set": SET, "total": TOTAL, "share": SHARE, "price": PRICE}

LEVEL_SIZE = PRICE.first + PRICE.size
"""Weights of a level."""

MAX_FEATURES = 20
"""Of an alternative, that are not 0."""

RATE, QUANTITY, ITEMS = 0, MAX_PARTNERS, 2 * MAX_PARTNERS
UNMET_BEFORE, OVER_BEFORE = 3 * MAX_PARTNERS, 3 * MAX_PARTNERS + 1
MEMORY_SIZE = 3 * MAX_PARTNERS + 2
"""What a clone remembers, float64 ``(MEMORY_SIZE,)``: of each partner a moving average of .5 for a day with an
agreement and -.5 for one without, the items last agreed, and those of all days; moving averages of items missing, and
too many, in fives."""

WEIGHT = 0.2
"""Of the newest day in the moving averages."""


@jittable
def remember(view: FactoryView, memory: np.ndarray) -> None:
    """Take a day into the memory.

    Args:
        view: As the day's negotiations are over.
        memory: Float64 ``(MEMORY_SIZE,)``, changed in place.
    """
    for k in range(view["n_partners"]):
        agreed = view["partners"][k]["agreed_quantity"]
        memory[RATE + k] += WEIGHT * ((0.5 if agreed > 0 else -0.5) - memory[RATE + k])
        if agreed > 0:
            memory[QUANTITY + k] = agreed
            memory[ITEMS + k] += agreed
    unmet = min(max(view["needs"], 0), 5) / 5.0
    over = min(max(-view["needs"], 0), 5) / 5.0
    memory[UNMET_BEFORE] += WEIGHT * (unmet - memory[UNMET_BEFORE])
    memory[OVER_BEFORE] += WEIGHT * (over - memory[OVER_BEFORE])


@jittable
def hats(at: float, knots: tuple[float, ...], skip: int, out: np.ndarray, first: int) -> None:
    """Interpolate linearly between knots: write how much each one counts, but for the first ``skip`` of them."""
    last = len(knots) - 1
    for i in range(last + 1):
        if i < last and at < knots[i + 1]:
            part = max((at - knots[i]) / (knots[i + 1] - knots[i]), 0.0)
            if i >= skip:
                out[first + i - skip] = 1.0 - part
            out[first + i + 1 - skip] = part
            return
    out[first + last - skip] = 1.0


@jittable
def fill_context(view: FactoryView, memory: np.ndarray, opening: bool, out: np.ndarray) -> None:
    """The context of a decision.

    Args:
        view: Of the decision.
        memory: Of the clone.
        opening: Whether the first offers of the day are to be made.
        out: Float64 ``(N_CONTEXTS,)``, zeros.
    """
    if opening:
        out[OPENING] = 1.0
    else:
        step = view["n_rounds"]
        for k in range(view["n_partners"]):
            if view["partners"][k]["my_turn"] != 0:
                step = min(step, view["partners"][k]["step"])
        hats(step / view["n_rounds"], TIME_KNOTS, 0, out, 0)
    shortfall = view["shortfall_penalty"] * view["output_price"]
    disposal = view["disposal_cost"] * view["input_price"]
    both = shortfall + disposal
    hats(disposal / both if both > 0.0 else 0.0, RATIO_KNOTS, 1, out, RATIO)
    out[UNMET], out[OVER] = memory[UNMET_BEFORE], memory[OVER_BEFORE]
    theirs, ours = view["total_demand"], view["total_supply"]
    if view["level"] != SELLER:
        theirs, ours = ours, theirs
    ahead = 4.0 * (theirs - ours) / max(theirs + ours, 1)
    out[SCARCE], out[AMPLE] = min(max(-ahead, 0.0), 1.0), min(max(ahead, 0.0), 1.0)
    out[EARLY] = max(1.0 - view["day"] / EARLY_DAYS, 0.0)
    agreeable = 0.0
    for k in range(view["n_partners"]):
        agreeable += memory[RATE + k]
    out[AGREEABLE] = agreeable / view["n_partners"]


@jittable
def mix(weights: np.ndarray, first: int, n: int, context: np.ndarray, out: np.ndarray) -> None:
    """The weights of the contextual features of a choice in a context.

    Args:
        weights: Of a level.
        first: Of the choice.
        n: Contextual features.
        context: See `fill_context`.
        out: Float64, at least ``n``; overwritten.
    """
    for i in range(n):
        out[i] = 0.0
    for c in range(N_CONTEXTS):
        part = context[c]
        if part != 0.0:
            start = first + c * n
            for i in range(n):
                out[i] += part * weights[start + i]


@jittable
def utility(
    weights: np.ndarray, first: int, n: int, mixed: np.ndarray, index: np.ndarray, value: np.ndarray, n_features: int
) -> float:
    """The utility of an alternative.

    Args:
        weights: Of a level.
        first: Of the choice.
        n: Contextual features of the choice.
        mixed: Their weights, by `mix`.
        index: Int64: which features are not 0.
        value: Float64: what they are.
        n_features: How many there are.
    """
    static, total = first + n * N_CONTEXTS - n, 0.0
    for i in range(n_features):
        f = index[i]
        total += value[i] * (mixed[f] if f < n else weights[static + f])
    return total


@jittable
def clipped(number: int, low: int, high: int) -> int:
    """A number's place in a range, from 0 on; those outside count as its ends."""
    return min(max(number, low), high) - low
