"""Files are written as a whole or not at all; a folder is written to by one process at a time."""

from __future__ import annotations

import errno
import os
import shutil
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import numpy as np

from scml_gym.core.errors import InputError


def replace_file(path: Path, content: str | bytes) -> None:
    """Write a file as a whole: readers, and a kill at any moment, see the old content or the new.

    Args:
        path: Of the file; its folder must exist.
        content: All of it.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)
        os.replace(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def new_folder(place: Path, meanwhile: Path | None = None) -> Iterator[Path]:
    """A folder that is filled under another name and then appears in its place: readers, and a kill at any moment, see
    all of it or nothing.

    Args:
        place: Where it is to stand; free, or an empty folder, when the ``with`` block ends.
        meanwhile: Where it is filled, on the same disk; what a kill left there goes. By default a hidden folder beside
            its place. Nothing is left of it where the block raises.

    Raises:
        OSError: if it cannot be made, or its place is the current folder.
    """
    if os.path.abspath(place) == os.getcwd():
        raise OSError(errno.EBUSY, "is the current folder, in whose place no other can appear")
    filling = meanwhile or place.with_name(f".{place.name}.{os.getpid()}")
    shutil.rmtree(filling, ignore_errors=True)
    try:
        filling.mkdir(parents=True)
        yield filling
        os.replace(filling, place)
    finally:
        shutil.rmtree(filling, ignore_errors=True)


def read_arrays(path: str | os.PathLike[str], what: str) -> dict[str, np.ndarray]:
    """The arrays of an npz file, by name; nothing in it is run.

    Args:
        path: Of the file.
        what: It is read as, for the message.

    Raises:
        InputError: if it is missing, damaged, or no npz file.
    """
    try:
        with np.load(path, allow_pickle=False) as data:
            return dict(data)
    except TypeError:
        reason = "it is a single array"
    except (OSError, ValueError, EOFError, MemoryError, RuntimeError) as error:  # one of them: an unknown compression
        reason = error
    except (zipfile.BadZipFile, zlib.error, struct.error) as error:
        reason = error
    raise InputError(f"{path}: cannot be read as {what} ({' '.join(str(reason).split())})")


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, where they are missing.

    Raises:
        InputError: if that is refused.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: {error.strerror or error}") from error


def take_lock(folder: Path, refusal: str) -> TextIO:
    """Take a folder's lock, which the system gives back when the file is closed or this process ends, however it ends.

    Args:
        folder: Must exist.
        refusal: What to say before the folder's name where another process has it.

    Raises:
        InputError: if another process has it.
    """
    lock = (folder / ".lock").open("w")
    lock_file(lock, f"{refusal} {folder}")
    return lock


def lock_file(file: TextIO, refusal: str) -> None:
    """Lock an open file until it is closed or this process ends; it is closed where another process has the lock.

    Raises:
        InputError: with ``refusal``, if another process has it.
    """
    import fcntl

    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise InputError(refusal) from error


@contextmanager
def folder_lock(folder: Path, refusal: str) -> Iterator[None]:
    """`take_lock` for the length of a ``with`` block."""
    lock = take_lock(folder, refusal)
    try:
        yield
    finally:
        lock.close()
