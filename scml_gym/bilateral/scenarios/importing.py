"""Scenarios of others: folders of Genius domains (XML), and whatever else negmas reads."""

from __future__ import annotations

import contextlib
import io
import math
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
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
from scml_gym.bilateral.scenarios.genius import box_utilities, has_cost
from scml_gym.bilateral.scenarios.negmas_files import read_negmas_folder
from scml_gym.bilateral.scenarios.ufuns import evaluate, has_boxes, is_discounted, layers
from scml_gym.core.data_files import content_of
from scml_gym.core.errors import InputError
from scml_gym.core.warnings import quiet

ROUNDING = 0.02
"""By how much imported weights may miss 1, as rounded figures do; they are divided by their sum, with a warning."""


def import_scenario(folder: str | Path) -> Scenario:
    """Read a folder as negmas does, but as data alone: see `scml_gym.bilateral.scenarios.negmas_files`.

    Additive utility functions become weights and evaluations, and equation (1) holds for them: each evaluation is
    divided by the issue's maximum, which negmas leaves to its caller. Others are evaluated at each outcome, and divided
    by their maximum where that is above 1; non-linear profiles of Genius (boxes) have Genius' own values. Reserved
    values and discounts are left behind, with a warning.

    Raises:
        InputError: if negmas finds no scenario there, an issue is continuous, the space is too large, a name or a value
            is given twice, a value has no evaluation, weights do not sum to 1, or a profile is worth the same
            everywhere.
    """
    try:
        with quiet(), contextlib.redirect_stdout(io.StringIO()):
            found = read_negmas_folder(Path(folder))
    except InputError as error:
        raise InputError(f"{folder}: {error}") from error
    except Exception as error:  # negmas' readers raise whatever they stumble over
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise InputError(f"{folder}: negmas cannot read this scenario ({reason})") from error
    if found is None or not found[0].ufuns:
        raise InputError(f"{folder}: there is no scenario that negmas can read (Genius XML, YAML or JSON)")
    scenario, genius = found
    try:
        tables = {}
        if genius:
            issues = _issues(scenario.outcome_space, Path(folder).name)
            found = ((i, box_utilities(file, list(issues.values()))) for i, file in enumerate(genius.profiles))
            tables = {i: table for i, table in found if table is not None}
        discounted = any(map(is_discounted, scenario.ufuns)) or (
            genius is not None and any(map(has_cost, genius.profiles))
        )
        with content_of("what it says", "a scenario"):
            return _convert(scenario, Path(folder).name, tables, discounted)
    except InputError as error:
        raise InputError(f"{folder}: {error}") from error


def from_negmas(scenario: Any, name: str | None = None) -> Scenario:
    """A negmas ``Scenario`` as one of ours; see `import_scenario`.

    Args:
        scenario: Issues and utility functions.
        name: Of the result; by default the outcome space's, or the scenario's.

    Raises:
        InputError: as `import_scenario`; and for negmas' hyperrectangles, whose bounds negmas leaves out where Genius
            does not.
    """
    return _convert(scenario, name, {}, any(map(is_discounted, scenario.ufuns)))


def _issues(space: Any, name: str) -> dict[str, tuple[Any, ...]]:
    for issue in space.issues:
        if issue.is_continuous():
            raise InputError(
                f"{name}: issue {issue.name!r} is continuous; make it discrete first (Scenario.discretize)"
            )
    n = int(space.cardinality)
    if n > MOST_OUTCOMES:
        raise InputError(f"scenario {name!r}: {n} outcomes; valid: 1 to {MOST_OUTCOMES}")
    issues = {str(issue.name): tuple(issue.all) for issue in space.issues}
    if len(issues) < len(space.issues):
        raise InputError(f"scenario {name!r}: two issues of one name: {[str(issue.name) for issue in space.issues]}")
    return issues


def _convert(scenario: Any, name: str | None, tables: Mapping[int, np.ndarray], discounted: bool) -> Scenario:
    """A scenario, with the tables of utilities that some of its profiles have from elsewhere."""
    space = scenario.outcome_space
    name = name or str(space.name or scenario.name or "scenario")
    issues = _issues(space, name)
    if discounted:
        warnings.warn(f"{name}: the discounts are left behind: time costs nothing here", stacklevel=3)
    names = _names([layers(ufun) for ufun in scenario.ufuns])
    profiles = tuple(_profile(names[i], ufun, space, tables.get(i)) for i, ufun in enumerate(scenario.ufuns))
    return Scenario(name, issues, profiles)


def _names(stacks: list[list[Any]]) -> list[str]:
    """Names of the profiles: negmas names a discount by chance, so the function below it has the say where it can."""
    names = [str(stack[-1].name or f"profile {i}") for i, stack in enumerate(stacks)]
    if len(set(names)) < len(names):
        names = [str(stack[0].name or f"profile {i}") for i, stack in enumerate(stacks)]
    return names


def _profile(name: str, ufun: Any, space: Any, table: np.ndarray | None) -> Profile:
    stack = layers(ufun)
    for reserved in dict.fromkeys(layer.reserved_value for layer in stack):
        if reserved not in (None, 0.0, -math.inf):
            figure = f"{reserved:g}" if isinstance(reserved, int | float) else str(reserved)
            warnings.warn(
                f"profile {name!r}: the reserved value {figure} is left behind: no agreement is worth 0", stacklevel=5
            )
    ufun = stack[-1]
    if table is not None:
        return TabulatedProfile(name, table)
    if has_boxes(ufun):
        raise InputError(
            f"profile {name!r}: negmas' hyperrectangles leave out their bounds, which Genius includes; valid: a folder"
            " of Genius (load_scenario), or a MappingUtilityFunction"
        )
    if isinstance(ufun, LinearAdditiveUtilityFunction) and not getattr(ufun, "_bias", 0.0):
        parts = [_evaluations(name, f, issue) for f, issue in zip(ufun.values, space.issues, strict=True)]
        if min(map(min, parts)) >= 0.0:
            return _additive(name, [issue.name for issue in space.issues], [float(w) for w in ufun.weights], parts)
    values = evaluate(name, ufun, list(space.enumerate()))
    return TabulatedProfile(name, values / max(values.max(), 1.0))


def _evaluations(profile: str, function: Any, issue: Any) -> list[float]:
    try:
        return [float(function(value)) for value in issue.all]
    except KeyError as error:
        raise InputError(f"profile {profile!r}: issue {issue.name!r} has no evaluation of {error}") from error
    except Exception as error:  # functions of users raise whatever they like
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise InputError(f"profile {profile!r}: issue {issue.name!r} cannot be evaluated ({reason})") from error


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
