"""What negmas leaves out of a Genius domain's XML files: boxes of non-linear profiles, and checks of names and order.

Genius' own values of boxes are those of its ``NonlinearUtilitySpace``: the bounds belong to the box, and the sum of the
boxes is divided by ``maxutility`` and at most 1. negmas leaves the bounds out of the box, and ``maxutility`` away.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from scml_gym.core.data_files import read_xml
from scml_gym.core.errors import InputError


def check_domain(domain: Path, profiles: Sequence[Path]) -> None:
    """Refuse a domain in which negmas would merge two things of one name, or give a weight to another issue.

    Raises:
        InputError: if an issue, an item or a weight is given twice, an item has no value, or a profile counts the
            issues in another order than the domain.
    """
    order = _check_issues(domain)
    for profile in profiles:
        for name, index in _check_issues(profile).items():
            if name in order and order[name] != index:
                raise InputError(
                    f"{profile.name}: issue {name!r} has index {index}, but {order[name]} in {domain.name}"
                )


def has_cost(profile: Path) -> bool:
    """Whether a profile has the linear discount that negmas writes, and does not read."""
    return next(read_xml(profile).iter("cost"), None) is not None


def box_utilities(profile: Path, issues: Sequence[Sequence[object]]) -> np.ndarray | None:
    """Utilities of a non-linear profile, or None of another one.

    Args:
        profile: Its file.
        issues: The values of each issue.

    Returns:
        float64 ``(n_outcomes,)``, the last issue fastest; Genius' own.

    Raises:
        InputError: if Genius would not read the profile, or boxes stand beside evaluations.
    """
    root = _objective(profile)
    space = next((child for child in root if child.tag in ("utility", "utility_function")), None)
    if space is None:
        return None
    if root.find("weight") is not None or root.find("issue/item[@evaluation]") is not None:
        raise InputError(f"{profile.name}: boxes and evaluations in one profile; valid: one of them")
    try:
        largest = float(space.get("maxutility", "nan"))
        function = space.find("ufun")
        if function is None or not 0.0 < largest < np.inf:
            raise ValueError("it needs a ufun and a maxutility above 0")
        if function.get("aggregation", "sum") != "sum" or function.find("ufun") is not None:
            raise ValueError("other than a plain sum of boxes")
        total = np.zeros([len(values) for values in issues])
        for box in function.findall("hyperRectangle"):
            total += _box(box, issues)
        return np.minimum(total.ravel() / largest, 1.0)
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise InputError(f"{profile.name}: its boxes cannot be read: {error}") from error


def _box(box: ElementTree.Element, issues: Sequence[Sequence[object]]) -> np.ndarray:
    """A box is worth its utility inside (INCLUDES), or outside (EXCLUDES); one without bounds, everywhere."""
    utility = float(box.attrib["utility"]) * float(box.get("weight", "1"))
    outside = box.findall("EXCLUDES")
    within = [np.ones(len(values), dtype=bool) for values in issues]
    for bound in outside or box.findall("INCLUDES"):
        issue, least, most = (int(float(bound.attrib[key])) for key in ("index", "min", "max"))
        if not 1 <= issue <= len(issues) or not all(isinstance(value, int) for value in issues[issue - 1]):
            raise ValueError(f"issue {issue} of a box is none of whole numbers")
        numbers = np.array(issues[issue - 1])
        within[issue - 1] &= (numbers >= least) & (numbers <= most)
    worth = np.full([len(values) for values in issues], utility if outside else 0.0)
    worth[np.ix_(*within)] = 0.0 if outside else utility
    return worth


def _objective(file: Path) -> ElementTree.Element:
    root = read_xml(file)
    space = root.find("utility_space") if root.tag == "negotiation_template" else root
    space = root if space is None else space
    objective = space.find("objective")
    return space if objective is None else objective


def _check_issues(file: Path) -> dict[str, str]:
    """Index of each issue of a file by its name."""
    root = _objective(file)
    issues = root.findall("issue")
    _each_once(file, "issue", (issue.get("name") for issue in issues))
    _each_once(file, "issue's index", (issue.get("index") for issue in issues))
    for issue in issues:  # negmas makes room for all up to the largest
        if (index := str(issue.get("index"))) not in map(str, range(len(issues) + 1)):
            raise InputError(f"{file.name}: an issue has the index {index!r}; valid: 1 to {len(issues)}")
    _each_once(file, "weight of index", (weight.get("index") for weight in root.findall("weight")))
    for issue in issues:
        _each_once(file, f"value of issue {issue.get('name')!r}", (item.get("value") for item in issue.findall("item")))
    return {str(issue.get("name")): str(issue.get("index")) for issue in issues}


def _each_once(file: Path, what: str, names: Iterable[str | None]) -> None:
    seen = set()
    for name in names:
        if name is None:
            raise InputError(f"{file.name}: a {what} is missing")
        if name in seen:
            raise InputError(f"{file.name}: {what} {name!r} is given twice")
        seen.add(name)
