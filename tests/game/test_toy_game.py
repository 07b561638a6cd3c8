"""The shared code plays a game that it does not know: environments, evaluation with a ranking, a trained PPO."""

import sys
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test
from pettingzoo.utils import parallel_to_aec

from scml_gym.agents import AGENTS
from scml_gym.core.config import CONFIGS, read_yaml
from scml_gym.core.errors import InputError
from scml_gym.evaluation.config import TournamentConfig
from scml_gym.evaluation.report import write_results
from scml_gym.evaluation.table import read_scores
from scml_gym.evaluation.tournament import run_tournament
from scml_gym.experiments.make_env import can_batch
from scml_gym.experiments.run_folder import Run
from scml_gym.games import game_of
from scml_gym.vector.record_batch import RecordVectorEnv
from tests.helpers import toy_game
from tests.helpers.scripts import ROOT, in_forked_process
from tests.helpers.toy_game import TOY, env, parallel_env

NAME = "tests.helpers.toy_game:TOY"
SMALL = {"total_steps": 32768, "n_envs": 64, "n_steps": 32, "batch_size": 512, "n_epochs": 8, "net_arch": [16]}


def test_it_is_small():
    assert len(Path(toy_game.__file__).read_text().splitlines()) <= 200


def test_a_single_environment():
    env = gymnasium.make("toy/Pie-v0", days=5)
    check_env(env.unwrapped, skip_render_check=True)
    _, info = env.reset(seed=1)
    assert env.action_space.sample(info["action_mask"]) in np.flatnonzero(env.unwrapped.action_masks())
    ends = [env.step(5) for _ in range(5)]
    assert [end for _, _, end, _, _ in ends] == [False] * 4 + [True]
    assert ends[-1][-1]["score"] == pytest.approx(sum(reward for _, reward, _, _, _ in ends) / 5)
    assert ends[-1][-1]["agreements"] > 2
    assert "score" not in ends[0][-1]


def test_a_native_vector_environment():
    envs = gymnasium.make_vec("toy/Pie-v0", 4, "vector_entry_point", opponent="claim?first=6")
    assert isinstance(envs, RecordVectorEnv)
    observations, info = envs.reset(seed=1)
    assert observations.shape == (4, 4) and info["action_mask"].shape == (4, 11)
    assert (envs.step([3] * 4)[0][:, 3] == np.float32(0.6)).all()


def test_a_misuse_is_refused():
    env = gymnasium.make("toy/Pie-v0").unwrapped
    with pytest.raises(InputError, match="call reset before action_masks"):
        env.action_masks()
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(0)
    env.reset(seed=0)
    env.close()
    env.close()
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(0)
    for make in (gymnasium.make, lambda name, **given: gymnasium.make_vec(name, 2, "vector_entry_point", **given)):
        with pytest.raises(InputError, match="did you mean 'claim'"):
            make("toy/Pie-v0", opponent="claims")
        with pytest.raises(InputError, match="did you mean 'opponent'"):
            make("toy/Pie-v0", oponent="claim")


def test_a_parallel_environment():
    parallel_api_test(parallel_env(), num_cycles=50)
    parallel_seed_test(parallel_env)
    api_test(parallel_to_aec(parallel_env()), num_cycles=20)
    api_test(env(days=3), num_cycles=20)
    both = parallel_env(days=3)
    both.reset(seed=3)
    while both.agents:
        elsewhere = {agent: both.view(agent)["elsewhere"].item() for agent in both.agents}
        _, rewards, _, _, infos = both.step({"first": 6, "second": 4})
        assert rewards == {"first": (6 - elsewhere["first"]) / 10, "second": (4 - elsewhere["second"]) / 10}
    assert infos["first"]["agreements"] == 3
    both.reset(seed=3)
    with pytest.raises(InputError, match="third: there is no such agent"):
        both.step({"first": 3, "third": 1})
    with pytest.raises(InputError, match="second: no action"):
        both.step({"first": 3})
    one = parallel_env(agents=["second"])
    one.reset(seed=3)
    assert list(one.step({"second": 4})[1]) == ["second"]
    with pytest.raises(InputError, match="did you mean 'second'"):
        parallel_env(agents=["secnd"])


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    agent = read_yaml(CONFIGS / "agent" / "ppo.yaml") | {"name": "ppo"} | SMALL
    agent |= {"learning_rate": 1e-2, "final_learning_rate": 2e-3, "gamma": 0.9, "reward_scale": 1.0}
    config = {"seed": 1, "agent": agent, "env": {"id": "toy/Pie-v0"}}
    config |= {"checkpoint_minutes": 60, "threads": 1}
    assert can_batch(config["env"])
    learner = AGENTS.get("ppo").build(config["agent"], config["env"])
    run = Run.create(tmp_path_factory.mktemp("toy") / "run", config, "test")
    learner.train(run)
    return run.path


@pytest.mark.slow
def test_a_learner_is_trained_and_ranked(learnt, tmp_path):
    assert game_of("toy/Pie-v0") is TOY
    competitors = (str(learnt), "claim?first=7")
    config = TournamentConfig(game=NAME, competitors=competitors, background=("claim",), worlds=20, days=10, workers=1)
    outcome = run_tournament(config)
    assert not outcome.failures
    write_results(tmp_path / "results", config, outcome, "test")
    table = read_scores(tmp_path / "results" / "scores.csv", NAME)
    scores = table[table["role"] == "competitor"].groupby("competitor")["score"].mean()
    assert scores["run"] > 0.4 > scores["claim?first=7"]
    assert table["agreements"].between(0, 10).all() and table["agreements"].sum() > 100
    assert "first" in (tmp_path / "results" / "ranking.csv").read_text().splitlines()[0]
    assert not (tmp_path / "results" / "profit.png").exists()
    assert (tmp_path / "results" / "levels.png").exists()


@pytest.mark.slow
def test_two_alone():
    competitors = ("claim?first=8&greed=0", "claim?first=2&greed=0")
    rows = run_tournament(
        TournamentConfig(game=NAME, competitors=competitors, one_on_one=True, worlds=3, workers=1)
    ).rows
    mean = {name: np.mean([row["score"] for row in rows if row["competitor"] == name]) for name in competitors}
    assert mean[competitors[0]] > 0.4 > mean[competitors[1]]


@pytest.mark.slow
def test_it_is_ranked_on_the_command_line(tmp_path):
    out = tmp_path / "ranked"
    command = [sys.executable, "evaluate.py", "--game", NAME, "claim", "claim?first=9", "--one-on-one"]
    done = in_forked_process(ROOT, [*command, "--worlds", "2", "--workers", "1", "--out", str(out)])
    assert done.returncode == 0, done.stderr
    assert "claim?first=9" in (out / "ranking.csv").read_text()
    wrong = in_forked_process(ROOT, [*command[:4], "clam"])
    assert wrong.returncode == 2 and "did you mean 'claim'" in wrong.stderr
