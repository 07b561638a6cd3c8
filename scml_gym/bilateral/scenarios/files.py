"""The file format of scenarios: YAML with the values of each issue, and each side's weights and evaluations."""

from __future__ import annotations

import os
from pathlib import Path

import yaml
from pydantic import StrictStr

from scml_gym.bilateral.scenarios.base import AdditiveProfile, Scenario, check_worth
from scml_gym.core.config import Config, Loaded, read_yaml, validate
from scml_gym.core.errors import InputError
from scml_gym.core.files import replace_file


class IssuePreferences(Config):
    """One side's view of an issue: its weight, and an evaluation of each value, in the order of the values."""

    weight: float
    evaluations: list[float]


class ScenarioFile(Config):
    """What a scenario's file holds.

    Attributes:
        name: Of the scenario.
        issues: Values by the name of the issue; texts (``"No"`` needs its quotes in YAML).
        profiles: By the name of the side and the name of the issue.
    """

    name: StrictStr
    issues: dict[StrictStr, list[StrictStr]]
    profiles: dict[StrictStr, dict[StrictStr, IssuePreferences]]


def read_scenario(path: str | Path) -> Scenario:
    """Read a scenario's file.

    Raises:
        InputError: if it cannot be read, or what it says is wrong.
    """
    data = read_yaml(path)
    with Loaded(data, {"": str(path)}).naming_sources():
        content = validate(ScenarioFile, data)
        for name, preferences in content.profiles.items():
            if list(preferences) != list(content.issues):
                raise InputError(f"profiles.{name}: issues {list(preferences)}; valid: {list(content.issues)}")
            for issue, preference in preferences.items():
                check_worth(name, issue, preference.evaluations)
        profiles = [
            AdditiveProfile(
                name,
                tuple(p.weight for p in preferences.values()),
                tuple(tuple(p.evaluations) for p in preferences.values()),
            )
            for name, preferences in content.profiles.items()
        ]
        return Scenario(content.name, {k: tuple(v) for k, v in content.issues.items()}, tuple(profiles))


def write_scenario(scenario: Scenario, path: str | Path) -> None:
    """Write a scenario's file, a new one.

    Raises:
        InputError: if a profile is not additive (the format has weights and evaluations only), the file exists, or it
            cannot be written.
    """
    path = Path(path)
    if os.path.lexists(path):
        raise InputError(f"{path} exists already: nothing is overwritten")
    profiles = {}
    for profile in scenario.profiles:
        if not isinstance(profile, AdditiveProfile):
            raise InputError(f"profile {profile.name!r} is not additive, so it cannot be written as weights")
        rows = zip(scenario.issues, profile.weights, profile.evaluations, strict=True)
        profiles[profile.name] = {issue: {"weight": w, "evaluations": list(e)} for issue, w, e in rows}
    issues = {issue: list(values) for issue, values in scenario.issues.items()}
    content = {"name": scenario.name, "issues": issues, "profiles": profiles}
    try:
        replace_file(path, yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from error
