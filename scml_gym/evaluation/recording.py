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
from scml_gym.simulator.recording.folder import Recording, WriteWorld
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
        return {"record": {"folder": str(self.folder), "name": name, "about": dataclasses.asdict(about)}}

    def finish(self, results: Path, rows: Sequence[Mapping[str, Any]]) -> int:
        """The results are written: of the worlds, keep those that count in them, packed, and put them there.

        Returns:
            How many should be there and are not: somebody took them away while the tournament stood still.
        """
        plays = {(row["configuration"], row["block"], row["play"]) for row in rows}
        names = {world_name(*play) for play in plays if play[0] % self.every == 0}
        recording = Recording(self.folder)
        recording.keep(names)
        missing = len(names) - len(recording.names())
        pack(recording)
        os.replace(self.folder, results / RECORDING)
        return missing


def world_name(configuration: int, block: int, play: int) -> str:
    """The name of a world in the recording of a tournament; in the order of the schedule."""
    return f"{configuration:06d}-{block}-{play}"


def world_log(game: str, record: Mapping[str, Any]) -> WorldLog:
    """The log of a world that a worker is told to record, see `Recorder.of`."""
    recording = Recording(record["folder"])
    return WorldLog(WriteWorld(recording, GAMES.get(game).load("record"), About(**record["about"]), record["name"]))
