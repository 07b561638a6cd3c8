"""The acceptance dataset from logs of real worlds (thesis, algorithm 5-3).

What was logged is played through the functions that a player remembers by (`scml_gym.agents.dnb.events`), so a sample
from logs is the sample that its player would have made. Of the logs (`scml_gym.oneshot.worlds.log`):

- ``sender`` is the partner's id: who offered is ``sender_agent_id``;
- a negotiation in which a synchronous agent waits logs the standing offer again: equal rows in a row are one offer;
- where the rounds are over, the step that says so logs both offers of the last one again;
- ``state`` is no label: an offer that is not the last one was answered by a counter-offer, the last one was accepted
  where there is an agreement;
- the ranges of offers stand as texts in ``issues``.

A counter-offer is an answer once the one who is answered is asked again. After the last round nobody is, so a
negotiation that timed out leaves two offers without a sample; an end leaves one.

Rounds are counted from the offers: the buyer speaks first, and then each side makes one offer a round.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from scml_gym.agents.dnb.events import (
    begin_negotiation,
    fill_context,
    fill_history,
    fill_offer,
    hear_offer,
    make_offer,
    price_bin,
    respond,
)
from scml_gym.agents.dnb.recording import RECORD_DTYPE
from scml_gym.agents.dnb.records import PARTNER_MEMORY_DTYPE
from scml_gym.agents.dnb.tracking import COUNTERED, SILENT, TAKEN
from scml_gym.core.data_files import DAMAGE, content_of, read_json
from scml_gym.core.errors import InputError
from scml_gym.jit.compile import compiled
from scml_gym.oneshot.view import BUYER, MAX_PARTNERS, SELLER, VIEW_DTYPE
from scml_gym.oneshot.worlds.log import DAYS, LOG, SCHEMA

COLUMNS = {
    "agents": ("id", "name"),
    "negs": ("id", "name", "sim_step", "n_steps", "has_agreement", "timedout", "quantity", "unit_price"),
    "actions": ("id", "neg_id", "sender_agent_id", "receiver_agent_id", "quantity", "unit_price", "state"),
    "negotiations": ("id", "issues"),
    "factories": ("factory", "agent", "player"),
    "days": DAYS,
    "needs": ("id", "needs"),
}
"""What is read: table -> columns."""

OFFER_DTYPE = np.dtype(
    [(n, np.int64) for n in ("negotiation", "factory", "partner", "quantity", "price", "needs", "row")], align=True
)
"""An offer of a log: its negotiation, the factories of both sides, and the row of its record, -1 for none."""

NEGOTIATION_DTYPE = np.dtype(
    [(n, np.int64) for n in ("day", "rounds", "first", "offers", "agreed", "timed_out")], align=True
)
"""A negotiation of a log: its offers stand together."""


class Log(NamedTuple):
    """The log of a world, as it is needed here.

    Attributes:
        negotiations: ``NEGOTIATION_DTYPE``, in order.
        offers: ``OFFER_DTYPE``, in the order of negotiations, then of time.
        views: What each factory knows of each day, ``VIEW_DTYPE``, shape ``(days, factories)``; daily fields only.
        n_sellers: Factories of the first level.
        families: The names of all factories' players.
    """

    negotiations: np.ndarray
    offers: np.ndarray
    views: np.ndarray
    n_sellers: int
    families: list[str]


def find_logs(folder: str | os.PathLike[str]) -> list[Path]:
    """The folders of worlds in a folder, or the folder itself where it is one, in order of their names.

    Raises:
        InputError: if there is no such folder, or no log in it.
    """
    path = Path(folder)
    if not path.is_dir():
        raise InputError(f"{folder}: there is no such folder of logs")
    if (path / LOG).is_file():
        return [path]
    found = sorted(log.parent for log in path.glob(f"*/{LOG}") if not log.parent.name.startswith("."))
    if not found:
        raise InputError(
            f"{folder} holds no logs: neither {LOG} nor a folder with it (see scml_gym.oneshot.worlds.log)"
        )
    return found


def read_records(log: Log, share: float = 1.0, seed: Sequence[int] = (0,)) -> np.ndarray:
    """The offers of a log that were answered explicitly, ``RECORD_DTYPE``.

    Args:
        log: As `read_log` gives it.
        share: Of the pairs of a factory and a partner of its, whose offers are kept.
        seed: Of the generator that draws them.
    """
    offers, n = log.offers.copy(), len(log.families)
    kept = (np.random.default_rng(list(seed)).random((n, n)) < share)[offers["factory"], offers["partner"]]
    offers["row"] = np.where(kept, np.cumsum(kept) - 1, -1)
    records = np.zeros(kept.sum(), RECORD_DTYPE)
    memories = np.zeros((len(log.families), MAX_PARTNERS), PARTNER_MEMORY_DTYPE)
    _replay(log.negotiations, offers, log.views, log.n_sellers, memories, records)
    return records[records["answer"] != SILENT]


def read_log(folder: str | os.PathLike[str]) -> Log:
    """Read the log of a world.

    Raises:
        InputError: if it is of another schema version, a table or a column is missing, or the tables do not fit
            together; the message names the folder.
    """
    with content_of(folder, "the log of a world"):
        try:
            return _read_log(Path(folder))
        except pa.ArrowException as error:  # a text that is none
            raise ValueError(error) from error


def _read_log(folder: Path) -> Log:
    _check_schema(folder)
    table: dict[str, Any] = {name: _read_table(folder, name, columns) for name, columns in COLUMNS.items()}
    factories = table["factories"].sort_values("factory")
    names = dict(zip(table["agents"]["id"], table["agents"]["name"], strict=True))
    numbers = dict(zip(factories["agent"], factories["factory"], strict=True))
    factory_of = {agent: numbers[name] for agent, name in names.items() if name in numbers}
    negs = table["negs"].sort_values(["sim_step", "id"], ignore_index=True)
    actions: Any = _offers_once(table["actions"]).merge(table["needs"], on="id", how="left", validate="one_to_one")
    place = dict(zip(negs["id"], negs.index, strict=True))
    offers = np.zeros(len(actions), OFFER_DTYPE)
    try:
        offers["negotiation"] = [place[i] for i in actions["neg_id"]]
        offers["factory"] = [factory_of[i] for i in actions["sender_agent_id"]]
        offers["partner"] = [factory_of[i] for i in actions["receiver_agent_id"]]
    except KeyError as error:
        raise InputError(f"{folder}: the table of actions names {error}, which is in no other table") from error
    if actions["needs"].isna().any():
        raise InputError(f"{folder}: the table of needs lacks rows of the table of actions")
    offers["quantity"], offers["price"] = actions["quantity"], actions["unit_price"]
    offers["needs"] = actions["needs"]
    offers = offers[np.argsort(offers["negotiation"], kind="stable")]
    same = (np.diff(offers["negotiation"]) == 0) & (np.diff(offers["factory"]) == 0)
    if same.any():
        raise InputError(f"{folder}: a negotiation has two different offers of one side in a row")
    negotiations = np.zeros(len(negs), NEGOTIATION_DTYPE)
    negotiations["day"], negotiations["rounds"] = negs["sim_step"], negs["n_steps"]
    negotiations["timed_out"] = negs["timedout"].astype(bool)
    negotiations["offers"] = np.bincount(offers["negotiation"], minlength=len(negs))
    negotiations["first"] = np.cumsum(negotiations["offers"]) - negotiations["offers"]
    last = offers[np.maximum(0, negotiations["first"] + negotiations["offers"] - 1)] if len(offers) else offers
    fits = negotiations["offers"] > 0
    if len(offers):
        fits &= (last["quantity"] == negs["quantity"].to_numpy()) & (last["price"] == negs["unit_price"].to_numpy())
    negotiations["agreed"] = negs["has_agreement"].astype(bool).to_numpy() & fits
    views = _views(folder, table["days"], len(factories))
    _set_ranges(folder, negs, table["negotiations"], views)
    n_sellers = int((views["level"][0] == SELLER).sum()) if len(views) else 0
    return Log(negotiations, offers, views, n_sellers, [str(player) for player in factories["player"]])


def _offers_once(actions: Any) -> pd.DataFrame:
    """The offers in order, each once."""
    actions = actions[actions["quantity"] > 0].sort_values(["neg_id", "id"], ignore_index=True)
    identity = ["neg_id", "sender_agent_id", "quantity", "unit_price"]
    actions = actions[(actions[identity] != actions[identity].shift()).any(axis=1)]
    timed_out = actions["neg_id"].where(actions["state"] == "timedout")
    return actions[timed_out.map(timed_out.value_counts()).fillna(0) < 2]


def _views(folder: Path, days: pd.DataFrame, n_factories: int) -> np.ndarray:
    n_days = len(days) // n_factories
    days = days.sort_values(["day", "factory"])
    grid = np.tile(np.arange(n_factories), n_days), np.repeat(np.arange(n_days), n_factories)
    if not (np.array_equal(days["factory"], grid[0]) and np.array_equal(days["day"], grid[1])):
        raise InputError(f"{folder}: the table of days has not one row for each day and factory")
    views = np.zeros((n_days, n_factories), VIEW_DTYPE)
    for name in DAYS:
        views[name] = days[name].to_numpy().reshape(n_days, n_factories)
    return views


def _set_ranges(folder: Path, negs: pd.DataFrame, negotiations: pd.DataFrame, views: np.ndarray) -> None:
    """A day's prices, which stand as a text in the issues of its negotiations."""
    issues = negs.merge(negotiations, left_on="name", right_on="id", how="left")["issues"]
    for day, text in zip(negs["sim_step"], issues, strict=True):
        if views[day]["max_price"][0] > 0:
            continue
        prices = re.search(r"unit_price: \((\d+), (\d+)\)", str(text))
        if prices is None:
            raise InputError(f"{folder}: {str(text)!r} are no issues with a range of unit prices")
        views["min_price"][day], views["max_price"][day] = int(prices[1]), int(prices[2])


def _check_schema(folder: Path) -> None:
    try:
        schema = read_json(folder / LOG).get("schema")
    except InputError as error:
        raise InputError(f"{folder}: no readable {LOG}, so this is not the log of a whole world") from error
    if schema != SCHEMA:
        raise InputError(f"{folder}: schema {schema!r}; {SCHEMA!r} is needed: record the world again")


def _read_table(folder: Path, name: str, columns: Sequence[str]) -> pd.DataFrame:
    """A table that negmas wrote as Parquet or as CSV."""
    readers: dict[str, Any] = {".parquet": pd.read_parquet, ".csv": pd.read_csv, ".csv.gz": pd.read_csv}
    for ending, read in readers.items():
        path = folder / f"{name}{ending}"
        if path.is_file():
            try:
                table = read(path)
            except (OSError, pa.ArrowException, zlib.error, *DAMAGE) as error:
                told = (str(error).splitlines() or [type(error).__name__])[0]
                raise InputError(f"{path}: cannot be read ({told})") from error
            missing = [column for column in columns if column not in table]
            if missing:
                raise InputError(f"{path}: columns are missing: {', '.join(missing)}")
            return table[list(columns)]
    raise InputError(f"{folder}: there is no table {name}.parquet or {name}.csv")


@compiled
def _replay(
    negotiations: Any,
    offers: Any,
    views: Any,
    n_sellers: int,
    memories: Any,
    records: Any,
) -> None:
    """What both sides of each negotiation remember, and the records of their offers.

    Args:
        negotiations: ``NEGOTIATION_DTYPE``, in order.
        offers: ``OFFER_DTYPE``.
        views: ``VIEW_DTYPE``, shape ``(days, factories)``.
        n_sellers: Factories of the first level.
        memories: ``PARTNER_MEMORY_DTYPE``, shape ``(factories, MAX_PARTNERS)``; zeros, changed in place.
        records: ``RECORD_DTYPE``, zeros, written where offers have a row.
    """
    rows = np.zeros(2, dtype=np.int64)  # of the last offer of each level
    for n in range(len(negotiations)):
        negotiation = negotiations[n]
        first, last = negotiation["first"], negotiation["first"] + negotiation["offers"]
        for i in range(first, last):
            offer = offers[i]
            factory = offer["factory"]
            level, k = (SELLER, offer["partner"] - n_sellers) if factory < n_sellers else (BUYER, offer["partner"])
            view, memory = views[negotiation["day"]][factory], memories[factory][k]
            low, high = view["min_price"], view["max_price"]
            if i < first + 2:
                begin_negotiation(memory)
                rows[level] = -1
            step = memory["n_offers"]
            time = (step + 1) / (negotiation["rounds"] + 1)
            if i > first:
                heard = offers[i - 1]
                _answer(memory, rows[level], 0, records)
                hear_offer(memory, heard["quantity"], price_bin(heard["price"], low, high), time)
            rows[level] = offer["row"]
            if offer["row"] >= 0:
                record = records[offer["row"]]
                fill_context(view, offer["needs"], record["sample"])
                fill_history(memory, time, record["sample"])
                fill_offer(offer["quantity"], offer["price"], record["sample"])
                record["factory"], record["partner"] = factory, k
                record["index"], record["round"] = step, step
            make_offer(memory, offer["quantity"], price_bin(offer["price"], low, high), time)
        if last == first:
            continue
        factory, partner = offers[last - 1]["factory"], offers[last - 1]["partner"]
        level = SELLER if factory < n_sellers else BUYER
        k, back = (partner - n_sellers, factory) if level == SELLER else (partner, factory - n_sellers)
        if negotiation["agreed"] != 0:
            _answer(memories[factory][k], rows[level], 1, records)
        if negotiation["timed_out"] == 0 and last > first + 1:  # the other side was asked once more
            _answer(memories[partner][back], rows[SELLER + BUYER - level], 0, records)


@compiled
def _answer(memory: np.void, row: int, accepted: int, records: np.ndarray) -> None:
    """The pending offer of a factory to a partner was answered."""
    if memory["pending"] != 0:
        respond(memory, accepted)
        if row >= 0:
            records[row]["answer"] = TAKEN if accepted != 0 else COUNTERED
