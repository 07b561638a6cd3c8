"""The folder of what is kept between processes: compiled code, and what it was made of."""

from __future__ import annotations

import functools
import os
import sys
from pathlib import Path


@functools.cache
def code_folder() -> Path | None:
    """Where compiled code is kept; None, after a line that says so, where nothing can be written."""
    named = os.environ.get("SCML_GYM_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME")
    try:
        folder = Path(named or Path.home() / ".cache").absolute() / "scml_gym"
    except RuntimeError:
        return warn("there is no home folder")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        if not is_private(folder.stat()):
            return warn(f"{folder} belongs to another user or others may write to it, and kept code can run anything")
        probe = folder / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        return warn(f"{folder} cannot be written ({error.strerror})")
    return folder


def is_private(state: os.stat_result) -> bool:
    """Whether something belongs to this user, and nobody else may write to it."""
    return state.st_uid == os.getuid() and not state.st_mode & 0o022


def warn(reason: str) -> None:
    """Say on stderr why nothing is kept."""
    print(
        f"scml_gym: {reason}, so code is compiled anew in every process; give another folder in SCML_GYM_CACHE_DIR",
        file=sys.stderr,
    )
