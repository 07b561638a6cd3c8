"""What every registered strategy of the Standard track must keep to, and what each of them is there for."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scml_gym.core.errors import InputError
from scml_gym.game.strategy import StrategyPolicy
from scml_gym.jit.random import N_DRAWS, counter_draws
from scml_gym.standard.players import player_maker
from scml_gym.standard.rules import needed_sales, spare_inputs, validate
from scml_gym.standard.strategies import STRATEGIES
from scml_gym.standard.strategies.distribution import distribute
from scml_gym.standard.view import ACCEPT, BOOK_DAYS, END, MAX_PARTNERS, MAX_PER_LEVEL, NOOP, OFFER, new_actions
from scml_gym.standard.worlds.compiled.world import CompiledWorld
from scml_gym.standard.worlds.generation import league_spec
from scml_gym.standard.worlds.reference import ReferenceWorld
from tests.helpers.compiled_strategies import assert_compiled_code_gives_the_same_answers
from tests.helpers.standard_views import make_view, random_views

ROOT = Path(__file__).resolve().parents[2]
NAMES = list(STRATEGIES)
NONE = (0, 0, 0)


def decide(name, view, state=None, draws=None):
    """The strategy's answers."""
    strategy, actions = STRATEGIES.get(name), new_actions()
    state = np.zeros(strategy.state_size) if state is None else state
    draws = counter_draws(0, 0, 0, 0) if draws is None else draws
    strategy.decide(view, state, strategy.parameter_array(), draws, actions)
    return actions


@pytest.mark.parametrize("name", NAMES)
def test_answers_are_valid_and_pure(name):
    generator, strategy = np.random.default_rng(5), STRATEGIES.get(name)
    edges = (0.0, np.nextafter(1.0, 0.0))
    for i, view in enumerate(random_views(generator, 300)):
        draws = np.full(N_DRAWS, edges[i]) if i < 2 else counter_draws(i, 0, 0, 0)
        state = np.full(strategy.state_size, generator.uniform(0, 1) * (i % 2))
        seen, known, given = view.copy(), state.copy(), draws.copy()
        actions = decide(name, view, state, draws)
        assert view == seen
        np.testing.assert_array_equal(draws, given)
        np.testing.assert_array_equal(decide(name, seen, known, draws), actions)
        np.testing.assert_array_equal(state, known)
        assert np.isfinite(state).all()
        validate(view, actions)
        turns = view["partners"]["my_turn"] != 0
        assert (actions["response"][turns] != NOOP).all(), "every partner whose turn it is gets an answer"


@pytest.mark.parametrize("name", NAMES)
def test_compiled_code_gives_the_same_answers(name):
    assert_compiled_code_gives_the_same_answers(STRATEGIES.get(name), random_views(np.random.default_rng(11), 400))


@pytest.mark.parametrize("name", NAMES)
def test_reads_no_draws_beyond_those_it_names(name):
    for seed, view in enumerate(random_views(np.random.default_rng(12), 100)):
        draws = counter_draws(seed, 0, 0, 0)
        answers = decide(name, view, draws=draws)
        draws[STRATEGIES.get(name).n_draws :] = np.nan
        np.testing.assert_array_equal(decide(name, view, draws=draws), answers)


@pytest.mark.parametrize("name", [name for name in NAMES if STRATEGIES.get(name).partner_draws])
def test_a_partner_is_answered_by_its_own_draws(name):
    n = STRATEGIES.get(name).partner_draws * MAX_PARTNERS
    for seed, view in enumerate(random_views(np.random.default_rng(13), 100)):
        k = seed % MAX_PARTNERS
        view["partners"]["my_turn"][np.arange(MAX_PARTNERS) != k] = 0
        draws = counter_draws(seed, 0, 0, 0)
        answers = decide(name, view, draws=draws)
        draws[:n][np.arange(n) % MAX_PARTNERS != k] = np.nan
        np.testing.assert_array_equal(decide(name, view, draws=draws), answers)


@pytest.mark.parametrize("numbers", [{"n_draws": 49}, {"n_draws": -1}, {"n_draws": 31, "partner_draws": 2}])
def test_no_strategy_has_more_draws_than_there_are(numbers):
    with pytest.raises(InputError, match=f"{list(numbers)[-1]}={list(numbers.values())[-1]}"):
        replace(STRATEGIES.get("do-nothing"), **numbers)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_registered_under_its_name_with_a_summary(name):
    assert STRATEGIES.get(name).name == name
    assert STRATEGIES.get(name).summary


def documented_parameters():
    """Strategy -> its parameters with their defaults, as the manual's chapter has them."""
    manual = (ROOT / "docs" / "strategies.md").read_text(encoding="utf-8")
    chapter = manual.split("## Strategies of the Standard track")[1].split("\n## ")[0]
    tables = chapter.split("|---|---|---|\n")  # the one of strategies, then the one of parameters with a column more
    cells = re.findall(r"^\| ((?:`[a-z-]+`(?:, )?)+) \|", tables[1], re.MULTILINE)
    found = {name.strip("`"): {} for cell in cells for name in cell.split(", ")}
    strategy = ""
    for line in chapter.split("|---|---|---|---|\n")[1].splitlines():
        if not line.startswith("|"):
            break
        named, parameters, defaults, _ = (cell.strip().replace("`", "") for cell in line.strip("|").split("|"))
        strategy = named or strategy
        found[strategy] |= dict(zip(parameters.split(", "), map(float, defaults.split(", ")), strict=True))
    for family in chapter.split("| trait ")[1:]:  # a column for each strategy, empty where it has no such parameter
        head, _, *rows = family.split("\n\n")[0].splitlines()
        names = [name.strip(" `") for name in head.strip("|").split("|")]
        for row in rows:
            trait, *values, _ = (cell.strip().replace("`", "") for cell in row.strip("|").split("|"))
            for name, value in zip(names, values, strict=False):
                low, _, high = value.partition(" to ")
                if high:
                    found[name] |= {f"{trait}_min": float(low), f"{trait}_max": float(high)}
                elif low:
                    found[name][trait] = float(low)
    return found


def test_the_manual_has_all_parameters():
    assert documented_parameters() == {name: dict(STRATEGIES.get(name).parameters) for name in NAMES}


@pytest.mark.parametrize("name", ["random", "greedy", "sync-random"])
def test_other_draws_give_other_answers(name):
    view = make_view(suppliers=[NONE] * 4, consumers=[NONE] * 4)
    answers = [decide(name, view, draws=counter_draws(seed, 0, 0, 0)) for seed in range(5)]
    assert any((answer != answers[0]).any() for answer in answers)


@pytest.mark.parametrize("name", ["greedy", "sync-random", "just-in-time"])
@pytest.mark.parametrize(("level", "sides"), [(0, 2), (1, 3), (2, 1)])
def test_opens_today_at_the_good_price(name, level, sides):
    view = make_view(
        level=level,
        suppliers=[NONE] * 4 * (sides & 1),
        consumers=[NONE] * 4 * (sides >> 1),
        stock=9 * (level == 1),
        exogenous_supply=9 * (level == 0),
        exogenous_sales=9 * (level == 2),
    )
    view["partners"]["relative_time"] = 0.0
    actions = decide(name, view)
    today = (actions["response"] == OFFER) & (actions["day"] == view["day"])
    assert today.any()
    assert set(actions["price"][:MAX_PER_LEVEL][today[:MAX_PER_LEVEL]]) <= {14}
    assert set(actions["price"][MAX_PER_LEVEL:][today[MAX_PER_LEVEL:]]) <= {29}


def test_random_uses_every_day_and_price():
    seen = {
        tuple(decide("random", make_view(consumers=[NONE]), draws=counter_draws(i, 0, 0, 0))[8])[2:] for i in range(900)
    }
    assert seen == {(day, price) for day in range(3, 14) for price in range(24, 30)}


def test_greedy_takes_what_it_needs_today_and_keeps_its_price():
    view = make_view(level=0, consumers=[(4, 3, 29), (6, 3, 29), (4, 3, 24)], exogenous_supply=5)
    assert decide("greedy", view)["response"][8:11].tolist() == [ACCEPT, OFFER, OFFER]
    view["partners"]["step"] = 19
    assert decide("greedy", view)["response"][10] == OFFER, "it took a much better price today"
    view = make_view(level=0, consumers=[(4, 3, 26)], exogenous_supply=5, time=20)
    assert decide("greedy", view)["response"][8] == ACCEPT


def test_greedy_in_the_middle_never_counts_what_it_has_sold_today():
    view = make_view(consumers=[(7, 3, 29)], sales=[30])
    assert decide("greedy", view)["response"][8] == ACCEPT
    view = make_view(level=0, consumers=[(7, 3, 29)], sales=[30])
    assert decide("greedy", view)["response"][8] != ACCEPT


def test_greedy_leaves_a_partner_where_its_concession_passes_the_range():
    view = make_view(consumers=[(9, 3, 25)] * 2, time=20)
    view["min_output_price"] = 28
    assert decide("greedy", view)["response"][8:10].tolist() == [END, END]


def test_greedy_asks_for_a_later_day_when_today_is_settled():
    view = make_view(level=2, suppliers=[NONE] * 3, exogenous_sales=4, supplies=[4])
    actions = decide("greedy", view)[:3]
    assert (actions["response"] == OFFER).all()
    assert (actions["day"] > view["day"]).all()


def test_greedy_remembers_the_best_price_of_each_partner():
    strategy = STRATEGIES.get("greedy")
    policy = StrategyPolicy(strategy, 0)
    view = make_view(consumers=[NONE, NONE])
    for price in (27, 29, 26):
        view["partners"][8]["agreed_quantity"], view["partners"][8]["agreed_price"] = 3, price
        policy.end_day(view)
    assert policy.state[-8:-6].tolist() == [29, 0]


@pytest.mark.parametrize("concentrated", [True, False])
@pytest.mark.parametrize("equal", [True, False])
@pytest.mark.parametrize("allow_zero", [True, False])
def test_items_are_distributed_as_scml_does(concentrated, equal, allow_zero):
    """Means and how often a partner gets nothing, against ``scml.common.distribute``."""
    from scml.common import distribute as scml_distribute

    stream = np.array([77], dtype=np.uint64)
    for quantity, n in [(0, 3), (2, 5), (5, 5), (9, 4), (70, 2)]:
        shares = np.zeros((400, n), dtype=np.int64)
        for row in shares:
            distribute(stream, quantity, n, 30, concentrated, equal, allow_zero, row)
        options = {"mx": 30, "concentrated": concentrated, "equal": equal, "allow_zero": allow_zero}
        expected = np.array([scml_distribute(quantity, n, **options) for _ in range(400)])
        assert set(shares.sum(axis=1)) <= {min(quantity, 30 * n)} | set(range(30, 60))
        np.testing.assert_allclose(shares.mean(axis=0), expected.mean(axis=0), atol=max(0.4, 0.13 * quantity))
        np.testing.assert_allclose((shares == 0).mean(), (expected == 0).mean(), atol=0.06)


def test_sync_random_asks_for_a_full_day_in_the_middle_whatever_is_in_stock():
    view = make_view(suppliers=[NONE] * 4, stock=50)
    totals = []
    for seed in range(20):
        actions = decide("sync-random", view, draws=counter_draws(seed, 0, 0, 0))
        totals.append(actions["quantity"][actions["day"] == view["day"]].sum())
    assert set(totals) == {10}


def test_sync_random_asks_for_one_of_the_later_days_only():
    days = set()
    for seed in range(40):
        view = make_view(level=2, suppliers=[NONE] * 8, exogenous_sales=5)
        actions = decide("sync-random", view, draws=counter_draws(seed, 0, 0, 0))
        later = set(actions["day"][actions["response"] == OFFER]) - {view["day"]}
        assert len(later) <= 1
        days |= later
    assert days == set(range(4, 14))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "peer"),
    [("greedy", "GreedyStdAgent"), ("sync-random", "SyncRandomStdAgent"), ("random", "RandomStdAgent")],
)
def test_it_plays_as_its_family_in_scml(name, peer):
    """A world of its own kind: how many agreements there are, of how many items, for which days, and scores."""

    def play(player, world_type):
        counts, scores = [], []
        for seed in range(3):
            spec = league_spec(seed, 12, 4, 3)
            world = world_type(spec, [player_maker(player)(seed + i) for i in range(spec.n_factories)], seed=seed)
            world.run()
            contracts = world.contracts
            later = np.sum(contracts["delivery"] > contracts["day"])
            counts.append((len(contracts), np.sum(contracts["quantity"]), later))
            scores.append([np.mean(world.scores[spec.level == level]) for level in range(3)])
        return np.mean(counts, axis=0), np.mean(scores, axis=0)

    mine, scores = play(name, CompiledWorld)
    theirs, their_scores = play(f"scml:{peer}", ReferenceWorld)
    np.testing.assert_allclose(mine, theirs, rtol=0.2, atol=6)
    np.testing.assert_allclose(scores, their_scores, atol=0.15)


def test_sync_random_takes_good_offers_that_it_seems_to_need():
    view = make_view(level=2, suppliers=[(3, 3, 14), (9, 3, 14), (3, 3, 17)], exogenous_sales=6)
    assert decide("sync-random", view)["response"][:3].tolist()[0] == ACCEPT
    assert (decide("sync-random", view)["response"][1:3] != ACCEPT).all()


@pytest.mark.parametrize("seed", range(3))
def test_just_in_time_never_promises_more_than_its_inputs_and_lines(seed):
    """Whatever of its answers and of what partners still think about is agreed to."""
    for view in random_views(np.random.default_rng(seed), 300):
        actions, partners = decide("just-in-time", view), view["partners"]
        sales, pending = view["sales"].copy(), view["sales"].copy()
        for k in range(MAX_PER_LEVEL, MAX_PARTNERS):
            new = {ACCEPT: partners[k][["offer_quantity", "offer_day"]], OFFER: actions[k][["quantity", "day"]]}
            quantity, day = new.get(int(actions[k]["response"]), (0, view["day"]))
            sales[day - view["day"]] += quantity
            if partners[k]["running"] and not partners[k]["my_turn"] and partners[k]["my_quantity"]:
                sales[partners[k]["my_day"] - view["day"]] += partners[k]["my_quantity"]
                pending[partners[k]["my_day"] - view["day"]] += partners[k]["my_quantity"]
        before, after = np.zeros(BOOK_DAYS, dtype=np.int64), np.zeros(BOOK_DAYS, dtype=np.int64)
        spare_inputs(view, view["supplies"], pending, before)
        spare_inputs(view, view["supplies"], sales, after)
        assert ((after >= 0) | (after == before)).all()
        assert ((sales <= view["lines"]) | (sales == pending)).all()


def test_just_in_time_buys_for_the_days_of_what_it_has_sold():
    view = make_view(suppliers=[NONE] * 3, stock=7, sales=[0, 0, 4, 0, 0, 2])
    bought = decide("just-in-time", view)[:3]
    assert sorted((day, quantity) for _, quantity, day, _ in bought.tolist()) == [(5, 2), (5, 2), (8, 2)]
    view = make_view(suppliers=[(4, 5, 16), (9, 5, 14), NONE], stock=7, sales=[0, 0, 4, 0, 0, 2])
    taken = decide("just-in-time", view)[:3]
    assert taken["response"].tolist() == [ACCEPT, OFFER, OFFER]
    assert (taken["quantity"][1:].sum(), set(taken["day"][1:])) == (2, {8})


def test_just_in_time_lets_partners_go_of_whom_it_wants_nothing():
    view = make_view(suppliers=[(3, 3, 14)] * 2, consumers=[(3, 3, 29)] * 2, stock=0, supplies=[7], sales=[7])
    assert needed_sales(view) == 0
    assert decide("just-in-time", view)["response"][8:10].tolist() == [END, END]


def test_importing_the_registry_imports_nothing_heavy():
    code = (
        "import sys, scml_gym.standard.strategies; print([m for m in ('scml', 'torch', 'negmas') if m in sys.modules])"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "[]"


def test_the_heuristic_manager_trades_by_urgency_and_counts_what_is_signed():
    def asked(day=15, **fields):
        view = make_view(suppliers=[NONE] * 6, day=day, n_days=30, physical=1, **fields)
        answers = decide("heuristic-manager", view)
        return [int(answers["quantity"][answers["day"] - day == ahead].sum()) for ahead in range(11)]

    calm = asked(lines=40)
    assert [sum(calm[:3]), sum(calm[3:8]), sum(calm[8:])] == [10, 8, 6], "a quarter, less a fifth for each bucket"
    assert sum(asked(lines=40, day=2)) > sum(calm) > sum(asked(lines=40, day=27)), "more early, less late"
    assert sum(asked(lines=40, stock=10, supplies=[0, 0, 30])) == 0, "signed supplies are no longer lacking"


def test_the_heuristic_manager_sells_what_it_can_make():
    view = make_view(consumers=[NONE] * 8, day=15, n_days=30, stock=4)
    answers = decide("heuristic-manager", view)
    ahead = answers["day"][answers["quantity"] > 0] - 15
    assert set(ahead) <= set(range(11)) and answers["quantity"].sum() == 3 + 4 + 2, "stock stays for every day"
    view["physical"] = 1
    assert decide("heuristic-manager", view)["quantity"].sum() == 1, "an item is sold once"
