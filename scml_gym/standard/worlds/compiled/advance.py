"""Running compiled worlds of the Standard track: `advance` and `ROWS` are explained in
scml_gym/simulator/compiled/advance.py."""

from __future__ import annotations

import numpy as np

from scml_gym.jit.compile import compiled, jittable
from scml_gym.simulator.compiled.advance import compile_advance, compile_rows
from scml_gym.simulator.compiled.negotiations import compile_negotiations
from scml_gym.simulator.compiled.recording import compile_note
from scml_gym.standard.view import BOOK_DAYS
from scml_gym.standard.worlds.compiled.day import DAYS
from scml_gym.standard.worlds.compiled.layout import World
from scml_gym.standard.worlds.compiled.negotiation import NEGOTIATIONS, PLAYERS, TRACK

advance = compile_advance(DAYS, NEGOTIATIONS)
"""Of batches, which are not recorded."""


@jittable
def _delivery(world: World, negotiation: np.void) -> int:
    return negotiation["offer_day"]


ROWS = compile_rows(
    DAYS.begin_world,
    compile_advance(DAYS, compile_negotiations(TRACK, PLAYERS, compile_note(_delivery))),
    PLAYERS.answer,
)
"""Of worlds that are played one at a time, which may be recorded."""


@compiled
def fill_hidden_state(world: World, daily: np.ndarray, table: np.ndarray) -> None:
    """The hidden state of all factories, ``HIDDEN_DTYPE`` of shape ``(MAX_FACTORIES,)``."""
    spec = world["spec"]
    for i in range(len(table)):
        table[i]["exists"] = 0
    day = min(world["day"], spec["n_days"] - 1)
    for factory in range(spec["n_factories"]):
        view, player = world["views"][factory], world["players"][factory]
        row, today, level = table[factory], daily[day][factory], spec["level"][factory]
        quantity = today["exogenous_quantity"]
        price = today["exogenous_price"] if quantity > 0 else 0.0
        first, last = level == 0, level == spec["n_levels"] - 1
        row["exists"] = 1
        row["level"] = level
        row["bankrupt"] = player["bankrupt"]
        row["stock"] = world["stock"][factory]
        row["exogenous_supply"], row["exogenous_supply_price"] = quantity if first else 0, price if first else 0.0
        row["exogenous_sales"], row["exogenous_sales_price"] = quantity if last else 0, price if last else 0.0
        row["production_cost"] = view["production_cost"]
        row["shortfall_penalty"] = today["shortfall_penalty"]
        row["storage_cost"] = today["storage_cost"]
        row["balance"] = player["total_profit"] + view["initial_balance"]
        row["initial_balance"] = view["initial_balance"]
        for ahead in range(BOOK_DAYS):  # the books of a world that is over are empty
            row["supplies"][ahead] = view["supplies"][ahead] if world["day"] <= day else 0
            row["sales"][ahead] = view["sales"][ahead] if world["day"] <= day else 0


@compiled
def hidden_state_one(worlds: np.ndarray, daily: np.ndarray, row: int, table: np.ndarray) -> None:
    """`fill_hidden_state` for one row of a batch."""
    fill_hidden_state(worlds[row], daily[row], table)
