"""The compiled generators of worlds of all tracks, each beside scml's own, for tests of what they share."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from scml_gym.oneshot.worlds import generation as oneshot_generation
from scml_gym.oneshot.worlds import spec_record as oneshot_records
from scml_gym.oneshot.worlds import statistics as oneshot_statistics
from scml_gym.oneshot.worlds.compiled import generation as oneshot
from scml_gym.oneshot.worlds.spec import MAX_FACTORIES as ONESHOT_FACTORIES
from scml_gym.standard.view import MAX_FACTORIES
from scml_gym.standard.worlds import generation as standard_generation
from scml_gym.standard.worlds import spec_record as standard_records
from scml_gym.standard.worlds import statistics as standard_statistics
from scml_gym.standard.worlds.compiled import generation as standard


class Track(NamedTuple):
    """How a track's worlds are drawn, in both ways, and compared."""

    compiled: Any  # the module of the compiled generator
    real: Callable[..., Any]  # ``(seed, *ranges)``
    records: Any  # the module of the records
    statistics: Any  # the module
    most_factories: int
    ranges: tuple[tuple[int, int], ...]  # of small worlds: days, factories a level, ...
    predictability: tuple[float, float]  # altered, so little that a few hundred worlds tell


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
        standard_generation.league_spec,
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
