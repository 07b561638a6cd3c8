"""Judging players in the real league simulation: tournaments, one tidy table, statistics, plots and reports."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scml_gym.core.engines.base import Engine
    from scml_gym.evaluation.config import TournamentConfig

FREE = {"workers", "out", "time_limit", "format"}
"""What of a tournament changes no result."""

ALL_FAILED = 3
"""Exit code where no competitor finished a world."""


def evaluate_command(
    config_file: Path | None, options: Mapping[str, Any], command: str, engine: Engine | None = None
) -> int:
    """What `evaluate.py` does: play a tournament, print its ranking, write its folder.

    Args:
        config_file: YAML with keys of `TournamentConfig`, or None.
        options: What is given on the command line, None for what is not; ``background`` may hold comma-separated names.
        command: The command line, for the record.
        engine: Where worlds are played; None for processes of this machine. It changes no result.

    Returns:
        The exit code: 0, or ``ALL_FAILED``.

    Raises:
        InputError: if a competitor does not exist, the configuration is not valid or the folder not empty; nothing is
            written then.
        Interrupted: if the user stopped it, by Ctrl-C or SIGTERM; the message says how to go on.
    """
    from scml_gym.core.interrupts import Interrupted
    from scml_gym.evaluation.config import load_config
    from scml_gym.evaluation.journal import Journal
    from scml_gym.evaluation.recording import Recorder
    from scml_gym.evaluation.report import headline, output_folder, write_results
    from scml_gym.evaluation.tournament import run_tournament

    options = dict(options)
    if options.get("background"):
        options["background"] = [name for text in options["background"] for name in text.split(",")]
    config = load_config(config_file, options)
    if config.out is not None and _tidied_up(config.out.absolute(), config):
        print(f"all worlds are played already: {config.out}")
        return _show(config.out.absolute(), config.game)
    folder = output_folder(config)
    with Journal(folder, config) as journal:
        if len(journal):
            print(f"{len(journal)} worlds are played already: {journal.path}")
        recorder = Recorder.of_results(folder, config.record) if config.record else None
        try:
            outcome = run_tournament(config, lambda: print(headline(config)), journal, recorder, engine)
            missing = recorder.pack(outcome.rows) if recorder is not None else 0
            write_results(folder, config, outcome, command)
            if recorder is not None:
                recorder.move(folder)
            if missing:
                print(f"WARNING: the recordings of {missing} worlds are gone", file=sys.stderr)
        except KeyboardInterrupt as stop:
            if not len(journal):
                raise
            out = "" if config.out else f" --out {shlex.quote(os.path.relpath(folder))}"
            raise Interrupted(f"interrupted; {len(journal)} worlds are kept, go on with: {command}{out}") from stop
        journal.remove()
    return _show(folder, config.game)


def _tidied_up(folder: Path, config: TournamentConfig) -> bool:
    """Whether the results of this tournament stand in a folder, and it was killed before it had removed what stands
    beside them. That is done now, whatever tournament it was."""
    from scml_gym.evaluation.journal import remove_journal
    from scml_gym.evaluation.recording import RECORDING, Recorder
    from scml_gym.evaluation.report import remove_unfinished

    def tidy_up(played: TournamentConfig) -> None:
        remove_unfinished(folder)
        recorder = Recorder.of_results(folder, played.record) if played.record else None
        if recorder is not None and recorder.folder.is_dir() and not (folder / RECORDING).exists():
            recorder.move(folder)

    played = remove_journal(folder, tidy_up) if (folder / "scores.csv").is_file() else None
    return played is not None and played.model_dump(exclude=FREE) == config.model_dump(exclude=FREE)


def _show(folder: Path, game: str) -> int:
    """Print what a results folder says; the exit code."""
    from scml_gym.evaluation.console import show
    from scml_gym.evaluation.table import read_failures, read_scores

    show(folder)
    print(f"All columns, tables and plots: {folder}/ranking.md")
    if failures := read_failures(folder / "failures.csv"):
        print(f"WARNING: {len(failures)} failures, see the table of failures above", file=sys.stderr)
    if "competitor" not in set(read_scores(folder / "scores.csv", game)["role"]):
        print("error: no competitor finished a world", file=sys.stderr)
        return ALL_FAILED
    return 0
