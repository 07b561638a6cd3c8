"""The results folder of a study: config, finished runs, tables and report, none of them ever half-written.

``study.yaml`` holds the config, ``starts.json`` the command and versions of each start that computed something,
``runs/<run>.json`` the rows of each finished run; the tables (CSV) and the report are made from the runs.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import yaml

from scml_gym.core.arguments import brief
from scml_gym.core.data_files import DAMAGE, parse_json, read_json, read_text, read_yaml
from scml_gym.core.errors import InputError
from scml_gym.core.files import folder_lock, replace_file
from scml_gym.core.leftovers import remove_leftovers, remove_leftovers_of
from scml_gym.core.provenance import versions
from scml_gym.evaluation.studies.files import FILES, named

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = "scml-gym-study-1"

_NAME = re.compile(r"[\w-][\w.-]*")
"""Of a run or a table: it names a file."""


class StudyFolder:
    """One results folder; use it inside ``with StudyFolder(path).opened(config) as results``."""

    def __init__(self, path: Path):
        self.path = Path(path)
        self._runs = self.path / "runs"

    @contextmanager
    def opened(self, config: Mapping[str, Any]) -> Iterator[Self]:
        """Make the folder, or continue it, alone.

        Raises:
            InputError: if it holds anything but a study of the same config, cannot be made, or is in use.
        """
        target = self.path / "study.yaml"
        try:
            if not target.exists():
                remove_leftovers_of(target)
                if self.path.exists() and not self._just_made():
                    raise InputError(f"{self.path} exists and is no results folder of a study; nothing is overwritten")
                self._runs.mkdir(parents=True, exist_ok=True)
            with folder_lock(self.path, "another process is working in"):
                if not target.exists():
                    replace_file(target, yaml.safe_dump(dict(config), sort_keys=False))
                self._check(target, config)
                for folder in (self._runs, self.path):  # of a kill while writing
                    remove_leftovers(folder)
                yield self
        except OSError as error:
            raise InputError(f"{self.path}: {error.strerror or error}") from error

    def _just_made(self) -> bool:
        """Whether it holds nothing, or what a start makes before it writes the config."""
        if not self.path.is_dir():
            return False
        held = {path.name for path in self.path.iterdir()} - {".lock"}
        return not held or (held == {"runs"} and self._runs.is_dir() and not any(self._runs.iterdir()))

    def _check(self, target: Path, config: Mapping[str, Any]) -> None:
        kept = read_yaml(target)
        digests = kept.get(FILES, {})
        if not isinstance(digests, dict):
            raise InputError(f"{target} is not readable: {FILES} is {brief(digests)}")
        for key, now in config.get(FILES, {}).items():
            if key in digests and digests[key] != now:
                path = named(config, key)
                raise InputError(
                    f"{path} ({key}) is not what it was for the results in {self.path}; give another --out"
                )
        old, new = _flat(kept), _flat(yaml.safe_load(yaml.safe_dump(dict(config))))
        for key in [*old, *new]:
            if old.get(key) != new.get(key):
                raise InputError(
                    f"{self.path} holds the results of another config ({key} is {old.get(key)!r} there, "
                    f"{new.get(key)!r} here); give another --out"
                )

    def has(self, run: str) -> bool:
        """Whether a run is finished."""
        return self._file(run).exists()

    def save(self, run: str, tables: Mapping[str, Sequence[Mapping[str, Any]]], seconds: float) -> None:
        """Keep the rows of a finished run and the CPU seconds that it took."""
        content = {
            "schema": SCHEMA,
            "cpu_seconds": round(seconds, 2),
            "tables": {k: list(v) for k, v in tables.items()},
        }
        replace_file(self._file(run), json.dumps(content, allow_nan=False) + "\n")

    def note_start(self, command: str, missing: int) -> None:
        """Add a start to the record."""
        start = {"command": command, "missing_runs": missing, "versions": versions()}
        replace_file(self.path / "starts.json", json.dumps([*self._starts(), start], indent=1) + "\n")

    def _starts(self) -> list[dict[str, Any]]:
        file = self.path / "starts.json"
        if not file.exists():
            return []
        try:
            starts = parse_json(read_text(file), str(file))
            if all(isinstance(s["command"], str) and _are_versions(s["versions"]) for s in starts):
                return list(starts)
            problem: object = "not a list of starts"
        except DAMAGE as error:
            problem = error
        raise InputError(f"{file} is not readable ({problem}); remove it to go on without the record of earlier starts")

    def merge(self, runs: Sequence[str]) -> dict[str, pd.DataFrame]:
        """Write each table of all runs as ``<table>.csv``, and return them; ``run`` is the first column.

        Raises:
            InputError: if a run is missing or not readable.
        """
        import pandas as pd

        rows: dict[str, list[dict[str, Any]]] = {}
        seconds = 0.0
        for run in runs:
            content = self._read(run)
            seconds += content["cpu_seconds"]
            for table, part in content["tables"].items():
                rows.setdefault(table, []).extend({"run": run} | row for row in part)
        replace_file(self.path / "cost.json", json.dumps({"runs": len(runs), "cpu_seconds": round(seconds, 1)}) + "\n")
        tables = {}
        for table, part in rows.items():
            text = io.StringIO()
            columns = list(part[0]) if part else ["run"]  # no run has a row of it
            writer = csv.DictWriter(text, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(part)
            replace_file(self.path / f"{table}.csv", text.getvalue())
            tables[table] = pd.DataFrame(part, columns=columns)
        return tables

    def origin(self) -> str:
        """Markdown: commands, versions and cost of what is in the folder."""
        starts = self._starts()
        cost = read_json(self.path / "cost.json")
        lines = [f"{cost['runs']} runs, {cost['cpu_seconds'] / 60:.1f} CPU minutes.", ""]
        if not starts:
            return lines[0] + " Commands and versions are not known: starts.json was removed."
        known = {name: version for name, version in starts[-1]["versions"].items() if version is not None}
        commits = dict.fromkeys(start["versions"].get("commit") or "unknown" for start in starts)
        known["commit"] = " and ".join(commits)
        lines += [f"    {command}" for command in dict.fromkeys(start["command"] for start in starts)]
        lines += ["", ", ".join(f"{name} {version}" for name, version in known.items()) + "."]
        return "\n".join(lines)

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Write the report."""
        for name, content in files.items():
            replace_file(self.path / name, content)

    def _file(self, run: str) -> Path:
        if not _NAME.fullmatch(run):
            raise InputError(f"{run!r} is no name of a run: letters, digits, '.', '_' and '-' are valid")
        return self._runs / f"{run}.json"

    def _read(self, run: str) -> dict[str, Any]:
        file = self._file(run)
        try:
            content = read_json(file)
        except InputError as error:
            raise InputError(f"{error}; remove it to have the run computed again") from error
        tables: Any = content.get("tables")
        whole = isinstance(tables, dict) and type(content.get("cpu_seconds")) in (int, float)
        whole = whole and all(map(_NAME.fullmatch, tables))  # files are named by them
        whole = whole and all(isinstance(t, list) and all(isinstance(row, dict) for row in t) for t in tables.values())
        if not whole or content.get("schema") != SCHEMA:
            raise InputError(f"{file} is not of the schema {SCHEMA!r}; remove it to have the run computed again")
        return content


def _are_versions(given: Any) -> bool:
    return isinstance(given, dict) and all(value is None or isinstance(value, str) for value in given.values())


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    """Nested mappings as key path -> value."""
    if not isinstance(value, dict) or not value:
        return {path: value}
    flat: dict[str, Any] = {}
    for key, inner in value.items():
        flat |= _flat(inner, f"{path}.{key}" if path else str(key))
    return flat
