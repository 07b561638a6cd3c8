"""The source of some functions is copied, and nothing else of the modules that they stand in."""

import importlib
import sys

import pytest

from scml_gym.core.errors import InputError
from scml_gym.export.sources import copy_sources

HELPERS = '''
"""Helpers."""

from __future__ import annotations

import numpy as np
import pandas as pd

TABLE = {}
"""By name."""
TABLE["one"] = 1.0
OTHER = pd.DataFrame()


# about this function
def scaled(x: pd.Series) -> float:
    return 2 * np.float64(x)


class Unused:
    def __init__(self):
        import torch
'''

NEEDED = '''
"""Helpers."""

from __future__ import annotations

import numpy as np

TABLE = {}
"""By name."""
TABLE["one"] = 1.0


# about this function
def scaled(x: pd.Series) -> float:
    return 2 * np.float64(x)
'''

OWN = '''
from __future__ import annotations

from typing import TYPE_CHECKING

from copied_helpers import TABLE, Unused, scaled
import copied_helpers as helpers
from scml_gym.core.registry import Registry
from scml_gym.jit.compile import jittable

if TYPE_CHECKING:
    from torch import Tensor

NAMED = Registry("number")
NAMED.register("ten", "copied_own:ten")


def ten() -> float:
    from copied_helpers import scaled as twice

    return twice(5.0)


@jittable
def answer(x: Tensor, unused: Unused) -> float:
    """Of the table's one."""
    ten = x
    return scaled(ten) + helpers.TABLE["one"] + NAMED.get("ten")()


def bad():
    return helpers.OTHER
'''


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Two modules of a user's own."""
    from scml_gym.export import parsing
    from scml_gym.jit import sources

    def forget():
        for function in (parsing.read_source, sources.module_file, sources._places, sources.is_installed):
            function.cache_clear()

    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "copied_own", raising=False)
    (tmp_path / "copied_helpers.py").write_text(HELPERS.lstrip())
    (tmp_path / "copied_own.py").write_text(OWN.lstrip())
    forget()
    yield tmp_path
    forget()


def written(files, folder, package):
    for path, text in files.items():
        (folder / package / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / package / path).write_text(text)


def test_what_is_needed_is_copied_and_runs_anywhere(own, tmp_path, monkeypatch):
    files = copy_sources(["copied_own:answer"], {})
    assert files["copied_helpers.py"] == NEEDED.lstrip()
    assert not any("torch" in text or "numba.extending" in text for text in files.values())
    place = tmp_path / "elsewhere"
    written(files, place / "deep", "copies")
    (place / "deep" / "__init__.py").touch()
    monkeypatch.syspath_prepend(place)
    module = importlib.import_module("deep.copies.copied_own")
    assert module.answer(3.0, None) == 17.0
    assert module.NAMED.get("ten") is module.ten  # it finds the copy, not the original


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("copied_own:bad", "copied_helpers .* imports 'pandas': a submission has scml and NumPy alone"),
        ("copied_own:gone", "'gone' of copied_own"),
        ("no_such_module:f", "the module 'no_such_module' is in no file"),
    ],
)
def test_what_cannot_be_copied_is_named(own, name, told):
    with pytest.raises(InputError, match=told):
        copy_sources([name], {})


@pytest.mark.parametrize(
    ("line", "told"), [("from copied_own import *", "import \\*"), ("import scml_gym.jit.random", "valid: from")]
)
def test_imports_that_hide_names_are_refused(own, line, told):
    (own / "copied_star.py").write_text(f"{line}\n\n\ndef f():\n    return 1\n")
    with pytest.raises(InputError, match=told):
        copy_sources(["copied_star:f"], {})


CROWDED = """
from __future__ import annotations; import typing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor
else:
    Tensor = float
if typing.TYPE_CHECKING:
    from torch import nn
if not TYPE_CHECKING:
    SIX = 6.0

COUNT = []
COUNT.append(1); ONE = 1.0; TWO = (
    2.0
); THREE = 3.0
UNUSED = 7.0; ALSO_UNUSED = 8.0


def total(module: nn.Module) -> Tensor:
    return Tensor(len(COUNT) + ONE + TWO + THREE + SIX)
"""


def test_lines_of_several_statements_are_copied_once_and_what_is_for_types_does_not_count(own, monkeypatch):
    (own / "copied_crowd.py").write_text(CROWDED.lstrip())
    files = copy_sources(["copied_crowd:total"], {})
    assert list(files) == ["copied_crowd.py", "__init__.py"]
    assert files["copied_crowd.py"].count("COUNT.append(1)") == 1
    assert "UNUSED" not in files["copied_crowd.py"]
    written(files, own / "elsewhere", "crowded")
    monkeypatch.syspath_prepend(own / "elsewhere")
    assert importlib.import_module("crowded.copied_crowd").total(None) == 13.0


def test_lines_are_counted_as_python_does(own):
    text = '"""Pages."""\n\f\nSIGN = "\u2028"\n\n\ndef f():\n    return SIGN\n'
    (own / "copied_pages.py").write_text(text)
    found = {}
    exec(copy_sources(["copied_pages:f"], {})["copied_pages.py"], found)
    assert found["f"]() == "\u2028"
