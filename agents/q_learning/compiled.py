"""Training worlds in machine code: the same decisions and updates as `QPolicy`, by the same functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from scml_gym.agents.q_learning.decision import decide
from scml_gym.agents.q_learning.learning import learn_day
from scml_gym.agents.q_learning.memory import Learner, new_masks, new_memories
from scml_gym.agents.q_learning.tables import Tables
from scml_gym.jit.compile import compiled
from scml_gym.jit.random import N_DRAWS, fill_draws
from scml_gym.oneshot.view import MAX_PARTNERS, NOOP
from scml_gym.oneshot.worlds.compiled.advance import advance
from scml_gym.oneshot.worlds.compiled.negotiation import answer
from scml_gym.oneshot.worlds.compiled.world import CompiledWorld
from scml_gym.oneshot.worlds.spec import WorldSpec
from scml_gym.simulator.compiled.advance import DAY, OVER


def play(spec: WorldSpec, players: list[Any], rules: np.void, tables: Tables, seed: int) -> tuple[np.ndarray, ...]:
    """See `scml_gym.agents.q_learning.training.Play`."""
    world = CompiledWorld(spec, players)
    memories, learns = new_memories(len(players)), np.array([player is None for player in players])
    memories["table"] = spec.level[:, None]
    masks = new_masks(len(players), tables.values.shape[2])
    _play(*world.arrays, rules, tables.values, tables.visits, memories, masks, learns, np.uint64(seed))
    return memories[learns], world.scores[learns]


@compiled
def _play(
    worlds: np.ndarray,
    daily: np.ndarray,
    prices: np.ndarray,
    rules: np.void,
    values: np.ndarray,
    visits: np.ndarray,
    memories: np.ndarray,
    masks: np.ndarray,
    learns: np.ndarray,
    seed: np.uint64,
) -> None:
    """Play the first of some worlds to its end; its external factories learn into the same tables."""
    world = worlds[0]
    draws, actions = np.zeros(N_DRAWS), world["actions"]
    while True:
        status = advance(world, daily[0], prices[0])
        if status == OVER:
            return
        for factory in range(len(learns)):
            if not learns[factory]:
                continue
            view = world["views"][factory]
            learner = Learner(rules, values, visits, memories[factory], masks[factory])
            if status == DAY:
                learn_day(view, learner)
            elif world["pending"][factory] != 0:
                for k in range(MAX_PARTNERS):
                    actions[k]["response"], actions[k]["quantity"], actions[k]["price"] = NOOP, 0, 0
                fill_draws(seed, factory, view["day"], view["decision"], N_DRAWS, draws)
                decide(view, learner, draws, actions)
                answer(world, factory)
