"""One negotiation as an episode, as the paper has it."""

from typing import Any

import gymnasium
import numpy as np
import pytest

from scml_gym.core.errors import InputError
from scml_gym.oneshot.observations.negotiation import PartnerStates
from scml_gym.oneshot.rewards.negotiation import NegotiationReward
from tests.helpers.episodes import digest, make, play

NAME = "scml_gym/OneShotBilateral-v0"


def negotiate(env, rng):
    """One episode of random valid answers: (states, rewards, last info)."""
    state, info = env.reset()
    states, rewards, done = [state], [], False
    while not done:
        action = rng.choice(np.flatnonzero(info["action_mask"]))
        state, reward, done, _, info = env.step(action)
        states.append(state)
        rewards.append(reward)
    return states, rewards, info


def test_a_negotiation_ends_in_accept_or_end_and_is_paid_then():
    env, rng, states = make(NAME, {"days": 6}), np.random.default_rng(0), PartnerStates("full")
    env.reset(seed=0)
    outcomes = set()
    for _ in range(40):
        visited, rewards, info = negotiate(env, rng)
        end = info["negotiation_end"]
        assert all(s < states.accept for s in visited[:-1])
        assert visited[-1] == (states.accept if end["quantity"] else states.end)
        assert not any(rewards[:-1])
        assert rewards[-1] == end["reward"]
        outcomes.add(end["quantity"] > 0)
    assert outcomes == {True, False}


def test_reset_goes_on_in_the_running_world_a_day_at_a_time():
    env, rng = make(NAME, {"days": 6}), np.random.default_rng(1)
    env.reset(seed=3)
    inner: Any = env.unwrapped
    met = []
    for _ in range(12):
        negotiate(env, rng)
        met.append((id(inner.world), inner._last_day))
    worlds = list(dict.fromkeys(w for w, _ in met))
    assert len(worlds) >= 2
    for world in worlds:
        days = [day for w, day in met if w == world]
        assert days == sorted(set(days))
        assert len(days) <= 6


def test_partner_is_drawn_anew_or_fixed():
    rng = np.random.default_rng(2)
    drawn, fixed = make(NAME, {"days": 20}), make(NAME, {"days": 20, "partner": 2})
    for env in (drawn, fixed):
        env.reset(seed=1)
    assert len({negotiate(drawn, rng)[2]["partner"] for _ in range(15)}) > 2
    assert {negotiate(fixed, rng)[2]["partner"] for _ in range(15)} == {2}


def test_world_as_the_episode_ends_with_the_score():
    env = make(NAME, {"episode": "world", "days": 5})
    _, info = env.reset(seed=4)
    rng, done, ends = np.random.default_rng(3), False, 0
    while not done:
        _, reward, done, _, info = env.step(rng.choice(np.flatnonzero(info["action_mask"])))
        ends += "negotiation_end" in info
        assert ("negotiation_end" in info) or reward == 0
    assert 1 <= ends <= 5
    inner: Any = env.unwrapped
    assert info["score"] == pytest.approx(1 + info["profit"] / inner.view["initial_balance"])


def test_reward_is_what_was_asked_for():
    only_profit = NegotiationReward(deviation=0.0, end_needs=0.0, end_gap=0.0, relative=False)
    env, rng = make(NAME, {"days": 6, "reward": only_profit, "level": "seller"}), np.random.default_rng(5)
    env.reset(seed=0)
    agreed = 0
    for _ in range(20):
        _, rewards, info = negotiate(env, rng)
        end = info["negotiation_end"]
        agreed += end["quantity"] > 0
        if not end["quantity"]:
            assert rewards[-1] == 0.0
    assert agreed


def test_other_partners_are_answered_by_the_strategy_named():
    counts = []
    for others in ("do-nothing", "nice"):
        env, rng = make(NAME, {"days": 6, "others": others, "episode": "world"}), np.random.default_rng(6)
        _, info = env.reset(seed=0)
        done = False
        while not done:
            _, _, done, _, info = env.step(rng.choice(np.flatnonzero(info["action_mask"])))
        counts.append(info["agreements"])
    assert counts[0] < counts[1]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"episode": "world", "observation": "flat"},
        {"timing": "moves", "observation": "offer", "others": "adaptive-price"},
        {"timing": "moves", "episode": "world", "others": "greedy"},
        {"others": "do-nothing", "observation": "needs"},
    ],
    ids=str,
)
def test_both_backends_play_the_same(options):
    small = {"days": 2, "factories_per_level": 2, "opponents": ["greedy", "do-nothing", "best-subset", "boulware"]}
    compiled, reference = (make(NAME, small | options | {"backend": b}) for b in ("compiled", "reference"))
    for seed in range(3):
        left, right = play(compiled, seed, episodes=4), play(reference, seed, episodes=4)
        assert len(left) == len(right)
        for step, (mine, other) in enumerate(zip(left, right, strict=True)):
            assert digest(mine) == digest(other), (seed, step)


def test_partners_depend_on_the_world_and_on_how_many_negotiations_were_played():
    def partners(env, episodes, rng):
        return [negotiate(env, rng)[2]["partner"] for _ in range(episodes)]

    one, other = make(NAME, {"days": 20}), make(NAME, {"days": 20, "others": "nice", "observation": "flat"})
    for env in (one, other):
        env.reset(seed=3)
    met = partners(one, 15, np.random.default_rng(7))
    assert met == partners(other, 15, np.random.default_rng(8))  # whatever was done in them
    assert len(set(met)) > 2


def test_a_reset_in_a_negotiation_goes_on_with_the_next_day():
    env = make(NAME, {"days": 5})
    inner: Any = env.unwrapped
    env.reset(seed=2)
    days = [inner._last_day]
    for _ in range(4):
        env.reset()
        days.append(inner._last_day)
    assert days == [0, 1, 2, 3, 4]


def test_worlds_in_which_nobody_asks_are_refused_after_many():
    env = make(NAME, {"opponents": ["do-nothing"], "level": "seller", "days": 1})
    with pytest.raises(InputError, match="nobody asked"):
        env.reset(seed=0)


@pytest.mark.parametrize("wrong", [{"others": "nicer"}, {"episode": "day"}, {"partner": 9}, {"price_bins": 0}], ids=str)
def test_wrong_arguments_are_refused(wrong):
    with pytest.raises(InputError, match=str(next(iter(wrong.values())))):
        make(NAME, wrong).reset(seed=0)


def test_step_before_reset():
    with pytest.raises(gymnasium.error.ResetNeeded):
        make(NAME, {}).unwrapped.step(0)
