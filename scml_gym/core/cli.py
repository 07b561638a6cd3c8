"""Command lines: bad input ends in one line on stderr and exit code 2, never in a traceback."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from scml_gym.core.errors import InputError

if TYPE_CHECKING:
    import typer
    from pydantic import ValidationError


REFUSED_BY_DISK = {
    errno.EACCES,
    errno.EROFS,
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EEXIST,
    errno.EISDIR,
    errno.ENOTDIR,
}
"""Errors of the system that are told in one line: no permission, no room, a file in the place of a folder."""


def run_cli(app: typer.Typer) -> NoReturn:
    """Run a typer application and exit; see `run_main`."""
    run_main(lambda: app(standalone_mode=False))


def run_main(main: Callable[[], object]) -> NoReturn:
    """Run the main function of a script and exit.

    Exit codes: 0, or what the command returns or exits with; 2 for bad input (an `InputError`, a pydantic
    ``ValidationError``, a misspelt or missing option) and for a folder that cannot be written to, told in one line; 130
    where the user interrupted.
    """
    from pydantic import ValidationError

    sys.path.append(os.getcwd())  # where a user's own modules are
    try:
        code = main()
    except InputError as error:
        _refuse(str(error))
    except ValidationError as error:
        _refuse(validation_line(error))
    except OSError as error:
        if error.errno not in REFUSED_BY_DISK:
            raise
        _refuse(f"{error.filename or 'writing'}: {error.strerror}")
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        # typer's own usage errors: it has them from click or from a copy of click of its own, by version
        describe = getattr(error, "format_message", None)
        if describe is not None:
            _refuse(describe())
        if type(error).__name__ == "Abort":
            print("interrupted", file=sys.stderr)
            sys.exit(130)
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


def _refuse(message: str) -> NoReturn:
    print("error: " + " ".join(message.split()), file=sys.stderr)
    sys.exit(2)
