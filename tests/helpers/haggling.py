"""A toy game made of the shared code alone: a buyer and a seller haggle for a few rounds over the price of one item.

In each round both name a whole price, not knowing the other's. Where the bid reaches the ask, they trade at the price
in the middle; after the last round there is no trade. The buyer knows only what the item is worth to it, the seller
only what it costs.
"""

import numpy as np
from gymnasium import spaces

from scml_gym.game.calls import call_decide
from scml_gym.game.strategy import Strategy, StrategyInterface, StrategyPolicy
from scml_gym.jit.arrays import scratch_floats
from scml_gym.jit.compile import jittable
from scml_gym.jit.random import N_DRAWS, below, fill_draws, open_stream
from scml_gym.vector.records import RecordFunctions, RecordGame

ROUNDS, HIGHEST = 5, 10
BUYER, SELLER = 0, 1

VIEW_DTYPE = np.dtype([(n, np.int64) for n in ("player", "round", "limit", "mine", "theirs")])
"""What a player sees: its limit (worth or cost), and the last prices, -1 before the first round."""

ACTION_DTYPE = np.dtype([("price", np.int64)])

RECORD_DTYPE = np.dtype(
    [
        ("views", VIEW_DTYPE, (2,)),
        ("answers", ACTION_DTYPE, (1,)),  # of a strategy
        ("state", np.float64, (1,)),  # that it remembers
        ("stream", np.uint64, (1,)),
        ("seed", np.uint64),
        ("trade", np.bool_),
        ("price", np.float64),
    ],
    align=True,
)


def place(view):
    """Where a decision stands."""
    return int(view["player"]), int(view["round"]), 0


HAGGLING = StrategyInterface(VIEW_DTYPE, ACTION_DTYPE, 1, place)


def concede(view, state, params, draws, actions):
    """Open high, with some luck, and come down to the cost in the last round, slowly first."""
    if view["round"] == 0:
        state[0] = HIGHEST - 3.0 * draws[0]
    left = 1.0 - (view["round"] / (ROUNDS - 1)) ** params[0]
    actions[0]["price"] = int(np.ceil(view["limit"] + (state[0] - view["limit"]) * left))


CONCEDE = Strategy("concede", concede, {"exponent": 2.0}, state_size=1, n_draws=1, interface=HAGGLING)


@jittable
def restart(record, strategies, seed):
    """Draw what the item costs and what it is worth."""
    record["seed"], record["trade"], record["price"], record["state"][0] = seed, False, 0.0, 0.0
    open_stream(record["stream"], seed)
    for player in range(2):
        view = record["views"][player]
        view["player"], view["round"] = player, 0
        view["limit"] = below(record["stream"], 5) + (0 if player == SELLER else 6)
        view["mine"] = view["theirs"] = -1


@jittable
def ask_strategy(record, strategies):
    """The price of the strategy that plays the seller."""
    draws, player = scratch_floats(N_DRAWS), strategies[0]
    fill_draws(record["seed"], SELLER, record["views"][SELLER]["round"], 0, player["n_draws"], draws)
    record["answers"][0]["price"] = 0
    view = record["views"][SELLER:].ctypes.data
    call_decide(player, view, record["state"].ctypes.data, draws.ctypes.data, record["answers"].ctypes.data)
    return record["answers"][0]["price"]


@jittable
def act(record, strategies, actions, rewards):
    """One round; nobody bids above or asks below its limit."""
    buyer, seller = record["views"][BUYER], record["views"][SELLER]
    bid = min(actions[BUYER], buyer["limit"])
    ask = max(actions[SELLER] if len(actions) > 1 else ask_strategy(record, strategies), seller["limit"])
    buyer["mine"] = seller["theirs"] = bid
    buyer["theirs"] = seller["mine"] = ask
    buyer["round"] = seller["round"] = buyer["round"] + 1
    if bid >= ask:
        record["trade"], record["price"] = True, (bid + ask) / 2.0
        rewards[BUYER] = (buyer["limit"] - record["price"]) / HIGHEST
        if len(rewards) > 1:
            rewards[SELLER] = (record["price"] - seller["limit"]) / HIGHEST
    return record["trade"] or buyer["round"] == ROUNDS


@jittable
def observe(record, player, out):
    """The time, the own limit and the last prices, about from 0 to 1."""
    view = record["views"][player]
    out[0], out[1] = view["round"] / ROUNDS, view["limit"] / HIGHEST
    out[2], out[3] = view["mine"] / HIGHEST, view["theirs"] / HIGHEST


@jittable
def mask(record, player, out):
    """Prices within the own limit."""
    limit = record["views"][player]["limit"]
    for price in range(len(out)):
        out[price] = price <= limit if player == BUYER else price >= limit


def haggling(players=("buyer",), strategy=CONCEDE, **parameters):
    """The game for the buyer, against a strategy, or for both."""
    strategies = () if len(players) > 1 else (StrategyPolicy(strategy, 0, parameters),)
    return RecordGame(
        "haggling",
        RECORD_DTYPE,
        players,
        spaces.Box(-1.0, 1.0, (4,), np.float32),
        spaces.Discrete(HIGHEST + 1),
        RecordFunctions(restart, act, observe, mask),
        ("trade", "price"),
        strategies,
    )
