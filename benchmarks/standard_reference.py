"""The Standard track's reference world against scml's own, unchanged but for the order of sets, the clock and seeds.

Random worlds of 2 to 4 levels, every third short of cash, played twice by the same players in turn: built-in agents,
strategies of the package, and agents of the league where scml-agents is installed. Contracts, profits, trading prices,
stocks, bankruptcies and scores must be equal to the last bit; then the world by the other stock rule, and both are
settled again from their contracts alone. Exits 1 at the first difference, after printing it.

    PYTHONHASHSEED=0 python benchmarks/standard_reference.py --worlds 30 --days 20 --json standard_reference.json
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import json
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from scml_gym.simulator.clock import stopped_clock
from scml_gym.standard.players import player_maker
from scml_gym.standard.settlement import settle_world
from scml_gym.standard.strategies import STRATEGIES
from scml_gym.standard.worlds.generation import league_spec
from scml_gym.standard.worlds.official import OfficialWorld, differences
from scml_gym.standard.worlds.reference import ReferenceWorld
from scml_gym.standard.worlds.spec import WorldSpec

BUILTINS = ("scml:GreedyStdAgent", "scml:SyncRandomStdAgent", "scml:RandomStdAgent")
LEAGUE = (
    "scml-agents:2024/PenguinAgent",
    "scml-agents:2025/AS0",
    "scml-agents:2024/CautiousStdAgent",
    "scml-agents:2024/QuickDecisionAgent",
    "scml-agents:2024/AX",
    "scml-agents:2024/DogAgent",
)
"""Of the finalists, those that need none of the packages which scml-agents asks for and ``make league`` leaves out."""


def draw_world(seed: int, days: int) -> tuple[WorldSpec, list[str]]:
    """The parameters of a world, and who plays each factory."""
    rng = np.random.default_rng(seed)
    spec = league_spec(seed, days=(5, days), factories_per_level=(2, 5))
    if seed % 3 == 0:
        share = rng.uniform(0.05, 0.3)
        spec = dataclasses.replace(spec, initial_balance=np.ceil(spec.initial_balance * share).astype(np.int64))
    kinds: list[tuple[str, ...]] = [BUILTINS, tuple(STRATEGIES)]
    if importlib.util.find_spec("scml_agents"):
        kinds.append(LEAGUE)
    drawn = [kinds[i] for i in rng.integers(len(kinds), size=spec.n_factories)]
    return spec, [str(rng.choice(kind)) for kind in drawn]


def compare(seed: int, days: int, counts: dict[str, float]) -> str:
    """Play one world; says what differs, if anything does."""
    spec, names = draw_world(seed, days)

    def players() -> list[Any]:
        return [player_maker(name)(seed) for name in names]

    start = time.process_time()
    ours = ReferenceWorld(spec, players(), seed)
    ours.run()
    counts["CPU seconds of the reference world"] += time.process_time() - start
    start = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        theirs = OfficialWorld(spec, players(), seed, Path(folder))
        with stopped_clock():
            theirs.run()
    counts["CPU seconds of scml's world"] += time.process_time() - start
    found = differences(ours, theirs)
    physical = ReferenceWorld(spec, players(), seed, stock="physical")
    physical.run()
    for world, stock in ((ours, "league"), (physical, "physical")):
        settled = settle_world(spec, world.contracts, stock)
        pairs = {"profits": settled.table["profit"], "trading_prices": settled.trading_prices, "stock": settled.stock}
        pairs |= {"bankrupt": settled.bankrupt[:, -1]}
        found += [f"{k} settled, {stock}" for k, v in pairs.items() if not np.array_equal(v, getattr(world, k))]
        if not np.array_equal(settled.nullified, world.contracts["nullified"] == 1):
            found.append(f"nullified contracts settled, {stock}")
    contracts = ours.contracts
    counts["worlds"] += 1
    counts[f"worlds of {spec.n_levels} levels"] += 1
    counts["short of cash"] += seed % 3 == 0
    counts["factory-days"] += spec.n_factories * spec.n_days
    counts["contracts"] += len(contracts)
    counts["contracts for later days"] += int((contracts["delivery"] > contracts["day"]).sum())
    counts["bankruptcies"] += int(ours.bankrupt.sum())
    counts["nullified contracts"] += int(contracts["nullified"].sum())
    counts["factories of league agents"] += sum(name in LEAGUE for name in names)
    return ", ".join(found)


def main() -> None:
    """Compare, print what was covered, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=30)
    parser.add_argument("--days", type=int, default=20, help="at most, 5 at least")
    parser.add_argument("--seed", type=int, default=0, help="of the first world")
    parser.add_argument("--json", type=Path, help="where to write what was covered")
    options = parser.parse_args()
    console, counts = Console(markup=False), defaultdict[str, float](float)
    for seed in track(range(options.seed, options.seed + options.worlds), description="worlds", console=console):
        found = compare(seed, options.days, counts)
        if found:
            console.print(f"world of seed {seed} differs: {found}")
            sys.exit(1)
    table = Table("covered", "number", title="no difference")
    for name, number in counts.items():
        table.add_row(name, f"{number:,.1f}" if "seconds" in name else f"{number:,.0f}")
    console.print(table)
    if options.json is not None:
        numbers = {k: round(v, 1) if "seconds" in k else int(v) for k, v in counts.items()}
        options.json.write_text(json.dumps(numbers, indent=1) + "\n")


if __name__ == "__main__":
    main()
