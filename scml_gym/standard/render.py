"""A factory's day as text or as a picture, from the StandardView alone: stock and books, and its negotiations."""

from __future__ import annotations

import numpy as np

from scml_gym.game.rendering import RENDER_MODES, Table, offer_text, render_tables, status_of
from scml_gym.standard.rules import spare_inputs
from scml_gym.standard.view import BOOK_DAYS, MAX_PER_LEVEL, StandardView, is_consumer

__all__ = ["RENDER_MODES", "render_day"]

_OFFERS = ("offer", "my", "agreed")
_PARTNER_HEADS = ("partner", "status", "its offer", "my offer", "agreement")
_BOOK_HEADS = ("day", "bought", "cost", "sold", "revenue", "spare")


def render_day(view: StandardView, mode: str) -> str | np.ndarray:
    """The factory's day: stock, exogenous contracts and balance; what is in the books for each day, with the inputs
    left over after it if stock is used up; and each partner's offers and agreement.

    Args:
        view: What the factory sees.
        mode: ``"ansi"`` for text, ``"rgb_array"`` for uint8 pixels, shape ``(height, width, 3)``.

    Raises:
        InputError: for another mode.
    """
    tables = [Table(_BOOK_HEADS, _book_rows(view)), Table(_PARTNER_HEADS, _partner_rows(view))]
    return render_tables(mode, _headline(view), tables)


def _headline(view: StandardView) -> str:
    parts = [
        f"day {view['day'] + 1}/{view['n_days']}",
        f"factory {view['factory']}, level {view['level'] + 1}/{view['n_levels']}",
        f"stock {view['stock']}",
        f"balance {view['balance']:.0f}",
    ]
    if view["level"] == 0:
        parts.append(f"supply {offer_text(view['exogenous_supply'], int(view['exogenous_supply_price']))}")
    if view["level"] == view["n_levels"] - 1:
        parts.append(f"sales {offer_text(view['exogenous_sales'], int(view['exogenous_sales_price']))}")
    for name, there in (("input", view["n_suppliers"]), ("output", view["n_consumers"])):
        if there:
            parts.append(f"{name} {view[f'min_{name}_price']}-{view[f'max_{name}_price']}")
    return "  ".join(parts)


def _book_rows(view: StandardView) -> list[tuple[str, ...]]:
    spare = np.zeros(BOOK_DAYS, dtype=np.int64)
    spare_inputs(view, view["supplies"], view["sales"], spare)
    books = ("supplies", "supplies_cost", "sales", "sales_revenue")
    return [
        (str(view["day"] + ahead + 1), *(str(view[book][ahead]) for book in books), str(spare[ahead]))
        for ahead in range(view["last_day"] - view["day"] + 1)
    ]


def _partner_rows(view: StandardView) -> list[tuple[str, ...]]:
    rows = []
    for k, partner in enumerate(view["partners"]):
        if partner["exists"]:
            name = f"consumer {k - MAX_PER_LEVEL}" if is_consumer(k) else f"supplier {k}"
            rows.append((name, status_of(partner), *(_offer(partner, whose) for whose in _OFFERS)))
    return rows


def _offer(partner: np.void, whose: str) -> str:
    day = f"day {partner[f'{whose}_day'] + 1}"
    return offer_text(partner[f"{whose}_quantity"], partner[f"{whose}_price"], day)
