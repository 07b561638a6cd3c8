"""Pages of the analyzer over many recorded worlds: how long does each take to answer, and what does the server need?

    python benchmarks/analyzer_pages.py make /tmp/many --worlds 2000
    python benchmarks/analyzer_pages.py measure /tmp/many

``make`` plays the worlds of a tournament of four strategies, compiled, and packs their recording. ``measure`` starts
``evaluate.py analyze`` on it in a process of its own and asks for each page as a browser does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scml_gym.core.cli import command_app, run_cli
from scml_gym.games import GAMES
from scml_gym.oneshot.players import player_maker
from scml_gym.oneshot.worlds.compiled.world import CompiledWorld
from scml_gym.oneshot.worlds.generation import league_spec
from scml_gym.simulator.recording.folder import Recording, WriteWorld
from scml_gym.simulator.recording.log import WorldLog
from scml_gym.simulator.recording.packing import pack
from scml_gym.simulator.recording.tables import About

app = command_app()
COMPETITORS = ("best-subset", "greedy", "random", "boulware")
PER_LEVEL = 5


@app.command()
def make(
    folder: Annotated[Path, typer.Argument(help="Of the recording, a new folder.")],
    worlds: Annotated[int, typer.Option(help="Worlds, two of each configuration.")] = 2000,
    days: Annotated[int, typer.Option(help="Simulated days.")] = 30,
) -> None:
    """Play and record worlds of 10 factories in which four strategies take turns on both levels."""
    recording, record = Recording(folder), GAMES.get("oneshot").load("record")
    for index in range(worlds):
        configuration, play = divmod(index, 2)
        line = [COMPETITORS[(i + configuration) % len(COMPETITORS)] for i in range(2 * PER_LEVEL)]
        names = line if not play else line[PER_LEVEL:] + line[:PER_LEVEL]
        about = About(configuration, names, ["competitor"] * len(names), configuration, 0, play)
        end = WriteWorld(recording, record, about, f"{configuration:05d}-0-{play}")
        spec = league_spec(configuration, days=days, factories_per_level=PER_LEVEL)
        CompiledWorld(spec, [player_maker(name)(configuration) for name in names], log=WorldLog(end)).run()
    pack(recording)


if __name__ == "__main__":
    run_cli(app)
