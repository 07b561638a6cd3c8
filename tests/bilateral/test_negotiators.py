"""Bilateral negotiators: what the sources say of each, alike in both forms of negmas' mechanism."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from negmas.outcomes import make_issue, make_os
from negmas.preferences import MappingUtilityFunction
from negmas.sao import SAOMechanism

from scml_gym.bilateral.negotiators import ACCEPTANCE_RULES, NEGOTIATORS, AgentK, Boulware, Gahboninho, TableNegotiator
from scml_gym.bilateral.negotiators.acceptance import AcceptanceRule, with_acceptance
from scml_gym.bilateral.negotiators.agent_k import BID_TARGET, TRIES, search
from scml_gym.bilateral.negotiators.base import TablePlayer, count_at_least, make_table
from scml_gym.bilateral.scenarios import load_scenario
from scml_gym.bilateral.view import NOBODY
from scml_gym.bilateral.worlds.protocol import Bidder, Negotiation
from scml_gym.bilateral.worlds.table_world import play
from scml_gym.core.errors import InputError

MEASURED = Path(__file__).resolve().parents[2] / "benchmarks" / "data" / "genius_originals_results.csv"
UTILITIES = st.lists(st.floats(0, 1), min_size=1, max_size=30)


def tables(name="EnglandZimbabwe"):
    scenario = load_scenario(name)
    return [make_table(scenario.utilities(side), scenario.shape) for side in range(2)]


def player(strategy, table, n_steps, seed=0, **parameters):
    if isinstance(strategy, str):
        strategy = NEGOTIATORS.get(strategy)
    return TablePlayer(strategy, table, n_steps, lambda step: np.random.default_rng((seed, step)).random(8), parameters)


def mechanism_trace(negotiators, scenario="EnglandZimbabwe", **arguments):
    negmas = load_scenario(scenario).to_negmas()
    mechanism = SAOMechanism(outcome_space=negmas.outcome_space, **arguments)
    for negotiator, ufun in zip(negotiators, negmas.ufuns, strict=True):
        mechanism.add(negotiator, ufun=ufun)
    mechanism.run()
    return [offer for _, offer in mechanism.trace], mechanism.state.agreement


@given(UTILITIES, st.floats(-0.1, 1.1))
def test_tables_are_sorted(utilities, limit):
    table = make_table(utilities)
    assert table.sorted.tolist() == sorted(utilities, reverse=True)
    assert table.utilities[table.order].tolist() == table.sorted.tolist()
    assert count_at_least(table, limit) == sum(u >= limit for u in utilities)


@settings(deadline=None)
@given(UTILITIES, st.integers(2, 50), st.sampled_from([("boulware", 4), ("linear", 1), ("conceder", 0.5)]))
def test_boulware_is_equation_5(utilities, rounds, strategy):
    name, exponent = strategy
    table = make_table(utilities)
    side = player(name, table, rounds)
    for r in range(1, rounds + 1):
        aim = 1 - (r / (rounds + 1)) ** exponent
        bid, _ = side.turn(r - 1)
        assert table.utilities[bid] == min((u for u in utilities if u >= aim), default=max(utilities))
        for offer in range(len(utilities)):
            assert side.turn(r - 1, offer) == (bid, utilities[offer] >= table.utilities[bid])


def test_agent_k_searches_as_the_original_does():
    """The literal search draws 501 outcomes at each level; its finds have the distribution drawn from."""
    rng, n, times = np.random.default_rng(5), 2000, 4000
    table = make_table(np.linspace(0, 0.96, n))
    found, literal = [], []
    for _ in range(times):
        level_draw, bid_draw = rng.random(2)
        found.append(table.utilities[search(table, 0.96, level_draw, bid_draw)])
        target = 0.96
        while True:
            tried = table.utilities[rng.integers(n, size=int(TRIES))]
            if (tried >= target).any():
                break
            target -= 0.01
        literal.append(tried[tried >= target][0])
    bins = [0, 0.93, 0.95, 0.9533, 0.9567, 0.9599, 1]
    ours, theirs = np.histogram(found, bins)[0], np.histogram(literal, bins)[0]
    assert (np.abs(ours - theirs) <= 4 * np.sqrt(ours + theirs + 1)).all()
    assert times / 6 < ours[-1] < times / 3 and (ours[2:5] > times / 6).all()  # the best is missed at first, often


def test_agent_k_repeats_what_was_good_enough():
    table = make_table(np.linspace(0, 1, 50))
    for seed in range(20):
        side = player("AgentK", table, 10, seed)
        bids = [side.turn(step, 46 - step % 2 * 2)[0] for step in range(10)]
        assert bids[-1] == 46  # above its aim, which is just above their mean, as 44 is not


def test_agent_k_comes_closer_to_what_it_may_reach():
    table = make_table(np.linspace(0, 1, 101))
    side, aims = player("AgentK", table, 100, tremor=0.0), []
    for step in range(100):
        side.turn(step, 60)
        aims.append(side._state[BID_TARGET])
    assert (np.diff(aims) < 0).all() and aims[0] > 0.99 and 0.6 < aims[-1] < 0.9


def test_gahboninho_probes_holds_out_and_ends_with_the_best_offer():
    table = tables("Party")[0]
    side, worst = player("Gahboninho", table, 400), int(table.order[-1])
    bids = [side.turn(step, worst if step != 200 else int(table.order[1500]))[0] for step in range(400)]
    utilities = table.utilities[bids]
    assert utilities[0] == 1 and (utilities[1:41] >= 0.925).all() and utilities[40] < 0.93
    assert (utilities[41:340] == 1).all()
    assert (utilities[340:399] >= 0.5).all() and (np.diff(utilities[340:399]) < 0.03).all() and utilities[398] < 0.9
    assert bids[-1] == table.order[1500]


def test_gahboninho_takes_little_less_than_it_asks():
    table = make_table([1.0, 0.96, 0.94, 0.0])
    side = player("Gahboninho", table, 100)
    assert [side.turn(step, 2)[1] for step in range(30)] == [False] * 30
    assert player("Gahboninho", table, 100).turn(3, 1)[1]
    accepted = [step for step in range(100) if player("Gahboninho", table, 100).turn(step, 2)[1]]
    assert accepted == []  # a first offer, so it waits for another


@pytest.mark.parametrize("rounds", [2, 3, 17])
@pytest.mark.parametrize("name", NEGOTIATORS)
def test_every_negotiator_bids_outcomes_and_is_reproducible(name, rounds):
    first, second = tables()
    histories = []
    for _ in range(2):
        sides, history, offer = [player(name, table, rounds, i) for i, table in enumerate((first, second))], [], -1
        for step in range(rounds):
            for side in sides:
                bid, accepts = side.turn(step, offer)
                assert 0 <= bid < len(first.utilities)
                history.append((bid, accepts))
                offer = bid
        histories.append(history)
    assert histories[0] == histories[1]
    strategy = NEGOTIATORS.get(name)
    assert strategy.name == name and strategy.summary
    with pytest.raises(InputError, match=f"'{strategy.name}' has no parameter 'x'".replace("+", r"\+")):
        strategy.parameter_array({"x": 1})


@pytest.mark.parametrize("opponent", [AgentK, Gahboninho, Boulware])
@pytest.mark.parametrize("name", NEGOTIATORS)
def test_both_forms_of_the_mechanism_are_played_alike(name, opponent):
    traces = [
        mechanism_trace([TableNegotiator(strategy=NEGOTIATORS.get(name), seed=3), opponent(seed=4)], **form)
        for form in ({"n_steps": 20}, {"n_steps": 40, "one_offer_per_step": True})
    ]
    assert traces[0] == traces[1] and len(traces[0][0]) > 1


def test_seeds_of_negmas_negotiators():
    def trace(seed):
        return mechanism_trace([AgentK(seed=seed), Boulware()], "Party", n_steps=30)

    assert trace(1) == trace(1) != trace(2)
    again = AgentK(seed=1)
    first, second = (mechanism_trace([again, Boulware()], "Party", n_steps=30) for _ in range(2))
    assert first == trace(1) != second
    assert mechanism_trace([AgentK(), Boulware()], "Party", n_steps=30) != mechanism_trace(
        [AgentK(), Boulware()], "Party", n_steps=30
    )


@pytest.mark.parametrize(
    ("arguments", "scale", "message"),
    [
        ({"n_steps": None, "time_limit": 1}, 1, "'AgentK' needs a mechanism with n_steps"),
        ({"n_steps": 10}, 5, "utilities from 0 to 5; valid: from 0 to 1"),
    ],
)
def test_what_a_negmas_negotiator_cannot_play(arguments, scale, message):
    space = make_os([make_issue(3, "a")])
    worth = {(0,): 0.0, (1,): scale / 2, (2,): float(scale)}
    mechanism = SAOMechanism(outcome_space=space, **arguments)
    for _ in range(2):
        mechanism.add(AgentK(), ufun=MappingUtilityFunction(worth, outcome_space=space))
    with pytest.raises(InputError, match=message):
        mechanism.run()
    with pytest.raises(InputError, match="no parameter 'tremors'; did you mean 'tremor'"):
        AgentK(parameters={"tremors": 1})


def test_acceptance_rules():
    table = make_table(np.linspace(0, 1, 11))

    def accepted(rule, offers, rounds=10, **parameters):
        bids = NEGOTIATORS.get("linear")
        side = player(with_acceptance(bids, ACCEPTANCE_RULES.get(rule)), table, rounds, **parameters)
        return [side.turn(step, offer)[1] for step, offer in enumerate(offers)]

    assert accepted("AC_next", [7] * 10) == [False] * 3 + [True] * 7  # linear asks 1 - r / 11
    assert accepted("AC_const", [7, 8, 9, 7]) == [False, True, True, False]
    assert accepted("AC_const", [7, 8, 9, 7], constant=0.9) == [False, False, True, False]
    assert accepted("AC_time", [0] * 10, time=0.9) == [False] * 9 + [True]
    assert accepted("AC_never", [10] * 10) == [False] * 10
    # from the 6th round on: at least the best of as many earlier offers as are to come
    assert accepted("AC_combi", [5, 1, 2, 1, 3, 1, 3, 2, 1, 1], time=0.5) == [False] * 6 + [True, False, False, True]
    assert accepted("AC_combi", [5, 1, 2, 1, 3, 1, 2, 3, 0, 0], time=0.5) == [False] * 7 + [True, False, True]


@pytest.mark.parametrize("rule", ACCEPTANCE_RULES)
def test_every_acceptance_rule_leaves_the_bids_alone(rule):
    first, second = tables()
    found = ACCEPTANCE_RULES.get(rule)
    assert found.name == rule and found.summary
    plain, other = player("AgentK", first, 12), player(with_acceptance(NEGOTIATORS.get("AgentK"), found), first, 12)
    for step in range(12):
        offer = int(second.order[step * 40])
        assert plain.turn(step, offer)[0] == other.turn(step, offer)[0]


def test_a_rule_cannot_hide_a_parameter():
    rule = AcceptanceRule("mine", ACCEPTANCE_RULES.get("AC_next").accepts, {"tremor": 1.0})
    with pytest.raises(InputError, match="'AgentK' and 'mine' both have a parameter 'tremor'"):
        with_acceptance(NEGOTIATORS.get("AgentK"), rule)


def measured():
    with MEASURED.open() as file:
        rows = [row for row in csv.DictReader(file) if row["rounds"] == "100" and "noaccept" not in row["opponent"]]
    return {"-".join(row[k] for k in ("scenario", "agent", "opponent", "first_mover")): row for row in rows}


@pytest.mark.parametrize("row", measured().values(), ids=measured().keys())
def test_the_originals_behave_so(row):
    """Measured on the original programs at T = 100; benchmarks/genius_originals.py compares all that was measured."""
    scenario, n = load_scenario(row["scenario"]), 100
    agent, opponent = (Bidder(NEGOTIATORS.get(row[side])) for side in ("agent", "opponent"))
    first, second = tables(row["scenario"])
    negotiation = Negotiation(scenario, 0, (first, second), 100, row["first_mover"] == "other", opponent, agent)
    results = play(negotiation, np.arange(n))
    for ours, mean, deviation in (
        (results["utility"], float(row["mean_agent_utility"]), float(row["sd_agent_utility"])),
        (1.0 * (results["accepted_by"] != NOBODY), float(row["agreement_rate"]), None),
    ):
        spread = mean * (1 - mean) if deviation is None else deviation**2
        assert abs(ours.mean() - mean) <= 0.03 + 3 * math.sqrt(spread / int(row["n"]) + ours.var() / n)
