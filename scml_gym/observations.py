"""Joint observations: what a learner that answers all partners at once is shown, encoded from the AgentView alone.

An encoder turns a view (and, in full observability, the private fields of all factories) into named blocks of float32
numbers; the flat observation is these blocks laid end to end. Every slot has a name, a range and a meaning, listed by
`JointEncoder.slots`; numbers outside a slot's range are clipped to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from gymnasium import spaces

from scml_gym.errors import InputError
from scml_gym.view import BUYER, MAX_PARTNERS, AgentView


@dataclass(frozen=True)
class Slot:
    """One number of an observation: its name, its range and what it means."""

    name: str
    low: float
    high: float
    meaning: str


FACTORY_SLOTS = (
    Slot("day", 0, 1, "day / days"),
    Slot("buyer", 0, 1, "1 for a buyer (level 1), 0 for a seller (level 0)"),
    Slot("needs", -1, 1, "items still to be traded today / lines; negative where too much is agreed"),
    Slot("agreed", 0, 1, "items agreed today / lines"),
    Slot("exogenous_quantity", 0, 1, "items of today's exogenous contract / lines"),
    Slot("exogenous_price", 0, 2, "its unit price / trading price of its product"),
    Slot("good_margin", -1, 1, "profit of an item at the best price of today's range / highest price"),
    Slot("bad_margin", -1, 1, "profit of an item at the worst price of today's range / highest price"),
    Slot("production_cost", 0, 1, "production cost of an item / trading price of the output"),
    Slot("shortfall_penalty", 0, 2, "today's, as a fraction of the output's trading price"),
    Slot("disposal_cost", 0, 1, "today's, as a fraction of the input's trading price"),
    Slot("balance", -1, 4, "balance / initial balance"),
    Slot("market", -1, 1, "(demand - supply of all factories today) / (lines x factories of a level)"),
    Slot("partners", 0, 1, f"factories of the other level / {MAX_PARTNERS}"),
    Slot("competitors", 0, 1, f"factories of the own level / {MAX_PARTNERS}"),
)

PARTNER_SLOTS = (
    Slot("exists", 0, 1, "the slot stands for a factory"),
    Slot("running", 0, 1, "today's negotiation with it has not ended"),
    Slot("my_turn", 0, 1, "an answer is asked for now"),
    Slot("time", 0, 1, "relative time of the negotiation, (step + 1) / (rounds + 1)"),
    Slot("offer_quantity", 0, 1, "its last offer's quantity / highest quantity; 0 for none"),
    Slot("offer_price", 0, 1, "its last offer's price within today's range"),
    Slot("my_quantity", 0, 1, "my last offer's quantity / highest quantity; 0 for none"),
    Slot("my_price", 0, 1, "my last offer's price within today's range"),
    Slot("agreed_quantity", 0, 1, "quantity agreed today / highest quantity"),
    Slot("agreed_price", 0, 1, "price agreed today within today's range"),
)

OTHER_SLOTS = (
    Slot("exists", 0, 1, "the slot stands for a factory; sellers first"),
    Slot("buyer", 0, 1, "1 for a buyer"),
    Slot("bankrupt", 0, 1, "it has gone bankrupt"),
    Slot("needs", -1, 1, "items it still needs today / lines"),
    Slot("exogenous_quantity", 0, 1, "items of its exogenous contract / lines"),
    Slot("exogenous_price", 0, 2, "unit price of that contract / highest price of today's range"),
    Slot("production_cost", 0, 1, "production cost of an item / trading price of the output"),
    Slot("shortfall_penalty", 0, 2, "today's, as a fraction of the output's trading price"),
    Slot("disposal_cost", 0, 1, "today's, as a fraction of the input's trading price"),
    Slot("balance", -1, 4, "balance / initial balance"),
)

_OFFER_FIELDS = ("offer_quantity", "offer_price", "my_quantity", "my_price")
HISTORY_SLOTS = tuple(s for s in PARTNER_SLOTS if s.name in _OFFER_FIELDS)
_HISTORY_COLUMNS = [i for i, s in enumerate(PARTNER_SLOTS) if s.name in _OFFER_FIELDS]


class JointEncoder:
    """Encodes decisions of one factory; remembers past ones where a history is asked for.

    Args:
        observability: ``"partial"``: what the factory sees, the POMDP. ``"full"``: the private fields of all factories
            too, the MDP.
        layout: ``"flat"`` for a Box, ``"dict"`` for a Dict of the blocks ``factory`` (15,), ``partners`` (8, 10) and,
            where asked for, ``others`` (16, 10) and ``history`` (history, 8, 4).
        history: How many earlier decisions' offers to show, latest first, across days; zeros before the first.

    Raises:
        InputError: for an unknown observability or layout, or a negative history.
    """

    def __init__(
        self,
        observability: str = "partial",
        layout: str = "flat",
        history: int = 0,
    ):
        if observability not in ("partial", "full"):
            raise InputError(f"observability={observability!r}; valid: 'partial', 'full'")
        if layout not in ("flat", "dict"):
            raise InputError(f"observation={layout!r}; valid: 'flat', 'dict'")
        if not isinstance(history, int) or history < 0:
            raise InputError(f"history={history!r}; valid: a whole number of at least 0")
        self.full = observability == "full"
        self._flat = layout == "flat"
        self._frames = np.zeros((history, MAX_PARTNERS, len(HISTORY_SLOTS)), dtype=np.float32)
        blocks = {"factory": ((), FACTORY_SLOTS), "partners": ((MAX_PARTNERS,), PARTNER_SLOTS)}
        if self.full:
            blocks["others"] = ((2 * MAX_PARTNERS,), OTHER_SLOTS)
        if history:
            blocks["history"] = ((history, MAX_PARTNERS), HISTORY_SLOTS)
        self._bounds = {name: _bounds(shape, slots) for name, (shape, slots) in blocks.items()}
        self.slots = [
            Slot(f"{name}{''.join(f'[{i}]' for i in place)}.{slot.name}", slot.low, slot.high, slot.meaning)
            for name, (shape, slots) in blocks.items()
            for place in np.ndindex(*shape)
            for slot in slots
        ]
        """All slots in the order of the flat observation."""
        if self._flat:
            low, high = (np.concatenate([b[i].ravel() for b in self._bounds.values()]) for i in (0, 1))
            self.space: spaces.Space = spaces.Box(low, high, dtype=np.float32)
        else:
            self.space = spaces.Dict({n: spaces.Box(lo, hi, dtype=np.float32) for n, (lo, hi) in self._bounds.items()})

    def reset(self) -> None:
        """Forget the decisions of an earlier episode."""
        self._frames[:] = 0.0

    def encode(self, view: AgentView, privates: np.ndarray | None = None) -> np.ndarray | dict[str, np.ndarray]:
        """The observation of one decision; to be called once for each.

        Args:
            view: What the factory sees.
            privates: ``PRIVATE_DTYPE``, shape ``(2 * MAX_PARTNERS,)``; needed in full observability.

        Returns:
            float32: an array of ``space``'s shape, or a dict of them.
        """
        blocks = {"factory": _factory(view), "partners": _partners(view)}
        if self.full:
            assert privates is not None, "full observability needs the private fields"
            blocks["others"] = _others(view, privates)
        if len(self._frames):
            blocks["history"] = self._frames.copy()
        for name, block in blocks.items():
            low, high = self._bounds[name]
            blocks[name] = np.clip(block.astype(np.float32), low, high)
        if len(self._frames):
            self._frames[1:] = self._frames[:-1]
            self._frames[0] = blocks["partners"][:, _HISTORY_COLUMNS]
        if self._flat:
            return np.concatenate([b.ravel() for b in blocks.values()])
        return blocks


class PartnerEncoder:
    """The observation of one partner's negotiation: the factory's 15 slots and the partner's 10, flat, float32."""

    def __init__(self) -> None:
        self.slots = [*FACTORY_SLOTS, *PARTNER_SLOTS]
        self._low, self._high = _bounds((), (*FACTORY_SLOTS, *PARTNER_SLOTS))
        self.space: spaces.Space = spaces.Box(self._low, self._high, dtype=np.float32)

    def encode(self, view: AgentView, k: int) -> np.ndarray:
        """The observation of the negotiation with partner ``k``, shape ``(25,)``."""
        row = np.concatenate([_factory(view), _partners(view)[k]])
        return np.clip(row.astype(np.float32), self._low, self._high)


def _bounds(shape: tuple[int, ...], slots: tuple[Slot, ...]) -> tuple[np.ndarray, np.ndarray]:
    low, high = (np.array([getattr(s, end) for s in slots], dtype=np.float32) for end in ("low", "high"))
    return np.broadcast_to(low, (*shape, len(slots))), np.broadcast_to(high, (*shape, len(slots)))


def unit_margin(view: AgentView, price: float) -> float:
    """Profit in money of trading one needed item at that price (the seller buys it, the buyer sells it outside)."""
    gain = view["exogenous_price"] - price if view["level"] == BUYER else price - view["exogenous_price"]
    return float(gain - view["production_cost"])


def _factory(view: AgentView) -> np.ndarray:
    buyer = view["level"] == BUYER
    lines, high = float(view["lines"]), float(view["max_price"])
    best, worst = (view["min_price"], view["max_price"]) if buyer else (view["max_price"], view["min_price"])
    factories = max(int(view["n_partners"]), int(view["n_competitors"]) + 1)
    return np.array(
        [
            view["day"] / view["n_days"],
            buyer,
            view["needs"] / lines,
            view["agreed_quantity"] / lines,
            view["exogenous_quantity"] / lines,
            view["exogenous_price"] / (view["output_price"] if buyer else view["input_price"]),
            unit_margin(view, best) / high,
            unit_margin(view, worst) / high,
            view["production_cost"] / view["output_price"],
            view["shortfall_penalty"],
            view["disposal_cost"],
            view["balance"] / view["initial_balance"],
            (view["total_demand"] - view["total_supply"]) / (lines * factories),
            view["n_partners"] / MAX_PARTNERS,
            (view["n_competitors"] + 1) / MAX_PARTNERS,
        ]
    )


def _partners(view: AgentView) -> np.ndarray:
    p = view["partners"]
    width = max(1, int(view["max_price"] - view["min_price"]))
    block = np.empty((MAX_PARTNERS, len(PARTNER_SLOTS)))
    for column, name in enumerate(("exists", "running", "my_turn", "relative_time")):
        block[:, column] = p[name]
    for column, name in enumerate(("offer", "my", "agreed")):
        quantity = p[f"{name}_quantity"]
        block[:, 4 + 2 * column] = quantity / view["max_quantity"]
        block[:, 5 + 2 * column] = np.where(quantity > 0, (p[f"{name}_price"] - view["min_price"]) / width, 0.0)
    return block


def _others(view: AgentView, privates: np.ndarray) -> np.ndarray:
    lines = float(view["lines"])
    exists = privates["exists"]
    buyer = privates["level"] == BUYER
    columns = (
        exists,
        buyer * exists,
        privates["bankrupt"],
        privates["needs"] / lines,
        privates["exogenous_quantity"] / lines,
        privates["exogenous_price"] / view["max_price"],
        privates["production_cost"] / view["output_price"],
        privates["shortfall_penalty"],
        privates["disposal_cost"],
        privates["balance"] / np.maximum(privates["initial_balance"], 1.0),
    )
    return np.stack(columns, axis=1) * exists[:, None]
