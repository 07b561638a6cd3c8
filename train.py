"""Train a learner as an experiment file says, into a run folder: see ``python train.py --help``."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from scml_gym.core.cli import command_app, run_cli
from scml_gym.core.errors import InputError
from scml_gym.core.process import fix_hash_seed

app = command_app()


@app.command()
def train(
    experiment: Annotated[str | None, typer.Argument(help="YAML file, or a name in configs/experiment.")] = None,
    options: Annotated[list[str] | None, typer.Option("--set", metavar="A.B=C", help="Replace a value.")] = None,
    seed: Annotated[int | None, typer.Option(help="Replace the experiment's seed.")] = None,
    out: Annotated[Path | None, typer.Option(help="Run folder; by default a new one in runs/.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Continue this run folder from its last checkpoint.")] = None,
) -> None:
    """Train a learner; the run folder holds its configuration, checkpoints, learning curve and TensorBoard logs."""
    from agents import training

    command = shlex.join(["python", *sys.argv])
    if resume is not None:
        if experiment or options or seed is not None or out:
            raise InputError("--resume continues a run as it was configured: give nothing else with it")
        run = training.resume(resume, command)
    elif experiment is not None:
        run = training.start(experiment, options or (), seed, out, command)
    else:
        raise InputError("give an EXPERIMENT to train, or --resume RUN")
    print(f"trained {run.step} steps: {run.path}")


if __name__ == "__main__":
    fix_hash_seed()
    run_cli(app)
