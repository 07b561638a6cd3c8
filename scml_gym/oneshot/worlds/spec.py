"""WorldSpec: one OneShot world's parameters as plain arrays, from scml's generator, a real world or a file."""

from __future__ import annotations

import dataclasses
import io
import os
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from scml_gym.core.errors import InputError
from scml_gym.core.files import replace_file
from scml_gym.oneshot.view import BUYER, MAX_PARTNERS, SELLER

if TYPE_CHECKING:
    from scml.oneshot.world import SCMLBaseWorld

SCHEMA = "scml-gym-world-spec-1"

MAX_FACTORIES = 2 * MAX_PARTNERS

Scope = Literal["factory", "day", "world"]


def _numbers(scope: Scope, kind: type, *shape: int) -> dict[str, Any]:
    """A field of numbers: one of that kind and shape for each factory, for each of its days, or for the world."""
    return {"scope": scope, "kind": kind, "shape": shape}


@dataclass(frozen=True, eq=False)
class WorldSpec:
    """All that is drawn before a world starts; with a seed and the players it determines the whole simulation.

    ``n`` factories, sellers first; ``days`` simulated days. Money in the league's units, quantities in items.

    Attributes:
        level: int64 ``(n,)``, ``SELLER`` or ``BUYER``.
        lines: int64 ``(n,)``, items a factory can produce a day.
        production_cost: int64 ``(n,)``, money per item.
        initial_balance: int64 ``(n,)``, money.
        exogenous_quantity: int64 ``(n, days)``, supplies of a seller, sales of a buyer; 0 for no contract.
        exogenous_price: int64 ``(n, days)``, unit price of that contract.
        shortfall_penalty: float64 ``(n, days)``, fraction of the output product's trading price per item not delivered.
        disposal_cost: float64 ``(n, days)``, fraction of the input product's trading price per item not used.
        penalty_profile: float64 ``(n, 4)``: mean and deviation of the shortfall penalty, then of the disposal cost,
            from which the daily values were drawn; scml shows them to agents.
        catalog_prices: int64 ``(3,)``, at which trading prices start.
        rounds: Rounds of a negotiation.

    Source: scml/oneshot/world.py, ``SCMLBaseWorld.generate`` and constructor.
    """

    level: np.ndarray = field(metadata=_numbers("factory", np.int64))
    lines: np.ndarray = field(metadata=_numbers("factory", np.int64))
    production_cost: np.ndarray = field(metadata=_numbers("factory", np.int64))
    initial_balance: np.ndarray = field(metadata=_numbers("factory", np.int64))
    exogenous_quantity: np.ndarray = field(metadata=_numbers("day", np.int64))
    exogenous_price: np.ndarray = field(metadata=_numbers("day", np.int64))
    shortfall_penalty: np.ndarray = field(metadata=_numbers("day", np.float64))
    disposal_cost: np.ndarray = field(metadata=_numbers("day", np.float64))
    penalty_profile: np.ndarray = field(metadata=_numbers("factory", np.float64, 4))
    catalog_prices: np.ndarray = field(metadata=_numbers("world", np.int64, 3))
    rounds: int = 20

    def __post_init__(self) -> None:
        n, days = (*np.shape(self.exogenous_quantity), 0, 0)[:2]
        first = {"factory": (n,), "day": (n, days), "world": ()}
        for part in _array_fields():
            kind, shape = part.metadata["kind"], first[part.metadata["scope"]] + part.metadata["shape"]
            value = np.asarray(getattr(self, part.name))
            if value.shape != shape:
                raise InputError(f"world spec: {part.name} has shape {value.shape}, not {shape}")
            if not np.can_cast(value.dtype, kind, "same_kind"):
                raise InputError(f"world spec: {part.name} holds {value.dtype}, not {np.dtype(kind)}")
            object.__setattr__(self, part.name, value.astype(kind, copy=False))
        sizes = (self.n_sellers, self.n_buyers)
        if self.n_sellers + self.n_buyers != n or np.any(np.diff(self.level) < 0):
            raise InputError("world spec: level must hold 0 (seller) and 1 (buyer) only, sellers first")
        if min(sizes) < 1 or max(sizes) > MAX_PARTNERS:
            raise InputError(f"world spec: {sizes[0]} sellers, {sizes[1]} buyers; each level takes 1 to {MAX_PARTNERS}")

    @property
    def n_factories(self) -> int:
        """Factories of both levels."""
        return len(self.level)

    @property
    def n_sellers(self) -> int:
        """Factories of level 0."""
        return int(np.sum(self.level == SELLER))

    @property
    def n_buyers(self) -> int:
        """Factories of level 1."""
        return int(np.sum(self.level == BUYER))

    @property
    def n_days(self) -> int:
        """Simulated days."""
        return self.exogenous_quantity.shape[1]

    def equals(self, other: WorldSpec) -> bool:
        """Whether every field is equal to the last bit."""
        return all(np.array_equal(getattr(self, f.name), getattr(other, f.name)) for f in dataclasses.fields(self))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write an npz file, whole or not at all."""
        content = io.BytesIO()
        np.savez_compressed(content, schema=np.array(SCHEMA), **dataclasses.asdict(self))
        replace_file(Path(path), content.getvalue())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> WorldSpec:
        """Read what ``save`` wrote.

        Raises:
            InputError: if the file is missing, is no world spec, or is of another schema.
        """
        try:
            with np.load(path, allow_pickle=False) as data:
                content = dict(data)
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            raise InputError(f"{path}: cannot be read as a world spec ({error})") from error
        schema = str(content.pop("schema", "none"))
        names = {f.name for f in dataclasses.fields(cls)}
        if schema != SCHEMA or set(content) != names:
            raise InputError(f"{path}: schema {schema!r} instead of {SCHEMA!r}")
        content["rounds"] = int(content["rounds"])
        return cls(**content)

    @classmethod
    def from_world(cls, world: SCMLBaseWorld) -> WorldSpec:
        """Read the parameters of a real OneShot world, at any time of its life.

        Factories are ordered sellers first, else as in the world.

        Raises:
            InputError: if the world is not a two-process OneShot world with at most one exogenous contract a
                factory and day.
        """
        from scml.oneshot.common import is_system_agent

        if world.n_processes != 2 or not world.perishable or world.horizon:
            raise InputError(f"world {world.name!r} is not a two-process perishable OneShot world")
        ids: list[Any] = [a for a in world.agents if not is_system_agent(a)]
        ids.sort(key=lambda a: world.agent_profiles[a].level)
        index = {agent: i for i, agent in enumerate(ids)}
        profiles = [world.agent_profiles[a] for a in ids]
        quantity = np.zeros((len(ids), world.n_steps), dtype=np.int64)
        price = np.zeros_like(quantity)
        for day, contracts in world.exogenous_contracts.items():
            for contract in contracts:
                factory = next(index[p] for p in contract.partners if p in index)
                if quantity[factory, day]:
                    raise InputError(f"world {world.name!r}: {ids[factory]} has two exogenous contracts on day {day}")
                quantity[factory, day] = contract.agreement["quantity"]
                price[factory, day] = contract.agreement["unit_price"]
        balances: dict[Any, Any] = dict(world.initial_balances)
        return cls(
            **profile_fields(profiles),
            initial_balance=np.array([balances[a] for a in ids]),
            exogenous_quantity=quantity,
            exogenous_price=price,
            shortfall_penalty=np.array([world.agent_shortfall_penalty[a] for a in ids], dtype=np.float64),
            disposal_cost=np.array([world.agent_disposal_cost[a] for a in ids], dtype=np.float64),
            catalog_prices=np.array(world.catalog_prices),
            rounds=int(world.neg_n_steps // 2 if _one_offer_per_step(world) else world.neg_n_steps),
        )


def _array_fields() -> list[dataclasses.Field]:
    return [part for part in dataclasses.fields(WorldSpec) if part.metadata]


def names_of(scope: Scope) -> tuple[str, ...]:
    """The fields of a `WorldSpec` that hold for each factory, each factory and day, or the world."""
    return tuple(part.name for part in _array_fields() if part.metadata["scope"] == scope)


def columns_of(scope: Scope, *first: int) -> list[tuple[Any, ...]]:
    """These fields as columns of a NumPy record, each of shape ``(*first, *its own)``."""
    parts = [part.metadata | {"name": part.name} for part in _array_fields() if part.metadata["scope"] == scope]
    return [(part["name"], part["kind"], (*first, *part["shape"])) for part in parts]


def profile_fields(profiles: list[Any]) -> dict[str, Any]:
    """The fields that scml keeps in the profiles of factories (``OneShotProfile``), sellers first."""
    penalties = [(p.shortfall_penalty_mean, p.shortfall_penalty_dev) for p in profiles]
    disposals = [(p.disposal_cost_mean, p.disposal_cost_dev) for p in profiles]
    return {
        "level": np.array([p.level for p in profiles]),
        "lines": np.array([p.n_lines for p in profiles]),
        "production_cost": np.array([p.cost for p in profiles]),
        "penalty_profile": np.hstack([np.array(penalties, dtype=np.float64), np.array(disposals, dtype=np.float64)]),
    }


def _one_offer_per_step(world: SCMLBaseWorld) -> bool:
    return any(parameters.get("one_offer_per_step", False) for parameters in (world.mechanisms or {}).values())
