"""Scenarios of others: folders of Genius domains (XML), and whatever else negmas reads."""

from __future__ import annotations

import contextlib
import io
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from negmas.inout import Scenario as NegmasScenario
from negmas.preferences import LinearAdditiveUtilityFunction

from scml_gym.bilateral.scenarios.base import (
    MOST_OUTCOMES,
    WEIGHTS_TOLERANCE,
    AdditiveProfile,
    Profile,
    Scenario,
    TabulatedProfile,
    check_worth,
)
from scml_gym.core.errors import InputError
from scml_gym.core.warnings import quiet

ROUNDING = 0.02
"""By how much imported weights may miss 1, as rounded figures do; they are divided by their sum, with a warning."""


def import_scenario(folder: str | Path) -> Scenario:
    """Read a folder as negmas does.

    Additive utility functions become weights and evaluations, and equation (1) holds for them: each evaluation is
    divided by the issue's maximum, which negmas leaves to its caller. Others are evaluated at each outcome, and divided
    by their maximum where that is above 1. Reserved values and discounts are left behind, with a warning.

    Raises:
        InputError: if negmas finds no scenario there, an issue is continuous, the space is too large, a value has no
            evaluation, or weights do not sum to 1.
    """
    try:
        with quiet(), contextlib.redirect_stdout(io.StringIO()):
            scenario = NegmasScenario.load(Path(folder), safe_parsing=False)
    except Exception as error:  # negmas' readers raise whatever they stumble over
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise InputError(f"{folder}: negmas cannot read this scenario ({reason})") from error
    if scenario is None or not scenario.ufuns:
        raise InputError(f"{folder}: there is no scenario that negmas can read (Genius XML, YAML or JSON)")
    if any(getattr(ufun, "discount", 1.0) != 1.0 for ufun in scenario.ufuns):
        warnings.warn(f"{folder}: the discounts are left behind: time costs nothing here", stacklevel=2)
    try:
        return from_negmas(scenario.remove_discounting(), Path(folder).name)
    except InputError as error:
        raise InputError(f"{folder}: {error}") from error


def from_negmas(scenario: Any, name: str | None = None) -> Scenario:
    """A negmas ``Scenario`` as one of ours; see `import_scenario`.

    Args:
        scenario: Issues and utility functions.
        name: Of the result; by default the outcome space's.
    """
    space = scenario.outcome_space
    name = name or str(space.name)
    for issue in space.issues:
        if issue.is_continuous():
            raise InputError(
                f"{name}: issue {issue.name!r} is continuous; make it discrete first (Scenario.discretize)"
            )
    n = int(space.cardinality)
    if n > MOST_OUTCOMES:
        raise InputError(f"scenario {name!r}: {n} outcomes; valid: 1 to {MOST_OUTCOMES}")
    issues = {str(issue.name): tuple(issue.all) for issue in space.issues}
    return Scenario(name, issues, tuple(_profile(ufun, space, i) for i, ufun in enumerate(scenario.ufuns)))


def _profile(ufun: Any, space: Any, index: int) -> Profile:
    name = Path(str(ufun.name)).stem if ufun.name else f"profile {index}"
    if math.isfinite(ufun.reserved_value) and ufun.reserved_value != 0.0:
        warnings.warn(
            f"profile {name!r}: the reserved value {ufun.reserved_value:g} is left behind: no agreement is worth 0",
            stacklevel=4,
        )
    if isinstance(ufun, LinearAdditiveUtilityFunction) and not getattr(ufun, "_bias", 0.0):
        parts = [_evaluations(name, f, issue) for f, issue in zip(ufun.values, space.issues, strict=True)]
        if min(map(min, parts)) >= 0.0:
            return _additive(name, [issue.name for issue in space.issues], [float(w) for w in ufun.weights], parts)
    with quiet():
        values = np.array([float(ufun(outcome)) for outcome in space.enumerate()])
    return TabulatedProfile(name, values / max(values.max(), 1.0))


def _evaluations(profile: str, function: Any, issue: Any) -> list[float]:
    try:
        return [float(function(value)) for value in issue.all]
    except KeyError as error:
        raise InputError(f"profile {profile!r}: issue {issue.name!r} has no evaluation of {error}") from error


def _additive(name: str, issues: list[str], weights: list[float], evaluations: list[list[float]]) -> AdditiveProfile:
    """The profile of equation (1); an issue whose values are all worth nothing must have no weight."""
    for i, values in enumerate(evaluations):
        if max(values) == 0.0 and weights[i] == 0.0:
            evaluations[i] = [1.0] * len(values)
        check_worth(name, issues[i], evaluations[i])
    total = sum(weights)
    if WEIGHTS_TOLERANCE < abs(total - 1.0) <= ROUNDING:
        warnings.warn(f"profile {name!r}: the weights sum to {total:.6g}; divided by that", stacklevel=4)
        weights = [w / total for w in weights]
    return AdditiveProfile(name, tuple(weights), tuple(map(tuple, evaluations)))
