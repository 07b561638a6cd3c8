"""Recordings that are open for questions: their files as tables of DuckDB, which reads what a question needs."""

from __future__ import annotations

import glob
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from scml_gym.analyzer.folders import Run, files_of, label_of, located, recorded
from scml_gym.analyzer.importing import import_tournament, is_tournament
from scml_gym.analyzer.views import VIEWS
from scml_gym.core.arguments import brief
from scml_gym.core.cli import how_to_call
from scml_gym.core.copying import Uncopied
from scml_gym.core.errors import InputError
from scml_gym.core.text import printable
from scml_gym.simulator.recording.folder import HEAD, WORLDS
from scml_gym.simulator.recording.schema import TABLES

if TYPE_CHECKING:
    import pandas as pd

TYPES = {"string": "VARCHAR", "bool": "BOOLEAN", "list<int32>": "INTEGER[]"}
TYPES |= {"int8": "TINYINT", "int16": "SMALLINT", "int32": "INTEGER", "int64": "BIGINT", "double": "DOUBLE"}

INTERRUPTED = "Query interrupted"
"""What DuckDB raises, as a ``RuntimeError``, where a Ctrl-C ends a question."""


class Recordings(Uncopied):
    """Recordings that are open for questions; a ``with`` block closes them.

    Each table of `scml_gym.simulator.recording.schema` is there under its name, with ``run`` as first column, and the
    views of `scml_gym.analyzer.views` beside them.

    Args:
        runs: What is open.
        memory: Of DuckDB, at most, as it takes it.
        imported: Folder of what was imported, removed when this is closed.
        notes: Of the import.

    Attributes:
        runs: As given.
        problems: A line for each file that is not whole, whose world is left out, and for what was not imported.
    """

    why_not = "other threads may be asking; open the folders once more"

    def __init__(
        self,
        runs: Sequence[Run],
        memory: str = "1GB",
        imported: TemporaryDirectory[str] | None = None,
        notes: Sequence[str] = (),
    ):
        duckdb = _duckdb()
        self._imported, self._notes = imported, tuple(notes)
        self._failure = duckdb.Error
        self._wrong = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)
        self._refreshing, self._state = threading.Lock(), threading.Condition()
        self._asking, self._closed = 0, False
        self.runs = tuple(runs)
        self.problems = list(self._notes)
        self._temporary = TemporaryDirectory(prefix="scml-gym-duckdb-", ignore_cleanup_errors=True)
        config = {"memory_limit": memory, "temp_directory": self._temporary.name}
        try:
            self._connection = duckdb.connect(":memory:", config=config)
        except duckdb.Error as error:
            self._temporary.cleanup()
            raise InputError(f"memory={brief(memory)}: {printable(error)}", "memory") from error
        for setting in ("autoinstall_known_extensions = false", "autoload_known_extensions = false"):
            self._connection.execute(f"SET {setting}")
        self.refresh()

    def refresh(self) -> None:
        """See the worlds that were recorded since, also where a tournament that ended has moved its recording.

        Raises:
            InputError: if a file cannot be opened, though what it says of itself can be read.
        """
        with self._refreshing:
            try:
                self._look()
            except self._failure:  # files of a tournament that is packed just now are gone
                try:
                    self._look()
                except self._failure as error:
                    raise InputError(f"a file of the recordings cannot be read: {printable(error)}") from error

    def _look(self) -> None:
        problems = list(self._notes)
        self.runs = tuple(located(run) for run in self.runs)
        self._open([files_of(run, problems) for run in self.runs])
        self.problems = problems

    def _open(self, files: Sequence[Mapping[str, Sequence[Path]]]) -> None:
        """Make the tables of the files of each run, and the views."""
        with self._cursor() as cursor:
            for table in TABLES:
                parts = [_part(run, table, found[table]) for run, found in zip(self.runs, files, strict=True)]
                cursor.execute(f"CREATE OR REPLACE VIEW {table} AS {' UNION ALL '.join(parts)}")
            for name, text in VIEWS.items():
                cursor.execute(f"CREATE OR REPLACE VIEW {name} AS {text}")

    def ask(self, question: str, **parameters: Any) -> pd.DataFrame:
        """The answer to a question in SQL.

        Args:
            question: A ``SELECT`` over the tables and views; ``$name`` stands for a parameter.
            parameters: Their values.

        Raises:
            InputError: if it is empty, or a file cannot be read, though it has its end; after `close`.
        """
        try:
            return self._answer(question, parameters)
        except self._wrong:
            raise
        except self._failure:
            self.refresh()  # the files of a tournament that ended meanwhile are elsewhere
        try:
            return self._answer(question, parameters)
        except self._failure as error:
            raise InputError(f"a file of the recordings cannot be read: {printable(error)}") from error

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        """A connection of its own for a question: many threads may ask at once.

        Raises:
            InputError: after `close`.
        """
        with self._state:
            if self._closed:
                raise InputError("these recordings are closed")
            cursor = self._connection.cursor()
            self._asking += 1
        try:
            with cursor:
                yield cursor
        finally:
            with self._state:
                self._asking -= 1
                self._state.notify_all()

    def _answer(self, question: str, parameters: Mapping[str, Any]) -> pd.DataFrame:
        with self._cursor() as cursor:
            try:
                answer = cursor.execute(question, parameters)
                if answer is None:
                    raise InputError("the question is empty; valid: a SELECT over the tables and views")
                return answer.df()
            except RuntimeError as error:
                if str(error) != INTERRUPTED:
                    raise
                raise KeyboardInterrupt from error

    def ended(self, run: int) -> dict[str, str]:
        """When the worlds of a run that are not packed were written, by name; dates and times in UTC, ISO 8601."""
        times = {}
        for path in (self.runs[run].folder / WORLDS).glob("*"):
            with suppress(OSError):  # it may be packed just now
                at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                times[path.name] = at.isoformat(" ", "seconds").removesuffix("+00:00")
        return times

    def close(self) -> None:
        """Close the files when the questions of other threads are answered, and remove what was imported."""
        with self._state:
            self._closed = True
            self._state.wait_for(lambda: not self._asking)
            self._connection.close()
        self._temporary.cleanup()
        if self._imported is not None:
            self._imported.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_recordings(*folders: str | os.PathLike[str], memory: str = "1GB") -> Recordings:
    """Open recordings for questions.

    Args:
        folders: Recordings, results folders of ``evaluate.py --record``, also of tournaments that are still played or
            were killed, by the names of the folders that they would have had; and folders of scml's own tournaments or
            worlds, which are imported into a temporary folder.
        memory: Of DuckDB, at most.

    Raises:
        InputError: if DuckDB is not installed, a folder holds no recording or one of another schema, or the memory is
            no size that DuckDB knows.
    """
    imported, notes = TemporaryDirectory(prefix="scml-gym-import-"), []
    runs = [_run(i, Path(folder), Path(imported.name) / str(i), notes) for i, folder in enumerate(_some(folders))]
    return Recordings(runs, memory, imported, notes)


def open_readable(*folders: str | os.PathLike[str], memory: str = "1GB") -> Recordings:
    """Open those of some recordings that can be opened; the others are told in ``problems``.

    Args:
        folders: See `open_recordings`.
        memory: Of DuckDB, at most.

    Raises:
        InputError: if DuckDB is not installed, or nothing can be opened; of one folder, saying why.
    """
    imported, notes, runs = TemporaryDirectory(prefix="scml-gym-import-"), [], []
    for folder in _some(folders):
        try:
            runs.append(_run(len(runs), Path(folder), Path(imported.name) / str(len(runs)), notes))
        except InputError as error:
            notes.append(str(error))
    if not runs:
        raise InputError("; ".join(notes))
    return Recordings(runs, memory, imported, notes)


def _some(folders: Sequence[str | os.PathLike[str]]) -> Sequence[str | os.PathLike[str]]:
    if not folders:
        raise InputError("name at least one folder with a recording")
    return folders


def _run(number: int, named: Path, imported: Path, notes: list[str]) -> Run:
    """The recording that a folder stands for; what scml left is imported to another folder.

    Raises:
        InputError: if there is none.
    """
    try:
        if (run := recorded(number, named)) is not None:
            return run
        tournament = is_tournament(named)
    except OSError as error:
        raise InputError(f"{named}: {error.strerror or error}") from error
    if tournament:
        label = label_of(named)
        notes += [f"{label}: {note}" for note in import_tournament(named, imported)]
        return Run(number, label, imported, None, named)
    what = "does not exist" if not named.exists() else f"holds no recording (no {HEAD} in it)"
    raise InputError(f"{named} {what}; a recording is made by {how_to_call('evaluate')} --record")


def _part(run: Run, table: str, files: Sequence[Path]) -> str:
    """The rows of one run, in SQL; offers, and what was told of decisions, are numbered in the order in which they were
    made. Columns that its version of the schema does not have are null."""
    version = run.version if files else 0
    columns = [
        name if column.since <= version else f"CAST(NULL AS {TYPES[column.type]}) AS {name}"
        for name, column in TABLES[table].items()
    ]
    number = table in ("offers", "decisions")
    if not files:
        columns += ["CAST(NULL AS BIGINT) AS number"] if number else []
        return f"SELECT {run.run} AS run, {', '.join(columns)} WHERE false"
    columns += ["file_row_number AS number"] if number else []
    paths = ", ".join(_quoted(glob.escape(str(path))) for path in files)
    options = ", hive_partitioning = false"  # a folder named seed=3 is no column
    options += ", file_row_number = true" if number else ""
    return f"SELECT {run.run} AS run, {', '.join(columns)} FROM read_parquet([{paths}]{options})"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _duckdb() -> Any:
    try:
        import duckdb
    except ImportError as error:
        raise InputError("the analyzer needs DuckDB: pip install 'scml-gym[analyzer]'") from error
    return duckdb


def rows(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The rows of an answer, by column."""
    return (dict(zip(table.columns, row, strict=True)) for row in table.itertuples(index=False))
