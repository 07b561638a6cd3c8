"""Texts of users and players, shown as they are: in a terminal, on a page or in a figure they are never markup."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

_MARKDOWN = re.compile(r"[\\`*\[\]<>|&~$]|(?<![^\W_])_|_(?![^\W_])")
"""What Markdown may take for markup; an underscore inside of a word is none."""


def printable(text: object) -> str:
    """A text for a terminal, on one line: what is no printable character, such as an escape sequence, is spelt out."""
    line = " ".join(str(text).split())
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)


def in_markdown(text: object) -> str:
    """A text for a cell or a sentence of a Markdown page, on one line, which a reader sees as it is."""
    return _MARKDOWN.sub(r"\\\g<0>", printable(text))


@contextmanager
def plain_labels() -> Iterator[None]:
    """In figures that are made inside, a dollar sign in a label is one; also as a decorator, ``@plain_labels()``."""
    import matplotlib

    with matplotlib.rc_context({"text.parse_math": False}):
        yield
