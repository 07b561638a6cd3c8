"""Pages of the analyzer over many recorded worlds: how long does each take to answer, and what does the server need?

    python benchmarks/analyzer_pages.py make runs/many --worlds 2000
    python benchmarks/analyzer_pages.py measure runs/many

``make`` plays the worlds of a tournament of four strategies, compiled, and packs their recording. ``measure`` starts
``evaluate.py analyze`` on it in a process of its own and asks for each page as a browser does.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from scml_gym.analyzer import open_recordings
from scml_gym.analyzer.detectors import DETECTORS
from scml_gym.analyzer.queries import worlds
from scml_gym.analyzer.web.page import address
from scml_gym.analyzer.web.pages import PAGES
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
    n: Annotated[int, typer.Option("--worlds", help="Worlds, two of each configuration.")] = 2000,
    days: Annotated[int, typer.Option(help="Simulated days.")] = 30,
) -> None:
    """Play and record worlds of 10 factories in which four strategies take turns on both levels."""
    recording, record = Recording(folder), GAMES.get("oneshot").load("record")
    for index in range(n):
        configuration, play = divmod(index, 2)
        line = [COMPETITORS[(i + configuration) % len(COMPETITORS)] for i in range(2 * PER_LEVEL)]
        names = line if not play else line[PER_LEVEL:] + line[:PER_LEVEL]
        about = About(configuration, names, ["competitor"] * len(names), configuration, 0, play)
        end = WriteWorld(recording, record, about, f"{configuration:05d}-0-{play}")
        spec = league_spec(configuration, days=days, factories_per_level=PER_LEVEL)
        CompiledWorld(spec, [player_maker(name)(configuration) for name in names], log=WorldLog(end)).run()
    pack(recording)


class Server:
    """``evaluate.py analyze`` in a process of its own, asked as a browser asks it; for a ``with`` block."""

    def __init__(self, folder: Path):
        root = Path(__file__).resolve().parents[1]
        command = [sys.executable, str(root / "evaluate.py"), "analyze", str(folder)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"DISPLAY": ""})
        assert self._process.stdout is not None
        found = re.search(r"http://\S+/", self._process.stdout.readline())
        assert found is not None
        self._address = found[0]

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.wait()

    def page(self, path: str, search: str) -> int:
        """Ask for a page; gives the bytes of the answer."""
        wanted = [{"id": name, "property": "children"} for name in ("menu", "page")]
        return self._ask("..menu.children...page.children..", wanted, _address(path, search), [])

    def part(self, name: str, path: str, search: str) -> int:
        """Ask for a part of it that comes later."""
        key = {"part": name}
        output = '{"part":["MATCH"]}.children'  # Dash's name of the callback of all parts
        inputs = [{"id": key, "property": "id", "value": key}]
        return self._ask(output, {"id": key, "property": "children"}, inputs, _address(path, search))

    def _ask(self, output: str, wanted: Any, inputs: Any, state: Any) -> int:
        body = {"output": output, "outputs": wanted, "inputs": inputs, "state": state, "changedPropIds": []}
        asked = urllib.request.Request(
            f"{self._address}_dash-update-component",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(asked) as answer:
            text = answer.read()
        assert b"This page failed" not in text and answer.status == 200
        return len(text)

    def cpu(self) -> float:
        """CPU seconds that it took so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """The most memory that it took so far, in GB."""
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{self._process.pid}/status").read_text())
        return int(found[1]) * 1024 / 1e9 if found else 0.0


def _address(path: str, search: str) -> list[dict[str, str]]:
    return [{"id": "address", "property": name, "value": v} for name, v in (("pathname", path), ("search", search))]


@app.command()
def measure(
    folder: Annotated[Path, typer.Argument(help="Of the recording.")],
    repeats: Annotated[int, typer.Option(help="Of which the median is shown.")] = 3,
) -> None:
    """Wall and CPU seconds of each page, and of the parts of it that come later; the server's memory in the end."""
    with open_recordings(folder) as recordings:
        known = worlds.names(recordings, 0)
        chosen = {"world": known[len(known) // 2], "day": 7, "competitor": COMPETITORS[0]}
    with Server(folder) as server:
        print("| page | wall, s | CPU, s | kB |\n| --- | ---: | ---: | ---: |")
        for path, page in PAGES.items():
            search = "?" + address("", **chosen).partition("?")[2]
            for detector in DETECTORS if path == "/findings" else [None]:
                there = search + (f"&detector={detector}" if detector else "")
                told = f"{page.title}: {detector}" if detector else page.title
                print(_row(told, [_timed(server, partial(server.page, path, there)) for _ in range(repeats)]))
            for name in page.later:
                times = [_timed(server, partial(server.part, name, path, search)) for _ in range(repeats)]
                print(_row(f"{page.title}, later: {name}", times))
        print(f"memory of the server at most: {server.memory():.2f} GB")


def _timed(server: Server, ask: Callable[[], int]) -> tuple[float, float, int]:
    start, cpu = time.perf_counter(), server.cpu()
    size = ask()
    return time.perf_counter() - start, server.cpu() - cpu, size


def _row(told: str, times: list[tuple[float, float, int]]) -> str:
    wall, cpu, size = np.median(times, axis=0)
    return f"| {told} | {wall:.2f} | {cpu:.2f} | {size / 1e3:.0f} |"


if __name__ == "__main__":
    run_cli(app)
