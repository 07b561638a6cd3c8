"""What a process that was killed left of files and folders that it was writing."""

from __future__ import annotations

import os
import re
from pathlib import Path

from scml_gym.core.files import KEPT_LETTERS, UNFINISHED, remove_tree

_LEFTOVER = re.compile(rf"\.(.+)\.(\d+){re.escape(UNFINISHED)}")


def remove_leftovers(folder: Path) -> None:
    """Remove what is left in a folder in which nobody else writes."""
    for path in folder.glob(f".*{UNFINISHED}"):
        if _LEFTOVER.fullmatch(path.name):
            remove_tree(path)


def remove_leftovers_of(place: Path) -> None:
    """Remove what is left beside a file or folder of writing it; what somebody is writing stays."""
    for path in leftovers_of(place):
        remove_tree(path)


def leftovers_of(place: Path) -> list[Path]:
    """What is left beside a file or folder of writing it, by processes that run no more."""
    name = place.name[:KEPT_LETTERS]
    found = {path: _LEFTOVER.fullmatch(path.name) for path in place.parent.glob(f".*{UNFINISHED}")}
    return [path for path, match in found.items() if match and match[1] == name and not _runs(int(match[2]))]


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
