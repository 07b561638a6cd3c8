"""Alpha of recorded decisions: how eager an expert was, beside what is usual where it stood.

Nobody tells recorded experts an alpha, so an executor that learns from them alone has no reason to heed it. Here each
decision gets one from what was done: to accept where most do not is eager, and so is to ask for a worse price than
most; to end a negotiation is not. What is usual is fitted to all experts together, from what stands before each
decision. As alpha tells something of the answer, as a return to go does, noise is added to it, and in a part of the
decisions it is dropped to 0, which is what is told where nobody says.

The sources have such a warm-up as rewards of an online training that was never run.
"""

from __future__ import annotations

import numpy as np
import torch

from scml_gym.agents.decision_transformer.sequences import LEAST_DEVIATION
from scml_gym.agents.hrl_xf.hyperparameters import EagernessHyperparameters
from scml_gym.agents.hrl_xf.monitor import CONSUMER
from scml_gym.agents.hrl_xf.negotiations import Negotiations
from scml_gym.agents.hrl_xf.observing import KNOWN, SEEN
from scml_gym.agents.mappo.algorithm import Descent
from scml_gym.agents.mappo.networks import Actor
from scml_gym.agents.sb3.training import global_generators_kept
from scml_gym.standard.observations.encoding import N_PARTNER

RESPONSE, PRICE = 0, 3
"""Places in an action."""

END, ACCEPT, OFFER = range(3)
"""Responses of an action."""

LONGEST_GRADIENT = 0.5


def eagerness(
    table: Negotiations, learnt: np.ndarray, settings: EagernessHyperparameters, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Alpha of each decision, with noise and dropped as the settings say, and as it is; float32 ``(n,)`` each.

    Args:
        table: All negotiations.
        learnt: The decisions from which what is usual is learnt.
        settings: How.
        seed: Of the network, the order of decisions, and the noise.
    """
    shares, prices = _usual(table, learnt, settings, seed)
    response, seen, each = table.actions[:, RESPONSE], table.observations, np.arange(len(table.actions))
    plain = settings.accepted * ((response == ACCEPT) - shares[:, ACCEPT]) * table.masks[:, ACCEPT]
    plain -= settings.ended * ((response == END) - shares[:, END])
    places = np.linspace(0.0, 1.0, prices.shape[1]) if prices.shape[1] > 1 else np.zeros(1)
    dearer = places[table.actions[:, PRICE]] - prices @ places
    consumer = seen[each, SEEN - N_PARTNER + CONSUMER] > 0
    plain += settings.conceded * np.where(consumer, -dearer, dearer) * (response == OFFER)
    draws = np.random.default_rng((seed, 1))
    noisy = plain + settings.noise * draws.standard_normal(len(plain))
    noisy[draws.random(len(plain)) < settings.dropped] = 0.0
    return np.clip(noisy, -1.0, 1.0).astype(np.float32), np.clip(plain, -1.0, 1.0).astype(np.float32)


def _usual(
    table: Negotiations, learnt: np.ndarray, settings: EagernessHyperparameters, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """What is usual in each decision: probabilities of responses, and of prices where an offer is made."""
    known = table.observations[:, :KNOWN]
    mean, deviation = known[learnt].mean(axis=0), np.maximum(known[learnt].std(axis=0), LEAST_DEVIATION)
    seen, masks = torch.from_numpy((known - mean) / deviation), torch.from_numpy(table.masks)
    actions = torch.from_numpy(table.actions)
    with global_generators_kept():
        torch.manual_seed(seed)
        network = Actor(seen.shape[1], settings.hidden, list(table.sizes))
    descent, order = Descent(network, LONGEST_GRADIENT), np.random.default_rng((seed, 0))
    for epoch in range(settings.epochs):
        for rows in np.array_split(order.permutation(learnt), max(1, len(learnt) // settings.batch_size)):
            logs = network.log_probabilities(seen[rows], masks[rows])
            met = [logs[head].gather(1, actions[rows, head : head + 1])[:, 0] for head in (RESPONSE, PRICE)]
            loss = -(met[0] + met[1] * (actions[rows, RESPONSE] == OFFER)).mean()
            descent.step(loss, settings.learning_rate, epoch * len(learnt))
    with torch.no_grad():
        logs = network.log_probabilities(seen, masks)
    return logs[RESPONSE].exp().numpy(), logs[PRICE].exp().numpy()
