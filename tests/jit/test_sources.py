"""What the machine code of a function depends on: the modules that it reaches, and nothing else."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

import scml_gym
from scml_gym.game.calls import decide_caller
from scml_gym.jit import sources
from scml_gym.jit.compile import compiled, jittable
from scml_gym.jit.sources import identity, source_digest, source_files
from scml_gym.jit.symbols import FUNCTIONS
from scml_gym.oneshot.strategies import STRATEGIES
from scml_gym.oneshot.view import MAX_PARTNERS
from scml_gym.oneshot.worlds.compiled import advance

PACKAGE = Path(scml_gym.__file__).parent

TOY = {
    "__init__": "from {toy}.unused import nothing\nNAME = 1",
    "unused": "nothing = 0",
    "main": """
        from __future__ import annotations
        import os, numpy
        from typing import TYPE_CHECKING
        import {toy}.whole
        from {toy} import part
        from . import sibling
        from .inner.deep import value
        from .inner import (
            constant,
        )
        if TYPE_CHECKING:
            from {toy}.types import T
        else:
            from {toy}.untyped import T
        try:
            import {toy}.tried
        except ImportError:
            from {toy}.instead import tried
        def f(x: T):
            from {toy} import lazy
            return x
        """,
    "whole": "from {toy}.far import away",
    "far": "from {toy}.whole import circle",
    "part": "",
    "sibling": "",
    "types": "T = int",
    "untyped": "T = int",
    "tried": "",
    "instead": "",
    "lazy": "from .beyond import x",
    "beyond": "",
    "inner/__init__": "constant = 1",
    "inner/deep": "from ..above import *\nvalue = 1",
    "above": "",
    "apart": "import {toy}\ndef g(x):\n    return {toy}.NAME",
}


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """The name of a package on the path; nothing of it is ever imported."""
    name = f"toy_{tmp_path.name}".replace("-", "_")
    for file, text in TOY.items():
        path = tmp_path / name / f"{file}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(line.removeprefix(" " * 8) for line in text.format(toy=name).splitlines()))
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


def reached(function):
    files = {path.relative_to(PACKAGE.parent) for path in source_files(function) if path.is_relative_to(PACKAGE.parent)}
    return {path.as_posix() for path in files}


def test_modules_are_reached_by_every_kind_of_import(toy, tmp_path):
    files = {p.relative_to(tmp_path).as_posix().partition("/")[2] for p in source_files(function_of(toy, "main"))}
    expected = "main whole far part sibling untyped tried instead lazy beyond inner/__init__ inner/deep above"
    assert files == {f"{name}.py" for name in expected.split()}
    assert {p.name for p in source_files(function_of(toy, "apart"))} == {"__init__.py", "apart.py", "unused.py"}


def function_of(toy, module):
    """A function that says that it stands in that module of the package."""

    def function():
        """Nothing."""

    function.__module__ = f"{toy}.{module}"
    return function


def test_what_a_closure_holds_counts_with_its_modules():
    strategy = STRATEGIES.get("greedy")
    files = reached(decide_caller(MAX_PARTNERS)(jittable(strategy.decide)))
    assert {"scml_gym/oneshot/strategies/greedy.py", "scml_gym/game/calls.py"} <= files
    assert "scml_gym/oneshot/strategies/greedy.py" not in reached(
        decide_caller(MAX_PARTNERS)(jittable(STRATEGIES.get("nice").decide))
    )
    in_a_tuple = (lambda held: lambda x: held[0](x))((strategy.decide,))
    assert "scml_gym/oneshot/strategies/greedy.py" in reached(in_a_tuple)


def test_an_edit_of_one_strategy_changes_the_keys_of_what_calls_it_alone(monkeypatch):
    callers = {name: decide_caller(MAX_PARTNERS)(jittable(STRATEGIES.get(name).decide)) for name in STRATEGIES}
    callers["world"] = advance.ROWS.advance
    edited = PACKAGE / "oneshot" / "strategies" / "greedy.py"
    before = {name: source_digest(f) for name, f in callers.items()}
    assert None not in before.values()
    read = sources.read_module
    monkeypatch.setattr(sources, "read_module", lambda p: read(p)._replace(digest="edited") if p == edited else read(p))
    sources._digest.cache_clear()
    changed = {name for name, f in callers.items() if source_digest(f) != before[name]}
    sources._digest.cache_clear()
    users = {name for name, f in callers.items() if "scml_gym/oneshot/strategies/greedy.py" in reached(f)}
    assert changed == users
    assert "greedy" in changed and not changed & {"world", "nice", "random", "boulware", "best-subset"}


def test_no_compiled_function_depends_on_evaluation_or_learners():
    for name in ("bilateral.worlds.compiled.game", "oneshot.envs.vector.track", "oneshot.worlds.compiled.world"):
        importlib.import_module(f"scml_gym.{name}")
    functions = {
        id(value): value
        for name, module in list(sys.modules.items())
        if name.startswith("scml_gym.") and not name.startswith("scml_gym.agents.")
        for value in vars(module).values()
        if hasattr(value, "py_func")
    } | {id(function): function for function in FUNCTIONS.values()}
    own = [
        function for function in functions.values() if not function.py_func.__module__.startswith("scml_gym.agents.")
    ]
    assert len(own) > 10
    for function in own:
        assert not [path for path in reached(function) if path.startswith(("scml_gym/evaluation/", "agents/"))]


def test_installed_packages_do_not_count_and_a_prompt_has_no_source():
    assert all(path.is_relative_to(PACKAGE) for path in source_files(advance.ROWS.advance))
    for name in ("__nowhere__", advance.__name__):
        space = {"__name__": name}
        exec("def f(x):\n    return x", space)
        assert source_digest(space["f"]) is None


def test_a_file_that_was_changed_while_the_process_runs_is_no_key(toy):
    assert source_digest(function_of(toy, "part")) is None
    sources._digest.cache_clear()
    sources.read_module.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "STARTED", float("inf"))
        assert source_digest(function_of(toy, "part")) is not None
    sources._digest.cache_clear()
    sources.read_module.cache_clear()


def test_functions_are_told_apart_by_what_they_hold():
    def make(held, default=0):
        def f(x, y=default):
            return x, held

        return f

    values = [1, 1.0, True, np.float64(1), np.arange(3), np.arange(2000), np.arange(2000) * (np.arange(2000) != 1000)]
    held = [*values, (1, 2), (np.arange(2000),), "a", np.sqrt, make(1), make(2), compiled(make(3)), np.dtype(np.int64)]
    texts = [identity(make(value)) for value in held] + [identity(make(1, default=2))]
    assert len(set(texts)) == len(texts)
    assert texts == [identity(make(value)) for value in held] + [identity(make(1, default=2))]
    assert not [text for text in texts if " at 0x" in text]
    first, second = (lambda x: x), (lambda x: x + 1)
    assert identity(first) != identity(lambda x: x)
    assert identity(second) != identity(first)


def test_a_function_that_holds_itself_has_an_identity():
    def outer():
        @compiled
        def factorial(n):
            return 1 if n < 2 else n * factorial(n - 1)

        return factorial

    assert "itself" in identity(outer())
    assert source_files(outer())
    assert outer()(5) == 120
