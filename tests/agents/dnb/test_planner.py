"""D-NB's calibration, commitments, sets, offers and decisions."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta as beta_distribution

from scml_gym.agents.dnb.allocation import MAX_ITEMS, TOTALS, Problem, allocate
from scml_gym.agents.dnb.base_rate import BASE_RATE
from scml_gym.agents.dnb.beta import beta_quantile
from scml_gym.agents.dnb.bou import (
    CALIBRATION_DTYPE,
    CLIP,
    add_evidence,
    chance_of_answer,
    count_answer,
    lower_bound,
    posterior,
    quantity_bucket,
    round_bucket,
)
from scml_gym.agents.dnb.commitments import always_fulfils, breach_provider, budget_left, exposure, open_budget
from scml_gym.agents.dnb.decision_log import COLUMNS, DecisionLog
from scml_gym.agents.dnb.events import make_offer, price_bin
from scml_gym.agents.dnb.models import AcceptanceModel
from scml_gym.agents.dnb.planner import offer_prices
from scml_gym.agents.dnb.records import MAX_EVENTS, MEMORY_DTYPE, WINDOW
from scml_gym.agents.dnb.rules import N_RULES, N_SIDE, SIDE_DTYPE, Rules
from scml_gym.agents.dnb.selection import Prospects, best_set, score
from scml_gym.agents.dnb.sequential import sequential_player
from scml_gym.agents.dnb.strategy import dnb_player
from scml_gym.agents.dnb.tracking import begin_day
from scml_gym.core.config import CONFIGS
from scml_gym.jit.compile import compiled
from scml_gym.oneshot.players import player_maker
from scml_gym.oneshot.rules import repair
from scml_gym.oneshot.view import ACCEPT, BUYER, MAX_PARTNERS, OFFER, PARTNER_DTYPE, SELLER, new_view
from scml_gym.oneshot.worlds.compiled.generation import compiled_spec
from scml_gym.oneshot.worlds.compiled.world import CompiledWorld
from scml_gym.oneshot.worlds.reference import ReferenceWorld
from scml_gym.simulator.recording.log import WorldLog
from tests.helpers.views import views_with_economy

DEFAULTS = yaml.safe_load((CONFIGS / "agent" / "dnb.yaml").read_text())["rules"]
CALIBRATION = np.array([(8.0, 0.2, 1.0, 0.0, 0.0, 1.0, 1.0)], dtype=CALIBRATION_DTYPE)[0]


def rules(seller=None, buyer=None, calibration=None):
    changes = {"seller": seller or {}, "buyer": buyer or {}, "calibration": calibration or {}}
    return Rules(**{name: DEFAULTS[name] | changes[name] for name in changes})


def side_of(side):
    """A side's rules as its functions read them."""
    return np.array([tuple(side.numbers())], dtype=SIDE_DTYPE)[0]


def model(mean=0.4, strength=8.0):
    return AcceptanceModel.pack("base-rate", BASE_RATE.hyperparameters(mean=mean), {"mean": np.array([mean])}, strength)


def empty_memory():
    return np.zeros(1, dtype=MEMORY_DTYPE)[0]


# ---------------------------------------------------------------- calibration


@pytest.mark.slow
@given(st.floats(0.001, 0.999), st.floats(0.01, 500), st.floats(0.01, 500))
def test_the_quantile_is_that_of_a_beta_distribution(probability, a, b):
    found = compiled(beta_quantile)(probability, a, b)
    assert 0 <= found <= 1
    near = abs(found - beta_distribution.ppf(probability, a, b)) < 1e-6
    assert near or abs(beta_distribution.cdf(found, a, b) - probability) < 1e-6


def test_buckets_are_those_of_the_key():
    assert [quantity_bucket(q) for q in range(1, 11)] == [0, 1, 2, 2, 3, 3, 3, 4, 4, 4]
    assert [round_bucket(t) for t in (0.01, 0.2, 0.39, 0.5, 0.99, 1.0)] == [0, 1, 1, 2, 4, 4]
    assert [price_bin(p, 10, 11) for p in (10, 11)] == [0, 1]
    assert price_bin(10, 10, 10) == 0


@given(st.floats(0, 1), st.floats(2, 50), st.integers(0, 20), st.integers(0, 20))
def test_the_posterior_is_the_prior_and_the_evidence_of_its_key(mean, strength, accepts, rejects):
    partner = empty_memory()["partners"][0]
    make_offer(partner, 3, 1, 0.5)
    for accepted, times in ((True, accepts), (False, rejects)):
        for _ in range(times):
            add_evidence(partner, accepted, 1.0)
    given_calibration = CALIBRATION.copy()
    given_calibration["strength"] = strength
    clipped = min(max(mean, CLIP), 1 - CLIP)
    expected = (clipped * strength + accepts, (1 - clipped) * strength + rejects)
    assert posterior(partner, 0.5, 1, 4, mean, given_calibration) == pytest.approx(expected)  # 3 and 4 share a bucket
    for time, in_bin, quantity in ((0.9, 1, 3), (0.5, 0, 3), (0.5, 1, 5)):
        elsewhere = posterior(partner, time, in_bin, quantity, mean, given_calibration)
        assert elsewhere == pytest.approx((clipped * strength, (1 - clipped) * strength))


def test_settings_of_the_calibration():
    partner = empty_memory()["partners"][0]
    make_offer(partner, 1, 0, 0.1)
    add_evidence(partner, True, 1.0)
    off, first, mean = CALIBRATION.copy(), CALIBRATION.copy(), CALIBRATION.copy()
    off["evidence"], first["first_prior"], mean["use_bound"] = 0.0, 1.0, 0.0
    assert posterior(partner, 0.1, 0, 1, 0.5, off) == (4.0, 4.0)
    assert posterior(partner, 0.1, 0, 1, 0.25, first) == (3.0, 6.0)
    assert posterior(partner, 0.1, 0, 1, 0.75, first) == (3.0, 6.0)  # the first prior stays
    assert posterior(partner, 0.1, 0, 1, 0.75, CALIBRATION) == (7.0, 2.0)
    assert lower_bound(5.0, 3.0, mean) == 5 / 8
    assert lower_bound(5.0, 3.0, CALIBRATION) == pytest.approx(beta_distribution.ppf(0.2, 5, 3))


def test_the_chance_of_an_answer_is_learnt_by_round():
    partner = empty_memory()["partners"][0]
    leaving = CALIBRATION.copy()
    leaving["answered"] = 0.75
    for answered, time in ((True, 0.1), (False, 0.1), (False, 0.9)):
        make_offer(partner, 1, 0, time)
        count_answer(partner, answered)
    assert chance_of_answer(partner, 0.1, leaving) == (0.75 * 8 + 1) / 10
    assert chance_of_answer(partner, 0.9, leaving) == 0.75 * 8 / 9
    assert chance_of_answer(partner, 0.5, leaving) == 0.75
    assert chance_of_answer(partner, 0.1, CALIBRATION) == 1.0


# ---------------------------------------------------------------- commitments


def test_the_budget_counts_what_is_agreed_and_under_offer():
    view, memory = new_view(), empty_memory()
    view["level"], view["needs"], view["n_partners"], view["agreed_quantity"] = BUYER, 7, 3, 2
    side = side_of(rules(buyer={"budget_factor": 1.25, "budget_extra": 1}).buyer)
    open_budget(view, side, memory)
    assert memory["budget"] == math.ceil(1.25 * 7) + 1
    for k, quantity in ((0, 3), (2, 2)):
        make_offer(memory["partners"][k], quantity, 0, 0.1)
        memory["partners"][k]["mean"], memory["partners"][k]["bound"] = 0.5, 0.25
    assert exposure(view, memory) == (2.5, 1.25, 5)
    assert budget_left(view, memory, 5) == 10 - 2 - 5
    assert budget_left(view, memory, 50) == 0
    side["budget_factor"] = math.inf
    open_budget(view, side, memory)
    assert budget_left(view, memory, 50) == math.inf


def test_books_and_histories_are_a_days_and_evidence_the_worlds():
    view, memory = new_view(), empty_memory()
    view["n_partners"] = 1
    assert begin_day(view, memory)
    partner = memory["partners"][0]
    make_offer(partner, 2, 1, 0.3)
    add_evidence(partner, False, 1.0)
    assert not begin_day(view, memory)
    assert partner["pending"] == 1
    view["day"] = 1
    assert begin_day(view, memory)
    assert (partner["pending"], partner["n_events"], partner["n_offers"]) == (0, 0, 0)
    assert partner["rejects"].sum() == 1
    assert partner["negotiations"] == 1


def test_histories_keep_the_latest():
    partner = empty_memory()["partners"][0]
    for quantity in range(1, MAX_EVENTS + 4):
        make_offer(partner, quantity, 0, 0.1)
    assert partner["n_events"] == MAX_EVENTS
    assert partner["events"]["quantity"].tolist() == list(range(4, MAX_EVENTS + 4))
    assert WINDOW == 32


def test_breaches_are_discounted_where_a_world_tells_of_them():
    assert breach_provider(PARTNER_DTYPE) is always_fulfils
    assert always_fulfils(new_view(), 0) == 1.0
    for field in ("breach_probability", "breach_level"):
        told = np.dtype([*((n, PARTNER_DTYPE[n]) for n in PARTNER_DTYPE.names), (field, np.float64)])
        partners = np.zeros(2, dtype=told)
        partners[1][field] = 0.25
        assert breach_provider(told)({"partners": partners}, 1) == 0.75


# ---------------------------------------------------------------- sets


@given(
    st.lists(st.tuples(st.integers(1, 10), st.integers(10, 12)), min_size=0, max_size=6),
    st.booleans(),
    st.integers(1, 12),
    st.integers(0, 14),
    st.floats(0, 2),
    st.floats(0, 2),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=60)
def test_the_set_is_the_best_of_all(offers, seller, needs, cap, risk, hold, seed):
    rng, n = np.random.default_rng(seed), len(offers)
    partners = rng.permutation(MAX_PARTNERS)[:n]
    expected = rng.uniform(0, 4, MAX_PARTNERS)
    conservative = expected * rng.uniform(0, 1, MAX_PARTNERS)
    values = (-2.0, -3.0, -1.0) if seller else (20.0, -1.0, -6.0)
    price = -11.0 if seller else 11.0
    prospects = Prospects(seller, needs, cap, values, price, expected, conservative, risk, hold)
    quantities, prices = (np.array([o[i] for o in offers], dtype=np.int64) for i in (0, 1))
    taken, value = compiled(best_set)(prospects, n, partners, quantities, quantities.astype(float), prices)
    rivals = []
    for size in range(n + 1):
        for members in itertools.combinations(range(n), size):
            chosen = list(members)
            if not chosen or quantities[chosen].sum() <= cap:
                others = np.ones(MAX_PARTNERS, dtype=bool)
                others[partners[chosen]] = False
                money = float((quantities[chosen] * prices[chosen]).sum())
                sums = expected[others].sum(), conservative[others].sum()
                rivals.append(score(prospects, float(quantities[chosen].sum()), money, *sums))
    assert value == pytest.approx(max(rivals), abs=1e-6)
    assert taken & ~sum(1 << int(k) for k in partners) == 0


def test_risk_and_hold_make_incomplete_sets_worth_less():
    ones = np.ones(MAX_PARTNERS)
    plain = Prospects(False, 5, 9, (20.0, -1.0, -6.0), 11.0, ones, ones * 0.5, 0.0, 0.0)
    value = score(plain, 3.0, 33.0, 4.0, 1.0)
    gain = 20.0 - 11.0 + 6.0
    assert score(plain._replace(risk=0.5), 3.0, 33.0, 4.0, 1.0) == pytest.approx(value - gain * 0.5 * (2 - 1))
    assert score(plain._replace(hold=0.5), 3.0, 33.0, 4.0, 1.0) == pytest.approx(value - gain * 0.5 * 2)
    assert score(plain._replace(hold=0.5), 5.0, 55.0, 4.0, 1.0) == score(plain, 5.0, 55.0, 4.0, 1.0)


# ---------------------------------------------------------------- offers


def problems(seed, n_partners, largest, budget):
    rng = np.random.default_rng(seed)
    chances = np.full((MAX_PARTNERS, MAX_ITEMS + 1, 2), -1.0)
    chances[:n_partners, 1 : largest + 1, 0] = rng.uniform(0, 1, (n_partners, largest))
    needs, totals = int(rng.integers(1, 7)), np.arange(TOTALS)
    worth = 20.0 * np.minimum(totals, needs) - 2.0 * np.maximum(totals - needs, 0)
    return Problem(worth, np.array([-11.0, -12.0]), chances, largest, budget)


def expectation(problem, quantities):
    """The expected value of offers, by listing who accepts."""
    total = 0.0
    for answers in itertools.product((0, 1), repeat=len(quantities)):
        probability, items, money = 1.0, 0, 0.0
        for k, (accepted, quantity) in enumerate(zip(answers, quantities, strict=True)):
            chance = problem.chances[k, quantity, 0] if quantity else 0.0
            probability *= chance if accepted else 1 - chance
            items += accepted * quantity
            money += accepted * quantity * problem.money[0]
        total += probability * (problem.worth[items] - problem.worth[0] + money)
    return total


@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.integers(1, 4), st.sampled_from([2.0, 5.0, math.inf]))
@settings(max_examples=60)
def test_no_other_offer_to_one_partner_is_better(seed, n_partners, largest, budget):
    problem = problems(seed, n_partners, largest, budget)
    offers = compiled(allocate)(problem, n_partners, 0)
    quantities = offers.quantities[:n_partners].tolist()
    assert sum(quantities) <= budget
    assert not offers.quantities[n_partners:].any()
    value = expectation(problem, quantities)
    assert value >= -1e-9
    for k, quantity in itertools.product(range(n_partners), range(largest + 1)):
        other = [*quantities[:k], quantity, *quantities[k + 1 :]]
        if sum(other) <= budget:
            assert expectation(problem, other) <= value + 1e-6


def test_more_is_asked_of_partners_that_refuse_more():
    sums = {}
    for chance in (0.95, 0.4):
        problem = problems(1, 4, 6, math.inf)
        problem.chances[:4, 1:7, 0] = chance
        needs = 6
        totals = np.arange(TOTALS)
        problem.worth[:] = 20.0 * np.minimum(totals, needs) - 2.0 * np.maximum(totals - needs, 0)
        sums[chance] = allocate(problem, 4, 0).quantities.sum()
    assert sums[0.95] <= 7 < sums[0.4]


# ---------------------------------------------------------------- decisions


def test_prices_follow_the_curve_and_the_penalties():
    view, prices = new_view(), np.zeros(2, dtype=np.int64)
    view["level"], view["min_price"], view["max_price"], view["n_partners"] = BUYER, 10, 11, 1
    view["shortfall_penalty"], view["output_price"] = 0.6, 20.0
    view["disposal_cost"], view["input_price"] = 0.1, 10.0
    view["partners"][0]["my_turn"] = 1
    curve = side_of(rules(buyer={"concession": 0.5, "penalty_price": None}).buyer)
    offer_prices(view, curve, 0.05, prices)
    assert prices.tolist() == [10, 0]
    offer_prices(view, curve, 0.9, prices)
    assert prices.tolist() == [0, 11]
    aware = side_of(rules(buyer={"penalty_price": 10.0}).buyer)
    offer_prices(view, aware, 0.05, prices)
    assert prices.tolist() == [0, 11]  # 12 > 10 x 1
    view["partners"][0]["offer_quantity"] = 3
    offer_prices(view, aware, 0.05, prices)
    assert prices.tolist() == [10, 0]  # first offers only
    by_value = side_of(rules(seller={"price": "value"}).seller)
    view["level"] = SELLER
    offer_prices(view, by_value, 0.05, prices)
    assert prices.tolist() == [10, 11]


@given(views_with_economy(), st.integers(0, 1), st.sampled_from(["curve", "value"]), st.floats(0.01, 0.99))
@settings(max_examples=100)
def test_every_answer_is_valid_and_within_its_limits(view, fallback, price, mean):
    view = view.copy()
    side = {"fallback": fallback, "price": price, "most_items": 3}
    chosen = rules(seller=side, buyer=side | {"budget_factor": 1.25, "budget_extra": 1})
    player = dnb_player(model(mean), chosen, 0)
    player.begin(view)
    actions = player.act(view)
    assert repair(view, actions.copy()) == 0
    accepted = view["partners"]["offer_quantity"][actions["response"] == ACCEPT].sum()
    assert accepted <= math.ceil(1.3 * max(view["needs"], 0)) + 1
    offered = actions["quantity"][actions["response"] == OFFER]
    assert (offered <= max(3, view["min_quantity"])).all()
    if view["needs"] <= 0:
        assert not np.isin(actions["response"], (ACCEPT, OFFER)).any()
    if view["level"] == BUYER and not fallback and view["needs"] > 0:
        assert offered.sum() <= math.ceil(1.25 * view["needs"]) + 1


def play(world_class, player_of, days=6, seed=3, log=None):
    spec = compiled_spec(seed, days, 4)
    names = ["best-subset", "greedy", "greedy-sync", "subset-population"]
    makers = [player_maker(names[i % len(names)]) for i in range(spec.n_factories)]
    players = [make(seed) for make in makers]
    players[1], players[5] = player_of(), player_of()
    world = world_class(spec, players, log=log)
    world.run()
    return world


@pytest.mark.parametrize("calibration", [{}, {"count_on": "mean", "terminal": 0.5, "prior": "first"}])
def test_both_worlds_play_the_same_game(calibration):
    def player():
        return dnb_player(model(), rules(calibration=calibration), 0)

    real, fast = play(ReferenceWorld, player), play(CompiledWorld, player)
    assert np.array_equal(real.contracts, fast.contracts)
    assert np.array_equal(real.scores, fast.scores)


def test_asked_partner_after_partner_it_waits_and_both_worlds_play_the_same_game():
    def player():
        return sequential_player(model(), rules(), 0)

    assert not player().synchronous
    real, fast = play(ReferenceWorld, player), play(CompiledWorld, player)
    assert np.array_equal(real.contracts, fast.contracts)
    assert np.array_equal(real.scores, fast.scores)
    assert real.agents[1].invalid == 0 and real.agents[1].decisions > 2 * real.agents[1].negotiations


def test_the_decision_log_changes_nothing_and_tells_what_was_done(tmp_path):
    plain = play(ReferenceWorld, lambda: dnb_player(model(), rules(), 0))
    log = WorldLog()
    kept = play(ReferenceWorld, lambda: DecisionLog(dnb_player(model(), rules(), 0), tmp_path), log=log)
    assert np.array_equal(plain.contracts, kept.contracts)
    told = {(factory, name) for _, factory, _, _, name, _ in log.decisions}
    names = {"needs", "agreed", "expected", "conservative", "budget", "offered", "score", "asked", "mean", "bound"}
    assert told == {(factory, name) for factory in (1, 5) for name in names}
    fast = WorldLog()
    play(CompiledWorld, lambda: dnb_player(model(), rules(), 0), log=fast)
    assert sorted(fast.decisions, key=str) == sorted(log.decisions, key=str)
    files = sorted(tmp_path.glob("*.csv"))
    assert len(files) == 2
    tables = [np.genfromtxt(f, delimiter=",", names=True, dtype=None, encoding="utf-8") for f in files]
    for table in tables:
        assert list(table.dtype.names) == list(COLUMNS)
        made = table["response"] == "offer"
        assert made.any()
        assert (table["bound"][made] <= table["mean"][made] + 1e-9).all()
        assert np.isnan(table["mean"][~made]).all()
        assert (table["quantity"][made] > 0).all()


def test_rules_are_as_many_numbers_as_their_names():
    numbers = rules().numbers(8.0)
    assert len(numbers) == N_RULES
    assert len(rules().seller.numbers()) == N_SIDE
    assert np.isfinite(numbers[2 * N_SIDE :]).all()
