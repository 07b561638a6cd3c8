"""A trained run plays the league as it played its environment, and nothing stands in for it."""

import json
import shutil
from typing import Any

import gymnasium
import numpy as np
import pytest
from negmas.helpers import TimeoutCaller
from scml.oneshot.agents import SyncRandomOneShotAgent
from scml.utils import anac2024_oneshot

from scml_gym.core.errors import InputError
from scml_gym.core.warnings import quiet
from scml_gym.experiments.make_env import env_arguments
from scml_gym.oneshot.exported_policies import JointPolicy, PartnerPolicy
from scml_gym.oneshot.players import player_maker
from scml_gym.oneshot.view import ACCEPT, MAX_PARTNERS, SELLER, new_view
from scml_gym.oneshot.worlds.generation import league_spec
from scml_gym.oneshot.worlds.reference import ReferenceWorld
from scml_gym.policies.parity import compare_deployment
from scml_gym.policies.run_folders import deploy, load_agent
from tests.helpers.sb3_runs import experiment, trained

pytestmark = pytest.mark.slow

JOINT = ["maskable-ppo", "recurrent-ppo"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Tiny trained runs by the learner's name."""
    made = {}
    for name in [*JOINT, "dqn"]:
        changes = {"env": {"history": 2}} if name == "maskable-ppo" else {}
        made[name] = tmp_path_factory.mktemp("deployment") / name
        trained(made[name], experiment(name, **changes))
    return made


@pytest.mark.parametrize("name", JOINT)
def test_environment_and_deployment_are_one(runs, name):
    agent = load_agent(runs[name])
    env_id, arguments = env_arguments(agent.env)
    env = gymnasium.make(env_id, **arguments)
    contracts = 0
    for seed in range(5):
        mine, same = compare_deployment(str(runs[name]), seed, agent, env)
        contracts += mine
        assert same
    assert contracts > 0


@pytest.mark.parametrize("name", [*JOINT, "dqn"])
def test_run_folder_plays_a_world(runs, name):
    spec = league_spec(0, days=3)
    make, other = player_maker(str(runs[name])), player_maker("best-subset")
    world = ReferenceWorld(spec, [make(0) if i in (0, spec.n_sellers) else other(0) for i in range(spec.n_factories)])
    world.run()
    for i in (0, spec.n_sellers):
        assert world.agents[i].decisions > 0


@pytest.mark.parametrize("parallelism", ["parallel", "serial"])
def test_small_tournament_of_scmls_own(runs, parallelism, tmp_path, monkeypatch):
    monkeypatch.setattr(TimeoutCaller, "pool", None)  # forked processes would wait for threads that only this one has
    competitor, parameters = deploy(runs["maskable-ppo"], counts=str(tmp_path / "counts"))
    with quiet():
        results: Any = anac2024_oneshot(
            competitors=[competitor, SyncRandomOneShotAgent],
            competitor_params=[parameters, {}],
            n_configs=1,
            n_steps=3,
            max_worlds_per_config=2,
            parallelism=parallelism,
            tournament_path=str(tmp_path / "tournament"),
        )
    assert len(results.total_scores) == 2
    assert np.isfinite(results.total_scores["score"]).all()
    counts = [json.loads(p.read_text()) for p in (tmp_path / "counts").glob("*.json")]
    worlds = int((results.scores["agent_type"].str.contains("Deployed")).sum())
    assert len(counts) == worlds > 0
    assert all(c["decisions"] >= 3 for c in counts)  # it acted on every day
    assert all(c["invalid"] == 0 for c in counts)


def test_partners_are_answered_in_order_with_what_is_left():
    view = new_view()
    view["level"], view["lines"], view["needs"] = SELLER, 10, 5
    view["min_quantity"], view["max_quantity"], view["min_price"], view["max_price"] = 1, 10, 9, 10
    partners = view["partners"]
    partners["exists"][:3] = partners["running"][:3] = partners["my_turn"][:3] = 1
    partners["offer_quantity"][:3], partners["offer_price"][:3] = 2, 10
    seen = []

    def accept(observation, state=None, mask=None, deterministic=True):
        seen.append(int(observation))
        return 1, None

    actions = PartnerPolicy(accept, {"observation": "needs"}).act(view)
    assert list(actions["response"][:3]) == [ACCEPT] * 3
    assert len(actions) == MAX_PARTNERS
    assert seen == [5, 3, 1]  # the index of the state "needs" is the quantity needed
    assert view["needs"] == 5


def test_a_policy_of_one_negotiation_remembers_each_of_them_until_the_day_ends():
    view = new_view()
    view["partners"]["my_turn"][:2] = view["partners"]["exists"][:2] = view["partners"]["running"][:2] = 1
    told = []

    def count(observation, state, mask, deterministic):
        told.append(state or 0)
        return 0, (state or 0) + 1

    player = PartnerPolicy(count, {"observation": "needs"})
    player.begin(view)
    player.act(view)
    view["partners"]["my_turn"][0] = 0
    player.act(view)
    view["partners"]["my_turn"][0] = 1
    player.act(view)
    player.end_day(view)
    player.act(view)
    assert told == [0, 0, 1, 1, 2, 0, 0]


def test_full_observability_cannot_be_deployed():
    with pytest.raises(InputError, match="observability='full'"):
        JointPolicy(load_agent, {"observability": "full"})  # refused before it is called


@pytest.mark.parametrize("damage", ["missing", "no checkpoint", "no model", "garbage"])
def test_damaged_run_is_refused(runs, damage, tmp_path):
    folder = tmp_path / "run"
    if damage != "missing":
        shutil.copytree(runs["maskable-ppo"], folder)
    if damage == "no checkpoint":
        shutil.rmtree(folder / "checkpoints")
    if damage == "no model":
        next(folder.glob("checkpoints/*/weights.npz")).unlink()
    if damage == "garbage":
        next(folder.glob("checkpoints/*/weights.npz")).write_bytes(b"no zip")
    for refuse in (deploy, load_agent, lambda run: player_maker(str(run))):
        with pytest.raises(InputError) as error:
            refuse(folder)
        assert "\n" not in str(error.value)
        assert str(folder) in str(error.value)
