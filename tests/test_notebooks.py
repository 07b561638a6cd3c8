"""The notebooks run, and show what is kept in them for the site; `docs/notebooks.py` says what may differ."""

import importlib.util
import json
from pathlib import Path

import pytest

from tests.helpers import forks

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def nbformat():
    """Loaded by who needs it: that takes more than a second."""
    return pytest.importorskip("nbformat", reason="pip install 'scml-gym[notebooks]'")


@pytest.fixture(scope="module")
def script(nbformat):
    pytest.importorskip("nbclient", reason="pip install 'scml-gym[notebooks]'")
    spec = importlib.util.spec_from_file_location("notebooks", ROOT / "docs" / "notebooks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.docs
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_what_is_kept_of_it(path, nbformat, script, monkeypatch):
    for name, value in forks.variables().items():  # of the kernel, a new interpreter
        monkeypatch.setenv(name, value)
    assert list(script.differences(nbformat.read(path, as_version=4), script.executed(path))) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_cell_has_been_run_in_order(path):
    code = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert not any(output["output_type"] == "error" for cell in code for output in cell["outputs"])


@pytest.mark.docs
def test_another_number_is_a_difference_but_where_it_was_trained(nbformat, script):
    def notebook(text, tags=()):
        output = nbformat.v4.new_output("stream", name="stdout", text=text)
        cell = nbformat.v4.new_code_cell("print(score)", outputs=[output], metadata={"tags": list(tags)})
        return nbformat.v4.new_notebook(cells=[cell])

    assert list(script.differences(notebook("score  1.5"), notebook("score 1.5"))) == []
    assert len(list(script.differences(notebook("score 1.5"), notebook("score 1.6")))) == 1
    trained = notebook("score 1.5", ["trained"])
    assert list(script.differences(trained, notebook("score -.25e-3"))) == []
    assert len(list(script.differences(trained, notebook("scores 1.5")))) == 1
