"""Running compiled worlds of OneShot: `advance` and `ROWS` are explained in scml_gym/simulator/compiled/advance.py."""

from __future__ import annotations

import numpy as np

from scml_gym.jit.compile import compiled, jittable
from scml_gym.oneshot.rules import needs_of
from scml_gym.oneshot.worlds.compiled.day import DAYS
from scml_gym.oneshot.worlds.compiled.layout import World
from scml_gym.oneshot.worlds.compiled.negotiation import NEGOTIATIONS, PLAYERS, TRACK
from scml_gym.simulator.compiled.advance import compile_advance, compile_rows
from scml_gym.simulator.compiled.negotiations import compile_negotiations
from scml_gym.simulator.compiled.recording import compile_note

advance = compile_advance(DAYS, NEGOTIATIONS)
"""Of batches, which are not recorded."""


@jittable
def _delivery(world: World, negotiation: np.void) -> int:
    return world["day"]


ROWS = compile_rows(
    DAYS.begin_world,
    compile_advance(DAYS, compile_negotiations(TRACK, PLAYERS, compile_note(_delivery))),
    PLAYERS.answer,
)
"""Of worlds that are played one at a time, which may be recorded."""


@compiled
def fill_hidden_state(world: World, daily: np.ndarray, table: np.ndarray) -> None:
    """The hidden state of all factories, ``HIDDEN_DTYPE`` of shape ``(2 * MAX_PARTNERS,)``."""
    spec = world["spec"]
    for i in range(len(table)):
        table[i]["exists"] = 0
    day = min(world["day"], spec["n_days"] - 1)
    for factory in range(spec["n_sellers"] + spec["n_buyers"]):
        view, player = world["views"][factory], world["players"][factory]
        row, today = table[factory], daily[day][factory]
        row["exists"] = 1
        row["level"] = view["level"]
        row["bankrupt"] = player["bankrupt"]
        # scml has forgotten the last day's contracts when the world is over
        row["needs"] = view["needs"] if world["day"] <= day else needs_of(view["lines"], today["exogenous_quantity"], 0)
        row["exogenous_quantity"] = today["exogenous_quantity"]
        row["exogenous_price"] = today["exogenous_price"]
        row["production_cost"] = view["production_cost"]
        row["shortfall_penalty"] = today["shortfall_penalty"]
        row["disposal_cost"] = today["disposal_cost"]
        row["balance"] = player["total_profit"] + view["initial_balance"]
        row["initial_balance"] = view["initial_balance"]


@compiled
def hidden_state_one(worlds: np.ndarray, daily: np.ndarray, row: int, table: np.ndarray) -> None:
    """`fill_hidden_state` for one row of a batch."""
    fill_hidden_state(worlds[row], daily[row], table)
