"""Helpers of compiled code that are optimised and turned into machine code only as a part of what calls them.

Numba makes machine code of every function that it compiles, with all that it calls. That of a helper is never run: its
callers hold copies of it, which are optimised again there. Without it compiling takes less, and what is computed is the
same.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Literal

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.typed_passes import NativeLowering

from scml_gym.jit.flags import Compiler

_dynfunc: Any = import_module("numba._dynfunc")  # compiled, so without types


class _Library(JITCodeLibrary):
    """The code of a helper alone: it does not hold what it calls, and is no machine code."""

    def finalize(self) -> None:
        """Nothing is added from here on."""
        self._raise_if_finalized()
        self._final_module.verify()
        self._finalized = True

    @property
    def parts(self) -> list[_Part]:
        """The helper and all that it calls, each once and before what it calls itself."""
        called = [library.whole if isinstance(library, _Part) else library for library in self._linking_libraries]
        return [_Part(library) for library in (self, *reversed(dict.fromkeys(reversed(called))))]


class _Part:
    """A library in the list of a helper's parts, as callers link it.

    What nothing calls yet is left out when it is linked. A caller takes each library once, and would not come back to
    one that the next helper calls; so each helper has parts of its own.
    """

    def __init__(self, whole: Any):
        self.whole = whole

    def __getattr__(self, name: str) -> Any:
        return getattr(self.whole, name)


@register_pass(mutates_CFG=True, analysis_only=False)
class _Lowering(NativeLowering):
    _name = "scml_gym_inlined_lowering"

    def run_pass(self, state: Any) -> Literal[True]:
        """Lower to code of LLVM, and let callers link the parts of it."""
        library = state.library = _Library(state.targetctx.codegen(), state.func_id.func_qualname)
        state.flags.no_compile = True
        super().run_pass(state)
        library.finalize()
        lowered = state["cr"]
        described = lowered.fndesc
        # what stands for the function in Numba's tables; nobody calls it
        name = described.qualname.split(".")[-1]
        entry = _dynfunc.make_function(described.lookup_module(), name, "", 0, lowered.env, (library,))
        state.targetctx.insert_user_function(entry, described, library.parts)
        state.reload_init.extend(library._reload_init)
        state["cr"] = lowered._replace(cfunc=entry)
        return True


class Inlined(Compiler):
    """Numba's pipeline for helpers (``pipeline_class``)."""

    def define_pipelines(self) -> list[Any]:
        """Numba's own, but for the last step."""
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.passes = [(_Lowering if kind is NativeLowering else kind, what) for kind, what in passes.passes]
        passes._finalized = False
        passes.finalize()
        return [passes]


def give_environments(result: Any) -> None:
    """Tell machine code what its helpers need of Python, to raise exceptions for instance."""
    library = result.library
    library._ensure_finalized()  # that of a C callback is not yet
    for environment in result._find_referenced_environments():
        library.codegen.set_env(environment.env_name, environment)
