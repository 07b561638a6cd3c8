"""Search the settings of a learner: ``scml-gym tune``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scml_gym.commands.options import AddressOption, EngineOption, at_once
from scml_gym.core.cli import command_typed
from scml_gym.core.config import known_configs
from scml_gym.core.engines import DEFAULT_ENGINE, find_engine

EPILOG = f"Searches: {', '.join(known_configs('tune'))}; needs the extra tune."
"""Of its help."""


def tune(
    experiment: Annotated[str, typer.Argument(help="YAML file, or a name in configs/experiment.")],
    trials: Annotated[int, typer.Option(help="Trainings, with those that the folder has.")] = 50,
    space: Annotated[str | None, typer.Option(help="YAML file of a search, or a name in configs/tune.")] = None,
    options: Annotated[
        list[str] | None, typer.Option("--set", metavar="A.B=C", help="Replace a value; tune.A=C: of the search.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Replace the experiment's seed.")] = None,
    workers: Annotated[int | None, typer.Option(help="Trainings at once; changes no result. [1; ray: cores]")] = None,
    engine: EngineOption = DEFAULT_ENGINE,
    address: AddressOption = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the search. [runs/tune-EXPERIMENT]")] = None,
) -> None:
    """Train an experiment with settings that Optuna chooses; the best ones become an experiment file, best.yaml."""
    from scml_gym.agents.tuning import study

    jobs = at_once(workers, engine)
    with study.by_engine(find_engine(engine, address), jobs) as execute:
        folder = study.tune(experiment, trials, execute, options or [], space, seed, out, command_typed())
    print(f"trials: {folder / study.TABLE}")
    print(f"best settings: {folder / study.BEST}")
