"""How fast the acceptance dataset of D-NB is made, from compiled worlds and from real ones, beside scml's own logs.

CPU seconds of one process, after everything is compiled. The real worlds are played three times, each time with the
same sizes, days and agents of scml: without logs, with the logs that the dataset is read from, and as scml's own world
with its own logs, in which needs are not told. By turns.

    python benchmarks/dnb_dataset.py --worlds 100 --real 4 --json dnb_dataset.json
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from scml.oneshot.agents import GreedyOneShotAgent, SyncRandomOneShotAgent
from scml.oneshot.world import SCML2024OneShotWorld

from scml_gym.agents.dnb.dataset import read_dataset
from scml_gym.agents.dnb.dataset_config import DatasetConfig
from scml_gym.agents.dnb.generation import draw_world, generate_dataset
from scml_gym.agents.dnb.logs import read_log, read_records
from scml_gym.core.config import CONFIGS, read_yaml, validate
from scml_gym.oneshot.worlds.compiled.generation import compiled_spec
from scml_gym.oneshot.worlds.compiled.world import CompiledWorld
from scml_gym.oneshot.worlds.log import record_world
from scml_gym.oneshot.worlds.reference import ReferenceWorld
from scml_gym.simulator.global_rng import GlobalStreams

AGENTS = [SyncRandomOneShotAgent, GreedyOneShotAgent]


def main() -> None:
    """Measure, print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=100, help="compiled worlds")
    parser.add_argument("--real", type=int, default=4, help="real worlds of each kind")
    parser.add_argument("--days", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for share in (1.0, 0.1):
            rows += compiled_rows(options, share, Path(folder))
        rows += real_rows(options, Path(folder))
    table = Table("worlds", "CPU s a world", "rows a world", "rows / CPU s")
    for row in rows:
        n = row["worlds"]
        seconds, found = f"{row['cpu'] / n:.4f}", f"{row['rows'] / n:,.0f}" if row["rows"] else ""
        table.add_row(row["name"], seconds, found, f"{row['rows'] / row['cpu']:,.0f}" if row["rows"] else "")
    Console(markup=False).print(table)
    if options.json is not None:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


def compiled_rows(options: Any, share: float, folder: Path) -> list[dict[str, Any]]:
    """Compiled worlds with the experiment's opponents: played only, recorded and written, and read."""
    agent = read_yaml(CONFIGS / "agent" / "dnb.yaml")["data"]
    experiment = read_yaml(CONFIGS / "experiment" / "dnb_accept_logistic.yaml")["agent"]["data"]
    numbers = {"worlds": options.worlds, "days": options.days, "share": share}
    config = validate(DatasetConfig, agent | experiment | numbers)
    worlds, path = range(options.worlds), folder / f"share-{share}"
    makers = {name: CompiledWorld.player_maker(name) for name in config.opponents}

    def play() -> None:
        for number in worlds:
            spec, names, seed = draw_world(config, options.seed, number)
            CompiledWorld(spec, [makers[name](seed) for name in names]).run()

    generate_dataset(config.model_copy(update={"worlds": 1}), options.seed, folder / f"first-{share}")
    play()
    played, made = cpu(play), cpu(lambda: generate_dataset(config, options.seed, path))
    read = cpu(lambda: read_dataset(path))
    name, n, rows = f"compiled, share {share:g}", options.worlds, len(read_dataset(path))
    return [
        {"name": f"{name}: played", "worlds": n, "cpu": played, "rows": 0},
        {"name": f"{name}: recorded and written", "worlds": n, "cpu": made, "rows": rows},
        {"name": f"{name}: read", "worlds": n, "cpu": read, "rows": rows},
    ]


def real_rows(options: Any, folder: Path) -> list[dict[str, Any]]:
    """Real worlds of scml's agents, 6 factories a level."""
    n, days = 6, options.days
    players: list[Any] = [(AGENTS[i % 2], {}) for i in range(2 * n)]
    names = [AGENTS[i % 2].__name__ for i in range(2 * n)]

    def plain(seed: int) -> None:
        ReferenceWorld(compiled_spec(seed, days, n), players, seed).run()

    def logged(seed: int) -> None:
        record_world(compiled_spec(seed, days, n), players, names, folder / f"{seed}-{time.time_ns()}", seed)

    def official(seed: int) -> None:
        with GlobalStreams(seed).active():
            own = folder / f"official-{time.time_ns()}"
            world = SCML2024OneShotWorld(
                **SCML2024OneShotWorld.generate(agent_types=AGENTS, n_steps=days, n_agents_per_process=n),
                log_folder=str(own),
            )
            world.run()

    kinds: dict[str, Callable[[int], None]] = {
        "real, without logs": plain,
        "real, with logs": logged,
        "scml's own world with its own logs": official,
    }
    seconds: dict[str, list[float]] = {name: [] for name in kinds}
    for kind in kinds.values():
        kind(options.seed)
    for seed in range(options.seed + 1, options.seed + 1 + options.real):
        for name, kind in kinds.items():
            seconds[name].append(cpu(lambda kind=kind, seed=seed: kind(seed)))
    logs = [path.parent for path in folder.glob("*/log.json")]
    rows = sum(len(read_records(read_log(path))) for path in logs) * options.real // len(logs)
    reading = cpu(lambda: [read_records(read_log(path)) for path in logs]) * options.real / len(logs)
    table = [{"name": name, "worlds": options.real, "cpu": sum(s), "rows": 0} for name, s in seconds.items()]
    table[1]["rows"] = rows
    return [*table, {"name": "real logs: read", "worlds": options.real, "cpu": reading, "rows": rows}]


def cpu(function: Callable[[], Any]) -> float:
    """CPU seconds of a call."""
    start = time.process_time()
    function()
    return time.process_time() - start


if __name__ == "__main__":
    main()
