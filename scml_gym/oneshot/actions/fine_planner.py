"""The planner with finer heads, and first offers by counted chances: how far do simultaneous answers get?

First offers are the best vector of them (`scml_gym.oneshot.asking.together`), by the chances that each partner accepts
them, as counted since the world began; two heads say by what these are multiplied, and the chance that an item left
open is still traded. All later answers are the planner's, with finer steps than `scml_gym.oneshot.actions.planner` has.
"""

from __future__ import annotations

import numpy as np

from scml_gym.jit.arrays import scratch_floats
from scml_gym.jit.compile import jittable
from scml_gym.jit.parameters import record_of
from scml_gym.oneshot.actions.planner import HEADS, PlannerActions, PlannerForm, settings_decoder
from scml_gym.oneshot.asking.counts import (
    COUNTS_DTYPE,
    COUNTS_SIZE,
    bucket,
    fill_chances,
    note_offer,
)
from scml_gym.oneshot.asking.parameters import PARAMETERS
from scml_gym.oneshot.asking.together import fill_offers
from scml_gym.oneshot.asking.values import MAX_ITEMS, MAX_TOTAL, PRICES, best_price, fill_worth, new_prospects
from scml_gym.oneshot.planner import MEMORY_SIZE, N_SETTINGS, SETTINGS_DTYPE, plan, remember
from scml_gym.oneshot.view import END, MAX_PARTNERS, OFFER, ActionArray, FactoryView

FINE_HEADS = HEADS | {
    "under": tuple((float(items),) for items in (0, 1, 2, 3, 4, 5, 10)),
    "over": tuple((float(items),) for items in (0, 1, 2, 3, 4, 10)),
    "items expected": tuple((share,) for share in (0.2, 0.4, 0.6, 0.8, 0.9, 1.0, 1.15, 1.4)),
    "price asked for": tuple((position,) for position in (1.0, 0.75, 0.5, 0.25, 0.0)),
    "chances": tuple((factor,) for factor in (0.0, 0.7, 0.8, 0.9, 1.0, 1.1)),
    "later": tuple((chance,) for chance in (0.0, 0.2, 0.4)),
}
"""As `HEADS`, in finer steps; then what the counted chances of first offers are multiplied by (0 for first offers
as the other heads say), and the chance that an item left open by them is still traded, at the worst price."""

decode_settings = settings_decoder(FINE_HEADS)
N_NUMBERS = N_SETTINGS + 2
WEIGHTS = (PARAMETERS["prior"], PARAMETERS["pooled"])


@jittable
def offers_first(view: FactoryView) -> bool:
    """Whether these are the day's first offers, with none to answer."""
    for k in range(view["n_partners"]):
        if view["partners"][k]["offer_quantity"] > 0:
            return False
    return view["decision"] == 0


@jittable
def make_first_offers(view: FactoryView, counts: np.void, factor: float, later: float, actions: ActionArray) -> None:
    """The best vector of offers to all partners at once."""
    chances = np.full((MAX_PARTNERS, MAX_ITEMS + 1, PRICES), -1.0)
    worth, offers, prices = np.zeros(MAX_TOTAL + 1), np.zeros(MAX_PARTNERS, np.int64), np.zeros(MAX_PARTNERS, np.int64)
    fill_worth(view, view["needs"], new_prospects(), later, worth)
    for k in range(view["n_partners"]):
        if view["partners"][k]["my_turn"] != 0:
            fill_chances(view, counts, k, WEIGHTS, chances[k])
            for quantity in range(1, MAX_ITEMS + 1):
                for i in range(PRICES):
                    if chances[k, quantity, i] > 0.0:
                        chances[k, quantity, i] = min(chances[k, quantity, i] * factor, 1.0)
    fill_offers(view, chances, worth, offers, prices)
    for k in range(view["n_partners"]):
        if offers[k] > 0:
            actions[k]["response"], actions[k]["quantity"], actions[k]["price"] = OFFER, offers[k], prices[k]
        elif view["partners"][k]["my_turn"] != 0:
            actions[k]["response"] = END


@jittable
def decode_fine(choice: np.ndarray, view: FactoryView, memory: np.ndarray, actions: ActionArray) -> None:
    """See `scml_gym.oneshot.actions.planner.PlannerForm.decode`; the memory is the planner's, then counts."""
    settings = scratch_floats(N_NUMBERS)
    decode_settings(choice, settings)
    first, factor = view["needs"] > 0 and offers_first(view), settings[N_SETTINGS]
    counts = record_of(memory, COUNTS_DTYPE, MEMORY_SIZE)
    if first and factor > 0.0:
        make_first_offers(view, counts, factor, settings[N_SETTINGS + 1], actions)
    else:
        plan(view, record_of(settings, SETTINGS_DTYPE, 0), memory, actions)
    for k in range(view["n_partners"]):
        if first and actions[k]["response"] == OFFER:
            note_offer(counts, k, actions[k]["quantity"], best_price(view, actions[k]["price"]), 0, 0.0)


@jittable
def remember_fine(view: FactoryView, memory: np.ndarray) -> None:
    """Count what became of the first offers: accepted is what was agreed as it was offered."""
    remember(view, memory)
    counts = record_of(memory, COUNTS_DTYPE, MEMORY_SIZE)
    for k in range(view["n_partners"]):
        partner, known = view["partners"][k], counts["partners"][k]
        quantity, price = int(known["pending"]), int(known["price"])
        if quantity > 0:
            accepted = partner["agreed_quantity"] == quantity and best_price(view, partner["agreed_price"]) == price
            known["answered"][0, price, bucket(quantity)] += 1.0
            known["accepted"][0, price, bucket(quantity)] += 1.0 if accepted else 0.0
            known["pending"] = 0


def fine_planner() -> PlannerActions:
    """One choice for each head: ``MultiDiscrete([7, 6, 2, 8, 5, 3, 6, 3])``."""
    return PlannerActions(PlannerForm(FINE_HEADS, MEMORY_SIZE + COUNTS_SIZE, decode_fine, remember_fine))
