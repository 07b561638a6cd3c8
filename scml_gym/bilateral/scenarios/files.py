"""The file format of scenarios: YAML with the values of each issue, and each side's weights and evaluations."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import StrictFloat, StrictInt, StrictStr

from scml_gym.bilateral.scenarios.base import AdditiveProfile, Scenario, check_worth
from scml_gym.core.config import Config, Loaded, validate
from scml_gym.core.data_files import dump_yaml, parse_yaml, read_yaml
from scml_gym.core.errors import InputError
from scml_gym.core.files import replace_file


class IssuePreferences(Config):
    """One side's view of an issue: its weight, and an evaluation of each value, in the order of the values."""

    weight: StrictFloat
    evaluations: list[StrictFloat]


class ScenarioFile(Config):
    """What a scenario's file holds.

    Attributes:
        name: Of the scenario.
        issues: Values by the name of the issue; texts (``"No"`` needs its quotes in YAML) or numbers.
        profiles: By the name of the side and the name of the issue.
    """

    name: StrictStr
    issues: dict[StrictStr, list[StrictStr | StrictInt | StrictFloat]]
    profiles: dict[StrictStr, dict[StrictStr, IssuePreferences]]


def read_scenario(path: str | Path) -> Scenario:
    """Read a scenario's file.

    Raises:
        InputError: if it cannot be read, or what it says is wrong.
    """
    data = read_yaml(path)
    with Loaded(data, {"": str(path)}).naming_sources():
        return _scenario(data)


def _scenario(data: Mapping[str, Any]) -> Scenario:
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
    """Write a scenario's file, a new one; `read_scenario` reads it back equal.

    Raises:
        InputError: if a profile is not additive (the format has weights and evaluations only), a value is neither a
            text nor a finite number, the file exists, or it cannot be written.
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
    for issue, values in issues.items():
        for value in values:
            if type(value) not in (str, int, float) or (isinstance(value, float) and not math.isfinite(value)):
                raise InputError(f"issue {issue!r}: {value!r} cannot be written; valid: texts and finite numbers")
    text = _text({"name": scenario.name, "issues": issues, "profiles": profiles}, scenario)
    try:
        replace_file(path, text)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from error


def _text(content: Mapping[str, Any], scenario: Scenario) -> bytes:
    """The file's bytes, read back once: YAML has texts that it cannot hold."""
    try:
        text = dump_yaml(content)
        if _scenario(parse_yaml(text)) == scenario:
            return text.encode()
    except (yaml.YAMLError, UnicodeError, InputError):
        pass
    raise InputError(f"scenario {scenario.name!r} cannot be written: YAML would change one of its texts")
