"""The compiled step and reset of rows of bilateral negotiations, made of a codec; rewards are called by address."""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np

from scml_gym.bilateral.envs.codecs import NO_CHOICE, CodecKernel
from scml_gym.bilateral.negotiators.base import NO_OFFER
from scml_gym.bilateral.view import LEARNER, mean_received
from scml_gym.bilateral.worlds.compiled.calls import table_of
from scml_gym.bilateral.worlds.compiled.game import answer, begin, failed
from scml_gym.jit.callbacks import call_number
from scml_gym.jit.separate import separate
from scml_gym.vector.jobs import BatchStep
from scml_gym.vector.loop import make_step

REWARD_DTYPE = np.dtype(
    [("accept", np.int64), ("offer", np.int64), ("failure_penalty", np.float64), ("invalid", np.int64)], align=True
)
"""What pays in a row: addresses of the reward's parts; and how its last step went, 0 or one of the following."""

INVALID, NO_ACTION, FAILED, BAD_OFFER_REWARD, BAD_ACCEPT_REWARD = range(1, 6)
"""The action was masked; was outside the action space; a strategy failed; a part of the reward gave no finite number.
All but the first are errors."""


class Negotiations(NamedTuple):
    """``n`` rows; arrays, those of records without a type that names fields."""

    games: Any  # GAME_DTYPE (n,)
    rewards: Any  # REWARD_DTYPE (n,)
    offer_history: np.ndarray  # float32 (n, history, 2)


class Results(NamedTuple):
    """What a step returns, row by row."""

    observations: np.ndarray  # float32 (n, size)
    masks: np.ndarray  # bool (n, choices)
    rewards: np.ndarray  # float64 (n,)
    done: np.ndarray  # bool (n,)


@functools.cache
def compile_step(kernel: CodecKernel) -> BatchStep:
    """Compile the step of a codec, once each; see `scml_gym.vector.loop.make_step`.

    Its ``game`` are the `Negotiations`; seeds are uint64, actions int64, both of shape ``(n,)``.
    """
    decode, observe, mask = kernel.decode, separate(kernel.observe), separate(kernel.mask)

    def restart(rows: Negotiations, seeds: np.ndarray, results: Results, i: int) -> None:
        """Begin a row's next negotiation."""
        game = rows.games[i]
        begin(game, seeds[i])
        rows.rewards[i]["invalid"] = FAILED if failed(game) else 0
        rows.offer_history[i][:] = 0.0
        observe(game["view"], rows.offer_history[i], results.observations[i])
        mask(game["view"], results.masks[i])

    def act(rows: Negotiations, results: Results, actions: np.ndarray, i: int) -> None:
        """Answer in a row, and on to its next turn."""
        game, paid, action = rows.games[i], rows.rewards[i], actions[i]
        view = game["view"]
        response = decode(action, results.masks.shape[1], view, table_of(game["players"][LEARNER]))
        if response == NO_CHOICE:
            paid["invalid"] = NO_ACTION
            return
        mask(view, results.masks[i])
        paid["invalid"] = 0 if results.masks[i][action] else INVALID
        refused = response >= 0 and view["offer"] != NO_OFFER
        utility, mean = view["offer_utility"], mean_received(view)
        answer(game, response)
        if failed(game):
            paid["invalid"] = FAILED
            return
        reward = call_number(paid["offer"], (utility, mean)) if refused else 0.0
        if not math.isfinite(reward):
            paid["invalid"] = BAD_OFFER_REWARD
        done = view["running"] == 0
        if done:
            agreed = view["agreement"] != NO_OFFER
            reward += call_number(paid["accept"], (view["utility"], mean)) if agreed else paid["failure_penalty"]
            if not math.isfinite(reward) and paid["invalid"] != BAD_OFFER_REWARD:
                paid["invalid"] = BAD_ACCEPT_REWARD
        results.rewards[i] = reward
        results.done[i] = done
        observe(view, rows.offer_history[i], results.observations[i])
        mask(view, results.masks[i])

    return make_step(act, restart)
