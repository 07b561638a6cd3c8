"""What ``evaluate.py analyze`` does."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from scml_gym.analyzer.detectors import DETECTORS, findings
from scml_gym.analyzer.queries import competitors, negotiations, worlds
from scml_gym.analyzer.report import report
from scml_gym.analyzer.sources import Recordings, open_recordings
from scml_gym.core.files import replace_file
from scml_gym.core.text import printable


def analyze_command(folders: Sequence[Path], report_file: Path | None) -> None:
    """Open recordings and print what is in them, or write a report.

    Args:
        folders: See `scml_gym.analyzer.open_recordings`.
        report_file: Of the report, HTML; None to print an overview.

    Raises:
        InputError: if a folder holds no recording.
    """
    with open_recordings(*folders) as recordings:
        for problem in recordings.problems:
            print(f"WARNING: {printable(problem)}", file=sys.stderr)
        if report_file is None:
            print("\n\n".join(_overview(recordings)))
        else:
            replace_file(report_file, report(recordings))
            print(f"The report: {report_file}")


def _overview(recordings: Recordings) -> Sequence[str]:
    """Tables for a terminal: what is open, what was lost, what was found."""
    seen = worlds.runs(recordings)
    seen["label"] = seen["label"].map(printable)
    parts = ["Recordings\n" + seen.to_string(index=False)]
    lost = competitors.losses(recordings, by=["run", "competitor", "place"])
    if len(lost):
        lost["competitor"] = lost["competitor"].map(printable)
        told = "Lost against the hindsight optimum, money a factory and day, by cause"
        parts.append(f"{told}\n{lost.round(2).to_string(index=False)}")
    gained = negotiations.utilities(recordings)
    if len(gained):
        for column in ("competitor", "other", "scenario", "profile"):
            gained[column] = gained[column].map(printable)
        told = "Gained in bilateral negotiations, mean utility"
        parts.append(f"{told}\n{gained.round(3).to_string(index=False)}")
    counts = {name: len(found) for name, found in findings(recordings).items()}
    lines = [f"{counts[name]:>9}  {detector.title}: {detector.help}" for name, detector in DETECTORS.items()]
    return [*parts, "Findings\n" + "\n".join(lines)]
