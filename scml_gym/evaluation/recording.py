"""Recordings of tournaments: which worlds are recorded, and where to.

While a tournament is played its recording stands beside the results folder, in ``<folder>.recording``: it can be looked
at, and it is kept where the tournament is killed. In the end it becomes ``recording`` in the results folder.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scml_gym.evaluation.schedule import Match, Occupant
from scml_gym.games import GAMES
from scml_gym.simulator.recording.folder import WORLDS, Recording, WriteWorld
from scml_gym.simulator.recording.log import WorldLog
from scml_gym.simulator.recording.packing import pack
from scml_gym.simulator.recording.tables import About

RECORDING = "recording"
"""The folder of a recording in a results folder."""


@dataclasses.dataclass(frozen=True)
class Recorder:
    """Decides which worlds of a tournament are recorded.

    Attributes:
        folder: Of the recording.
        every: Of so many configurations one is recorded, beginning with the first.
    """

    folder: Path
    every: int

    @classmethod
    def of_results(cls, results: Path, every: int) -> Recorder:
        """Of the tournament whose results will be in that folder."""
        return cls(results.with_name(f"{results.name}.{RECORDING}"), every)

    def of(self, match: Match, play: int, line_up: Sequence[Occupant]) -> dict[str, Any]:
        """What tells a worker to record a play, in JSON; empty where it is not recorded."""
        if match.configuration % self.every:
            return {}
        about = About(
            seed=match.seed,
            competitors=[occupant.label for occupant in line_up],
            roles=[occupant.role for occupant in line_up],
            configuration=match.configuration,
            block=match.block,
            play=play,
        )
        name = world_name(match.configuration, match.block, play)
        return {"record": {"name": name, "about": dataclasses.asdict(about)}}

    def pack(self, rows: Sequence[Mapping[str, Any]]) -> int:
        """All is played: of the worlds, keep those that count in the results, packed.

        A world whose file tells of other players than the rows does not count, and goes: the match was begun again with
        a substitute, and the tournament, killed meanwhile and gone on with under another time limit, did without it.

        Args:
            rows: Of the table of scores.

        Returns:
            How many should be there and are not: somebody took them away while the tournament stood still, or they are
            of other players.
        """
        players: dict[str, list[tuple[int, str, str]]] = {}
        for row in rows:
            if row["configuration"] % self.every == 0:
                name = world_name(row["configuration"], row["block"], row["play"])
                players.setdefault(name, []).append((row["factory"], row["competitor"], row["role"]))
        recording = Recording(self.folder)
        packed = set(recording.packed_names())
        recording.keep([n for n, own in players.items() if n in packed or _players(recording, n) == sorted(own)])
        missing = len(players) - len(recording.names())
        pack(recording)
        return missing

    def move(self, results: Path) -> None:
        """The results are written: the recording goes into their folder."""
        os.replace(self.folder, results / RECORDING)


def world_name(configuration: int, block: int, play: int) -> str:
    """The name of a world in the recording of a tournament; in the order of the schedule."""
    return f"{configuration:06d}-{block}-{play}"


def _players(recording: Recording, name: str) -> list[tuple[int, str, str]]:
    """Number, label and role of who played each factory of a world that is not packed; empty where it is not there."""
    import pyarrow.parquet as pq

    path = recording.folder / WORLDS / name / "factories.parquet"
    if not path.exists():
        return []
    table = pq.ParquetFile(path).read(["factory", "competitor", "role"])
    return sorted(zip(*(column.to_pylist() for column in table.columns), strict=True))


def world_log(game: str, record: Mapping[str, Any]) -> WorldLog:
    """The log of a world that a worker is told to record, see `Recorder.of`; the worker knows the ``folder``."""
    recording = Recording(record["folder"])
    return WorldLog(WriteWorld(recording, GAMES.get(game).load("record"), About(**record["about"]), record["name"]))
