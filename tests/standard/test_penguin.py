"""Penguin by its rules, each of its defects shown and mended, and H behind a shield."""

import time
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from scml_gym.game.strategy import StrategyPolicy
from scml_gym.standard.players import player_maker
from scml_gym.standard.safety import judge_answers
from scml_gym.standard.safety.agents import look_at
from scml_gym.standard.safety.audit import COUNTS, N_NUMBERS, audit_world, audited
from scml_gym.standard.strategies import STRATEGIES
from scml_gym.standard.view import ACCEPT, END, MAX_PARTNERS, MAX_PER_LEVEL, OFFER
from scml_gym.standard.worlds.compiled.world import CompiledWorld
from scml_gym.standard.worlds.generation import league_spec
from scml_gym.standard.worlds.reference import ReferenceWorld
from tests.helpers.standard_views import make_view

NONE = (0, 0, 0)
SALES, SUPPLIES = slice(MAX_PER_LEVEL, None), slice(0, MAX_PER_LEVEL)


def act(name, view, **parameters):
    return StrategyPolicy(STRATEGIES.get(name), 0, parameters).act(view)


def offered(actions, side):
    """Items offered by delivery day."""
    totals = Counter()
    for answer in actions[side][actions[side]["response"] == OFFER]:
        totals[int(answer["day"])] += int(answer["quantity"])
    return totals


def responses(actions, *partners):
    return [int(actions["response"][k]) for k in partners]


def test_it_asks_for_seven_items_today_and_a_third_of_that_later():
    actions = act("penguin", make_view(suppliers=[NONE] * 8, consumers=[NONE] * 8))
    for side, price in ((SUPPLIES, 14), (SALES, 29)):
        items = offered(actions, side)
        assert items[3] == 7 and 0 < items[4] <= 2
        assert set(actions[side]["price"][actions[side]["response"] == OFFER].tolist()) == {price}


def test_defect_it_sells_what_it_has_not_bought():
    view = make_view(consumers=[(7, 4, 27)])
    assert responses(act("penguin", view), 8) == [ACCEPT]
    assert not judge_answers(view, act("penguin", view)).safe
    assert responses(act("lita-h", view, mended_target=0), 8) == [ACCEPT]
    assert responses(act("lita-h", view), 8) != [ACCEPT]
    bought = make_view(consumers=[(7, 4, 27)], supplies=[0, 7])
    assert responses(act("lita-h", bought), 8) == [ACCEPT]
    assert responses(act("penguin", make_view(consumers=[(10, 4, 27)], stock=10)), 8) == [ACCEPT]
    alone = act("lita-h", make_view(consumers=[(10, 4, 27)], stock=10), mended_target=0, target_alone=1)
    assert responses(alone, 8) != [ACCEPT]


def test_defect_it_sells_the_same_stock_for_every_day():
    """Which is right in the league, where stock is never used up."""
    offers = [(4, 4, 27), (4, 5, 27), NONE, NONE, NONE]
    league, physical = (make_view(consumers=offers, stock=4, physical=rule) for rule in (0, 1))
    assert responses(act("penguin", physical), 8, 9) == responses(act("lita-h", league), 8, 9) == [ACCEPT, ACCEPT]
    assert judge_answers(league, act("lita-h", league)).safe
    assert not judge_answers(physical, act("penguin", physical)).safe
    assert responses(act("lita-h", physical), 8)[0] == ACCEPT
    assert judge_answers(physical, act("lita-h", physical)).safe
    assert sum(offered(act("lita-h", make_view(consumers=[NONE] * 8, stock=4, physical=1)), SALES).values()) == 4


def test_defect_it_takes_no_sale_of_today_from_the_third_day_on():
    offers = [(7, 3, 27), NONE]
    assert responses(act("penguin", make_view(consumers=offers, stock=7)), 8) != [ACCEPT]
    assert responses(act("penguin", make_view(consumers=offers, stock=7), mended_guard=1), 8) == [ACCEPT]
    assert responses(act("lita-h", make_view(consumers=offers, stock=7)), 8) == [ACCEPT]
    assert responses(act("lita-h", make_view(consumers=offers, stock=7), mended_guard=0), 8) != [ACCEPT]
    # on the second day it looks at today's sales after all, and takes offers if there are some
    second = {"day": 1, "stock": 10}
    taken = [
        responses(act("penguin", make_view(consumers=[(7, 1, 27), NONE], sales=[sold], **second)), 8) == [ACCEPT]
        for sold in (0, 3)
    ]
    assert taken == [False, True]


def test_defect_the_third_day_is_judged_by_the_second():
    consumers, full = [NONE] * 8, 11  # more than the lines
    busy = make_view(consumers=consumers, stock=10, sales=[10, 10, full])
    assert offered(act("penguin", busy), SALES)[6] == 0
    assert offered(act("penguin", busy, mended_third_day=1), SALES)[6] == 3
    assert offered(act("lita-h", busy), SALES)[6] > 0
    assert offered(act("lita-h", busy, mended_third_day=0), SALES)[6] == 0


def test_defect_it_accepts_all_offers_that_are_too_large():
    view = make_view(suppliers=[(9, 3, 15), (8, 3, 15), (20, 3, 15)], stock=4)
    assert responses(act("penguin", view), 0, 1, 2) == [ACCEPT] * 3
    assert ACCEPT not in responses(act("penguin", view, mended_excess=1), 0, 1, 2)
    near = make_view(suppliers=[(4, 3, 15), (2, 3, 15), (20, 3, 15)], stock=4)
    accepted = act("penguin", near)["response"] == ACCEPT
    assert accepted[:3].tolist() == [True, False, False], "one above its need of three is within a tenth"


def test_defect_a_counter_offer_with_a_fraction_ends_the_negotiation():
    view = make_view(suppliers=[(20, 9, 15)])
    assert responses(act("penguin", view), 0) == [END], "1.2 times 14 is no price"
    answer = act("penguin", view, mended_price=1)[0]
    assert (answer["response"], answer["price"], answer["day"]) == (OFFER, 16, 3)
    whole = make_view(suppliers=[(20, 9, 15)], min_input_price=15, max_input_price=18)
    assert act("penguin", whole)[0]["price"] == 18


def summary(view, actions):
    """What does not depend on chance: items accepted by side and day, and items offered by side, day and price where
    all negotiations of a side go on."""
    found = Counter()
    for side in range(2):
        partners = view["partners"][side * MAX_PER_LEVEL : (side + 1) * MAX_PER_LEVEL]
        whole = (partners["exists"] == partners["my_turn"]).all()
        for k in np.flatnonzero(partners["my_turn"]) + side * MAX_PER_LEVEL:
            answer, ahead = actions[k], view["partners"][k]["offer_day"] - view["day"]
            if answer["response"] == ACCEPT:
                found[side, "accepted", int(ahead)] += int(view["partners"][k]["offer_quantity"])
            elif whole and answer["response"] == OFFER:
                found[side, "offered", int(answer["day"]), int(answer["price"])] += int(answer["quantity"])
    return found


def test_its_rules_are_those_of_the_published_agent():
    """Whose sets of names have another order now and then, of which the books come to hold other sales."""
    pytest.importorskip("scml_agents")
    rules, alike = player_maker("penguin")(7), []

    def look(view, actions):
        alike.append(summary(view, actions) == summary(view, rules.act(view.copy())))

    names = ["scml-agents:2024/PenguinAgent", "sync-random", "greedy"]
    spec = league_spec(4, days=12, factories_per_level=3, n_levels=3)
    players = [names[i] for i in (0, 1, 2, 1, 2, 0, 2, 0, 1)]
    world = ReferenceWorld(spec, [player_maker(name)(7) for name in players], 7)
    for name, agent in zip(players, world.agents, strict=True):
        if name == names[0]:
            look_at(agent, look)
    world.run()
    assert len(alike) > 60
    assert np.mean(alike) >= 0.98


def audited_world(name, spec, stock):
    """A compiled world of one strategy, and the counts of its audit, by factory."""
    policy = player_maker(name)(7)
    strategy = audited(policy.strategy)
    players = [StrategyPolicy(strategy, 7, policy.parameters) for _ in range(spec.n_factories)]
    world = CompiledWorld(spec, players, 7, stock)
    world.run()
    return world, np.array([state[-N_NUMBERS:][: len(COUNTS)] for state in world.states])


def test_compiled_worlds_audit_as_real_ones():
    spec = league_spec(4, days=5, factories_per_level=2, n_levels=3)
    compiled, counts = audited_world("lita-h", spec, "physical")
    real = ReferenceWorld(spec, [player_maker("lita-h")(7) for _ in range(spec.n_factories)], 7, stock="physical")
    tallies = audit_world(real)
    real.run()
    assert np.array_equal(real.contracts, compiled.contracts)
    assert counts.tolist() == [tally.numbers[: len(COUNTS)].tolist() for tally in tallies]
    assert counts[:, 0].min() > 0


@pytest.mark.slow
@pytest.mark.parametrize("bound", ["covered", "possible"])
def test_behind_a_shield_nothing_is_unsafe(bound):
    """In 100,000 acts by each bound, under both rules, with much and with little money; no decision takes long."""
    total, unsafe, seed = 0, 0, 0
    begun, decisions = time.perf_counter(), 0
    while total < 100_000:
        spec = league_spec(seed, days=50, factories_per_level=6 - 2 * (seed % 2), n_levels=2 + seed % 2)
        if seed % 3 == 0:
            spec = replace(spec, initial_balance=spec.initial_balance // 4)
        name = f"shielded?of=lita-h&bound={bound}"
        _, counts = audited_world(name, spec, ("league", "physical")[seed // 2 % 2])
        total += int(counts[:, 0].sum())
        unsafe += int(counts[:, COUNTS.index(f"unsafe_{bound}")].sum())
        decisions += int(counts[:, COUNTS.index("sets")].sum())
        seed += 1
    assert unsafe == 0
    assert (time.perf_counter() - begun) / decisions < 0.005


def test_every_decision_is_quick():
    """The most sets to choose from: eight offers on each side."""
    view = make_view(suppliers=[(3, 3, 15)] * 8, consumers=[(2, 3, 27)] * 8, stock=1)
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        assert len(act("lita-h", view)) == MAX_PARTNERS
        times.append(time.perf_counter() - begun)
    assert min(times) < 0.005


def test_no_more_partners_are_asked_for_today_than_there_are():
    view = make_view(suppliers=[NONE] * MAX_PER_LEVEL)
    for answers in (act("penguin", view, today=1), act("penguin", view, today=5)):
        assert answers["quantity"][answers["day"] == view["day"]].sum() == 7
