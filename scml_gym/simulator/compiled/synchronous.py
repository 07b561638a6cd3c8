"""How a synchronous agent waits: the rule of negmas' ``SAOSyncController``, over one record an agent.

The agent waits until the offers of all its running negotiations are in, or until it has waited as often as it has
running negotiations; then it answers all offers that are in. Answers are kept until their negotiation asks for them; a
new decision replaces all that were not given yet.

Source: negmas/sao/controllers.py, ``SAOSyncController`` (negmas 0.16.0).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scml_gym.jit.compile import jittable
from scml_gym.simulator.compiled.alternating_offers import NOOP, OFFER, put_offer


def controller_fields(n: int) -> list[tuple[Any, ...]]:
    """The fields that an agent's record needs for ``n`` negotiations at a time."""
    return [
        ("running", np.int64),  # its negotiations that have not ended today
        ("n_in", np.int64),  # how many of ``offer_in`` are set
        ("answer", np.int64, (n,)),  # decided and not yet given; NOOP for none
        ("answer_quantity", np.int64, (n,)),
        ("answer_price", np.int64, (n,)),
        ("offer_in", np.int64, (n,)),  # this partner's offer was seen, and the agent waits for others
        ("waits", np.int64, (n,)),  # how often it did
    ]


@jittable
def open_all(agent: np.void) -> None:
    """A day starts, without negotiations."""
    agent["running"] = agent["n_in"] = 0


@jittable
def open_one(agent: np.void, k: int, running: int) -> None:
    """The negotiation with partner ``k`` starts, or cannot take place where it is not ``running``."""
    agent["answer"][k] = agent["offer_in"][k] = agent["waits"][k] = 0
    agent["running"] += running


@jittable
def close_one(agent: np.void, k: int) -> None:
    """The negotiation with partner ``k`` is over."""
    agent["running"] -= 1
    agent["n_in"] -= agent["offer_in"][k]
    agent["offer_in"][k] = 0
    agent["answer"][k] = NOOP
    agent["waits"][k] = 0


@jittable
def must_wait(agent: np.void, k: int) -> bool:
    """An offer of partner ``k`` is in; whether the agent waits for others before it answers."""
    agent["n_in"] += 1 - agent["offer_in"][k]
    agent["offer_in"][k] = 1
    if agent["n_in"] < agent["running"] and agent["waits"][k] < agent["running"]:
        agent["waits"][k] += 1
        return True
    return False


@jittable
def keep_answer(agent: np.void, k: int, response: int, quantity: int, price: int) -> None:
    """Keep the answer to partner ``k`` until its negotiation asks for it."""
    agent["answer"][k] = response
    agent["answer_quantity"][k] = quantity
    agent["answer_price"][k] = price
    agent["n_in"] -= agent["offer_in"][k]
    agent["offer_in"][k] = 0
    agent["waits"][k] = 0


@jittable
def give_answer(agent: np.void, k: int, negotiation: np.void) -> int:
    """The answer that was kept for partner ``k``; if it is an offer, it stands in the negotiation now."""
    response = agent["answer"][k]
    agent["answer"][k] = NOOP
    if response == OFFER:
        put_offer(negotiation, agent["answer_quantity"][k], agent["answer_price"][k])
    return response
