"""A world of the Standard track as the tables of a recording, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from scml_gym.simulator.recording.tables import (
    About,
    Recomputed,
    Table,
    contracts_of,
    recomputed,
    spec_fields,
    totals,
    world_tables,
)
from scml_gym.standard.settlement import settle_world
from scml_gym.standard.worlds.spec import WorldSpec, with_all_products

if TYPE_CHECKING:
    import pandas as pd

PARTS = ("revenue", "supplies", "production", "storage", "shortfall", "produced", "missing")


def record_world(world: Any, about: About) -> dict[str, Table]:
    """The tables of a world that is over.

    Args:
        world: Of either backend, with a log.
        about: What the world does not know.
    """
    spec, contracts, shape = world.spec, world.contracts, (world.spec.n_factories, world.spec.n_days)
    nullified, stock = contracts["nullified"] != 0, world.stock[:, : world.spec.n_days]
    settled, delivered = settle_world(spec, contracts, world.stock_rule), contracts[~nullified]
    days = {
        "storage_cost": spec.storage_cost,
        "stock": stock,
        **needs_of_days(spec, stock, contracts, shape),
        "bought": totals(delivered, "buyer", "delivery", shape),
        "sold": totals(delivered, "seller", "delivery", shape),
        **{name: settled.table[name] for name in PARTS},
        "bankrupt": settled.bankrupt,
        "unused": settled.table["stored"],
    }
    own = {"game": "standard", "timing": "rounds", "stock": world.stock_rule, "horizon": world.horizon}
    return world_tables(world, about, own, days, contracts["delivery"], nullified)


def recompute(tables: Mapping[str, pd.DataFrame]) -> Recomputed:
    """What a world brought, from its tables alone: its parameters and its contracts.

    Args:
        tables: ``worlds``, ``factories``, ``days`` and ``contracts`` of one world.
    """
    spec = WorldSpec(**with_all_products(spec_fields(tables, "storage_cost")))
    contracts = contracts_of(tables)
    settled = settle_world(spec, contracts, str(tables["worlds"]["stock"].iloc[0]))
    needs = needs_of_days(spec, settled.stock[:, : spec.n_days], contracts, (spec.n_factories, spec.n_days))
    return recomputed(spec, settled.table["profit"], needs)


def needs_of_days(spec: Any, stock: np.ndarray, contracts: np.ndarray, shape: tuple[int, int]) -> dict[str, np.ndarray]:
    """What is to be bought and sold on each day, in the morning and when its negotiations are over.

    Source: scml/oneshot/awi.py, ``needed_sales`` and ``needed_supplies``; nullified contracts stay in the books.
    """
    first, last = (spec.level == 0)[:, None], (spec.level == spec.n_levels - 1)[:, None]
    inputs = stock + np.where(first, spec.exogenous_quantity, 0)
    exogenous_sales = np.where(first, 0, spec.exogenous_quantity)
    columns = {}
    for when, known in (("needed", contracts[contracts["day"] < contracts["delivery"]]), ("left", contracts)):
        supplies = inputs + totals(known, "buyer", "delivery", shape)
        sales = exogenous_sales + totals(known, "seller", "delivery", shape)
        columns[f"{when}_supplies"] = np.where(first, 0, sales - supplies)
        columns[f"{when}_sales"] = np.where(last, 0, supplies - sales)
    return columns
