"""Recordings of every kind, made once."""

import pytest

from tests.helpers.shared import made_once


@pytest.fixture(scope="session")
def runs_folder(tmp_path_factory):
    """A folder with a recording of each kind, by the names of `tests.helpers.analyzer_runs.RUNS`."""
    from tests.helpers.analyzer_runs import RUNS

    def make_all(folder):
        for name, make in RUNS.items():
            make(folder / name)

    return made_once(tmp_path_factory, "runs", make_all)


@pytest.fixture(scope="module")
def recordings(runs_folder):
    """All of them, open."""
    from scml_gym.analyzer import open_recordings
    from tests.helpers.analyzer_runs import RUNS

    with open_recordings(*(runs_folder / name for name in RUNS)) as opened:
        yield opened
