"""D-NB asked in each negotiation by itself: its model of acceptance, and `scml_gym.oneshot.asking` in place of a plan
of all offers at once.

What it waits for, and how it decides, is the strategy ``sequential``'s; the chances that offers are accepted are the
model's, moved by what opponents do (`scml_gym.agents.dnb.bou`).
"""

from __future__ import annotations

import functools

import numpy as np

from scml_gym.agents.dnb.allocation import MAX_ITEMS
from scml_gym.agents.dnb.bou import CALIBRATION_DTYPE
from scml_gym.agents.dnb.events import fill_context, hear_offer, price_bin
from scml_gym.agents.dnb.models import AcceptanceModel, Kernel
from scml_gym.agents.dnb.records import MEMORY_DTYPE, MEMORY_SIZE, PRICE_BINS, SAMPLE_DTYPE, Memory
from scml_gym.agents.dnb.rules import N_RULES, N_SIDE, Rules
from scml_gym.agents.dnb.strategy import look, offer_estimator, player_numbers
from scml_gym.agents.dnb.tracking import begin_day, note
from scml_gym.jit.compile import compiled, jittable
from scml_gym.jit.once import compiled_once
from scml_gym.jit.parameters import record_of
from scml_gym.oneshot.asking.counts import COUNTS_DTYPE, COUNTS_SIZE, see_answers
from scml_gym.oneshot.asking.parameters import N_PARAMETERS, PARAMETERS_DTYPE
from scml_gym.oneshot.asking.turns import look_around
from scml_gym.oneshot.asking.values import PRICES, Prospects, new_prospects, offered_price
from scml_gym.oneshot.strategies.base import Strategy, StrategyPolicy
from scml_gym.oneshot.strategies.sequential import SEQUENTIAL, answer_partners
from scml_gym.oneshot.view import SELLER, ActionArray, FactoryView, new_actions, new_view


@jittable
def hear_new(view: FactoryView, memory: Memory) -> None:
    """The offers that are asked about for the first time: a partner that is let wait is asked about again."""
    for k in range(view["n_partners"]):
        partner = view["partners"][k]
        if partner["my_turn"] != 0 and partner["waits"] == 0 and partner["offer_quantity"] > 0:
            in_bin = price_bin(partner["offer_price"], view["min_price"], view["max_price"])
            hear_offer(memory["partners"][k], partner["offer_quantity"], in_bin, partner["relative_time"])


@functools.cache
def sequential_strategy(kernel: Kernel) -> Strategy:
    """The strategy of all D-NBs of one kind of model that ask partner after partner; its parameters are those of
    ``sequential``, the rules, then the model's numbers. Its state is a memory, then counts."""
    estimate_offers = offer_estimator(kernel)

    @jittable
    def fill_chances(view: FactoryView, memory: Memory, params: np.ndarray, prospects: Prospects) -> None:
        """The chances that offers to those whose next move is mine are accepted, by the model."""
        low, high = view["min_price"], view["max_price"]
        samples, prices = np.zeros(1, dtype=SAMPLE_DTYPE), np.zeros(PRICE_BINS, dtype=np.int64)
        alphas, betas = np.zeros((MAX_ITEMS + 1, PRICE_BINS)), np.zeros((MAX_ITEMS + 1, PRICE_BINS))
        prices[0], prices[price_bin(high, low, high)] = low, high
        fill_context(view, view["needs"], samples[0])
        most = min(MAX_ITEMS, view["max_quantity"])
        for k in range(view["n_partners"]):
            too_late = view["level"] == SELLER and view["partners"][k]["step"] >= view["n_rounds"] - 1
            if prospects.available[k] == 0 or too_late:
                continue
            stays = estimate_offers(view, memory, params, k, prices, most, samples, alphas, betas)
            for i in range(PRICES if high > low else 1):
                in_bin = price_bin(offered_price(view, i), low, high)
                for quantity in range(1, most + 1):
                    alpha, beta = float(alphas[quantity, in_bin]), float(betas[quantity, in_bin])
                    prospects.chances[k, quantity, i] = stays * alpha / (alpha + beta)

    @compiled_once
    def play(view: FactoryView, state: np.ndarray, params: np.ndarray, actions: ActionArray) -> None:
        memory, counts = record_of(state, MEMORY_DTYPE, 0), record_of(state, COUNTS_DTYPE, MEMORY_SIZE)
        parameters, rules = record_of(params, PARAMETERS_DTYPE, 0), params[N_PARAMETERS:]
        begin_day(view, memory)
        look(view, memory, record_of(rules, CALIBRATION_DTYPE, 2 * N_SIDE), False)
        hear_new(view, memory)
        prospects = new_prospects()
        missing = look_around(view, counts, prospects)
        if view["needs"] > 0:
            fill_chances(view, memory, rules, prospects)
        answer_partners(view, parameters, counts, prospects, missing, actions)
        note(view, actions, memory)

    @compiled
    def remember(view: FactoryView, state: np.ndarray, params: np.ndarray) -> None:
        memory, rules = record_of(state, MEMORY_DTYPE, 0), params[N_PARAMETERS:]
        look(view, memory, record_of(rules, CALIBRATION_DTYPE, 2 * N_SIDE), True)
        see_answers(view, record_of(state, COUNTS_DTYPE, MEMORY_SIZE), True)

    def decide(
        view: FactoryView, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: ActionArray
    ) -> None:
        play(view, state, params, actions)

    def learn(view: FactoryView, state: np.ndarray, params: np.ndarray) -> None:
        remember(view, state, params)

    nothing, state, params = new_view(), np.zeros(MEMORY_SIZE + COUNTS_SIZE), np.zeros(N_PARAMETERS + N_RULES)
    play(nothing, state, params, new_actions())  # compiled now, not in the first negotiation
    remember(nothing, state, params)
    return Strategy(
        "dnb_sequential",
        decide,
        state_size=MEMORY_SIZE + COUNTS_SIZE,
        synchronous=False,
        learn=learn,
        n_draws=0,
        summary="D-NB's model of acceptance, asked partner after partner",
    )


def sequential_player(model: AcceptanceModel, rules: Rules, seed: int) -> StrategyPolicy:
    """A factory played by D-NB's model, asking partner after partner.

    Args:
        model: Of acceptance.
        rules: Of which the calibration's matter.
        seed: Not drawn from.
    """
    numbers = np.concatenate([SEQUENTIAL.parameter_array(), player_numbers(model, rules)])
    return StrategyPolicy(sequential_strategy(model.kernel), seed, numbers)
