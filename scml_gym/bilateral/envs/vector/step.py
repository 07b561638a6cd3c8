"""The compiled step and reset of rows of bilateral negotiations, made of a form; rewards are called by address."""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np

from scml_gym.bilateral.envs.codecs import NO_CHOICE, FormKernel
from scml_gym.bilateral.negotiators.base import NO_OFFER
from scml_gym.bilateral.view import LEARNER, mean_received
from scml_gym.bilateral.worlds.compiled.calls import call_number, table_of
from scml_gym.bilateral.worlds.compiled.game import answer, begin, failed
from scml_gym.jit.compile import jittable
from scml_gym.vector.jobs import Counters, SharedProgram, shared, take

PAY_DTYPE = np.dtype(
    [("accept", np.int64), ("offer", np.int64), ("failure_penalty", np.float64), ("invalid", np.int64)], align=True
)
"""What a row pays: addresses of the reward's parts; and how its last step went, 0 or one of the following."""

INVALID, NO_ACTION, FAILED, BAD_OFFER_PAY, BAD_ACCEPT_PAY = range(1, 6)
"""The action was masked; was outside the action space; a strategy failed; a part of the reward gave no finite number.
All but the first are errors."""


class Negotiations(NamedTuple):
    """``n`` rows; arrays, those of records without a type that names fields."""

    games: Any  # GAME_DTYPE (n,)
    pays: Any  # PAY_DTYPE (n,)
    frames: np.ndarray  # float32 (n, history, 2)


class Results(NamedTuple):
    """What a step returns, row by row."""

    observations: np.ndarray  # float32 (n, size)
    masks: np.ndarray  # bool (n, choices)
    rewards: np.ndarray  # float64 (n,)
    done: np.ndarray  # bool (n,)


class NegotiationPrograms(NamedTuple):
    """What is run on some rows, which are given by their indices.

    Attributes:
        reset: ``(rows, results, indices, seeds)``; seeds are uint64, as many.
        step: ``(rows, results, indices, actions)``.
    """

    reset: SharedProgram
    step: SharedProgram


@functools.cache
def make_programs(kernel: FormKernel) -> NegotiationPrograms:
    """Compile the programs of a form, once each."""
    decode, observe, mask = kernel

    @jittable
    def restart(rows: Negotiations, results: Results, seed: Any, i: int) -> None:
        """Begin a row's next negotiation."""
        game = rows.games[i]
        begin(game, seed)
        rows.pays[i]["invalid"] = FAILED if failed(game) else 0
        rows.frames[i][:] = 0.0
        observe(game["view"], rows.frames[i], results.observations[i])
        mask(game["view"], results.masks[i])

    @jittable
    def act(rows: Negotiations, results: Results, action: Any, i: int) -> None:
        """Answer in a row, and on to its next turn."""
        game, pay = rows.games[i], rows.pays[i]
        view = game["view"]
        response = decode(action, results.masks.shape[1], view, table_of(game["seats"][LEARNER]))
        if response == NO_CHOICE:
            pay["invalid"] = NO_ACTION
            return
        mask(view, results.masks[i])
        pay["invalid"] = 0 if results.masks[i][action] else INVALID
        refused = response >= 0 and view["offer"] != NO_OFFER
        utility, mean = view["offer_utility"], mean_received(view)
        answer(game, response)
        if failed(game):
            pay["invalid"] = FAILED
            return
        reward = call_number(pay["offer"], (utility, mean)) if refused else 0.0
        if not math.isfinite(reward):
            pay["invalid"] = BAD_OFFER_PAY
        done = view["running"] == 0
        if done:
            agreed = view["agreement"] != NO_OFFER
            reward += call_number(pay["accept"], (view["utility"], mean)) if agreed else pay["failure_penalty"]
            if not math.isfinite(reward) and pay["invalid"] != BAD_OFFER_PAY:
                pay["invalid"] = BAD_ACCEPT_PAY
        results.rewards[i] = reward
        results.done[i] = done
        observe(view, rows.frames[i], results.observations[i])
        mask(view, results.masks[i])

    @shared
    @jittable
    def reset(arguments: tuple[Negotiations, Results, np.ndarray, np.ndarray], counters: Counters) -> None:
        rows, results, indices, seeds = arguments
        low, high = take(counters)
        while low < high:
            for k in range(low, high):
                restart(rows, results, seeds[k], indices[k])
            low, high = take(counters)

    @shared
    @jittable
    def step(arguments: tuple[Negotiations, Results, np.ndarray, np.ndarray], counters: Counters) -> None:
        rows, results, indices, actions = arguments
        low, high = take(counters)
        while low < high:
            for k in range(low, high):
                act(rows, results, actions[indices[k]], indices[k])
            low, high = take(counters)

    return NegotiationPrograms(reset, step)
