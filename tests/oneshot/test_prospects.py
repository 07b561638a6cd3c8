"""What a factory reckons with as an observation: it knows the answers of sequential, and what standing offers add."""

import itertools

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.seeding import np_random

from scml_gym.core.errors import InputError
from scml_gym.offline.behaviours import Played
from scml_gym.oneshot.asking.sets import fill_set_gains
from scml_gym.oneshot.observations.prospects import FIRST_ANSWER, FIRST_PARTNER, ProspectsEncoder
from scml_gym.oneshot.players import player_maker
from scml_gym.oneshot.rules import asked_partner
from tests.helpers.asking import small_case, worth_of

ID = "scml_gym/OneShotConcurrent-v0"


@pytest.mark.parametrize("level", ["seller", "buyer"])
def test_the_best_answer_is_that_of_sequential_day_after_day(level):
    """It remembers the same as the strategy, though it is not told what was answered."""
    others = ("best-subset", "greedy", "sequential", "clone:2025/CostAverseAgent")
    env = gymnasium.make(
        ID, timing="negotiations", observation="prospects", level=level, opponents=others, days=12
    ).unwrapped
    compared, worths = 0, set()
    for seed in range(2):
        seen, _ = env.reset(seed=seed)
        player, done = Played(player_maker("sequential")), False
        player.begin(env, seed)
        while not done:
            assert seen in env.observation_space
            answers = seen[FIRST_ANSWER:FIRST_PARTNER].reshape(23, 2)
            action = player.act(env, "agent", seen, env.action_masks())
            (best,) = np.flatnonzero(answers[:, 1])
            assert best == action
            if env.view["needs"] > 0:
                worths.add(float(answers[best, 0]))
            seen, _, done, _, _ = env.step(action)
            compared += 1
    assert compared > 200
    assert max(worths) == 1.0


def test_a_seller_sees_which_buyers_let_it_wait():
    others = ("sequential", "clone:2025/CostAverseAgent")
    options = {"level": "seller", "opponents": others, "days": 4, "factories_per_level": 5}
    env, without = (
        gymnasium.make(ID, timing="negotiations", observation=name, **options).unwrapped
        for name in ("prospects", "prospects-no-late-days")
    )
    names = [feature.name for feature in env.encoder.features]
    place, kept = names.index("partners[0].late_days"), [i for i, n in enumerate(names) if "late_days" not in n]
    assert [feature.name for feature in without.encoder.features] == [names[i] for i in kept]
    shown = {True: [], False: []}
    for seed in range(4):
        seen, done, player = env.reset(seed=seed)[0], False, Played(player_maker("sequential"))
        fewer, _ = without.reset(seed=seed)
        drawn = int(np_random(seed)[0].integers(2**62))  # as by the environment
        wait = [not buyer.synchronous for buyer in env.config.sample(drawn).players[5:]]
        player.begin(env, seed)
        while not done and not all(wait):  # where all do, no pass goes by before the first one
            shown[wait[asked_partner(env.view)]].append(float(seen[place]))
            assert np.array_equal(seen[kept], fewer)
            action = player.act(env, "agent", seen, env.action_masks())
            seen, _, done, _, _ = env.step(action)
            fewer = without.step(action)[0]
    assert len(shown[True]) > 20 and min(shown[True]) > 0.0
    assert len(shown[False]) > 20 and max(shown[False]) == 0.0


@pytest.mark.parametrize("seed", range(6))
def test_what_an_offer_adds_to_the_best_set(seed):
    view, needs, prospects, later = small_case(seed)
    view["needs"] = needs
    prospects.pending[:] = 0
    gains, sign = np.zeros(8), 1 if view["level"] == 0 else -1

    def best(partners):
        """Of all sets of these partners' offers."""
        sets = itertools.chain.from_iterable(itertools.combinations(partners, n) for n in range(len(partners) + 1))
        return max(
            worth_of(view, needs, sum(int(prospects.quantities[k]) for k in chosen), later)
            + sign * sum(int(prospects.quantities[k] * prospects.prices[k]) for k in chosen)
            for chosen in sets
        )

    fill_set_gains(view, prospects, later, gains)
    standing = [k for k in range(3) if prospects.quantities[k] > 0]
    expected = {k: best(standing) - best([j for j in standing if j != k]) for k in standing}
    assert {k: gains[k] for k in standing} == pytest.approx(expected)
    assert not gains[[k for k in range(8) if k not in standing]].any()


def test_neither_hidden_state_nor_history_is_shown():
    for wrong in ({"observability": "full"}, {"history": 1}):
        with pytest.raises(InputError, match="valid with observation='prospects'"):
            ProspectsEncoder(**wrong)
    with pytest.raises(InputError, match="prospects"):
        gymnasium.make(ID, observation="prospects")


def test_a_batch_goes_on_from_its_kept_state_with_what_it_remembers():
    """Of the environments of tests/oneshot/test_waiting.py, so that they are compiled once."""
    days = {"episode": "day", "reward": "regret", "observation": "prospects", "action": "choice-offer-first"}
    arguments = {"timing": "negotiations", "days": 4, **days}
    batch, other = (gymnasium.make_vec(ID, num_envs=3, threads=2, **arguments).unwrapped for _ in range(2))
    (_, infos), rng = batch.reset(seed=5), np.random.default_rng(1)
    other.reset(seed=9)
    for _ in range(60):
        actions = [int(rng.choice(np.flatnonzero(m))) if m.any() else 0 for m in infos["action_mask"]]
        seen, *_, infos = batch.step(np.array(actions))
    assert np.array_equal(other.restore(batch.state()), seen)
    waits = np.array([int(np.flatnonzero(m)[-1]) if m.any() else 0 for m in infos["action_mask"]])
    for _ in range(3):
        assert np.array_equal(batch.step(waits)[0], other.step(waits)[0])
        waits[:] = 0
