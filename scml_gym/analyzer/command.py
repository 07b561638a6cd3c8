"""What ``evaluate.py analyze`` does."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from scml_gym.analyzer.report import report
from scml_gym.analyzer.sources import open_readable
from scml_gym.analyzer.web.server import LOOPBACK, serve
from scml_gym.core.errors import InputError
from scml_gym.core.files import replace_file
from scml_gym.core.text import printable


def analyze_command(
    folders: Sequence[Path], report_file: Path | None = None, host: str | None = None, port: int = 0
) -> None:
    """Open recordings and serve pages about them until it is interrupted, or write a report.

    Args:
        folders: See `scml_gym.analyzer.open_recordings`; those that cannot be opened are told in a line each.
        report_file: Of the report, HTML; None for the pages.
        host: The name or address at which to listen; None for this machine alone.
        port: To listen at; 0 for one that is free.

    Raises:
        InputError: if no folder holds a recording, nobody can listen there, or the report cannot be written.
    """
    with open_readable(*folders) as recordings:
        for problem in recordings.problems:
            print(f"WARNING: {printable(problem)}", file=sys.stderr)
        if report_file is None:
            serve(recordings, host or LOOPBACK, port)
        else:
            text = report(recordings)
            try:
                replace_file(report_file, text)
            except (OSError, ValueError) as error:  # ValueError: it is no name of a file
                raise InputError(
                    f"--report {report_file}: {getattr(error, 'strerror', 'it is no name of a file')}"
                ) from error
            print(f"The report: {report_file}")
