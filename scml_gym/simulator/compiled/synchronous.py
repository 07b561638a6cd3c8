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
from scml_gym.simulator.compiled.alternating_offers import NOOP


def controller_fields(n: int, action: np.dtype) -> list[tuple[Any, ...]]:
    """The fields that an agent's record needs for ``n`` negotiations at a time.

    Args:
        n: So many.
        action: Dtype of an answer, with a ``response``.
    """
    return [
        ("running", np.int64),  # its negotiations that have not ended today
        ("n_in", np.int64),  # how many of ``offer_in`` are set
        ("answers", action, (n,)),  # decided and not yet given; NOOP for none
        ("offer_in", np.int16, (n,)),  # this partner's offer was seen, and the agent waits for others
        ("waits", np.int16, (n,)),  # how often it did
    ]


@jittable
def open_all(agent: np.void) -> None:
    """A day starts, without negotiations."""
    agent["running"] = agent["n_in"] = 0


@jittable
def open_one(agent: np.void, k: int, running: int) -> None:
    """The negotiation with partner ``k`` starts, or cannot take place where it is not ``running``."""
    agent["answers"][k]["response"] = NOOP
    agent["offer_in"][k] = agent["waits"][k] = 0
    agent["running"] += running


@jittable
def close_one(agent: np.void, k: int) -> None:
    """The negotiation with partner ``k`` is over."""
    agent["running"] -= 1
    agent["n_in"] -= agent["offer_in"][k]
    agent["offer_in"][k] = 0
    agent["answers"][k]["response"] = NOOP
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
def keep_answer(agent: np.void, k: int, action: np.void) -> None:
    """Keep the answer to partner ``k`` until its negotiation asks for it."""
    agent["answers"][k] = action
    agent["n_in"] -= agent["offer_in"][k]
    agent["offer_in"][k] = 0
    agent["waits"][k] = 0


@jittable
def give_answer(agent: np.void, k: int) -> int:
    """The response that was kept for partner ``k``, which counts as given now; the rest of the answer stays there."""
    response = agent["answers"][k]["response"]
    agent["answers"][k]["response"] = NOOP
    return response
