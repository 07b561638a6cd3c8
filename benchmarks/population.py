"""How strong the members of the subset family are: each in one seat of a mixed field, in the real league simulation.

Players are the named members, draws of the population (each one's traits kept through all worlds), and agents of scml
for comparison; those of the optional package scml-agents take part where it is installed. A player takes the same
seats, one of each level, in the same worlds; differences to the first reference are paired by world. Fix the hash seed,
because scml's agents iterate over sets of names:

    PYTHONHASHSEED=0 python benchmarks/population.py --worlds 40 --out docs/results/population
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import time
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from scml_gym.game.world import PlayerMaker
from scml_gym.oneshot.players import player_maker
from scml_gym.oneshot.strategies import STRATEGIES
from scml_gym.oneshot.strategies.base import StrategyPolicy
from scml_gym.oneshot.strategies.subset import DEFAULTS
from scml_gym.oneshot.view import BUYER, SELLER
from scml_gym.oneshot.worlds.generation import league_spec
from scml_gym.oneshot.worlds.reference import ReferenceWorld
from scml_gym.oneshot.worlds.spec import WorldSpec

MEMBERS = ("subset-strong", "subset-plain", "subset-exact", "subset-stubborn", "subset-weak")
REFERENCES = ["scml:SyncRandomOneShotAgent", "scml:EqualDistOneShotAgent", "scml:GreedySyncAgent"]
if find_spec("scml_agents"):
    REFERENCES += ["scml-agents:2025/CostAverseAgent", "scml-agents:2024/CautiousOneShotAgent"]
COLUMNS: tuple[str, ...] = ("player", "level", "seed", "score")


def drawn_members(n: int, seed: int) -> dict[str, dict[str, float]]:
    """Traits of members drawn from the population, by name."""
    ranges = STRATEGIES.get("subset-population").parameter_array().reshape(-1, 2)
    generator = np.random.default_rng(seed)
    draws = ranges[:, 0] + generator.random((n, len(ranges))) * (ranges[:, 1] - ranges[:, 0])
    return {f"draw-{i}": dict(zip(DEFAULTS, draw.round(3).tolist(), strict=True)) for i, draw in enumerate(draws)}


def member_maker(traits: dict[str, float]) -> PlayerMaker:
    """What makes the players of these traits."""
    return lambda seed: StrategyPolicy(STRATEGIES.get("subset-strong"), seed, traits)


def play(spec: WorldSpec, make: PlayerMaker, field: list[PlayerMaker], level: int, seed: int) -> float:
    """The score of one player in its seat of that level, with the field around it.

    Raises:
        RuntimeError: if a strategy gave an answer that cannot be played.
    """
    players = [field[(i + seed) % len(field)](seed) for i in range(spec.n_factories)]
    seat = spec.n_sellers + seed % spec.n_buyers if level == BUYER else seed % spec.n_sellers
    players[seat] = make(seed)
    world = ReferenceWorld(spec, players, seed=seed)
    world.run()
    if any(getattr(agent, "invalid", 0) for agent in world.agents):
        raise RuntimeError(f"invalid answers in world {seed}")
    return float(world.scores[seat])


def mean_error(values: np.ndarray) -> str:
    """Mean and standard error as text."""
    return f"{values.mean():.3f} ± {values.std(ddof=1) / np.sqrt(len(values)):.3f}"


def table(rows: list[dict[str, str | int | float]]) -> str:
    """Scores by player, best first, in markdown."""
    scores: dict[str, dict[int, dict[int, float]]] = {}
    for row in rows:
        levels = scores.setdefault(str(row["player"]), {SELLER: {}, BUYER: {}})
        levels[int(row["level"])][int(row["seed"])] = float(row["score"])
    sides = {name: np.array([list(level.values()) for level in levels.values()]) for name, levels in scores.items()}
    peer = REFERENCES[0].rpartition(":")[2]
    difference = f"mean score difference to {peer} (± standard error)"
    lines = [f"| player | score | as seller | as buyer | {difference} |", "|---|---|---|---|---|"]
    for name in sorted(sides, key=lambda n: -sides[n].mean()):
        both = sides[name].mean(axis=0)
        texts = [both, *sides[name], both - sides[REFERENCES[0]].mean(axis=0)]
        lines.append(f"| {name} | " + " | ".join(mean_error(t) for t in texts) + " |")
    return "\n".join(lines)


def versions() -> dict[str, str]:
    """Of what the scores depend on."""
    found = {}
    for package in ("scml", "negmas", "numpy", "scml-agents"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def main() -> None:
    """Play all worlds, print the table, and write it beside the scores of each world."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--worlds", type=int, default=40, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=7000, help="of the first world (default: %(default)s)")
    parser.add_argument("--days", type=int, default=20, help="of a world (default: %(default)s)")
    parser.add_argument("--draws", type=int, default=10, help="members of the population (default: %(default)s)")
    parser.add_argument("--draw-seed", type=int, default=0, help="of their traits (default: %(default)s)")
    parser.add_argument("--out", type=Path, help="folder for scores.csv, table.md, draws.json and run.json")
    args = parser.parse_args()
    started, cpu = time.perf_counter(), time.process_time()
    drawn = drawn_members(args.draws, args.draw_seed)
    players = {name: player_maker(name) for name in (*REFERENCES, *MEMBERS)}
    players |= {name: member_maker(traits) for name, traits in drawn.items()}
    field = [player_maker(name) for name in REFERENCES]
    rows: list[dict[str, str | int | float]] = []
    for seed in range(args.seed, args.seed + args.worlds):
        spec = league_spec(seed, days=args.days, factories_per_level=(4, 6))
        for name, make in players.items():
            for level in (SELLER, BUYER):
                row = (name, level, seed, round(play(spec, make, field, level, seed), 6))
                rows.append(dict(zip(COLUMNS, row, strict=True)))
    run = {
        "worlds": args.worlds,
        "seed": args.seed,
        "days": args.days,
        "field": REFERENCES,
        "versions": versions(),
        "PYTHONHASHSEED": os.environ.get("PYTHONHASHSEED", "unset"),
        "cpu_seconds": round(time.process_time() - cpu),
        "seconds": round(time.perf_counter() - started),
    }
    print(table(rows))
    print(f"\n{json.dumps(run)}")
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        with open(args.out / "scores.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
        (args.out / "table.md").write_text(table(rows) + "\n", encoding="utf-8")
        (args.out / "draws.json").write_text(json.dumps(drawn, indent=1) + "\n", encoding="utf-8")
        (args.out / "run.json").write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
