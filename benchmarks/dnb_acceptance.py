"""How good D-NB's acceptance models are on answers of scml agents in real worlds, none of which they were fitted to.

Plays worlds of the real simulation with the agents named, logs them, makes a dataset of the logs, and judges the models
of run folders by it, as a training's own report does: with and without Beta-BOU, beside the base rate of the training.

    python benchmarks/dnb_acceptance.py runs/dnb-logistic runs/dnb-transformer --worlds 20 --out real

An --out with a dataset in it is judged again without playing. The agents of the league need the package scml-agents.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from scml_gym.agents.dnb.dataset import read_dataset
from scml_gym.agents.dnb.dataset_config import DatasetConfig
from scml_gym.agents.dnb.generation import generate_dataset
from scml_gym.agents.dnb.learner import load_dnb
from scml_gym.agents.dnb.report import make_report
from scml_gym.agents.dnb.scores import Estimates
from scml_gym.core.cli import run_main
from scml_gym.core.config import validate
from scml_gym.core.errors import InputError
from scml_gym.core.files import replace_file
from scml_gym.core.reporting import progress_bar
from scml_gym.experiments.run_folder import Run

AGENTS = (
    "scml:GreedyOneShotAgent",
    "scml:GreedySyncAgent",
    "scml:SyncRandomOneShotAgent",
    "scml:EqualDistOneShotAgent",
    "scml:SingleAgreementAspirationAgent",
    "scml-agents:2024/CautiousOneShotAgent",
    "scml-agents:2025/CostAverseAgent",
)


def main() -> None:
    """Play, judge, write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path, help="run folders of D-NB, of different models")
    parser.add_argument("--agents", nargs="+", default=AGENTS, help="players of the worlds")
    parser.add_argument("--worlds", type=int, default=20)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True, help="folder of the dataset and the report")
    options = parser.parse_args()
    models = {model.name: model for model in (load_dnb(run).playable() for run in options.runs)}
    if len(models) < len(options.runs):
        raise InputError(f"{len(options.runs)} runs of {len(models)} models ({', '.join(models)}); valid: one of each")
    base = float(Run.open(options.runs[0]).curve()[-1]["accepted"])
    config = validate(
        DatasetConfig,
        {
            "source": "real",
            "worlds": options.worlds,
            "days": options.days,
            "factories_per_level": (4, 6),
            "opponents": dict.fromkeys(options.agents, 1.0),
            "held_out": (),
            "test_worlds": 0.0,
            "share": 1.0,
            "worlds_per_shard": 1,
            "logs": (),
        },
    )
    with progress_bar(options.worlds, "worlds") as bar:
        generate_dataset(config, options.seed, options.out / "dataset", options.workers, bar.update)
    dataset = read_dataset(options.out / "dataset")
    about = [
        f"{len(dataset):,} offers with an explicit answer, of {options.worlds} real worlds of {options.days} days, "
        f"seed {options.seed}",
        f"players: {', '.join(f'`{name}`' for name in options.agents)}",
        *(f"strength of `{name}`: {model.strength:g}" for name, model in models.items()),
    ]
    for name, content in make_report([Estimates.of("families", dataset, base, models)], about).items():
        replace_file(options.out / name, content)
    print((options.out / "report.md").read_text())


if __name__ == "__main__":
    run_main(main)
