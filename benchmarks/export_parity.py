"""What is exported plays as the original does, in an environment that has scml and NumPy alone.

    python -m venv build/scml-only && build/scml-only/bin/pip install scml==0.8.4
    python benchmarks/export_parity.py build/scml-only/bin/python zoo:planner zoo:dnb best-subset

Each player is exported and plays worlds of scml there; the original plays the same worlds here, deployed. The contracts
must be the same; the original plays a world in which they are not once more, and both counts are told. Then what was
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

from export_world import contracts_of

from scml_gym.core.provenance import versions
from scml_gym.core.warnings import quiet
from scml_gym.export import export_player
from scml_gym.policies.run_folders import deploy

CLASS = "Player"
"""Of all agents: names of scml's factories are made of it."""


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
            there = _there(options.python, folder, "worlds", str(options.worlds), str(options.days))
            kind, parameters = deploy(player)
            agent = type(CLASS, (kind,), {})
            here = [contracts_of(agent, parameters, seed, options.days) for seed in range(options.worlds)]
            others = [seed for seed, (a, b) in enumerate(zip(here, there, strict=True)) if not _same(a, b)]
            again = [contracts_of(agent, parameters, seed, options.days) for seed in others]
            scores = [_there(options.python, folder, "tournament", how) for how in ("serial", "parallel")]
        same = sum(_same(contracts, there[seed]) for seed, contracts in zip(others, again, strict=True))
        own = sum("Pl@" in f"{row[1]} {row[2]}" for world in here for row in world)
        failed += same < len(others) or own == 0
        told = " | ".join(f"{score['Player']:.3f}" for score in scores)
        counts = f"{sum(map(len, here))}, {own} | {options.worlds - len(others)} of {options.worlds}"
        counts += f" | {same} of {len(others)}" if others else " | "
        print(f"| `{player}` | {counts} | {1000 * trial.mean:.1f} | {told} |", flush=True)
    raise SystemExit(failed > 0)


def _same(contracts: list[Any], others: list[Any]) -> bool:
    return json.dumps(contracts) == json.dumps(others)


def _there(python: str, folder: str, task: str, *options: str) -> Any:
    """What a submission does in the other environment."""
    script = Path(__file__).with_name("export_world.py")
    command = [python, "-P", str(script), folder, "exported", task, *options]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: {done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
