"""Clones against the agents that they stand for: the same worlds with the one and with the other.

    PYTHONHASHSEED=0 python benchmarks/clones.py field --worlds 160 --out docs/results/clones
    PYTHONHASHSEED=0 python benchmarks/clones.py gains sequential zoo:dnb --worlds 60 --out docs/results/clones
    PYTHONHASHSEED=0 python benchmarks/clones.py speed --worlds 20 --out docs/results/clones

``field`` draws who plays each factory, and compares scores by level, items missed, prices, and what is accepted by
round and price. ``gains`` puts players in the same seat of each world, once on each level: is the gain of the first
over the others among clones what it is among the agents? ``speed`` times both kinds of worlds by turns. All need the
league's agents (scml-agents); the worlds have 30 days and 5 factories a level.
"""

from __future__ import annotations

import argparse
import functools
import gc
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scml_gym.agents.clones.generation import clone_key
from scml_gym.agents.clones.recording import Recording, record_world
from scml_gym.core.cli import run_main
from scml_gym.core.config import load_experiment
from scml_gym.core.files import replace_file
from scml_gym.evaluation.statistics import compare
from scml_gym.oneshot.clones.files import PREFIX
from scml_gym.oneshot.rules import needs_of
from scml_gym.oneshot.view import ACCEPT, SELLER
from scml_gym.oneshot.worlds.compiled.generation import compiled_spec
from scml_gym.oneshot.worlds.compiled.world import CompiledWorld
from scml_gym.oneshot.worlds.reference import ReferenceWorld

WORLDS = {"real": ReferenceWorld, "cloned": CompiledWorld}
LEVELS = ("seller", "buyer")
TEN = (
    *("2025/CostAverseAgent", "2024/CautiousOneShotAgent", "2025/Rchan", "2025/AlmostEqualAgent"),
    *("2024/MatchingPennies", "scml/SyncRandomOneShotAgent", "scml/EqualDistOneShotAgent"),
    *("2024/EpsilonGreedyAgent", "2025/DistRedistAgent", "2025/HoriYamaAgent"),
)
"""The finalists of docs/results/dnb.md that answer all partners together, and three more."""

DAYS, FACTORIES = 30, 5


@functools.cache
def agents() -> list[str]:
    """Those that the experiment ``clone`` clones."""
    return list(load_experiment("clone").config["agent"]["agents"])


def drawn(seed: int, number: int, names: Sequence[str]) -> tuple[Any, list[str], int]:
    """A world of that number, who plays each factory, and the seed of its simulation."""
    rng = np.random.default_rng([seed, number])
    spec = compiled_spec(int(rng.integers(2**62)), DAYS, FACTORIES)
    who = [str(names[i]) for i in rng.integers(len(names), size=spec.n_factories)]
    return spec, who, int(rng.integers(2**31))


def new_world(kind: str, spec: Any, names: Sequence[str], seed: int) -> Any:
    """A world with agents, or with their clones; other players are the same in both.

    Args:
        kind: One of `WORLDS`.
        spec: Its parameters.
        names: Of the players.
        seed: Of the simulation.
    """
    stand_in = {name: f"{PREFIX}{clone_key(name)}" for name in agents()} if kind == "cloned" else {}
    make = WORLDS[kind].player_maker
    return WORLDS[kind](spec, [make(stand_in.get(name, name))(seed) for name in names], seed)


def factory_rows(recording: Recording) -> Iterator[dict[str, Any]]:
    """What became of each factory: its score, items missed and too many a day, and the share at the good price."""
    for factory, name in enumerate(recording.names):
        level = int(factory >= recording.n_sellers)
        mine = recording.contracts[recording.contracts[LEVELS[level]] == factory]
        views = recording.views[recording.views["factory"] == factory]
        days, first = np.unique(views["day"], return_index=True)
        missed, over, good = 0, 0, 0
        for view in views[first]:
            today = mine[mine["day"] == view["day"]]
            left = needs_of(int(view["lines"]), int(view["exogenous_quantity"]), int(today["quantity"].sum()))
            missed, over = missed + max(left, 0), over + max(-left, 0)
            best = view["max_price" if level == SELLER else "min_price"]
            good += int(today["quantity"][today["price"] == best].sum())
        n, items = max(len(days), 1), int(mine["quantity"].sum())
        yield {
            "factory": factory,
            "level": LEVELS[level],
            "agent": name,
            "score": float(recording.scores[factory]),
            "missed": missed / n,
            "over": over / n,
            "items": items / n,
            "contracts": len(mine) / n,
            "good": good / max(items, 1),
        }


ROUNDS = {"first": (0, 1), "2 to 5": (1, 5), "6 to 15": (5, 15), "later": (15, 10**6)}


def acceptance(recording: Recording) -> pd.DataFrame:
    """Offers that were answered, and those accepted, by the level of who answers, the round and the price."""
    partners, level = recording.views["partners"], recording.views["level"]
    rows = []
    standing = (partners["my_turn"] != 0) & (partners["offer_quantity"] > 0)
    good = np.where(level == SELLER, recording.views["max_price"], recording.views["min_price"])
    at_good = partners["offer_price"] == good[:, None]
    for side in (0, 1):
        for name, (first, last) in ROUNDS.items():
            there = standing & (level == side)[:, None] & (partners["step"] >= first) & (partners["step"] < last)
            for price, which in (("good", at_good), ("bad", ~at_good)):
                answers = recording.actions["response"][there & which]
                counts = {"offers": len(answers), "accepted": int((answers == ACCEPT).sum())}
                rows.append({"level": LEVELS[side], "round": name, "price": price} | counts)
    return pd.DataFrame(rows)


def field(options: argparse.Namespace) -> dict[str, pd.DataFrame]:
    """The comparison of scores, misses, prices and acceptance."""
    names, rows, accepted = agents(), [], []
    for number in range(options.worlds):
        spec, who, seed = drawn(options.seed, number, names)
        for kind in WORLDS:
            recording = record_world(new_world(kind, spec, who, seed), who)
            rows += [{"world": number, "kind": kind} | row for row in factory_rows(recording)]
            accepted.append(acceptance(recording).assign(kind=kind))
    table: Any = pd.DataFrame(rows)
    table["agent"] = table["agent"].map(clone_key)
    keys = ["level", "round", "price"]
    joined: Any = pd.concat(accepted)
    counts = joined.groupby([*keys, "kind"], sort=False).sum().unstack("kind")
    show_field(table)
    print("\n| offers to | round | price | real | cloned |\n| --- | --- | --- | --- | --- |")
    for (level, part, price), row in counts.iterrows():
        shares = " | ".join(
            f"{row['accepted', kind] / max(row['offers', kind], 1):.3f} of {row['offers', kind]:,}" for kind in WORLDS
        )
        print(f"| {level} | {part} | {price} | {shares} |")
    counts.columns = [f"{kind}_{what}" for what, kind in counts.columns]
    return {"field": table, "acceptance": counts.reset_index()}


def show_field(table: Any) -> None:
    """Print the tables of scores, and how well they agree."""
    paired = table.pivot(index=["world", "factory", "agent", "level"], columns="kind", values="score").reset_index()
    paired["difference"] = paired["cloned"] - paired["real"]
    means = table.groupby(["agent", "level", "kind"]).mean(numeric_only=True).unstack("kind")
    print("| agent | level | n | real | cloned | difference | missed a day | over | good price |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for (agent, level), rows in paired.groupby(["agent", "level"]):
        row = means.loc[(agent, level)]
        error = 1.96 * rows["difference"].std() / len(rows) ** 0.5
        more = " | ".join(f"{row[key, 'real']:.2f}, {row[key, 'cloned']:.2f}" for key in ("missed", "over", "good"))
        print(
            f"| {agent} | {level} | {len(rows)} | {row['score', 'real']:.3f} | {row['score', 'cloned']:.3f} "
            f"| {rows['difference'].mean():+.3f} ± {error:.3f} | {more} |"
        )
    both = table.groupby(["agent", "level", "kind"])["score"].mean().groupby(["agent", "kind"]).mean().unstack()
    parts = table.groupby(["agent", "level", "kind"])["score"].mean().unstack()
    for what, part in (("all agents", both), ("ten agents", both.loc[list(TEN)]), ("by level", parts)):
        order = float(part.rank().corr().iloc[0, 1])
        print(f"{what}: Pearson {part.corr().iloc[0, 1]:.4f}, Spearman {order:.3f}, {len(part)} means")


def gains(options: argparse.Namespace) -> dict[str, pd.DataFrame]:
    """The comparison of players in the same seats."""
    names, rows = agents(), []
    for number in range(options.worlds):
        spec, who, seed = drawn(options.seed, number, names)
        for level, side in enumerate(LEVELS):
            seat = level * spec.n_sellers
            for player in options.players:
                line_up = [*who[:seat], player, *who[seat + 1 :]]
                for kind in WORLDS:
                    world = new_world(kind, spec, line_up, seed)
                    world.run()
                    row = {"world": number, "level": side, "player": player, "kind": kind}
                    rows.append(row | {"score": float(world.scores[seat])})
    table: Any = pd.DataFrame(rows)
    first, *others = options.players
    print(f"| {first} less | level | real | cloned | ratio |\n| --- | --- | --- | --- | --- |")
    for other in others:
        for side in ("both", *LEVELS):
            part = table if side == "both" else table[table["level"] == side]
            wide = part.groupby(["world", "kind", "player"])["score"].mean().unstack(["kind", "player"])
            found = {kind: compare(wide[kind, first], wide[kind, other]) for kind in WORLDS}
            told = " | ".join(f"{f.difference:+.4f} ({f.low:+.4f}, {f.high:+.4f})" for f in found.values())
            ratio = found["cloned"].difference / found["real"].difference
            print(f"| {other} | {side} | {told} | {ratio:.2f} |")
    return {"gains": table}


def speed(options: argparse.Namespace) -> dict[str, pd.DataFrame]:
    """CPU seconds of the same worlds, real and cloned by turns, with the making of players and world."""
    names, rows = agents(), []
    for number in range(-1, options.worlds):  # the first one, which compiles and imports, is not counted
        spec, who, seed = drawn(options.seed, max(number, 0), names)
        for kind in WORLDS:
            gc.collect()  # what is left of the world before
            for time_played in range(REPEATS[kind]):
                begun = time.process_time()
                new_world(kind, spec, who, seed).run()
                row = {"world": number, "kind": kind, "played": time_played}
                rows.append(row | {"seconds": time.process_time() - begun})
    table: Any = pd.DataFrame(rows)
    table = table[table["world"] >= 0]
    seconds = table.groupby(["kind", "world"])["seconds"].mean().groupby("kind").mean()
    at_first = table[table["played"] == 0].groupby("kind")["seconds"].mean()
    real, cloned, cold = seconds["real"], seconds["cloned"], at_first["cloned"]
    print(
        f"real {real:.3f} s, cloned {1e3 * cloned:.2f} ms ({real / cloned:.0f} times); alone after a real world "
        f"{1e3 * cold:.2f} ms ({real / cold:.0f} times)"
    )
    return {"speed": table}


REPEATS = {"real": 1, "cloned": 20}
"""Nobody plays a single cloned world; the first one after a real world finds the processor's caches cold."""

COMMANDS: dict[str, Callable[[argparse.Namespace], dict[str, pd.DataFrame]]] = {
    "field": field,
    "gains": gains,
    "speed": speed,
}


def main() -> int:
    """Parse, play, print tables, and write the raw ones where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("players", nargs="*", help="for gains: the first one is compared with the others")
    parser.add_argument("--worlds", type=int, default=160)
    parser.add_argument("--seed", type=int, default=90210)
    parser.add_argument("--out", type=Path, help="folder for CSV files")
    options = parser.parse_args()
    for name, table in COMMANDS[options.command](options).items():
        if options.out is not None:
            options.out.mkdir(parents=True, exist_ok=True)
            text = table.to_csv(index=False, float_format="%.6g", lineterminator="\n")
            replace_file(options.out / f"{name}.csv", text)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
