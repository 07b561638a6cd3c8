"""What a factory that is asked negotiation by negotiation can reckon with, as an observation: facts of each partner,
and what each answer is worth.

The reckoning is that of the strategy ``sequential`` with its default settings (`scml_gym.oneshot.asking`), which
remembers what became of earlier offers. As an encoder is not told what was answered, it reads that from the next view:
the partner that was asked about waits if it was let wait, and was made an offer if it still negotiates, or agreed to
other terms than its own. An offer that repeats the one before it and is answered by an end is taken for an end.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from gymnasium import spaces

from scml_gym.core.arguments import whole
from scml_gym.core.errors import InputError
from scml_gym.game.features import Feature, bounds, clip, ratio
from scml_gym.game.kernels import EncoderKernel
from scml_gym.jit.arrays import copy_line
from scml_gym.jit.compile import compiled, jittable
from scml_gym.jit.once import compiled_once
from scml_gym.jit.parameters import record_of
from scml_gym.oneshot.asking.answers import LET_GO, LET_WAIT, N_ANSWERS, fill_worths
from scml_gym.oneshot.asking.counts import (
    BUCKETS,
    COUNTS_SIZE,
    acceptance_chance,
    at_once_share,
    bucket,
    counts_of,
    fill_all_chances,
    late_share,
    note_offer,
    see_answers,
)
from scml_gym.oneshot.asking.parameters import PARAMETERS, PARAMETERS_DTYPE
from scml_gym.oneshot.asking.sets import fill_set_gains
from scml_gym.oneshot.asking.turns import choose_answer, look_around, see_due
from scml_gym.oneshot.asking.values import MAX_ITEMS, PRICES, Prospects, best_price, new_prospects
from scml_gym.oneshot.observations.encoding import N_FACTORY, N_PARTNER, encode_factory, encode_partner, encode_waits
from scml_gym.oneshot.observations.features import FACTORY_FEATURES, PARTNER_FEATURES, WAITS
from scml_gym.oneshot.rules import NOBODY, asked_partner
from scml_gym.oneshot.view import HIDDEN_DTYPE, MAX_PARTNERS, FactoryView

ITEMS = np.array([1, 2, 3, 5, 8])
"""The fewest items of each bucket of `scml_gym.oneshot.asking.counts`."""

FACTS = (
    WAITS,
    Feature("available", 0, 1, "the next move is mine"),
    Feature("pending", 0, 1, "items of my offer that has no answer yet / highest quantity"),
    Feature("late", 0, 1, "the chance that it is still accepted"),
    Feature("set_gain", -1, 1, "what its standing offer adds to the best set of offers / highest price of 10 items"),
    *(
        Feature(f"chance_{price}_{items}", 0, 1, f"that an offer of {items} items at my {price} price is accepted")
        for price in ("worst", "best")
        for items in ITEMS.tolist()
    ),
    Feature("late_days", 0, 1, "of the days on which I was asked about it, the share on which a pass went by before"),
)
"""Of a partner, beside `PARTNER_FEATURES`."""

ANSWERS = (
    Feature("worth", 0, 1, "1 where no answer is worth more; the less it is worth, the nearer to 0"),
    Feature("best", 0, 1, "1 for the answer of the strategy sequential"),
)
"""Of an answer to the partner that is asked about."""

EASE = 0.25
"""Answers that are worth so much less than the best one, as a fraction of an item's highest price, show ``1 / e``."""

AT_ONCE = Feature("at_once", 0, 1, "of my offers that were accepted, the share that was before I was asked again")
"""Of the factory, beside `FACTORY_FEATURES`: others that wait, too, answer later."""

N_FACTS = len(FACTS)
FIRST_ANSWER = N_FACTORY + 1
FIRST_PARTNER = FIRST_ANSWER + 2 * N_ANSWERS
FACTS_LOW, FACTS_HIGH = bounds(FACTS)

ASKED, STEP, OFFER_QUANTITY, OFFER_PRICE, MY_QUANTITY, MY_PRICE = range(COUNTS_SIZE, COUNTS_SIZE + 6)
N_MEMORY = COUNTS_SIZE + 6
"""What is remembered: counts; then of the partner that was asked about last 1 + its index (0 for none today), the
rounds of its negotiation, its offer and mine."""

SETTINGS = np.array(list(PARAMETERS.values()))


@jittable
def settings() -> np.void:
    """The default settings of ``sequential``."""
    return record_of(SETTINGS, PARAMETERS_DTYPE, 0)


@jittable
def see_last_answer(view: FactoryView, memory: np.ndarray, counts: np.void) -> None:
    """Note the offer to the partner that was asked about last, if it was made one."""
    k, memory[ASKED] = int(memory[ASKED]) - 1, 0
    if k < 0 or view["partners"][k]["waits"] > 0:
        return
    partner = view["partners"][k]
    quantity, price = partner["my_quantity"], partner["my_price"]
    if partner["agreed_quantity"] > 0:
        quantity, price = partner["agreed_quantity"], partner["agreed_price"]
        offered = quantity != memory[OFFER_QUANTITY] or price != memory[OFFER_PRICE]
    else:
        new = quantity != memory[MY_QUANTITY] or price != memory[MY_PRICE]
        offered = quantity > 0 and (new or partner["running"] != 0)
    if offered:
        weights = (settings()["prior"], settings()["pooled"])
        time, at = 1 if memory[STEP] > 0 else 0, best_price(view, price)
        chance = acceptance_chance(view, counts, k, weights, time, at, bucket(quantity))
        note_offer(counts, k, quantity, at, time, float(np.float32(chance)))


@jittable
def ask(view: FactoryView, k: int, memory: np.ndarray) -> None:
    """Remember what stands between the factory and partner ``k``, about whom it is asked."""
    partner = view["partners"][k]
    memory[ASKED], memory[STEP] = 1 + k, partner["step"]
    memory[OFFER_QUANTITY], memory[OFFER_PRICE] = partner["offer_quantity"], partner["offer_price"]
    memory[MY_QUANTITY], memory[MY_PRICE] = partner["my_quantity"], partner["my_price"]


@jittable
def encode_worths(view: FactoryView, worths: np.ndarray, best: int, out: np.ndarray) -> None:
    """The features of all answers, one after the other."""
    most = worths[0]
    for place in range(N_ANSWERS):
        most = max(most, worths[place])
    for place in range(N_ANSWERS):
        if worths[place] > -np.inf:
            out[2 * place] = math.exp((worths[place] - most) / (EASE * max(view["max_price"], 1)))
        out[2 * place + 1] = 1.0 if place == best else 0.0


@jittable
def encode_facts(
    view: FactoryView, counts: np.void, prospects: Prospects, k: int, gains: np.ndarray, out: np.ndarray
) -> None:
    """The facts of partner ``k``."""
    out[0] = encode_waits(view, k)
    out[1] = prospects.available[k]
    out[2] = ratio(prospects.pending[k], view["max_quantity"])
    out[3] = prospects.late[k] if prospects.pending[k] > 0 else 0.0
    out[4] = ratio(gains[k], view["max_price"] * MAX_ITEMS)
    time, weights = 1 if view["partners"][k]["step"] > 0 else 0, (settings()["prior"], settings()["pooled"])
    for price in range(PRICES):
        for items in range(BUCKETS):
            out[5 + price * BUCKETS + items] = acceptance_chance(view, counts, k, weights, time, price, items)
    out[5 + PRICES * BUCKETS] = late_share(counts, k)
    clip(out, FACTS_LOW, FACTS_HIGH)


@jittable
def remember_day(view: FactoryView, offer_history: np.ndarray) -> None:
    """Count what became of the day's last offers."""
    kept, memory = offer_history[0, 0], np.empty(N_MEMORY)
    copy_line(kept, memory)
    counts = counts_of(memory)
    see_last_answer(view, memory, counts)
    see_answers(view, counts, True)
    copy_line(memory, kept)


@functools.cache
def prospects_kernel(n_facts: int) -> EncoderKernel:
    """What encodes the first so many of the `FACTS` of each partner."""
    n_seen = N_PARTNER + n_facts

    @jittable
    def encode_prospects(
        view: FactoryView, hidden_state: np.ndarray, offer_history: np.ndarray, out: np.ndarray
    ) -> None:
        """The factory, the answers, then the partners: first the one that is asked about, the others in the order in
        which they are asked after it.

        Args:
            view: Of the factory.
            hidden_state: Not read.
            offer_history: ``(1, 1, N_MEMORY)``: what is remembered, moved on by this decision.
            out: float32, as many as the encoder has features, comes as zeros.
        """
        kept, memory = offer_history[0, 0], np.empty(N_MEMORY)
        copy_line(kept, memory)
        counts, parameters, prospects, worths = counts_of(memory), settings(), new_prospects(), np.empty(N_ANSWERS)
        see_last_answer(view, memory, counts)
        encode_factory(view, out[:N_FACTORY])
        k = asked_partner(view)
        if k != NOBODY:
            missing = look_around(view, counts, prospects)
            fill_all_chances(view, counts, parameters, prospects)
            see_due(view, parameters, prospects)
            best = choose_answer(view, parameters, view["needs"], prospects, k, missing, worths)
            if best == LET_WAIT and worths[LET_GO] == -np.inf:  # it waits for others, whatever answers are worth
                fill_worths(view, view["needs"], prospects, k, parameters["later"], True, worths)
            encode_worths(view, worths, best, out[FIRST_ANSWER:FIRST_PARTNER])
            ask(view, k, memory)
        out[N_FACTORY] = at_once_share(counts)
        gains, facts = np.zeros(MAX_PARTNERS), np.zeros(N_FACTS, dtype=np.float32)
        fill_set_gains(view, prospects, parameters["later"], gains)
        for place in range(view["n_partners"]):
            j = (max(k, 0) + place) % view["n_partners"]
            first = FIRST_PARTNER + place * n_seen
            encode_partner(view, j, out[first : first + N_PARTNER])
            encode_facts(view, counts, prospects, j, gains, facts)
            copy_line(facts[:n_facts], out[first + N_PARTNER : first + n_seen])
        copy_line(memory, kept)

    return EncoderKernel(encode_prospects, (1, 1, N_MEMORY), remember_day)


NO_HIDDEN_STATE = np.zeros(0, dtype=HIDDEN_DTYPE)

_remember_day = compiled(remember_day)


@functools.cache
def _compiled(n_facts: int) -> Any:
    return compiled_once(prospects_kernel(n_facts).encode)


class ProspectsEncoder:
    """Encodes decisions about one partner each, float32, shape ``(SIZE,)``: the factory's 16 features, two of each of
    the 23 answers, and 26 of each partner, the one that is asked about first.

    Args:
        observability: ``"partial"``.
        history: 0.
        facts: Of each partner, the first ones of `FACTS`.

    Raises:
        InputError: for any other value: neither hidden state nor earlier decisions are shown.
    """

    full = False

    def __init__(self, observability: str = "partial", history: int = 0, facts: tuple[Feature, ...] = FACTS):
        if observability != "partial":
            told = f"observability={observability!r}; valid with observation='prospects': 'partial'"
            raise InputError(told, "observability")
        if whole("history", history, least=0) != 0:
            raise InputError(f"history={history!r}; valid with observation='prospects': 0", "history")
        blocks = [("factory", (*FACTORY_FEATURES, AT_ONCE))]
        blocks += [(f"answers[{i}]", ANSWERS) for i in range(N_ANSWERS)]
        blocks += [(f"partners[{i}]", (*PARTNER_FEATURES, *facts)) for i in range(MAX_PARTNERS)]
        self.features = [Feature(f"{name}.{s.name}", s.low, s.high, s.meaning) for name, row in blocks for s in row]
        """All numbers in order."""
        self.space: spaces.Space = spaces.Box(*bounds(self.features), dtype=np.float32)
        self._n_facts = len(facts)
        self._memory = np.zeros(self.kernel.history, dtype=np.float32)

    @property
    def kernel(self) -> EncoderKernel:
        """As compiled code takes it."""
        return prospects_kernel(self._n_facts)

    def reset(self) -> None:
        """Forget the offers of an earlier world."""
        self._memory[:] = 0.0

    def encode(self, view: FactoryView, hidden_state: Any = None) -> np.ndarray:
        """The observation of one decision; to be called once for each."""
        return self._encoded(view, self._memory)

    def encode_last(self, view: FactoryView, hidden_state: Any = None) -> np.ndarray:
        """The observation where an episode ends, which is no decision."""
        return self._encoded(view, self._memory.copy())

    def _encoded(self, view: FactoryView, memory: np.ndarray) -> np.ndarray:
        out = np.zeros(len(self.features), dtype=np.float32)
        _compiled(self._n_facts)(view, NO_HIDDEN_STATE, memory, out)
        return out

    def end_day(self, view: FactoryView) -> None:
        """Count what became of the day's last offers."""
        _remember_day(view, self._memory)
