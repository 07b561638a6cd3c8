"""A world of OneShot as the tables of a recording, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from scml_gym.oneshot.settlement import settle_world
from scml_gym.oneshot.view import SELLER
from scml_gym.simulator.recording.tables import (
    About,
    Table,
    by_day,
    contract_table,
    exogenous_columns,
    factory_table,
    log_tables,
    market_columns,
    totals,
    world_table,
)

PARTS = ("revenue", "supplies", "production", "disposal", "shortfall", "produced", "missing", "bankrupt")


def record_world(world: Any, about: About) -> dict[str, Table]:
    """The tables of a world that is over.

    Args:
        world: Of either backend, with a log.
        about: What the world does not know.
    """
    spec, contracts, shape = world.spec, world.contracts, (world.spec.n_factories, world.spec.n_days)
    sellers = (spec.level == SELLER)[:, None]
    settled = settle_world(spec, contracts, world.trading_prices)
    bought = totals(contracts, "buyer", "day", shape)
    sold = totals(contracts, "seller", "day", shape)
    morning, evening = (np.minimum(spec.lines[:, None], spec.exogenous_quantity - n) for n in (0, bought + sold))
    days = {
        **exogenous_columns(spec),
        "disposal_cost": spec.disposal_cost,
        "storage_cost": None,
        **market_columns(spec, world.trading_prices, world.profits),
        "stock": None,
        "needed_supplies": np.where(sellers, 0, morning),
        "needed_sales": np.where(sellers, morning, 0),
        "left_supplies": np.where(sellers, 0, evening),
        "left_sales": np.where(sellers, evening, 0),
        "bought": bought,
        "sold": sold,
        **{name: settled[name] for name in PARTS},
        "bankrupt": settled["bankrupt"] != 0,
        "unused": settled["disposed"],
        "storage": None,
        "profit": world.profits,
    }
    none = np.zeros(len(contracts), dtype=np.bool_)
    own = {"game": "oneshot", "backend": world.backend, "timing": world.timing, "stock": None, "horizon": 0}
    return {
        "worlds": world_table(spec, about, **own),
        "factories": factory_table(world, about),
        "days": by_day(days, shape),
        "contracts": contract_table(contracts, contracts["day"], none, world.log.events),
        **log_tables(world.log),
    }
