"""What an environment shows of a player's day: tables, as text or as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from scml_gym.core.errors import InputError

RENDER_MODES = ("ansi", "rgb_array")

LEAST_WIDTH = 9
"""Of a column, in characters."""


class Table(NamedTuple):
    """Names of columns, and rows of as many texts."""

    heads: tuple[str, ...]
    rows: list[tuple[str, ...]]


def render_tables(mode: str, headline: str, tables: Sequence[Table]) -> str | np.ndarray:
    """Tables below a headline.

    Args:
        mode: ``"ansi"`` for text, ``"rgb_array"`` for uint8 pixels, shape ``(height, width, 3)``.
        headline: One line.
        tables: One or more.

    Raises:
        InputError: for another mode.
    """
    if mode == "ansi":
        return "\n".join([headline, *(line for table in tables for line in _lines(table))])
    if mode == "rgb_array":
        return _picture(headline, tables)
    raise InputError(f"render_mode={mode!r}; valid: {', '.join(RENDER_MODES)}", "render_mode")


def offer_text(quantity: int, price: int, *more: str) -> str:
    """An offer in a cell; a dash where there is none."""
    return " ".join((f"{quantity} @ {price}", *more)) if quantity else "-"


def status_of(partner: Any) -> str:
    """What became of the negotiation with a partner."""
    if partner["agreed_quantity"]:
        return "agreed"
    return "my turn" if partner["my_turn"] else "running" if partner["running"] else "ended"


def _lines(table: Table) -> list[str]:
    rows = [table.heads, *table.rows]
    widths = [max(LEAST_WIDTH, *map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows]


def _picture(headline: str, tables: Sequence[Table]) -> np.ndarray:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.2 * len(tables)), dpi=100)
    canvas = FigureCanvasAgg(figure)
    for i, (heads, rows) in enumerate(tables):
        axes = figure.add_subplot(len(tables), 1, i + 1)
        axes.axis("off")
        if i == 0:
            axes.set_title(headline, fontsize=9)
        if rows:
            table = axes.table(cellText=rows, colLabels=heads, loc="center", cellLoc="center")
            table.auto_set_font_size(False)
            table.set_fontsize(9)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
