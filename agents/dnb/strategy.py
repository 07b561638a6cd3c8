"""D-NB as a strategy: what is remembered, what is expected, what is planned; for every world."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from scml_gym.agents.dnb.allocation import MAX_ITEMS
from scml_gym.agents.dnb.bou import (
    CALIBRATION_DTYPE,
    add_evidence,
    chance_of_answer,
    count_answer,
    lower_bound,
    posterior,
)
from scml_gym.agents.dnb.commitments import open_budget
from scml_gym.agents.dnb.decision_log import thoughts
from scml_gym.agents.dnb.events import fill_context, fill_history, fill_offer, price_bin
from scml_gym.agents.dnb.models import AcceptanceModel, Kernel
from scml_gym.agents.dnb.planner import (
    choose_offers,
    choose_set,
    items_left,
    last_move,
    new_chances,
    offer_prices,
)
from scml_gym.agents.dnb.records import MEMORY_DTYPE, MEMORY_SIZE, PRICE_BINS, SAMPLE_DTYPE, Memory
from scml_gym.agents.dnb.rules import N_RULES, N_SIDE, SIDE_DTYPE, Rules
from scml_gym.agents.dnb.tracking import (
    LEFT,
    SILENT,
    TAKEN,
    answer_to,
    begin_day,
    hear,
    needs_of_offers,
    note,
    take_answer,
)
from scml_gym.jit.compile import compiled, jittable
from scml_gym.jit.once import compiled_once
from scml_gym.jit.parameters import record_of
from scml_gym.oneshot.strategies.base import Strategy, StrategyPolicy
from scml_gym.oneshot.strategies.best_subset import earliest_time
from scml_gym.oneshot.strategies.market import accept, end, offer
from scml_gym.oneshot.view import OFFER, ActionArray, FactoryView, new_actions, new_view


@jittable
def look(view: FactoryView, memory: Memory, calibration: np.void, day_over: bool) -> None:
    """Take in what became of pending offers: evidence, statistics of partners, commitments and exposure."""
    for k in range(view["n_partners"]):
        partner = memory["partners"][k]
        if partner["pending"] == 0:
            continue
        answer = answer_to(view, k, day_over)
        if answer != SILENT:
            count_answer(partner, answer != LEFT)
        if answer == LEFT:
            if calibration["terminal"] > 0.0:
                add_evidence(partner, False, calibration["terminal"])
        elif answer != SILENT:
            add_evidence(partner, answer == TAKEN, 1.0)
        take_answer(memory, k, answer)


@functools.cache
def offer_estimator(kernel: Kernel) -> Callable[..., float]:
    """What estimates offers to one partner by one kind of model: ``estimate_offers(view, memory, params, k, prices,
    most, samples, alphas, betas) -> chance``, jittable.

    It writes the parameters of the chance that an offer is accepted rather than countered, Beta distributed, by items
    up to ``most`` and price bin, ``(MAX_ITEMS + 1, PRICE_BINS)``, where ``prices`` has one, and gives the chance that
    an offer is answered at all. The context of ``samples[0]`` is filled; it is the caller's: Numba frees an array after
    its last use, whoever still uses a record in it.
    """
    scratch_size, prepare, mean_of = kernel

    @jittable
    def estimate_offers(
        view: FactoryView,
        memory: Memory,
        params: np.ndarray,
        k: int,
        prices: np.ndarray,
        most: int,
        samples: np.ndarray,
        alphas: np.ndarray,
        betas: np.ndarray,
    ) -> float:
        calibration, numbers = record_of(params, CALIBRATION_DTYPE, 2 * N_SIDE), params[N_RULES:]
        sample, scratch = samples[0], np.zeros(scratch_size)
        partner, time = memory["partners"][k], view["partners"][k]["relative_time"]
        fill_history(partner, time, sample)
        stays = chance_of_answer(partner, time, calibration)
        prepare(numbers, sample, scratch)
        for in_bin in range(PRICE_BINS):
            if prices[in_bin] == 0:
                continue
            for quantity in range(1, most + 1):
                fill_offer(quantity, prices[in_bin], sample)
                mean = mean_of(numbers, sample, scratch)
                alpha, beta = posterior(partner, time, in_bin, quantity, mean, calibration)
                alphas[quantity, in_bin], betas[quantity, in_bin] = alpha, beta
        return stays

    return estimate_offers


@functools.cache
def dnb_strategy(kernel: Kernel) -> Strategy:
    """The strategy of all D-NBs with one kind of model; its parameters are the rules, then the model's numbers."""
    estimate_offers = offer_estimator(kernel)

    @jittable
    def estimate(
        view: FactoryView,
        memory: Memory,
        params: np.ndarray,
        prices: np.ndarray,
        needs: int,
        taken: int,
        samples: np.ndarray,
        means: np.ndarray,
        bounds: np.ndarray,
    ) -> None:
        """The chances of all offers that are considered, to all partners that are to be answered and are not taken.

        ``samples`` is scratch, and the caller's.
        """
        side = record_of(params, SIDE_DTYPE, view["level"] * N_SIDE)
        calibration = record_of(params, CALIBRATION_DTYPE, 2 * N_SIDE)
        alphas, betas = np.zeros((MAX_ITEMS + 1, PRICE_BINS)), np.zeros((MAX_ITEMS + 1, PRICE_BINS))
        fill_context(view, needs, samples[0])
        most = min(int(side["most_items"]), MAX_ITEMS, view["max_quantity"])
        for k in range(view["n_partners"]):
            for quantity in range(1, MAX_ITEMS + 1):
                for in_bin in range(PRICE_BINS):
                    means[k, quantity, in_bin] = bounds[k, quantity, in_bin] = -1.0
            if view["partners"][k]["my_turn"] == 0 or (taken >> k) & 1 or last_move(view, k):
                continue
            stays = estimate_offers(view, memory, params, k, prices, most, samples, alphas, betas)
            for in_bin in range(PRICE_BINS):
                if prices[in_bin] == 0:
                    continue
                for quantity in range(1, most + 1):
                    alpha, beta = float(alphas[quantity, in_bin]), float(betas[quantity, in_bin])
                    means[k, quantity, in_bin] = stays * alpha / (alpha + beta)
                    bounds[k, quantity, in_bin] = stays * lower_bound(alpha, beta, calibration)

    @compiled_once
    def play(view: FactoryView, state: np.ndarray, params: np.ndarray, actions: ActionArray) -> None:
        memory = state.view(MEMORY_DTYPE)[0]
        side = record_of(params, SIDE_DTYPE, view["level"] * N_SIDE)
        if begin_day(view, memory):
            open_budget(view, side, memory)
        look(view, memory, record_of(params, CALIBRATION_DTYPE, 2 * N_SIDE), False)
        hear(view, memory)
        samples, means, bounds = np.zeros(1, dtype=SAMPLE_DTYPE), new_chances(), new_chances()
        prices, time = np.zeros(PRICE_BINS, dtype=np.int64), earliest_time(view)
        taken, left = 0, 0
        if view["needs"] > 0:
            offer_prices(view, side, time, prices)
            estimate(view, memory, params, prices, view["needs"], 0, samples, means, bounds)
            taken = choose_set(view, side, memory, time, prices, means, bounds)
            left = items_left(view, side, memory, taken)
        for k in range(view["n_partners"]):
            if view["partners"][k]["my_turn"] != 0:
                if (taken >> k) & 1:
                    accept(actions, k)
                else:
                    end(actions, k)
        if left > 0:
            if taken != 0:
                needs = needs_of_offers(view, actions)
                estimate(view, memory, params, prices, needs, taken, samples, means, bounds)
            offers = choose_offers(view, side, memory, time, left, prices, bounds)
            for k in range(view["n_partners"]):
                if offers.quantities[k] > 0:
                    offer(actions, k, int(offers.quantities[k]), int(prices[offers.bins[k]]))
        note(view, actions, memory)
        low, high = view["min_price"], view["max_price"]
        memory["offered"] = 0
        for k in range(view["n_partners"]):
            if actions[k]["response"] == OFFER:
                quantity, in_bin = actions[k]["quantity"], price_bin(actions[k]["price"], low, high)
                memory["partners"][k]["mean"] = means[k, quantity, in_bin]
                memory["partners"][k]["bound"] = bounds[k, quantity, in_bin]
                memory["offered"] += quantity

    @compiled
    def remember(view: FactoryView, state: np.ndarray, params: np.ndarray) -> None:
        look(view, state.view(MEMORY_DTYPE)[0], record_of(params, CALIBRATION_DTYPE, 2 * N_SIDE), True)

    def decide(
        view: FactoryView, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: ActionArray
    ) -> None:
        play(view, state, params, actions)

    def learn(view: FactoryView, state: np.ndarray, params: np.ndarray) -> None:
        remember(view, state, params)

    nothing, state, params = new_view(), np.zeros(MEMORY_SIZE), np.zeros(N_RULES)
    play(nothing, state, params, new_actions())  # compiled now, not in the first negotiation
    remember(nothing, state, params)
    return Strategy("dnb", decide, state_size=MEMORY_SIZE, learn=learn, n_draws=0, summary="D-NB", thoughts=thoughts)


def dnb_player(model: AcceptanceModel, rules: Rules, seed: int) -> StrategyPolicy:
    """A factory played by D-NB.

    Args:
        model: Of acceptance.
        rules: Of the planner and the calibration.
        seed: Not drawn from: D-NB decides without randomness.
    """
    return StrategyPolicy(dnb_strategy(model.kernel), seed, player_numbers(model, rules))


def player_numbers(model: AcceptanceModel, rules: Rules) -> np.ndarray:
    """The parameters of a D-NB's strategy, float64: the rules, then the model's numbers."""
    return np.concatenate([rules.numbers(model.strength), model.numbers])
