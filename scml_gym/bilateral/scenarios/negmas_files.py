"""Folders of scenarios as negmas writes them, read as data: no class is looked up by a name in a file, nothing is run.

negmas' own reader of YAML imports whatever class a file names, and unpickles what is in it. So YAML is read here, and
only the classes in this module are made of it. Genius' XML and JSON hold no classes, and negmas reads them once they
are known to be of a size that it can read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import attrs
from negmas import outcomes, preferences
from negmas.inout import Scenario as NegmasScenario
from negmas.preferences import value_fun

from scml_gym.bilateral.scenarios.genius import check_domain
from scml_gym.core.arguments import brief
from scml_gym.core.data_files import parse_json, read_text, read_xml, read_yaml
from scml_gym.core.errors import InputError
from scml_gym.core.warnings import quiet

ISSUES = ("CategoricalIssue", "ContiguousIssue", "ContinuousIssue", "DiscreteCardinalIssue", "DiscreteOrdinalIssue")
"""Kinds of issues; each is made of its values and its name."""

VALUE_FUNCTIONS = ("AffineFun", "ConstFun", "IdentityFun", "LinearFun", "QuadraticFun", "TableFun", "TriangularFun")
"""Functions of one issue's value; each is made of numbers, or of a table of numbers."""

MOST_FUNCTIONS = 1_000
"""Utility functions of which one is made."""


class Files(NamedTuple):
    """A domain and the profiles of its sides."""

    domain: Path
    profiles: list[Path]


def read_negmas_folder(folder: Path) -> tuple[NegmasScenario, Files | None] | None:
    """The scenario in a folder, in whichever format it is kept: YAML, Genius' XML or its JSON; None for no scenario.

    Returns:
        The scenario, and its files where they are Genius' XML.

    Raises:
        InputError: if a file is not of its format, or names another class than those that are made here.
    """
    found = _sorted(folder, (".yml", ".yaml"), lambda path: str(read_yaml(path).get("type", "")))
    if files := _files(found, lambda kind: "OutcomeSpace" in kind, lambda kind: "fun" in kind.lower()):
        return _of_yaml(files, folder.name), None
    found = _sorted(folder, (".xml",), lambda path: str(read_xml(path).tag))
    found = [(path, kind) for path, kind in found if not path.name.endswith("pareto.xml")]
    with quiet():
        if files := _files(found, "negotiation_template".__eq__, "utility_space".__eq__):
            check_domain(files.domain, files.profiles)
            scenario = NegmasScenario.from_genius_files(*files, safe_parsing=False)
            return None if scenario is None else (scenario, files)
        found = _sorted(folder, (".json",), _kind_of_json)
        if files := _files(found, "domain".__eq__, "profile".__eq__):
            scenario = NegmasScenario.from_geniusweb_files(*files, safe_parsing=False)
            return None if scenario is None else (scenario, None)
    return None


def _sorted(folder: Path, endings: tuple[str, ...], kind: Callable[[Path], str]) -> list[tuple[Path, str]]:
    """Files by their names, and what each is; hidden ones are those of a system."""
    names = sorted(name for name in os.listdir(folder) if name.endswith(endings) and not name.startswith("."))
    return [(folder / name, kind(folder / name)) for name in names]


def _files(
    found: list[tuple[Path, str]], is_domain: Callable[[str], bool], is_profile: Callable[[str], bool]
) -> Files | None:
    domains = [path for path, kind in found if is_domain(kind)]
    return Files(domains[-1], [path for path, kind in found if is_profile(kind)]) if domains else None


def _kind_of_json(path: Path) -> str:
    data = parse_json(read_text(path), str(path))
    if not isinstance(data, dict) or path.name.endswith("specials.json"):
        return ""
    return "domain" if "issuesValues" in data else "profile" if "LinearAdditiveUtilitySpace" in data else ""


def _of_yaml(files: Files, name: str) -> NegmasScenario:
    data, path = read_yaml(files.domain), files.domain
    try:
        _kind(data, ("CartesianOutcomeSpace", "DiscreteCartesianOutcomeSpace"))
        issues = [_issue(issue) for issue in _list(data, "issues")]
        space = outcomes.make_os(issues, name=str(data.get("name") or files.domain.stem))
        ufuns = []
        for path in files.profiles:
            data = read_yaml(path)
            if sum(1 for _ in _functions(data)) > MOST_FUNCTIONS:
                raise InputError(f"more than {MOST_FUNCTIONS} functions in one")
            ufuns.append(_ufun(data, space))
    except InputError as error:
        raise InputError(f"{path.name}: {error}") from error
    return NegmasScenario(outcome_space=space, ufuns=tuple(ufuns), name=name)


def _issue(data: Any) -> Any:
    kind = _kind(data, ISSUES)
    values = _list(data, "values")
    if not all(isinstance(value, str | int | float) and not isinstance(value, bool) for value in values):
        raise InputError(f"issue {brief(data.get('name'))}: a value is neither a text nor a number")
    ranges = kind in ("ContiguousIssue", "ContinuousIssue")
    if ranges and not (len(values) in (2, 3) and all(isinstance(value, int | float) for value in values)):
        raise InputError(f"issue {brief(data.get('name'))}: {brief(values)} is no range; valid: [first, last]")
    return getattr(outcomes, kind)(values=tuple(values) if ranges else values, name=str(data.get("name")))


def _additive(data: Mapping[str, Any], space: Any, common: dict[str, Any]) -> Any:
    values = data.get("values")
    if isinstance(values, dict):
        made: Any = {name: _value_function(values[name]) for name in values}
    else:
        made = [_value_function(value) for value in _list(data, "values")]
    return preferences.LinearAdditiveUtilityFunction(
        values=made, weights=_numbers(data, "weights"), bias=_number(data, "bias", 0.0), **common
    )


def _affine(data: Mapping[str, Any], space: Any, common: dict[str, Any]) -> Any:
    return preferences.AffineUtilityFunction(_numbers(data, "weights"), _number(data, "bias", 0.0), **common)


def _weighted(data: Mapping[str, Any], space: Any, common: dict[str, Any]) -> Any:
    parts, weights = [_ufun(part, space) for part in _list(data, "ufuns")], _numbers(data, "weights")
    return preferences.WeightedUtilityFunction(parts, weights=weights, **common)


def _constant(data: Mapping[str, Any], space: Any, common: dict[str, Any]) -> Any:
    return preferences.ConstUtilityFunction(_number(data, "value"), **common)


def _linear_discount(data: Mapping[str, Any], space: Any, common: dict[str, Any]) -> Any:
    ufun = _ufun(data.get("ufun"), space)
    return preferences.LinDiscountedUFun(
        ufun, cost=_optional(data, "cost"), power=_number(data, "power", 1.0), **common
    )


def _exponential_discount(data: Mapping[str, Any], space: Any, common: dict[str, Any]) -> Any:
    return preferences.ExpDiscountedUFun(_ufun(data.get("ufun"), space), discount=_optional(data, "discount"), **common)


UTILITY_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "LinearAdditiveUtilityFunction": _additive,
    "AffineUtilityFunction": _affine,
    "LinearUtilityFunction": _affine,
    "WeightedUtilityFunction": _weighted,
    "ConstUtilityFunction": _constant,
    "LinDiscountedUFun": _linear_discount,
    "ExpDiscountedUFun": _exponential_discount,
}
"""What makes a utility function of each kind of its data."""


def _ufun(data: Any, space: Any) -> Any:
    kind = _kind(data, UTILITY_FUNCTIONS)
    common: dict[str, Any] = {"outcome_space": space}
    if data.get("name") is not None:
        common["name"] = str(data["name"])
    if data.get("reserved_value") is not None:
        common["reserved_value"] = _number(data, "reserved_value")
    return UTILITY_FUNCTIONS[kind](data, space, common)


def _functions(data: Any) -> Iterator[Any]:
    """A utility function's data, and those of the functions in it."""
    yield data
    if isinstance(data, dict):
        inner = data.get("ufuns")
        for part in [data.get("ufun"), *(inner if isinstance(inner, list) else ())]:
            if part is not None:
                yield from _functions(part)


def _value_function(data: Any) -> Any:
    if isinstance(data, dict) and "type" not in data:  # a table as it is
        data = {"type": "TableFun", "mapping": data}
    kind = _kind(data, VALUE_FUNCTIONS)
    if kind == "TableFun":
        return value_fun.TableFun(_numbers(data, "mapping"))
    made: Any = getattr(value_fun, kind)
    names = [field.name for field in attrs.fields(made) if field.init and field.name in data]
    return made(**{name: _number(data, name) for name in names})


def _kind(data: Any, valid: Any) -> str:
    """The kind that data say they are of, without negmas' module before it.

    Raises:
        InputError: if it is none of those that are valid.
    """
    said = data.get("type") if isinstance(data, dict) else None
    module, _, name = str(said).rpartition(".")
    if name not in valid or module.partition(".")[0] not in ("", "negmas"):
        raise InputError(f"{brief(said if isinstance(data, dict) else data)} is not read; valid: {', '.join(valid)}")
    return name


def _list(data: Mapping[str, Any], key: str) -> list[Any]:
    if not isinstance(data.get(key), list):
        raise InputError(f"{key} is {brief(data.get(key))}; valid: a list")
    return data[key]


def _numbers(data: Mapping[str, Any], key: str) -> Any:
    """A list or a mapping of numbers."""
    given = data.get(key)
    if isinstance(given, dict):
        return {name: _number(given, name) for name in given}
    if isinstance(given, list):
        return [_number({key: number}, key) for number in given]
    raise InputError(f"{key} is {brief(given)}; valid: numbers")


def _number(data: Mapping[Any, Any], key: Any, otherwise: float | None = None) -> float:
    value = data.get(key, otherwise)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{key} is {brief(value)}; valid: a number")
    try:
        return float(value)
    except OverflowError:
        raise InputError(f"{key} is larger than any number that is computed with") from None


def _optional(data: Mapping[str, Any], key: str) -> float | None:
    return None if data.get(key) is None else _number(data, key)
