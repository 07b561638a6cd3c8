"""Files are written as a whole or not at all; a folder is written to by one process at a time."""

from __future__ import annotations

import errno
import io
import os
import shutil
import struct
import threading
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from scml_gym.core.data_files import DAMAGE
from scml_gym.core.errors import InputError

UNFINISHED = ".unfinished"
"""End of the names of what is not whole yet."""

KEPT_LETTERS = 40
"""Of its name, so many are in that."""

MOST_ARRAY_BYTES = 2**30
"""Of all arrays of a file that is read."""


def unfinished(path: Path) -> Path:
    """Where this thread writes what is to stand in a place: beside it, hidden, named by both."""
    return path.with_name(f".{path.name[:KEPT_LETTERS]}.{threading.get_native_id()}{UNFINISHED}")


def replace_file(path: Path, content: str | bytes) -> None:
    """Write a file as a whole: readers, and a kill or a power cut at any moment, see the old content or the new.

    Args:
        path: Of the file; its folder must exist.
        content: All of it.

    Raises:
        OSError: if it cannot be written, or a device stands there, about this file; what was there stays.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):  # the system says why of a folder
        raise FileExistsError(errno.EEXIST, "it is no ordinary file", str(path))
    temporary = unfinished(path)
    try:
        with errors_about(path):
            # a link in its place would be written through
            temporary.unlink(missing_ok=True)
            with temporary.open("xb") as file:
                file.write(content.encode() if isinstance(content, str) else content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
            _flush_folder(path.parent)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def write_arrays(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write arrays as an npz file, as `replace_file`; `read_arrays` reads them.

    Raises:
        OSError: as `replace_file`.
        ValueError: if an array holds objects.
    """
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    replace_file(path, content.getvalue())


def remove_tree(path: Path) -> None:
    """Remove a folder with all that is in it, or a file; of a link, the link alone. What is not there is removed."""
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


@contextmanager
def new_folder(place: Path, meanwhile: Path | None = None) -> Iterator[Path]:
    """A folder that is filled under another name and then appears in its place: readers, and a kill or a power cut at
    any moment, see all of it or nothing.

    Args:
        place: Where it is to stand; free, or an empty folder, when the ``with`` block ends.
        meanwhile: Where it is filled, on the same disk; what a kill left there goes. By default a hidden folder beside
            its place. Nothing is left of it where the block raises.

    Raises:
        OSError: if it cannot be made or filled, about this folder, or its place is the current folder.
    """
    if os.path.abspath(place) == os.getcwd():
        raise OSError(errno.EBUSY, "is the current folder, in whose place no other can appear")
    filling = meanwhile or unfinished(place)
    remove_tree(filling)
    try:
        with errors_about(place):
            filling.mkdir(parents=True)
            yield filling
            flush_tree(filling)
            os.replace(filling, place)
            _flush_folder(place.parent)
    finally:
        shutil.rmtree(filling, ignore_errors=True)


@contextmanager
def errors_about(path: Path) -> Iterator[None]:
    """Errors of the system that name no file, such as that a disk is full, are about this one."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno is not None:
            error.filename = str(path)
        raise


def flush_tree(folder: Path) -> None:
    """See to it that all files in a folder are on the disk, and not only on their way there."""
    for above, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError), open(os.path.join(above, name), "rb") as file:
                os.fsync(file.fileno())
        _flush_folder(Path(above))


def _flush_folder(folder: Path) -> None:
    """The names in a folder, where its file system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def read_arrays(path: str | os.PathLike[str], what: str) -> dict[str, np.ndarray]:
    """The arrays of an npz file, by name; nothing in it is run.

    Args:
        path: Of the file.
        what: It is read as, for the message.

    Raises:
        InputError: if it is missing, damaged, or no npz file.
    """
    try:
        with open(path, "rb") as file:
            if file.read(6) == b"\x93NUMPY":
                raise ValueError("it is a single array")
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > MOST_ARRAY_BYTES:
            raise InputError(f"{path}: cannot be read as {what} ({size} bytes of arrays; valid: {MOST_ARRAY_BYTES})")
        with np.load(path, allow_pickle=False) as data:
            arrays = {name: data[name] for name in data.files}
            if all(isinstance(array, np.ndarray) for array in arrays.values()):
                return arrays
            reason = "a member is no array"
    except InputError:
        raise
    # whatever bytes can be taken for: an unknown compression, a header that is no literal, a key that is encrypted
    except (OSError, zipfile.BadZipFile, zlib.error, struct.error, SyntaxError, RuntimeError, *DAMAGE) as error:
        reason = getattr(error, "strerror", None) or error
    raise InputError(f"{path}: cannot be read as {what} ({' '.join(str(reason).split())})")


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, where they are missing.

    Raises:
        InputError: if that is refused.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:  # ValueError: it is no name of a folder
        raise InputError(f"{folder}: {getattr(error, 'strerror', None) or error}") from error


def take_lock(folder: Path, refusal: str) -> TextIO:
    """Take a folder's lock, which the system gives back when the file is closed or this process ends, however it ends.

    Args:
        folder: Must exist.
        refusal: What to say before the folder's name where another process has it.

    Raises:
        InputError: if another process has it.
    """
    path = folder / ".lock"
    try:  # not through a link, whose file would be emptied
        lock = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o666), "w")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
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
