"""What several commands have in common: options, and how many jobs are computed at once."""

from pathlib import Path
from typing import Annotated

import typer

from scml_gym.core.arguments import whole
from scml_gym.core.engines import DEFAULT_ENGINE

EngineOption = Annotated[str, typer.Option(help="Where jobs are computed: local or ray; changes no result.")]
AddressOption = Annotated[
    str | None, typer.Option(metavar="HOST:PORT", help="Of the Ray cluster's head. [a cluster of this machine alone]")
]
SetOption = Annotated[list[str] | None, typer.Option("--set", metavar="A.B=C", help="Replace a value.")]
Trust = Annotated[
    list[Path] | None, typer.Option(metavar="FOLDER", help="Whose modules and pickles may run; see SECURITY.md.")
]
"""The option ``--trust``."""


def at_once(workers: int | None, engine: str) -> int | None:
    """Jobs that are computed at once where one is the default here, and as many as there are cores elsewhere (None).

    Raises:
        InputError: if ``--workers`` is below 1.
    """
    if workers is None:
        return 1 if engine == DEFAULT_ENGINE else None
    return whole("--workers", workers)
