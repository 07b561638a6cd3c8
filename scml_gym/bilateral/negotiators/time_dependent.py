"""Time-dependent negotiators: the aim is 1 - t^e of utility, the bid the outcome of lowest utility at or above it.

Source: the paper's equation (5), where e = 1 / 0.25 = 4 (boulware). Aims are utilities in [0, 1] as they are, not
rescaled to the range that a utility function reaches. The time is r / (T + 1) in round r of T.
"""

from __future__ import annotations

import numpy as np

from scml_gym.bilateral.negotiators.acceptance import accept_next
from scml_gym.bilateral.negotiators.base import POSITIVE, Table, TableStrategy, at_least, receive_nothing, relative_time
from scml_gym.jit.compile import jittable

EXPONENT = 0


@jittable
def propose(table: Table, step: int, n_steps: int, state: np.ndarray, params: np.ndarray, draws: np.ndarray) -> int:
    """The outcome just above the aim."""
    return at_least(table, 1.0 - relative_time(step, n_steps) ** params[EXPONENT])


def time_dependent(name: str, exponent: float, summary: str) -> TableStrategy:
    """The strategy with an aim of 1 - t^exponent, which accepts what is worth its next bid or more."""
    return TableStrategy(
        name,
        receive_nothing,
        propose,
        accept_next,
        {"exponent": exponent},
        summary=summary,
        ranges={"exponent": POSITIVE},
    )


BOULWARE = time_dependent("boulware", 4.0, "aims at 1 - t^4: holds out until late (equation 5)")
LINEAR = time_dependent("linear", 1.0, "aims at 1 - t")
CONCEDER = time_dependent("conceder", 0.5, "aims at 1 - t^0.5: gives way at once")
HARDLINER = time_dependent("hardliner", np.inf, "always bids its best outcome")
