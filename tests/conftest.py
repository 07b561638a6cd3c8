"""Shared by all tests: one thread for every numerical library, fixed seeds, command lines."""

import gc
import itertools
import random
import sys

import gymnasium
import hypothesis
import numpy as np
import pytest

from scml_gym.core.process import limit_threads
from tests.helpers import forks, spawns
from tests.helpers.plain_errors import without_colours

gc.disable()  # until all tests are collected: what is loaded stays
limit_threads(1)
without_colours()
# a slow example is no failure; other examples than the gate's: pytest --hypothesis-profile=new-examples
hypothesis.settings.register_profile("gate", deadline=None, derandomize=True)
hypothesis.settings.register_profile("new-examples", deadline=None, print_blob=True)
hypothesis.settings.load_profile("gate")


def pytest_addoption(parser):
    parser.addoption(
        "--fail-skipped",
        metavar="MARKERS",
        default="",
        help="comma-separated markers (league,docs,...): their tests fail where they would be skipped",
    )


def pytest_configure(config):
    """The processes of a test run, and the scripts that they start, are forked from one."""
    if forks.WORKS and config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        from tests.helpers.xdist_workers import fork_from_now

        fork_from_now()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    markers = filter(None, item.config.getoption("--fail-skipped").split(","))
    if report.skipped and not hasattr(report, "wasxfail") and any(map(item.get_closest_marker, markers)):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped: {call.excinfo.value if call.excinfo else report.longrepr}"
    return report


def pytest_collection_modifyitems(items):
    """Tests of clusters come first: they mostly wait, and so one process of the run meets all, with one cluster; then
    those of pages, with one browser."""
    items.sort(key=lambda item: [item.get_closest_marker(name) is None for name in ("cluster", "browser")])


def pytest_collection_finish():
    """What is loaded by now stays: Python does not look through it for garbage, not once."""
    gc.freeze()
    gc.enable()
    gc.set_threshold(10_000)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish():
    """Nor when all tests have run: pytest and Python then look through all that they left, and end."""
    gc.freeze()


@pytest.fixture(autouse=True)
def fixed_seeds(monkeypatch):
    """What a test draws without a seed is the same in every run, alone and after others."""
    seeds, draw = itertools.count(), gymnasium.utils.seeding.np_random
    monkeypatch.setattr(
        gymnasium.utils.seeding, "np_random", lambda seed=None: draw(next(seeds) if seed is None else seed)
    )
    random.seed(0)
    np.random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


@pytest.fixture
def own_garbage():
    """A search for garbage looks through what the test made, and not through all that is left of those before it: the
    compiler alone leaves millions of objects, which takes a second."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def small_curves():
    """A training of a test draws one column of its learning curve: all of them take longer than most trainings.

    Tests of `curve_figures` draw all, and so do the commands that tests run.
    """
    from scml_gym.core.curves import columns_of, curve_figures

    def small(rows, kept):
        return [{name: row.get(name, "") for name in kept} for row in rows]

    def figures(groups, title):
        kept = ("step", *columns_of(groups)[:1])
        return curve_figures({label: [small(rows, kept) for rows in runs] for label, runs in groups.items()}, title)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scml_gym.experiments.run_folder.curve_figures", figures)
        yield


@pytest.fixture(scope="session", autouse=True)
def forked_workers():
    """Worker processes of tournaments and of multiprocessing are forked, see `tests.helpers.forks`."""
    with pytest.MonkeyPatch.context() as patch:
        if forks.WORKS:
            patch.setattr("scml_gym.evaluation.pool.start_process", forks.start_worker)
            patch.setattr("multiprocessing.popen_spawn_posix.Popen", spawns.Popen)
        yield


@pytest.fixture
def command_line(tmp_path):
    """``command_line("train.py", *arguments)``: run a script of the repository, in an empty folder.

    Where environment variables are given, a new interpreter starts with them; else see `tests.helpers.scripts`.
    """
    from tests.helpers.scripts import ROOT, in_forked_process, in_new_interpreter

    def run(script, *arguments, **variables):
        command = [sys.executable, str(ROOT / script), *map(str, arguments)]
        return in_new_interpreter(tmp_path, command, variables) if variables else in_forked_process(tmp_path, command)

    return run
