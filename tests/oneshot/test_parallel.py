"""The PettingZoo environments keep PettingZoo's contracts and their own."""

import pickle
import warnings

import pytest
from pettingzoo.test import parallel_api_test, parallel_seed_test

from scml_gym.core.errors import InputError
from scml_gym.oneshot.envs import oneshot_factories_v0, oneshot_negotiations_v0
from tests.helpers.episodes import digest, play_parallel

CASES = {
    "negotiations": lambda: oneshot_negotiations_v0.parallel_env(days=3),
    "negotiations-moves-flat": lambda: oneshot_negotiations_v0.parallel_env(days=3, observation="flat", timing="moves"),
    "factories": lambda: oneshot_factories_v0.parallel_env(days=3),
    "self-play": lambda: oneshot_factories_v0.parallel_env(days=3, factories=tuple(range(8))),
    "factories-moves-full": lambda: oneshot_factories_v0.parallel_env(days=3, timing="moves", observability="full"),
}


@pytest.mark.parametrize("case", CASES)
def test_pettingzoos_checkers(case):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parallel_api_test(CASES[case](), num_cycles=60)
        parallel_seed_test(CASES[case], num_cycles=20)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_lockstep_and_pickle(case):
    env = CASES[case]()
    trace = digest(play_parallel(env, 4))
    assert digest(play_parallel(CASES[case](), 4)) == trace
    assert digest(play_parallel(pickle.loads(pickle.dumps(env)), 4)) == trace
    assert digest(play_parallel(env, 5)) != trace


SMALL = {"days": 2, "factories_per_level": 2, "opponents": ["greedy", "do-nothing", "best-subset", "boulware"]}
BACKEND_CASES = {
    "negotiations": lambda **backend: oneshot_negotiations_v0.parallel_env(**SMALL, **backend),
    "negotiations-moves-flat": lambda **backend: oneshot_negotiations_v0.parallel_env(
        observation="flat", timing="moves", **SMALL, **backend
    ),
    "factories": lambda **backend: oneshot_factories_v0.parallel_env(
        factories=(0, 2), observability="full", history=1, reward="regret", **SMALL, **backend
    ),
    "factories-moves-planner": lambda **backend: oneshot_factories_v0.parallel_env(
        factories=(1, 2, 3), action="planner", reward="negotiations", timing="moves", **SMALL, **backend
    ),
}


@pytest.mark.parametrize("case", BACKEND_CASES)
def test_both_backends_play_the_same(case):
    compiled, reference = (BACKEND_CASES[case](backend=backend) for backend in ("compiled", "reference"))
    for seed in range(6):
        left, right = play_parallel(compiled, seed), play_parallel(reference, seed)
        assert len(left) == len(right)
        for step, (mine, other) in enumerate(zip(left, right, strict=True)):
            assert digest(mine) == digest(other), (case, seed, step)


def test_agents_whose_partner_does_not_exist_are_idle_throughout():
    env = oneshot_negotiations_v0.parallel_env(days=2, factories_per_level=3)
    trace = play_parallel(env, 0)
    for step in trace[1:]:
        assert list(step["o"]) == env.possible_agents
        for agent in env.possible_agents[3:]:
            assert step["i"][agent]["action_mask"].nonzero()[0].tolist() == [0]
            assert (step["r"][agent], step["i"][agent]["negotiation_end"]) == (0.0, False)


def test_worlds_in_which_nobody_asks_end_at_the_first_step():
    for make in (oneshot_negotiations_v0.parallel_env, oneshot_factories_v0.parallel_env):
        alone = {"factories": (0,)} if make is oneshot_factories_v0.parallel_env else {"level": "seller"}
        env = make(days=2, factories_per_level=1, opponents=["do-nothing"], **alone)
        trace = play_parallel(env, 0)
        assert len(trace) == 2
        assert all(trace[1]["t"].values())
        assert all(info["decisions"] == 0 for info in trace[1]["i"].values())


@pytest.mark.parametrize("case", ["negotiations", "negotiations-moves-flat"])
def test_each_negotiation_ends_once_a_day_and_is_paid_then(case):
    env = CASES[case]()
    trace = play_parallel(env, 2)
    ends = dict.fromkeys(trace[0]["o"], 0)
    for step in trace[1:]:
        for agent, info in step["i"].items():
            ends[agent] += info["negotiation_end"]
            if not info["negotiation_end"]:
                assert step["r"][agent] == 0.0
    last = next(iter(trace[-1]["i"].values()))
    assert sum(ends.values()) <= last["negotiations"]
    assert sum(ends.values()) >= last["agreements"]
    assert max(ends.values()) <= 3  # days


def test_agents_live_for_the_whole_episode_and_idle_ones_have_only_the_no_op():
    env = oneshot_negotiations_v0.parallel_env(days=3)
    idle = 0
    for seed in range(5):
        for agent in env.possible_agents:
            env.action_space(agent).seed(seed)
        observations, infos = env.reset(seed=seed)
        agents = list(env.agents)
        assert set(observations) == set(infos) == set(agents)
        while env.agents:
            assert env.agents == agents
            turn = env.view["partners"]["my_turn"]
            for k, agent in enumerate(agents):
                mask = infos[agent]["action_mask"]
                assert mask[0]
                if not turn[k]:
                    idle += 1
                    assert mask.sum() == 1
            actions = {a: env.action_space(a).sample(infos[a]["action_mask"]) for a in env.agents}
            _, _, _, _, infos = env.step(actions)
    assert idle > 0


def test_self_play_returns_are_scores():
    env = CASES["self-play"]()
    trace = play_parallel(env, 3)
    for agent in trace[0]["o"]:
        total = sum(step["r"][agent] for step in trace[1:])
        info = trace[-1]["i"][agent]
        assert total == pytest.approx(info["score"] - 1, abs=1e-9)
        assert info["invalid_actions"] == 0
    turns = [sum(i["my_turn"] for i in step["i"].values()) for step in trace[1:-1]]
    assert set(turns) == {1}  # in the league's timing one factory after the other decides


@pytest.mark.parametrize("factories", [(), (0, 0), (0, 99)])
def test_wrong_factories(factories):
    with pytest.raises(InputError):
        oneshot_factories_v0.parallel_env(factories=factories, days=3).reset(seed=0)


def test_strict_mode_refuses_an_invalid_answer():
    env = oneshot_negotiations_v0.parallel_env(days=3, level="buyer", strict=True)
    env.reset(seed=0)
    with pytest.raises(InputError, match="accept"):
        env.step(dict.fromkeys(env.agents, 1))
