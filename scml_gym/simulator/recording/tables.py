"""The tables of a world that was played, as far as tracks share them; the columns are in `schema`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scml_gym.simulator.compiled.alternating_offers import ACCEPT, OFFER
from scml_gym.simulator.compiled.scores import score_of
from scml_gym.simulator.recording.log import AUDITED, UnsafeAct, WorldLog
from scml_gym.simulator.recording.schema import ANSWERS

if TYPE_CHECKING:
    import pandas as pd

NONE, ACCEPTED, COUNTERED, ENDED = range(len(ANSWERS))

Table = dict[str, Any]
"""A table of one world: columns by name, arrays or lists of equal length, without ``world``."""


@dataclass(frozen=True)
class About:
    """What a recording says of a world that the world does not know.

    Attributes:
        seed: Of the simulation.
        competitors: Label of who plays each factory.
        roles: Of each of them: competitor, background, substitute or learner.
        configuration: Of a tournament, like the next two; None elsewhere.
        block: Of that configuration.
        play: Of that block.
    """

    seed: int
    competitors: Sequence[str]
    roles: Sequence[str]
    configuration: int | None = None
    block: int | None = None
    play: int | None = None


@dataclass(frozen=True)
class Recomputed:
    """What follows from the tables of a world.

    Attributes:
        profits: Of each factory and day, float64 ``(n_factories, n_days)``.
        scores: Of each factory, float64 ``(n_factories,)``.
        needs: The columns of ``days`` that tell needs, int64 ``(n_factories, n_days)``.
    """

    profits: np.ndarray
    scores: np.ndarray
    needs: dict[str, np.ndarray]


def world_tables(
    world: Any,
    about: About,
    own: Mapping[str, Any],
    days: Mapping[str, Any],
    delivery: np.ndarray,
    nullified: np.ndarray,
) -> dict[str, Table]:
    """The tables of a world of factories that is over, from what its track knows of it.

    Args:
        world: Of either backend, with a log.
        about: What the world does not know.
        own: The columns of ``worlds`` that the track fills.
        days: Likewise of ``days``, arrays of shape ``(n_factories, n_days)``.
        delivery: The day of delivery of each contract.
        nullified: Which contracts were not delivered.
    """
    spec, contracts, events = world.spec, world.contracts, world.log.events
    market = market_columns(spec, world.trading_prices, world.profits)
    shared = exogenous_columns(spec) | market | {"profit": world.profits}
    return {
        "worlds": world_table(spec, about, backend=world.backend, **own),
        "factories": factory_table(world, about),
        "days": by_day(shared | dict(days), (spec.n_factories, spec.n_days)),
        "contracts": contract_table(contracts, delivery, nullified, events),
        **log_tables(world.log),
    }


def recomputed(spec: Any, profits: np.ndarray, needs: dict[str, np.ndarray]) -> Recomputed:
    """What follows from the profits of a world's factories and days."""
    totals = np.array([sum(row) for row in profits.tolist()])  # in the order of the days, as worlds sum
    return Recomputed(profits, score_of(spec.initial_balance, totals), needs)


def offers_of(events: np.ndarray) -> Table:
    """The table ``offers``: each offer with how it was answered.

    Args:
        events: Of one world, ``EVENT_DTYPE``, in order.
    """
    low, high = np.minimum(events["sender"], events["receiver"]), np.maximum(events["sender"], events["receiver"])
    order = np.lexsort((np.arange(len(events)), high, low, events["day"]))
    negotiation = np.stack([events["day"], low, high])[:, order]
    same = np.zeros(len(events), dtype=np.bool_)  # the next event is of the same negotiation
    same[:-1] = np.all(negotiation[:, 1:] == negotiation[:, :-1], axis=0)
    following = np.roll(events["response"][order], -1)
    answer = np.where(following == OFFER, COUNTERED, np.where(following == ACCEPT, ACCEPTED, ENDED))
    answers = np.empty(len(events), dtype=np.int64)
    answers[order] = np.where(same, answer, NONE)
    made = events["response"] == OFFER
    names = ("day", "round", "sender", "receiver", "quantity", "price", "delivery")
    return {name: events[name][made] for name in names} | {"answer": np.array(ANSWERS)[answers[made]]}


def rounds_of(contracts: np.ndarray, events: np.ndarray) -> np.ndarray:
    """The round in which each contract was concluded; -1 where the log does not have it.

    Args:
        contracts: With ``day``, ``seller`` and ``buyer``.
        events: Of the world.
    """
    accepted = events[events["response"] == ACCEPT]
    sides = np.sort(np.stack([accepted["sender"], accepted["receiver"]]), axis=0)
    found = dict(
        zip(zip(accepted["day"].tolist(), *sides.tolist(), strict=True), accepted["round"].tolist(), strict=True)
    )
    return np.array([found.get(key, -1) for key in contracts[["day", "seller", "buyer"]].tolist()], dtype=np.int64)


def totals(contracts: np.ndarray, side: str, day: str, shape: tuple[int, int]) -> np.ndarray:
    """Items of contracts by factory and day, int64 of that shape.

    Args:
        contracts: Which of them.
        side: ``seller`` or ``buyer``, whose items they are.
        day: ``day`` or ``delivery``.
        shape: ``(n_factories, n_days)``.
    """
    table = np.zeros(shape, dtype=np.int64)
    np.add.at(table, (contracts[side], contracts[day]), contracts["quantity"])
    return table


def by_day(columns: Mapping[str, Any], shape: tuple[int, int]) -> Table:
    """The table ``days`` from arrays of shape ``(n_factories, n_days)``; columns that are None, or that the track does
    not have, are left out."""
    days = np.repeat(np.arange(shape[1]), shape[0])
    factories = np.tile(np.arange(shape[0]), shape[1])
    rest = {name: np.asarray(array).T.ravel() for name, array in columns.items() if array is not None}
    return {"day": days, "factory": factories} | rest


def exogenous_columns(spec: Any) -> dict[str, np.ndarray]:
    """The columns of ``days`` that tell exogenous contracts."""
    quantity = spec.exogenous_quantity
    supplied = (spec.level == 0)[:, None]
    return {
        "exogenous_supply": np.where(supplied, quantity, 0),
        "exogenous_sales": np.where(supplied, 0, quantity),
        "exogenous_price": np.where(quantity > 0, spec.exogenous_price, 0),
        "shortfall_penalty": spec.shortfall_penalty,
    }


def market_columns(spec: Any, prices: np.ndarray, profits: np.ndarray) -> dict[str, np.ndarray]:
    """The columns of ``days`` that tell trading prices and balances.

    Args:
        spec: Of the world.
        prices: Trading prices in the mornings, ``(products, >= n_days)``.
        profits: Of each factory and day.
    """
    balance = np.zeros(profits.shape)
    total = np.zeros(len(profits))
    for day in range(profits.shape[1]):  # summed as worlds do, so that the last bit is the same
        balance[:, day] = total + spec.initial_balance
        total = total + profits[:, day]
    inputs, outputs = prices[spec.level, : spec.n_days], prices[spec.level + 1, : spec.n_days]
    return {"input_price": inputs, "output_price": outputs, "balance": balance}


def world_table(spec: Any, about: About, **own: Any) -> Table:
    """The table ``worlds``: one row."""
    row = {name: getattr(about, name) for name in ("seed", "configuration", "block", "play")}
    levels = int(spec.level[-1]) + 1
    row |= {"days": spec.n_days, "levels": levels, "rounds": spec.rounds}
    row |= {"catalog_prices": spec.catalog_prices[: levels + 1].tolist()}
    return {name: [value] for name, value in (row | own).items()}


def factory_table(world: Any, about: About) -> Table:
    """The table ``factories``."""
    spec = world.spec
    names = ("shortfall_mean", "shortfall_deviation", "unused_mean", "unused_deviation")
    counts, audits = world.decision_counts, world.log.audits
    return {
        "factory": np.arange(spec.n_factories),
        "competitor": list(about.competitors),
        "role": list(about.roles),
        "level": spec.level,
        "lines": spec.lines,
        "production_cost": spec.production_cost,
        "initial_balance": spec.initial_balance,
        **dict(zip(names, spec.penalty_profile.T, strict=True)),
        "profit": np.array([sum(row) for row in world.profits.tolist()]),
        "score": world.scores,
        "bankrupt": world.bankrupt,
        "decisions": [None if count is None else count[0] for count in counts],
        "invalid": [None if count is None else count[1] for count in counts],
        **{name: [audits.get(i, {}).get(name) for i in range(spec.n_factories)] for name in AUDITED},
    }


def contract_table(contracts: np.ndarray, delivery: np.ndarray, nullified: np.ndarray, events: np.ndarray) -> Table:
    """The table ``contracts``.

    Args:
        contracts: In order of conclusion.
        delivery: The day of delivery of each of them.
        nullified: Which of them were not delivered.
        events: Of the world.
    """
    return {
        "number": np.arange(len(contracts)),
        **{name: contracts[name] for name in ("day", "seller", "buyer", "quantity", "price")},
        "delivery": delivery,
        "round": rounds_of(contracts, events),
        "executed": ~nullified,
        "nullified": nullified,
    }


def log_tables(log: WorldLog) -> dict[str, Table]:
    """The tables ``offers``, ``errors``, ``decisions`` and ``unsafe``."""
    return {
        "offers": offers_of(log.events),
        "errors": _columns(log.errors, ("day", "factory", "partner", "message")),
        "decisions": _columns(log.decisions, ("day", "factory", "decision", "partner", "name", "value")),
        "unsafe": _columns(log.unsafe, ("day", "factory", "decision", "partner", "bound", *UnsafeAct._fields[2:])),
    }


def _columns(rows: Sequence[tuple[Any, ...]], names: Sequence[str]) -> Table:
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}


def spec_fields(tables: Mapping[str, pd.DataFrame], unused: str) -> dict[str, Any]:
    """The fields of a world's spec, from its tables.

    Args:
        tables: By name, of one world.
        unused: The column of ``days`` that says what unused inputs cost.
    """
    world: Any = tables["worlds"].iloc[0]
    factories, days = tables["factories"].sort_values("factory"), _sorted_days(tables)
    names = ("shortfall_mean", "shortfall_deviation", "unused_mean", "unused_deviation")
    shape = (int(world["days"]), len(factories))

    def daily(values: Any) -> np.ndarray:
        return np.asarray(values).reshape(shape).T

    return {
        **{name: factories[name].to_numpy(np.int64) for name in ("level", "lines", "production_cost")},
        "initial_balance": factories["initial_balance"].to_numpy(np.int64),
        "penalty_profile": factories[list(names)].to_numpy(np.float64),
        "exogenous_quantity": daily((days["exogenous_supply"] + days["exogenous_sales"]).astype(np.int64)),
        "exogenous_price": daily(days["exogenous_price"].astype(np.int64)),
        "shortfall_penalty": daily(days["shortfall_penalty"]),
        unused: daily(days[unused]),
        "catalog_prices": np.array(world["catalog_prices"], dtype=np.int64),
        "rounds": int(world["rounds"]),
    }


def contracts_of(tables: Mapping[str, pd.DataFrame]) -> np.ndarray:
    """The contracts of a world in order of conclusion: day, delivery, seller, buyer, quantity and price."""
    names = ("day", "delivery", "seller", "buyer", "quantity", "price")
    table = tables["contracts"].sort_values("number")
    contracts = np.zeros(len(table), dtype=[(name, np.int64) for name in names])
    for name in names:
        contracts[name] = table[name]
    return contracts


def prices_of(tables: Mapping[str, pd.DataFrame]) -> np.ndarray:
    """Trading prices of a world's products in the mornings, float64 ``(products, days)``."""
    levels = dict(zip(tables["factories"]["factory"], tables["factories"]["level"], strict=True))
    days = _sorted_days(tables)
    level = days["factory"].map(levels).to_numpy()
    prices = np.zeros((max(levels.values()) + 2, int(days["day"].max()) + 1))
    for name, product in (("input_price", level), ("output_price", level + 1)):
        prices[product, days["day"]] = days[name]
    return prices


def _sorted_days(tables: Mapping[str, pd.DataFrame]) -> Any:
    return tables["days"].sort_values(["day", "factory"])
