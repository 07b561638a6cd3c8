"""Games keep PettingZoo's contracts, batches equal single episodes, and Proposition 4.1 holds by enumeration."""

import inspect
import pickle
import re
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pettingzoo.test import parallel_api_test, parallel_seed_test

from scml_gym.commitment import MARKOV_GAMES, commitment_env, make_game, parallel_env
from scml_gym.commitment.base import joint_actions, joint_index
from scml_gym.commitment.enumeration import (
    cooperative_strategy,
    equilibrium_payoffs,
    exact_value,
    is_equilibrium,
    outcome,
    pure_strategies,
)
from scml_gym.commitment.envs.commitment_v0 import ACT, COMMIT, PROPOSE, CommitmentEnv
from scml_gym.commitment.envs.game_v0 import GameEnv
from scml_gym.commitment.matrix import prisoners_dilemma
from scml_gym.core.errors import InputError
from scml_gym.oneshot.envs import oneshot_negotiations_v0
from tests.helpers.commitment import SQUARE, Leaving

ARGUMENTS = {"matrix": {"payoffs": SQUARE, "horizon": 6, "memory": 2}, "public-goods": {"agents": 3, "horizon": 2}}


def env_of(name, **more):
    return parallel_env(name, **ARGUMENTS.get(name, {}), **more)


def play(env, seed):
    """Observations, rewards and infos of an episode of random valid actions."""
    observations, infos = env.reset(seed=seed)
    for k, agent in enumerate(env.possible_agents):
        env.action_space(agent).seed(seed + k)
    trace = [(observations, {}, infos)]
    while env.agents:
        actions = {a: env.action_space(a).sample(infos[a].get("action_mask")) for a in env.agents}
        observations, rewards, _, _, infos = env.step(actions)
        trace.append((observations, rewards, infos))
    return trace


@pytest.mark.parametrize("name", MARKOV_GAMES)
@pytest.mark.parametrize("make", [env_of, lambda name: commitment_env(env_of(name))], ids=["plain", "commitment"])
def test_pettingzoos_checkers(name, make):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*not inherited from.*")
        parallel_api_test(make(name), num_cycles=50)
        parallel_seed_test(lambda: make(name), num_cycles=20)


@pytest.mark.parametrize("environment", [GameEnv, CommitmentEnv])
def test_example_of_the_docstring_runs(environment):
    (example,) = re.findall(r"```python\n(.*?)```", inspect.cleandoc(environment.__doc__), flags=re.S)
    exec(compile(example, environment.__name__, "exec"), {"__name__": "example"})


@pytest.mark.parametrize("name", MARKOV_GAMES)
def test_episodes_repeat_and_pickle(name):
    env = commitment_env(env_of(name))
    text = repr(play(env, 3))
    assert repr(play(pickle.loads(pickle.dumps(env)), 3)) == text
    assert repr(play(env, 4)) != text


@pytest.mark.parametrize("name", MARKOV_GAMES)
def test_a_batch_equals_its_rows(name):
    game = make_game(name, **ARGUMENTS.get(name, {}))
    actions = np.random.default_rng(0).integers(game.actions, size=(game.horizon, 2, 3, game.agents))
    state = game.initial((2, 3))
    batch = []
    for chosen in actions:
        state, rewards = game.step(state, chosen)
        seen = game.observe(state)
        assert seen.shape == (2, 3, game.features)
        assert (seen >= 0).all() and (seen <= 1).all()
        batch.append((seen, rewards))
    env = env_of(name)
    for row in np.ndindex(2, 3):
        env.reset()
        for chosen, (seen, rewards) in zip(actions, batch, strict=True):
            single, paid, ends, _, _ = env.step(dict(zip(env.agents, chosen[row], strict=True)))
            assert list(paid.values()) == rewards[row].tolist()
            assert np.allclose(single["agent_0"], seen[row], atol=1e-7)
        assert all(ends.values())


def test_payoffs_are_the_papers():
    def paid(name, *actions):
        game = make_game(name)
        return game.step(game.initial(()), np.array(actions))[1].tolist()

    assert [paid("prisoners-dilemma", *a) for a in ((0, 0), (0, 1), (1, 0), (1, 1))] == [
        [-1, -1],
        [-3, 0],
        [0, -3],
        [-2, -2],
    ]
    assert [paid("purely-conflicting", *a) for a in ((0, 0), (0, 1), (1, 0), (1, 1))] == [
        [0, 0],
        [-1, 2],
        [2, -1],
        [0, 0],
    ]
    assert make_game("purely-conflicting").horizon == make_game("grid").horizon == 16


@pytest.mark.parametrize(("actions", "returns"), [((0, 1), 0.0), ((1, 0), -45.0)])
def test_returns_of_the_grid_game(actions, returns):
    game = make_game("grid")
    state, total = game.initial(()), np.zeros(2)
    for _ in range(game.horizon):
        state, rewards = game.step(state, np.array(actions))
        total += rewards
    assert total.tolist() == [returns, returns]


@given(st.integers(2, 4), st.integers(2, 4))
def test_joint_actions_are_numbered_in_their_order(agents, actions):
    joint = joint_actions(agents, actions)
    assert joint_index(joint, actions).tolist() == list(range(actions**agents))


@pytest.mark.parametrize("name", ["purely-conflicting", "grid"])
def test_mega_steps_play_their_sequences(name):
    mega, single = make_game(name, mega_step=2), make_game(name)
    assert (mega.horizon, mega.actions) == (8, 4)
    assert mega.action_names[1] == "-".join(single.action_names)
    rng = np.random.default_rng(1)
    one, other = mega.initial((5,)), single.initial((5,))
    for _ in range(mega.horizon):
        actions = rng.integers(4, size=(5, 2))
        one, rewards = mega.step(one, actions)
        other, first = single.step(other, actions // 2)
        other, second = single.step(other, actions % 2)
        assert (rewards == first + second).all()
        assert (mega.observe(one) == single.observe(other)).all()


@pytest.mark.parametrize("name", MARKOV_GAMES)
def test_the_phases_of_a_commitment_game(name):
    env = commitment_env(env_of(name))
    rng = np.random.default_rng(0)
    plain = env_of(name)
    plain.reset()
    _, infos = env.reset(seed=0)
    bound = free = 0
    while env.agents:
        proposals = {a: int(rng.integers(plain.game.actions)) for a in env.agents}
        assert {i["phase"] for i in infos.values()} == {PROPOSE}
        seen, rewards, _, _, infos = env.step(proposals)
        assert {i["phase"] for i in infos.values()} == {COMMIT}
        assert set(rewards.values()) == {0.0}
        tail = np.concatenate([np.eye(plain.game.actions)[m] for m in proposals.values()])
        assert seen["agent_0"][-len(tail) :].tolist() == tail.tolist()
        assert infos["agent_0"]["action_mask"].sum() == 2
        commitments = {a: int(rng.random() < 0.7) for a in env.agents}
        _, rewards, _, _, infos = env.step(commitments)
        played = proposals
        if not all(commitments.values()):
            free += 1
            assert {i["phase"] for i in infos.values()} == {ACT}
            assert set(rewards.values()) == {0.0}
            played = {a: int(rng.integers(plain.game.actions)) for a in env.agents}
            _, rewards, _, _, infos = env.step(played)
        else:
            bound += 1
        assert {i["agreement"] for i in infos.values()} == {played is proposals}
        assert rewards == plain.step(played)[1]
    assert env.agents == plain.agents
    assert bound + free == plain.horizon


def test_a_wrapped_mega_step_equals_the_games():
    env = commitment_env(parallel_env("purely-conflicting"), mega_step=2)
    env.reset()
    env.step({"agent_0": 1, "agent_1": 2})
    _, rewards, _, _, infos = env.step({"agent_0": 1, "agent_1": 1})
    assert rewards == {"agent_0": 1.0, "agent_1": 1.0}
    assert infos["agent_0"]["agreement"] is True


def test_negotiators_can_commit_too():
    env = commitment_env(oneshot_negotiations_v0.parallel_env(days=2, observation="flat"))
    trace = play(env, 0)
    assert len(trace) > 4
    for agent, seen in trace[0][0].items():
        assert env.observation_space(agent).contains(seen)


@pytest.mark.parametrize("mega_step", [1, 2])
def test_agents_that_leave_need_not_agree(mega_step):
    env = commitment_env(Leaving(), mega_step)
    env.reset()
    returns = dict.fromkeys("abc", 0.0)
    steps = 0
    while env.agents:
        env.step(dict.fromkeys(env.agents, 1))
        _, rewards, _, _, infos = env.step(dict.fromkeys(env.agents, 1))
        assert all(info["agreement"] for info in infos.values())
        returns = {agent: total + rewards.get(agent, 0.0) for agent, total in returns.items()}
        steps += 1
    assert returns == {"a": 1.0, "b": 2.0, "c": 3.0}
    assert steps == (3 if mega_step == 1 else 2)


def test_mutual_cooperation_is_a_pareto_dominant_equilibrium():
    """Proposition 4.1, over all 64 pure strategies of each agent."""
    game = prisoners_dilemma()
    profile = tuple(cooperative_strategy(game, (0, 0), agent, fallback=1) for agent in range(2))
    joint = joint_actions(2, 2)
    papers = tuple(  # accepts whatever the other cooperates in
        strategy._replace(commitments=tuple(int(other == 0) for other in joint[:, 1 - agent]))
        for agent, strategy in enumerate(profile)
    )
    for each in (profile, papers):
        assert outcome(game, each) == ((-1.0, -1.0), True)
        assert is_equilibrium(game, each)
    payoffs = equilibrium_payoffs(game)
    assert set(payoffs) == {(-1.0, -1.0), (-2.0, -2.0)}
    for other in payoffs:
        assert all(mine >= theirs for mine, theirs in zip((-1.0, -1.0), other, strict=True))
    for found in payoffs.values():
        assert is_equilibrium(game, found)
    exploited = (profile[0], profile[1]._replace(proposal=1))
    assert outcome(game, exploited) == ((-2.0, -2.0), False)


def test_exact_values_are_those_of_pure_strategies():
    game = prisoners_dilemma()
    strategies = list(pure_strategies(game))
    assert len(strategies) == 64
    rng = np.random.default_rng(0)
    for _ in range(50):
        profile = tuple(strategies[k] for k in rng.integers(64, size=2))
        value = exact_value(
            game.payoffs.reshape(4, 2),
            np.eye(2)[[s.proposal for s in profile]],
            np.array([s.commitments for s in profile], dtype=float),
            np.eye(2)[[s.action for s in profile]],
        )
        assert value.tolist() == list(outcome(game, profile)[0])


def test_the_environments_own_masks_are_kept():
    """Random valid choices never make an action that the world underneath refuses."""
    env = commitment_env(oneshot_negotiations_v0.parallel_env(days=2))
    counted = {}
    for _, _, infos in play(env, 0):
        counted |= {agent: info["invalid_actions"] for agent, info in infos.items() if "invalid_actions" in info}
    assert counted
    assert set(counted.values()) == {0}


class Masked(Leaving):
    """Only the second of two actions is valid."""

    def reset(self, seed=None, options=None):
        seen, _ = super().reset(seed, options)
        return seen, {agent: {"action_mask": np.array([0, 1], dtype=np.int8)} for agent in self.agents}


def test_a_mask_stands_for_the_first_action_of_a_sequence():
    env = commitment_env(Masked(), mega_step=2)
    _, infos = env.reset()
    assert infos["a"]["action_mask"].tolist() == [0, 0, 1, 1]
    with pytest.raises(InputError, match="b: 1 is not valid in propose; valid: 2 to 3"):
        env.step({"a": 2, "b": 1, "c": 3})
    infos = env.step({"a": 2, "b": 2, "c": 3})[-1]
    assert infos["a"]["action_mask"].tolist() == [1, 1, 0, 0]
    infos = env.step({"a": 1, "b": 0, "c": 1})[-1]
    assert infos["a"]["action_mask"].tolist() == [0, 0, 1, 1]


def test_pettingzoos_checker_with_more_than_two_proposals():
    """It draws from whole spaces, without the masks in the infos; folded to valid choices, the wrapper passes."""

    class Folded(CommitmentEnv):
        def step(self, actions):
            return super().step({agent: action % 2 for agent, action in actions.items()})

    parallel_api_test(Folded(parallel_env("grid"), mega_step=2), num_cycles=50)
    with pytest.raises(InputError, match="is not valid in commit; valid: 0 to 1"):
        parallel_api_test(commitment_env(parallel_env("grid"), mega_step=2), num_cycles=50)
