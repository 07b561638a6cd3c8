"""What all tests keep to."""

import ast
import re
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

TESTS = Path(__file__).resolve().parent
FILES = sorted(TESTS.rglob("*.py"))


def imported(path):
    """The modules that a file imports, those inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TESTS)))
def test_no_test_imports_another_one_or_a_benchmark(path):
    modules = [name for name in imported(path) if re.match(r"benchmarks\b|generation_statistics|tests\b", name)]
    assert [name for name in modules if not name.startswith("tests.helpers")] == []


@pytest.mark.parametrize(("option", "outcome"), [("", "skipped"), ("--fail-skipped=docs,league", "failed")])
def test_a_skipped_test_fails_where_it_must_run(option, outcome, pytester):
    pytester.makeconftest((TESTS / "conftest.py").read_text())
    pytester.makeini("[pytest]\nmarkers =\n    league: of the league")
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture
        def package():
            return pytest.importorskip("no_such_package", reason="install it")

        @pytest.mark.league
        def test_it(package):
            pass

        @pytest.mark.skip(reason="not marked")
        def test_other():
            pass
        """
    )
    result = pytester.runpytest(*filter(None, [option]), "-p", "no:cacheprovider", "-p", "no:dash", "-rs")
    counts = {"skipped": 1} | {outcome: 2 if outcome == "skipped" else 1}
    found = result.parseoutcomes()
    if outcome == "failed":
        result.stdout.fnmatch_lines(["*test_it was skipped: *install it*"])
        assert found.get("failed", 0) + found.get("errors", 0) == 1
        assert found["skipped"] == 1
    else:
        assert found == counts
