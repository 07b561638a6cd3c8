"""WorldSpec: one Standard world's parameters as plain arrays, from scml's generator, a real world or a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from scml_gym.core.errors import InputError
from scml_gym.simulator.world_spec import MOST_LINES, MOST_MONEY, ArraySpec, numbers
from scml_gym.standard.rules import PRICE_RANGE, QUANTITY_MULTIPLIER
from scml_gym.standard.view import MAX_LEVELS, MAX_PER_LEVEL, MIN_LEVELS

if TYPE_CHECKING:
    from scml.oneshot.world import SCMLBaseWorld


@dataclass(frozen=True, eq=False)
class WorldSpec(ArraySpec):
    """All that is drawn before a world starts; with a seed and the players it determines the whole simulation.

    ``n`` factories level by level, 1 to 8 a level, on 2 to 4 levels; ``days`` simulated days. Money in the league's
    units, quantities in items. How long stock lasts and how far ahead goods may be traded are no part of it: they are
    arguments of the worlds.

    Attributes:
        level: int64 ``(n,)``, 0 to ``n_levels - 1``.
        lines: int64 ``(n,)``, items a factory can produce a day.
        production_cost: int64 ``(n,)``, money per item.
        initial_balance: int64 ``(n,)``, money.
        exogenous_quantity: int64 ``(n, days)``, supplies of level 0, sales of the last level; 0 for no contract.
        exogenous_price: int64 ``(n, days)``, unit price of that contract.
        shortfall_penalty: float64 ``(n, days)``, fraction of the output product's trading price per item not delivered.
        storage_cost: float64 ``(n, days)``, fraction of the input product's trading price per item in stock.
        penalty_profile: float64 ``(n, 4)``: mean and deviation of the shortfall penalty, then of the storage cost, from
            which the daily values were drawn; scml shows them to agents.
        catalog_prices: int64 ``(5,)``, at which trading prices start; 0 for products that there are not.
        rounds: Rounds of a negotiation.

    Source: scml/oneshot/world.py, ``SCMLBaseWorld.generate`` and constructor; scml/std/world.py.
    """

    schema: ClassVar[str] = "scml-gym-standard-world-spec-1"
    track: ClassVar[str] = "the Standard track"

    level: np.ndarray = field(metadata=numbers("factory", np.int64))
    lines: np.ndarray = field(metadata=numbers("factory", np.int64, low=1, high=MOST_LINES))
    production_cost: np.ndarray = field(metadata=numbers("factory", np.int64))
    initial_balance: np.ndarray = field(metadata=numbers("factory", np.int64, low=1, high=MOST_MONEY))
    exogenous_quantity: np.ndarray = field(metadata=numbers("day", np.int64))
    exogenous_price: np.ndarray = field(metadata=numbers("day", np.int64))
    shortfall_penalty: np.ndarray = field(metadata=numbers("day", np.float64))
    storage_cost: np.ndarray = field(metadata=numbers("day", np.float64))
    penalty_profile: np.ndarray = field(metadata=numbers("factory", np.float64, 4))
    catalog_prices: np.ndarray = field(metadata=numbers("world", np.int64, MAX_LEVELS + 1))
    rounds: int = 20

    def __post_init__(self) -> None:
        self.check_arrays()
        sizes = self.level_sizes
        if np.any(np.diff(self.level) < 0) or not MIN_LEVELS <= len(sizes) <= MAX_LEVELS:
            raise InputError(f"world spec: level must count {MIN_LEVELS} to {MAX_LEVELS} levels from 0, in order")
        if min(sizes) < 1 or max(sizes) > MAX_PER_LEVEL:
            raise InputError(
                f"world spec: levels of {', '.join(map(str, sizes))} factories; valid: 1 to {MAX_PER_LEVEL}"
            )
        middle = (self.level > 0) & (self.level < self.n_levels - 1)
        if np.any(self.exogenous_quantity[middle]):
            raise InputError("world spec: exogenous contracts of a middle level; only the first and the last have them")

    @property
    def n_levels(self) -> int:
        """Levels of factories; a product more than that is traded."""
        return len(self.level_sizes)

    @property
    def level_sizes(self) -> tuple[int, ...]:
        """Factories of each level."""
        return tuple(np.bincount(self.level.clip(0, None)).tolist()) if self.n_factories else ()

    @classmethod
    def from_world(cls, world: SCMLBaseWorld) -> WorldSpec:
        """Read the parameters of a real Standard world, at any time of its life.

        Factories are ordered level by level, else as in the world.

        Raises:
            InputError: if it is a OneShot world, or another one whose rules are not those of the Standard track, or a
                factory has two exogenous contracts on a day.
        """
        from scml_gym.simulator.scml_parameters import read_world

        for name, value in _RULES.items():
            if getattr(world, name) != value:
                found = f"{name}={getattr(world, name)!r}, not {value!r}"
                raise InputError(f"world {world.name!r} is not of the Standard track: {found}")
        if not MIN_LEVELS <= world.n_processes <= MAX_LEVELS:
            raise InputError(
                f"world {world.name!r} has {world.n_processes} levels; valid: {MIN_LEVELS} to {MAX_LEVELS}"
            )
        if any(np.any(costs) for costs in map(np.asarray, world.agent_disposal_cost.values())):
            raise InputError(f"world {world.name!r} has disposal costs; factories of the Standard track have none")
        return cls(**with_all_products(read_world(world, "storage_cost")))


_RULES = {
    "perishable": False,
    "price_range_fraction": PRICE_RANGE,
    "quantity_multiplier": QUANTITY_MULTIPLIER,
    "wide_price_range": False,
    "allow_zero_quantity": False,
    "penalties_scale": "trading",
}
"""What scml's Standard worlds have in common (scml/std/world.py)."""


def with_all_products(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of a spec with the catalog prices of as many products as any world may have."""
    prices = np.zeros(MAX_LEVELS + 1, dtype=np.int64)
    prices[: len(fields["catalog_prices"])] = fields["catalog_prices"]
    return fields | {"catalog_prices": prices}
