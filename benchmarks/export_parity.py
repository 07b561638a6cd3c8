"""What is exported plays as the original does, in an environment that has scml and NumPy alone.

    python -m venv build/scml-only && build/scml-only/bin/pip install scml==0.8.4
    python benchmarks/export_parity.py build/scml-only/bin/python zoo:planner zoo:dnb best-subset

Each player is exported and plays worlds of scml there; the original plays the same worlds here, deployed, each in a
process of its own: scml iterates over sets of objects, whose order depends on what a process has done before. The
contracts must be the same; the original plays once more where they are not, and both counts are told. Then what was
exported plays scml's own tournament, serial and parallel. Exits 1 where a world differs both times. What the other
environment must not have is refused by benchmarks/export_world.py.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from scml_gym.core.provenance import versions
from scml_gym.core.warnings import quiet
from scml_gym.export import export_player

CLASS = "Player"
"""Of all agents: names of scml's factories are made of it."""

ORIGINAL = """
from scml_gym.policies.run_folders import deploy

KIND, PARAMETERS = deploy("{player}")
MAIN_AGENT = type("{name}", (KIND,), {{}})
"""


def main() -> None:
    """Compare player after player."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("python", help="an interpreter that has scml and NumPy alone")
    parser.add_argument("players", nargs="+", metavar="PLAYER", help="run folder, zoo:NAME, strategy or policy file")
    parser.add_argument("--worlds", type=int, default=20)
    parser.add_argument("--days", type=int, default=4)
    options = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":  # scml's agents iterate over sets of names
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | {"PYTHONHASHSEED": "0"})
    print(f"commit {versions()['commit']}, {options.worlds} worlds of {options.days} days each\n")
    print(
        "| player | contracts, the player's | the same | played again | ms a decision | serial | parallel |", flush=True
    )
    print("|---|---|---|---|---|---|---|")
    failed = 0
    for player in options.players:
        with tempfile.TemporaryDirectory() as folder, quiet():
            trial = export_player(player, Path(folder) / "exported", CLASS)
            (Path(folder) / "original.py").write_text(ORIGINAL.format(player=player, name=CLASS))
            worlds = "worlds", str(options.worlds), str(options.days)
            there = _played(options.python, folder, "exported", *worlds)
            here = _played(sys.executable, folder, "original", *worlds)
            others = [seed for seed in range(options.worlds) if here[seed] != there[seed]]
            again = _played(sys.executable, folder, "original", *worlds) if others else here
            scores = [_played(options.python, folder, "exported", "tournament", how) for how in ("serial", "parallel")]
        same = sum(again[seed] == there[seed] for seed in others)
        own = sum("Pl@" in f"{row[1]} {row[2]}" for world in here for row in world)
        failed += same < len(others) or own == 0
        told = " | ".join(f"{score['Player']:.3f}" for score in scores)
        counts = f"{sum(map(len, here))}, {own} | {options.worlds - len(others)} of {options.worlds}"
        counts += f" | {same} of {len(others)}" if others else " | "
        print(f"| `{player}` | {counts} | {1000 * trial.mean:.1f} | {told} |", flush=True)
    raise SystemExit(failed > 0)


def _played(python: str, folder: str, package: str, *task: str) -> Any:
    """What an interpreter says of a package in that folder; see benchmarks/export_world.py."""
    command = [python, "-P", str(Path(__file__).with_name("export_world.py")), folder, package, *task]
    here = python == sys.executable
    environment = {key: value for key, value in os.environ.items() if here or key != "PYTHONPATH"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: {done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
