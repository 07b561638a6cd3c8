"""Games of records: the compiled batch plays as the world in Python; copies, threads and misuse give what is right."""

import copy
import dataclasses
import pickle

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from scml_gym.core.errors import InputError
from scml_gym.core.registry import Registry
from scml_gym.game.calls import strategy_addresses
from scml_gym.game.strategy import Strategy, StrategyInterface, StrategyPolicy
from scml_gym.jit.compile import jittable
from scml_gym.vector.record_batch import RecordVectorEnv
from scml_gym.vector.record_envs import RecordEnv, RecordParallelEnv, define_game
from scml_gym.vector.records import RecordFunctions
from tests.helpers.toy_game import CLAIM, INTERFACE, PIE, RULES, VIEW_DTYPE, place, restart

PLAYER = "claim?first=7&greed=0.5"


def play(envs, steps, seed=None):
    """What seeded random demands meet."""
    trace = [] if seed is None else [envs.reset(seed=seed)]
    rng = np.random.default_rng(7)
    for _ in range(steps):
        trace.append(envs.step(rng.integers(PIE + 1, size=envs.num_envs)))
    return trace


def equal(one, other):
    """Whether two traces are equal to the last bit."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, np.ndarray) and one.dtype == object:
        return equal(list(one), list(other))
    return bool(np.array_equal(one, other))


@pytest.mark.parametrize("mode", ["NextStep", "SameStep", "Disabled"])
@pytest.mark.parametrize("player", ["first", "second"])
def test_a_row_is_the_single_environment(mode, player):
    arguments = {"player": player, "opponent": PLAYER, "days": 4}
    batch = RecordVectorEnv(3, RULES, autoreset_mode=mode, **arguments)
    singles = [RecordEnv(RULES, **arguments) for _ in range(3)]
    observations, info = batch.reset(seed=11)
    known = [env.reset(seed=11 + i) for i, env in enumerate(singles)]
    rng, done, ends, paid = np.random.default_rng(0), np.zeros(3, dtype=bool), 0, 0.0
    for _ in range(60):
        assert equal(list(observations), [o for o, _ in known])
        assert equal(list(info["action_mask"]), [i["action_mask"] for _, i in known])
        if mode == "Disabled" and done.any():
            observations, info = batch.reset(options={"reset_mask": done})
            known = [env.reset() if done[i] else known[i] for i, env in enumerate(singles)]
        resting, actions = done if mode == "NextStep" else np.zeros(3, dtype=bool), rng.integers(PIE + 1, size=3)
        observations, rewards, done, _, info = batch.step(actions)
        paid += rewards.sum()
        for i, env in enumerate(singles):
            if resting[i]:
                known[i] = env.reset()
                continue
            seen, reward, over, _, told = env.step(actions[i])
            assert (rewards[i], done[i]) == (reward, over)
            if over:
                ends += 1
                final = info["final_info"] if mode == "SameStep" else info
                for name in ("score", "agreements"):
                    assert final[f"_{name}"][i] and final[name][i] == told[name]
                if mode == "SameStep":
                    assert equal(info["final_obs"][i], seen)
                    seen, told = env.reset()
            known[i] = seen, told
    assert ends > 30 and paid > 1.0


def test_a_strategy_called_by_address_plays_as_in_python():
    batch = RecordVectorEnv(5, RULES, opponent=PLAYER)
    batch.reset(seed=3)
    records = batch._rows.records
    players = [StrategyPolicy(CLAIM, int(seed), {"first": 7, "greed": 0.5}) for seed in batch._rows.seeds]
    told = set()
    for day in range(9):
        demands = [int(player.act(view)[0]) for player, view in zip(players, records["views"][:, 1], strict=True)]
        batch.step(np.full(5, 3 + day % 3))
        assert demands == records["views"]["mine"][:, 1].tolist()
        for player, view in zip(players, records["views"][:, 1], strict=True):
            player.end_day(view)
        told.update(demands)
    assert len(told) > 2


def test_seeds_and_threads_say_all():
    traces = [play(RecordVectorEnv(6, RULES, threads=threads), 20, seed=1) for threads in (1, 2)]
    assert equal(*traces)
    assert not equal(traces[0], play(RecordVectorEnv(6, RULES), 20, seed=2))


class OwnPlayer:
    """A player of one's own, in Python only."""

    synchronous = True

    def begin(self, view):
        """A world starts."""

    def act(self, view):
        """Always the same."""
        return np.array([5])

    def end_day(self, view):
        """A day ends."""


def own_player(seed):
    """What makes one."""
    return OwnPlayer()


COPIES = [copy.copy, copy.deepcopy, lambda envs: pickle.loads(pickle.dumps(envs))]


@pytest.mark.parametrize("copied", COPIES)
def test_a_copy_of_a_batch_plays_alike_and_alone(copied):
    envs = RecordVectorEnv(4, RULES, threads=2)
    play(envs, 7, seed=5)
    other, third = copied(envs), copied(envs)
    expected = play(envs, 30)
    del envs
    assert equal(play(other, 30), expected)
    assert equal(play(third, 30), expected)


@pytest.mark.parametrize("copied", COPIES)
@pytest.mark.parametrize(
    "env, action",
    [
        (RecordEnv(RULES, opponent=PLAYER), 4),
        (RecordEnv(RULES, opponent="tests.vector.test_records:own_player"), 4),
        (RecordParallelEnv(RULES, days=5), {"first": 4, "second": 5}),
    ],
)
def test_a_copy_of_an_environment_plays_alike_and_alone(copied, env, action):
    env.reset(seed=2)
    env.step(action)
    other = copied(env)
    assert equal([env.step(action) for _ in range(3)], [other.step(action) for _ in range(3)])
    assert equal(env.reset(), other.reset())


@jittable
def share(record, answers, rewards):
    """The pie is divided as the first numbers of all answers; ends after two days."""
    total = float(answers[0, 0]) + float(answers[1, 0]) + float(answers[0, 1])
    for player in range(2):
        rewards[player] = float(answers[player, 0]) / max(1.0, total)
    return record["views"][0]["day"] == 1


@jittable
def show_shape(view, out):
    """Into an observation of two dimensions, flat."""
    out[view["day"]] = 1.0


@jittable
def no_mask(view, out):
    """All is valid."""


def halve(view, state, params, draws, actions):
    """Always the same."""
    actions[0], actions[1] = 0.5, 0.25


@pytest.mark.parametrize(
    "numbers, space", [(np.float32, spaces.Box(0, 1, (2,))), (np.int64, spaces.MultiDiscrete([3, 2]))]
)
def test_actions_of_several_numbers(numbers, space):
    interface = StrategyInterface(VIEW_DTYPE, np.dtype(numbers), 2, place)
    strategies = Registry("strategy")
    strategies.register("claim", Strategy("halve", halve, interface=interface))
    game = dataclasses.replace(
        RULES,
        observation_space=spaces.Box(0, 1, (2, 2)),
        action_space=space,
        functions=RecordFunctions(restart, share, show_shape, no_mask),
        interface=interface,
        strategies=strategies,
    )
    batch, single = RecordVectorEnv(2, game, autoreset_mode="Disabled"), RecordEnv(game)
    observations, _ = batch.reset(seed=0)
    seen, info = single.reset(seed=0)
    assert equal(observations[0], seen) and single.observation_space.contains(seen)
    assert len(info["action_mask"]) == 2
    for day in range(2):
        action = np.array([1, 0], dtype=numbers)
        observations, rewards, done, _, _ = batch.step(np.stack([action, action]))
        seen, reward, over, _, _ = single.step(action)
        assert equal(observations[0], seen) and rewards[0] == reward > 0.0 and done[0] == over == (day == 1)


def tell(view, state, params, draws, actions):
    """What cannot be compiled."""
    pickle.dumps(state)


TELLS = Strategy("tells", tell, interface=INTERFACE)


def test_what_is_wrong_is_told_in_one_line():
    envs, parallel = RecordVectorEnv(2, RULES), RecordParallelEnv(RULES)
    envs.reset(seed=0)
    with pytest.raises(InputError, match=r"row 1: action 11; valid: Discrete\(11\)"):
        envs.step([0, 11])
    env = RecordEnv(RULES, strict=True)
    env.reset(seed=1)
    with pytest.raises(InputError, match=r"action 11; valid: Discrete\(11\)"):
        env.step(11)
    with pytest.raises(InputError, match=r"action \[0\] is masked"):
        env.step(0)
    for agents in ([], ["first", "first"]):
        with pytest.raises(InputError, match="valid: at least one of first, second, once"):
            RecordParallelEnv(RULES, agents=agents)
    with pytest.raises(InputError, match="only games of 2"):
        define_game(dataclasses.replace(RULES, players=("a", "b", "c")), "", "", "own/Game-v0", {})
    parallel.reset(seed=0)
    with pytest.raises(InputError, match="second: no action"):
        parallel.step({"first": 3})
    for make in (RecordEnv, lambda game, **given: RecordVectorEnv(2, game, **given)):
        with pytest.raises(InputError, match="days=0"):
            make(RULES, days=0)
        with pytest.raises(InputError, match="player='frist'; did you mean 'first'"):
            make(RULES, player="frist")
        with pytest.raises(InputError, match="no parameter 'frist'; did you mean 'first'"):
            make(RULES, opponent="claim?frist=1")
        with pytest.raises(InputError, match=r"oponent.*did you mean 'opponent'"):
            make(RULES, oponent="claim")
        with pytest.raises(InputError, match="player 5; valid: a name"):
            make(RULES, opponent=5)
        with pytest.raises(InputError, match="unknown strategy ''"):
            make(RULES, opponent="")
        with pytest.raises(InputError, match="a RecordGame is needed"):
            make("tests.helpers.toy_game:TOY")
    with pytest.raises(InputError, match="'tells' does not compile"):
        RecordVectorEnv(2, RULES, opponent="tests.vector.test_records:TELLS")
    with pytest.raises(InputError, match="is no strategy: use vectorization_mode='sync'"):
        RecordVectorEnv(2, RULES, opponent="tests.vector.test_records:own_player")
    with pytest.raises(gymnasium.error.ResetNeeded):
        RecordEnv(RULES).step(0)


def test_a_player_of_ones_own_plays_in_the_single_environment():
    env = RecordEnv(RULES, opponent="tests.vector.test_records:own_player")
    env.reset(seed=0)
    assert all(env.step(5)[0][3] == np.float32(0.5) for _ in range(10))


def test_a_strategy_is_compiled_once_for_equal_interfaces():
    assert strategy_addresses(CLAIM) == strategy_addresses(CLAIM)
