"""What a scenario is, and its utilities by the paper's equation (1)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from scml_gym.core.errors import InputError, nearest

MOST_OUTCOMES = 5_000_000
"""A larger space is refused: utilities are kept in tables."""

WEIGHTS_TOLERANCE = 1e-6
"""By how much the weights of a profile may miss 1."""

ALIKE = 1e-12
"""Utilities no further apart than this differ by rounding only."""


class Profile(Protocol):
    """The preferences of one side."""

    @property
    def name(self) -> str:
        """Of the side, as ``England``."""
        ...

    def utilities(self, shape: tuple[int, ...]) -> np.ndarray:
        """float64 ``(n_outcomes,)`` in [0, 1], for a space with that many values of each issue."""
        ...

    def to_negmas(self, outcome_space: Any) -> Any:
        """The same as a negmas utility function."""
        ...


def check_worth(profile: str, issue: str | int, evaluations: Sequence[float]) -> None:
    """Refuse an issue of which no value is worth anything: equation (1) divides by the maximum.

    Raises:
        InputError: see above; it names profile and issue.
    """
    if max(evaluations, default=0.0) <= 0.0:
        raise InputError(f"profile {profile!r}: no value of issue {issue!r} has an evaluation above 0")


def check_utilities(profile: str, utilities: np.ndarray) -> None:
    """Refuse utilities that say nothing about what a side prefers, or that are none.

    Args:
        profile: Its name, for the message.
        utilities: float64, of each outcome.

    Raises:
        InputError: if one is not a number from 0 to 1, or all are equal.
    """
    check_range(profile, utilities)
    if np.ptp(utilities) <= ALIKE:
        raise InputError(
            f"profile {profile!r}: every outcome is worth the same ({utilities[0]:g}); valid: two different utilities"
        )


def check_range(profile: str, utilities: np.ndarray) -> None:
    wrong = utilities[~((utilities >= 0.0) & (utilities <= 1.0))]
    if len(wrong):
        raise InputError(f"profile {profile!r}: {float(wrong[0])!r} is not a utility; valid: from 0 to 1")


def _figure(profile: str, figure: Any) -> float:
    """A weight or an evaluation as a float."""
    number = isinstance(figure, int | float | np.integer | np.floating) and not isinstance(figure, bool)
    try:
        value = float(figure) if number else math.nan
    except OverflowError:
        value = math.inf
    if not (math.isfinite(value) and value >= 0):
        wrong = value if number else figure
        raise InputError(f"profile {profile!r}: {wrong!r} is not a weight or an evaluation; valid: 0 or more")
    return value


@dataclass(frozen=True)
class AdditiveProfile:
    """Preferences by issue: U = sum of weight x evaluation / maximum evaluation of the issue (equation (1)).

    Attributes:
        name: Of the side.
        weights: Of each issue, 0 or more, sum 1.
        evaluations: Of each value of each issue, 0 or more, in the order of the values; any scale.

    Raises:
        InputError: if one of these does not hold, or no value of an issue is worth anything.
    """

    name: str
    weights: tuple[float, ...]
    evaluations: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", tuple(_figure(self.name, w) for w in self.weights))
        evaluations = tuple(tuple(_figure(self.name, e) for e in values) for values in self.evaluations)
        object.__setattr__(self, "evaluations", evaluations)
        if len(self.weights) != len(self.evaluations):
            raise InputError(
                f"profile {self.name!r}: {len(self.weights)} weights for the evaluations of"
                f" {len(self.evaluations)} issues"
            )
        if abs(sum(self.weights) - 1.0) > WEIGHTS_TOLERANCE:
            raise InputError(f"profile {self.name!r}: the weights sum to {sum(self.weights):.6g}; valid: 1")
        for i, values in enumerate(self.evaluations):
            check_worth(self.name, i + 1, values)

    def utilities(self, shape: tuple[int, ...]) -> np.ndarray:
        """See `Profile`.

        Raises:
            InputError: if there is not one evaluation for each value.
        """
        lengths = tuple(map(len, self.evaluations))
        if lengths != tuple(shape):
            raise InputError(
                f"profile {self.name!r} does not have a figure for each value: {lengths} evaluations of the issues,"
                f" which have {tuple(shape)} values"
            )
        total = np.zeros(shape)
        for i, (weight, evaluations) in enumerate(zip(self.weights, self.evaluations, strict=True)):
            part = weight * np.array(evaluations) / max(evaluations)
            total += part.reshape([-1 if j == i else 1 for j in range(len(shape))])
        return np.minimum(total.ravel(), 1.0)  # rounding can add a last bit

    def to_negmas(self, outcome_space: Any) -> Any:
        """A ``LinearAdditiveUtilityFunction``, reserved value 0."""
        from negmas.preferences import LinearAdditiveUtilityFunction

        values: Any = {
            issue.name: dict(zip(issue.values, (e / max(evaluations) for e in evaluations), strict=True))
            for issue, evaluations in zip(outcome_space.issues, self.evaluations, strict=True)
        }
        return LinearAdditiveUtilityFunction(
            values=values,
            weights=list(self.weights),
            outcome_space=outcome_space,
            reserved_value=0.0,
            name=self.name,
        )


@dataclass(frozen=True, eq=False)
class TabulatedProfile:
    """Preferences of any form, by outcome.

    Attributes:
        name: Of the side.
        values: float64 ``(n_outcomes,)`` in [0, 1].
    """

    name: str
    values: np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", np.asarray(self.values, dtype=np.float64))
        check_range(self.name, self.values)

    def utilities(self, shape: tuple[int, ...]) -> np.ndarray:
        """See `Profile`."""
        return self.values.copy()

    def to_negmas(self, outcome_space: Any) -> Any:
        """A ``MappingUtilityFunction``, reserved value 0."""
        from negmas.preferences import MappingUtilityFunction

        mapping = dict(zip(outcome_space.enumerate(), self.values.tolist(), strict=True))
        return MappingUtilityFunction(mapping, outcome_space=outcome_space, reserved_value=0.0, name=self.name)


def _plain(value: Any) -> Any:
    """A value without NumPy's type."""
    return value.item() if isinstance(value, np.generic) else value


@dataclass(frozen=True)
class Scenario:
    """Issues and preferences over them; a negotiation that ends without agreement is worth 0, and time costs nothing.

    The index of an outcome counts in C order over the issues, the last one fastest, as negmas enumerates outcomes.

    Attributes:
        name: Of the scenario.
        issues: Names and values of the issues; values are texts or numbers.
        profiles: Preferences; the first is that of profile 0.

    Raises:
        InputError: if a name is not a text, an issue has no values or one of them twice, two profiles have the same
            name, a profile does not fit the issues, or is worth the same in every outcome; or the space is too large.
    """

    name: str
    issues: Mapping[str, tuple[Any, ...]]
    profiles: tuple[Profile, ...]

    def __post_init__(self) -> None:
        names = [profile.name for profile in self.profiles]
        for name in (self.name, *self.issues, *names):
            if not isinstance(name, str):
                raise InputError(f"scenario {self.name!r}: {name!r} is not a name; valid: a text")
        for name in names:
            if names.count(name) > 1:
                raise InputError(f"scenario {self.name!r}: {names.count(name)} profiles have the name {name!r}")
        issues = {issue: tuple(map(_plain, values)) for issue, values in self.issues.items()}
        object.__setattr__(self, "issues", issues)
        for issue, values in issues.items():
            once = len(set(values)) == len(values) and all(value == value for value in values)  # NaN is not itself
            if not values or not once:
                raise InputError(f"scenario {self.name!r}: issue {issue!r} needs values, each once")
        if not self.issues or self.n_outcomes > MOST_OUTCOMES:
            raise InputError(f"scenario {self.name!r}: {self.n_outcomes} outcomes; valid: 1 to {MOST_OUTCOMES}")
        for profile in self.profiles:
            try:
                utilities = np.asarray(profile.utilities(self.shape), dtype=np.float64)
                if utilities.shape != (self.n_outcomes,):
                    raise InputError(f"profile {profile.name!r} does not have a figure for each value")
                check_utilities(profile.name, utilities)
            except InputError as error:
                raise InputError(f"scenario {self.name!r}: {error}") from None

    def __eq__(self, other: object) -> bool:
        """Whether both are the same, the order of the issues included: profiles count on it."""
        if not isinstance(other, Scenario):
            return NotImplemented
        mine, others = list(self.issues.items()), list(other.issues.items())
        return (self.name, mine, self.profiles) == (other.name, others, other.profiles)

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """How many values each issue has."""
        return tuple(len(values) for values in self.issues.values())

    @property
    def n_outcomes(self) -> int:
        """Size of the outcome space."""
        return math.prod(self.shape)

    def utilities(self, profile: int) -> np.ndarray:
        """Utility of each outcome by a profile's index: float64 ``(n_outcomes,)`` in [0, 1], by equation (1).

        Raises:
            InputError: if there is no such profile.
        """
        if not isinstance(profile, int | np.integer) or profile not in range(len(self.profiles)):
            raise InputError(f"scenario {self.name!r} has no profile {profile!r}; valid: 0 to {len(self.profiles) - 1}")
        return self.profiles[profile].utilities(self.shape)

    def outcome(self, index: int) -> tuple[Any, ...]:
        """The values of an outcome.

        Raises:
            InputError: if the index is outside the space.
        """
        if index not in range(self.n_outcomes):
            raise InputError(f"outcome {index!r} is outside scenario {self.name!r}; valid: 0 to {self.n_outcomes - 1}")
        positions = np.unravel_index(index, self.shape)
        return tuple(values[int(p)] for values, p in zip(self.issues.values(), positions, strict=True))

    def index(self, outcome: Sequence[Any]) -> int:
        """The index of an outcome, the inverse of `outcome`.

        Raises:
            InputError: if it is not an outcome of this scenario.
        """
        if isinstance(outcome, str) or not isinstance(outcome, Sized) or len(outcome) != len(self.issues):
            raise InputError(f"outcome {outcome!r} is outside scenario {self.name!r}: it has {len(self.issues)} issues")
        index = 0
        for value, (issue, values) in zip(outcome, self.issues.items(), strict=True):
            if value not in values:
                raise InputError(
                    f"outcome {tuple(outcome)!r} is outside scenario {self.name!r}: {issue} has no value"
                    f" {value!r}{nearest(str(value), map(str, values))}"
                )
            index = index * len(values) + values.index(value)
        return index

    def to_negmas(self) -> Any:
        """The same as a negmas ``Scenario``; its utilities are those of equation (1), its reserved values 0."""
        from negmas.inout import Scenario as NegmasScenario
        from negmas.outcomes import make_issue, make_os

        space = make_os([make_issue(list(values), name) for name, values in self.issues.items()], name=self.name)
        return NegmasScenario(outcome_space=space, ufuns=tuple(p.to_negmas(space) for p in self.profiles))
