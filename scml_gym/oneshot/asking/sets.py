"""What each standing offer adds to the best set of them."""

from __future__ import annotations

import numpy as np

from scml_gym.jit.arrays import copy_line
from scml_gym.jit.compile import jittable
from scml_gym.oneshot.asking.values import MAX_TOTAL, Prospects, best_reply, fill_worth
from scml_gym.oneshot.view import MAX_PARTNERS, FactoryView

NOBODY_ELSE = -1
"""In place of the partner whose offer is left out."""


@jittable
def set_value(view: FactoryView, prospects: Prospects, without: int, top: int, end: np.ndarray) -> float:
    """What the best set of standing offers is worth, in money, where nobody is asked.

    Args:
        view: Of the factory.
        prospects: Of its partners.
        without: A partner whose offer is left out, or ``NOBODY_ELSE``.
        top: Totals above are not considered.
        end: float64 ``(MAX_TOTAL + 1,)``, the value after the last partner.
    """
    values = np.empty(MAX_TOTAL + 1)
    copy_line(end, values)
    for k in range(MAX_PARTNERS):
        if k != without and prospects.available[k] != 0 and prospects.quantities[k] > 0:
            for x in range(top + 1):  # larger totals are read after smaller ones are written only
                values[x], _ = best_reply(view, prospects, k, x, top, values)
    return float(values[0])


@jittable
def fill_set_gains(view: FactoryView, prospects: Prospects, later: float, gains: np.ndarray) -> None:
    """What the best set is worth less what it is worth without each partner's offer.

    Args:
        view: Of the factory.
        prospects: Of its partners.
        later: See `scml_gym.oneshot.asking.values.fill_worth`.
        gains: float64 ``(MAX_PARTNERS,)``, receives them in money; 0 for no offer, and where nothing is needed.
    """
    gains[:] = 0.0
    if view["needs"] <= 0:
        return
    end = np.zeros(MAX_TOTAL + 1)
    top = fill_worth(view, view["needs"], prospects, later, end)
    best = set_value(view, prospects, NOBODY_ELSE, top, end)
    for k in range(MAX_PARTNERS):
        standing = prospects.available[k] != 0 and prospects.quantities[k] > 0
        if standing:
            gains[k] = best - set_value(view, prospects, k, top, end)
