"""Traits: how a member of the stock family plays a day, see `scml_gym.standard.strategies.stock`.

Where goals say how much is to be bought and sold, traits say by which rule that is worked out anew at every decision:
how much material to hold, how far ahead to sell, and for which prices. The measuring stick ``ten-once`` is one of them,
the same on every day.
"""

from __future__ import annotations

import numpy as np
from gymnasium import spaces

from scml_gym.jit.compile import jittable
from scml_gym.standard.actions.goals import GoalForm
from scml_gym.standard.strategies.market import is_first_level
from scml_gym.standard.strategies.stock import N_TRAITS, TRAITS
from scml_gym.standard.view import BOOK_DAYS, StandardView

CHOSEN = {
    "material": (0.5, 1.0, 1.5),
    "expected": (0.0, 0.25, 0.5, 0.75),
    "buy_limit": (0.0, 1 / 3, 2 / 3),
    "promise": (0.5, 1.0, 1.5),
    "ahead": (1.0, 4.0, 10.0),
    "sell_limit": (0.0, 1 / 3),
    "firm": (0.0, 0.9),
    "exponent": (0.1, 0.3, 2.0),
}
"""The traits that are chosen, and their values; the first one of each does least.

The other traits are at their defaults, but for ``trust``: stock stays where the stock rule says so; and ``patience``:
it holds out for half of the rounds. Where stock stays, the first level never holds out: what it does not sell it pays
storage for on every later day, and many agents of the league end a negotiation in its first rounds. See
`scml_gym.standard.strategies.stock.carry_out`.
"""

BUYING, SELLING = ("material", "expected", "buy_limit"), ("promise", "ahead", "sell_limit")

SIZES = np.array([len(values) for values in CHOSEN.values()])
_PLACES = np.array([list(TRAITS).index(name) for name in CHOSEN])
_VALUES = np.zeros((len(CHOSEN), SIZES.max()))
for _i, _values in enumerate(CHOSEN.values()):
    _VALUES[_i, : len(_values)] = _values
_DEFAULTS = np.array(list((TRAITS | {"patience": 0.5}).values()))
_TRUST, _FIRM = (list(TRAITS).index(name) for name in ("trust", "firm"))
_SIDES = np.array([0 if name in BUYING else 1 if name in SELLING else 2 for name in CHOSEN])
N_CHOSEN, N_CHOICES = len(CHOSEN), int(SIZES.sum())


@jittable
def decode_traits(action: np.ndarray, view: StandardView, traits: np.ndarray) -> int:
    """The traits of choices, int64 ``(8,)``, written into ``traits``, float64 ``(N_TRAITS,)``.

    Returns:
        The first number that is outside the space, else -1.
    """
    for i in range(N_TRAITS):
        traits[i] = _DEFAULTS[i]
    traits[_TRUST] = 0.0 if view["physical"] != 0 else 1.0
    for i in range(N_CHOSEN):
        if not 0 <= action[i] < SIZES[i]:
            return i
        traits[_PLACES[i]] = _VALUES[i, action[i]]
    if is_first_level(view) and view["physical"] == 0:
        traits[_FIRM] = 0.0
    return -1


@jittable
def _leave(buying: bool, selling: bool, out: np.ndarray) -> None:
    """Take out all but the first choice of the traits of a side on which nothing is done."""
    first = 0
    for i in range(N_CHOSEN):
        if (_SIDES[i] == 0 and not buying) or (_SIDES[i] == 1 and not selling):
            out[first + 1 : first + SIZES[i]] = False
        first += SIZES[i]


@jittable
def trait_mask(view: StandardView, out: np.ndarray) -> None:
    """The valid choices, bool ``(23,)``: all, but only the first of the traits of a side that has no partners."""
    out[:] = True
    _leave(view["n_suppliers"] > 0, view["n_consumers"] > 0, out)


@jittable
def narrow_traits(view: StandardView, accepts: np.ndarray, limits: np.ndarray, out: np.ndarray) -> None:
    """Leave only the first choice where nothing more may be traded on a side; see
    `scml_gym.standard.actions.safe.Narrow`."""
    least = view["min_quantity"]
    _leave(limits[:BOOK_DAYS].max() >= least, limits[BOOK_DAYS:].max() >= least, out)


TRAIT_CHOICES = GoalForm(
    spaces.MultiDiscrete(SIZES.tolist()),
    decode_traits,
    np.int64,
    ", ".join(f"{name} 0 to {len(values) - 1}" for name, values in CHOSEN.items()),
    tuple(CHOSEN),
    N_TRAITS,
    N_CHOICES,
    trait_mask,
    narrow_traits,
    "stock",
)
"""For each of the chosen traits one of its values; ``MultiDiscrete([3, 4, 3, 3, 3, 2, 2, 3])``."""
