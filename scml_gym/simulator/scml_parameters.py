"""A world's parameters as scml takes and gives them: from a spec into a simulation, and back.

``unused`` says what inputs that nobody used cost, in profiles and day by day: ``"disposal_cost"`` where goods perish,
``"storage_cost"`` where they are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scml.oneshot.common import OneShotExogenousContract, OneShotProfile

from scml_gym.core.errors import InputError
from scml_gym.simulator.global_rng import GlobalStreams

if TYPE_CHECKING:
    from scml.oneshot.world import SCMLBaseWorld

Unused = Literal["disposal_cost", "storage_cost"]


def simulation_parameters(spec: Any, unused: Unused) -> dict[str, Any]:
    """What scml's world is made of.

    Args:
        spec: A game's ``WorldSpec``.
        unused: What its unused inputs cost.
    """
    n_products = int(spec.level[-1]) + 2
    return {
        "catalog_prices": spec.catalog_prices[:n_products].copy(),
        "profiles": _profiles(spec, unused),
        "exogenous_contracts": _exogenous(spec),
        "initial_balance": spec.initial_balance.copy(),
        "n_steps": spec.n_days,
        "neg_n_steps": spec.rounds,
        "penalties_scale": "trading",
    }


def set_daily_costs(world: Any, spec: Any, unused: Unused) -> None:
    """Give a world the daily penalties of a spec, in place of those that it drew when it was made.

    Args:
        world: A `scml_gym.simulator.deterministic_world.DeterministicWorld` made of `simulation_parameters`.
        spec: A game's ``WorldSpec``.
        unused: What its unused inputs cost.
    """
    costs = getattr(world, f"agent_{unused}")
    for factory, agent in enumerate(world.factory_ids):
        world.agent_shortfall_penalty[agent] = spec.shortfall_penalty[factory].tolist()
        costs[agent] = getattr(spec, unused)[factory].tolist()


def _profiles(spec: Any, unused: Unused) -> list[OneShotProfile]:
    names = ("shortfall_penalty_mean", "shortfall_penalty_dev", f"{unused}_mean", f"{unused}_dev")
    other = "storage_cost" if unused == "disposal_cost" else "disposal_cost"
    none: dict[str, Any] = {f"{other}_mean": 0.0, f"{other}_dev": 0.0}
    return [
        OneShotProfile(
            cost=int(spec.production_cost[i]),
            input_product=int(spec.level[i]),
            n_lines=int(spec.lines[i]),
            **dict(zip(names, spec.penalty_profile[i].tolist(), strict=True)),
            **none,
        )
        for i in range(spec.n_factories)
    ]


def _exogenous(spec: Any) -> list[OneShotExogenousContract]:
    """One contract a factory and day with a quantity, in scml's order: by factory, then by day."""
    contracts, last_product = [], int(spec.level[-1]) + 1
    for i in range(spec.n_factories):
        supply = spec.level[i] == 0
        for day in range(spec.n_days):
            if spec.exogenous_quantity[i, day] == 0:
                continue
            parties: dict[str, Any] = {"seller": -1, "buyer": i} if supply else {"seller": i, "buyer": -1}
            contracts.append(
                OneShotExogenousContract(
                    quantity=int(spec.exogenous_quantity[i, day]),
                    unit_price=int(spec.exogenous_price[i, day]),
                    product=0 if supply else last_product,
                    **parties,
                    time=day,
                    revelation_time=day,
                )
            )
    return contracts


def read_world(world: SCMLBaseWorld, unused: Unused) -> dict[str, Any]:
    """The fields of a spec that a real world holds, at any time of its life; factories level by level.

    Args:
        world: Of any track.
        unused: What its unused inputs cost.

    Raises:
        InputError: if a factory has two exogenous contracts on a day.
    """
    ids: list[Any] = sorted(world.agent_profiles, key=lambda agent: world.agent_profiles[agent].level)
    index = {agent: i for i, agent in enumerate(ids)}
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
    costs = getattr(world, f"agent_{unused}")
    return {
        **_read_profiles([world.agent_profiles[agent] for agent in ids], unused),
        "initial_balance": np.array([balances[agent] for agent in ids]),
        "exogenous_quantity": quantity,
        "exogenous_price": price,
        "shortfall_penalty": np.array([world.agent_shortfall_penalty[agent] for agent in ids], dtype=np.float64),
        unused: np.array([costs[agent] for agent in ids], dtype=np.float64),
        "catalog_prices": np.array(world.catalog_prices),
        "rounds": int(world.neg_n_steps // 2 if _one_offer_per_step(world) else world.neg_n_steps),
    }


def generated_fields(seed: int, generate: Callable[..., dict[str, Any]], unused: Unused, **ranges: Any) -> dict:
    """The fields of a spec, but for the rounds, that scml draws, made a function of the seed.

    Args:
        seed: Any integer.
        generate: Of the track's class, such as ``SCML2024OneShotWorld.generate``.
        unused: What unused inputs cost.
        ranges: What ``generate`` draws from.
    """
    from scml.oneshot.agents import GreedyOneShotAgent

    with GlobalStreams(seed).active():
        config = generate(agent_types=[GreedyOneShotAgent], random_agent_types=True, **ranges)
        fields = _read_profiles(config["profiles"], unused)
        noise = np.random.randn(len(config["profiles"]), 2, config["n_steps"])
    penalties = fields["penalty_profile"]
    quantity = np.zeros((len(penalties), config["n_steps"]), dtype=np.int64)
    price = np.zeros_like(quantity)
    for contract in config["exogenous_contracts"]:
        factory = max(contract.seller, contract.buyer)  # the other side is the system, -1
        quantity[factory, contract.time] = contract.quantity
        price[factory, contract.time] = contract.unit_price
    return {
        **fields,
        "initial_balance": np.array(config["initial_balance"]),
        "exogenous_quantity": quantity,
        "exogenous_price": price,
        "shortfall_penalty": np.abs(noise[:, 0] * penalties[:, 1:2] + penalties[:, 0:1]),
        unused: np.abs(noise[:, 1] * penalties[:, 3:4] + penalties[:, 2:3]),
        "catalog_prices": np.array(config["catalog_prices"]),
    }


def _read_profiles(profiles: list[Any], unused: Unused) -> dict[str, Any]:
    """What scml keeps in the profiles of factories (``OneShotProfile``), level by level."""
    names = ("shortfall_penalty_mean", "shortfall_penalty_dev", f"{unused}_mean", f"{unused}_dev")
    return {
        "level": np.array([p.level for p in profiles]),
        "lines": np.array([p.n_lines for p in profiles]),
        "production_cost": np.array([p.cost for p in profiles]),
        "penalty_profile": np.array([[getattr(p, name) for name in names] for p in profiles], dtype=np.float64),
    }


def _one_offer_per_step(world: SCMLBaseWorld) -> bool:
    return any(parameters.get("one_offer_per_step", False) for parameters in (world.mechanisms or {}).values())
