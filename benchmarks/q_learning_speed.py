"""Speed of the pre-training of tabular Q-learning, from drawing the worlds to the tables, in both kinds of worlds.

A decision is one answer array of a learning factory, an update a change of one value of the table. CPU time of the one
process; the first worlds, which compile or load code, do not count. The reference world trains in fewer worlds.

    python benchmarks/q_learning_speed.py --worlds 2000 --json q_learning_speed.json
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from scml_gym.agents.q_learning import QLearning
from scml_gym.agents.q_learning.training import Trainer, Worlds
from scml_gym.core.config import load_experiment

UNITS = ("decisions", "updates", "negotiations")


def speed(backend: str, worlds: int, warm_up: int, options: list[str], seed: int) -> dict[str, float]:
    """Units a second of CPU time while a training of that many worlds is played, and what a world holds."""
    config = load_experiment("q_learning", [*options, f"agent.training.worlds={worlds + warm_up}"], seed).config
    env: dict[str, Any] = {k: v for k, v in config["env"].items() if k != "name"} | {"backend": backend}
    agent = QLearning.build(config["agent"], env)
    trainer = Trainer(agent.hyperparameters, Worlds(env), agent.tables, seed)
    for index in range(warm_up):
        trainer.play(index)
    before, start = [getattr(trainer, unit) for unit in UNITS], time.process_time()
    for index in range(warm_up, worlds + warm_up):
        trainer.play(index)
    seconds = time.process_time() - start
    done = {unit: getattr(trainer, unit) - count for unit, count in zip(UNITS, before, strict=True)}
    return {
        "worlds": worlds,
        "worlds_per_second": worlds / seconds,
        "decisions_per_world": done["decisions"] / worlds,
        **{f"{unit}_per_second": count / seconds for unit, count in done.items()},
    }


def main() -> None:
    """Print the table, and write it as JSON where asked to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--worlds", type=int, default=2000, help="of the compiled training; the reference plays 1 %%")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", action="append", default=[], dest="options", help="as train.py")
    parser.add_argument("--json", type=Path, help="file for the numbers")
    arguments = parser.parse_args()
    numbers = {
        backend: speed(backend, worlds, 3, arguments.options, arguments.seed)
        for backend, worlds in (("compiled", arguments.worlds), ("reference", max(1, arguments.worlds // 100)))
    }
    table = Table("a second of CPU time", *numbers, title="Pre-training of tabular Q-learning, one thread")
    for unit in ("worlds", *UNITS):
        table.add_row(unit, *(f"{row[f'{unit}_per_second']:,.0f}" for row in numbers.values()))
    Console(markup=False).print(table)
    if arguments.json:
        arguments.json.write_text(json.dumps(numbers, indent=1) + "\n")


if __name__ == "__main__":
    main()
