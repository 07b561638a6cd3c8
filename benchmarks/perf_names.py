"""Steps of the environments of a trained policy, for Linux `perf`, with the names of compiled functions.

Numba's machine code has no names that `perf` sees. This writes the file in which `perf` looks them up.

    perf record -o perf.data python benchmarks/perf_names.py runs/fast-planner-0 --steps 1000
    perf report -i perf.data --no-children --sort sym
"""

from __future__ import annotations

import argparse
import gc
import os
import re
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba.core import codegen

from benchmarks.ppo_steps import Played
from scml_gym.core.cli import run_main
from scml_gym.core.process import limit_threads
from scml_gym.experiments.run_folder import Run


def keep_loaded() -> list[tuple[Any, Any]]:
    """From now on: each library of code that is loaded from the disk, and its content."""
    loaded: list[tuple[Any, Any]] = []
    library: Any = codegen.CPUCodeLibrary
    load: Callable[..., Any] = library._unserialize.__func__

    def keep(cls: Any, generator: Any, state: Any) -> Any:
        made = load(cls, generator, state)
        loaded.append((made, state[2]))
        return made

    library._unserialize = classmethod(keep)
    return loaded


def readable(symbol: str) -> str:
    """The dotted name of a function of this package in a symbol of Numba; others as they are."""
    rest, parts = symbol.removeprefix("_ZN"), []
    while found := re.match(r"\d+", rest):
        size, rest = int(found.group()), rest[found.end() :]
        parts, rest = [*parts, rest[:size]], rest[size:]
    return re.sub(r"_3clocals_3e|_[0-9a-f]{16}", "", ".".join(parts)) if parts and symbol.startswith("_ZN") else symbol


def write_names(loaded: list[tuple[Any, Any]]) -> int:
    """Write the file of this process for `perf`; returns how many functions it names."""
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for library, content in loaded:
            path = Path(folder) / "code.o"
            path.write_bytes(content[0])
            table = subprocess.run(["nm", "-S", str(path)], check=True, capture_output=True, text=True).stdout
            for parts in (line.split() for line in table.splitlines()):
                if len(parts) == 4 and parts[2] in "tTwWV":
                    address = library._codegen._engine._ee.get_function_address(parts[3])
                    lines += [f"{address:x} {int(parts[1], 16):x} {readable(parts[3])}\n"] if address else []
    Path(f"/tmp/perf-{os.getpid()}.map").write_text("".join(lines))
    return len(lines)


def main() -> int:
    """Play."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="a trained run folder")
    parser.add_argument("--rows", type=int, default=256)
    parser.add_argument("--steps", type=int, default=1000)
    options = parser.parse_args()
    limit_threads(1)
    loaded = keep_loaded()
    played = Played(Run.open(options.run), {}, options.rows)
    played.play(5)
    print(f"{write_names(loaded)} functions")
    gc.freeze()
    played.play(options.steps)
    print(f"{1e6 * played.seconds / played.decisions:.2f} microseconds a decision")
    return 0


if __name__ == "__main__":
    run_main(main)
