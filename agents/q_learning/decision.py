"""The joint decision of a factory that has a Q-learning process for each partner."""

from __future__ import annotations

import numpy as np

from scml_gym.agents.q_learning.learning import learn_ends, room_for_step, take_step
from scml_gym.agents.q_learning.memory import SLOT, VALUE, Learner
from scml_gym.agents.q_learning.selection import allowed, select
from scml_gym.jit.compile import jittable
from scml_gym.jit.random import N_DRAWS
from scml_gym.oneshot.actions.negotiation import decode_choice
from scml_gym.oneshot.observations.negotiation import state_index
from scml_gym.oneshot.view import ACCEPT, MAX_PARTNERS, OFFER, SELLER, ActionArray, FactoryView

ORDER, GREEDY, EXPLORE, PICK = 0, 1, 2, 4
"""Places of a partner's draws; exploring and picking have two each, for taking an offer and for making one."""

DRAWS_EACH = N_DRAWS // MAX_PARTNERS


@jittable
def decide(view: FactoryView, learner: Learner, draws: np.ndarray, actions: ActionArray) -> None:
    """Learn from what has happened since the last decision, and answer every partner that waits.

    It answers all partners together, but decides one after the other, as the paper's ``respond`` and ``propose`` calls
    come: first the partners whose offers are taken, each seeing the needs that the earlier ones left; then the counter
    offers, each seeing also a share of what has been offered already (``heuristics.offered_share``).

    Args:
        view: What the factory sees.
        learner: Its memory and tables are changed.
        draws: Uniform numbers of this decision, float64, shape ``(N_DRAWS,)``.
        actions: No-ops; the answers are written here.
    """
    learn_ends(view, learner, False)
    rules, memory, partners = learner.rules, learner.memory, view["partners"]
    memory["decisions"] += 1
    share, order = rules["offered_share"], memory["order"]
    n = _put_in_order(view, rules["order"], draws, order)
    needed, offered = view["needs"], 0.0
    for k in range(view["n_partners"]):
        if partners[k]["running"] > 0 and partners[k]["my_turn"] == 0:
            offered += share * partners[k]["my_quantity"]
    for i in range(n):
        k = order[i]
        if partners[k]["offer_quantity"] > 0:
            state, choice = _choose(view, learner, k, needed, offered, draws, True)
            if choice == 1:
                take_step(learner, k, state, choice)
                actions[k]["response"] = ACCEPT
                needed -= partners[k]["offer_quantity"]
    for i in range(n):
        k = order[i]
        if actions[k]["response"] != ACCEPT:
            state, choice = _choose(view, learner, k, needed, offered, draws, False)
            take_step(learner, k, state, choice)
            decode_choice(choice, view, k, rules["quantity_bins"], rules["price_bins"], actions)
            if actions[k]["response"] == OFFER:
                offered += share * actions[k]["quantity"]


@jittable
def _choose(
    view: FactoryView, learner: Learner, k: int, needed: int, offered: float, draws: np.ndarray, taking: bool
) -> tuple[int, int]:
    """The state of the negotiation with partner ``k`` and the action selected; what is allowed is kept for the step.

    Args:
        view: What the factory sees.
        learner: Who decides.
        k: Index of the partner.
        needed: Items to be traded once the acceptances of this decision are counted.
        offered: Items that are offered already and may still be accepted, as far as they count.
        draws: See `decide`.
        taking: Whether the partner's offer may be accepted; else a counter offer is sought.
    """
    rules, own = learner.rules, DRAWS_EACH * k
    left = round(needed - offered)
    state = state_index(view, k, needed if taking else left, rules)
    mask = learner.masks[k, room_for_step(learner, k)]
    allowed(view, rules, k, needed, left, draws[own + GREEDY] < rules["greedy_first"], mask)
    done = view["day"] / max(1, view["n_days"] - 1)
    epsilon = rules["epsilon_start"] + (rules["epsilon_end"] - rules["epsilon_start"]) * done
    later = 0 if taking else 1
    explore = draws[own + EXPLORE + later] < epsilon
    values = learner.values[learner.memory["table"][k], state]
    return state, select(values, mask, taking, explore, draws[own + PICK + later])


@jittable
def _put_in_order(view: FactoryView, kind: int, draws: np.ndarray, order: np.ndarray) -> int:
    """Write the partners that wait for an answer in the order that they are decided on; returns how many."""
    n = 0
    for k in range(view["n_partners"]):
        if view["partners"][k]["my_turn"] != 0:
            i = n
            while i > 0 and _before(view, kind, draws, k, order[i - 1]):
                order[i] = order[i - 1]
                i -= 1
            order[i] = k
            n += 1
    return n


@jittable
def _before(view: FactoryView, kind: int, draws: np.ndarray, a: int, b: int) -> bool:
    """Whether partner ``a``, of the higher index, is decided on before ``b``; with VALUE by price, then quantity."""
    if kind == SLOT:
        return False
    if kind == VALUE:
        one, other = view["partners"][a], view["partners"][b]
        if one["offer_price"] != other["offer_price"]:
            return (one["offer_price"] > other["offer_price"]) == (view["level"] == SELLER)
        if one["offer_quantity"] != other["offer_quantity"]:
            return one["offer_quantity"] > other["offer_quantity"]
    return draws[DRAWS_EACH * a + ORDER] < draws[DRAWS_EACH * b + ORDER]
