"""What a process that was killed left of files that it was writing."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from pathlib import Path


def remove_leftovers(path: Path) -> None:
    """Remove what is left of writing a file or folder by `scml_gym.core.files.replace_file` or ``new_folder``: hidden
    files beside it, named by it and the id of a process that is gone.

    Args:
        path: Of the file or folder.
    """
    for leftover in path.parent.glob(f".{glob_escaped(path.name)}.*"):
        found = re.fullmatch(r"\d+", leftover.name[len(path.name) + 2 :])
        if found is None or _runs(int(found[0])):
            continue
        with contextlib.suppress(OSError):  # another start was faster
            if leftover.is_dir() and not leftover.is_symlink():
                shutil.rmtree(leftover)
            else:
                leftover.unlink()


def glob_escaped(name: str) -> str:
    """A name as a pattern that stands for itself."""
    return re.sub(r"([*?\[])", r"[\1]", name)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
