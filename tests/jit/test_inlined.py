"""Helpers become machine code only as a part of what calls them."""

import ctypes
import sys

import numba
import numpy as np
import pytest

from scml_gym.jit import cache
from scml_gym.jit.compile import compiled, compiled_callback, compiled_inside, jittable


@jittable
def root(x):
    if x < 0.0:
        raise ValueError("negative", x)
    return np.sqrt(x)


@jittable
def fourth_root(x):
    return root(root(x))


@compiled
def roots(x):
    return root(x) + fourth_root(x)


def test_helpers_of_helpers_are_compiled():
    assert roots(16.0) == 4.0 + 2.0 == roots.py_func(16.0)


def test_exceptions_of_helpers_come_out_with_their_values():
    for _ in range(2):
        with pytest.raises(ValueError) as raised:
            roots(-2.0)
        assert raised.value.args == ("negative", -2.0)


def test_they_come_out_of_a_c_callback(monkeypatch):
    raised = []
    monkeypatch.setattr(sys, "unraisablehook", lambda told: raised.append(told.exc_value))
    callback = compiled_callback(lambda x: fourth_root(x), numba.float64(numba.float64))
    call = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(callback.address)
    assert call(16.0) == 2.0
    call(-2.0)
    assert [error.args for error in raised] == [("negative", -2.0)]


def test_helpers_serve_functions_that_others_compile():
    assert numba.njit(lambda x: fourth_root(x) + 1.0)(16.0) == 3.0


def test_no_machine_code_is_made_of_a_helper(monkeypatch):
    made = []
    finalize = numba.core.codegen.JITCodeLibrary._finalize_final_module
    monkeypatch.setattr(
        numba.core.codegen.JITCodeLibrary,
        "_finalize_final_module",
        lambda library: made.append(library.name) or finalize(library),
    )

    def third(x):
        return x / 3.0

    def ninth(x):
        return helper(helper(x))

    def plain(x):
        return other(x)

    def half(x):
        return x / 2.0

    helper, other = jittable(third), numba.extending.register_jitable(half)
    assert numba.njit(ninth)(18.0) == 2.0
    assert sorted(name.rpartition(".")[2] for name in made) == ["ninth"]
    assert numba.njit(plain)(18.0) == 9.0
    assert len(made) == 3  # as Numba does it


def test_callers_of_all_kinds_share_a_helper(monkeypatch, tmp_path):
    monkeypatch.setattr(cache, "code_folder", lambda: tmp_path)  # where nothing is kept yet
    typed = []
    begin = numba.core.compiler.CompilerBase.compile_extra
    monkeypatch.setattr(
        numba.core.compiler.CompilerBase,
        "compile_extra",
        lambda compiler, function: typed.append(function.__name__) or begin(compiler, function),
    )

    def quarter(x):
        return x / 4.0

    helper = jittable(quarter)
    apart = compiled_inside(lambda x: helper(x) + 1.0)
    assert compiled(lambda x: helper(x) + apart(x))(8.0) == 5.0
    compiled_callback(lambda x: helper(x), numba.float64(numba.float64))
    assert typed.count("quarter") == 1
