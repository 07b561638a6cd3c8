"""What a machine must have in common with the one that leads, and jobs of local processes."""

import dataclasses
import os

import pytest

from scml_gym.core.engines.each import each
from scml_gym.core.engines.local import Local
from scml_gym.core.engines.ray_host import Host, Origin, told_to_begin, value_of
from scml_gym.core.errors import InputError


def written(job, folder):
    """A job that leaves a file, and says in which process."""
    (folder / f"{job}.txt").write_text(str(job * job))
    return job * job, os.getpid()


def test_a_machine_that_would_compute_something_else_is_refused(tmp_path):
    origin = Origin.here()
    origin.check()
    versions = origin.versions | {"numpy": "0.1"}
    with pytest.raises(InputError, match=r"^the machine .* has numpy [\d.]+, this one 0.1: results would differ;"):
        dataclasses.replace(origin, versions=versions).check()
    with pytest.raises(InputError, match=r"^the source of scml-gym on the machine .* is not that of this one"):
        dataclasses.replace(origin, source="x").check()
    with pytest.raises(InputError, match=r"^the machine .* has no /no/such; what is in the current folder is sent"):
        dataclasses.replace(origin, elsewhere=("/no/such",)).check()


def test_a_host_tells_why_it_refuses():
    host = Host()
    answer = host.begin(b"", told_to_begin(dataclasses.replace(Origin.here(), source="x"), dict, None))
    with pytest.raises(InputError, match="the source of scml-gym"):
        value_of(answer)


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_jobs_are_computed_in_order_whatever_the_workers(workers, tmp_path):
    with Local() as engine, each(written, engine, workers, tmp_path) as execute:
        results = [*execute(range(4)), *execute([4])]
    assert [square for square, _ in results] == [0, 1, 4, 9, 16]
    assert (os.getpid() in {process for _, process in results}) == (workers == 1)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {f"{n}.txt": str(n * n) for n in range(5)}


@pytest.mark.parametrize("workers", [0, 1.5])
def test_workers_are_whole_numbers(workers):
    with pytest.raises(InputError, match=f"workers={workers}; valid"), each(written, Local(), workers):
        pass
