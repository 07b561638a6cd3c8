"""What compiling does to the process."""

import gc

import numba
import pytest

from scml_gym.jit import cache
from scml_gym.jit.compile import compiled


@pytest.fixture(params=[True, False])
def searches(request, monkeypatch):
    """Whether Python searches for garbage, in a process that keeps no code."""
    monkeypatch.setattr(cache, "code_folder", lambda: None)
    (gc.enable if request.param else gc.disable)()
    yield request.param
    gc.enable()


def test_garbage_is_not_searched_for_while_a_function_compiles(searches):
    seen = []

    def called(x):
        """What the compiler asks for while it compiles the caller."""

    @numba.extending.overload(called)
    def _(x):
        seen.append(gc.isenabled())
        return lambda x: x

    def caller(x):
        return called(x)

    assert compiled(caller)(3) == 3
    assert set(seen) == {False} and gc.isenabled() == searches


def test_one_that_does_not_compile_leaves_the_search_as_it_was(searches):
    with pytest.raises(numba.core.errors.NumbaError):
        compiled(lambda x: x.nothing)(1)
    assert gc.isenabled() == searches
