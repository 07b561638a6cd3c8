"""The compiled generators of worlds of all tracks, each beside scml's own, for tests of what they share."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from scml_gym.oneshot.worlds import generation as oneshot_generation
from scml_gym.oneshot.worlds import spec_record as oneshot_records
from scml_gym.oneshot.worlds import statistics as oneshot_statistics
from scml_gym.oneshot.worlds.compiled import generation as oneshot
from scml_gym.oneshot.worlds.spec import MAX_FACTORIES as ONESHOT_FACTORIES
from scml_gym.simulator.global_rng import GlobalStreams
from scml_gym.standard.view import MAX_FACTORIES, MAX_LEVELS
from scml_gym.standard.worlds import spec_record as standard_records
from scml_gym.standard.worlds import statistics as standard_statistics
from scml_gym.standard.worlds.compiled import generation as standard
from scml_gym.standard.worlds.spec import WorldSpec, profile_fields


class Track(NamedTuple):
    """How a track's worlds are drawn, in both ways, and compared."""

    compiled: Any  # the module of the compiled generator
    real: Callable[..., Any]  # ``(seed, *ranges)``
    records: Any  # the module of the records
    statistics: Any  # the module
    most_factories: int
    ranges: tuple[tuple[int, int], ...]  # of small worlds: days, factories a level, ...
    predictability: tuple[float, float]  # altered, so little that a few hundred worlds tell


def scml_standard_spec(seed, days, factories, n_levels):
    """A world of the Standard track by scml's own generator."""
    from scml.std.agents import GreedyStdAgent
    from scml.std.world import SCML2024StdWorld

    with GlobalStreams(seed).active():
        config = SCML2024StdWorld.generate(
            agent_types=[GreedyStdAgent],
            n_steps=days,
            n_processes=n_levels,
            n_agents_per_process=factories,
            random_agent_types=True,
        )
    fields = profile_fields(config["profiles"])
    penalties = fields["penalty_profile"]
    noise = np.random.default_rng(seed).normal(size=(len(penalties), 2, config["n_steps"]))
    quantity = np.zeros((len(penalties), config["n_steps"]), dtype=np.int64)
    price = np.zeros_like(quantity)
    for contract in config["exogenous_contracts"]:
        factory = max(contract.seller, contract.buyer)  # the other side is the system, -1
        quantity[factory, contract.time], price[factory, contract.time] = contract.quantity, contract.unit_price
    catalog = np.zeros(MAX_LEVELS + 1, dtype=np.int64)
    catalog[: len(config["catalog_prices"])] = config["catalog_prices"]
    return WorldSpec(
        **fields,
        initial_balance=np.array(config["initial_balance"]),
        exogenous_quantity=quantity,
        exogenous_price=price,
        shortfall_penalty=np.abs(noise[:, 0] * penalties[:, 1:2] + penalties[:, 0:1]),
        storage_cost=np.abs(noise[:, 1] * penalties[:, 3:4] + penalties[:, 2:3]),
        catalog_prices=catalog,
    )


TRACKS = {
    "oneshot": Track(
        oneshot,
        oneshot_generation.league_spec,
        oneshot_records,
        oneshot_statistics,
        ONESHOT_FACTORIES,
        ((20, 30), (4, 8)),
        (0.8, 0.9),
    ),
    "standard": Track(
        standard,
        scml_standard_spec,
        standard_records,
        standard_statistics,
        MAX_FACTORIES,
        ((20, 30), (4, 8), (2, 4)),
        (0.3, 0.7),
    ),
}


def empty(track, days, content=0):
    """Memory that a world is written to."""
    record = np.zeros(1, track.records.SPEC_DTYPE)[0]
    daily = np.zeros((days, track.most_factories), track.records.DAILY_DTYPE)
    for table in (record, daily):
        for name in table.dtype.names:
            table[name] = content
    return record, daily


def plain_spec(track, seed, *ranges):
    """The compiled generator's world in plain Python, which sees altered constants."""
    record, daily = empty(track, ranges[0][1])
    track.compiled.generate(seed, *(end for ends in ranges for end in ends), record, daily)
    return track.records.read_spec(record, daily)
