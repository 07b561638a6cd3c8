"""One world as scml and negmas logged it, as the tables of a recording.

Daily penalties are not in these logs; they are known for the days on which they were paid, and null elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from scml_gym.core.data_files import read_json
from scml_gym.core.errors import InputError
from scml_gym.oneshot.recording import needs_of_days as oneshot_needs
from scml_gym.simulator.recording.schema import ANSWERS
from scml_gym.simulator.recording.tables import Table, by_day, totals
from scml_gym.standard.recording import needs_of_days as standard_needs

SYSTEM = ("SELLER", "BUYER", "NoAgent")
"""Agents of scml's that play no factory."""


def plain_name(name: object) -> str:
    """The name of a world as a name of a folder.

    Raises:
        InputError: if it is ``.`` or ``..``, which are other folders.
    """
    plain = re.sub(r"[^\w.@-]", "_", str(name)) or "world"
    if plain in (".", ".."):
        raise InputError(f"{plain!r} is no name of a world")
    return plain


def label_of(kind: object) -> str:
    """The class of an agent, of its type as scml writes it: ``adapter:module.Class``."""
    return str(kind).rpartition(":")[2].rpartition(".")[2]


def one_row(**known: Any) -> Table:
    """The table ``worlds`` of a world of which this is known."""
    names = ("game", "backend", "seed", "configuration", "block", "play", "days", "levels", "rounds", "timing", "stock")
    return {name: [known.get(name)] for name in (*names, "horizon", "catalog_prices")}


@dataclass(frozen=True)
class SCMLWorld:
    """A world as scml logged it.

    Attributes:
        name: Of the world.
        folder: Of its logs.
        info: Its configuration.
        agents: Ids of the factories' agents, level by level.
        stats: A row a day.
        contracts: All that were signed, exogenous ones too.
        scores: Of the world's competitors, rows of the tournament's table.
    """

    name: str
    folder: Path
    info: Mapping[str, Any]
    agents: tuple[str, ...]
    stats: Any
    contracts: Any
    scores: Any

    @classmethod
    def read(cls, folder: Path, scores: Any) -> SCMLWorld:
        """The world of a folder.

        Args:
            folder: With ``info.json``, statistics and contracts.
            scores: The tournament's table of scores.

        Raises:
            OSError: if a log that is needed is not there.
            ValueError: if one cannot be read.
            KeyError: if one lacks what is needed.
        """
        info = read_json(folder / "info.json")
        profiles = {agent: profile for agent, profile in info["agent_profiles"].items() if agent not in SYSTEM}
        agents = tuple(sorted(profiles, key=lambda agent: profiles[agent]["input_product"]))
        mine = scores[scores["world"] == folder.name]
        return cls(
            plain_name(folder.name), folder, info, agents, _log(folder, "stats"), _log(folder, "contracts"), mine
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Factories and days."""
        return len(self.agents), len(self.stats)

    @property
    def perishable(self) -> bool:
        """Whether it is one of OneShot, where goods perish."""
        return bool(self.info["perishable"])

    def tables(self, index: int) -> dict[str, Table]:
        """The tables of the recording; ``index`` is the number of the world in the tournament."""
        play = self.name.rpartition(".")[2]
        worlds = one_row(
            game="oneshot" if self.perishable else "standard",
            backend="scml",
            configuration=index,
            play=int(play) if play.isdigit() and int(play) < 128 else None,
            days=self.shape[1],
            levels=int(self.info["n_processes"]),
            rounds=int(self.info["neg_n_steps"]),
            timing="rounds",
            stock=None if self.perishable else "league",
            horizon=int(self.info["horizon"]),
            catalog_prices=[int(price) for price in self.info["catalog_prices"]],
        )
        offers = self._offers()
        tables = {"worlds": worlds, "factories": self._factories(), "days": self._days()}
        tables["contracts"] = self._contract_table(offers)
        return tables | {"offers": offers.to_dict("list"), "errors": self._errors()}

    def _stat(self, name: str) -> np.ndarray:
        """A statistic of each factory and day, ``(n_factories, n_days)``."""
        return np.array([self.stats[f"{name}_{agent}"].to_numpy(np.float64) for agent in self.agents])

    def _profile(self, name: str) -> np.ndarray:
        return np.array([self.info["agent_profiles"][agent][name] for agent in self.agents])

    @property
    def level(self) -> np.ndarray:
        """Of each factory."""
        return self._profile("input_product")

    @property
    def initial(self) -> np.ndarray:
        """Balances at the start."""
        return np.array([self.info["agent_initial_balances"][agent] for agent in self.agents], dtype=np.float64)

    def _factories(self) -> Table:
        kinds = self.info.get("agent_params_final") or [{}] * len(self.agents)
        order = {agent: i for i, agent in enumerate(a for a in self.info["agent_profiles"] if a not in SYSTEM)}
        labels = [label_of(kinds[order[agent]].get("controller_type", "")) or agent for agent in self.agents]
        unused = "disposal_cost" if self.perishable else "storage_cost"
        scored, last = set(self.scores["agent_id"]), self._stat("balance")[:, -1]
        return {
            "factory": np.arange(len(self.agents)),
            "competitor": labels,
            "role": ["competitor" if agent in scored or not scored else "background" for agent in self.agents],
            "level": self.level,
            "lines": self._profile("n_lines"),
            "production_cost": self._profile("cost"),
            "initial_balance": self.initial.astype(np.int64),
            "shortfall_mean": self._profile("shortfall_penalty_mean"),
            "shortfall_deviation": self._profile("shortfall_penalty_dev"),
            "unused_mean": self._profile(f"{unused}_mean"),
            "unused_deviation": self._profile(f"{unused}_dev"),
            "profit": last - self.initial,
            "score": self._stat("score")[:, -1],
            "bankrupt": self._stat("bankrupt")[:, -1] != 0,
            "decisions": None,
            "invalid": None,
        }

    def _negotiated(self) -> np.ndarray:
        """Contracts between factories, in scml's order.

        scml logs a contract when it is signed, and not that it is nullified later: a party that goes bankrupt takes its
        contracts for later days with it.
        """
        names = {"seller": "seller", "buyer": "buyer", "day": "concluded_at", "delivery": "delivery_time"}
        names |= {"quantity": "quantity", "price": "unit_price", "nullified": "nullified_at"}
        index = {agent: i for i, agent in enumerate(self.agents)}
        table = self.contracts[self.contracts["seller"].isin(index) & self.contracts["buyer"].isin(index)]
        found = np.zeros(len(table), dtype=[(name, np.int64) for name in names])
        for name, column in names.items():
            found[name] = table[column].map(index) if name in ("seller", "buyer") else table[column]
        broke = np.zeros((len(self.agents), self.shape[1] + 1), dtype=np.bool_)  # before each day
        broke[:, 1:] = self._stat("bankrupt") != 0
        due = np.minimum(found["delivery"], self.shape[1])
        found["nullified"] = (found["nullified"] >= 0) | broke[found["seller"], due] | broke[found["buyer"], due]
        return found

    def _exogenous(self) -> tuple[np.ndarray, np.ndarray]:
        """Quantities and unit prices of each factory and day."""
        quantity, price = np.zeros(self.shape, dtype=np.int64), np.zeros(self.shape, dtype=np.int64)
        index = {agent: i for i, agent in enumerate(self.agents)}
        for row in self.contracts.to_dict("records"):
            party = row["buyer"] if row["seller"] == "SELLER" else row["seller"] if row["buyer"] == "BUYER" else None
            if party in index and row["delivery_time"] < self.shape[1]:
                place = index[party], row["delivery_time"]
                quantity[place], price[place] = row["quantity"], row["unit_price"]
        return quantity, price

    def _prices(self) -> np.ndarray:
        """Trading prices in the mornings, ``(products, days)``."""
        products = len(self.info["catalog_prices"])
        evenings = np.array([self.stats[f"trading_price_{p}"].to_numpy(np.float64) for p in range(products)])
        return np.concatenate(
            [np.array(self.info["catalog_prices"], dtype=np.float64)[:, None], evenings[:, :-1]], axis=1
        )

    def _days(self) -> Table:
        contracts, (quantity, price), level = self._negotiated(), self._exogenous(), self.level
        executed = contracts[(contracts["nullified"] == 0) & (contracts["delivery"] < self.shape[1])]
        balance = np.concatenate([self.initial[:, None], self._stat("balance")], axis=1)
        profit, prices = np.diff(balance, axis=1), self._prices()
        inputs, outputs = prices[level], prices[level + 1]
        bought, sold = (totals(executed, side, "delivery", self.shape) for side in ("buyer", "seller"))
        supplied = (level == 0)[:, None]
        evenings, unused = self._stat("inventory_input"), self._stat("inventory_penalized").astype(np.int64)
        stock = np.concatenate([np.zeros((len(self.agents), 1)), evenings[:, :-1]], axis=1).astype(np.int64)
        produced = stock + bought + np.where(supplied, quantity, 0) - unused  # scml's productivity is what could be
        production = produced * self._profile("cost")[:, None]
        paid = np.zeros(self.shape)
        np.add.at(paid, (executed["buyer"], executed["delivery"]), executed["quantity"] * executed["price"])
        paid += np.where(supplied, quantity * price, 0)
        missing, shortfall = self._stat("shortfall_quantity"), self._stat("shortfall_penalty")
        left = self._stat("disposal_cost" if self.perishable else "storage_cost")
        spec = SimpleNamespace(
            level=level,
            lines=self._profile("n_lines"),
            exogenous_quantity=quantity,
            n_levels=int(self.info["n_processes"]),
        )
        known = contracts[contracts["delivery"] < self.shape[1]]
        needs = (
            oneshot_needs(spec, known, self.shape)
            if self.perishable
            else standard_needs(spec, stock, known, self.shape)
        )
        rate = _share(left, unused * inputs)
        columns = {
            "exogenous_supply": np.where(supplied, quantity, 0),
            "exogenous_sales": np.where(supplied, 0, quantity),
            "exogenous_price": price,
            "shortfall_penalty": _share(shortfall, missing * outputs),
            "disposal_cost": rate if self.perishable else None,
            "storage_cost": None if self.perishable else rate,
            "input_price": inputs,
            "output_price": outputs,
            "balance": balance[:, :-1],
            "stock": None if self.perishable else stock,
            **needs,
            "bought": bought,
            "sold": sold,
            "produced": produced,
            "missing": missing.astype(np.int64),
            "unused": unused,
            "revenue": profit + paid + production + left + shortfall,
            "supplies": paid,
            "production": production,
            "disposal": left if self.perishable else None,
            "storage": None if self.perishable else left,
            "shortfall": shortfall,
            "profit": profit,
            "bankrupt": self._stat("bankrupt") != 0,
        }
        return by_day(columns, self.shape)

    def _contract_table(self, offers: Any) -> Table:
        contracts = self._negotiated()
        accepted = offers[offers["answer"] == "accepted"]
        sides = np.sort(accepted[["sender", "receiver"]].to_numpy(np.int64), axis=1).tolist()
        rounds = {(day, *pair): n for day, pair, n in zip(accepted["day"], sides, accepted["round"], strict=True)}
        return {
            "number": np.arange(len(contracts)),
            **{name: contracts[name] for name in ("day", "delivery", "seller", "buyer", "quantity", "price")},
            "round": [rounds.get(key) for key in contracts[["day", "seller", "buyer"]].tolist()],
            "executed": (contracts["nullified"] == 0) & (contracts["delivery"] < self.shape[1]),
            "nullified": contracts["nullified"] != 0,
        }

    def _offers(self) -> Any:
        """The table ``offers``; empty where the log of actions was not kept.

        negmas logs an offer again with each pass in which its receiver waits: both sides speak in turn, so a second
        offer in a row of the same side is the same one.
        """
        columns = ["day", "round", "sender", "receiver", "quantity", "price", "delivery", "answer"]
        actions, negotiations, agents = (_log(self.folder, name, True) for name in ("actions", "negs", "agents"))
        if not len(actions) or not len(negotiations):
            return pd.DataFrame(columns=columns)
        index = {agent: i for i, agent in enumerate(self.agents)}
        factory = dict(zip(agents["id"], agents["name"].map(index), strict=True))
        actions = actions.sort_values("id")
        actions = actions[actions["sender_agent_id"] != actions.groupby("neg_id")["sender_agent_id"].shift()]
        of_negotiation = negotiations.set_index("id")
        failed = np.where(of_negotiation["timedout"] | of_negotiation["erred"], ANSWERS[0], "ended")
        ends: Any = pd.Series(np.where(of_negotiation["has_agreement"], "accepted", failed), index=of_negotiation.index)
        last = actions.groupby("neg_id").cumcount(ascending=False) == 0
        table = pd.DataFrame(
            {
                "day": actions["neg_id"].map(of_negotiation["sim_step"]),
                "round": actions.groupby(["neg_id", "sender_agent_id"]).cumcount(),
                "sender": actions["sender_agent_id"].map(factory),
                "receiver": actions["receiver_agent_id"].map(factory),
                "quantity": actions["quantity"],
                "price": actions["unit_price"],
                "delivery": actions["delivery_step"],
                "answer": np.where(last, actions["neg_id"].map(ends), "countered"),
            }
        )
        return table.astype(dict.fromkeys(columns[:-1], np.int64)).reset_index(drop=True)

    def _errors(self) -> Table:
        """The table ``errors``: negotiations that ended with one."""
        negotiations, agents = _log(self.folder, "negs", True), _log(self.folder, "agents", True)
        names = ("day", "factory", "partner", "message")
        if not len(negotiations) or not negotiations["erred"].any():
            return {name: [] for name in names}
        index = {agent: i for i, agent in enumerate(self.agents)}
        factory = dict(zip(agents["id"], agents["name"].map(index), strict=True))
        rows = []
        for row in negotiations[negotiations["erred"].astype(bool)].to_dict("records"):
            mine, sides = row["erred_agent_id"], (row["agent0_id"], row["agent1_id"])
            other = next((side for side in sides if side != mine), None)
            lines = str(row["error"]).strip().splitlines() or [""]
            rows.append((row["sim_step"], factory.get(mine), factory.get(other), lines[-1]))
        return {name: [row[i] for row in rows] for i, name in enumerate(names)}


def _share(amount: np.ndarray, of: np.ndarray) -> np.ndarray:
    """A rate, where something was paid; NaN elsewhere."""
    return np.divide(amount, of, out=np.full(of.shape, np.nan), where=of > 0)


def _log(folder: Path, name: str, optional: bool = False) -> Any:
    """A table of scml's, in whichever format it was kept; an ``optional`` one that is not there is empty.

    Raises:
        FileNotFoundError: if it is not there.
    """
    for suffix, read in ((".parquet", pd.read_parquet), (".csv", pd.read_csv), (".csv.gz", pd.read_csv)):
        path = folder / f"{name}{suffix}"
        if path.is_file() and path.stat().st_size:
            return read(path)
    if optional:
        return pd.DataFrame()
    raise FileNotFoundError(f"there is no {name}.parquet or {name}.csv")
