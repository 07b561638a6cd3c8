"""What every registered strategy must keep to, and what each kind of them is there for."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scml.oneshot.ufun import OneShotUFun

from scml_gym.core.errors import InputError
from scml_gym.jit.random import N_DRAWS, counter_draws
from scml_gym.oneshot.players import player_maker
from scml_gym.oneshot.rules import validate
from scml_gym.oneshot.strategies import STRATEGIES
from scml_gym.oneshot.strategies.base import Strategy, StrategyPolicy
from scml_gym.oneshot.strategies.best_subset import find_subset
from scml_gym.oneshot.strategies.market import price_at, price_gain, split
from scml_gym.oneshot.strategies.utility import best_profit, day_profit, worst_profit
from scml_gym.oneshot.view import (
    ACCEPT,
    BUYER,
    END,
    MAX_PARTNERS,
    NOOP,
    OFFER,
    SELLER,
    new_actions,
)
from scml_gym.oneshot.worlds.generation import league_spec
from scml_gym.oneshot.worlds.reference import ReferenceWorld
from tests.helpers.compiled_strategies import assert_compiled_code_gives_the_same_answers
from tests.helpers.views import make_view, random_views, views

ROOT = Path(__file__).resolve().parents[2]
NAMES = list(STRATEGIES)


def decide(strategy: Strategy, view, state=None, draws=None):
    """The strategy's answers."""
    actions = new_actions()
    state = np.zeros(strategy.state_size) if state is None else state
    draws = counter_draws(0, 0, 0, 0) if draws is None else draws
    strategy.decide(view, state, strategy.parameter_array(), draws, actions)
    return actions


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_plays_a_world_validly_and_reproducibly(name):
    spec = league_spec(3, days=4, factories_per_level=4)

    def play():
        players = [player_maker(name if i % 2 else "best-subset")(5) for i in range(spec.n_factories)]
        world = ReferenceWorld(spec, players, seed=5)
        world.run()
        assert world.done
        assert world.day == spec.n_days
        assert [agent.invalid for agent in world.agents] == [0] * spec.n_factories
        assert all(agent.decisions for agent in world.agents)
        return world

    first, again = play(), play()
    np.testing.assert_array_equal(first.contracts, again.contracts)
    np.testing.assert_array_equal(first.scores, again.scores)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    view=views(),
    seed=st.integers(0, 2**32),
    known=st.floats(0, 1),
    edge=st.sampled_from((None, 0.0, np.nextafter(1.0, 0.0))),
)
def test_answers_are_valid_and_pure(name, view, seed, known, edge):
    strategy = STRATEGIES.get(name)
    draws = counter_draws(seed, 0, 0, 0) if edge is None else np.full(N_DRAWS, edge)
    state = np.full(strategy.state_size, known)
    seen, given_state, given_draws = view.copy(), state.copy(), draws.copy()
    actions = decide(strategy, view, state, draws)
    assert view == seen
    np.testing.assert_array_equal(draws, given_draws)
    repeated = decide(strategy, seen, given_state, draws)
    np.testing.assert_array_equal(actions, repeated)
    np.testing.assert_array_equal(state, given_state)
    assert np.isfinite(state).all()
    validate(view, actions)
    turns = view["partners"]["my_turn"] != 0
    assert (actions["response"][turns] != NOOP).all(), "every partner whose turn it is gets an answer"


@pytest.mark.parametrize("name", [n for n in NAMES if n != "best-subset-random"])  # which best-subset is
def test_compiled_code_gives_the_same_answers(name):
    assert_compiled_code_gives_the_same_answers(STRATEGIES.get(name), random_views(np.random.default_rng(11), 400))


@pytest.mark.parametrize("name", NAMES)
def test_reads_no_draws_beyond_those_it_names(name):
    strategy = STRATEGIES.get(name)
    for seed, view in enumerate(random_views(np.random.default_rng(12), 100)):
        draws = counter_draws(seed, 0, 0, 0)
        answers = decide(strategy, view, draws=draws)
        draws[strategy.n_draws :] = np.nan
        np.testing.assert_array_equal(decide(strategy, view, draws=draws), answers)


@pytest.mark.parametrize("name", ["random", "nice", "greedy", "best-subset"])
def test_other_draws_give_other_answers(name):
    view = make_view(needs=9, offers=[(0, 0)] * 4)
    answers = [decide(STRATEGIES.get(name), view, draws=counter_draws(seed, 0, 0, 0)) for seed in range(5)]
    assert any((answer != answers[0]).any() for answer in answers)


@pytest.mark.parametrize("name", [n for n in NAMES if n not in ("random", "nice", "greedy")])
@pytest.mark.parametrize("needs", [0, -3])
def test_ends_negotiations_when_nothing_is_needed(name, needs):
    actions = decide(STRATEGIES.get(name), make_view(needs=needs, offers=[(1, 15), (0, 0)]))
    assert actions["response"][:2].tolist() == [END, END]


@pytest.mark.parametrize("name", [n for n in NAMES if n not in ("random", "nice", "subset-population", "sequential")])
@pytest.mark.parametrize("level", [SELLER, BUYER])
def test_opens_at_the_good_price(name, level):
    actions = decide(STRATEGIES.get(name), make_view(level=level, needs=10, offers=[(0, 0)] * 3))
    offered = actions["response"] == OFFER
    assert offered.any() or name == "do-nothing"
    assert set(actions["price"][offered]) <= {15 if level == SELLER else 14}


def test_best_subset_takes_the_offers_that_fit_and_ends_the_rest():
    actions = decide(STRATEGIES.get("best-subset"), make_view(needs=7, offers=[(2, 14), (6, 15), (5, 14), (4, 15)]))
    assert actions["response"][:4].tolist() == [ACCEPT, END, ACCEPT, END]


def test_best_subset_waits_for_a_fit_until_time_is_short():
    offers = [(4, 15), (9, 15)]
    early = decide(STRATEGIES.get("best-subset"), make_view(needs=6, offers=offers, time=2))
    late = decide(STRATEGIES.get("best-subset"), make_view(needs=6, offers=offers, time=20))
    assert OFFER in early["response"]
    assert late["response"][:2].tolist() == [ACCEPT, END]


@pytest.mark.parametrize(
    ("level", "needs", "offers", "best"),
    [
        (SELLER, 5, [(4, 15), (6, 15)], 0b01),  # a seller rather sells too few
        (BUYER, 5, [(4, 14), (6, 14)], 0b10),  # a buyer rather buys too many
        (SELLER, 5, [(5, 14), (5, 15)], 0b10),  # the better price
        (BUYER, 5, [(5, 15), (2, 14), (3, 14)], 0b110),
        (SELLER, 2, [(8, 15)], 0b0),  # nothing is nearer
    ],
)
def test_find_subset(level, needs, offers, best):
    mask, mismatch = find_subset(make_view(level=level, needs=needs, offers=offers))
    assert mask == best
    assert mismatch == abs(needs - sum(q for k, (q, _) in enumerate(offers) if (best >> k) & 1))


@given(view=views())
@settings(max_examples=40, deadline=None)
def test_find_subset_is_nearest(view):
    open_offers = [int(p["offer_quantity"]) for p in view["partners"] if p["my_turn"] and p["offer_quantity"]]
    sums = {0}
    for quantity in open_offers:
        sums |= {total + quantity for total in sums}
    assert find_subset(view)[1] == min(abs(total - view["needs"]) for total in sums)


@given(view=views(), quantity=st.integers(-1, 12), even=st.booleans(), seed=st.integers(0, 999))
@settings(max_examples=60, deadline=None)
def test_split_divides_all_over_those_negotiating(view, quantity, even, seed):
    shares = np.zeros(MAX_PARTNERS, dtype=np.int64)
    split(view, quantity, even, counter_draws(seed, 0, 0, 0), shares)
    running = view["partners"]["running"] != 0
    assert (shares[~running] == 0).all()
    assert (shares <= view["max_quantity"]).all()
    if running.any() and quantity > 0:
        assert shares.sum() == quantity or (shares == view["max_quantity"]).any()
        assert (shares[running] > 0).all() or quantity < running.sum()
        if even:
            assert np.ptp(shares[running]) <= 1


def test_prices_from_ones_own_point_of_view():
    for level, prices in ((SELLER, [10, 12, 14]), (BUYER, [14, 12, 10])):
        view = make_view(level=level, prices=(10, 14), n_partners=1)
        assert [price_at(view, gain) for gain in (0.0, 0.5, 1.0)] == prices
        assert [price_gain(view, price) for price in prices] == [0.0, 0.5, 1.0]


def test_boulware_holds_out_longer_than_conceder():
    view = make_view(offers=[(3, 14)], time=10)
    assert decide(STRATEGIES.get("boulware"), view)["response"][0] == OFFER
    assert decide(STRATEGIES.get("conceder"), view)["response"][0] == ACCEPT


def test_adaptive_price_learns_what_a_partner_grants():
    policy = StrategyPolicy(STRATEGIES.get("adaptive-price"), seed=0)
    view = make_view(offers=[(3, 14)], time=20)
    assert policy.act(view)["response"][0] == ACCEPT
    agreed = make_view(needs=3, n_partners=1)
    agreed["partners"][0]["agreed_quantity"], agreed["partners"][0]["agreed_price"] = 3, 15
    for _ in range(10):
        policy.end_day(agreed)
    assert policy.act(view)["response"][0] == OFFER, "it has granted the good price, so it is asked for it"
    for _ in range(10):
        policy.end_day(make_view(needs=3, n_partners=1))
    assert policy.act(view)["response"][0] == ACCEPT, "holding out was in vain"
    for _ in range(10):
        policy.end_day(agreed)
    policy.begin(view)
    assert policy.act(view)["response"][0] == ACCEPT, "a new world starts from nothing"


@given(view=views(), sizes=st.lists(st.integers(1, 10), max_size=MAX_PARTNERS))
@settings(max_examples=100, deadline=None)
def test_profit_of_a_day_is_scmls_utility(view, sizes):
    seller = bool(view["level"] == SELLER)
    exogenous, money = int(view["exogenous_quantity"]), float(view["exogenous_quantity"] * view["exogenous_price"])
    utility = OneShotUFun(
        ex_qin=exogenous if seller else 0,
        ex_pin=money if seller else 0.0,
        ex_qout=0 if seller else exogenous,
        ex_pout=0.0 if seller else money,
        input_product=0 if seller else 1,
        input_agent=seller,
        output_agent=not seller,
        production_cost=float(view["production_cost"]),
        disposal_cost=float(view["disposal_cost"]),
        storage_cost=0.0,
        shortfall_penalty=float(view["shortfall_penalty"]),
        input_penalty_scale=float(view["input_price"]),
        output_penalty_scale=float(view["output_price"]),
        storage_penalty_scale=0.0,
        n_input_negs=0 if seller else int(view["n_partners"]),
        n_output_negs=int(view["n_partners"]) if seller else 0,
        current_step=0,
        agent_id="",
        time_range=(0, 0),
        input_qrange=(1, 10),
        output_qrange=(1, 10),
        input_prange=(int(view["min_price"]), int(view["max_price"])),
        output_prange=(int(view["min_price"]), int(view["max_price"])),
        n_lines=int(view["lines"]),
        current_balance=float(view["balance"]),
    )
    if len(sizes) > 1:
        view["balance"] = utility.current_balance = 5000.0  # short of cash, one contract is cut where several are not
    for price in (int(view["min_price"]), int(view["max_price"])):
        offers = tuple((size, 0, price) for size in sizes)
        profit = utility.from_offers(offers, (seller,) * len(sizes))
        assert day_profit(view, sum(sizes), float(sum(sizes) * price)) == pytest.approx(profit)
    assert best_profit(view) == pytest.approx(utility.find_limit(True).utility)
    assert worst_profit(view) == pytest.approx(utility.find_limit(False).utility)


def test_greedy_sync_accepts_more_as_days_go_by():
    view = make_view(needs=8, offers=[(3, 15), (2, 15), (9, 15)])
    view["exogenous_price"] = 2.0
    assert decide(STRATEGIES.get("greedy-sync"), view)["response"][:3].tolist() == [OFFER] * 3
    view["day"] = view["n_days"] - 1
    answers = decide(STRATEGIES.get("greedy-sync"), view)
    assert answers["response"][:3].tolist() == [ACCEPT, ACCEPT, OFFER]
    view["exogenous_price"] = 99.0
    assert decide(STRATEGIES.get("greedy-sync"), view)["response"][:3].tolist() == [END] * 3, "nothing can be earned"


def test_greedy_sync_takes_the_better_prices_first_and_leaves_a_partner_rather_than_go_below_the_range():
    view = make_view(level=BUYER, needs=6, offers=[(4, 15), (4, 14)], time=2)
    view["exogenous_price"] = 60.0
    view["day"] = view["n_days"] - 1
    assert decide(STRATEGIES.get("greedy-sync"), view)["response"][:2].tolist() == [OFFER, ACCEPT]
    view["partners"]["step"] = 19
    yielding = np.full(N_DRAWS, 0.99)  # its range of concession is among the widest
    assert decide(STRATEGIES.get("greedy-sync"), view, draws=yielding)["response"][:2].tolist() == [END, ACCEPT]


def test_greedy_sync_counts_what_is_agreed_where_asked_to():
    view = make_view(needs=0, offers=[(3, 15), (0, 0)], turns=[1, 0])
    view["exogenous_quantity"] = view["agreed_quantity"] = 6
    view["partners"][1]["agreed_quantity"], view["partners"][1]["agreed_price"] = 6, 15
    assert StrategyPolicy(STRATEGIES.get("greedy-sync"), 0).act(view)["response"][0] != END
    assert StrategyPolicy(STRATEGIES.get("greedy-sync"), 0, {"own_needs": 1}).act(view)["response"][0] == END


@pytest.mark.parametrize("seed", range(3))
def test_single_agreement_has_one_agreement_a_day_at_most(seed):
    spec = league_spec(seed, days=6, factories_per_level=4)
    others = ["nice", "best-subset", "random", "single-agreement"]
    names = [others[(i + seed) % 4] for i in range(spec.n_factories)]
    world = ReferenceWorld(spec, [player_maker(name)(seed) for name in names], seed=seed)
    world.run()
    counts = []
    for factory in (i for i, name in enumerate(names) if name == "single-agreement"):
        mine = world.contracts[world.contracts["seller" if factory < spec.n_sellers else "buyer"] == factory]
        counts += np.unique(mine["day"], return_counts=True)[1].tolist()
    assert max(counts) == 1


def test_single_agreement_takes_the_most_profitable_offer_when_it_is_good_enough():
    offers = [(3, 15), (6, 14), (9, 15)]
    early = decide(STRATEGIES.get("single-agreement"), make_view(needs=6, offers=offers, time=1))
    late = decide(STRATEGIES.get("single-agreement"), make_view(needs=6, offers=offers, time=20))
    assert early["response"][:3].tolist() == [END, OFFER, END], "the partner whose offer is nearest"
    assert (early["quantity"][1], early["price"][1]) == (6, 15)
    assert late["response"][:3].tolist() == [END, ACCEPT, END]
    view = make_view(needs=6, offers=offers, time=20, turns=[1, 1, 0])
    view["partners"][2]["my_quantity"] = 6
    assert decide(STRATEGIES.get("single-agreement"), view)["response"][:2].tolist() == [END, END], "an offer is out"


@pytest.mark.parametrize("name", [n for n in NAMES if n.startswith("single-agreement")])
def test_single_agreements_stop_at_the_first_one(name):
    view = make_view(needs=6, offers=[(3, 15), (6, 15)], time=20)
    view["agreed_quantity"] = 2
    assert decide(STRATEGIES.get(name), view)["response"][:2].tolist() == [END, END]


def test_single_agreement_greedy_asks_everyone_for_the_best_outcome():
    view = make_view(level=BUYER, needs=7, offers=[(0, 0)] * 3)
    actions = decide(STRATEGIES.get("single-agreement-greedy"), view)[:3]
    assert {(q, p) for _, q, p in actions.tolist()} == {(7, 14)}


def test_strategies_are_registered_under_their_names():
    assert {"random", "nice", "do-nothing", "greedy", "boulware", "conceder", "adaptive-price"} <= set(NAMES)
    for name in NAMES:
        strategy = STRATEGIES.get(name)
        assert strategy.name in (name, f"{name}-random")
        assert strategy.summary


def test_parameters_can_be_replaced_by_name():
    assert STRATEGIES.get("best-subset").parameter_array({"tolerance": 0.5})[0] == 0.5
    with pytest.raises(InputError, match="did you mean 'tolerance'"):
        player_maker("best-subset?tolerence=0.2")


def test_importing_the_registry_imports_nothing_heavy():
    code = (
        "import sys, scml_gym.oneshot.strategies; print([m for m in ('scml', 'torch', 'negmas') if m in sys.modules])"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "[]"


@pytest.mark.parametrize("name", NAMES)
def test_the_manual_names_it_and_its_parameters(name):
    manual = (ROOT / "docs" / "strategies.md").read_text(encoding="utf-8")
    assert f"`{name}`" in manual
    for parameter in STRATEGIES.get(name).parameters:
        assert f"`{parameter}`" in manual


def test_the_published_comparison_is_the_one_of_its_raw_table():
    path = ROOT / "benchmarks" / "strategies_vs_scml.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    rows = benchmark.read(ROOT / "docs" / "results" / "strategies" / "plays.csv")
    page = (ROOT / "docs" / "results" / "strategies.md").read_text(encoding="utf-8")
    assert benchmark.score_table(rows) in page
    assert benchmark.contract_table(rows) in page
    assert set(benchmark.PEERS) >= {row["player"] for row in rows if ":" not in row["player"]}
