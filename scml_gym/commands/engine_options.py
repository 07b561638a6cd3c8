"""The options of all commands whose jobs several machines can compute."""

from typing import Annotated

import typer

EngineOption = Annotated[str, typer.Option(help="Where jobs are computed: local or ray; changes no result.")]
AddressOption = Annotated[
    str | None, typer.Option(metavar="HOST:PORT", help="Of the Ray cluster's head. [a cluster of this machine alone]")
]
