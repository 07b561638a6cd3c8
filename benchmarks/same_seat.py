"""Players compared in the real simulation, each alone in the same positions of the same worlds with the same others.

`evaluate.py` puts all its competitors into one world, or, with ``--same-seat``, lets them take turns in the same seats.
Here each one has a run of its own, with the same seed, days,
factories and background opponents, so that a configuration differs in nothing but who takes the competitor's positions:

    python evaluate.py runs/planner-0 --worlds 160 --seed 3000 --out final/planner-0
    python evaluate.py scml:SyncRandomOneShotAgent --worlds 160 --seed 3000 --out final/SyncRandom
    python benchmarks/same_seat.py final/planner-0 --against final/SyncRandom --out final

The difference to each baseline is paired by configuration (its plays on all levels, and copies of one player, are one
observation). With
``--out`` the competitors' rows of all runs go into ``scores.csv`` and the comparisons into ``paired.csv``. Runs in such
a table of an earlier comparison are baselines too, where the same worlds were played:

    python benchmarks/same_seat.py final/fast-planner-0 --earlier docs/results/learners/scores.csv --names planner-0
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pandas as pd

from scml_gym.core.errors import InputError
from scml_gym.evaluation.config import saved_config
from scml_gym.evaluation.statistics import compare, levels_of
from scml_gym.evaluation.table import read_scores

SAME = ("game", "background", "days", "seed", "factories", "levels", "stock")
"""What the runs must have in common; one of fewer configurations played the first ones of the others."""


def competitor_rows(folder: Path) -> Any:
    """A table of the rows of a run's only competitor, or of its copies; the column ``run`` names the folder.

    Raises:
        InputError: if it has none, or more than one.
    """
    table: Any = read_scores(folder / "scores.csv", saved_config(folder).game)
    rows = table[table["role"] == "competitor"]
    different = rows["competitor"].str.replace(r"#\d+$", "", regex=True).nunique()
    if different != 1:
        raise InputError(f"{folder} has {different} competitors; valid: 1, and copies of it")
    return rows.assign(run=folder.name)


def check_same(folders: list[Path]) -> None:
    """Refuse runs that were not played in the same worlds.

    Raises:
        InputError: naming the first run that differs from the first, and in what.
    """
    configs = [saved_config(folder).model_dump(mode="json") for folder in folders]
    for folder, config in zip(folders, configs, strict=True):
        for name in SAME:
            if config[name] != configs[0][name]:
                raise InputError(f"{folder}: {name} is {config[name]}, that of {folders[0]} is {configs[0][name]}")


def earlier_rows(path: Path, names: list[str], runs: dict[str, Any]) -> dict[str, Any]:
    """The rows of some runs of an earlier comparison, by name.

    Raises:
        InputError: if it has no such run, or a play of a configuration had another seed there than in a run.
    """
    table: Any = pd.read_csv(path)
    for name in names:
        if name not in set(table["run"]):
            raise InputError(f"{path}: no run {name}; valid: {', '.join(sorted(set(table['run'])))}")
    for name, rows in runs.items():
        both = rows.merge(table, on=["configuration", "play"], suffixes=("", "_then"))
        if both.empty or (both["seed"] != both["seed_then"]).any():
            raise InputError(f"{name} played other worlds than {path}")
    return {name: table[table["run"] == name] for name in names}


def paired(runs: dict[str, Any], baselines: dict[str, Any]) -> pd.DataFrame:
    """Each run minus each baseline, on the configurations that both played; by level too (``level``: all, or one)."""
    lines = []
    for name, rows in runs.items():
        for other, base in baselines.items():
            for level in ("all", *levels_of(rows)):
                scores = [t if level == "all" else t[t["level"] == level] for t in (rows, base)]
                first, second = (t.groupby("configuration")["score"].mean() for t in scores)
                common = first.index.intersection(second.index)
                a, b = first[common].to_numpy(), second[common].to_numpy()
                means = {"score": a.mean(), "other_score": b.mean()}
                facts = {"player": name, "other": other, "level": level, "configurations": len(common)}
                lines.append(facts | means | compare(a, b)._asdict())
    return pd.DataFrame(lines)


def main() -> None:
    """Parse, compare, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path, help="folders of evaluate.py, one competitor each")
    parser.add_argument("--against", nargs="+", type=Path, default=[], help="folders of the baselines")
    parser.add_argument("--earlier", type=Path, help="scores.csv of an earlier comparison")
    parser.add_argument("--names", nargs="+", default=[], help="its runs that are baselines")
    parser.add_argument("--out", type=Path, help="where scores.csv and paired.csv go")
    options = parser.parse_args()
    check_same([*options.runs, *options.against])
    runs, baselines = ({f.name: competitor_rows(f) for f in fs} for fs in (options.runs, options.against))
    if options.earlier:
        baselines |= earlier_rows(options.earlier, options.names, runs)
    table = paired(runs, baselines)
    print(table.drop(columns=["p_t", "p_wilcoxon"]).round(4).to_string(index=False))
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        pd.concat([*runs.values(), *baselines.values()]).to_csv(options.out / "scores.csv", index=False)
        table.to_csv(options.out / "paired.csv", index=False)


if __name__ == "__main__":
    main()
