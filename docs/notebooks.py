"""Runs the notebooks of docs/notebooks, and keeps what they showed in them, for the site.

    python docs/notebooks.py            run them and keep their outputs
    python docs/notebooks.py --check    run them and fail where they show something else

Needs the extra ``notebooks``. They run in a new folder. Cells with the tag ``trained`` show numbers that differ between
processors; of these the words are compared.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from traitlets.config import Config

FOLDER = Path(__file__).resolve().parent / "notebooks"
SECONDS = 1800
"""That a cell may take, on a machine that compiles everything anew."""

NUMBER = re.compile(r"-?\.?\d[\d.,]*(e[-+]?\d+)?")


def executed(path: Path) -> Any:
    """A notebook with the outputs of a new run, without what was written to stderr.

    Raises:
        nbclient.exceptions.CellExecutionError: if a cell fails.
    """
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory(prefix="nb") as folder:
        # by sockets in the folder: a free port could be taken before the kernel has it
        kernel = {"transport": "ipc", "connection_file": f"{folder}/kernel.json", "ip": f"{folder}/ipc"}
        NotebookClient(
            notebook,
            config=Config(AsyncKernelManager=kernel),
            resources={"metadata": {"path": folder}},
            timeout=SECONDS,
            record_timing=False,
        ).execute()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    return notebook


def differences(kept: Any, now: Any) -> Iterator[str]:
    """What two runs of a notebook show differently, a text for each cell."""
    for before, after in zip(kept.cells, now.cells, strict=True):
        trained = "trained" in before.metadata.get("tags", ())
        if before.cell_type == "code" and shown(before, trained) != shown(after, trained):
            yield f"{before.id} showed\n{shown(before, trained)}\nand now\n{shown(after, trained)}"


def shown(cell: Any, trained: bool) -> str:
    """What a cell shows, without the width of columns, however it came in parts; a picture is told by its kind."""
    parts = []
    for output in cell.outputs:
        data = output.get("data", {"text/plain": output.get("text", "")})
        pictures = [kind for kind in data if kind.startswith("image/")]
        parts += pictures or data["text/plain"].split()
    return NUMBER.sub("#", " ".join(parts)) if trained else " ".join(parts)


def main() -> int:
    """Run all of them."""
    if sys.argv[1:] not in ([], ["--check"]):
        print("usage: python docs/notebooks.py [--check]", file=sys.stderr)
        return 2
    stale = 0
    for path in sorted(FOLDER.glob("*.ipynb")):
        now = executed(path)
        if sys.argv[1:]:
            for told in differences(nbformat.read(path, as_version=4), now):
                print(f"{path.name}: {told}; run python docs/notebooks.py", file=sys.stderr)
                stale += 1
        else:
            nbformat.write(now, path)
    return int(stale > 0)


if __name__ == "__main__":
    sys.exit(main())
