"""A day of negotiations as text or as a picture, from the FactoryView alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scml_gym.core.errors import InputError, nearest
from scml_gym.oneshot.view import BUYER, FactoryView

RENDER_MODES = ("ansi", "rgb_array")


def check_render_mode(mode: str | None, modes: Sequence[str] = RENDER_MODES) -> str | None:
    """A render mode, None for none.

    Raises:
        InputError: if there is no such mode.
    """
    if mode is not None and mode not in modes:
        raise InputError(f"render_mode={mode!r}{nearest(str(mode), modes)}")
    return mode


def render_day(view: FactoryView, mode: str) -> str | np.ndarray:
    """The factory's day: its needs and balance, and each partner's offers and agreement.

    Args:
        view: What the factory sees.
        mode: ``"ansi"`` for text, ``"rgb_array"`` for uint8 pixels, shape ``(height, width, 3)``.

    Raises:
        InputError: for another mode.
    """
    if mode == "ansi":
        return _text(view)
    if mode == "rgb_array":
        return _picture(view)
    raise InputError(f"render_mode={mode!r}; valid: {', '.join(RENDER_MODES)}", "render_mode")


def _headline(view: FactoryView) -> str:
    side = "buyer" if view["level"] == BUYER else "seller"
    return (
        f"day {view['day'] + 1}/{view['n_days']}  {side} {view['factory']}  needs {view['needs']} of "
        f"{view['exogenous_quantity']}  balance {view['balance']:.0f}  "
        f"prices {view['min_price']}-{view['max_price']}"
    )


def _rows(view: FactoryView) -> list[tuple[str, ...]]:
    def offer(quantity: int, price: int) -> str:
        return f"{quantity} @ {price}" if quantity else "-"

    rows = []
    for k, partner in enumerate(view["partners"]):
        if not partner["exists"]:
            continue
        agreed = offer(partner["agreed_quantity"], partner["agreed_price"])
        status = "my turn" if partner["my_turn"] else "running" if partner["running"] else "ended"
        rows.append(
            (
                str(k),
                status if agreed == "-" else "agreed",
                offer(partner["offer_quantity"], partner["offer_price"]),
                offer(partner["my_quantity"], partner["my_price"]),
                agreed,
            )
        )
    return rows


_HEADS = ("partner", "status", "its offer", "my offer", "agreement")


def _text(view: FactoryView) -> str:
    lines = [_headline(view), "  ".join(f"{h:>9}" for h in _HEADS)]
    lines += ["  ".join(f"{cell:>9}" for cell in row) for row in _rows(view)]
    return "\n".join(lines)


def _picture(view: FactoryView) -> np.ndarray:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.2), dpi=100)
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.axis("off")
    axes.set_title(_headline(view), fontsize=9)
    table = axes.table(cellText=_rows(view), colLabels=_HEADS, loc="center", cellLoc="center")
    table.auto_set_font_size(False)
    table.set_fontsize(9)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
