"""From recordings to what a clone is fitted to: each choice of a decision with its alternatives and the one taken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from scml_gym.agents.clones.recording import Recording
from scml_gym.jit.compile import compiled
from scml_gym.oneshot.clones.features import (
    BEST_RATE,
    BETWEEN,
    MAX_SETS,
    Sets,
    add_asked,
    drop_asked,
    find_sets,
    is_opening,
    least_share,
    most_total,
    price_features,
    price_kind,
    running,
    set_features,
    share_features,
    total_features,
)
from scml_gym.oneshot.clones.layout import (
    CHOICES,
    MAX_FEATURES,
    MAX_TOTAL,
    MEMORY_SIZE,
    N_CONTEXTS,
    fill_context,
    remember,
)
from scml_gym.oneshot.rules import needs_of, repair
from scml_gym.oneshot.view import ACCEPT, MAX_PARTNERS, OFFER, SELLER, VIEW_DTYPE


class Examples(NamedTuple):
    """Choices of one kind, each a run of rows, one for each alternative.

    Attributes:
        context: Float64 ``(choices, N_CONTEXTS)``, see `scml_gym.oneshot.clones.layout.fill_context`.
        start: Int64 ``(choices + 1,)``: where the rows of a choice begin.
        chosen: Int64 ``(choices,)``: which of its alternatives was taken.
        features: Int16 ``(rows, MAX_FEATURES)``: those that are not 0.
        values: Float32, likewise: what they are.
        n_features: Int64 ``(rows,)``: how many they are.
    """

    context: np.ndarray
    start: np.ndarray
    chosen: np.ndarray
    features: np.ndarray
    values: np.ndarray
    n_features: np.ndarray


def empty(choices: int, rows: int) -> Examples:
    """Room for so many choices with so many rows in all."""
    return Examples(
        np.zeros((choices, N_CONTEXTS)),
        np.zeros(choices + 1, np.int64),
        np.zeros(choices, np.int64),
        np.zeros((rows, MAX_FEATURES), np.int16),
        np.zeros((rows, MAX_FEATURES), np.float32),
        np.zeros(rows, np.int64),
    )


def join(parts: Sequence[Examples]) -> Examples:
    """Several together."""
    offsets = np.cumsum([0, *(len(part.n_features) for part in parts)])
    starts = [part.start[:-1] + offset for part, offset in zip(parts, offsets, strict=False)]
    joined = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return Examples(*joined)._replace(start=np.concatenate([*starts, offsets[-1:]]))


def examples_of(recordings: Sequence[Recording], name: str, level: int) -> dict[str, Examples]:
    """The choices of a player on a level, by the names of `scml_gym.oneshot.clones.layout.CHOICES`.

    Args:
        recordings: Of worlds, in which it may have played several factories, or none.
        name: Of the player.
        level: `SELLER` or `BUYER`.
    """
    parts: dict[str, list[Examples]] = {choice: [] for choice in CHOICES}
    for views, actions, ends in _played(recordings, name, level):
        for choice, part in zip(CHOICES, _choices(views, actions, ends), strict=True):
            parts[choice].append(part)
    return {choice: join(found) if found else empty(0, 0) for choice, found in parts.items()}


def _played(
    recordings: Sequence[Recording], name: str, level: int
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Each factory of the player: its decisions, its answers made playable, and how its days ended."""
    for recording in recordings:
        n_sellers = recording.n_sellers
        for factory, played_by in enumerate(recording.names):
            mine = recording.views["factory"] == factory
            if played_by != name or (factory < n_sellers) != (level == SELLER) or not mine.any():
                continue
            views, actions = _openings_joined(recording.views[mine], recording.actions[mine])
            for view, answers in zip(views, actions, strict=True):
                repair(view, answers)
            yield views, actions, _day_ends(views, recording.contracts, n_sellers)


def _openings_joined(views: np.ndarray, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First offers of a day as one decision about all partners: negmas asks again where one is missing, and what is
    said last is sent."""
    views, actions, kept = views.copy(), actions.copy(), []
    for i in range(len(views)):
        turn = views["partners"]["my_turn"][i] != 0
        opening = not (turn & (views["partners"]["offer_quantity"][i] > 0)).any()
        if opening and kept and views["day"][kept[-1]] == views["day"][i]:
            first = kept[-1]
            new = (actions["response"][i] == OFFER) & (views["partners"]["running"][first] != 0)
            actions[first][new] = actions[i][new]
            continue
        if opening:
            views["partners"]["my_turn"][i] = views["partners"]["running"][i]
        kept.append(i)
    return views[kept], actions[kept]


def _day_ends(views: np.ndarray, contracts: np.ndarray, n_sellers: int) -> np.ndarray:
    """The view of a factory as each day's negotiations are over, as far as a clone's memory looks at it."""
    factory, level = int(views["factory"][0]), int(views["level"][0])
    ends = np.repeat(views[:1], views["n_days"][0])
    ends["exogenous_quantity"] = 0  # of days on which it was not asked
    ends[views["day"]] = views
    ends["partners"]["agreed_quantity"] = 0
    mine = contracts[contracts["seller" if level == SELLER else "buyer"] == factory]
    partner = mine["buyer"] - n_sellers if level == SELLER else mine["seller"]
    np.add.at(ends["partners"]["agreed_quantity"], (mine["day"], partner), mine["quantity"])
    for end in ends:
        end["agreed_quantity"] = end["partners"]["agreed_quantity"].sum()
        end["needs"] = needs_of(end["lines"], end["exogenous_quantity"], end["agreed_quantity"])
    return ends


def _choices(views: np.ndarray, actions: np.ndarray, ends: np.ndarray) -> tuple[Examples, ...]:
    n = len(views)
    standing = (views["partners"]["my_turn"] != 0) & (views["partners"]["offer_quantity"] > 0)
    rows = int((2 ** standing.sum(axis=1)).sum())
    room = (
        empty(n, rows),
        empty(n, n * (MAX_TOTAL + 1)),
        empty(n * MAX_PARTNERS, n * MAX_PARTNERS * (int(views["max_quantity"].max()) + 1)),
        empty(n * MAX_PARTNERS, n * MAX_PARTNERS * 3),
    )
    used = np.zeros(len(room), np.int64)
    assert views.dtype == VIEW_DTYPE
    _write_choices(views, actions, ends, *room, used)
    return tuple(_cut(part, int(choices)) for part, choices in zip(room, used, strict=True))


def _cut(part: Examples, choices: int) -> Examples:
    rows = int(part.start[choices])
    return Examples(
        part.context[:choices],
        part.start[: choices + 1],
        part.chosen[:choices],
        part.features[:rows].copy(),
        part.values[:rows].copy(),
        part.n_features[:rows].copy(),
    )


@compiled
def _write_choices(
    views: Any, actions: Any, ends: Any, sets: Any, totals: Any, shares: Any, prices: Any, used: Any
) -> None:
    """Write what was chosen in each decision of a factory, in the order in which `play` chooses.

    Args:
        views: ``VIEW_DTYPE``, in order.
        actions: ``ACTION_DTYPE``, shape ``(decisions, MAX_PARTNERS)``, playable.
        ends: ``VIEW_DTYPE``, shape ``(days,)``.
        sets: Room for choices of sets, `Examples`; likewise ``totals``, ``shares`` and ``prices``.
        totals: See ``sets``.
        shares: See ``sets``.
        prices: See ``sets``.
        used: Int64 ``(4,)``, receives how many choices of each there are.
    """
    memory, day = np.zeros(MEMORY_SIZE), 0
    found = Sets(
        np.zeros(MAX_PARTNERS, np.int64),
        np.zeros(MAX_SETS),
        np.zeros(MAX_SETS),
        np.zeros(MAX_SETS),
        np.zeros(MAX_SETS),
        np.zeros(MAX_SETS),
        np.zeros(4),
    )
    context, asked = np.zeros(N_CONTEXTS), np.zeros(4)
    for d in range(len(views)):
        view, answers = views[d], actions[d]
        while day < view["day"]:
            remember(ends[day], memory)
            day += 1
        opening = is_opening(view)
        context[:] = 0.0
        fill_context(view, memory, opening, context)
        taken, quantity = False, 0
        if not opening:
            n_offers, n_running, mask = find_sets(view, memory, found), running(view), 0
            for bit in range(n_offers):
                if answers[found.partners[bit]]["response"] == ACCEPT:
                    mask |= 1 << bit
            taken, quantity = mask != 0, int(found.quantity[mask])
            g = used[0]
            row = sets.start[g]
            for alternative in range(1 << n_offers):
                sets.n_features[row] = set_features(
                    view, found, n_offers, n_running, alternative, sets.features[row], sets.values[row]
                )
                row += 1
            _close(sets, g, row, mask, context)
            used[0] += 1

        left, n_rest, rest = view["needs"] - quantity, 0, 0
        asked[:] = 0.0
        asked[BEST_RATE] = -1.0
        for k in range(view["n_partners"]):
            if view["partners"][k]["my_turn"] != 0 and answers[k]["response"] != ACCEPT:
                n_rest += 1
                add_asked(view, memory, k, asked)
                if answers[k]["response"] == OFFER:
                    rest += answers[k]["quantity"]
        if n_rest == 0:
            continue
        g, most = used[1], most_total(view, n_rest)
        row = totals.start[g]
        for total in range(most + 1):
            totals.n_features[row] = total_features(
                left, opening, taken, n_rest, total, totals.features[row], totals.values[row]
            )
            row += 1
        _close(totals, g, row, min(rest, most), context)
        used[1] += 1

        previous = -1
        for k in range(view["n_partners"]):
            if view["partners"][k]["my_turn"] == 0 or answers[k]["response"] == ACCEPT:
                continue
            share = answers[k]["quantity"] if answers[k]["response"] == OFFER else 0
            if n_rest > 1 and rest > 0:
                g, least = used[2], least_share(view, n_rest, rest)
                row = shares.start[g]
                for q in range(least, min(rest, view["max_quantity"]) + 1):
                    shares.n_features[row] = share_features(
                        view, memory, opening, k, asked, rest, q, shares.features[row], shares.values[row]
                    )
                    row += 1
                _close(shares, g, row, share - least, context)
                used[2] += 1
            rest -= share
            n_rest -= 1
            drop_asked(view, memory, k, asked)
            if share == 0 or view["max_price"] == view["min_price"]:
                continue
            g, kind, chosen = used[3], price_kind(view, answers[k]["price"]), 0
            row = prices.start[g]
            for alternative in range(3):
                if alternative == BETWEEN and view["max_price"] == view["min_price"] + 1:
                    continue
                if alternative == kind:
                    chosen = row - prices.start[g]
                prices.n_features[row] = price_features(
                    view, memory, taken, k, share, previous, alternative, prices.features[row], prices.values[row]
                )
                row += 1
            _close(prices, g, row, chosen, context)
            used[3] += 1
            previous = kind


@compiled
def _close(part: Any, choice: int, row: int, chosen: int, context: Any) -> None:
    """Note that a choice's rows end here, and which of them was taken."""
    part.context[choice] = context
    part.chosen[choice] = chosen
    part.start[choice + 1] = row
