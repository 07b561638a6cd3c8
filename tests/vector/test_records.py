"""A game of its own view, rules and strategy is played through the shared code alone."""

import copy
import pickle

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test
from pettingzoo.utils import parallel_to_aec
from stable_baselines3 import PPO
from stable_baselines3.common.evaluation import evaluate_policy

from scml_gym.core.errors import InputError
from scml_gym.game.calls import strategy_addresses
from scml_gym.game.strategy import Strategy, StrategyPolicy
from scml_gym.vector.record_envs import RecordEnv, RecordParallelEnv
from scml_gym.vector.records import RecordVectorEnv
from tests.helpers.haggling import CONCEDE, HAGGLING, SELLER, VIEW_DTYPE, haggling


def play(envs, steps, seed=None):
    """What seeded random prices meet."""
    trace = [] if seed is None else [envs.reset(seed=seed)]
    rng = np.random.default_rng(7)
    for _ in range(steps):
        trace.append(envs.step(rng.integers(11, size=envs.num_envs)))
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


def test_a_strategy_called_by_address_plays_as_in_python():
    batch = RecordVectorEnv(haggling(exponent=3.0), 5)
    observations, _ = batch.reset(seed=3)
    records = batch._batch.records
    views = [records["views"][:, SELLER].copy()]
    for _ in range(4):
        batch.step(np.zeros(5, dtype=np.int64))  # too low for all but a seller without costs in the last round
        views.append(records["views"][:, SELLER].copy())
    for i in range(5):
        player = StrategyPolicy(CONCEDE, int(records["seed"][i]), {"exponent": 3.0})
        asks = [player.act(view[i])["price"][0] for view in views[:-1]]
        assert asks == [max(view[i]["mine"], 0) for view in views[1:]]
    assert len(set(asks)) > 2


def test_seeds_and_threads_say_all():
    traces = [play(RecordVectorEnv(haggling(), 6, threads=threads), 20, seed=1) for threads in (1, 2)]
    assert equal(*traces)
    assert not equal(traces[0], play(RecordVectorEnv(haggling(), 6), 20, seed=2))


@pytest.mark.parametrize("mode", ["NextStep", "SameStep", "Disabled"])
def test_a_row_is_the_single_environment(mode):
    batch, singles = RecordVectorEnv(haggling(), 3, mode), [RecordEnv(haggling()) for _ in range(3)]
    observations, info = batch.reset(seed=11)
    known = [env.reset(seed=11 + i) for i, env in enumerate(singles)]
    rng, done, ends = np.random.default_rng(0), np.zeros(3, dtype=bool), 0
    for _ in range(60):
        assert equal(list(observations), [o for o, _ in known])
        assert equal(list(info["action_mask"]), [i["action_mask"] for _, i in known])
        if mode == "Disabled" and done.any():
            observations, info = batch.reset(options={"reset_mask": done})
            known = [env.reset() if done[i] else known[i] for i, env in enumerate(singles)]
        resting, actions = done if mode == "NextStep" else np.zeros(3, dtype=bool), rng.integers(11, size=3)
        observations, rewards, done, _, info = batch.step(actions)
        for i, env in enumerate(singles):
            if resting[i]:
                known[i] = env.reset()
                continue
            seen, reward, over, _, told = env.step(actions[i])
            assert (rewards[i], done[i]) == (reward, over)
            if over:
                ends += 1
                final = info["final_info"] if mode == "SameStep" else info
                assert final["_trade"][i] and (final["trade"][i], final["price"][i]) == (told["trade"], told["price"])
                if mode == "SameStep":
                    assert equal(info["final_obs"][i], seen)
                    seen, told = env.reset()
            known[i] = seen, told
    assert ends > 9


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda envs: pickle.loads(pickle.dumps(envs))])
def test_a_copy_plays_alike_and_alone(copied):
    envs = RecordVectorEnv(haggling(), 4, threads=2)
    play(envs, 7, seed=5)
    other, third = copied(envs), copied(envs)
    expected = play(envs, 30)
    del envs
    assert equal(play(other, 30), expected)
    assert equal(play(third, 30), expected)


def test_it_is_a_gymnasium_environment():
    check_env(RecordEnv(haggling()), skip_render_check=True)
    gymnasium.register("toy/Haggling-v0", lambda: RecordEnv(haggling()))
    env = gymnasium.make("toy/Haggling-v0")
    _, info = env.reset(seed=1)
    assert env.action_space.sample(info["action_mask"]) in np.flatnonzero(env.unwrapped.action_masks())


def test_both_sides_play_in_a_pettingzoo_environment():
    env = RecordParallelEnv(haggling(("buyer", "seller")))
    parallel_api_test(env, num_cycles=50)
    api_test(parallel_to_aec(env), num_cycles=20)
    parallel_seed_test(lambda: RecordParallelEnv(haggling(("buyer", "seller"))))
    env.reset(seed=0)
    _, rewards, ends, _, infos = env.step({"buyer": 10, "seller": 0})
    worth, cost = env._episodes.batch.records["views"]["limit"][0]
    assert infos["seller"]["price"] == (worth + cost) / 2 and ends == {"buyer": True, "seller": True}
    assert rewards["buyer"] == rewards["seller"] == pytest.approx((worth - cost) / 20)
    assert env.agents == []


def tell(view, state, params, draws, actions):
    """What cannot be compiled."""
    pickle.dumps(state)


def test_what_is_wrong_is_told_in_one_line():
    env, envs = RecordEnv(haggling()), RecordVectorEnv(haggling(), 2)
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(0)
    with pytest.raises(InputError, match="call reset before action_masks"):
        env.action_masks()
    envs.reset(seed=0)
    with pytest.raises(InputError, match=r"row 1: action 11; valid: Discrete\(11\)"):
        envs.step([0, 11])
    with pytest.raises(InputError, match="haggling has 2 players"):
        RecordEnv(haggling(("buyer", "seller")))
    with pytest.raises(InputError, match="'tells' does not compile"):
        RecordEnv(haggling(strategy=Strategy("tells", tell, interface=HAGGLING)))
    with pytest.raises(InputError, match="no parameter 'exponnt'"):
        haggling(exponnt=1.0)


def test_a_strategy_is_compiled_once_for_equal_interfaces():
    assert strategy_addresses(CONCEDE) == strategy_addresses(CONCEDE)
    assert CONCEDE.interface.view == VIEW_DTYPE


def test_ppo_learns_it():
    env = RecordEnv(haggling())
    model = PPO("MlpPolicy", env, n_steps=512, learning_rate=3e-3, gamma=1.0, seed=0, device="cpu")
    before, _ = evaluate_policy(model, env, 200, warn=False)
    model.learn(4096)
    after, _ = evaluate_policy(model, env, 200, warn=False)
    assert after > 0.4 > before
