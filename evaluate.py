"""Judge competitors in the real league simulation: ``python evaluate.py --help``."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from scml_gym.cli import run_cli

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def evaluate(
    competitors: Annotated[
        list[str] | None,
        typer.Argument(help="Run folders, registered names, scml:Name, scml-agents:YEAR/Name or module:Class."),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="YAML with these options as fields.")] = None,
    field: Annotated[list[str] | None, typer.Option(help="Who fills the empty places; repeat, or use commas.")] = None,
    worlds: Annotated[int | None, typer.Option(help="Configurations, each played with both seatings. [20]")] = None,
    days: Annotated[int | None, typer.Option(help="Simulated days of a world. [30]")] = None,
    seed: Annotated[int | None, typer.Option(help="Of everything that is drawn. [0]")] = None,
    factories: Annotated[int | None, typer.Option(help="On each level, 1 to 8. [5; one on one 6]")] = None,
    one_on_one: Annotated[bool | None, typer.Option("--one-on-one", help="Two alone, half of each level each.")] = None,
    time_limit: Annotated[float | None, typer.Option(help="Seconds before a world counts as hanging. [300]")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes; changes no result. [one a core]")] = None,
    out: Annotated[Path | None, typer.Option(help="New folder for the results. [runs/evaluate-TIME]")] = None,
) -> int:
    """Judge competitors in the real league simulation and write tables, ranking and plots."""
    from scml_gym.evaluation import evaluate_command

    options = {k: v for k, v in locals().items() if k not in ("config", "evaluate_command")}
    return evaluate_command(config, options, shlex.join(sys.argv))


if __name__ == "__main__":
    run_cli(app)
