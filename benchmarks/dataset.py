"""How fast a dataset is made, in CPU seconds of one core, and whether all of it plays again.

    python benchmarks/dataset.py --json dataset.json

Some 200,000 decisions of best-subset in worlds of 30 days are recorded and written, after a short recording that
compiles the code. Then they are loaded by ``minari.load_dataset``, and each is played again, which takes a minute.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import minari

from scml_gym.core.process import limit_threads
from scml_gym.core.provenance import commit, versions
from scml_gym.offline.command import dataset_command
from scml_gym.offline.reading import load_dataset, replay

OPTIONS = ("days=30", "generator=compiled", "observation=entities")


def timed(compute: Callable[[], Any]) -> tuple[Any, float]:
    """A result, and the CPU seconds of this process that it took."""
    before = time.process_time()
    result = compute()
    return result, time.process_time() - before


def record(episodes: int, seed: int, namespace: str) -> str:
    """The name of a new dataset."""
    (name,) = dataset_command(["best-subset"], "concurrent", OPTIONS, episodes, seed, namespace)
    return name


def main() -> int:
    """Record, load, play again and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=2860)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    arguments = parser.parse_args()
    limit_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MINARI_DATASETS_PATH"] = folder
        record(128, arguments.episodes, "compiling")
        name, writing = timed(lambda: record(arguments.episodes, 0, "measured"))
        lengths, reading = timed(lambda: [len(episode) for episode in minari.load_dataset(name).iterate_episodes()])
        again, playing = timed(lambda: replay(load_dataset(name)))
        size = sum(path.stat().st_size for path in (Path(folder) / name).rglob("*") if path.is_file())
    n = sum(lengths)
    print(f"{n:,} decisions in {len(lengths):,} episodes, {size / 1e6:.0f} MB")
    print(f"recorded in {writing:.1f} CPU seconds, {n / writing:,.0f} decisions a second")
    print(f"read in {reading:.1f} CPU seconds")
    print(f"{again:,} decisions played again in {playing:.1f} CPU seconds, to the same observations, rewards and ends")
    if arguments.json:
        seconds = {"recording": writing, "reading": reading, "playing_again": playing}
        told = {"decisions": n, "episodes": len(lengths), "bytes": size, "played_again": again, "cpu_seconds": seconds}
        arguments.json.write_text(json.dumps(told | {"commit": commit(), "versions": versions()}, indent=1) + "\n")
    return int(again != n)


if __name__ == "__main__":
    sys.exit(main())
