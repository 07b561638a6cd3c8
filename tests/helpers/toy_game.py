"""A toy game made of the shared code alone: its view, its rules, and one strategy.

Each day two players demand slices of a pie, not knowing the other's demand. Each has a number of slices that it could
get elsewhere that day, which the other does not know either. Where the demands fit into the pie, each gains what it
demanded beyond that number; else nothing.
"""

from functools import partial

import numpy as np
from gymnasium import spaces
from pettingzoo.utils import parallel_to_aec

from scml_gym.core.registry import Registry
from scml_gym.game.definition import Column
from scml_gym.game.strategy import Strategy, StrategyInterface
from scml_gym.jit.compile import jittable
from scml_gym.jit.random import below, open_stream
from scml_gym.registration import register_game
from scml_gym.vector.record_envs import RecordParallelEnv, define_game
from scml_gym.vector.records import RecordFunctions, RecordGame

PIE, MOST_ELSEWHERE = 10, 3

VIEW_DTYPE = np.dtype([(n, np.int64) for n in ("player", "day", "n_days", "elsewhere", "mine", "theirs")])
"""What a player sees: the slices that it could get elsewhere today, and the last demands, -1 on the first day."""

RECORD_DTYPE = np.dtype(
    [
        ("views", VIEW_DTYPE, (2,)),
        ("stream", np.uint64, (1,)),
        ("score", np.float64, (2,)),  # mean gain of a day, in pies
        ("agreements", np.int64, (2,)),
    ],
    align=True,
)


@jittable
def place(view):
    """Where a decision stands: its player, its day, and the number of it on that day."""
    return int(view["player"]), int(view["day"]), 0


INTERFACE = StrategyInterface(VIEW_DTYPE, np.dtype(np.int64), 1, place)


def claim(view, state, params, draws, actions):
    """Demand what the other has left, at times a slice more; first, its habit."""
    demand = params[0] if state[0] == 0.0 else PIE - state[0] + (1.0 if draws[0] < params[1] else 0.0)
    actions[0] = min(PIE, max(view["elsewhere"], int(demand)))


def remember(view, state, params):
    """Remember what the other demanded."""
    state[0] = max(1.0, 0.5 * state[0] + 0.5 * view["theirs"] if state[0] > 0.0 else float(view["theirs"]))


CLAIM = Strategy("claim", claim, {"first": 5.0, "greed": 0.1}, 1, learn=remember, n_draws=1, interface=INTERFACE)
STRATEGIES = Registry("strategy")
STRATEGIES.register("claim", CLAIM)


@jittable
def draw_elsewhere(record):
    """What both could get elsewhere on the next day."""
    for player in range(2):
        record["views"][player]["elsewhere"] = below(record["stream"], MOST_ELSEWHERE + 1)


@jittable
def restart(record, seed):
    """The first day."""
    open_stream(record["stream"], seed)
    draw_elsewhere(record)
    for player in range(2):
        record["views"][player]["mine"] = record["views"][player]["theirs"] = -1
        record["score"][player], record["agreements"][player] = 0.0, 0


@jittable
def act(record, answers, rewards):
    """A day; nobody gets less than it could get elsewhere, or more than the pie."""
    for player in range(2):
        view = record["views"][player]
        demand = min(PIE, max(view["elsewhere"], answers[player, 0]))
        view["mine"] = record["views"][1 - player]["theirs"] = demand
    if record["views"][0]["mine"] + record["views"][1]["mine"] <= PIE:
        for player in range(2):
            view = record["views"][player]
            rewards[player] = (view["mine"] - view["elsewhere"]) / PIE
            record["score"][player] += rewards[player] / view["n_days"]
            record["agreements"][player] += 1
    draw_elsewhere(record)
    return False


@jittable
def observe(view, out):
    """The time, and all slices as parts of a pie."""
    out[0], out[1] = view["day"] / view["n_days"], view["elsewhere"] / PIE
    out[2], out[3] = view["mine"] / PIE, view["theirs"] / PIE


@jittable
def mask(view, out):
    """Demands from what could be got elsewhere on."""
    out[: view["elsewhere"]] = False


RULES = RecordGame(
    name="pie",
    record=RECORD_DTYPE,
    players=("first", "second"),
    observation_space=spaces.Box(-1.0, 1.0, (4,), np.float32),
    action_space=spaces.Discrete(PIE + 1),
    functions=RecordFunctions(restart, act, observe, mask),
    interface=INTERFACE,
    strategies=STRATEGIES,
    opponent="claim",
    summary=("score", "agreements"),
)

parallel_env = partial(RecordParallelEnv, RULES)


def env(**arguments):
    """The game in turns, as PettingZoo's AEC environment."""
    return parallel_to_aec(parallel_env(**arguments))


TOY = define_game(
    RULES,
    "tests.helpers.toy_game:RULES",
    "two players demand slices of a pie",
    "toy/Pie-v0",
    {"agreements": Column(int, "days on which the demands fitted")},
)
register_game(TOY)
