"""The subset family: what its traits do, and a population whose factories differ, repeatably."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from scml_gym.jit.random import counter_draws
from scml_gym.oneshot.planner import MEMORY_SIZE
from scml_gym.oneshot.players import player_maker
from scml_gym.oneshot.strategies import STRATEGIES
from scml_gym.oneshot.strategies.base import StrategyPolicy
from scml_gym.oneshot.strategies.subset import DEFAULTS, DRAWN, N_TRAITS, SIDES, SUBSET_POPULATION, TRAITS, TRAITS_AT
from scml_gym.oneshot.view import ACCEPT, BUYER, END, OFFER, SELLER, new_actions
from scml_gym.oneshot.worlds.generation import league_spec
from scml_gym.oneshot.worlds.reference import ReferenceWorld
from tests.helpers.views import money_view


def drawn_traits(seed=0, factory=0, level=SELLER):
    """The traits of a factory of the population after its first decision."""
    view = money_view(level=level, needs=5, offers=[(0, 0)] * 3)
    view["factory"] = factory
    policy = StrategyPolicy(SUBSET_POPULATION, seed)
    policy.begin(view)
    policy.act(view)
    state = policy.state
    assert state[DRAWN] == 1.0
    return state[TRAITS_AT : TRAITS_AT + N_TRAITS].copy()


def test_characters_differ_between_factories_and_worlds_and_repeat_by_seed():
    np.testing.assert_array_equal(drawn_traits(3, 2), drawn_traits(3, 2))
    varied = [i for i, trait in enumerate(TRAITS) if not trait.startswith("first_")]
    for other in (drawn_traits(3, 1), drawn_traits(4, 2)):
        assert (other[varied] != drawn_traits(3, 2)[varied]).all()


@pytest.mark.parametrize("level", [SELLER, BUYER])
def test_traits_lie_in_the_ranges_of_the_factorys_level_and_fill_them(level):
    traits = np.array([drawn_traits(seed, level=level) for seed in range(300)])
    for i, trait in enumerate(TRAITS):
        low, high = (SUBSET_POPULATION.parameters[f"{SIDES[level]}_{trait}_{end}"] for end in ("min", "max"))
        assert low <= traits[:, i].min() <= low + 0.05 * (high - low) + 1e-12
        assert high >= traits[:, i].max() >= high - 0.05 * (high - low) - 1e-12


def test_the_character_is_kept_through_the_days_and_the_memory_beside_it():
    view = money_view(level=BUYER, needs=5, offers=[(0, 0)] * 3)
    policy = StrategyPolicy(SUBSET_POPULATION, 1)
    policy.begin(view)
    policy.act(view)
    first = policy.state.copy()
    view["partners"]["my_quantity"][:3] = 2
    policy.end_day(view)
    view["day"] = 1
    policy.act(view)
    np.testing.assert_array_equal(policy.state[TRAITS_AT:], first[TRAITS_AT:])
    assert policy.state[:MEMORY_SIZE].any()
    policy.begin(view)
    assert not policy.state.any()


def test_a_population_of_one_character_plays_as_that_member():
    strong, equal = STRATEGIES.get("subset-strong"), {}
    for name, value in DEFAULTS.items():
        equal |= {f"{name}_min": value, f"{name}_max": value}
    for seed in range(20):
        offers = [(seed * k % 7, 10 + (seed + k) % 2) for k in range(1, 5)]
        view = money_view(level=seed % 2, needs=1 + seed % 10, offers=offers, time=1 + seed)
        answers = [StrategyPolicy(s, 0, p).act(view) for s, p in ((strong, {}), (SUBSET_POPULATION, equal))]
        np.testing.assert_array_equal(*answers)


def decide(name, view, **parameters):
    """The answers of a member, as (response, quantity, price) of each partner of the view."""
    actions = new_actions()
    strategy = STRATEGIES.get(name)
    state = np.zeros(strategy.state_size)
    strategy.decide(view, state, strategy.parameter_array(parameters), counter_draws(0, 0, 0, 0), actions)
    return actions.tolist()[: int(view["n_partners"])]


def test_tolerance_grows_over_the_rounds():
    early, late = (money_view(level=SELLER, needs=8, offers=[(6, 10), (1, 10)], time=t) for t in (1, 20))
    answers = [[a[0] for a in decide("subset-plain", view)] for view in (early, late)]
    assert answers == [[OFFER, OFFER], [ACCEPT, ACCEPT]]


def test_the_rest_is_countered_or_let_go():
    view = money_view(level=BUYER, needs=8, offers=[(5, 10), (9, 10)], time=19)
    view["shortfall_penalty"] = 0.0
    assert [a[0] for a in decide("subset-strong", view, buyer_over_start=0, buyer_over_end=0)] == [ACCEPT, OFFER]
    let_go = decide("subset-strong", view, buyer_over_start=0, buyer_over_end=0, buyer_counter_rest=0)
    assert let_go == [(ACCEPT, 0, 0), (END, 0, 0)]


def test_the_stubborn_refuse_a_bad_price_until_late():
    view = money_view(level=BUYER, needs=4, offers=[(4, 11)], time=2)
    assert decide("subset-stubborn", view) == [(OFFER, 5, 10)]
    assert decide("subset-strong", view) == [(ACCEPT, 0, 0)]


@pytest.mark.slow
def test_the_weak_lose_to_the_strong():
    """In a field of the family, at the same seat of the same worlds."""
    scores = {}
    for name in ("subset-weak", "subset-strong"):
        scores[name] = []
        for seed in range(3):
            spec = league_spec(seed, days=8, factories_per_level=4)
            for seat in (0, spec.n_sellers):
                players = [player_maker("best-subset")(seed) for _ in range(spec.n_factories)]
                players[seat] = player_maker(name)(seed)
                world = ReferenceWorld(spec, players, seed=seed)
                world.run()
                scores[name].append(world.scores[seat])
    assert np.mean(scores["subset-strong"]) > np.mean(scores["subset-weak"]) + 0.05


@pytest.mark.slow
def test_the_benchmark_draws_members_and_pairs_scores_by_world(command_line, tmp_path):
    options = ["--worlds", 2, "--days", 3, "--draws", 1, "--seed", 3]
    told = command_line("benchmarks/population.py", *options, "--out", tmp_path / "out")
    assert told.returncode == 0, told.stderr
    (traits,) = json.loads((tmp_path / "out/draws.json").read_text()).values()
    ranges = SUBSET_POPULATION.parameter_array().reshape(-1, 2)
    assert list(traits) == list(DEFAULTS)
    assert all(low <= value <= high for value, (low, high) in zip(traits.values(), ranges, strict=True))
    scores = pd.read_csv(tmp_path / "out/scores.csv").pivot_table(index="player", columns="seed", values="score")
    assert scores.shape[1] == 2
    peer = scores.loc["scml:SyncRandomOneShotAgent"]
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in told.stdout.splitlines() if line.count("±") > 1
    ]
    assert {row[0] for row in rows} == set(scores.index)
    for name, score, *_, difference in rows:
        for text, values in ((score, scores.loc[name]), (difference, scores.loc[name] - peer)):
            mean, error = map(float, text.split(" ± "))
            assert mean == pytest.approx(values.mean(), abs=6e-4)
            assert error == pytest.approx(values.std(ddof=1) / 2**0.5, abs=6e-4)
