"""Q-learning over the steps of negotiations: a process for each partner ("Q-learning for SCML OneShot, 2021", 2.1)."""

from __future__ import annotations

import numpy as np

from scml_gym.agents.q_learning.memory import MAX_STEPS, Learner
from scml_gym.agents.q_learning.selection import best_value
from scml_gym.jit.compile import jittable
from scml_gym.oneshot.rewards.negotiation import negotiation_reward_accepted, negotiation_reward_ended
from scml_gym.oneshot.rewards.negotiation_ends import collect_ends
from scml_gym.oneshot.view import FactoryView


@jittable
def update(learner: Learner, table: int, state: int, action: int, target: float) -> None:
    """Move one value toward its target by ``max(rate, visits / (visits + n))``, n the earlier updates of it."""
    rules, n = learner.rules, learner.visits[table, state, action]
    rate = rules["rate"]
    if rules["visits"] > 0.0:
        rate = max(rate, rules["visits"] / (rules["visits"] + n))
    learner.values[table, state, action] += rate * (target - learner.values[table, state, action])
    learner.visits[table, state, action] = n + 1
    learner.memory["updates"] += 1


@jittable
def room_for_step(learner: Learner, k: int) -> int:
    """Where the mask of the next step with partner ``k`` belongs."""
    return min(learner.memory["n_steps"][k], MAX_STEPS - 1)


@jittable
def take_step(learner: Learner, k: int, state: int, choice: int) -> None:
    """One step of the process with partner ``k``, whose mask is in its room; the step before led here, at no reward."""
    rules, memory = learner.rules, learner.memory
    if rules["rate"] == 0.0:
        return
    i = room_for_step(learner, k)
    if i > 0 and rules["backward"] == 0:
        table = memory["table"][k]
        target = rules["gamma"] * best_value(learner.values[table, state], learner.masks[k, i])
        update(learner, table, memory["states"][k, 0], memory["choices"][k, 0], target)
        learner.masks[k, 0] = learner.masks[k, i]
        i = 0
    memory["states"][k, i] = state
    memory["choices"][k, i] = choice
    memory["n_steps"][k] = i + 1


@jittable
def learn_ends(view: FactoryView, learner: Learner, day_over: bool) -> None:
    """Learn from the negotiations that ended since the last view, or keep them until the day is over."""
    memory, ends = learner.memory, learner.memory["ends"]
    for i in range(collect_ends(view, day_over, memory["tracker"], ends)):
        end = ends[i]
        memory["negotiations"] += 1
        memory["agreements"] += 1 if end["quantity"] > 0 else 0
        if learner.rules["settle_daily"] != 0:
            memory["due"][memory["n_due"]] = end
            memory["n_due"] += 1
        else:
            _learn_negotiation(view, learner, end, end["needs"], end["won"])


@jittable
def learn_day(view: FactoryView, learner: Learner) -> None:
    """A day's negotiations are over: learn from those that are left."""
    learn_ends(view, learner, True)
    memory = learner.memory
    for i in range(memory["n_due"]):
        _learn_negotiation(view, learner, memory["due"][i], view["needs"], memory["tracker"]["won"])
    memory["n_due"] = 0


@jittable
def _learn_negotiation(view: FactoryView, learner: Learner, end: np.void, needs: int, won: int) -> None:
    """A negotiation is rewarded: update its steps that have not been, the last one first."""
    rules, memory, k = learner.rules, learner.memory, end["partner"]
    if end["quantity"] > 0:
        target = negotiation_reward_accepted(view, rules["reward"], end["quantity"], end["price"], needs, won)
    else:
        target = negotiation_reward_ended(view, rules["reward"], k, needs)
    memory["reward"] += target
    for i in range(memory["n_steps"][k] - 1, -1, -1):
        table, state = memory["table"][k], memory["states"][k, i]
        update(learner, table, state, memory["choices"][k, i], target)
        target = rules["gamma"] * best_value(learner.values[table, state], learner.masks[k, i])
    memory["n_steps"][k] = 0
