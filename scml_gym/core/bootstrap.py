"""Bootstrapped confidence intervals over runs, of any statistic, stratified by task.

Source: R. Agarwal et al., *Deep Reinforcement Learning at the Edge of the Statistical Precipice*, NeurIPS 2021
(stratified bootstrap: runs are drawn anew within each task).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

RESAMPLES = 2_000
LEVEL = 0.95


def interval(strata: Sequence[np.ndarray], statistic: Callable[..., Any]) -> tuple[Any, Any]:
    """Ends of the 95 % percentile interval of a statistic; the same in every process.

    Args:
        strata: Samples, each with its runs along the first axis: runs are drawn within each, independently of others.
        statistic: Of as many arrays as there are strata, of the shapes that they have; a number or an array.

    Returns:
        What ``statistic`` gives, twice; NaN where every sample has a single run only.
    """
    from scipy import stats

    varied = [i for i, sample in enumerate(strata) if len(sample) > 1]  # a single run is always drawn
    if not varied:
        unknown = np.full(np.shape(statistic(*strata)), np.nan)
        return unknown[()], unknown[()]

    def of_chosen(*chosen: np.ndarray) -> Any:
        samples = list(strata)
        for i, index in zip(varied, chosen, strict=True):
            samples[i] = strata[i][index]
        return statistic(*samples)

    found = stats.bootstrap(
        [np.arange(len(strata[i])) for i in varied],  # indices of runs, so that a run may be an array
        of_chosen,
        vectorized=False,
        n_resamples=RESAMPLES,
        confidence_level=LEVEL,
        method="percentile",
        rng=np.random.default_rng(0),
    )
    return found.confidence_interval.low, found.confidence_interval.high
