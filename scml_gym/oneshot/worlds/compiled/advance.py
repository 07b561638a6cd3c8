"""Running compiled worlds: on to the next decision from outside, or to the end of the day."""

from __future__ import annotations

import numpy as np

from scml_gym.jit.compile import compiled
from scml_gym.oneshot.rules import needs_of
from scml_gym.oneshot.view import MAX_PARTNERS
from scml_gym.oneshot.worlds.compiled.day import begin_day, begin_world, close_day
from scml_gym.oneshot.worlds.compiled.layout import NEW_DAY, World
from scml_gym.oneshot.worlds.compiled.negotiation import look, run_pass
from scml_gym.oneshot.worlds.compiled.players import answer

OVER, DECISION, DAY = 0, 1, 2
"""Why a world stopped: its last day is settled; external factories must decide; a day was settled."""


@compiled
def advance(world: World, daily: np.ndarray, prices: np.ndarray) -> int:
    """Run one world until it stops; to be called again, after the pending factories' answers where there are any.

    Args:
        world: A record of ``WORLD_DTYPE``.
        daily: ``DAILY_DTYPE``, shape ``(days, MAX_FACTORIES)``.
        prices: Trading prices at the start of each day, float64, shape ``(days + 1, 3)``.

    Returns:
        ``OVER``, ``DECISION`` or ``DAY``; after ``DAY`` the views still show how the day ended.
    """
    if world["phase"] == NEW_DAY:
        if world["day"] >= world["spec"]["n_days"]:
            return OVER
        begin_day(world, daily)
        if world["moves"] != 0 and look(world):
            return DECISION
    while world["running"] > 0:
        if not run_pass(world):
            return DECISION
        if world["moves"] != 0 and world["running"] > 0 and look(world):
            return DECISION
    close_day(world, daily, prices)
    return DAY


@compiled
def begin_one(worlds: np.ndarray, prices: np.ndarray, row: int) -> None:
    """`begin_world` for one row of a batch."""
    begin_world(worlds[row], prices[row])


@compiled
def advance_one(worlds: np.ndarray, daily: np.ndarray, prices: np.ndarray, row: int) -> int:
    """`advance` for one row of a batch."""
    return advance(worlds[row], daily[row], prices[row])


@compiled
def answer_one(worlds: np.ndarray, row: int, factory: int, actions: np.ndarray) -> None:
    """A pending factory's answers, ``ACTION_DTYPE`` of shape ``(MAX_PARTNERS,)``."""
    world = worlds[row]
    for k in range(MAX_PARTNERS):
        world["actions"][k] = actions[k]
    answer(world, factory)


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
