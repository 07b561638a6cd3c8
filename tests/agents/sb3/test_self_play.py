"""Policy files of trained networks in both worlds, and self-play with them."""

import gymnasium
import numpy as np
import pytest

from scml_gym.agents import AGENTS
from scml_gym.agents.sb3.policy_files import export_policy
from scml_gym.agents.sb3.self_play import mix
from scml_gym.core.config import CONFIGS, read_yaml
from scml_gym.core.errors import InputError
from scml_gym.experiments.make_env import make_env
from scml_gym.experiments.run_folder import POLICY_FILE, Run
from scml_gym.game.networks import choose, compute_logits, pack_network
from scml_gym.game.policy_files import PolicyFile
from scml_gym.game.strategy import StrategyPolicy
from scml_gym.oneshot.exported_policies import JointPolicy
from scml_gym.oneshot.players import player_maker
from scml_gym.oneshot.policy_files import NETWORKS, network_strategy
from scml_gym.oneshot.worlds.compiled.world import CompiledWorld
from scml_gym.oneshot.worlds.generation import league_spec
from scml_gym.oneshot.worlds.reference import ReferenceWorld
from tests.helpers.networks import random_policy

pytestmark = pytest.mark.slow

FORMS = [
    ("flat", 0, "choice", "flatten"),
    ("flat", 2, "planner", "flatten"),
    ("entities", 0, "choice", "flatten"),
    ("entities", 0, "planner", "sets"),
    ("entities", 0, "choice", "partners"),
]
SETTINGS = {"total_steps": 64, "n_envs": 4, "n_steps": 8, "batch_size": 16, "n_epochs": 2, "net_arch": [16]}
ENV = {"days": 3, "factories_per_level": 4, "generator": "compiled", "backend": "compiled"}


def policy_file(seed=0, form=FORMS[0], **settings):
    return random_policy(network_strategy(*form), seed, **settings)


def experiment(name="ppo", agent=None, env=None):
    learner = read_yaml(CONFIGS / "agent" / f"{name.replace('-', '_')}.yaml") | {"name": name} | SETTINGS
    world = read_yaml(CONFIGS / "env" / "concurrent.yaml") | ENV | (env or {})
    return {"seed": 1, "agent": learner | (agent or {}), "env": world, "checkpoint_minutes": 0, "threads": 1}


def build(config):
    return AGENTS.get(config["agent"]["name"]).build(config["agent"], config["env"])


def train(folder, config):
    agent = build(config)
    run = Run.create(folder, config, "test")
    agent.train(run)
    return agent, run


@pytest.mark.parametrize(("form", "seed"), list(zip(FORMS, (1, 1, 1, 1, 3), strict=True)))  # networks that agree
def test_policy_files_play_the_same_in_both_worlds(form, seed):
    spec = league_spec(3, days=3, factories_per_level=(3, 4))
    players = [policy_file(seed, form, temperature=0.0), policy_file(seed + 1, form, masked=False, activation="relu")]
    results = []
    for world in (ReferenceWorld, CompiledWorld):
        played = world(spec, [players[i % 2].player(5) for i in range(spec.n_factories)], seed=5)
        played.run()
        results.append(played)
    assert len(results[0].contracts) > 0
    assert results[0].contracts.tolist() == results[1].contracts.tolist()
    assert np.array_equal(results[0].scores, results[1].scores)


def test_the_arithmetic_is_that_of_matrices():
    rng = np.random.default_rng(0)
    layers = [(rng.normal(size=(5, 4)), rng.normal(size=4)), (rng.normal(size=(4, 6)), rng.normal(size=6))]
    x = rng.normal(size=5)
    for activation, function in (("tanh", np.tanh), ("relu", lambda v: np.maximum(v, 0))):
        expected = function(x @ layers[0][0] + layers[0][1]) @ layers[1][0] + layers[1][1]
        assert np.allclose(compute_logits(pack_network(layers, activation, False, 0.0), x), expected)


def test_choices_are_drawn_by_softmax_among_the_valid():
    logits, valid = np.array([1.0, 3.0, 2.0, -1.0]), np.array([True, False, True, True])
    assert choose(logits.copy(), valid, 0.0, 0.5) == 2
    draws = (np.arange(2000) + 0.5) / 2000
    drawn = np.bincount([choose(logits.copy(), valid, 2.0, u) for u in draws], minlength=4) / 2000
    weights = np.exp(logits / 2.0) * valid
    assert np.allclose(drawn, weights / weights.sum(), atol=1e-3)


def test_networks_are_checked():
    layer = (np.zeros((95, 3)), np.zeros(3))
    with pytest.raises(InputError, match=r"sigmoid.*tanh, relu"):
        pack_network([layer], "sigmoid", False, 0.0)
    with pytest.raises(InputError, match=r"layer 1 has weights \(4, 2\); valid: \(3, 2\)"):
        pack_network([layer, (np.zeros((4, 2)), np.zeros(2))], "tanh", False, 0.0)
    with pytest.raises(InputError, match="95 numbers in, 176 out"):
        PolicyFile(network_strategy("flat", 0, "choice"), pack_network([layer], "tanh", False, 0.0))
    with pytest.raises(InputError, match="'continuous' has no choices"):
        network_strategy("flat", 0, "continuous")
    with pytest.raises(InputError, match="features='sets' reads rows; valid: observation='entities', history=0"):
        network_strategy("flat", 0, "choice", "sets")
    with pytest.raises(InputError, match="features='partners' answers each partner; valid: action='choice'"):
        network_strategy("entities", 0, "planner", "partners")


def test_a_file_holds_all_of_it(tmp_path):
    whole = policy_file(form=FORMS[1])
    whole.save(tmp_path / "a.npz")
    player = player_maker(str(tmp_path / "a.npz"))(4)
    assert isinstance(player, StrategyPolicy)
    assert player.strategy is network_strategy(*FORMS[1])
    assert np.array_equal(player.parameters, whole.network)
    with np.load(tmp_path / "a.npz") as data:  # of an earlier version
        former = {name: array for name, array in data.items() if name != "features"}
        np.savez(tmp_path / "former.npz", **(former | {"schema": np.array("scml-gym-snapshot-1")}))
    assert np.array_equal(PolicyFile.load(tmp_path / "former.npz", NETWORKS).network, whole.network)
    (tmp_path / "b.npz").write_bytes(b"PK")
    with pytest.raises(InputError, match="cannot be read as a policy file"):
        PolicyFile.load(tmp_path / "b.npz", NETWORKS)


LEARNT = {
    "ppo": ("ppo", {}, {}),
    "maskable-ppo": ("maskable-ppo", {}, {}),
    "planner": ("ppo", {}, {"action": "planner"}),
    "sets": ("ppo", {"features": "sets"}, {"action": "planner", "observation": "entities"}),
    "partners": ("maskable-ppo", {"features": "partners", "embedding_size": 8}, {"observation": "entities"}),
}


@pytest.fixture(scope="module", params=LEARNT)
def learnt(request, tmp_path_factory):
    return train(tmp_path_factory.mktemp("self_play") / "run", experiment(*LEARNT[request.param]))


def test_a_policy_file_acts_as_its_learner(learnt):
    agent, run = learnt
    player = PolicyFile.load(run.latest_checkpoint() / POLICY_FILE, NETWORKS).player(0)
    deployed = agent.policy(0)
    assert isinstance(deployed, JointPolicy)
    env = make_env(agent.env | {"backend": "reference", "days": 4, "action": "choice"})
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
    _, run = learnt
    assert isinstance(player_maker(str(run.path))(0), JointPolicy)
    assert isinstance(ReferenceWorld.player_maker(str(run.path))(0), JointPolicy)
    player = CompiledWorld.player_maker(str(run.path))(0)
    assert isinstance(player, StrategyPolicy)
    envs = gymnasium.make_vec("scml_gym/OneShotConcurrent-v0", num_envs=2, days=2, opponents=[str(run.path), "greedy"])
    envs.reset(seed=1)
    envs.close()


@pytest.mark.parametrize(
    ("name", "agent", "env", "reason"),
    [
        ("recurrent-ppo", {"n_epochs": 1}, {}, "RecurrentPPO makes no policy files; valid: PPO, MaskablePPO"),
        ("ppo", {}, {"action": "continuous"}, "action='continuous' has no choices"),
        ("ppo", {}, {"observation": "dict"}, "observation='dict' is no array"),
        ("ppo", {}, {"observability": "full"}, "no policy files with env.observability='full'"),
        ("ppo", {}, {"timing": "negotiations"}, "no policy files with env.timing='negotiations'"),
        ("ppo", {"features": "deep_sets"}, {"observation": "entities"}, "no policy files with agent.features"),
    ],
)
def test_what_makes_no_policy_files_is_refused(name, agent, env, reason):
    learner = build(experiment(name, agent, env))
    with pytest.raises(InputError, match=reason):
        export_policy(learner)
    with pytest.raises(InputError, match=rf"self_play.*{reason}"):
        build(experiment(name, agent | {"self_play": {"every": 8, "size": 2, "share": 0.5}}, env))


def test_an_untrained_learner_has_no_policy_file_and_self_play_needs_the_compiled_world():
    with pytest.raises(InputError, match="not trained"):
        export_policy(build(experiment()))
    self_play = {"self_play": {"every": 8, "size": 2, "share": 0.5}}
    with pytest.raises(InputError, match=r"valid with env\.backend: compiled"):
        build(experiment(agent=self_play, env={"backend": "reference"}))
    with pytest.raises(InputError, match=r"agent\.league: unknown key; did you mean 'self_play'"):
        build(experiment(agent={"league": self_play["self_play"]}))
    with pytest.raises(InputError, match="share"):
        build(experiment(agent={"self_play": {"every": 8, "size": 2, "share": 1.5}}))


def test_a_run_without_a_policy_file_is_refused_in_the_compiled_world(tmp_path):
    _, run = train(tmp_path / "run", experiment("recurrent-ppo", {"total_steps": 32, "n_epochs": 1}))
    with pytest.raises(InputError, match=r"RecurrentPPO makes no policy files.*use backend='reference'"):
        CompiledWorld.player_maker(str(run.path))


def test_an_old_checkpoint_is_exported_when_asked_for(learnt):
    agent, run = learnt
    file = run.latest_checkpoint() / POLICY_FILE
    content = file.read_bytes()
    file.unlink()
    try:
        player = CompiledWorld.player_maker(str(run.path))(0)
    finally:
        file.write_bytes(content)
    assert np.array_equal(player.parameters, agent.policy_file().network)


def test_the_mixture_has_its_share_exactly():
    scripted, past = [object() for _ in range(3)], [object() for _ in range(5)]
    assert mix(scripted, [], 0.3) == scripted
    mixed = mix(scripted, past, 0.3)
    counts = [mixed.count(maker) for maker in (*scripted, *past)]
    assert len(set(counts[:3])) == len(set(counts[3:])) == 1
    assert sum(counts[3:]) / len(mixed) == 0.3


def roll(num_envs, threads, steps, episode="world", single=None):
    """Rewards and observations of random play in which the opponents change every few steps; their networks are kept
    by nobody else."""
    arguments = {"days": 2, "factories_per_level": [1, 3], "opponents": ["greedy"], "episode": episode}
    env = (
        gymnasium.make_vec(
            "scml_gym/OneShotConcurrent-v0", num_envs, threads=threads, autoreset_mode="SameStep", **arguments
        )
        if single is None
        else gymnasium.make("scml_gym/OneShotConcurrent-v0", **arguments).unwrapped
    )
    env.reset(seed=3 if single is None else 3 + single)
    rng, seen, ended = np.random.default_rng(0), [], 0
    for step in range(steps):
        if step % 7 == 3:
            makers = [policy_file(step, FORMS[step % 3]).player, "subset-population"]
            (env if single is None else env.config).set_opponents(makers)
        actions = rng.integers(22, size=(num_envs, 8))
        observation, reward, done, _, _ = env.step(actions if single is None else actions[single])
        if single is not None and done:
            observation, _ = env.reset()
        ended += np.sum(done)
        seen.append((np.copy(observation), np.copy(reward)))
    if single is None:
        networks = [params for player_table in env._later for params in player_table.params if len(params) > 1000]
        assert len(networks) < 30  # of over a hundred: those out of play are let go
    env.close()
    return [np.array(part) for part in zip(*seen, strict=True)], ended


def test_opponents_change_between_worlds_of_a_batch():
    (observations, rewards), ended = roll(16, 1, 800)
    assert ended > 1000
    (same, paid), _ = roll(16, 2, 800)
    assert np.array_equal(observations, same)
    assert np.array_equal(rewards, paid)
    for row in (0, 9):
        (same, paid), _ = roll(16, 1, 150, single=row)
        assert np.array_equal(observations[:150, row], same)
        assert np.array_equal(rewards[:150, row], paid)


def test_running_worlds_keep_what_their_strategies_remember():
    """A state that grows is moved, so days that were begun before end as they would have."""
    days = {"days": 30, "factories_per_level": 2, "opponents": ["subset-population"]}
    ends = []
    for changes in (False, True):
        env = gymnasium.make_vec("scml_gym/OneShotConcurrent-v0", 3, autoreset_mode="Disabled", **days)
        env.reset(seed=5)
        rewards, step, done = [], 0, np.zeros(3, dtype=bool)
        while not done.any():
            if changes and step == 10:
                env.set_opponents([policy_file(form=("flat", 4, "choice", "flatten")).player])
            _, reward, done, _, _ = env.step(np.full((3, 8), 2 + step % 20))
            rewards.append(reward)
            step += 1
        ends.append(np.array(rewards))
        env.close()
    assert step > 30
    assert np.array_equal(*ends)


def test_refused_opponents_change_nothing():
    env = gymnasium.make_vec("scml_gym/OneShotConcurrent-v0", 2, days=2, opponents=["greedy"])
    before = env.config.makers
    for wrong in ([], ["scml:GreedyOneShotAgent"], [lambda seed: StrategyPolicy(network_strategy(*FORMS[0]), 7)]):
        with pytest.raises(InputError):
            env.set_opponents(wrong)
        assert env.config.makers is before
    env.close()


SELF_PLAY = {"every": 40, "size": 2, "share": 0.5}


def test_self_play_adds_policy_files_and_is_found_again(tmp_path):
    config = experiment("maskable-ppo", {"total_steps": 128, "self_play": SELF_PLAY}, {"action": "planner"})
    agent, run = train(tmp_path / "whole", config)
    steps = [int(path.stem) for path in sorted((run.path / "self_play").iterdir())]
    assert steps == [64, 96]  # rollouts of 32: the first ones that begin at or after 40 and 80
    taken = PolicyFile.load(run.path / "self_play" / "000000000096.npz", NETWORKS)
    assert not np.array_equal(taken.network, agent.policy_file().network)
    _, again = train(tmp_path / "again", config)
    for name in ("learning_curve.csv", "self_play/000000000064.npz"):
        assert (again.path / name).read_bytes() == (run.path / name).read_bytes()
    alone = experiment("maskable-ppo", {"total_steps": 128}, {"action": "planner"})
    _, without = train(tmp_path / "alone", alone)
    assert not (without.path / "self_play").exists()
    curves = [r.curve() for r in (run, without)]
    assert curves[0][:2] == curves[1][:2]
    assert curves[0][2:] != curves[1][2:]


def test_resumed_self_play_goes_on_with_its_policy_files(tmp_path, monkeypatch):
    config = experiment("ppo", {"total_steps": 96, "self_play": SELF_PLAY})
    _, run = train(tmp_path / "run", config)
    (run.path / "self_play" / "000000009999.npz").write_bytes(b"of a time after the checkpoint")
    played = []
    monkeypatch.setattr(
        "scml_gym.simulator.vector.env.BatchedEnv.set_opponents", lambda self, makers: played.append(len(makers))
    )
    longer = config | {"agent": config["agent"] | {"total_steps": 160}}
    build(longer).train(Run.open(run.path))
    steps = [int(path.stem) for path in sorted((run.path / "self_play").iterdir())]
    assert steps == [64, 96, 128]
    assert played == [6, 12, 12]  # three scripted ones beside 1 policy file (3 + 3), then 2 (6 + 6)
