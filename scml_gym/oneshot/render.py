"""A day of negotiations as text or as a picture, from the FactoryView alone."""

from __future__ import annotations

import numpy as np

from scml_gym.game.rendering import RENDER_MODES, Table, offer_text, render_tables, status_of
from scml_gym.oneshot.view import BUYER, FactoryView

__all__ = ["RENDER_MODES", "render_day"]


def render_day(view: FactoryView, mode: str) -> str | np.ndarray:
    """The factory's day: its needs and balance, and each partner's offers and agreement.

    Args:
        view: What the factory sees.
        mode: ``"ansi"`` for text, ``"rgb_array"`` for uint8 pixels, shape ``(height, width, 3)``.

    Raises:
        InputError: for another mode.
    """
    return render_tables(mode, _headline(view), [Table(_HEADS, _rows(view))])


def _headline(view: FactoryView) -> str:
    side = "buyer" if view["level"] == BUYER else "seller"
    return (
        f"day {view['day'] + 1}/{view['n_days']}  {side} {view['factory']}  needs {view['needs']} of "
        f"{view['exogenous_quantity']}  balance {view['balance']:.0f}  "
        f"prices {view['min_price']}-{view['max_price']}"
    )


def _rows(view: FactoryView) -> list[tuple[str, ...]]:
    rows = []
    for k, partner in enumerate(view["partners"]):
        if partner["exists"]:
            offers = (offer_text(partner[f"{who}_quantity"], partner[f"{who}_price"]) for who in _OFFERS)
            rows.append((str(k), status_of(partner), *offers))
    return rows


_OFFERS = ("offer", "my", "agreed")
_HEADS = ("partner", "status", "its offer", "my offer", "agreement")
