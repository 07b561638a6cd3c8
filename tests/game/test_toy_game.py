"""The shared code plays a game that it does not know: environments, evaluation with a ranking, a trained PPO."""

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import parallel_api_test

from agents import AGENTS
from scml_gym.core.config import CONFIGS, read_yaml
from scml_gym.core.errors import InputError
from scml_gym.evaluation.config import TournamentConfig
from scml_gym.evaluation.report import write_results
from scml_gym.evaluation.table import read_scores
from scml_gym.evaluation.tournament import run_tournament
from scml_gym.experiments.run_folder import Run
from scml_gym.games import game_of
from tests.helpers.toy_game import TOY, parallel_env

NAME = "tests.helpers.toy_game:TOY"
SMALL = {"total_steps": 4096, "n_envs": 8, "n_steps": 64, "batch_size": 128, "n_epochs": 4, "net_arch": [16]}


def test_a_single_environment():
    env = gymnasium.make("toy/Pie-v0", opponent="fair")
    check_env(env.unwrapped, skip_render_check=True)
    env.reset(seed=1)
    rewards = [env.step(2)[1] for _ in range(5)]
    assert rewards == [0.5] * 5
    observation, info = env.reset()
    assert env.observation_space.contains(observation)
    assert info["action_mask"].all()


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
    with pytest.raises(InputError, match="did you mean 'fair'"):
        gymnasium.make("toy/Pie-v0", opponent="fairr")


def test_a_parallel_environment():
    parallel_api_test(parallel_env(), num_cycles=50)
    env = parallel_env(days=3)
    env.reset(seed=3)
    while env.agents:
        _, rewards, _, _, infos = env.step({"first": 3, "second": 1})
        assert rewards == {"first": 0.75, "second": 0.25}
    assert infos["first"]["score"] == 0.75
    env.reset(seed=3)
    with pytest.raises(InputError, match="third: there is no such agent"):
        env.step({"first": 3, "third": 1})
    with pytest.raises(InputError, match="second: no action"):
        env.step({"first": 3})


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    agent = read_yaml(CONFIGS / "agent" / "ppo.yaml") | {"name": "ppo"} | SMALL
    agent |= {"learning_rate": 3e-3, "final_learning_rate": 3e-3, "gamma": 0.0, "reward_scale": 1.0}
    config = {"seed": 1, "agent": agent, "env": {"id": "toy/Pie-v0", "opponent": "modest"}}
    config |= {"checkpoint_minutes": 60, "threads": 1}
    learner = AGENTS.get("ppo").build(config["agent"], config["env"])
    run = Run.create(tmp_path_factory.mktemp("toy") / "run", config, "test")
    learner.train(run)
    return run.path


def test_a_learner_is_trained_and_ranked(learnt, tmp_path):
    assert game_of("toy/Pie-v0") is TOY
    config = TournamentConfig(game=NAME, competitors=(str(learnt),), field=("modest",), worlds=4, days=5)
    outcome = run_tournament(config)
    assert not outcome.failures
    write_results(tmp_path / "results", config, outcome, "test")
    table = read_scores(tmp_path / "results" / "scores.csv", NAME)
    scores = table[table["role"] == "competitor"].groupby("competitor")["score"].mean()
    assert scores["run"] == pytest.approx(0.75)  # the best answer to a modest player
    assert np.allclose(table["gained"], 5 * table["score"])
    assert "first" in (tmp_path / "results" / "ranking.csv").read_text().splitlines()[0]
    assert not (tmp_path / "results" / "profit.png").exists()
    assert (tmp_path / "results" / "levels.png").exists()


def test_two_alone():
    rows = run_tournament(TournamentConfig(game=NAME, competitors=("greedy", "modest"), one_on_one=True, worlds=2)).rows
    assert {(row["competitor"], row["score"]) for row in rows} == {("greedy", 0.75), ("modest", 0.25)}
