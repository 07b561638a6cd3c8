"""Command lines: bad input ends in one line on stderr and exit code 2, never in a traceback; an interrupt in 130."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from scml_gym.core.errors import RENAMED, InputError
from scml_gym.core.interrupts import interrupt_on_sigterm
from scml_gym.core.text import printable

if TYPE_CHECKING:
    import typer
    from pydantic import ValidationError


PROGRAM = "scml-gym"
SCRIPTS = {"train.py": "train", "evaluate.py": "evaluate"}
"""Of the repository: the command that each is."""

INTERRUPTED = 130
"""Exit code where the user interrupted, by Ctrl-C or SIGTERM."""

PIPE_BROKEN = 141
"""Exit code where nobody reads any more what is printed."""


def command_app(**arguments: Any) -> typer.Typer:
    """A typer application whose help texts are shown as they are written, brackets included.

    Args:
        arguments: Further ones of ``typer.Typer``.
    """
    import typer

    return typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None, **arguments)


def command_typed() -> str:
    """The command line of this process, as it can be typed again."""
    script = Path(sys.argv[0]).name in SCRIPTS
    return shlex.join(["python", *sys.argv] if script else [PROGRAM, *sys.argv[1:]])


def how_to_call(command: str) -> str:
    """How a command is called here: ``scml-gym train``, or ``python train.py`` where that script is running.

    Args:
        command: ``train``, or another one of ``scml-gym``.
    """
    script = Path(sys.argv[0]).name
    if script not in SCRIPTS:
        return f"{PROGRAM} {command}"
    return f"python {script}" if SCRIPTS[script] == command else f"python evaluate.py {command}"


def run_cli(app: typer.Typer) -> NoReturn:
    """Run a typer application and exit; see `run_main`."""
    from typer.main import get_command

    def main() -> object:
        # not through the command's own `main`, which keeps what an interrupt says to itself
        command = get_command(app)
        with command.make_context(Path(sys.argv[0]).name, sys.argv[1:]) as context:
            return command.invoke(context)

    run_main(main)


def run_main(main: Callable[[], object]) -> NoReturn:
    """Run the main function of a script and exit.

    Exit codes: 0, or what the command returns or exits with; 2 for bad input (an `InputError`, a pydantic
    ``ValidationError``, a misspelt or missing option) and for whatever the system refuses, such as writing to a disk
    that is full, told in one line that names the file;
    ``INTERRUPTED`` where the user interrupted, by Ctrl-C or SIGTERM, with a line that says how to go on.
    """
    from pydantic import ValidationError

    interrupt_on_sigterm()
    sys.path.append(os.getcwd())  # where a user's own modules are
    try:
        code = main()
    except InputError as error:
        _refuse(str(error))
    except ValidationError as error:
        _refuse(validation_line(error))
    except BrokenPipeError:  # whoever read what is printed has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(PIPE_BROKEN)
    except OSError as error:
        if error.errno is None:
            raise
        _refuse(f"{error.filename or 'writing'}: {os.strerror(error.errno)}")
    except MemoryError:
        _refuse("out of memory")
    except KeyboardInterrupt as error:
        print(printable(error) or "interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except Exception as error:
        # typer's own usage errors and exits: it has them from click or from a copy of click of its own, by version
        describe = getattr(error, "format_message", None)
        if describe is not None:
            _refuse(_renamed(error) or describe())
        if type(error).__name__ == "Exit":
            sys.exit(getattr(error, "exit_code", 0))
        raise
    sys.exit(code if isinstance(code, int) else 0)


def validation_line(error: ValidationError) -> str:
    """The first complaint of a pydantic ``ValidationError`` in one line: where, what and the value."""
    details = error.errors()
    first = details[0]
    where = ".".join(str(part) for part in first["loc"])
    message = str(first["msg"]).removeprefix("Value error, ")
    line = f"{where}: {message}" if where else message
    if first["type"] not in ("missing", "value_error", "extra_forbidden"):
        line += f" (not {first['input']!r})"
    return line + (f" (and {len(details) - 1} more)" if len(details) > 1 else "")


def _renamed(error: Any) -> str | None:
    """What to say where an option is unknown because it has another name now; None where that is not so."""
    option = str(getattr(error, "option_name", ""))
    now = "--" + RENAMED.get(option.removeprefix("--"), "")
    if now == "--" or not any(now in known.opts for known in error.ctx.command.params):
        return None
    return f"No such option: {option}; did you mean {now}?"


def _refuse(message: str) -> NoReturn:
    print("error: " + printable(message), file=sys.stderr)
    sys.exit(2)
