"""What is installed, what is missing for what, and where compiled code is kept: ``scml-gym doctor``."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from scml_gym.core.provenance import commit

PACKAGE = "scml-gym"

PURPOSES = {
    "": "everything else",
    "league": "agents of the league as players (scml-agents:YEAR/Name)",
    "plot": "comparing trainings (scml-gym plot)",
    "analyzer": "looking into recorded worlds (scml-gym analyze)",
    "wandb": "the logger wandb",
    "mlflow": "the logger mlflow",
    "offline": "datasets and behaviour cloning (scml-gym dataset)",
    "tune": "searching the settings of a learner (scml-gym tune)",
    "peers": "examples of other libraries (examples/peers)",
    "notebooks": "running the notebooks (docs/notebooks)",
    "search": "searching parameters (benchmarks/dnb_search.py)",
    "ray": "several machines (--engine ray)",
    "genius": "comparisons with Genius' own agents (benchmarks/agent_k_peer.py)",
    "docs": "building the documentation's site",
    "dev": "tests and linters",
}
"""Extra -> what it is for; those that are not named here are told without it."""

SUPPORTED = ((3, 11), (3, 13))
"""First and last version of Python that is tested."""

MISSING = 1
"""Exit code where something is missing without which nothing works."""


@dataclass(frozen=True)
class Needed:
    """A package that is needed, as it is here.

    Attributes:
        requirement: What is asked for.
        extra: By which extra; empty for what is always needed.
        version: That is installed; None for none.
    """

    requirement: Requirement
    extra: str
    version: str | None

    @property
    def fits(self) -> bool:
        """Whether it is there, in a version that is asked for."""
        return self.version is not None and self.requirement.specifier.contains(self.version, prereleases=True)


def needed() -> list[Needed]:
    """Every package that this one or one of its extras asks for, in their order; empty where it is not installed."""
    try:
        texts = metadata.requires(PACKAGE) or []
        extras = metadata.metadata(PACKAGE).get_all("Provides-Extra") or []
    except metadata.PackageNotFoundError:
        return []
    found = []
    for requirement in map(Requirement, texts):
        asking = [extra for extra in ("", *extras) if _asked(requirement, extra)]
        if requirement.name != PACKAGE:
            asking = asking[:1] if asking[:1] == [""] else asking  # what is always needed is told once
            found += [Needed(requirement, extra, _version(requirement.name)) for extra in asking]
    return found


def _asked(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def report(code: Path | None, most_bytes: int) -> Iterator[str]:
    """Lines that say what is here and what is missing.

    Args:
        code: Where compiled code is kept; None where it cannot be kept.
        most_bytes: Of it that are kept.
    """
    low, high = SUPPORTED
    tested = low <= sys.version_info[:2] <= high
    told = "" if tested else f"; tested are {low[0]}.{low[1]} to {high[0]}.{high[1]}"
    yield f"Python {platform.python_version()} on {platform.platform()}, {os.cpu_count()} cores{told}"
    source = commit()
    version = _version(PACKAGE) or "not installed (its folder is used as it is)"
    yield f"{PACKAGE} {version}" + (f", commit {source[:12]}" if source else "") + f": {_package_folder()}"
    if not hasattr(os, "fork"):
        yield "MISSING: processes cannot be forked on this system: scml-gym evaluate plays no tournaments"
    yield ""
    yield from _packages(needed())
    yield ""
    yield from _compiled_code(code, most_bytes)


def _packages(found: list[Needed]) -> Iterator[str]:
    for extra in dict.fromkeys(package.extra for package in found):
        of_it = [package for package in found if package.extra == extra]
        wrong = [package for package in of_it if not package.fits]
        purpose = PURPOSES.get(extra, "")
        name = f"[{extra}] {purpose}".rstrip() if extra else "needed"
        yield f"{name}: " + (f"{len(wrong)} of {len(of_it)} packages are missing" if wrong else "all there")
        if not extra:
            yield "  " + ", ".join(f"{p.requirement.name} {p.version}" for p in of_it if p.fits)
        for package in wrong:
            here = "not installed" if package.version is None else f"{package.version} is installed"
            asked = f"{package.requirement.name} {package.requirement.specifier}".strip()
            yield f"  MISSING {asked} ({here})"
        if wrong:
            yield f"  pip install '{PACKAGE}{f'[{extra}]' if extra else ''}'"


def _compiled_code(folder: Path | None, most_bytes: int) -> Iterator[str]:
    if folder is None:
        yield "compiled code: cannot be kept, so that each process compiles anew for minutes: set SCML_GYM_CACHE_DIR"
        return
    sizes = []
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):  # another process has just removed it
            sizes.append(path.stat().st_size if path.is_file() else 0)
    held = f"{sum(sizes) / 2**20:.0f} of at most {most_bytes / 2**20:.0f} MiB"
    yield f"compiled code: {folder} ({held}); it may be deleted, and SCML_GYM_CACHE_DIR names another folder"


def _package_folder() -> Path:
    return Path(__file__).resolve().parents[1]


def doctor(code: Path | None, most_bytes: int) -> int:
    """Print the report; see `report`.

    Returns:
        The exit code: 0, or `MISSING`.
    """
    for line in report(code, most_bytes):
        print(line)
    return 0 if all(package.fits for package in needed() if not package.extra) else MISSING
