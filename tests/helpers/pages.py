"""What the pages of the documentation tell a reader to do, and which of it belongs together."""

import functools
import itertools
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = ["README.md", *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs").glob("*.md"))]

MADE = re.compile(r"\b(?:runs|search)/[\w-]+|\b[\w-]+\.npz\b|\bmy_agent\b|\brecorded\b")
"""Names in commands and snippets of what is left behind for later ones."""


@dataclass(frozen=True)
class Step:
    """A command, a snippet, or a file that a page gives.

    Attributes:
        page: Where it stands.
        language: Of its block; of a block with a title, which is a file, that title.
        text: One line of a ``bash`` block, else the whole block.
    """

    page: str
    language: str
    text: str

    @property
    def names(self):
        """What ties it to other steps: files that it makes, takes or imports, and the page's Python, one namespace."""
        python = {f"{self.page}, Python"} if self.language == "python" else set()
        own = {self.language} if "." in self.language else set()
        files = set(re.findall(r"\b\w+\.py\b", self.text)) if self.language == "bash" else set()
        files = {name for name in files if not (ROOT / name).exists()}
        given = {name for name in files_of(self.page) if re.search(rf"\b{name[:-3]}(:\w| import\b)", self.text)}
        return python | own | files | given | set(MADE.findall(self.text))

    def __str__(self):
        words = " ".join(self.text.split()[1:4]) if self.language == "bash" else self.language
        return f"{self.page}: {words}"


@dataclass(frozen=True)
class Chain:
    """Steps of a page that need one another, in their order, and before them those of the README that they need."""

    steps: tuple[Step, ...]
    before: tuple[Step, ...] = ()

    def __str__(self):
        return str(self.steps[0])


@functools.cache
def files_of(page):
    """Names of the files of Python that a page gives."""
    return {language for language, _ in blocks(page) if language.endswith(".py")}


def blocks(page):
    """Language, or title, and text of each fenced block of a page."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.findall(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', text, flags=re.S | re.M)
    return [(title or language, text) for language, title, text in found]


def steps(page):
    """All steps of a page, in its order."""
    return [
        Step(page, language, part)
        for language, text in blocks(page)
        for part in (text.splitlines() if language == "bash" else [text])
        if language in ("bash", "python") or language.endswith(".py")
    ]


def chains(page):
    """The steps of a page, divided into those that can be taken without one another."""
    found = []
    for step in steps(page):
        tied = [chain for chain in found if any(step.names & other.names for other in chain)]
        found = [chain for chain in found if chain not in tied] + [[*itertools.chain(*tied), step]]
    order = {step: i for i, step in enumerate(steps(page))}
    found = [sorted(chain, key=order.__getitem__) for chain in found]
    return [Chain(tuple(chain), _needed(page, chain)) for chain in sorted(found, key=lambda c: order[c[0]])]


def _needed(page, chain):
    """The step of the README that makes each thing which a chain of another page takes and does not make itself."""
    if page == "README.md":
        return ()
    makers = {}
    for step in steps("README.md"):
        for name in MADE.findall(step.text):
            makers.setdefault(name, step)
    needed = []
    for step in chain:
        made_here = {name for other in chain[: chain.index(step)] for name in MADE.findall(other.text)}
        for name in MADE.findall(step.text):
            makes_it = f"--out {name}" in step.text
            if name in makers and name not in made_here and not makes_it and makers[name] not in needed:
                needed.append(makers[name])
    return tuple(needed)
