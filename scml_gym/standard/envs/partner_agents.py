"""The agents of a factory's negotiations: their names, one for each partner that a factory may have."""

from __future__ import annotations

from scml_gym.standard.view import MAX_PARTNERS, MAX_PER_LEVEL, is_consumer

AGENTS = tuple(f"{'consumer' if is_consumer(k) else 'supplier'}_{k % MAX_PER_LEVEL}" for k in range(MAX_PARTNERS))
"""By partner index."""
