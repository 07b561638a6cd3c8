"""What a learning factory holds: the rules it learns by, its tables, and what it remembers of the day."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scml_gym.oneshot.rewards.negotiation import NegotiationReward
from scml_gym.oneshot.rewards.negotiation_ends import END_DTYPE, TRACKER_DTYPE
from scml_gym.oneshot.view import MAX_PARTNERS

if TYPE_CHECKING:
    from scml_gym.agents.q_learning.hyperparameters import QLearningHyperparameters

MAX_STEPS = 64
"""Steps of one negotiation that are remembered; of a longer one, a later step takes the place of the last."""

STATE_KINDS = ("needs", "offer", "full")
ORDERS = ("value", "slot", "random")
VALUE, SLOT, RANDOM = range(3)
OFF = -1
"""In place of a constraint that is switched off."""

RULES_DTYPE = np.dtype(
    [
        ("offers", np.int64),  # of a state, see `scml_gym.oneshot.observations.negotiation.state_index`
        ("quantity_bins", np.int64),
        ("price_bins", np.int64),
        ("needs_bins", np.int64),
        ("time_bins", np.int64),
        ("reward", np.float64, (len(NegotiationReward().params),)),
        ("settle_daily", np.int64),
        ("gamma", np.float64),
        ("rate", np.float64),  # floor of the learning rate; 0 for no learning
        ("visits", np.float64),  # how fast it falls to it; 0 for the floor alone
        ("backward", np.int64),
        ("epsilon_start", np.float64),  # probability of exploring on the first day of a world and on the last
        ("epsilon_end", np.float64),
        ("margin", np.int64),  # or OFF
        ("reserve", np.float64),  # or OFF
        ("greedy_first", np.float64),
        ("offered_share", np.float64),
        ("order", np.int64),  # VALUE, SLOT or RANDOM
    ],
    align=True,
)
"""The hyperparameters that deciding and learning read; see `scml_gym.agents.q_learning.hyperparameters`."""

MEMORY_DTYPE = np.dtype(
    [
        ("tracker", TRACKER_DTYPE),
        ("table", np.int64, (MAX_PARTNERS,)),  # of each partner, an index into the tables
        ("n_steps", np.int64, (MAX_PARTNERS,)),  # of today's negotiations that are not learnt yet
        ("states", np.int64, (MAX_PARTNERS, MAX_STEPS)),
        ("choices", np.int64, (MAX_PARTNERS, MAX_STEPS)),
        ("due", END_DTYPE, (MAX_PARTNERS,)),  # ended, and learnt when the day is over
        ("n_due", np.int64),
        ("ends", END_DTYPE, (MAX_PARTNERS,)),  # scratch
        ("order", np.int64, (MAX_PARTNERS,)),  # scratch
        ("decisions", np.int64),  # counts of the whole world
        ("updates", np.int64),
        ("negotiations", np.int64),
        ("agreements", np.int64),
        ("reward", np.float64),  # sum over the negotiations
    ],
    align=True,
)
"""One factory in one world."""


class Learner(NamedTuple):
    """A factory that decides by Q-tables and learns; its functions are in ``selection``, ``learning``, ``decision``.

    Attributes:
        rules: ``RULES_DTYPE``.
        values: float64, shape ``(tables, states, actions)``: changed in place, and perhaps shared with others.
        visits: int64, same shape: how often each was updated.
        memory: ``MEMORY_DTYPE``.
        masks: bool, shape ``(MAX_PARTNERS, MAX_STEPS, actions)``: what was allowed at each remembered step.
    """

    rules: np.void
    values: np.ndarray
    visits: np.ndarray
    memory: np.void
    masks: np.ndarray


def make_rules(
    hyperparameters: QLearningHyperparameters, rate: float, visits: float, epsilon_start: float, epsilon_end: float
) -> np.void:
    """The rules of some hyperparameters, for learning in training or in play."""
    rules = np.zeros(1, dtype=RULES_DTYPE)[0]
    states, heuristics = hyperparameters.states, hyperparameters.heuristics
    rules["offers"] = STATE_KINDS.index(states.kind)
    for name in ("quantity_bins", "price_bins", "needs_bins", "time_bins"):
        rules[name] = getattr(states, name)
    rules["reward"] = hyperparameters.reward.reward().params
    rules["settle_daily"] = hyperparameters.reward.settle == "day"
    rules["gamma"], rules["backward"] = hyperparameters.learning.gamma, hyperparameters.learning.backward
    rules["rate"], rules["visits"] = rate, visits
    rules["epsilon_start"], rules["epsilon_end"] = epsilon_start, epsilon_end
    rules["margin"] = OFF if heuristics.margin is None else heuristics.margin
    rules["reserve"] = OFF if heuristics.reserve is None else heuristics.reserve
    rules["greedy_first"], rules["offered_share"] = heuristics.greedy_first, heuristics.offered_share
    rules["order"] = ORDERS.index(heuristics.order)
    return rules


def new_memories(n: int) -> np.ndarray:
    """What ``n`` factories remember when a world begins, ``MEMORY_DTYPE``, shape ``(n,)``."""
    memories = np.zeros(n, dtype=MEMORY_DTYPE)
    memories["tracker"]["day"] = -1
    return memories


def new_masks(n: int, actions: int) -> np.ndarray:
    """Room for the masks of ``n`` factories, bool, shape ``(n, MAX_PARTNERS, MAX_STEPS, actions)``."""
    return np.zeros((n, MAX_PARTNERS, MAX_STEPS, actions), dtype=np.bool_)
