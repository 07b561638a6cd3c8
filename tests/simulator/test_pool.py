"""Pools of specs of all tracks: the worlds of scml's generator, in one file, drawn by seed."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scml_gym.core.errors import InputError
from scml_gym.jit.compile import compiled
from scml_gym.oneshot.worlds import generation as oneshot_generation
from scml_gym.oneshot.worlds import pool as oneshot
from scml_gym.simulator.spec_pool import pool_index
from scml_gym.standard.worlds import generation as standard_generation
from scml_gym.standard.worlds import pool as standard

SEEDS = [3, -4, 5, 2**70, 7, 8, 9, 10]


class Case(NamedTuple):
    """A track's pools."""

    module: Any
    league_spec: Any
    ranges: tuple[Any, ...]  # of small worlds
    options: list[str]  # the same, as the command takes them


CASES = {
    "oneshot": Case(oneshot, oneshot_generation.league_spec, ((3, 6), (1, 3)), ["--days", "3-6", "--factories", "1-3"]),
    "standard": Case(
        standard,
        standard_generation.league_spec,
        ((5, 8), (1, 3), (2, 4)),
        ["--days", "5-8", "--factories", "1-3", "--levels", "2-4"],
    ),
}


@pytest.fixture(scope="module", params=CASES)
def case(request):
    return CASES[request.param]


@pytest.fixture(scope="module")
def pool(case):
    return case.module.SpecPool.generate(SEEDS, *case.ranges)


def test_holds_the_worlds_of_the_league_generator(case, pool):
    assert len(pool) == len(list(pool)) == len(SEEDS)
    for seed, spec in zip(SEEDS, pool, strict=True):
        assert spec.equals(case.league_spec(seed, *case.ranges))
    assert pool[-1].equals(pool[len(SEEDS) - 1])
    with pytest.raises(IndexError):
        pool[len(SEEDS)]


def test_file_holds_everything(case, pool, tmp_path):
    pool.save(tmp_path / "pool.npz")
    loaded = case.module.SpecPool.load(tmp_path / "pool.npz")
    assert (loaded.specs == pool.specs).all() and (loaded.daily == pool.daily).all()
    assert loaded.ranges == pool.ranges and list(pool.ranges.values()) == list(case.ranges)
    assert (loaded.seeds == pool.seeds).all() and loaded.seeds[1] == 2**64 - 4
    assert loaded(11, *case.ranges).equals(pool(11, *case.ranges))


@pytest.mark.slow
def test_workers_change_no_result(case, pool):
    counts = []
    same = case.module.SpecPool.generate(SEEDS, *case.ranges, workers=2, progress=counts.append)
    assert (same.specs == pool.specs).all() and (same.daily == pool.daily).all()
    assert counts == list(range(2, len(SEEDS) + 1))


def test_records_are_what_compiled_worlds_read(pool):
    specs, daily = pool.records()
    tables = pool.tables
    assert specs.dtype == tables.spec_dtype and specs.shape == (len(pool),)
    assert daily.dtype == tables.daily_dtype
    assert daily.shape == (len(pool), specs["n_days"].max(), tables.factories)
    assert all(tables.read(specs[i], daily[i]).equals(pool[i]) for i in range(len(pool)))
    beyond = np.arange(daily.shape[1])[None, :] >= specs["n_days"][:, None]
    assert beyond.any() and not any(daily[name][beyond].any() for name in tables.daily_dtype.names)


def test_draws_by_seed_from_the_worlds_within_the_ranges(case, pool):
    specs = [pool(seed, *case.ranges) for seed in range(-20, 60)]
    assert pool(5, *case.ranges).equals(specs[25])
    assert {place(pool, spec) for spec in specs} == set(
        range(len(pool))
    )  # 80 draws of 8 worlds miss one with a chance of 0.0002
    days, others = pool[2].n_days, case.ranges[1:]
    assert all(pool(seed, days, *others).n_days == days for seed in range(20))
    part = pool.select(days, *others)
    assert [spec.n_days for spec in part] == [days] * len(part) and 0 < len(part) < len(pool)
    assert all(part(seed, days, *others).equals(pool(seed, days, *others)) for seed in range(20))


def place(pool, spec):
    """Which world of a pool a spec is."""
    return next(i for i, world in enumerate(pool) if world.n_factories == spec.n_factories and world.equals(spec))


@pytest.mark.parametrize(
    ("changed", "given", "part"),
    [(0, 9, "days=9, but"), (0, (2, 6), r"days=\(2, 6\), but"), (1, 4, "factories_per_level=4, but"),
     (0, (6, 3), "days="), (1, (0, 3), "factories_per_level=")],
)  # fmt: skip
def test_refuses_ranges_that_it_does_not_hold(case, pool, changed, given, part):
    ranges = list(case.ranges)
    ranges[changed] = given
    with pytest.raises(InputError, match=part):
        pool(0, *ranges)


def test_refuses_ranges_without_a_world(case):
    days = case.ranges[0]
    few = case.module.SpecPool.generate([0], days, *case.ranges[1:])
    missing = next(day for day in range(days[0], days[1] + 1) if day != few[0].n_days)
    with pytest.raises(InputError, match="none of the pool's 1 worlds"):
        few(0, missing, *case.ranges[1:])


@pytest.mark.parametrize("wrong", [{"seeds": []}, {"workers": 0}, {"days": 2}, {"factories_per_level": 9}])
def test_refuses_to_generate(case, wrong):
    with pytest.raises(InputError):
        case.module.SpecPool.generate(**({"seeds": [0], "days": 5, "factories_per_level": 1} | wrong))


@given(seed=st.integers(0, 2**64 - 1), size=st.integers(1, 10**6))
def test_index_is_the_same_in_compiled_code(seed, size):
    index = pool_index(seed, size)
    assert 0 <= index < size and index == compiled_index(np.uint64(seed), size)


@compiled
def compiled_index(seed, size):
    return pool_index(seed, size)


def test_refuses_files_that_are_no_pool(case, tmp_path):
    (tmp_path / "text").write_text("no")
    np.save(tmp_path / "array.npy", np.zeros(3))
    case.league_spec(0, *case.ranges).save(tmp_path / "spec.npz")
    for name in ("missing", "text", "array.npy", "spec.npz"):
        with pytest.raises(InputError, match=name):
            case.module.SpecPool.load(tmp_path / name)


def test_refuses_the_file_of_another_track(case, pool, tmp_path):
    pool.save(tmp_path / "pool.npz")
    other = next(c.module for c in CASES.values() if c is not case)
    with pytest.raises(InputError, match="schema"):
        other.SpecPool.load(tmp_path / "pool.npz")


def test_command_writes_a_pool(case, tmp_path, capsys):
    case.module.main(["--worlds", "3", *case.options, "--seed", "9", "--out", str(tmp_path / "p.npz")])
    made = case.module.SpecPool.load(tmp_path / "p.npz")
    assert len(made) == 3 and made[1].equals(case.league_spec(10, *case.ranges))
    assert "3 worlds" in capsys.readouterr().out


@pytest.mark.parametrize("wrong", [["--days", "2"], ["--worlds", "0"], ["--out", "no/where/p.npz"], ["--days", "x"]])
def test_command_refuses_in_one_line(case, tmp_path, monkeypatch, capsys, wrong):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as error:
        case.module.main(["--worlds", "2", "--factories", "1", "--out", "p.npz", *wrong])
    assert error.value.code == 2 and "error: " in capsys.readouterr().err
    assert not (tmp_path / "p.npz").exists()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="the children of a process are not told here")
def test_workers_end_with_a_process_that_is_killed(tmp_path):
    """And nothing is left of the file that was being made."""
    command = ["-m", "scml_gym.standard.worlds.pool", "--worlds", "100000", "--days", "9", "--workers", "2"]
    deadline, workers = time.monotonic() + 300, []
    with subprocess.Popen(
        [sys.executable, *command, "--out", tmp_path / "pool.npz"], stderr=subprocess.DEVNULL
    ) as made:
        while len(workers) < 3 and time.monotonic() < deadline:  # one of them tracks resources
            time.sleep(0.1)
            workers = Path(f"/proc/{made.pid}/task/{made.pid}/children").read_text().split()
        made.kill()
    assert len(workers) == 3 and not any(tmp_path.iterdir())
    while any(Path(f"/proc/{worker}").exists() for worker in workers):
        assert time.monotonic() < deadline
        time.sleep(0.1)
