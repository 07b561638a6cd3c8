"""Self-play in every game that has policy files: past policies join the opponents, killed and resumed too."""

import gymnasium
import numpy as np
import pytest

from scml_gym.agents.sb3.self_play import mix
from scml_gym.core.errors import InputError
from scml_gym.experiments.run_folder import POLICY_FILE, Run
from scml_gym.game.policy_files import PolicyFile
from scml_gym.game.strategy import StrategyPolicy
from tests.helpers.networks import FORMS, networks_of, random_policy
from tests.helpers.self_play import DAYS, TRAITS, build, experiment, train

pytestmark = pytest.mark.slow


def test_the_mixture_has_its_share_exactly():
    scripted, past = [object() for _ in range(3)], [object() for _ in range(5)]
    assert mix(scripted, [], 0.3) == (scripted, [])
    mixed = [maker for makers in mix(scripted, past, 0.3) for maker in makers]
    counts = [mixed.count(maker) for maker in (*scripted, *past)]
    assert len(set(counts[:3])) == len(set(counts[3:])) == 1
    assert sum(counts[3:]) / len(mixed) == 0.3


ROLLED = {
    "oneshot": ("scml_gym/OneShotConcurrent-v0", {"factories_per_level": [1, 3]}, "subset-population", 800),
    "standard": ("scml_gym/StandardDaily-v0", {"factories_per_level": [1, 2]}, "stock-population", 240),
}
"""Game -> environment, arguments, an opponent, steps."""


def roll(game, threads, steps, row=None):
    """Rewards and observations of random play in which the opponents change every few steps; their networks are kept
    by nobody else.

    Args:
        game: What is played, in 16 rows.
        threads: That share them.
        steps: In each row.
        row: The one whose single environment is played alone; None for all rows.
    """
    name, arguments, other, _ = ROLLED[game]
    arguments = {"days": 2, "opponents": ["greedy"]} | arguments
    envs = gymnasium.make_vec(name, 16, threads=threads, autoreset_mode="SameStep", **arguments)
    env = envs if row is None else gymnasium.make(name, **arguments).unwrapped
    env.reset(seed=3 + (row or 0))
    rng, seen, ended = np.random.default_rng(0), [], 0
    for step in range(steps):
        if step % 7 == 3:
            policy = random_policy(game, FORMS[game][step % 3], step)
            (env if row is None else env.config).set_opponents([policy.player, other])
        actions = rng.integers(envs.single_action_space.nvec, size=(16, len(envs.single_action_space.nvec)))
        observation, reward, done, _, _ = env.step(actions if row is None else actions[row])
        if row is not None and done:
            observation, _ = env.reset()
        ended += np.sum(done)
        seen.append((np.copy(observation), np.copy(reward)))
    if row is None:
        networks = [params for player_table in env._later for params in player_table.params if len(params) > 1000]
        assert len(networks) < 30  # those out of play are let go
    env.close()
    return [np.array(part) for part in zip(*seen, strict=True)], ended


@pytest.mark.parametrize("game", ROLLED)
def test_opponents_change_between_worlds_of_a_batch(game):
    steps = ROLLED[game][-1]
    (observations, rewards), ended = roll(game, 1, steps)
    assert ended > steps
    (same, paid), _ = roll(game, 2, steps)
    assert np.array_equal(observations, same)
    assert np.array_equal(rewards, paid)
    for row in (0, 9):
        (same, paid), _ = roll(game, 1, 150, row)
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
                env.set_opponents([random_policy("oneshot", ("flat", 4, "choice", "flatten")).player])
            _, reward, done, _, _ = env.step(np.full((3, 8), 2 + step % 20))
            rewards.append(reward)
            step += 1
        ends.append(np.array(rewards))
        env.close()
    assert step > 30
    assert np.array_equal(*ends)


def test_refused_opponents_change_nothing():
    env = gymnasium.make_vec("scml_gym/OneShotConcurrent-v0", 2, days=2, opponents=["greedy"])
    before, strategy = env.config.makers, networks_of("oneshot").strategy(*FORMS["oneshot"][0])
    for wrong in ([], ["scml:GreedyOneShotAgent"], [lambda seed: StrategyPolicy(strategy, 7)]):
        with pytest.raises(InputError):
            env.set_opponents(wrong)
        assert env.config.makers is before
    env.close()


SELF_PLAY = {"every": 40, "size": 2, "share": 0.5}


GAMES = {
    "oneshot": {"name": "maskable-ppo", "env": DAYS},
    "standard": {"env": TRAITS, "world": "standard_daily"},
    "standard choice": {"name": "maskable-ppo", "world": "standard_concurrent"},
}


def files_of(run):
    return [int(path.stem) for path in sorted((run.path / "self_play").iterdir())]


@pytest.mark.parametrize("game", GAMES)
def test_self_play_adds_policy_files_and_is_found_again(game, tmp_path):
    config = experiment(**GAMES[game], agent={"total_steps": 128, "self_play": SELF_PLAY})
    agent, run = train(tmp_path / "whole", config)
    assert files_of(run) == [64, 96]  # rollouts of 32: the first ones that begin at or after 40 and 80
    taken = PolicyFile.load(run.path / "self_play" / "000000000096.npz", networks_of(game.split()[0]))
    learnt = PolicyFile.load(run.latest_checkpoint() / POLICY_FILE, networks_of(game.split()[0]))
    assert np.array_equal(learnt.network, agent.policy_file().network)
    assert not np.array_equal(taken.network, learnt.network)
    _, again = train(tmp_path / "again", config)
    for name in ("learning_curve.csv", "self_play/000000000064.npz"):
        assert (again.path / name).read_bytes() == (run.path / name).read_bytes()
    _, without = train(tmp_path / "alone", experiment(**GAMES[game], agent={"total_steps": 128}))
    assert not (without.path / "self_play").exists()
    curves = [r.curve() for r in (run, without)]
    assert curves[0][:2] == curves[1][:2]
    assert curves[0][2:] != curves[1][2:]


def test_a_team_is_paid_for_its_past_policies(tmp_path):
    curves = []
    for team in (0.0, 1e-9, 1.0):
        config = experiment(**GAMES["oneshot"], agent={"total_steps": 128, "self_play": SELF_PLAY | {"team": team}})
        curves.append(train(tmp_path / str(team), config)[1].curve())
    assert all(rows[:2] == curves[0][:2] for rows in curves)  # nobody is a mate before 64
    returns = [float(rows[-1]["return"]) for rows in curves]
    assert returns[1] == pytest.approx(returns[0], abs=1e-5)
    assert returns[2] < returns[1] - 1e-4  # what all lose against hindsight


def test_a_team_needs_rewards_of_days():
    with pytest.raises(InputError, match=r"agent\.self_play\.team: 1\.0, with env\.reward='shaped-profit'; valid with"):
        build(experiment(agent={"self_play": SELF_PLAY | {"team": 1.0}}, env={"reward": "shaped-profit"}))


@pytest.mark.parametrize("game", ["oneshot", "standard"])
def test_resumed_self_play_goes_on_with_its_policy_files(game, tmp_path, monkeypatch):
    config = experiment(**GAMES[game], agent={"total_steps": 96, "self_play": SELF_PLAY})
    _, run = train(tmp_path / "run", config)
    (run.path / "self_play" / "000000009999.npz").write_bytes(b"of a time after the checkpoint")
    played = []
    monkeypatch.setattr(
        "scml_gym.simulator.vector.env.BatchedEnv.set_opponents", lambda self, makers: played.append(len(makers))
    )
    longer = config | {"agent": config["agent"] | {"total_steps": 160}}
    build(longer).train(Run.open(run.path))
    assert files_of(run) == [64, 96, 128]
    assert played == [6, 12, 12]  # three scripted ones beside 1 policy file (3 + 3), then 2 (6 + 6)


@pytest.mark.parametrize("world", ["concurrent", "standard_daily"])
def test_self_play_needs_the_compiled_world(world):
    with pytest.raises(InputError, match=r"valid with env\.backend: compiled"):
        build(experiment(agent={"self_play": SELF_PLAY}, env={"backend": "reference"}, world=world))


@pytest.mark.parametrize(
    ("agent", "told"),
    [
        ({"league": SELF_PLAY}, r"agent\.league: unknown key; did you mean 'self_play'"),
        ({"self_play": SELF_PLAY | {"share": 1.5}}, "share"),
        ({"self_play": SELF_PLAY | {"every": 0}}, "every"),
        ({"self_play": SELF_PLAY | {"team": -1.0}}, "team"),
        ({"self_play": SELF_PLAY | {"size": "all"}}, "size"),
        ({"self_play": {"every": 40}}, "size"),
    ],
)
def test_settings_of_self_play_are_checked(agent, told):
    with pytest.raises(InputError, match=told):
        build(experiment(agent=agent, world="standard_daily"))


def test_the_fast_learners_name_the_one_that_takes_self_play():
    with pytest.raises(InputError, match=r"fast-ppo does not take opponents that change; valid: agent\.name: ppo"):
        build(experiment("fast-ppo", {"self_play": SELF_PLAY}, TRAITS, "standard_daily"))
