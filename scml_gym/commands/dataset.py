"""Record competitors in an environment for offline learning: ``scml-gym dataset``."""

from __future__ import annotations

from typing import Annotated

import typer

from scml_gym.commands.options import AddressOption, EngineOption, at_once
from scml_gym.core.engines import DEFAULT_ENGINE, find_engine

EPILOG = "Datasets are Minari's, in the folder MINARI_DATASETS_PATH [~/.minari/datasets]; needs the extra offline."
"""Of its help."""


def dataset(
    competitors: Annotated[
        list[str],
        typer.Argument(help="Run folders, zoo:NAME, strategies, module:Name, or uniform: valid actions at random."),
    ],
    env: Annotated[str, typer.Option(help="Id of an environment, a name in configs/env, or PettingZoo's name.")],
    episodes: Annotated[int, typer.Option(help="Of each competitor; of PettingZoo environments, worlds.")],
    options: Annotated[
        list[str] | None, typer.Option("--set", metavar="A=B", help="An argument of the environment.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the first world; the others follow it.")] = 0,
    workers: Annotated[
        int | None, typer.Option(help="Competitors at once; changes no episode. [1; ray: cores]")
    ] = None,
    copies: Annotated[
        int, typer.Option(help="Times that each competitor is among the opponents of its own dataset.")
    ] = 0,
    engine: EngineOption = DEFAULT_ENGINE,
    address: AddressOption = None,
    namespace: Annotated[str | None, typer.Option(help="Before the datasets' names. [scml_gym/ENVIRONMENT]")] = None,
) -> None:
    """Write Minari datasets of competitors in an environment, one for each; of PettingZoo's, for each kind of agent."""
    from scml_gym.offline.command import dataset_command

    jobs, machines = at_once(workers, engine), find_engine(engine, address)
    names = dataset_command(competitors, env, options or (), episodes, seed, namespace, jobs, machines, copies)
    print(*names, sep="\n")
