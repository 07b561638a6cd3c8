"""Where a result comes from: the versions of what computed it, and the commit of the source."""

from __future__ import annotations

import hashlib
import importlib.util
import platform
import subprocess
from importlib import metadata
from pathlib import Path

PACKAGES = (
    "scml-gym",
    "scml",
    "negmas",
    "gymnasium",
    "pettingzoo",
    "numpy",
    "torch",
    "stable-baselines3",
    "sb3-contrib",
    "scml-agents",
    "negmas-genius-agents",
    "numba",
)


def versions() -> dict[str, str | None]:
    """Python, machine, packages and git commit, by name; None for what is not there.

    The commit ends in ``+changes`` where the source has uncommitted changes.
    """
    packages = package_versions()
    return {"python": packages.pop("python"), "platform": platform.platform(), **packages, "commit": commit()}


def package_versions() -> dict[str, str | None]:
    """Versions of Python and of packages, by name; None for what is not there."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    found |= {name: version_of(name) for name in PACKAGES}
    return found


def version_of(package: str) -> str | None:
    """Of an installed package; None where it is not there."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def source_digest() -> str:
    """SHA-256 of this package's modules and configurations, by which two installations are told apart."""
    files = {}
    for name in ("scml_gym", "scml_gym.agents", "scml_gym.configs"):  # in a checkout these are three places
        spec = importlib.util.find_spec(name)
        assert spec is not None and spec.submodule_search_locations
        root = Path(next(iter(spec.submodule_search_locations))).resolve()
        for path in root.rglob("*"):
            if path.suffix in (".py", ".yaml") and path.is_file():
                files[f"{name.replace('.', '/')}/{path.relative_to(root).as_posix()}"] = path
    digest = hashlib.sha256()
    for name, path in sorted(files.items()):
        content = path.read_bytes()
        digest.update(f"{name} {len(content)}\0".encode() + content)
    return digest.hexdigest()


def commit() -> str | None:
    """The commit that this source was checked out from, or None outside a checkout or without git."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    try:
        head = _git(root, "rev-parse", "HEAD")
        changes = _git(root, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return None
    return head + ("+changes" if changes else "")


def _git(root: Path, *arguments: str) -> str:
    # `status` would write what it finds into the index: a process that is killed then leaves the repository locked
    command = ["git", "--no-optional-locks", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.strip()
