"""A world of OneShot as the tables of a recording, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from scml_gym.oneshot.settlement import settle_world
from scml_gym.oneshot.view import SELLER
from scml_gym.oneshot.worlds.spec import WorldSpec
from scml_gym.simulator.recording.tables import (
    About,
    Recomputed,
    Table,
    contracts_of,
    prices_of,
    recomputed,
    spec_fields,
    totals,
    world_tables,
)

if TYPE_CHECKING:
    import pandas as pd

PARTS = ("revenue", "supplies", "production", "disposal", "shortfall", "produced", "missing", "bankrupt")


def record_world(world: Any, about: About) -> dict[str, Table]:
    """The tables of a world that is over.

    Args:
        world: Of either backend, with a log.
        about: What the world does not know.
    """
    spec, contracts, shape = world.spec, world.contracts, (world.spec.n_factories, world.spec.n_days)
    settled = settle_world(spec, contracts, world.trading_prices)
    days = {
        "disposal_cost": spec.disposal_cost,
        **needs_of_days(spec, contracts, shape),
        "bought": totals(contracts, "buyer", "day", shape),
        "sold": totals(contracts, "seller", "day", shape),
        **{name: settled[name] for name in PARTS},
        "bankrupt": settled["bankrupt"] != 0,
        "unused": settled["disposed"],
    }
    own = {"game": "oneshot", "timing": world.timing, "stock": None, "horizon": 0}
    return world_tables(world, about, own, days, contracts["day"], np.zeros(len(contracts), dtype=np.bool_))


def recompute(tables: Mapping[str, pd.DataFrame]) -> Recomputed:
    """What a world brought, from its tables alone: its parameters and its contracts.

    Args:
        tables: ``worlds``, ``factories``, ``days`` and ``contracts`` of one world.
    """
    spec = WorldSpec(**spec_fields(tables, "disposal_cost"))
    contracts = contracts_of(tables)
    settled = settle_world(spec, contracts, prices_of(tables))
    return recomputed(spec, settled["profit"], needs_of_days(spec, contracts, (spec.n_factories, spec.n_days)))


def needs_of_days(spec: Any, contracts: np.ndarray, shape: tuple[int, int]) -> dict[str, np.ndarray]:
    """What is to be bought and sold on each day, in the morning and when its negotiations are over.

    Source: scml/oneshot/awi.py, ``needed_sales`` and ``needed_supplies``.
    """
    sellers = (spec.level == SELLER)[:, None]
    agreed = totals(contracts, "buyer", "day", shape) + totals(contracts, "seller", "day", shape)
    columns = {}
    for when, known in (("needed", np.zeros_like(agreed)), ("left", agreed)):
        needs = np.minimum(spec.lines[:, None], spec.exogenous_quantity - known)
        columns[f"{when}_supplies"] = np.where(sellers, 0, needs)
        columns[f"{when}_sales"] = np.where(sellers, needs, 0)
    return columns
