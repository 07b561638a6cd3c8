"""Studies: many independent computations, their runs, and what is made of all of them.

A study file (configs/study/) names a study and sets it up; ``python evaluate.py study FILE`` computes the runs that
are missing in the results folder, each saved as a whole when it is done, and then makes tables, figures and a page of
them. So a killed study goes on where it was, and what was computed is never overwritten.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, runtime_checkable

from scml_gym.core.arguments import whole
from scml_gym.core.config import ConfigError, Loaded, find_config, override, read_yaml, set_options
from scml_gym.core.engines.base import Engine
from scml_gym.core.engines.local import Local
from scml_gym.core.errors import InputError
from scml_gym.core.interrupts import Interrupted
from scml_gym.core.process import limit_threads
from scml_gym.core.registry import Registry
from scml_gym.core.reporting import progress_bar
from scml_gym.evaluation.studies.files import FILES, changed_file, own_config, with_digests
from scml_gym.evaluation.studies.folder import StudyFolder
from scml_gym.evaluation.studies.workers import Computed, compute

if TYPE_CHECKING:
    import pandas as pd

Tables = Mapping[str, Sequence[Mapping[str, Any]]]
"""Name of a table -> its rows; a row maps columns to texts, whole numbers, floats, booleans or None."""


class Study(Protocol):
    """A study, made of its config and nothing else: the same config gives the same tables in every process."""

    @classmethod
    def build(cls, config: Mapping[str, Any]) -> Self:
        """A study of the config in its file (all but ``name`` and ``base``).

        Raises:
            InputError: if a key is unknown or a value is not valid.
        """
        ...

    def runs(self) -> Mapping[str, int]:
        """Names of the runs (letters, digits, ``.``, ``_``, ``-``), in the order of their rows in the tables, and how
        much work each is, in any unit."""
        ...

    def compute(self, run: str, advance: Callable[[int], None]) -> Tables:
        """Compute one run; all rows of a table have the same columns.

        Args:
            run: Its name.
            advance: To be called with the work done since the last call, for the progress bar.
        """
        ...

    def report(self, tables: Mapping[str, pd.DataFrame], origin: str) -> Mapping[str, str | bytes]:
        """What is made of the tables of all runs: file name -> content. One of them is ``study.md``, the page.

        Args:
            tables: As in the CSV files of the results folder: the rows of all runs, with ``run`` as first column.
            origin: Markdown with command, versions and time, to be part of the page.
        """
        ...


@runtime_checkable
class NamesFiles(Protocol):
    """A study some of whose values name files: what is in them belongs to its config."""

    def files(self) -> Mapping[str, Path]:
        """Key path of a value -> the file or folder that it names."""
        ...


@runtime_checkable
class RecordsWorlds(Protocol):
    """A study that can record worlds in which its learners are judged, as `scml_gym.analyzer` takes them."""

    def recorded(self, folder: Path, every: int) -> Self:
        """The same study, with the same tables, that also makes recordings.

        Args:
            folder: Receives a recording for each run that is computed, by its name; one that is there is replaced.
            every: Of so many worlds one is recorded, beginning with the first.
        """
        ...


RECORDINGS = "recordings"
"""Of a study, in its results folder."""


def recorded(every: int, folder: Path, study: Any) -> Any:
    """A study that records worlds, see `RecordsWorlds.recorded`.

    Raises:
        InputError: if it does not.
    """
    if not isinstance(study, RecordsWorlds):
        raise InputError(f"record: {type(study).__name__} plays no worlds that can be recorded", "record")
    return study.recorded(folder, whole("record", every))


def load_study(registry: Registry, file: str | Path, options: Sequence[str] = ()) -> tuple[Study, dict[str, Any]]:
    """The study that a file stands for, and its complete config: paths (`NamesFiles`) are absolute in them, and
    ``files_sha256`` holds digests of what is there.

    Args:
        registry: Of studies.
        file: A YAML file, or a name in configs/study. ``name`` is the study's; ``base`` names another such file, whose
            config this one replaces in part.
        options: ``key.path=value`` each, over both.

    A file over its base and an option over both replace alike: mappings key by key, all else (an empty mapping
    too) as a whole; null removes a key.

    Raises:
        InputError: if a file is missing or wrong, and where the wrong value was set.
    """
    path = find_config("study", file)
    data, sources = read_yaml(path), {"": str(path)}
    seen = [path]
    while "base" in data:
        base = find_config("study", str(data.pop("base")))
        if base in seen:
            raise InputError(f"{path}: base: {base} is based on itself")
        seen.append(base)
        data = override(read_yaml(base), data)
    set_options(data, options, {})  # refuses what is no option
    for option in options:
        data = override(data, set_options({}, [option], sources))
    with Loaded(data, sources).naming_sources():
        if "name" not in data:
            raise ConfigError(("name",), "missing; it is the name of a registered study, or module:Class")
        try:
            study_class = registry.get(str(data["name"]))
        except InputError as error:
            raise ConfigError(("name",), str(error)) from None
        data.pop(FILES, None)  # of a results folder's study.yaml; they are made anew
        study = study_class.build(own_config(data))
        return study, with_digests(data, study.files()) if isinstance(study, NamesFiles) else data


def run_study(
    study: Study,
    config: Mapping[str, Any],
    folder: Path,
    workers: int | None = 1,
    command: str = "",
    record: int | None = None,
    engine: Engine | None = None,
) -> Sequence[str]:
    """Compute the missing runs of a study, and make its tables and report.

    Args:
        study: Built from ``config``.
        config: Complete, with the study's ``name``; kept in the folder.
        folder: New or empty, or the results folder of the same config, which is completed.
        workers: Processes; 1 for this one, None for as many as the engine has cores. It changes no result.
        command: For the record.
        record: Of so many worlds in which its learners are judged, one is recorded, in the folder's ``recordings``;
            None for no recording.
        engine: Where runs are computed; None for processes of this machine. It changes no result.

    Returns:
        The names of the files that the report made.

    Raises:
        InputError: if the folder holds anything else, or is in use; if a worker process was killed; if the study cannot
            record worlds.
        Interrupted: if the user stopped it, by Ctrl-C or SIGTERM; the message says how to go on.
    """
    limit_threads(1)
    if workers is not None and workers < 1:
        raise InputError(f"workers: {workers} is not valid; valid: 1 or more")
    recordings = folder.resolve() / RECORDINGS
    prepare = None if record is None else partial(recorded, record)
    study = study if prepare is None else prepare(recordings, study)
    runs = study.runs()
    with StudyFolder(folder).opened(config) as results:
        missing = [run for run in runs if not results.has(run)]
        if missing:
            results.note_start(command, len(missing))
            try:
                with Local() if engine is None else engine as where:
                    computing = partial(
                        compute, engine=where, prepare=prepare, recordings=recordings if prepare else None
                    )
                    _compute_missing(study, config, results, missing, workers or where.cores(), computing)
            except KeyboardInterrupt as stop:
                kept = f"{sum(map(results.has, runs))} of {len(runs)} runs are kept"
                how = f"go on with: {command}" if command else "the same study goes on in the same folder"
                raise Interrupted(f"interrupted; {kept}, {how}") from stop
        tables = results.merge(list(runs))
        made = study.report(tables, results.origin())
        results.write(made)
    return list(made)


def _compute_missing(
    study: Study,
    config: Mapping[str, Any],
    results: StudyFolder,
    missing: list[str],
    workers: int,
    computing: Callable[..., Generator[Computed]],
) -> None:
    """Compute runs and keep each, which leaves the list when it is kept."""
    runs = study.runs()
    done = sum(runs[run] for run in runs if run not in missing)
    total = sum(runs.values())
    with progress_bar(total, "study") as bar:

        def show(work: int) -> None:
            nonlocal done
            done = min(done + work, total)  # work is told again where it was lost with a machine
            bar.update(done, f"{len(runs) - len(missing)} of {len(runs)} runs")

        show(0)
        computed = computing(study, config, list(missing), min(workers, len(missing)), show)
        with closing(computed):  # ends the workers where this loop ends early
            for run, tables, seconds in computed:
                if changed := changed_file(config):
                    raise InputError(f"{changed} was changed while the study ran; {run} is not kept")
                results.save(run, tables, seconds)
                missing.remove(run)
                show(0)


def study_command(
    registry: Registry,
    file: str,
    options: Sequence[str],
    out: Path | None,
    workers: int | None,
    command: str,
    record: int | None = None,
    engine: Engine | None = None,
) -> None:
    """What ``evaluate.py study`` does.

    Args:
        registry: Of studies.
        file: See `load_study`.
        options: See `load_study`.
        out: The results folder; None for ``runs/study-<name of the file>``, so that the same command resumes.
        workers: Processes; None for one a core.
        command: The command line, for the record.
        record: See `run_study`.
        engine: See `run_study`.

    Raises:
        InputError: see `load_study` and `run_study`.
    """
    study, config = load_study(registry, file, options)
    folder = out or Path("runs") / f"study-{Path(file).stem}"
    run_study(study, config, folder, workers, command, record, engine)
    print(f"Tables, figures and page: {folder}/study.md")
