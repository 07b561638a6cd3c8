"""The pool of specs: the worlds of scml's generator, in one file, drawn by seed."""

import gymnasium
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scml_gym  # noqa: F401
from scml_gym.core.errors import InputError
from scml_gym.jit.compile import compiled
from scml_gym.oneshot.worlds.generation import league_spec
from scml_gym.oneshot.worlds.pool import SpecPool, main, pool_index
from scml_gym.oneshot.worlds.spec import MAX_FACTORIES
from scml_gym.oneshot.worlds.spec_record import DAILY_DTYPE, SPEC_DTYPE, read_spec

SEEDS = [3, -4, 5, 2**70, 7, 8, 9, 10]


@pytest.fixture(scope="module")
def pool():
    return SpecPool.generate(SEEDS, days=(3, 6), factories_per_level=(1, 3))


def test_holds_the_worlds_of_the_league_generator(pool):
    assert len(pool) == len(list(pool)) == len(SEEDS)
    for seed, spec in zip(SEEDS, pool, strict=True):
        assert spec.equals(league_spec(seed, (3, 6), (1, 3)))
    assert pool[-1].equals(pool[len(SEEDS) - 1])
    with pytest.raises(IndexError):
        pool[len(SEEDS)]


def test_file_holds_everything(pool, tmp_path):
    pool.save(tmp_path / "pool.npz")
    loaded = SpecPool.load(tmp_path / "pool.npz")
    assert (loaded.specs == pool.specs).all() and (loaded.daily == pool.daily).all()
    assert (loaded.days, loaded.factories_per_level) == ((3, 6), (1, 3))
    assert (loaded.seeds == pool.seeds).all() and loaded.seeds[1] == 2**64 - 4
    assert loaded(11, (3, 6), (1, 3)).equals(pool(11, (3, 6), (1, 3)))


def test_workers_change_no_result(pool):
    counts = []
    same = SpecPool.generate(SEEDS, (3, 6), (1, 3), workers=2, progress=counts.append)
    assert (same.specs == pool.specs).all() and (same.daily == pool.daily).all()
    assert counts == list(range(2, len(SEEDS) + 1))


def test_records_are_what_compiled_worlds_read(pool):
    specs, daily = pool.records()
    assert specs.dtype == SPEC_DTYPE and specs.shape == (len(pool),)
    assert daily.dtype == DAILY_DTYPE and daily.shape == (len(pool), specs["n_days"].max(), MAX_FACTORIES)
    assert all(read_spec(specs[i], daily[i]).equals(pool[i]) for i in range(len(pool)))
    beyond = np.arange(daily.shape[1])[None, :] >= specs["n_days"][:, None]
    assert beyond.any() and not any(daily[name][beyond].any() for name in DAILY_DTYPE.names)


def test_draws_by_seed_from_the_worlds_within_the_ranges(pool):
    specs = [pool(seed, (3, 6), (1, 3)) for seed in range(-20, 60)]
    assert pool(5, (3, 6), (1, 3)).equals(specs[25])
    drawn = {i for spec in specs for i in range(len(pool)) if spec.equals(pool[i])}
    assert drawn == set(range(len(pool)))  # 80 draws of 8 worlds miss one with a chance of 0.0002
    days = pool[2].n_days
    assert all(pool(seed, days, (1, 3)).n_days == days for seed in range(20))
    part = pool.select(days, (1, 3))
    assert [spec.n_days for spec in part] == [days] * len(part) and 0 < len(part) < len(pool)
    assert all(part(seed, days, (1, 3)).equals(pool(seed, days, (1, 3))) for seed in range(20))


@pytest.mark.parametrize(
    ("days", "factories", "part"),
    [(7, (1, 3), "days=7, but"), ((2, 6), (1, 3), r"days=\(2, 6\), but"), ((3, 6), 4, "factories_per_level=4, but"),
     ((6, 3), (1, 3), "days="), ((3, 6), (0, 3), "factories_per_level=")],
)  # fmt: skip
def test_refuses_ranges_that_it_does_not_hold(pool, days, factories, part):
    with pytest.raises(InputError, match=part):
        pool(0, days, factories)


def test_refuses_ranges_without_a_world():
    few = SpecPool.generate([0], days=(3, 6), factories_per_level=1)
    missing = next(day for day in range(3, 7) if day != few[0].n_days)
    with pytest.raises(InputError, match="none of the pool's 1 worlds"):
        few(0, missing, 1)


@pytest.mark.parametrize("wrong", [{"seeds": []}, {"workers": 0}, {"days": 2}, {"factories_per_level": 9}])
def test_refuses_to_generate(wrong):
    with pytest.raises(InputError):
        SpecPool.generate(**({"seeds": [0], "days": 3, "factories_per_level": 1} | wrong))


@given(seed=st.integers(0, 2**64 - 1), size=st.integers(1, 10**6))
def test_index_is_the_same_in_compiled_code(seed, size):
    index = pool_index(seed, size)
    assert 0 <= index < size and index == compiled_index(np.uint64(seed), size)


@compiled
def compiled_index(seed, size):
    return pool_index(seed, size)


def test_environment_takes_it_as_a_generator(pool):
    env = gymnasium.make("scml_gym/OneShotConcurrent-v0", generator=pool, days=(3, 6), factories_per_level=(1, 3))
    env.reset(seed=0)
    with pytest.raises(InputError, match="days=50, but the pool"):
        gymnasium.make("scml_gym/OneShotConcurrent-v0", generator=pool, factories_per_level=(1, 3))


def damaged(pool, folder, **changes):
    pool.save(folder / "good.npz")
    with np.load(folder / "good.npz") as data:
        content = dict(data) | changes
    np.savez(folder / "bad.npz", **{name: value for name, value in content.items() if value is not None})
    return folder / "bad.npz"


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"schema": np.array("other")}, "schema 'other'"),
        ({"lines": None}, "schema"),
        ({"lines": np.zeros((8, 3), np.int64)}, r"lines is int64 of shape \(8, 3\)"),
        ({"disposal_cost": np.zeros((8, 6, 16), np.float32)}, "disposal_cost is float32"),
        ({"exogenous_quantity": np.zeros(8, np.int64)}, "exogenous_quantity"),
        ({"n_days": np.full(8, 7)}, "n_days is not 1 to 6"),
        ({"n_sellers": np.zeros(8, np.int64)}, "n_sellers is not 1 to 8"),
    ],
)
def test_refuses_files_that_do_not_fit(pool, tmp_path, changes, part):
    with pytest.raises(InputError, match=part):
        SpecPool.load(damaged(pool, tmp_path, **changes))


def test_refuses_files_that_are_no_pool(tmp_path):
    (tmp_path / "text").write_text("no")
    np.save(tmp_path / "array.npy", np.zeros(3))
    league_spec(0, 3, 1).save(tmp_path / "spec.npz")
    for name in ("missing", "text", "array.npy", "spec.npz"):
        with pytest.raises(InputError, match=name):
            SpecPool.load(tmp_path / name)


def test_command_writes_a_pool(tmp_path, capsys):
    main(["--worlds", "3", "--days", "3-4", "--factories", "2", "--seed", "9", "--out", str(tmp_path / "p.npz")])
    made = SpecPool.load(tmp_path / "p.npz")
    assert len(made) == 3 and made[1].equals(league_spec(10, (3, 4), 2))
    assert "3 worlds" in capsys.readouterr().out


@pytest.mark.parametrize("wrong", [["--days", "2"], ["--worlds", "0"], ["--out", "no/where/p.npz"], ["--days", "x"]])
def test_command_refuses_in_one_line(tmp_path, monkeypatch, capsys, wrong):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as error:
        main(["--worlds", "2", "--factories", "1", "--out", "p.npz", *wrong])
    assert error.value.code == 2 and "error: " in capsys.readouterr().err
    assert not (tmp_path / "p.npz").exists()
