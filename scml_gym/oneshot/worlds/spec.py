"""WorldSpec: one OneShot world's parameters as plain arrays, from scml's generator, a real world or a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from scml_gym.core.errors import InputError
from scml_gym.oneshot.view import BUYER, MAX_PARTNERS, SELLER
from scml_gym.simulator.world_spec import MOST_LINES, MOST_MONEY, ArraySpec, numbers

if TYPE_CHECKING:
    from scml.oneshot.world import SCMLBaseWorld

MAX_FACTORIES = 2 * MAX_PARTNERS


@dataclass(frozen=True, eq=False)
class WorldSpec(ArraySpec):
    """All that is drawn before a world starts; with a seed and the players it determines the whole simulation.

    ``n`` factories, sellers first; ``days`` simulated days. Money in the league's units, quantities in items.

    Attributes:
        level: int64 ``(n,)``, ``SELLER`` or ``BUYER``.
        lines: int64 ``(n,)``, items a factory can produce a day.
        production_cost: int64 ``(n,)``, money per item.
        initial_balance: int64 ``(n,)``, money.
        exogenous_quantity: int64 ``(n, days)``, supplies of a seller, sales of a buyer; 0 for no contract.
        exogenous_price: int64 ``(n, days)``, unit price of that contract.
        shortfall_penalty: float64 ``(n, days)``, fraction of the output product's trading price per item not delivered.
        disposal_cost: float64 ``(n, days)``, fraction of the input product's trading price per item not used.
        penalty_profile: float64 ``(n, 4)``: mean and deviation of the shortfall penalty, then of the disposal cost,
            from which the daily values were drawn; scml shows them to agents.
        catalog_prices: int64 ``(3,)``, at which trading prices start.
        rounds: Rounds of a negotiation.

    Source: scml/oneshot/world.py, ``SCMLBaseWorld.generate`` and constructor.
    """

    schema: ClassVar[str] = "scml-gym-world-spec-1"
    track: ClassVar[str] = "OneShot"

    level: np.ndarray = field(metadata=numbers("factory", np.int64))
    lines: np.ndarray = field(metadata=numbers("factory", np.int64, low=1, high=MOST_LINES))
    production_cost: np.ndarray = field(metadata=numbers("factory", np.int64))
    initial_balance: np.ndarray = field(metadata=numbers("factory", np.int64, low=1, high=MOST_MONEY))
    exogenous_quantity: np.ndarray = field(metadata=numbers("day", np.int64))
    exogenous_price: np.ndarray = field(metadata=numbers("day", np.int64))
    shortfall_penalty: np.ndarray = field(metadata=numbers("day", np.float64))
    disposal_cost: np.ndarray = field(metadata=numbers("day", np.float64))
    penalty_profile: np.ndarray = field(metadata=numbers("factory", np.float64, 4))
    catalog_prices: np.ndarray = field(metadata=numbers("world", np.int64, 3))
    rounds: int = 20

    def __post_init__(self) -> None:
        self.check_arrays()
        sizes = (self.n_sellers, self.n_buyers)
        if self.n_sellers + self.n_buyers != self.n_factories or np.any(np.diff(self.level) < 0):
            raise InputError("world spec: level must hold 0 (seller) and 1 (buyer) only, sellers first")
        if min(sizes) < 1 or max(sizes) > MAX_PARTNERS:
            raise InputError(f"world spec: {sizes[0]} sellers, {sizes[1]} buyers; each level takes 1 to {MAX_PARTNERS}")

    @property
    def n_sellers(self) -> int:
        """Factories of level 0."""
        return int(np.sum(self.level == SELLER))

    @property
    def n_buyers(self) -> int:
        """Factories of level 1."""
        return int(np.sum(self.level == BUYER))

    @classmethod
    def from_world(cls, world: SCMLBaseWorld) -> WorldSpec:
        """Read the parameters of a real OneShot world, at any time of its life.

        Factories are ordered sellers first, else as in the world.

        Raises:
            InputError: if the world is not a two-process OneShot world with at most one exogenous contract a
                factory and day.
        """
        from scml_gym.simulator.scml_parameters import read_world

        if world.n_processes != 2 or not world.perishable or world.horizon:
            raise InputError(f"world {world.name!r} is not a two-process perishable OneShot world")
        return cls(**read_world(world, "disposal_cost"))
