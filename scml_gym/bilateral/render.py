"""A bilateral negotiation as text or as a picture, from the view of one side."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np

from scml_gym.bilateral.negotiators.base import NO_OFFER
from scml_gym.bilateral.scenarios.base import Scenario
from scml_gym.bilateral.view import ACCEPTED_BY, BilateralView
from scml_gym.game.rendering import Table, render_tables

SIDES = {"its offer": ("offer", "offer_utility"), "my offer": ("mine", "my_utility")}
"""Name -> fields of a view."""

WIDTH = 22
"""Of a cell of a picture, in characters."""


def render_negotiation(view: BilateralView, scenario: Scenario, mode: str) -> str | np.ndarray:
    """The round and both sides' last offers, and how the negotiation ended.

    Args:
        view: What the learner's side sees.
        scenario: What is negotiated about.
        mode: ``"ansi"`` for text, ``"rgb_array"`` for uint8 pixels, shape ``(height, width, 3)``.

    Raises:
        InputError: for another mode.
    """
    told = [f"{scenario.name}, round {view['step'] + 1}/{view['n_steps']}"]
    if not view["running"]:
        told.append(f"accepted by {ACCEPTED_BY[view['accepted_by']]}: utility {view['utility']:.3f}")
    offers = {name: _offer(view, scenario, *fields) for name, fields in SIDES.items()}
    if mode == "ansi":
        lines = [
            f"{name:>9}: " + (f"{values} ({utility})" if values else "-") for name, (values, utility) in offers.items()
        ]
        return "\n".join([told[0], *lines, *told[1:]])
    columns = [[*map(str, values or ("-",) * len(scenario.issues)), utility] for values, utility in offers.values()]
    rows = [tuple(map(_cell, row)) for row in zip((*scenario.issues, "utility"), *columns, strict=True)]
    return render_tables(mode, "   ".join(told), [Table(("issue", *SIDES), rows)])


def _offer(view: BilateralView, scenario: Scenario, outcome: str, utility: str) -> tuple[tuple[Any, ...], str]:
    """The values of an offer's issues, and its utility; nothing where there is none."""
    if view[outcome] == NO_OFFER:
        return (), ""
    return tuple(scenario.outcome(int(view[outcome]))), f"{view[utility]:.3f}"


def _cell(text: str) -> str:
    return textwrap.shorten(text, WIDTH, placeholder="..")
