"""The gradient of lemma 5.1 of "Learning to Negotiate via Voluntary Commitment", a function for each of its terms.

Every policy here is a softmax of logits, so each term is given as the gradient of those logits; networks and their
parameters come after (`scml_gym.agents.commitment.networks`). Arrays broadcast over leading axes (seeds, agents, rows).
m, c and a are the sampled proposals, commitments and actions; phi, psi and pi the probabilities of the policies;
``mutual`` is 1(c = 1), whether all commit; ``q_m`` and ``q_a`` are Q^i(x, m) and Q^i(x, a).

A constant may be subtracted from both Q (a baseline that depends on x alone): no score-function term changes in
expectation, and the others have only their difference.
"""

from __future__ import annotations

import functools

import numpy as np


def executed_value(q_m: np.ndarray, q_a: np.ndarray, mutual: np.ndarray) -> np.ndarray:
    """1(c = 1) Q^i(x, m) + (1 - 1(c = 1)) Q^i(x, a): the value of what is played; shape of ``q_m``."""
    return mutual * q_m + (1.0 - mutual) * q_a


def score(probabilities: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """grad log p(chosen) at the logits of p: one_hot(chosen) - p.

    Args:
        probabilities: Shape ``(..., n)``.
        chosen: One-hot, the same shape.
    """
    return chosen - probabilities


def action_term(q_a: np.ndarray, factor: np.ndarray, pi: np.ndarray, a: np.ndarray) -> np.ndarray:
    """(1 - 1(c = 1)) Q^i(x, a) grad log pi^i(a^i | x): the gradient of theta^i.

    Args:
        q_a: Shape ``(...)``.
        factor: 1 - 1(c = 1) in the lemma; see `ACTION_FACTORS`.
        pi: Shape ``(..., actions)``.
        a: One-hot, the same shape.
    """
    return (factor * q_a)[..., None] * score(pi, a)


def commitment_score_term(value: np.ndarray, psi: np.ndarray, c: np.ndarray) -> np.ndarray:
    """[1(c = 1) Q^i(x, m) + (1 - 1(c = 1)) Q^i(x, a)] grad log psi^i(c^i | x, m): the first part of zeta^i's gradient.

    Args:
        value: Of `executed_value`.
        psi: Shape ``(..., 2)``: of rejecting and accepting.
        c: One-hot, the same shape.
    """
    return value[..., None] * score(psi, c)


def commitment_straight_through_term(
    q_m: np.ndarray, q_a: np.ndarray, factor: np.ndarray, relaxed: np.ndarray, temperature: float
) -> np.ndarray:
    """[Q^i(x, m) - Q^i(x, a)] prod_{k != i} 1(c^k = 1) grad 1(c^i = 1): the second part of zeta^i's gradient.

    Args:
        q_m: Shape ``(...)``.
        q_a: The same.
        factor: The product over the others in the lemma; see `OTHERS_FACTORS`.
        relaxed: The relaxed sample of c^i, shape ``(..., 2)``; see `indicator_gradient`.
        temperature: Of the relaxation.
    """
    return ((q_m - q_a) * factor)[..., None] * indicator_gradient(relaxed, temperature)


def proposal_score_term(value: np.ndarray, phi: np.ndarray, m: np.ndarray) -> np.ndarray:
    """[1(c = 1) Q^i(x, m) + (1 - 1(c = 1)) Q^i(x, a)] grad log phi^i(m^i | x): the direct part of eta^i's gradient.

    Args:
        value: Of `executed_value`.
        phi: Shape ``(..., actions)``.
        m: One-hot, the same shape.
    """
    return value[..., None] * score(phi, m)


def commitments_of_others_term(value: np.ndarray, psi: np.ndarray, c: np.ndarray) -> np.ndarray:
    """[...] grad log psi^j(c^j | x, m) for each j, at the logits of psi^j: the indirect score part of eta^i's gradient.

    It reaches eta^i through m^i, the input of psi^j (see `straight_through`).

    Args:
        value: Agent i's `executed_value`, shape ``(..., i, 1, rows)``.
        psi: Shape ``(..., 1 or i, j, rows, 2)``.
        c: One-hot, the same shape.
    """
    return value[..., None] * score(psi, c)


def agreements_of_others_term(
    q_m: np.ndarray, q_a: np.ndarray, factor: np.ndarray, relaxed: np.ndarray, temperature: float
) -> np.ndarray:
    """prod_{k != j} 1(c^k = 1) [Q^i(x, m) - Q^i(x, a)] grad 1(c^j = 1) for each j, at the logits of psi^j.

    The straight-through part of eta^i's gradient; it reaches eta^i as in `commitments_of_others_term`.

    Args:
        q_m: Agent i's, shape ``(..., i, 1, rows)``.
        q_a: The same.
        factor: The product for each j, shape ``(..., 1, j, rows)``.
        relaxed: The relaxed sample of c^j, shape ``(..., 1 or i, j, rows, 2)``.
        temperature: Of the relaxation.
    """
    return ((q_m - q_a) * factor)[..., None] * indicator_gradient(relaxed, temperature)


def incentive_term(violation: np.ndarray, phi: np.ndarray, marginal: np.ndarray) -> np.ndarray:
    """grad_eta^i sum_j min{0, E_m~phi[Q^j(s, m)] - E_a~pi[Q^j(s, a)]}, at the logits of phi^i.

    Args:
        violation: For each j whether its constraint is violated (the minimum is below 0), ``(..., j, rows)``.
        phi: Shape ``(..., rows, actions)``.
        marginal: E[Q^j(s, m) | m^i] for each own proposal, over the others' proposals; ``(..., j, rows, actions)``.
    """
    slope = (violation[..., None] * marginal).sum(axis=-3)
    return phi * (slope - total(phi * slope)[..., None])


def entropy_term(probabilities: np.ndarray) -> np.ndarray:
    """grad H(p) at the logits of p: -p (log p + H)."""
    logs = np.log(np.maximum(probabilities, 1e-300))
    return probabilities * (total(probabilities * logs)[..., None] - logs)


def relax(logits: np.ndarray, noise: np.ndarray, temperature: float) -> np.ndarray:
    """The Gumbel-softmax sample softmax((logits + noise) / temperature), whose largest entry is the sample drawn.

    Source: Jang, Gu and Poole, "Categorical reparameterization with Gumbel-softmax" (2017).
    """
    return softmax((logits + noise) / temperature)


def straight_through(gradient: np.ndarray, relaxed: np.ndarray, temperature: float) -> np.ndarray:
    """From the gradient at a one-hot sample to that at its logits, as if the sample were its relaxation.

    y (g - sum(y g)) / temperature for the relaxed sample y.
    """
    return relaxed * (gradient - total(relaxed * gradient)[..., None]) / temperature


def indicator_gradient(relaxed: np.ndarray, temperature: float) -> np.ndarray:
    """grad 1(c = 1) at the logits of c, straight through its relaxed sample; shape ``(..., 2)``."""
    change = relaxed[..., 0] * relaxed[..., 1] / temperature
    return np.stack([-change, change], axis=-1)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Over the last axis."""
    largest = functools.reduce(np.maximum, np.moveaxis(logits, -1, 0))
    powers = np.exp(logits - largest[..., None])
    return powers / total(powers)[..., None]


def total(array: np.ndarray) -> np.ndarray:
    """The sum over a short last axis, which NumPy's own sum is slow at."""
    return array @ np.ones(array.shape[-1])


def others_commit(c: np.ndarray) -> np.ndarray:
    """prod_{k != i} 1(c^k = 1) for each i; 0 and 1, shape ``(..., agents, rows)`` -> the same."""
    accepted = c.sum(axis=-2, keepdims=True)
    return (accepted - c == c.shape[-2] - 1).astype(np.float64)


ACTION_FACTORS = {
    "lemma": lambda mutual: 1.0 - mutual,
    "mutual": lambda mutual: mutual,
    "none": lambda mutual: np.ones_like(mutual),
}
"""What the action term is weighted with: 1 - 1(c = 1) in the lemma; 1(c = 1) in the authors' public code."""

OTHERS_FACTORS = {
    "lemma": others_commit,
    "mutual": lambda c: np.broadcast_to((c.min(axis=-2, keepdims=True) > 0).astype(np.float64), c.shape),
    "none": lambda c: np.ones(c.shape),
}
"""What the straight-through terms are weighted with: prod_{k != i} 1(c^k = 1) in the lemma; in the authors' public code
1(c = 1) in the commitment term and nothing in the proposal term."""
