"""Policy files of learners: they act as the learner does, and a run folder is one in compiled worlds."""

import gymnasium
import numpy as np
import pytest

from scml_gym.agents.sb3.policy_files import export_policy
from scml_gym.core.errors import InputError
from scml_gym.experiments.make_env import env_arguments
from scml_gym.experiments.run_folder import POLICY_FILE
from scml_gym.game.exported_policies import EncodedPolicy
from scml_gym.game.strategy import StrategyPolicy
from scml_gym.games import GAMES, game_of
from tests.helpers.self_play import ASKED, DAYS, TRAITS, build, experiment, train

pytestmark = pytest.mark.slow

LEARNT = {
    "ppo": {},
    "maskable-ppo": {"name": "maskable-ppo"},
    "sets": {"agent": {"features": "sets"}, "env": DAYS | {"action": "planner"}},
    "partners": {
        **{"name": "maskable-ppo", "agent": {"features": "partners", "embedding_size": 8}},
        **{"env": {"observation": "entities"}},
    },
    "negotiations": {"name": "maskable-ppo", "env": ASKED},
    "daily goals": {"name": "maskable-ppo", "env": {"history": 1, "stock": "physical"}, "world": "standard_daily"},
    "daily traits": {"env": TRAITS | {"observation": "entities"}, "world": "standard_daily"},
    "standard choice": {"name": "fast-maskable-ppo", "world": "standard_concurrent"},
}
"""In environments that other tests compile too."""
SHARED = {"level", "opponents", "days", "factories_per_level", "n_levels", "stock", "timing"}
"""Arguments of all environments of a track."""


@pytest.fixture(scope="module", params=LEARNT)
def learnt(request, tmp_path_factory):
    agent, run = train(tmp_path_factory.mktemp("policy_files") / "run", experiment(**LEARNT[request.param]))
    return agent, run, game_of(agent.env["id"])


def test_a_policy_file_acts_as_its_learner(learnt):
    """In each decision of a factory whose own answers are random; once a day where it sets goals."""
    agent, run, game = learnt
    player = game.player_maker(str(run.latest_checkpoint() / POLICY_FILE))(0)
    deployed = agent.policy(0)
    assert isinstance(deployed, EncodedPolicy)
    arguments = {key: value for key, value in env_arguments(agent.env)[1].items() if key in SHARED}
    env = gymnasium.make(next(iter(game.environments)), **(arguments | {"days": 4}), backend="reference")
    env.reset(seed=3)
    before, compared, done = env.unwrapped.view.copy(), 0, False
    for policy in (player, deployed):
        policy.begin(before)
    while not done:
        view = env.unwrapped.view
        if view["day"] != before["day"]:
            for policy in (player, deployed):
                policy.end_day(before)
        before = view.copy()
        assert player.act(view).tolist() == deployed.act(view).tolist()
        compared += 1
        _, _, done, _, _ = env.step(env.action_space.sample(mask=env.unwrapped.sample_mask()))
    assert compared > 5


def test_a_run_folder_is_a_policy_file_in_the_compiled_world_and_deployed_elsewhere(learnt):
    agent, run, game = learnt
    worlds = game.registry("backends")
    assert isinstance(game.player_maker(str(run.path))(0), EncodedPolicy)
    assert isinstance(worlds.get("reference").player_maker(str(run.path))(0), EncodedPolicy)
    player = worlds.get("compiled").player_maker(str(run.path))(0)
    assert isinstance(player, StrategyPolicy)
    envs = gymnasium.make_vec(next(iter(game.environments)), 2, days=2, opponents=[str(run.path), "greedy"])
    envs.reset(seed=1)
    envs.close()
    file = run.latest_checkpoint() / POLICY_FILE  # which checkpoints of earlier versions do not have
    content = file.read_bytes()
    file.unlink()
    try:
        player = worlds.get("compiled").player_maker(str(run.path))(0)
    finally:
        file.write_bytes(content)
    assert np.array_equal(player.parameters, agent.policy_file().network)


def test_a_run_folder_makes_the_same_contracts_in_both_worlds(learnt):
    """As its learner in one of them, and as its policy file in the other."""
    _, run, game = learnt
    spec = game.registry("generators").get("compiled")(
        5, (5, 5), (2, 2), *([(3, 3)] if game.name == "standard" else [])
    )
    contracts = []
    for backend in ("reference", "compiled"):
        kind = game.registry("backends").get(backend)
        makers = [kind.player_maker(name) for name in (str(run.path), "greedy")]
        world = kind(spec, [makers[i % 2](7) for i in range(spec.n_factories)], seed=7)
        world.run()
        contracts.append(world.contracts.tolist())
    assert contracts[0] == contracts[1] != []


@pytest.mark.parametrize(
    ("name", "agent", "env", "world", "reason"),
    [
        ("recurrent-ppo", {}, {}, "concurrent", "RecurrentPPO makes no policy files; valid: PPO, MaskablePPO"),
        ("ppo", {}, {"action": "continuous"}, "concurrent", "action='continuous' has no choices"),
        ("ppo", {}, {"observation": "dict"}, "concurrent", "observation='dict' is no array"),
        ("ppo", {}, {"observability": "full"}, "concurrent", "no policy files with env.observability='full'"),
        ("ppo", {}, {"timing": "negotiations", "observation": "dict"}, "concurrent", "'asked dict' is no array"),
        ("ppo", {"features": "deep_sets"}, {"observation": "entities"}, "concurrent", "agent.features='deep_sets'"),
        ("ppo", {}, {"action": "goals-continuous"}, "standard_daily", "'daily goals-continuous' has no choices"),
        ("ppo", {}, {"shield": "covered"}, "standard_daily", "no policy files with env.shield='covered'"),
        (
            *("ppo", {}, TRAITS | {"executor": "scml_gym.standard.executors:StockExecutor"}, "standard_daily"),
            "no policy files with env.executor='scml_gym.*; valid: planner, .*stock",
        ),
        (
            *("ppo", {}, {"action": "scml_gym.standard.actions:ChoiceActions"}, "standard_concurrent"),
            "no policy files with env.action='scml_gym.*; valid: choice",
        ),
    ],
)
def test_what_makes_no_policy_files_is_refused(name, agent, env, world, reason):
    learner = build(experiment(name, agent, env, world))
    with pytest.raises(InputError, match=reason):
        export_policy(learner)
    with pytest.raises(InputError, match=rf"self_play.*{reason}"):
        build(experiment(name, agent | {"self_play": {"every": 8, "size": 2, "share": 0.5}}, env, world))


def test_an_untrained_learner_has_no_policy_file():
    with pytest.raises(InputError, match="not trained"):
        export_policy(build(experiment()))


def test_a_run_without_a_policy_file_is_refused_in_the_compiled_world(tmp_path):
    _, run = train(tmp_path / "run", experiment("recurrent-ppo", {"total_steps": 32, "n_epochs": 1}))
    with pytest.raises(InputError, match=r"RecurrentPPO makes no policy files.*use backend='reference'"):
        GAMES.get("oneshot").registry("backends").get("compiled").player_maker(str(run.path))
