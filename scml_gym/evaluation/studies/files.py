"""The files that a study's config name: what is in them decides its results, so it is part of the config."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scml_gym.core.config import merge
from scml_gym.core.errors import InputError

FILES = "files_sha256"
"""Key of a complete config: key path of a value that names a file or folder -> digest of what is in it."""


def own_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """What a study is built from: a complete config without its name and the digests."""
    return {key: value for key, value in config.items() if key not in ("name", FILES)}


def digest(path: Path) -> str:
    """SHA-256 of a file; of a folder that of the names and contents of all files in it, in hexadecimal.

    Raises:
        InputError: if something is not readable.
    """
    found = hashlib.sha256()
    try:
        if not path.is_dir():
            found.update(path.read_bytes())
        else:
            for file in sorted(p for p in path.rglob("*") if p.is_file()):
                content = file.read_bytes()
                found.update(os.fsencode(f"{file.relative_to(path).as_posix()}\0{len(content)}\0"))
                found.update(content)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
    return found.hexdigest()


def with_digests(config: Mapping[str, Any], files: Mapping[str, Path]) -> dict[str, Any]:
    """Settings with absolute paths, and digests where there are any files.

    Args:
        config: As in a study file.
        files: See `scml_gym.evaluation.studies.study.NamesFiles.files`.
    """
    complete = dict(config)
    for key, path in files.items():
        value: Any = str(path.resolve())
        for part in reversed(key.split(".")):
            value = {part: value}
        complete = merge(complete, value)
    return complete | ({FILES: {key: digest(path) for key, path in files.items()}} if files else {})


def changed_file(config: Mapping[str, Any]) -> Path | None:
    """A file that a complete config names and that has been changed since that was loaded."""
    for key, before in config.get(FILES, {}).items():
        path = named(config, key)
        if digest(path) != before:
            return path
    return None


def named(config: Mapping[str, Any], key: str) -> Path:
    """What the value at a key path names."""
    value: Any = config
    for part in key.split("."):
        value = value[part]
    return Path(value)
