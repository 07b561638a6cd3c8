"""Damaged files: whatever reads files of others gives a result or one line, in 5 s and 1 GB; and none is forgotten."""

import ast
import json
import sys

import numpy as np
import pytest

from scml_gym.core import data_files
from scml_gym.core.errors import InputError
from scml_gym.core.files import read_arrays, write_arrays
from tests.helpers.modules import MODULES, ROOT
from tests.helpers.readers import READERS
from tests.helpers.scripts import in_forked_process

READING = {"read_arrays", "read_json", "read_yaml", "read_xml", "read_text", "parse_json", "parse_yaml", "ParquetFile"}
READING |= {"read_table", "read_schema", "read_metadata", "read_parquet", "read_csv", "DictReader", "safe_load"}
READING |= {"np.load", "json.load", "json.loads", "pickle.load", "pickle.loads", "ElementTree.parse", "yaml.load"}
"""Functions that read a file's content, or what a text from one says."""

OTHERWISE = {
    "scml_gym.core.files": "read_arrays itself, which each reader of npz calls",
    "scml_gym.core.mlflow_logger": "the id of a run in a folder that is trusted, as it is trained further",
    "scml_gym.core.wandb_logger": "likewise",
    "scml_gym.experiments.run_folder": "command.txt of a folder that is trained further",
    "scml_gym.evaluation.console": "what this process has just written",
    "scml_gym.evaluation.journal": "kills are attacked by benchmarks/attacks/kills.py",
    "scml_gym.evaluation.pool": "answers of workers, attacked by benchmarks/attacks/competitors.py",
    "scml_gym.evaluation.worker": "tasks of the leader, and answers of its children, likewise",
    "scml_gym.evaluation.recording": "the recording of this tournament",
    "scml_gym.evaluation.studies.study": "files in configs/study, or that the user names",
    "scml_gym.export.folder": "what its trial says",
    "scml_gym.export.parsing": "sources of this package",
    "scml_gym.jit.cache": "kept code is read where nobody else can have written it, see tests/jit/test_cache.py",
    "scml_gym.jit.imports": "likewise, see tests/jit/test_imports.py",
    "scml_gym.simulator.recording.packing": "worlds of a recording that is written to",
    "scml_gym.vector.seeds": "states of generators, of an environment of the same process or a training",
    "scml_gym.analyzer.scml_world": "through scml_gym.analyzer.importing",
    "scml_gym.agents.fast_ppo.algorithm": "a training that goes on, in a folder that is trusted",
    "scml_gym.agents.fast_ppo.learner": "likewise",
    "scml_gym.agents.mappo.state": "likewise",
    "scml_gym.agents.sb3.replay": "likewise",
    "scml_gym.agents.behaviour_cloning.learner": "likewise",
    "scml_gym.agents.hrl_xf.stages": "command.txt of the training's own folder",
    "scml_gym.agents.tuning.config": "choices as a study of this search keeps them",
    "scml_gym.agents.tuning.study": "the folder of a search that goes on",
    "scml_gym.core.engines.ray_host": "jobs of the leading process, in a cluster of the user's own",
    "scml_gym.evaluation.isolation.answers": "calls from the leading process, in the process of a player",
    "scml_gym.evaluation.isolation.descendants": "the system's list of processes",
    "scml_gym.evaluation.isolation.exchange": "answers of players, attacked by benchmarks/attacks/competitors.py",
    "scml_gym.evaluation.isolation.fork_server": "tasks of its worker",
    "scml_gym.offline.datasets": "which datasets a process that was killed had written",
    "scml_gym.offline.command": "a configuration that the user names",
    "scml_gym.agents.dnb.learner": "through scml_gym.agents.dnb.models",
    "scml_gym.agents.studies.commitment.study": "files in configs/agent",
}
"""Modules that read files and have no reader of their own in the registry, and why."""


def readers():
    """The modules that call a function that reads files, and one that they call."""
    found = {}
    for name, path in MODULES.items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                if called in READING or called.rpartition(".")[2] in READING:
                    found.setdefault(name, called)
    return found


def test_everything_that_reads_files_is_in_the_registry():
    known = {module for reader in READERS.values() for module in reader.modules} | set(OTHERWISE)
    missing = {name: called for name, called in readers().items() if name not in known}
    assert not missing


@pytest.mark.slow
def test_damaged_files_are_told_in_one_line():
    """Some of each kind; `benchmarks/attack.py` gives each reader 300, in a process of its own."""
    command = [sys.executable, "-m", "tests.helpers.readers", "5", "7", *READERS]
    done = in_forked_process(ROOT, command)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert lines and lines[-1] == {"tried": 5 * len(READERS)}, done.stderr[-2000:]
    assert not lines[:-1], "\n".join(f"{line['what']}: {line['message']}" for line in lines[:-1])


def refused(call, *arguments):
    with pytest.raises(InputError) as error:
        call(*arguments)
    assert "\n" not in str(error.value) and len(str(error.value)) < 2_000
    return str(error.value)


LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: !!int x", "a value cannot be read"),
        ("a: !!float x", "a value cannot be read"),
        ("a: !!bool x", "a value cannot be read"),
        ("a: !!timestamp x", "a value cannot be read"),
        ("a: !!python/object/apply:os.system [ls]", "could not determine a constructor"),
        ("a: " + "[" * 5_000 + "]" * 5_000, "nested deeper than 100"),
        ("a: &a [*a]", "stands within what it names"),
        (LAUGHS, "more than 2000000 values"),
        ("a: " + "9" * 5_000, "a value cannot be read"),
        ("? [a]\n: 1", "not valid YAML"),
        ("a: 1\na: 2", "given twice"),
        ("a: \x00", "not valid YAML"),
        ("3", "not a mapping"),
    ],
)
def test_yaml_that_is_none_or_too_much_of_it(text, said, tmp_path):
    (tmp_path / "x.yaml").write_text(text)
    assert said in refused(data_files.read_yaml, tmp_path / "x.yaml")


def test_a_million_items_are_read_in_linear_time(tmp_path):
    (tmp_path / "x.yaml").write_text("".join(f"key{i}: {i}\n" for i in range(30_000)))
    assert len(data_files.read_yaml(tmp_path / "x.yaml")) == 30_000  # quadratic it would take minutes
    with open(tmp_path / "huge.json", "wb") as file:
        file.truncate(data_files.MOST_BYTES + 1)
    assert "is larger than 32 MB" in refused(data_files.read_json, tmp_path / "huge.json")


@pytest.mark.parametrize("content", [b"", b"PK", b"\x93NUMPY", b"x" * 100, b"\xff"])
def test_npz_files_that_are_none(content, tmp_path):
    (tmp_path / "x.npz").write_bytes(content)
    assert "x.npz: cannot be read as numbers (" in refused(read_arrays, tmp_path / "x.npz", "numbers")


def test_a_damaged_member_of_an_npz_file(tmp_path):
    write_arrays(tmp_path / "x.npz", {"a": np.arange(1000)})
    np.savez_compressed(tmp_path / "y.npz", a=np.arange(1000))
    for name in ("x", "y"):
        raw = bytearray((tmp_path / f"{name}.npz").read_bytes())
        raw[60:68] = bytes(range(8))
        (tmp_path / f"{name}.npz").write_bytes(raw)
        refused(read_arrays, tmp_path / f"{name}.npz", "numbers")
