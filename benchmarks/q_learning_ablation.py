"""What each part of tabular Q-learning is worth: trainings without one part each, ranked in the real league simulation.

    python benchmarks/q_learning_ablation.py --out runs/ablation --worlds 60

Every variant is the experiment ``configs/experiment/q_learning.yaml`` with some hyperparameters replaced, trained from
the same seed. A variant that first replaces a ``play.*`` differs only in what is played after training, so it takes the
tables of ``full`` instead of training again. Trainings that are complete are kept, cut ones resumed. The variants then
meet in worlds of 5 factories a level, in groups that all hold ``full``, so that differences to it are paired;
``results-<group>`` in ``--out`` has the table of scores. Sections in the comments are those of "Q-learning for SCML
OneShot, 2021".
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from scml_gym.agents import training
from scml_gym.agents.q_learning import QLearning
from scml_gym.agents.q_learning.hyperparameters import QLearningHyperparameters
from scml_gym.core.config import load_experiment, validate
from scml_gym.evaluation import evaluate_command
from scml_gym.experiments.run_folder import Run
from scml_gym.policies.run_folders import load_agent

VARIANTS: dict[str, list[str]] = {
    "full": [],
    "no-initialisation": ["initialisation.preference=0.0"],  # 2.2.a
    "no-pretraining": ["play.pretrained=false"],  # 2.2.b; the same heuristics, and it learns on in play
    "no-heuristics": ["heuristics.margin=null", "heuristics.reserve=null", "heuristics.greedy_first=0.0"],  # 2.2.d
    "no-learning-in-play": ["play.learn=false"],  # 2.1.1, item 4
    "no-learning-at-all": ["play.pretrained=false", "play.learn=false"],  # the initial table and the heuristics alone
    "no-knowledge": ["play.pretrained=false", "initialisation.preference=0.0"],  # learns in play from zeros
    "greedy-first-price": ["play.pretrained=true", "heuristics.greedy_first=0.1"],  # 2.2.d, off in full
    "one-table": ["play.per_opponent=false"],  # 2.1.1, item 2
    "short-training": ["training.worlds=160"],
    "more-self-play": ["training.self_play=2.0"],
    "end-reward": ["reward.end_needs=0.3", "reward.end_gap=0.1"],  # 2.1.4, item 2; off in full
    "settled-at-once": ["reward.settle=negotiation", "reward.end_needs=0.3", "reward.end_gap=0.1"],  # as the paper
    "deviation-by-won": ["reward.scaling=won"],  # 2.1.4, item 1, as the paper may be read
    "my-offer-in-state": ["states.kind=full"],  # 2.1.2
    "no-time-in-state": ["states.time_bins=1"],  # as the paper
}
GROUPS = {
    "ablation": ["full", "no-initialisation", "no-pretraining", "no-heuristics", "settled-at-once"],
    "design": ["full", "end-reward", "deviation-by-won", "my-offer-in-state", "no-time-in-state"],
    "training": ["full", "short-training", "more-self-play"],
    "price": ["full", "greedy-first-price"],
    "play": ["full", "no-pretraining", "no-learning-at-all", "no-knowledge", "no-learning-in-play", "one-table"],
}


def train(name: str, out: Path, options: list[str], seed: int) -> Path:
    """The run folder of a variant, trained as far as it is not."""
    folder = out / name
    changes = [f"agent.{change}" for change in VARIANTS[name]]
    if (folder / "run.json").exists():
        agent = load_agent(folder) if Run.open(folder).latest_checkpoint() else None
        if agent is None or agent.worlds_played < agent.hyperparameters.training.worlds:
            training.resume(folder)
    elif changes and changes[0].startswith("agent.play."):
        derive(folder, load_agent(out / "full"), [*options, *changes], seed)
    else:
        training.start("q_learning", [*options, *changes], seed, folder, " ".join(sys.argv))
    return folder


def derive(folder: Path, full: QLearning, options: list[str], seed: int) -> None:
    """A run folder with the tables of ``full`` and other hyperparameters of play."""
    config = load_experiment("q_learning", options, seed).config
    hyperparameters = validate(QLearningHyperparameters, config["agent"], "agent")
    agent = QLearning(hyperparameters, full.env, full.tables, full.worlds_played, full.negotiations)
    run = Run.create(folder, config, " ".join(sys.argv))
    run.checkpoint(agent.negotiations, agent.save)


def main() -> int:
    """Train the groups' variants and let them meet."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("runs/ablation"), help="folder of the runs and results")
    parser.add_argument("--worlds", type=int, default=60, help="configurations of a group, each played twice")
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0, help="of the trainings")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--groups", nargs="+", choices=sorted(GROUPS), default=list(GROUPS))
    parser.add_argument("--train", nargs="+", choices=sorted(VARIANTS), help="only train these, in this order")
    parser.add_argument("--set", action="append", default=[], dest="options", help="for all trainings, as train.py")
    arguments = parser.parse_args()
    names = arguments.train or dict.fromkeys(name for group in arguments.groups for name in GROUPS[group])
    for name in names:
        print(f"training {name}", flush=True)
        train(name, arguments.out, arguments.options, arguments.seed)
    for group in [] if arguments.train else arguments.groups:
        options = {
            "competitors": [str(arguments.out / name) for name in GROUPS[group]],
            "worlds": arguments.worlds,
            "days": arguments.days,
            "factories": 5,
            "seed": 1_000_000,
            "workers": arguments.workers,
            "out": arguments.out / f"results-{group}",
        }
        evaluate_command(None, options, " ".join(sys.argv))
    return 0


if __name__ == "__main__":
    sys.exit(main())
