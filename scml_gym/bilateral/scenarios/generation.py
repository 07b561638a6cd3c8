"""Random scenarios."""

from __future__ import annotations

from numbers import Integral

import numpy as np

from scml_gym.bilateral.scenarios.base import AdditiveProfile, Scenario
from scml_gym.core.errors import InputError


def random_scenario(
    rng: np.random.Generator,
    issues: tuple[int, int] = (2, 6),
    values: tuple[int, int] = (2, 5),
    profiles: int = 2,
) -> Scenario:
    """A scenario with additive profiles, drawn.

    Args:
        rng: Where all numbers come from.
        issues: Fewest and most issues, each number as likely as another.
        values: Fewest and most values of an issue, likewise for each issue.
        profiles: How many sides.

    Returns:
        Weights are uniform among those that sum to 1, evaluations uniform in [0, 1) up to the scale that equation (1)
        removes.

    Raises:
        InputError: if a range is empty or begins below 1, or no issue would have two values: each outcome would be
            worth the same.

    Example:
        >>> random_scenario(np.random.default_rng(1), issues=(3, 3), values=(4, 4)).n_outcomes
        64
    """
    for name, pair in {"issues": issues, "values": values}.items():
        kinds = isinstance(pair, tuple) and len(pair) == 2 and all(isinstance(n, Integral) for n in pair)
        if not kinds or any(isinstance(n, bool) for n in pair) or not 1 <= pair[0] <= pair[1]:
            raise InputError(f"{name}={pair!r}; valid: two whole numbers, 1 or more, the fewest first")
    if values[1] == 1:
        raise InputError(f"values={values!r}; valid: 2 or more for the most, as one outcome leaves nothing to prefer")
    sizes = np.ones(1, dtype=np.int64)
    while sizes.max() == 1:  # one outcome
        sizes = rng.integers(values[0], values[1] + 1, size=int(rng.integers(issues[0], issues[1] + 1)))
    names = {f"issue {i + 1}": tuple(f"value {v + 1}" for v in range(size)) for i, size in enumerate(sizes)}
    sides = []
    for k in range(profiles):
        weights = rng.dirichlet(np.ones(len(sizes)))
        evaluations = tuple(tuple(rng.random(size).tolist()) for size in sizes)
        sides.append(AdditiveProfile(f"side {k + 1}", tuple((weights / weights.sum()).tolist()), evaluations))
    return Scenario("random", names, tuple(sides))
