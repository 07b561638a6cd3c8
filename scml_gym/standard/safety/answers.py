"""The answers of one decision, judged together: are they safe, what is wrong, and what can be kept of them?"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from scml_gym.core.errors import InputError
from scml_gym.jit.arrays import scratch_floats, scratch_integers
from scml_gym.jit.compile import compiled, jittable
from scml_gym.jit.once import jittable_once
from scml_gym.simulator.pending import check_answers, check_view
from scml_gym.simulator.strategies import end
from scml_gym.standard.rules import is_valid
from scml_gym.standard.safety.bounds import named_bound
from scml_gym.standard.safety.limits import check_chance, largest, put, put_standing
from scml_gym.standard.safety.rolling import (
    CERTAIN,
    CONTRACT_NUMBERS,
    NONE,
    OFFERED,
    OUTLOOK_ITEMS,
    OUTLOOK_MONEY,
    Contracts,
    contracts_in,
    harm,
    outlook_in,
    roll,
)
from scml_gym.standard.strategies.market import offer, price_gain
from scml_gym.standard.view import (
    ACCEPT,
    MAX_PARTNERS,
    OFFER,
    VIEW_DTYPE,
    ActionArray,
    StandardView,
    is_consumer,
    new_actions,
)


class Harm(NamedTuple):
    """What comes of answers beyond what there would be without them.

    Attributes:
        day: The first delivery day, counted in the world, on which more is missing or unpaid than without them; the
            world's last day where nothing is but the inputs that are idle. -1 where the answers are safe.
        missing: Items that are sold for that day and cannot be delivered.
        unpaid: Money that is to be paid for supplies of that day and is not there.
        idle: Inputs that the lines can never use.
    """

    day: int
    missing: int
    unpaid: float
    idle: int

    @property
    def safe(self) -> bool:
        """Whether there is none."""
        return self.day < 0

    def __str__(self) -> str:
        """In words."""
        parts = [f"{self.missing} items missing"] if self.missing else []
        parts += [f"{self.unpaid:.2f} of money short"] if self.unpaid else []
        parts += [f"{self.idle} inputs never used"] if self.idle else []
        return "safe" if self.safe else f"day {self.day}: {', '.join(parts)}"


@jittable
def is_act(view: StandardView, actions: ActionArray, k: int) -> bool:
    """Whether the answer to partner ``k`` can become a contract."""
    response = actions[k]["response"]
    return response in (ACCEPT, OFFER) and is_valid(view, actions, k)


@jittable
def put_act(view: StandardView, actions: ActionArray, k: int, contracts: Contracts) -> None:
    """Put the answer to partner ``k`` in: an acceptance is certain."""
    side, day = int(is_consumer(k)), view["day"]
    if actions[k]["response"] == ACCEPT:
        partner = view["partners"][k]
        ahead, quantity, price = partner["offer_day"] - day, partner["offer_quantity"], partner["offer_price"]
        put(contracts, k + 1, CERTAIN, side, ahead, quantity, price)
    else:
        action = actions[k]
        put(contracts, k + 1, OFFERED, side, action["day"] - day, action["quantity"], action["price"])


@jittable
def list_acts(view: StandardView, actions: ActionArray, acts: np.ndarray) -> int:
    """List the partners whose answers can become contracts: purchases first, then sales, in each acceptances before
    offers, and of these the best paid first. Returns how many there are."""
    ranks, n = scratch_floats(MAX_PARTNERS), 0
    for k in range(MAX_PARTNERS):
        if not is_act(view, actions, k):
            continue
        accepts = actions[k]["response"] == ACCEPT
        price = view["partners"][k]["offer_price"] if accepts else actions[k]["price"]
        rank = 4.0 * is_consumer(k) + 2.0 * (not accepts) - price_gain(view, k, price)
        j = n
        while j > 0 and ranks[j - 1] > rank:
            acts[j], ranks[j] = acts[j - 1], ranks[j - 1]
            j -= 1
        acts[j], ranks[j] = k, rank
        n += 1
    return n


@jittable_once
def allow(
    view: StandardView, bound: int, chance: float, actions: ActionArray, allowed: np.ndarray
) -> tuple[int, int, float, int]:
    """Say which answers of a decision are safe together, and how much of the others is.

    Where all of them are safe together, all are kept. Else answers are kept whole, one after the other in the order of
    `list_acts`, where they are safe with those kept before; and of what is left as much as is then safe.

    Args:
        view: What the factory sees.
        bound: ``COVERED`` or ``POSSIBLE``.
        chance: With which an offer is taken; 1 for the worst case.
        actions: The answers; those that cannot be played do not count.
        allowed: int64 ``(MAX_PARTNERS,)``, receives by partner: -1 where the answer is kept as it is, else the most
            items that may be offered in its place, at the same price for the same day.

    Returns:
        What would come of all answers, see `scml_gym.standard.safety.rolling.harm`.
    """
    contracts = contracts_in(scratch_integers(CONTRACT_NUMBERS))
    before = outlook_in(scratch_integers(OUTLOOK_ITEMS), scratch_floats(OUTLOOK_MONEY))
    acts = scratch_integers(MAX_PARTNERS)
    allowed[:] = -1
    n = list_acts(view, actions, acts)
    if n == 0:
        return -1, 0, 0.0, 0
    put_standing(view, contracts)
    roll(view, bound, chance, contracts, before)
    for i in range(n):
        put_act(view, actions, acts[i], contracts)
    found = harm(view, bound, chance, contracts, before, 0)
    if found[0] < 0:
        return found
    for i in range(n):
        contracts.kind[acts[i] + 1] = NONE
    n_left = 0
    for i in range(n):
        put_act(view, actions, acts[i], contracts)
        if harm(view, bound, chance, contracts, before, 0)[0] >= 0:
            contracts.kind[acts[i] + 1] = NONE
            acts[n_left] = acts[i]
            n_left += 1
    for i in range(n_left):
        k = acts[i]
        put_act(view, actions, k, contracts)
        if harm(view, bound, chance, contracts, before, 0)[0] < 0:  # it is safe now, with what was kept after it
            continue
        contracts.kind[k + 1] = OFFERED
        most: Any = contracts.quantity[k + 1]
        allowed[k] = largest(view, bound, chance, contracts, before, 0, k + 1, most, 0)
        if allowed[k] < view["min_quantity"]:
            allowed[k], contracts.kind[k + 1] = 0, NONE
    return found


@jittable
def restrict(
    view: StandardView, bound: int, chance: float, actions: ActionArray, changed: np.ndarray
) -> tuple[int, int, float, int]:
    """Make the answers of a decision safe together, and leave them as they are where they are; see `allow`.

    An offer asks for as much as is safe; instead of accepting, the factory offers that much at the same price for the
    same day; where nothing is safe, it ends the negotiation.

    Args:
        view: What the factory sees.
        bound: ``COVERED`` or ``POSSIBLE``.
        chance: With which an offer is taken; 1 for the worst case.
        actions: The answers, changed in place; those that cannot be played stay as they are.
        changed: Numbers by partner, ``(MAX_PARTNERS,)``; 1 is added where an answer is changed.

    Returns:
        What would have come of the answers, see `scml_gym.standard.safety.rolling.harm`.
    """
    allowed = scratch_integers(MAX_PARTNERS)
    found = allow(view, bound, chance, actions, allowed)
    for k in range(MAX_PARTNERS):
        if allowed[k] < 0:
            continue
        changed[k] += 1
        if allowed[k] == 0:
            end(actions, k)
            actions[k]["quantity"] = actions[k]["day"] = actions[k]["price"] = 0
        elif actions[k]["response"] == ACCEPT:
            partner = view["partners"][k]
            offer(actions, k, allowed[k], partner["offer_day"], partner["offer_price"])
        else:
            actions[k]["quantity"] = allowed[k]
    return found


_restrict = compiled(restrict)


def restrict_answers(
    view: StandardView, actions: ActionArray, bound: str = "covered", chance: float = 1.0
) -> np.ndarray:
    """Make the answers of a decision safe together, in place; see `restrict`.

    Args:
        view: What the factory sees.
        actions: The answers, ``ACTION_DTYPE``, shape ``(MAX_PARTNERS,)``.
        bound: ``"covered"`` or ``"possible"``, see `scml_gym.standard.safety.bounds.BOUNDS`.
        chance: With which a partner takes an offer of the factory; 1 for the worst case.

    Returns:
        Which answers were changed, bool ``(MAX_PARTNERS,)``.

    Raises:
        InputError: if it is no view, there is no such bound, the chance is not one of 0 to 1, or the answers are of
            another form or cannot be changed.
    """
    check_view(view, VIEW_DTYPE)
    check_answers(actions, new_actions())
    if not actions.flags.writeable:
        raise InputError("the array of answers cannot be changed; give a copy of it")
    changed = np.zeros(MAX_PARTNERS)
    _restrict(view, named_bound(bound), check_chance(chance), actions, changed)
    return changed > 0


def judge_answers(view: StandardView, actions: ActionArray, bound: str = "covered", chance: float = 1.0) -> Harm:
    """What comes of the answers of a decision, all of them together; arguments as of `restrict_answers`.

    Raises:
        InputError: as `restrict_answers` does.

    Examples:
        >>> from scml_gym.standard.view import new_actions, new_view
        >>> view, actions = new_view(), new_actions()
        >>> view["n_days"], view["last_day"], view["lines"], view["max_quantity"] = 20, 10, 10, 30
        >>> view["n_consumers"], view["stock"], view["min_quantity"], view["max_output_price"] = 4, 8, 1, 30
        >>> view["partners"]["my_turn"][8] = 1
        >>> actions[8] = OFFER, 9, 2, 25
        >>> str(judge_answers(view, actions))
        'day 2: 1 items missing'
    """
    check_view(view, VIEW_DTYPE)
    check_answers(actions, new_actions())
    changed = np.zeros(MAX_PARTNERS)
    day, missing, unpaid, idle = _restrict(view, named_bound(bound), check_chance(chance), actions.copy(), changed)
    return Harm(day if day < 0 else int(view["day"]) + day, missing, unpaid, idle)
