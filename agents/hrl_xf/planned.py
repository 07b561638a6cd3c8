"""The plan of a decision: how the manager's goals would be carried out now by the rule that they were trained with.

A rule divides what is wanted over all negotiations together (`scml_gym.standard.allocation`), which no negotiation
could work out by itself. So each is told its part, and what it makes of it is the executor's. The rule is the
executor's teacher too, as in DAgger (Ross et al. 2011, https://arxiv.org/abs/1011.0686): it is asked what it would
answer wherever the executor has come to, and how eagerly: it heeds alpha as a share of the price range that is given
up, or held out for.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scml_gym.agents.hrl_xf.observing import ASKED, OFFERED, SIDES
from scml_gym.simulator.strategies import accept
from scml_gym.standard.actions import PartnerChoices
from scml_gym.standard.strategies.market import offer, price_at, price_gain
from scml_gym.standard.view import ACCEPT, BOOK_DAYS, MAX_PER_LEVEL, OFFER, ActionArray, StandardView


class Plan(NamedTuple):
    """What a rule would do now.

    Attributes:
        answers: To all partners, safe where there is a shield.
        goals: Items that it means to have agreed on today, by side and days from today, int64 ``(2, BOOK_DAYS)``: those
            that it takes or asks for, and that partners still think about, beside those that are agreed on.
    """

    answers: ActionArray
    goals: np.ndarray


def plan_of_answers(view: StandardView, answers: ActionArray) -> Plan:
    """A plan, of the answers of a rule."""
    goals = np.zeros((SIDES, BOOK_DAYS), np.int64)
    for k in np.flatnonzero(view["partners"]["exists"]).tolist():
        partner, answer = view["partners"][k], answers[k]
        names = ("agreed_quantity", "agreed_day")
        if partner["agreed_quantity"] == 0 and partner["running"]:
            names = ("my_quantity", "my_day")
            if partner["my_turn"]:
                partner, names = (partner, OFFERED) if answer["response"] == ACCEPT else (answer, ASKED)
                if answer["response"] not in (ACCEPT, OFFER):
                    continue
        quantity = int(partner[names[0]])
        if quantity > 0:
            goals[int(k >= MAX_PER_LEVEL), int(partner[names[1]] - view["day"])] += quantity
    return Plan(answers, goals)


def heed(view: StandardView, answers: ActionArray, k: int, alpha: float) -> None:
    """Let the answer to partner ``k`` heed alpha, in place.

    Who is eager asks for a price that is worse by that share of today's range, and accepts an offer of as good a one
    that it would have haggled over. Who is reluctant asks for a better one, and takes an offer only at a gain of as
    much of the range, less and less so with time.
    """
    answer, partner = answers[k], view["partners"][k]
    offered = partner["offer_quantity"] > 0
    gain = price_gain(view, k, partner["offer_price"]) if offered else 0.0
    if answer["response"] == ACCEPT:
        least = -alpha * (1.0 - partner["relative_time"])
        if gain < least:
            offer(answers, k, partner["offer_quantity"], partner["offer_day"], price_at(view, k, least))
    elif answer["response"] == OFFER:
        least = min(max(price_gain(view, k, answer["price"]) - alpha, 0.0), 1.0)
        answer["price"] = price_at(view, k, least)
        same = partner["offer_day"] == answer["day"] and partner["offer_quantity"] <= answer["quantity"]
        if alpha > 0 and offered and same and gain >= least:
            accept(answers, k)


def follow(
    plan: Plan,
    view: StandardView,
    due: np.ndarray,
    alphas: np.ndarray,
    masks: np.ndarray,
    safe: np.ndarray,
    choices: PartnerChoices,
) -> np.ndarray:
    """The choices that follow a plan, int64 ``(n, 4)``, each a valid one.

    Args:
        plan: Theirs.
        view: What the factory sees.
        due: Partner indices, int64 ``(n,)``.
        alphas: Of each, -1 to 1.
        masks: Valid options, bool ``(n, options)``.
        safe: Which quantities are safe for each day, bool ``(n, BOOK_DAYS, bins)``.
        choices: What they mean.
    """
    answers, made = plan.answers.copy(), np.zeros((len(due), len(choices.sizes)), np.int64)
    for i, (k, alpha) in enumerate(zip(due.tolist(), alphas.tolist(), strict=True)):
        if alpha:
            heed(view, answers, k, alpha)
        made[i] = _valid(choices.encode(answers, view, k), masks[i], safe[i])
    return made


def _valid(choice: np.ndarray, mask: np.ndarray, safe: np.ndarray) -> np.ndarray:
    """A choice with no more items than are safe; the end of a negotiation where it is not valid."""
    (response, quantity, day, _), bins = choice.tolist(), safe.shape[1]
    if not mask[response] or (response == 2 and not mask[3 + bins + day]):
        return np.zeros_like(choice)
    if response == 2:
        valid = np.flatnonzero(mask[3 : 3 + bins] & safe[day])
        choice[1] = valid[valid <= quantity][-1]
    return choice
