"""What is written is what Minari's own writer would have written, and Minari goes on in it."""

import time

import numpy as np
import pytest
from gymnasium import spaces

from scml_gym.offline.playing import AGENT, Episode

minari = pytest.importorskip("minari", reason="pip install 'scml-gym[offline]'")
h5py = pytest.importorskip("h5py")

SPACES = {
    "observation_space": spaces.Dict({"own": spaces.Box(-1, 1, (3,)), "others": spaces.Box(-1, 1, (2, 3))}),
    "action_space": spaces.MultiDiscrete([4, 4]),
}


def episode(steps, agent=AGENT, seed=None):
    draw = np.random.default_rng(steps)
    summary = np.zeros(steps + 1, dtype=[("score", "f8"), ("level", "S16"), ("won", "?"), ("prices", "i8", (2,))])
    summary[-1] = (1.5, b"seller", True, (3, 4))
    infos = {"action_mask": draw.random((steps + 1, 8)) > 0.5, "ideal": draw.random(steps + 1), "summary": summary}
    seen = {"own": draw.random((steps + 1, 3), np.float32), "others": draw.random((steps + 1, 2, 3), np.float32)}
    ends = np.arange(steps) == steps - 1
    actions = draw.integers(0, 4, (steps, 2))
    return Episode("kind", agent, seed, seen, actions, draw.random(steps), ends, ~ends, infos)


EPISODES = [episode(5, seed=7), episode(2), episode(1, "factory_1", 2**40)]


def as_buffer(played):
    return minari.data_collector.EpisodeBuffer(
        seed=played.seed,
        options=None if played.agent == AGENT else {"agent": played.agent},
        **{
            name: getattr(played, name)
            for name in ("observations", "actions", "rewards", "terminations", "truncations")
        },
        infos=played.infos,
    )


def made(folder, monkeypatch):
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(folder))
    with pytest.warns(UserWarning):
        return minari.create_dataset_from_buffers("tests/small-v0", [], **SPACES).storage


def contents(storage):
    """Everything that the file of a dataset holds, by path."""
    found = {}

    def tell(path, item):
        if isinstance(item, h5py.Dataset):
            found[path] = (item.shape, item.dtype, item[()].tobytes())
        for name, value in item.attrs.items():
            found[f"{path}@{name}"] = (type(value), value)

    with h5py.File(storage.data_path / "main_data.hdf5") as file:
        file.visititems(tell)
        return list(file), found


def test_both_writers_write_the_same(tmp_path, monkeypatch):
    from scml_gym.offline.hdf5 import add_episodes

    ours, theirs = made(tmp_path / "ours", monkeypatch), made(tmp_path / "theirs", monkeypatch)
    add_episodes(ours, EPISODES[:2])
    add_episodes(ours, EPISODES[2:])
    theirs.update_episodes([as_buffer(played) for played in EPISODES])
    assert contents(ours) == contents(theirs)
    facts = [{k: v for k, v in s.metadata.items() if k != "dataset_size"} for s in (ours, theirs)]
    assert facts[0] == facts[1] and facts[0]["total_steps"] == 8
    assert list(ours.get_episode_metadata(range(3))) == list(theirs.get_episode_metadata(range(3)))


def test_the_same_episodes_are_the_same_bytes_a_second_later(tmp_path, monkeypatch):
    from scml_gym.offline.hdf5 import add_episodes

    written = []
    for name in ("first", "second"):
        storage = made(tmp_path / name, monkeypatch)
        add_episodes(storage, EPISODES)
        written.append((storage.data_path / "main_data.hdf5").read_bytes())
        time.sleep(1.1)  # HDF5 counts seconds
    assert written[0] == written[1]


def test_minari_goes_on_in_what_is_written(tmp_path, monkeypatch):
    from scml_gym.offline.hdf5 import add_episodes

    storage = made(tmp_path, monkeypatch)
    add_episodes(storage, EPISODES)
    storage.update_episodes([as_buffer(episode(4, seed=9))])
    dataset = minari.load_dataset("tests/small-v0")
    assert [len(played) for played in dataset.iterate_episodes()] == [5, 2, 1, 4]
    assert dataset[3].infos["summary"]["level"][-1] == b"seller"
