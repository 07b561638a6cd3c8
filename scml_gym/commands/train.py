"""Train a learner as an experiment file says, into a run folder: ``scml-gym train``, or ``train.py``."""

from pathlib import Path
from typing import Annotated

import typer

from scml_gym.commands.options import AddressOption, EngineOption, SetOption, Trust, at_once
from scml_gym.core.cli import command_typed
from scml_gym.core.config import known_configs
from scml_gym.core.engines import DEFAULT_ENGINE, find_engine
from scml_gym.core.errors import InputError
from scml_gym.core.trust import trust as trust_folders

EPILOG = f"Experiments: {', '.join(known_configs('experiment'))}."
"""Of its help."""


def train(
    experiment: Annotated[str | None, typer.Argument(help="YAML file, or a name in configs/experiment.")] = None,
    options: SetOption = None,
    seed: Annotated[int | None, typer.Option(help="Replace the experiment's seed.")] = None,
    seeds: Annotated[str | None, typer.Option(help="Several seeds, such as 0-4 or 0,3,7: a run folder each.")] = None,
    workers: Annotated[int | None, typer.Option(help="Of several seeds, how many are trained at once. [1]")] = None,
    engine: EngineOption = DEFAULT_ENGINE,
    address: AddressOption = None,
    begin_from: Annotated[
        Path | None,
        typer.Option("--from", metavar="RUN", help="Begin with what RUN learnt; without EXPERIMENT, as it was set."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Run folder; by default a new one in runs/.")] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Continue this run folder from its last checkpoint; it is trusted.")
    ] = None,
    trust: Trust = None,
) -> None:
    """Train a learner; the run folder holds its configuration, checkpoints, learning curve and TensorBoard logs."""
    from scml_gym.agents import seeds as several
    from scml_gym.agents import training

    command = command_typed()
    trust_folders(*trust or ())
    machines = find_engine(engine, address)
    jobs = at_once(workers, engine)
    if resume is not None:
        if experiment or options or seed is not None or seeds or begin_from or out:
            raise InputError("--resume continues a run as it was configured: give nothing else with it")
        if several.is_seeds_folder(resume):
            print(f"trained: {several.resume_seeds(resume, jobs, command, machines)}")
            return
    if seeds is None and (workers is not None or engine != DEFAULT_ENGINE):
        given = "--workers" if workers is not None else f"--engine {engine}"
        raise InputError(f"{given} is for several trainings at once: give --seeds, or --resume a folder of seeds")
    if seed is not None and seeds is not None:
        raise InputError("give --seed or --seeds, not both")
    if experiment is None and begin_from is not None:
        experiment = str(training.experiment_of(begin_from))
    if resume is not None:
        run = training.resume(resume, command)
    elif experiment is None:
        raise InputError("give an EXPERIMENT to train, --resume RUN, or --from RUN")
    elif seeds is not None:
        chosen = several.parse_seeds(seeds)
        options = options or []
        made = several.start_seeds(experiment, options, chosen, jobs, out, command, begin_from, machines)
        print(f"trained: {made}")
        return
    else:
        run = training.start(experiment, options or (), seed, out, command, begin_from)
    print(f"trained {run.step} steps: {run.path}")
