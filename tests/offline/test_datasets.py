"""Minari datasets: they load, play again, appear as a whole, and what is wrong is refused in one line."""

import json
import shutil
import subprocess
import sys

import gymnasium
import numpy as np
import pytest

from scml_gym.core.errors import InputError
from scml_gym.offline import command, datasets
from scml_gym.offline.command import dataset_command
from scml_gym.offline.datasets import load_dataset, load_decisions, replay
from scml_gym.offline.playing import play_single
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


def test_each_kind_of_agent_has_a_dataset(tmp_path, monkeypatch):
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    names = dataset_command(["uniform"], "oneshot_factories_v0", ["days=3"], 2, 4, None)
    assert names == ["scml_gym/oneshot_factories/uniform-level-0-v0", "scml_gym/oneshot_factories/uniform-level-1-v0"]
    for name in names:
        dataset = load_dataset(name)
        assert dataset.total_episodes == 2
        assert datasets.env_of(dataset) == {"id": "oneshot_factories_v0", "days": 3}


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
        datasets.take_up(tmp_path)
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
    with pytest.raises(InputError, match=f"the dataset '{name}' cannot be read"):
        load_dataset(name)


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
