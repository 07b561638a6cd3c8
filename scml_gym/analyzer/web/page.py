"""What a page is, and what stands in its address."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from scml_gym.analyzer.sources import Recordings
from scml_gym.core.arguments import brief
from scml_gym.core.errors import InputError, nearest

EXACT = 2.0**53
"""Below it, a float tells whole numbers apart; larger ones stay floats, which DuckDB takes."""


class Query:
    """What is chosen on a page, as its address says it.

    Args:
        search: The part of an address from the question mark on.
    """

    def __init__(self, search: str | None):
        self.given = dict(parse_qsl((search or "").removeprefix("?")))

    def text(self, name: str) -> str | None:
        """A text; None where it is not given."""
        return self.given.get(name)

    def whole(self, name: str) -> int | None:
        """A whole number from 0 on; None where it is not given.

        Raises:
            InputError: if it is none.
        """
        text = self.given.get(name)
        if text is None:
            return None
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise InputError(f"{name}={text!r} in the address is no whole number from 0 on", name)
        return int(text)

    def number(self, name: str) -> float | None:
        """A number, an ``int`` where it is whole; None where it is not given.

        Raises:
            InputError: if it is none.
        """
        text = self.given.get(name)
        if text is None:
            return None
        try:
            number = float(text)
        except ValueError:
            raise InputError(f"{name}={brief(text)} in the address is no number", name) from None
        return int(number) if number.is_integer() and abs(number) < EXACT else number

    def run(self, recordings: Recordings) -> int:
        """The number of the recording that is looked at, 0 where none is given.

        Raises:
            InputError: if it is none of those that are open.
        """
        run = self.whole("run") or 0
        if run >= len(recordings.runs):
            raise InputError(f"run={run}: only {len(recordings.runs)} recordings are open, counted from 0", "run")
        return run

    def factory(self, world: str, known: Collection[int]) -> int | None:
        """The number of a factory of a world; None where none is given.

        Raises:
            InputError: if the world has no such factory.
        """
        factory = self.whole("factory")
        if factory is not None and factory not in known:
            has = f"has the factories 0 to {max(known)}" if known else "has no factories"
            raise InputError(f"factory={factory}: the world {world} {has}", "factory")
        return factory

    def one_of(self, name: str, valid: Iterable[str]) -> str:
        """A text out of some, the first of them where none is given.

        Raises:
            InputError: if it is none of them, or there are none.
        """
        options = list(valid)
        if not options:
            raise InputError(f"there is no {name} to be shown", name)
        text = self.text(name)
        if text is not None and text not in options:
            raise InputError(f"{name}={text!r} is not in this recording{nearest(text, options[:50])}", name)
        return options[0] if text is None else text


Show = Callable[[Recordings, Query], list[Any]]
"""``(recordings, query) -> components``. Raises `InputError`, which is shown in place of them, where the query asks for
what is not there."""


@dataclass(frozen=True)
class Page:
    """A page of the analyzer.

    Attributes:
        path: Of its address.
        title: In the menu, and above the page.
        help: What it shows, in words that a newcomer knows.
        show: What is shown at once.
        later: Parts below it that take longer, by name: each is asked for by itself, when the rest is shown.
        every: Seconds after which new worlds are looked for, and the page is made anew; None for never.
    """

    path: str
    title: str
    help: str
    show: Show
    later: Mapping[str, Show] = field(default_factory=dict)
    every: float | None = None


def address(path: str, **query: object) -> str:
    """The address of a page, without what is None."""
    chosen = {name: value for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(chosen)}" if chosen else path
