"""Judge competitors in the real league simulation, look into recorded worlds, run a study, or compare trainings.

See ``scml-gym evaluate --help``, and ``scml-gym analyze --help``, likewise of study, plot, export and doctor.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scml_gym.commands.options import AddressOption, EngineOption, SetOption, Trust
from scml_gym.core.cli import command_typed
from scml_gym.core.engines import DEFAULT_ENGINE, find_engine
from scml_gym.core.trust import trust as trust_folders


def evaluate(
    competitors: Annotated[
        list[str] | None,
        typer.Argument(
            help="Run folders, zoo:NAME, registered names, scml:Name, scml-agents:YEAR/Name or module:Class."
        ),
    ] = None,
    game: Annotated[str | None, typer.Option(help="Which game is played. [oneshot]")] = None,
    config: Annotated[Path | None, typer.Option(help="YAML with these options as keys.")] = None,
    background: Annotated[
        list[str] | None, typer.Option(help="Who fills the positions left; repeat, or use commas.")
    ] = None,
    worlds: Annotated[int | None, typer.Option(help="Configurations, each played on all levels in turn. [20]")] = None,
    days: Annotated[
        str | None, typer.Option(help="Simulated days of a world, or a range such as 50-200. [30; standard 50]")
    ] = None,
    levels: Annotated[str | None, typer.Option(help="Levels of worlds, in turn. [2; standard 2,3]")] = None,
    stock: Annotated[str | None, typer.Option(help="Stock rule of standard: league or physical. [league]")] = None,
    seed: Annotated[int | None, typer.Option(help="Of everything that is drawn. [0]")] = None,
    factories: Annotated[
        str | None, typer.Option(help="On each of two levels, 1 to 8, or a range such as 4-8. [5 or 6]")
    ] = None,
    one_on_one: Annotated[bool | None, typer.Option("--one-on-one", help="Two alone, half of each level each.")] = None,
    same_seat: Annotated[bool | None, typer.Option("--same-seat", help="Each alone, in the same positions.")] = None,
    record: Annotated[bool | None, typer.Option("--record", help="Record all worlds, see docs/analyzer.md.")] = None,
    record_every: Annotated[int | None, typer.Option(metavar="K", help="Record every K-th configuration.")] = None,
    time_limit: Annotated[float | None, typer.Option(help="Seconds before a world counts as hanging. [300]")] = None,
    errors: Annotated[
        str | None, typer.Option(help="What an exception costs: strict (the score), league (the negotiation). [strict]")
    ] = None,
    isolate: Annotated[
        str | None, typer.Option(help="none, or agents: each player in a process of its own, slower. [none]")
    ] = None,
    format: Annotated[str | None, typer.Option(help="Of the plots: png, svg or pdf. [png]")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes; changes no result. [one a core]")] = None,
    engine: EngineOption = DEFAULT_ENGINE,
    address: AddressOption = None,
    out: Annotated[Path | None, typer.Option(help="New folder for the results. [runs/evaluate-TIME]")] = None,
    trust: Trust = None,
) -> int:
    """Judge competitors in the real league simulation and write tables, ranking and plots."""
    from scml_gym.evaluation import evaluate_command

    trust_folders(*trust or ())
    others = ("config", "record_every", "evaluate_command", "engine", "address", "trust")
    options = {k: v for k, v in locals().items() if k not in (*others, "others")}
    options |= {name: int(text) for name in ("days", "factories") if (text := options[name] or "").isdecimal()}
    options["record"] = record_every if record_every is not None or not record else 1
    return evaluate_command(config, options, command_typed(), find_engine(engine, address))


def study(
    file: Annotated[str, typer.Argument(help="YAML file, or a name in configs/study.")],
    options: SetOption = None,
    workers: Annotated[int | None, typer.Option(help="Processes; changes no result. [one a core]")] = None,
    engine: EngineOption = DEFAULT_ENGINE,
    address: AddressOption = None,
    out: Annotated[Path | None, typer.Option(help="Results folder. [runs/study-FILE]")] = None,
    record_every: Annotated[
        int | None, typer.Option(metavar="K", help="Record every K-th world in which a learner is judged.")
    ] = None,
    trust: Trust = None,
) -> None:
    """Compute the runs of a study that its results folder does not have yet; make its tables, figures and page."""
    from scml_gym.agents import STUDIES
    from scml_gym.evaluation.studies.study import study_command

    trust_folders(*trust or ())
    where = find_engine(engine, address)
    study_command(STUDIES, file, options or (), out, workers, command_typed(), record_every, where)


def analyze(
    folders: Annotated[
        list[Path], typer.Argument(help="Recordings, results folders, or folders of scml's tournaments.")
    ],
    port: Annotated[int, typer.Option(help="To listen at; 0 for one that is free.")] = 0,
    host: Annotated[
        str | None,
        typer.Option(help="Name or address to listen at, others than this machine's need a token. [127.0.0.1]"),
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write a report to this HTML file, and open nothing.")] = None,
) -> None:
    """Look into recorded worlds in a browser: what was lost and why, what was said, and what went wrong."""
    from scml_gym.analyzer.command import analyze_command

    analyze_command(folders, report, host, port)


def plot(
    runs: Annotated[list[Path], typer.Argument(help="Run folders, or folders of several seeds.")],
    by: Annotated[str, typer.Option(help="What makes a group: a key such as env.level, or run.")] = "agent",
    column: Annotated[str | None, typer.Option(help="Of the curve: what is compared. [score, or return]")] = None,
    form: Annotated[str, typer.Option("--format", help="Of the figures: png, svg or pdf.")] = "png",
    out: Annotated[Path | None, typer.Option(help="New folder for the results. [runs/plot-TIME]")] = None,
) -> None:
    """Compare trainings: learning curves, means, probabilities of improvement and performance profiles by group."""
    from scml_gym.agents.seeds import runs_in
    from scml_gym.evaluation.plot_command import plot_command

    folders = [run for path in runs for run in runs_in(path)]
    plot_command(folders, by, column, form, out, command_typed())


def export(
    player: Annotated[str, typer.Argument(help="Run folder, zoo:NAME, strategy, policy file (.npz) or module:Name.")],
    out: Annotated[Path, typer.Option(help="New folder, a Python package such as my_agent.")],
    name: Annotated[str, typer.Option(help="Of the agent's class. [made of the folder's name]")] = "",
    game: Annotated[str, typer.Option(help="That a strategy plays: oneshot or standard. [oneshot]")] = "",
    trust: Trust = None,
) -> None:
    """Write a player as a submission for scml's league: a folder that needs scml and NumPy alone."""
    from scml_gym.export.command import export_command

    trust_folders(*trust or ())
    export_command(player, out, name, game)


def doctor() -> int:
    """Say what is installed, what is missing for what, and where compiled code is kept."""
    from scml_gym.core.doctor import doctor as examine
    from scml_gym.jit.cache import MOST_BYTES, code_folder

    return examine(code_folder(), MOST_BYTES)
