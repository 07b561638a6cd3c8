"""``scml-gym``: every command under one name; and ``evaluate.py``, which has all but ``train``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from typer.core import TyperCommand, TyperGroup

from scml_gym.commands import dataset, evaluate, train, tune
from scml_gym.core.cli import command_app, run_cli
from scml_gym.core.process import collect_rarely, fix_hash_seed

if TYPE_CHECKING:
    import typer


class Command(NamedTuple):
    """A function of typed arguments, and the last lines of its help."""

    function: Callable[..., object]
    epilog: str | None = None


COMMANDS = {
    "train": Command(train.train, train.EPILOG),
    "evaluate": Command(evaluate.evaluate),
    "study": Command(evaluate.study),
    "analyze": Command(
        evaluate.analyze, "Worlds are recorded by --record. What one can ask of them: docs/analyzer.md."
    ),
    "plot": Command(evaluate.plot),
    "export": Command(evaluate.export),
    "tune": Command(tune.tune, tune.EPILOG),
    "dataset": Command(dataset.dataset, dataset.EPILOG),
    "doctor": Command(evaluate.doctor),
}
"""By name."""

BESIDE = [name for name in COMMANDS if name not in ("train", "evaluate")]
"""Those that ``evaluate.py`` has by name."""

SEEDED = ("train", "study", "tune", "dataset")
"""Those that play or train in their own process, or in workers that have its hash seed."""


class Judging(TyperGroup):
    """What does not begin with the name of a command is judged: ``evaluate.py NAME...``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """See `TyperGroup`."""
        return super().parse_args(ctx, args if args and args[0] in self.commands else ["judge", *args])


class Unnamed(TyperCommand):
    """The command that is called without its name."""

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        """See `TyperCommand`."""
        formatter.write_usage(ctx.parent.command_path, " ".join(self.collect_usage_pieces(ctx)))


def evaluate_app() -> typer.Typer:
    """The commands of ``evaluate.py``."""
    app = command_app(cls=Judging)
    further = f"Further commands: {', '.join(BESIDE[:-1])} and {BESIDE[-1]}; each has a --help."
    app.command("judge", cls=Unnamed, epilog=further)(evaluate.evaluate)
    for name in BESIDE:
        app.command(name, epilog=COMMANDS[name].epilog)(COMMANDS[name].function)
    return app


def program_app() -> typer.Typer:
    """The commands of ``scml-gym``."""
    app = command_app(help="Train learners of SCML negotiations, judge them, and look into what they did.")
    for name, command in COMMANDS.items():
        app.command(name, epilog=command.epilog)(command.function)
    return app


def begin_process() -> None:
    """Settle what is of the whole process; to be called before anything else, as the program may start again."""
    if sys.argv[1:2] and sys.argv[1] in SEEDED:
        fix_hash_seed()
        collect_rarely()


def main() -> None:
    """What the installed command does."""
    begin_process()
    run_cli(program_app())
