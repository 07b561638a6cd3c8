"""Episodes: batches give those of single environments, and strategies do there what they do as players."""

from itertools import chain, count, islice

import numpy as np
import pytest

from scml_gym.offline.batches import make_rows, play_rows, rows_of
from scml_gym.offline.behaviours import behaviour_of
from scml_gym.offline.command import open_source
from scml_gym.offline.playing import agent_spaces, play_parallel, play_single

SMALL = ("days=3", "factories_per_level=[2, 4]", "opponents=[best-subset, greedy, random]")
DAYS = ("episode=day", "reward=regret", "observation=entities")
CHAINS = ("days=5", "factories_per_level=[2, 3]", "shield=covered", "reward=margin-shaped-profit")
CASES = [
    ("scml_gym/OneShotConcurrent-v0", "adaptive-price", SMALL),  # which learns from day to day
    ("scml_gym/OneShotConcurrent-v0", "uniform", (*SMALL, *DAYS)),
    ("scml_gym/OneShotBilateral-v0", "uniform", ("days=3",)),
    ("scml_gym/StandardDaily-v0", "penguin", ("action=goals-by-day", "executor=planner-by-day", *CHAINS)),
    ("scml_gym/BilateralAcceptance-v0", "uniform", ()),
]


def opened(env, competitor, options=()):
    source = open_source(env, list(options))
    plain = source.made if source.parallel else source.made.unwrapped
    return source, behaviour_of(competitor, source.game, plain, *agent_spaces(source.made))


def assert_equal(one, two):
    assert type(one) is type(two)
    if isinstance(one, dict):
        assert one.keys() == two.keys()
        for name in one:
            assert_equal(one[name], two[name])
    elif isinstance(one, np.ndarray):
        assert one.dtype == two.dtype and np.array_equal(one, two)
    else:
        assert one == two


@pytest.mark.parametrize(("env", "competitor", "options"), CASES)
def test_a_batch_gives_the_episodes_of_single_environments(env, competitor, options):
    source, behaviour = opened(env, competitor, options)
    alone = list(islice(chain.from_iterable(play_single(source.made, behaviour, s) for s in count(5)), 9))
    envs = make_rows(source.env, 2)
    together = list(islice(play_rows(envs, rows_of(behaviour, envs), count(5)), 9))
    for one, two in zip(alone, together, strict=True):
        for part, other in zip(one, two, strict=True):
            assert_equal(part, other)
    assert alone[0].seed == 5
    assert len(alone[0].observations) == len(alone[0].infos["action_mask"]) == alone[0].steps + 1
    envs.close()


def test_with_a_summary_comes_what_became_of_the_factory():
    source, behaviour = opened("scml_gym/OneShotConcurrent-v0", "best-subset", SMALL)
    (episode,) = play_single(source.made, behaviour, 5)
    last = episode.infos["summary"][-1]
    assert last["score"] == pytest.approx(1 + episode.rewards.sum())
    assert last["invalid_actions"] == 0
    assert not episode.infos["summary"]["score"][:-1].any()


@pytest.mark.parametrize(
    ("env", "competitor", "kinds"),
    [
        ("oneshot_factories_v0", "best-subset", {"level-0", "level-1"}),
        ("oneshot_negotiations_v0", "best-subset", {"partner"}),
        ("standard_negotiations_v0", "just-in-time", {"supplier", "consumer"}),
    ],
)
def test_agents_of_pettingzoo_have_an_episode_each(env, competitor, kinds):
    source, behaviour = opened(env, competitor, ["days=5" if env.startswith("standard") else "days=3"])
    episodes = list(play_parallel(source.made, behaviour, 3))
    assert {episode.kind for episode in episodes} == kinds
    assert [episode.agent for episode in episodes] == source.made.possible_agents
    assert len({episode.steps for episode in episodes}) == 1
    assert all(episode.terminations[-1] and not episode.terminations[:-1].any() for episode in episodes)
    assert any(episode.actions.any() for episode in episodes)


@pytest.mark.parametrize(("action", "options"), [("accept", ()), ("outcome", ()), ("target", ("action=target",))])
def test_a_negotiator_plays_its_own_offers(action, options):
    env = "scml_gym/BilateralAcceptance-v0" if action == "accept" else "scml_gym/Bilateral-v0"
    source, behaviour = opened(env, "boulware", options)
    (episode,) = play_single(source.made, behaviour, 2)
    masks = episode.infos["action_mask"][:-1]
    assert masks[np.arange(episode.steps), episode.actions].all()
    assert episode.infos["summary"][-1]["agreement"]
