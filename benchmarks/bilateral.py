"""Bilateral negotiations in compiled tables: equal to negmas' mechanism step for step, and how much faster.

First, random episodes of the bilateral environments (both domains, every negotiator of the registry, either side first,
2 to 100 rounds) on negmas' mechanism and in the compiled tables, compared to the last bit; exits 1 at the first
difference, after printing it. Then the time of a whole negotiation of AgentK with itself, by turns: that of
negmas-genius-agents and ours on negmas' mechanism, and ours in the tables; and steps a second of the environments.

    pip install -e ".[genius]"
    python benchmarks/bilateral.py --negotiations 1000 --json bilateral.json
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from negmas.sao import SAOMechanism
from rich.console import Console
from rich.progress import track
from rich.table import Table

from scml_gym.bilateral.envs.config import BilateralConfig
from scml_gym.bilateral.envs.vector.acceptance_rows import AcceptanceRow, AcceptanceRows
from scml_gym.bilateral.negotiators import AgentK
from scml_gym.bilateral.parity import compare_negotiation, draw_negotiation
from scml_gym.bilateral.worlds.table_world import play
from scml_gym.core.provenance import versions
from scml_gym.core.registry import load_object

SCENARIOS = ("EnglandZimbabwe", "Party")
PEER = "negmas_genius_agents.negotiators.anac.y2010.agent_k:AgentK"
ROUNDS = 100
REPEATS = 5


def main() -> None:
    """Compare, measure, print, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--negotiations", type=int, default=100, help="random episodes to compare")
    parser.add_argument("--peer", type=int, default=4, help="negmas negotiations in each of the turns")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="where to write what was measured")
    options = parser.parse_args()
    console = Console(markup=False)
    counts = compare(options.negotiations, options.seed, console)
    console.print(f"equal to the last bit: {dict(counts)}")
    measured = {**negotiation_times(options.peer, options.seed), **step_rates()}
    table = Table("measure", "value")
    for name, value in measured.items():
        table.add_row(name, f"{value:,.4g}" if value < 1000 else f"{value:,.0f}")
    console.print(table)
    if options.json:
        record = {"command": sys.argv, "versions": versions(), "parity": counts, "measured": measured}
        options.json.write_text(json.dumps(record, indent=1))


def compare(n: int, seed: int, console: Console) -> Counter[str]:
    """Random episodes in both worlds."""
    counts = Counter[str]()
    for index in track(range(n), description="parity", console=console):
        case = draw_negotiation(seed, index, SCENARIOS)
        difference = compare_negotiation(case, counts)
        if difference is not None:
            console.print(f"case {index} of seed {seed}, {case}: {difference}")
            sys.exit(1)
    return counts


def negotiation_times(n: int, seed: int) -> dict[str, float]:
    """Times of a negotiation between two AgentK on Party, medians of turns."""
    peer: Any = load_object(PEER)
    negotiation = BilateralConfig("Party", 0, "AgentK", ROUNDS, True, "AgentK").negotiation(0)
    seeds = iter(range(seed + 1, 2**31))

    def on_negmas(kind: Any, repeats: int) -> None:
        for _ in range(repeats):
            negmas = negotiation.scenario.to_negmas()
            mechanism = SAOMechanism(outcome_space=negmas.outcome_space, n_steps=ROUNDS)
            for side in (1, 0):
                mechanism.add(kind(name=f"side{side}"), ufun=negmas.ufuns[side])
            mechanism.run()

    kinds: dict[str, tuple[int, Callable[[int], Any]]] = {
        "negmas-genius-agents' AgentK on negmas": (n, lambda repeats: on_negmas(peer, repeats)),
        "our AgentK on negmas": (n, lambda repeats: on_negmas(AgentK, repeats)),
        "our AgentK compiled": (2000, lambda repeats: play(negotiation, [next(seeds) for _ in range(repeats)])),
    }
    kinds["our AgentK compiled"][1](10)  # compiled here
    taken: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(REPEATS):
        for name, (repeats, run) in kinds.items():
            start = time.perf_counter()
            run(repeats)
            taken[name].append((time.perf_counter() - start) / repeats)
    peer, negmas, compiled = (float(np.median(times)) for times in taken.values())
    measured = {f"negotiation, {name} (ms)": float(np.median(times)) * 1e3 for name, times in taken.items()}
    return measured | {"compiled to the peer": peer / compiled, "compiled to ours on negmas": negmas / compiled}


def step_rates(rows: int = 540, steps: int = 500) -> dict[str, float]:
    """Steps a second on one core of what learners step: rows of a study, and the vector and the single environment."""
    rates = {}
    for opponent in ("boulware", "Gahboninho", "AgentK"):
        row = AcceptanceRow("EnglandZimbabwe", 0, opponent, ROUNDS, True, "c", "c", -0.5)
        study = AcceptanceRows([row] * rows)
        study.reset(range(rows))
        actions = (np.random.default_rng(0).random((steps, rows)) < 0.01).astype(np.int64)
        rates[f"AcceptanceRows, {rows} rows, {opponent} (steps/s)"] = rate(study.step, actions) * rows
    cases: list[tuple[str, dict[str, Any], np.ndarray]] = [
        ("BilateralAcceptance", {}, actions),
        ("Bilateral, targets", {"action": "target"}, 22 - actions),
        ("Bilateral, outcomes", {"action": "outcome"}, 3 + 400 * actions),
    ]
    for name, arguments, acts in cases:
        envs = gymnasium.make_vec(f"scml_gym/{name.split(',')[0]}-v0", rows, opponent="boulware", **arguments)
        envs.reset(seed=0)
        rates[f"vector environment {name}, {rows} rows (steps/s)"] = rate(envs.step, acts) * rows
    for backend in ("compiled", "reference"):
        env = gymnasium.make("scml_gym/BilateralAcceptance-v0", opponent="boulware", backend=backend)

        def step(action: int, env: gymnasium.Env = env) -> None:
            if env.step(int(action))[2]:
                env.reset()

        env.reset(seed=0)
        rates[f"single environment, {backend} (steps/s)"] = rate(step, actions[:, 0])
    return rates


def rate(step: Any, actions: np.ndarray) -> float:
    """Calls a second."""
    step(actions[0])
    start = time.perf_counter()
    for action in actions[1:]:
        step(action)
    return (len(actions) - 1) / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
