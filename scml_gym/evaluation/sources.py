"""What the worlds of a tournament were played with: digests of sources and run folders, and versions of packages.

Nothing is imported for it: the code of players runs in the processes of their worlds only.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from scml_gym.core.provenance import package_versions
from scml_gym.evaluation.config import TournamentConfig, competition_of
from scml_gym.experiments.checkpoints import means_best

OWN = "scml_gym"
"""Of the sources of this package."""

_SUFFIXES = (".py", ".pyx", ".so", ".pyd")


def played_with(config: TournamentConfig) -> dict[str, str]:
    """By name: of each player that is a folder, a file or a ``module:Name``, a digest of what it consists of, likewise
    of this package; and the versions of Python and of packages."""
    found = {name: version for name, version in package_versions().items() if version is not None}
    found[OWN] = _digest(_sources(Path(__file__).resolve().parents[1]))
    for name in (*config.competitors, *config.background, competition_of(config.game).substitute):
        digest = _player(name)
        if digest is not None:
            found[name] = digest
    return found


def _player(name: str) -> str | None:
    path, (module, colon, _) = Path(name), name.partition(":")
    run = path.parent if means_best(path) else path
    if (run / "run.json").is_file():  # other folders are refused when they are read
        return _digest(sorted(p for p in run.rglob("*") if p.is_file() and not p.name.startswith(".")), run)
    if path.is_file():
        return _digest([path], path.parent)
    if not colon or module in ("scml", "scml-agents", "zoo"):
        return None
    top = module.partition(".")[0]
    for folder in dict.fromkeys([os.getcwd(), *(p for p in sys.path if p)]):
        place = Path(folder) / top
        if place.is_dir():
            return _digest(_sources(place), place)
        files = [p for p in Path(folder).glob(f"{top}.*") if p.suffix in _SUFFIXES]
        if files:
            return _digest(sorted(files), Path(folder))
    return None


def _sources(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__pycache__")))
        yield from (Path(parent) / name for name in sorted(files) if name.endswith(_SUFFIXES))


def _digest(files: Iterable[Path], base: Path | None = None) -> str:
    digest = hashlib.sha256()
    for path in files:
        digest.update(os.fsencode(f"{path.relative_to(base) if base else path.name}\n"))
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
