"""Compiled code on disk: compiled again when what it depends on changed, and only then; by one process at a time."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from numba.core.errors import NumbaError

from scml_gym.jit import cache, sources
from scml_gym.jit.compile import compiled, compiled_callback
from tests.helpers.scripts import Script

ROOT = Path(__file__).resolve().parents[2]


def double(x):
    """Compiled by tests."""
    return x + x


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty cache folder, for this process."""
    path = tmp_path / "code"
    path.mkdir()
    monkeypatch.setattr(cache, "code_folder", lambda: path)
    monkeypatch.setattr(sources, "STARTED", float("inf"))
    sources._digest.cache_clear()
    sources.read_module.cache_clear()
    yield path
    sources._digest.cache_clear()
    sources.read_module.cache_clear()


class Toy:
    """A package in a folder; processes run its compiled functions with a cache folder of their own.

    Attributes:
        folder: Where the cache is.
    """

    def __init__(self, folder, modules):
        self.folder = folder
        (folder / "toy").mkdir()
        for name, text in modules.items():
            self.write(name, text)

    def write(self, name, text):
        (self.folder / "toy" / f"{name}.py").write_text(text)

    def start(self, *calls, **variables):
        """Start a process that calls ``module.function`` with 1, one after another."""
        code = f"""if True:
            import importlib, json, sys
            sys.dont_write_bytecode = True  # Python takes what is written in the same second for unchanged
            results = {{}}
            for call in {calls!r}:
                module, name = call.split(".")
                function = getattr(importlib.import_module("toy." + module), name)
                value = function(1)
                results[call] = value, sum(function.stats.cache_misses.values())
            print(json.dumps(results))
        """
        paths = {"PYTHONPATH": os.pathsep.join(map(str, (self.folder, ROOT))), "SCML_GYM_CACHE_DIR": str(self.folder)}
        return Script(self.folder, [sys.executable, "-c", code], paths | variables)

    def run(self, *calls, **variables):
        """Name -> its value, and how often it was compiled."""
        return self.results(self.start(*calls, **variables))

    @staticmethod
    def results(script):
        ended = script.ended()
        assert ended.returncode == 0, ended.stderr
        return {name: tuple(result) for name, result in json.loads(ended.stdout).items()}


CALLERS = """
from scml_gym.jit.compile import compiled
from toy.rates import rate
@compiled
def one(x):
    return x + rate(x)
"""

MODULES = {
    "constants": "K = 1",
    "rates": """
from scml_gym.jit.compile import jittable
from toy.constants import K
TEN = 10 * K
@jittable
def rate(x):
    return TEN * x
""",
    "callers": CALLERS,
    "others": CALLERS.replace("x + ", "2 * x + "),
    "apart": "from scml_gym.jit.compile import compiled\n@compiled\ndef one(x):\n    return -x\n",
}


@pytest.mark.slow
def test_a_constant_of_a_module_without_compiled_code_recompiles_those_who_reach_it(tmp_path):
    toy = Toy(tmp_path, MODULES)
    names = "callers.one", "others.one", "apart.one"
    assert toy.run(*names) == {"callers.one": (11, 1), "others.one": (12, 1), "apart.one": (-1, 1)}
    toy.write("constants", "K = 2")
    assert toy.run("callers.one") == {"callers.one": (21, 1)}
    assert toy.run(*names) == {"callers.one": (21, 0), "others.one": (22, 1), "apart.one": (-1, 0)}
    toy.write("constants", "K = 1")  # the code of the earlier state is still there
    assert toy.run(*names) == {"callers.one": (11, 0), "others.one": (12, 0), "apart.one": (-1, 0)}


@pytest.mark.slow
def test_what_is_compiled_separately_has_a_file_of_its_own_and_is_linked_in_every_process(tmp_path):
    rates = MODULES["rates"].replace("jit.compile import jittable", "jit.separate import separate as jittable")
    toy = Toy(tmp_path, MODULES | {"rates": rates})
    assert toy.run("callers.one", "others.one") == {"callers.one": (11, 1), "others.one": (12, 1)}
    files = sorted(path.name.partition("-")[0] for path in (tmp_path / "scml_gym").glob("*.nbc*"))
    assert files == ["one", "one", "rate"]
    assert toy.run("others.one", "callers.one") == {"others.one": (12, 0), "callers.one": (11, 0)}
    toy.write("constants", "K = 2")
    assert toy.run("callers.one") == {"callers.one": (21, 1)}
    for file in (tmp_path / "scml_gym").glob("rate-*"):  # removed to make room
        file.unlink()
    assert toy.run("callers.one") == {"callers.one": (21, 0)}


SLOW = """
import os, pathlib, time
from numba.extending import overload
from scml_gym.jit.compile import compiled
def mark(x):
    return x
@overload(mark)
def typed(x):
    pathlib.Path(os.environ["MARK"]).touch()
    time.sleep(float(os.environ["SLEEP"]))
    return lambda x: x + 1
@compiled
def one(x):
    return mark(x)
"""


def wait_for(path):
    end = time.monotonic() + 300
    while not path.exists():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.slow
def test_of_two_processes_one_compiles(tmp_path):
    toy, mark = Toy(tmp_path, {"slow": SLOW}), tmp_path / "mark"
    first = toy.start("slow.one", MARK=str(mark), SLEEP="2")
    wait_for(mark)
    second = toy.start("slow.one", MARK=str(tmp_path / "other"), SLEEP="0")
    assert Toy.results(first) == {"slow.one": (2, 1)}
    assert Toy.results(second) == {"slow.one": (2, 0)}
    assert not (tmp_path / "other").exists()
    assert [path.suffix for path in (tmp_path / "scml_gym").glob("*.nbc*")] == [".nbc"]


@pytest.mark.slow
def test_who_is_killed_while_it_compiles_frees_its_lock(tmp_path):
    toy, mark = Toy(tmp_path, {"slow": SLOW}), tmp_path / "mark"
    killed = toy.start("slow.one", MARK=str(mark), SLEEP="100")
    wait_for(mark)
    killed.process.kill()
    killed.ended()
    assert toy.run("slow.one", MARK=str(mark), SLEEP="0") == {"slow.one": (2, 1)}


def kept(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("damage", [lambda data: data[:-20], lambda data: b"", lambda data: data[:-1] + b"x"])
def test_a_damaged_file_is_compiled_anew(folder, damage):
    assert compiled(double)(2) == 4
    (file,) = folder.iterdir()
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    again = compiled(double)
    assert again(2) == 4 and sum(again.stats.cache_misses.values()) == 1
    last = compiled(double)
    assert last(2) == 4 and sum(last.stats.cache_hits.values()) == 1
    assert kept(folder) == [file.name]


def test_a_file_of_something_else_is_thrown_away(folder):
    assert compiled(double)(2) == 4
    (file,) = folder.iterdir()
    data = b"no pickle"
    file.write_bytes(hashlib.sha256(data).digest() + data)
    assert cache._read(file) is None and kept(folder) == []
    assert compiled(double)(2) == 4 and kept(folder) == [file.name]


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o720])
def test_a_folder_that_others_may_write_to_is_neither_read_nor_written(mode, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SCML_GYM_CACHE_DIR", str(tmp_path))
    find = cache.code_folder.__wrapped__
    assert find() == tmp_path / "scml_gym"
    assert (tmp_path / "scml_gym").stat().st_mode & 0o777 == 0o700
    (tmp_path / "scml_gym").chmod(mode)
    assert find() is None
    said = capsys.readouterr().err
    assert "others may write to it" in said and said.count("\n") == 1
    (tmp_path / "scml_gym").chmod(0o755)
    assert find() == tmp_path / "scml_gym"
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    assert find() is None


def test_a_file_that_others_may_write_to_is_not_read(folder):
    assert compiled(double)(2) == 4
    (file,) = folder.iterdir()
    file.chmod(0o666)
    assert cache._read(file) is None
    file.chmod(0o600)
    assert cache._read(file) is not None


def test_each_combination_of_types_and_each_callback_has_a_file(folder):
    function = compiled(double)
    assert (function(1), function(1.5), function(np.arange(2)).tolist()) == (2, 3.0, [0, 2])
    assert len(kept(folder)) == 3
    assert function.stats.cache_path == str(folder)
    first, second = (compiled_callback(double, "float64(float64)") for _ in range(2))
    assert (first.cache_hits, second.cache_hits) == (0, 1)
    assert first.ctypes(2.0) == second.ctypes(2.0) == 4.0
    assert len(kept(folder)) == 4


def test_a_function_that_does_not_compile_leaves_no_lock(folder):
    function = compiled(double)
    for _ in range(2):
        with pytest.raises(NumbaError):
            function(None)
        assert kept(folder) == []
    with pytest.raises(NumbaError):
        compiled_callback(double, "none(none)")
    assert function(1) == 2
    assert len(kept(folder)) == 1


def test_what_holds_an_address_is_not_kept(folder):
    @compiled
    def apply(f, x):
        return f(x)

    assert apply(compiled(double), 2) == 4
    assert [name.partition("-")[0] for name in kept(folder)] == ["double"]


def test_without_locks_and_with_a_full_disk_it_goes_on(folder, monkeypatch, capsys):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("fcntl.lockf", refuse)
        assert compiled(double)(1) == 2
    assert len(kept(folder)) == 1
    monkeypatch.setattr(cache, "replace_file", refuse)
    assert compiled(double)(1.5) == 3.0
    assert "No space left on device" in capsys.readouterr().err
    assert len(kept(folder)) == 1


def test_the_wait_for_another_process_has_an_end(folder, monkeypatch, capsys):
    def busy(*_):
        raise BlockingIOError(11, "Resource temporarily unavailable")

    cache._say_waiting.cache_clear()
    monkeypatch.setattr("fcntl.lockf", busy)
    monkeypatch.setattr(cache, "PATIENCE", 0.1)
    assert compiled(double)(1) == 2
    assert "waiting" in capsys.readouterr().err


def test_the_folder_is_bounded_and_what_was_used_last_stays(folder, monkeypatch):
    (folder / "earlier").mkdir()
    for age, name in enumerate(["a.nbc", "b.nbc", "earlier/c.nbc", ".d.nbc.123"]):
        (folder / name).write_bytes(b"x" * 100)
        os.utime(folder / name, (time.time() - 1000 * age - 5000,) * 2)
    (folder / "notes.txt").write_bytes(b"x" * 10_000)
    monkeypatch.setattr(cache, "MOST_BYTES", 250)
    cache._make_room.__wrapped__(folder)
    assert kept(folder) == ["a.nbc", "b.nbc", "earlier", "notes.txt"]
    assert not kept(folder / "earlier")
    assert cache._read(folder / "a.nbc") is None  # no code


def test_code_that_is_used_counts_as_new(folder):
    compiled(double)(1)
    (file,) = folder.iterdir()
    os.utime(file, (0, 0))
    assert compiled(double)(1) == 2
    assert time.time() - file.stat().st_mtime < 3600


def test_empty_variables_count_as_unset_and_no_home_is_said_once(tmp_path, monkeypatch, capsys):
    find = cache.code_folder.__wrapped__
    monkeypatch.setenv("SCML_GYM_CACHE_DIR", "")
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find() == tmp_path / ".cache" / "scml_gym"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert find() == tmp_path / "xdg" / "scml_gym"
    monkeypatch.setenv("SCML_GYM_CACHE_DIR", str(tmp_path / "own"))
    assert find() == tmp_path / "own" / "scml_gym"
    monkeypatch.delenv("SCML_GYM_CACHE_DIR")
    monkeypatch.delenv("XDG_CACHE_HOME")

    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    assert find() is None
    assert capsys.readouterr().err.splitlines() == [
        "scml_gym: there is no home folder, so code is compiled anew in every process; give another folder in"
        " SCML_GYM_CACHE_DIR"
    ]


def test_without_a_folder_it_compiles_in_memory(monkeypatch):
    monkeypatch.setattr(cache, "code_folder", lambda: None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        function = compiled(double)
        assert function(3) == 6
    assert function.stats.cache_path is None


@pytest.mark.slow
def test_an_edit_of_the_package_compiles_only_what_depends_on_it(tmp_path):
    tree = tmp_path / "tree"
    for name, copy in (("scml_gym", "scml_gym"), ("agents", "scml_gym/agents")):
        shutil.copytree(ROOT / name, tree / copy, ignore=shutil.ignore_patterns("__pycache__", "agents"))
    code = """if True:
        from scml_gym.oneshot.actions import factory
        from scml_gym.oneshot.rewards.hindsight import compiled_hindsight_profit
        from scml_gym.oneshot.view import new_view
        import scml_gym.evaluation, scml_gym.agents.base
        factory.ChoiceActions().mask(new_view())
        compiled_hindsight_profit(new_view())
        print(*(sum(f.stats.cache_misses.values()) for f in (factory._choice_mask, compiled_hindsight_profit)))
    """
    variables = os.environ | {"PYTHONPATH": str(tree), "SCML_GYM_CACHE_DIR": str(tmp_path / "code")}

    def compilations():
        done = subprocess.run([sys.executable, "-c", code], env=variables, cwd=tree, capture_output=True, text=True)
        return done.stdout.split() or done.stderr

    def edit(name):
        with (tree / name).open("a") as file:
            file.write("\nEDITED = 1\n")

    assert compilations() == ["1", "1"]
    for name in ("scml_gym/evaluation/report.py", "scml_gym/evaluation/__init__.py", "scml_gym/agents/base.py"):
        edit(name)
    assert compilations() == ["0", "0"]
    edit("scml_gym/oneshot/settlement.py")
    assert compilations() == ["0", "1"]
