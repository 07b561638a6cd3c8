"""The records of D-NB: an offer with all that was known when it was made, and what a factory remembers.

All fields are 8 bytes wide, so that a factory's memory is its strategy's state (float64) read as a record.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from scml_gym.oneshot.view import MAX_PARTNERS

MAX_EVENTS = 16
"""Events of a negotiation that are remembered: the latest."""

WINDOW = 32
"""Responses of a partner that its statistics look back on (thesis, section 4.6: partner statistics)."""

ME, PARTNER = 0, 1
"""Speakers of events."""

OFFERED, ACCEPTED, ENDED = 0, 1, 2
"""Actions of events (thesis, section 3.3.3); a rejection shows as the counter-offer that follows."""

ROUND_BUCKETS, PRICE_BINS, QUANTITY_BUCKETS = 5, 2, 5
"""Of the key of a Beta posterior: fifths of the relative time, the lower and upper half of the prices, and 1, 2, 3-4,
5-7, 8 or more items."""

EVENT_DTYPE = np.dtype(
    [
        ("speaker", np.int64),  # ME or PARTNER
        ("action", np.int64),  # OFFERED, ACCEPTED or ENDED
        ("counter", np.int64),  # an offer that answers one
        ("first", np.int64),  # the speaker's first offer of the negotiation
        ("quantity", np.int64),  # of the offer, or the one accepted; 0 for an end
        ("price_bin", np.int64),  # 1 in the upper half of the range of prices
        ("time", np.float64),  # relative time, in (0, 1]
    ],
    align=True,
)

RESPONSE_DTYPE = np.dtype(
    [
        ("accepted", np.int64),  # 1, or 0 for a counter-offer
        ("quantity", np.int64),  # of the offer that was answered
        ("price_bin", np.int64),
        ("first", np.int64),  # it was the first offer of its negotiation
    ],
    align=True,
)
"""A partner's explicit response to one of my offers."""

SAMPLE_DTYPE = np.dtype(
    [
        # the offer
        ("quantity", np.int64),
        ("price", np.int64),
        # the context: what the one who offers knows (see scml_gym.oneshot.view for units)
        ("time", np.float64),  # relative time of the negotiation
        ("level", np.int64),  # of the one who offers
        ("needs", np.int64),  # what is still to be traded, without what it accepts in the same breath
        ("lines", np.int64),
        ("min_price", np.int64),
        ("max_price", np.int64),
        ("input_price", np.float64),
        ("output_price", np.float64),
        ("shortfall_penalty", np.float64),
        ("disposal_cost", np.float64),
        ("exogenous_quantity", np.int64),
        ("exogenous_price", np.float64),
        ("production_cost", np.float64),
        ("n_partners", np.int64),
        ("n_competitors", np.int64),
        ("total_supply", np.int64),
        ("total_demand", np.int64),
        ("day", np.int64),
        ("n_days", np.int64),
        # what is remembered of the partner
        ("negotiations", np.int64),  # of earlier days in which I offered
        ("agreements", np.int64),  # of those
        ("n_responses", np.int64),  # in the window, at most WINDOW
        ("responses", RESPONSE_DTYPE, (WINDOW,)),  # oldest first
        # today's negotiation
        ("n_offers", np.int64),  # mine before this one
        ("n_events", np.int64),  # below, at most MAX_EVENTS
        ("events", EVENT_DTYPE, (MAX_EVENTS,)),  # oldest first
    ],
    align=True,
)
"""One offer, as it was decided on: everything that an acceptance model may look at."""

PARTNER_MEMORY_DTYPE = np.dtype(
    [
        # of the world
        ("negotiations", np.int64),
        ("agreements", np.int64),
        ("n_responses", np.int64),
        ("responses", RESPONSE_DTYPE, (WINDOW,)),
        ("accepts", np.float64, (ROUND_BUCKETS, PRICE_BINS, QUANTITY_BUCKETS)),  # evidence, by key
        ("rejects", np.float64, (ROUND_BUCKETS, PRICE_BINS, QUANTITY_BUCKETS)),
        ("prior", np.float64, (ROUND_BUCKETS, PRICE_BINS, QUANTITY_BUCKETS)),  # mean at the key's first use; 0: none
        ("answers", np.float64, (ROUND_BUCKETS,)),  # my offers that were accepted or countered, by round bucket
        ("silences", np.float64, (ROUND_BUCKETS,)),  # those that were left without an answer
        # of the day
        ("n_offers", np.int64),
        ("n_events", np.int64),
        ("events", EVENT_DTYPE, (MAX_EVENTS,)),
        ("pending", np.int64),  # my last offer has no answer yet: it is the next five fields
        ("quantity", np.int64),
        ("price_bin", np.int64),
        ("time", np.float64),
        ("mean", np.float64),  # the chance of its acceptance, as it was estimated
        ("bound", np.float64),  # its lower confidence bound
    ],
    align=True,
)
"""What a factory remembers of one partner."""

MEMORY_DTYPE = np.dtype(
    [
        ("day", np.int64),  # of the partners' daily fields, from 1; 0 before the first
        ("budget", np.float64),  # items that may be offered today; 0 for no limit
        # of the last decision, for those who look into it (see scml_gym.agents.dnb.recording)
        ("needs", np.int64),
        ("expected", np.float64),  # items that offers under way were expected to bring
        ("conservative", np.float64),  # the same at their lower bounds
        ("taken", np.int64),  # the set of offers accepted, a bit mask over partners
        ("score", np.float64),  # what it was worth, in money
        ("offered", np.int64),  # items of all offers made
        ("partners", PARTNER_MEMORY_DTYPE, (MAX_PARTNERS,)),
    ],
    align=True,
)
"""What a factory remembers in one world; all zeros when it begins."""

MEMORY_SIZE = MEMORY_DTYPE.itemsize // 8
"""Numbers of a strategy's state that hold a memory."""

Memory: TypeAlias = np.void
"""One record of ``MEMORY_DTYPE``."""
PartnerMemory: TypeAlias = np.void
"""One record of ``PARTNER_MEMORY_DTYPE``."""
Sample: TypeAlias = np.void
"""One record of ``SAMPLE_DTYPE``."""
