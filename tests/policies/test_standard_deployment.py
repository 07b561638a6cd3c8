"""A run trained in an environment of the Standard track plays the league as it played there."""

import json
from typing import Any

import gymnasium
import numpy as np
import pytest
from negmas.helpers import TimeoutCaller
from scml.std.agents import GreedyStdAgent
from scml.utils import anac2024_std

from scml_gym.core.config import CONFIGS, read_yaml
from scml_gym.core.errors import InputError
from scml_gym.core.warnings import quiet
from scml_gym.experiments.make_env import env_arguments
from scml_gym.oneshot.players import player_maker as oneshot_player
from scml_gym.policies.parity import compare_deployment
from scml_gym.policies.run_folders import deploy, load_agent
from scml_gym.simulator.players import STANDARD, track_of
from scml_gym.standard.exported_policies import export_policy
from scml_gym.standard.planner import N_GOALS
from scml_gym.standard.players import player_maker
from scml_gym.standard.view import END, OFFER, new_actions
from tests.helpers.sb3_runs import SMALL, trained
from tests.helpers.standard_views import make_view

RUNS = {"ppo": "standard_daily", "recurrent-ppo": "standard_daily", "maskable-ppo": "standard_concurrent"}


def experiment(name):
    agent = read_yaml(CONFIGS / "agent" / f"{name.replace('-', '_')}.yaml") | {"name": name} | SMALL[name]
    env = read_yaml(CONFIGS / "env" / f"{RUNS[name]}.yaml")
    env |= {"days": 5, "factories_per_level": 2, "history": 1, "backend": "reference"}
    return {"seed": 1, "agent": agent, "env": env, "checkpoint_minutes": 0, "threads": 1}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Tiny trained runs by the learner's name."""
    made = {}
    for name in RUNS:
        made[name] = tmp_path_factory.mktemp("deployment") / name
        trained(made[name], experiment(name))
    return made


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_environment_and_deployment_are_one(runs, name):
    agent = load_agent(runs[name])
    env_id, arguments = env_arguments(agent.env)
    env = gymnasium.make(env_id, **arguments)
    contracts = 0
    for seed in range(3):
        mine, same = compare_deployment(str(runs[name]), seed, agent, env)
        contracts += mine
        assert same
    assert contracts > 0


@pytest.mark.slow
@pytest.mark.parametrize("parallelism", ["parallel", "serial"])
def test_small_tournament_of_scmls_own(runs, parallelism, tmp_path, monkeypatch):
    monkeypatch.setattr(TimeoutCaller, "pool", None)  # forked processes would wait for threads that only this one has
    competitor, parameters = deploy(runs["ppo"], counts=str(tmp_path / "counts"))
    assert track_of(competitor) is STANDARD
    with quiet():
        results: Any = anac2024_std(
            competitors=[competitor, GreedyStdAgent],
            competitor_params=[parameters, {}],
            n_configs=1,
            n_steps=5,
            max_worlds_per_config=2,
            parallelism=parallelism,
            tournament_path=str(tmp_path / "tournament"),
            n_processes=2,
        )
    assert np.isfinite(results.total_scores["score"]).all()
    counts = [json.loads(p.read_text()) for p in (tmp_path / "counts").glob("*.json")]
    worlds = int((results.scores["agent_type"].str.contains("Deployed")).sum())
    assert len(counts) == worlds > 0
    assert all(c["decisions"] >= 5 for c in counts)
    assert all(c["invalid"] == 0 for c in counts)


@pytest.mark.slow
def test_a_run_plays_its_own_game_only(runs):
    assert player_maker(str(runs["ppo"]))(0).synchronous
    with pytest.raises(InputError, match="was trained in the game 'standard' and does not play 'oneshot'"):
        oneshot_player(str(runs["ppo"]))


class Counted:
    """An executor that writes down how it is called."""

    def __init__(self):
        self.calls: list[Any] = []

    def begin(self, view):
        self.calls.append(("begin", int(view["day"])))

    def act(self, view, goals):
        self.calls.append(("act", int(view["day"]), goals[0]))
        return new_actions()

    def end_day(self, view):
        self.calls.append(("end", int(view["day"])))


def test_goals_are_set_once_a_day_at_its_first_decision():
    executor, asked = Counted(), []

    def predict(observation, state=None, mask=None, deterministic=True):
        asked.append(state)
        action = np.zeros(N_GOALS, dtype=np.int64)
        action[0] = len(asked)
        return action, len(asked)

    policy = export_policy(predict, {"id": "scml_gym/StandardDaily-v0", "executor": lambda: executor})
    views = [make_view(suppliers=[(0, 0, 0)] * 2, day=day) for day in range(3)]
    policy.begin(views[0])
    policy.end_day(views[0])  # nobody asked on the first day
    for view in views[1:]:
        policy.act(view)
        policy.act(view)
        policy.end_day(view)
    assert asked == [None, 1]
    assert executor.calls == [
        *[("begin", 1), ("end", 0), ("act", 1, 2.0), ("act", 1, 2.0), ("end", 1)],
        *[("act", 2, 4.0), ("act", 2, 4.0), ("end", 2)],
    ]


def test_a_joint_policy_answers_by_the_environments_codec():
    def predict(observation, state=None, mask=None, deterministic=True):
        assert mask is not None
        return np.tile([2, 3, 1, 0], 16), None

    view = make_view(suppliers=[(0, 0, 0)] * 2)
    answers = export_policy(predict, {"id": "scml_gym/StandardConcurrent-v0"}).act(view)
    assert answers["response"][:2].tolist() == [OFFER, OFFER]
    assert (answers["quantity"][0], answers["day"][0], answers["price"][0]) == (4, 4, 14)
    assert END not in answers["response"][:2]


def no_action(observation, state=None, mask=None, deterministic=True):
    """A policy that is never asked."""
    raise AssertionError


@pytest.mark.parametrize("env_id", ["scml_gym/StandardDaily-v0", "scml_gym/StandardConcurrent-v0"])
def test_what_cannot_be_deployed_is_refused_before_it_is_asked(env_id):
    with pytest.raises(InputError, match="observability='full'"):
        export_policy(no_action, {"id": env_id, "observability": "full"})
    with pytest.raises(InputError, match="did you mean 'stock'"):
        export_policy(no_action, {"id": env_id, "stok": "league"})
