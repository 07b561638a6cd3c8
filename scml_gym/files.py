"""Files are written as a whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def replace_file(path: Path, content: str | bytes) -> None:
    """Write a file as a whole: readers, and a kill at any moment, see the old content or the new.

    Args:
        path: Of the file; its folder must exist.
        content: All of it.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(content.encode() if isinstance(content, str) else content)
    os.replace(temporary, path)
