"""What became of a factory's own offers: counts by partner, time, price and quantity, and the chances they tell.

A factory that is asked in each negotiation by itself sees what becomes of each offer by itself, too: it is accepted
before the factory is asked again anywhere, or later, or answered by another offer, or the negotiation ends.
"""

from __future__ import annotations

import numpy as np

from scml_gym.jit.compile import jittable
from scml_gym.jit.parameters import record_of
from scml_gym.oneshot.asking.values import MAX_ITEMS, PRICES, Prospects
from scml_gym.oneshot.view import MAX_PARTNERS, SELLER, FactoryView

TIMES, BUCKETS = 2, 5
"""Of counts: in the first round or later; 1, 2, 3 to 4, 5 to 7, 8 and more items."""

PARTNER_COUNTS_DTYPE = np.dtype(
    [
        ("accepted", np.float64, (TIMES, PRICES, BUCKETS)),  # offers, by time, price (0 the worst, 1 the best), items
        ("answered", np.float64, (TIMES, PRICES, BUCKETS)),
        # of my offer that has no answer yet
        ("pending", np.float64),  # its items; 0 for none
        ("price", np.float64),  # 0 the worst, 1 the best
        ("late", np.float64),  # 0 in the first round, else 1
        ("offered_in", np.float64),  # the pass
        ("seen_open", np.float64),  # later in that pass it was not accepted yet
        ("chance", np.float64),  # that it is accepted, as it was estimated
        # of days on which the factory was asked for this partner
        ("asked", np.float64),  # 1 if today is one
        ("days", np.float64),
        ("late_days", np.float64),  # when a pass went by before that, as with a buyer that waits
    ],
    align=True,
)

COUNTS_DTYPE = np.dtype(
    [
        ("passes", np.float64),  # of the day, as far as this factory was asked
        ("last_asked", np.float64),  # 1 + index of the partner that it was asked for last; 0 for none today
        ("at_once", np.float64),  # offers that were accepted before the factory was asked again
        ("later", np.float64),  # those that were accepted after that
        ("partners", PARTNER_COUNTS_DTYPE, (MAX_PARTNERS,)),
    ],
    align=True,
)
"""What a factory remembers; whole numbers as floats, as it is a strategy's state; zeros when a world begins."""

COUNTS_SIZE = COUNTS_DTYPE.itemsize // 8

PRIOR = np.array(
    [
        [  # of a seller: in the first round at the worst price and at the best one; later, likewise
            [[0.5, 0.45, 0.45, 0.2, 0.1], [0.25, 0.3, 0.35, 0.25, 0.1]],
            [[0.15, 0.2, 0.1, 0.05, 0.02], [0.05, 0.1, 0.05, 0.05, 0.02]],
        ],
        [  # of a buyer
            [[0.8, 0.8, 0.85, 0.85, 0.6], [0.45, 0.65, 0.7, 0.65, 0.3]],
            [[0.2, 0.3, 0.2, 0.1, 0.05], [0.06, 0.06, 0.06, 0.05, 0.05]],
        ],
    ]
)
"""Chances that an offer is accepted where nothing is known: by level, time, price and bucket of items."""

AT_ONCE, LATER = 1.0, 0.1
"""Counts of offers that were accepted at once and later, to begin with."""


@jittable
def counts_of(state: np.ndarray) -> np.void:
    """A strategy's state as a record of ``COUNTS_DTYPE``."""
    return record_of(state, COUNTS_DTYPE, 0)


@jittable
def bucket(quantity: int) -> int:
    """The bucket of a number of items."""
    if quantity < 3:
        return quantity - 1
    if quantity < 5:
        return 2
    return 3 if quantity < 8 else 4


@jittable
def count_pass(counts: np.void, k: int) -> None:
    """The factory is asked for partner ``k``: as negotiations are asked in the order of their partners, a pass begins
    where that order does not go on."""
    if k < counts["last_asked"]:
        counts["passes"] += 1
    counts["last_asked"] = k + 1
    known = counts["partners"][k]
    if known["asked"] == 0:
        known["asked"], known["days"] = 1, known["days"] + 1
        known["late_days"] += 1 if counts["passes"] > 0 else 0


@jittable
def see_answers(view: FactoryView, counts: np.void, day_over: bool) -> None:
    """Count what became of the offers that had no answer yet."""
    for k in range(view["n_partners"]):
        partner, known = view["partners"][k], counts["partners"][k]
        if int(known["pending"]) == 0:
            continue
        accepted, same_pass = partner["agreed_quantity"] > 0, counts["passes"] == known["offered_in"]
        if not (accepted or day_over or partner["running"] == 0 or partner["my_turn"] != 0):
            if same_pass:
                known["seen_open"] = 1
            continue
        time, price, items = int(known["late"]), int(known["price"]), bucket(int(known["pending"]))
        known["answered"][time, price, items] += 1.0
        known["accepted"][time, price, items] += 1.0 if accepted else 0.0
        known["pending"] = 0
        if accepted and known["seen_open"] != 0:
            counts["later"] += 1.0
        elif accepted and same_pass and not day_over:
            counts["at_once"] += 1.0
    if day_over:
        counts["passes"], counts["last_asked"] = 0, 0
        for k in range(view["n_partners"]):
            counts["partners"][k]["asked"] = 0


@jittable
def note_offer(counts: np.void, k: int, quantity: int, price: int, time: int, chance: float) -> None:
    """An offer is made to partner ``k``, which is accepted by that chance; its price and time
    as in `PARTNER_COUNTS_DTYPE`."""
    known = counts["partners"][k]
    known["pending"], known["price"], known["late"] = quantity, price, time
    known["offered_in"], known["seen_open"], known["chance"] = counts["passes"], 0, chance


@jittable
def acceptance_chance(
    view: FactoryView, counts: np.void, k: int, weights: tuple[float, float], time: int, price: int, items: int
) -> float:
    """The chance that an offer to partner ``k`` is accepted.

    Shrunk twice: what all partners together did towards ``PRIOR``, and what this one did towards that.

    Args:
        view: Of the factory.
        counts: Its memory.
        k: The partner.
        weights: In offers: of ``PRIOR``, and of what all partners did.
        time: 0 in the first round, else 1.
        price: 0 the worst, 1 the best.
        items: Bucket of the offer's items.
    """
    accepted, answered = weights[0] * PRIOR[view["level"], time, price, items], weights[0]
    for j in range(view["n_partners"]):
        accepted += counts["partners"][j]["accepted"][time, price, items]
        answered += counts["partners"][j]["answered"][time, price, items]
    known, mean = counts["partners"][k], accepted / answered
    chance = weights[1] * mean + known["accepted"][time, price, items]
    return float(chance / (weights[1] + known["answered"][time, price, items]))


@jittable
def fill_chances(view: FactoryView, counts: np.void, k: int, weights: tuple[float, float], chances: np.ndarray) -> None:
    """The chances that offers to partner ``k`` are accepted now.

    Args:
        view: Of the factory.
        counts: Its memory.
        k: The partner.
        weights: See `acceptance_chance`.
        chances: float64 ``(MAX_ITEMS + 1, PRICES)``, receives them; -1 for offers that are not made.
    """
    chances[:] = -1.0
    partner = view["partners"][k]
    if view["level"] == SELLER and partner["step"] >= view["n_rounds"] - 1:
        return  # an offer in the last round has no answer any more
    time = 1 if partner["step"] > 0 else 0
    for price in range(PRICES if view["max_price"] > view["min_price"] else 1):
        for items in range(BUCKETS):
            chance = acceptance_chance(view, counts, k, weights, time, price, items)
            for quantity in range(1, min(MAX_ITEMS, view["max_quantity"]) + 1):
                if bucket(quantity) == items:
                    chances[quantity, price] = chance


@jittable
def fill_all_chances(view: FactoryView, counts: np.void, parameters: np.void, prospects: Prospects) -> None:
    """Likewise to all whose next move is mine; the parameters are a record of ``PARAMETERS_DTYPE``."""
    for k in range(view["n_partners"]):
        if prospects.available[k] != 0:
            fill_chances(view, counts, k, (parameters["prior"], parameters["pooled"]), prospects.chances[k])


@jittable
def at_once_share(counts: np.void) -> float:
    """Of offers that are accepted, the share whose answer comes before the factory is asked again."""
    at_once, later = AT_ONCE + counts["at_once"], LATER + counts["later"]
    return float(at_once / (at_once + later))


@jittable
def late_share(counts: np.void, k: int) -> float:
    """Of the days on which the factory was asked for partner ``k``, the share on which a pass went by before."""
    known = counts["partners"][k]
    return float(known["late_days"] / max(known["days"], 1))


@jittable
def fill_pending(view: FactoryView, counts: np.void, prospects: Prospects) -> None:
    """My offers that have no answer yet, and the chances that they are still accepted.

    A seller's offer has its answer in the next pass at the earliest. A buyer's may have it at once, with chance ``s``:
    if it had none by then that is accepted with chance ``c``, it still is with ``c (1 - s) / (1 - c s)``.
    """
    s = 0.0 if view["level"] == SELLER else at_once_share(counts)
    for k in range(view["n_partners"]):
        known = counts["partners"][k]
        prospects.pending[k] = int(known["pending"])
        c = min(known["chance"], 0.999)
        prospects.late[k] = c * (1.0 - s) / (1.0 - c * s)
