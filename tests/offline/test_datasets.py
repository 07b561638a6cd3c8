"""Minari datasets: they load, play again, appear as a whole, and what is wrong is refused in one line."""

import json
import shutil
import subprocess
import sys

import gymnasium
import numpy as np
import pytest

from scml_gym.core.errors import InputError
from scml_gym.offline import command
from scml_gym.offline.command import dataset_command
from scml_gym.offline.datasets import take_up
from scml_gym.offline.playing import play_single
from scml_gym.offline.reading import env_of, load_dataset, load_decisions, replay
from tests.helpers.offline import CONCURRENT, SMALL, small_dataset

minari = pytest.importorskip("minari", reason="pip install 'scml-gym[offline]'")


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_a_dataset_loads_and_plays_again(tmp_path, monkeypatch):
    name = small_dataset(monkeypatch, tmp_path)
    assert name == "tests/best-subset-v0"
    dataset = minari.load_dataset(name)
    assert dataset.total_episodes == 12
    assert dataset.spec.env_spec.id == CONCURRENT
    assert dataset.spec.env_spec.kwargs["days"] == 3
    assert replay(load_dataset(name)) == dataset.total_steps
    assert [about["seed"] for about in dataset.storage.get_episode_metadata(range(12))] == list(range(12))
    env = dataset.recover_environment()
    decisions = load_decisions([name, name], env.observation_space, env.action_space)
    assert len(decisions.actions) == 2 * dataset.total_steps
    assert decisions.episodes[-1] == 23
    chosen = np.arange(len(decisions.actions))[:, None], 22 * np.arange(8) + decisions.actions
    assert decisions.masks[chosen].all()


def test_days_play_again_one_after_the_other(tmp_path, monkeypatch):
    name = small_dataset(
        monkeypatch, tmp_path, "episode=day", "reward=regret", "observation=entities", competitor="greedy", episodes=7
    )
    dataset = load_dataset(name)
    assert dataset.total_episodes == 7
    seeds = [about.get("seed") for about in dataset.storage.get_episode_metadata(range(7))]
    assert seeds[0] == 0 and None in seeds
    assert replay(dataset) == dataset.total_steps


def test_a_competitor_plays_among_copies_of_itself(tmp_path, monkeypatch):
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    names = dataset_command(["best-subset", "greedy"], CONCURRENT, list(SMALL), 2, 0, "among", copies=2)
    for name, competitor in zip(names, ("best-subset", "greedy"), strict=True):
        dataset = load_dataset(name)
        played = dataset.spec.env_spec.kwargs["opponents"]
        assert played == ["best-subset", "greedy", "random", competitor, competitor]
        assert replay(dataset) == dataset.total_steps


@pytest.mark.parametrize(
    ("competitor", "options", "copies", "message"),
    [
        ("greedy", [], 1, "--copies 1: no list of opponents is given"),
        ("uniform", list(SMALL), 2, "--copies 2: env.opponents"),
        ("greedy", list(SMALL), -1, "--copies=-1; valid: 0 or more"),
        ("greedy", list(SMALL), True, "--copies=True; valid"),
    ],
)
def test_copies_that_cannot_be_are_refused(competitor, options, copies, message, tmp_path, monkeypatch):
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    with pytest.raises(InputError) as refused:
        dataset_command([competitor], CONCURRENT, options, 1, 0, None, copies=copies)
    assert message in str(refused.value) and "\n" not in str(refused.value)
    assert files(tmp_path) == []


def test_each_kind_of_agent_has_a_dataset(tmp_path, monkeypatch):
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    names = dataset_command(["uniform"], "oneshot_factories_v0", ["days=3"], 2, 4, None)
    assert names == ["scml_gym/oneshot_factories/uniform-level-0-v0", "scml_gym/oneshot_factories/uniform-level-1-v0"]
    for name in names:
        dataset = load_dataset(name)
        assert dataset.total_episodes == 2
        assert env_of(dataset) == {"id": "oneshot_factories_v0", "days": 3}


def test_what_a_kill_leaves_is_removed_or_appears_where_it_was_whole(tmp_path, monkeypatch):
    name = small_dataset(monkeypatch, tmp_path)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = tmp_path / f".datasets.{gone.pid}.unfinished"
    for whole, content in ((True, f'["{name}", "tests/other-v0"]'), (False, ""), (False, None)):
        (left / "tests").mkdir(parents=True)
        (tmp_path / name).rename(left / name)
        if content is not None:
            (left / "whole.json").write_text(content)
        if whole:
            (left / name).rename(tmp_path / name)  # the first of two had appeared before the kill
            shutil.copytree(tmp_path / name, left / "tests" / "other-v0")
        take_up(tmp_path)
        assert not left.exists()
        assert (tmp_path / name).exists() == whole
        if whole:
            assert (tmp_path / "tests" / "other-v0" / "data").is_dir()
            shutil.move(tmp_path / "tests" / "other-v0", tmp_path / "kept")
        shutil.copytree(tmp_path / "kept", tmp_path / name, dirs_exist_ok=True)


@pytest.mark.parametrize(
    "change",
    [
        {"entry_point": "evil:Env"},
        {"kwargs": {"days": 3, "opponents": ["evil:Name"]}},
        {"additional_wrappers": [{"name": "W", "entry_point": "evil:W", "kwargs": {}}]},
    ],
)
def test_a_dataset_of_others_runs_no_code(tmp_path, monkeypatch, change):
    name = small_dataset(monkeypatch, tmp_path)
    assert replay(load_dataset(name)) > 0
    path = tmp_path / name / "data" / "metadata.json"
    facts = json.loads(path.read_text())
    facts["env_spec"] = json.dumps(json.loads(facts["env_spec"]) | change)
    path.write_text(json.dumps(facts))
    with pytest.raises(InputError, match=r"it names 'evil:\w+', which would be imported and run; .* --trust"):
        replay(load_dataset(name))


def test_what_is_interrupted_leaves_nothing(tmp_path, monkeypatch):
    played = []

    def stopped_at_the_third(env, behaviour, seed):
        played.append(seed)
        if len(played) == 3:
            raise KeyboardInterrupt
        yield from play_single(env, behaviour, seed)

    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    monkeypatch.setattr(command, "can_batch", lambda env: False)
    monkeypatch.setattr(command, "ROWS", 1)  # so that two episodes are written by then
    monkeypatch.setattr(command, "play_single", stopped_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        dataset_command(["best-subset"], CONCURRENT, list(SMALL), 5, 0, None)
    assert played == [0, 1, 2]
    assert files(tmp_path) == []


@pytest.mark.parametrize("workers", [0, 1.5])
def test_workers_are_whole_numbers(workers, tmp_path, monkeypatch):
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    with pytest.raises(InputError, match=f"--workers={workers}; valid"):
        dataset_command(["best-subset"], CONCURRENT, list(SMALL), 1, 0, None, workers)


def test_seeds_are_those_that_a_dataset_can_keep(tmp_path, monkeypatch):
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    with pytest.raises(InputError, match="--seed=9223372036854775806; valid: 0 to 9223372036854775805"):
        dataset_command(["best-subset"], CONCURRENT, list(SMALL), 2, 2**63 - 2, "wrong")
    last = 2**63 - 3
    (name,) = dataset_command(["best-subset"], CONCURRENT, list(SMALL), 2, last, "tests")
    dataset = load_dataset(name)
    assert [about["seed"] for about in dataset.storage.get_episode_metadata(range(2))] == [last, last + 1]
    assert replay(dataset) == dataset.total_steps


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["best-subset"], CONCURRENT, [], 0), "--episodes=0; valid: 1 or more"),
        ((["best-subsett"], CONCURRENT, [], 1), "unknown strategy 'best-subsett'; did you mean 'best-subset'?"),
        ((["penguin"], CONCURRENT, [], 1), "unknown strategy 'penguin'"),
        ((["scml:GreedyOneShotAgent"], CONCURRENT, [], 1), "is an scml agent, which is asked by its simulation alone"),
        ((["best-subset"], CONCURRENT, ["action=planner"], 1), "'best-subset' cannot act in scml_gym/OneShotConcurr"),
        ((["best-subset"], "CartPole-v1", [], 1), "--env CartPole-v1: there is no such environment"),
        ((["best-subset"], CONCURRENT, ["dayz=3"], 1), "env.dayz: unknown key; did you mean 'days'?"),
        ((["greedy", "greedy"], CONCURRENT, [], 1), "'greedy': two datasets would be named"),
        ((["zoo:dcl"], CONCURRENT, [], 1), "zoo:dcl"),
        ((["greedy?own_needs=1." + "0" * 300], CONCURRENT, [], 1), "is no name of a dataset; valid: letters"),
    ],
)
def test_what_is_wrong_is_refused_before_anything_is_written(arguments, message, tmp_path, monkeypatch):
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    with pytest.raises(InputError) as refused:
        dataset_command(*arguments, 0, None)
    assert message in str(refused.value) and "\n" not in str(refused.value)
    assert files(tmp_path) == []


def test_a_name_that_is_taken_is_refused(tmp_path, monkeypatch):
    name = small_dataset(monkeypatch, tmp_path, episodes=1)
    before = files(tmp_path)
    with pytest.raises(InputError, match=f"the dataset '{name}' exists already"):
        small_dataset(monkeypatch, tmp_path, episodes=1)
    assert files(tmp_path) == before


def test_datasets_of_others_are_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    with pytest.raises(InputError, match="there is no dataset 'mine-v0'"):
        load_dataset("mine-v0")
    with pytest.warns(UserWarning):
        minari.create_dataset_from_buffers("mine-v0", [], env=gymnasium.make("CartPole-v1"))
    with pytest.raises(InputError, match="the dataset 'mine-v0' is of CartPole-v1, which is none of scml_gym"):
        load_dataset("mine-v0")
    name = small_dataset(monkeypatch, tmp_path, episodes=1)
    with pytest.raises(InputError, match="which are not those of this environment"):
        load_decisions([name], gymnasium.spaces.Discrete(2), gymnasium.spaces.Discrete(2))
    (tmp_path / name / "data" / "metadata.json").write_text("{}")
    with pytest.raises(InputError, match=f"the dataset '{name}': cannot be read"):
        load_dataset(name)


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("observations", None, "cannot be read as one of Minari"),
        ("observations", np.nan, "has other observations or actions than it says"),
        ("actions", 22, "has other observations or actions than it says"),
        ("actions", np.zeros(3), "has other observations or actions than it says"),
        ("infos/action_mask", False, "its mask forbids the action of step 0"),
        ("infos/action_mask", np.ones((1, 176), dtype=bool), "cannot be read as one of Minari"),
        ("", None, "cannot be read as one of Minari"),
    ],
)
def test_damaged_episodes_are_told_in_one_line(part, value, message, tmp_path, monkeypatch):
    h5py = pytest.importorskip("h5py")
    name = small_dataset(monkeypatch, tmp_path, episodes=1)
    env = load_dataset(name).recover_environment()
    with h5py.File(tmp_path / name / "data" / "main_data.hdf5", "a") as file:
        path = f"episode_0/{part}".rstrip("/")
        if np.ndim(value) or value is None:
            del file[path]
        if np.ndim(value):
            file[path] = value
        elif value is not None:
            file[path][...] = value
    with pytest.raises(InputError) as refused:
        load_decisions([name], env.observation_space, env.action_space)
    assert message in str(refused.value) and "\n" not in str(refused.value)


def test_what_is_no_dataset_is_told_in_one_line(tmp_path, monkeypatch):
    name = small_dataset(monkeypatch, tmp_path, episodes=1)
    data = tmp_path / name / "data"
    file, whole = data / "main_data.hdf5", (data / "main_data.hdf5").read_bytes()
    for content in (b"", whole[:900], bytes(5000)):
        file.write_bytes(content)
        with pytest.raises(InputError, match=f"the dataset '{name}': cannot be read as one of Minari"):
            replay(load_dataset(name))
    about = json.loads((data / "metadata.json").read_text())
    for facts in ("x", [], {"env": "x"}, {"env": {"id": []}}):
        (data / "metadata.json").write_text(json.dumps(about | {"scml_gym": facts}))
        with pytest.raises(InputError, match=f"the dataset '{name}': cannot be read as one of Minari"):
            load_dataset(name)
    for content in ("[]", "[" * 100_000):
        (data / "metadata.json").write_text(content)
        with pytest.raises(InputError, match=f"the dataset '{name}': cannot be read as one of Minari"):
            load_dataset(name)


def test_where_there_can_be_no_datasets_a_line_says_so(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "file"))
    for use in (lambda: dataset_command(["best-subset"], CONCURRENT, [], 1, 0, None), lambda: load_dataset("mine-v0")):
        with pytest.raises(InputError, match=r"MINARI_DATASETS_PATH=.*/file: File exists; valid: a folder"):
            use()
    assert (tmp_path / "file").read_text() == "mine"


def test_a_dataset_of_pettingzoo_is_not_played_again(tmp_path, monkeypatch):
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    for name in dataset_command(["uniform"], "oneshot_factories_v0", ["days=3"], 1, 4, None):
        with pytest.raises(InputError, match=f"'{name}' is of no Gymnasium environment"):
            replay(load_dataset(name))


def test_the_folder_of_datasets_may_be_named_from_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = small_dataset(monkeypatch, "here", episodes=1)
    assert (tmp_path / "here" / name / "data").is_dir()
    assert not (tmp_path / "here" / "here").exists()


def test_without_minari_a_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "minari", None)
    with pytest.raises(InputError, match=r"datasets need minari: pip install 'scml-gym\[offline\]'"):
        dataset_command(["best-subset"], CONCURRENT, [], 1, 0, None)


@pytest.mark.slow
def test_the_command_tells_what_it_wrote(tmp_path, command_line, monkeypatch):
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "data"))
    options = [part for option in SMALL for part in ("--set", option)]
    done = command_line("evaluate.py", "dataset", "best-subset", "--env", CONCURRENT, "--episodes", 2, *options)
    assert (done.returncode, done.stdout) == (0, "scml_gym/OneShotConcurrent/best-subset-v0\n"), done.stderr
    again = command_line("evaluate.py", "dataset", "best-subset", "--env", CONCURRENT, "--episodes", 2, *options)
    assert again.returncode == 2
    assert again.stderr.count("\n") == 1 and "exists already" in again.stderr
