"""Train a learner as an experiment file says, into a run folder: see ``python train.py --help``."""

import shlex
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from scml_gym.cli import run_cli
from scml_gym.errors import InputError

app = typer.Typer(add_completion=False)


@app.command()
def train(
    experiment: Annotated[str | None, typer.Argument(help="YAML file, or a name in configs/experiment.")] = None,
    options: Annotated[list[str], typer.Option("--set", metavar="A.B=C", help="Replace one value; repeatable.")] = [],  # noqa: B006
    seed: Annotated[int | None, typer.Option(min=0, help="Replace the experiment's seed.")] = None,
    out: Annotated[Path | None, typer.Option(help="Run folder; by default a new one in runs/.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Continue this run folder from its last checkpoint.")] = None,
) -> None:
    """Train a learner; the run folder holds its configuration, checkpoints, learning curve and TensorBoard logs."""
    from scml_gym.config import Loaded, load_experiment
    from scml_gym.runs import Run
    from scml_gym.runtime import limit_threads

    if resume is not None and (experiment or options or seed is not None or out):
        raise InputError("--resume continues a run as it was configured: give nothing else with it")
    if experiment is None and resume is None:
        raise InputError("give an EXPERIMENT to train, or --resume RUN")
    run = Run.open(resume) if resume else None
    loaded = Loaded(run.config, {"": f"{resume}/config.yaml"}) if run else load_experiment(experiment, options, seed)
    config, command = loaded.config, shlex.join(["python", *sys.argv])
    limit_threads(config["threads"])  # before torch is imported
    from agents import AGENTS

    with loaded.naming_sources():
        agent = AGENTS.get(config["agent"]["name"]).build(config["agent"], config["env"])
    if run is None:
        folder = out or Path("runs") / f"{Path(experiment).stem}-seed{config['seed']}-{time.strftime('%Y%m%d-%H%M%S')}"
        run = Run.create(folder, config, command, agent=f"{type(agent).__module__}:{type(agent).__qualname__}")
    else:
        run.resumed(command)
    agent.train(run)
    print(f"trained {run.step} steps: {run.path}")


if __name__ == "__main__":
    run_cli(app)
