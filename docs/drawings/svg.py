"""What the drawings of this folder share: their colours, their parts as SVG, and how one is written or found stale.

A drawing brings its own background, and follows the reader's choice of light or dark.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

COLOURS = {  # class: fill or stroke in light and in dark
    "paper": ("#ffffff", "#161b22"),
    "ink": ("#1f2328", "#e6edf3"),
    "muted": ("#59636e", "#9aa4af"),
    "line": ("#d0d7de", "#3d444d"),
    "own": ("#0f766e", "#2dd4bf"),
    "own-box": ("#ccfbf1", "#0f3d3a"),
    "box": ("#f6f8fa", "#21262d"),
    "yes": ("#1a7f37", "#56d364"),
    "yes-box": ("#dafbe1", "#12331f"),
    "no": ("#b42318", "#ff8a80"),
    "no-box": ("#ffebe9", "#3c1a1d"),
    "cost": ("#cdd5df", "#4b5563"),
}


def style() -> str:
    """The classes, for light and for dark."""

    def rules(k: int) -> str:
        fills = "".join(f".{name}{{fill:{pair[k]}}}" for name, pair in COLOURS.items())
        return fills + "".join(f".s-{name}{{stroke:{COLOURS[name][k]}}}" for name in ("line", "own", "yes", "no"))

    fixed = "text{font:14px system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}"
    fixed += ".head{font-weight:600;font-size:17px}.small{font-size:12.5px}.strong{font-weight:600}"
    return f"<style>{fixed}{rules(0)}@media (prefers-color-scheme:dark){{{rules(1)}}}</style>"


def text(x: float, y: float, content: str, kind: str = "ink", anchor: str = "start") -> str:
    """One line of text."""
    return f'<text x="{x:g}" y="{y:g}" class="{kind}" text-anchor="{anchor}">{content}</text>'


def box(x: float, y: float, width: float, height: float, kind: str = "box", stroke: str = "line") -> str:
    """A rounded rectangle."""
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6" class="{kind} s-{stroke}"/>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str = "line", width: float = 1) -> str:
    """A straight line."""
    return f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" class="s-{kind}" stroke-width="{width:g}"/>'


def arrow(x1: float, x2: float, y: float, kind: str) -> str:
    """An arrow to the right."""
    head = f'<path d="M{x2:g} {y:g}l-8 -4.5v9z" class="{"own" if kind == "own" else "muted"}"/>'
    return line(x1, y, x2 - 7, y, kind, 2 if kind == "own" else 1.4) + head


def document(title: str, width: int, height: int, parts: Iterable[str]) -> str:
    """The whole drawing."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="{title}">'
    paper = f'<rect x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="10" class="paper s-line"/>'
    return "\n".join([head, f"<title>{title}</title>", style(), paper, *parts, "</svg>"]) + "\n"


def differs(target: Path, drawing: str) -> bool:
    """Whether a file is another drawing than this one, or is missing."""
    return not target.exists() or target.read_text(encoding="utf-8") != drawing


def main(script: str, target: Path, make: Callable[[], str]) -> None:
    """Write a drawing; with ``--check``, exit with 1 where the file is stale."""
    if "--check" in sys.argv[1:]:
        stale = differs(target, make())
        sys.exit(f"{target.relative_to(ROOT)} is stale: run python docs/drawings/{script}.py" if stale else 0)
    target.parent.mkdir(exist_ok=True)
    target.write_text(make(), encoding="utf-8")
