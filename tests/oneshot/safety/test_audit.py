"""The audit of OneShot: what is unsafe is found by settling every outcome of a decision."""

import itertools

import numpy as np
import pytest

from scml_gym.core.errors import InputError
from scml_gym.game.definition import Setting
from scml_gym.oneshot.game import AUDIT_COLUMNS
from scml_gym.oneshot.line_up import play_line_up
from scml_gym.oneshot.players import player_maker
from scml_gym.oneshot.safety import BOUNDS, Tally, find_unsafe, judge_answers
from scml_gym.oneshot.safety.audit import audit_world
from scml_gym.oneshot.settlement import SETTLEMENT_DTYPE, settle_view
from scml_gym.oneshot.view import ACCEPT, BUYER, OFFER, SELLER, new_actions
from scml_gym.oneshot.worlds.generation import league_spec
from scml_gym.oneshot.worlds.reference import ReferenceWorld
from scml_gym.simulator.recording.log import WorldLog
from tests.helpers.views import make_view


def outcomes(view, actions, with_acts):
    """Items missing and money short, at most, over all subsets of the offers that may be taken."""
    certain, possible = [], []
    for partner, (response, *mine) in zip(view["partners"], actions.tolist(), strict=True):
        if partner["agreed_quantity"]:
            certain.append((partner["agreed_quantity"], partner["agreed_price"]))
        elif response == ACCEPT and with_acts:
            certain.append((partner["offer_quantity"], partner["offer_price"]))
        elif response == OFFER and with_acts:
            possible.append(tuple(mine))
        elif response not in (ACCEPT, OFFER) and partner["my_quantity"]:
            possible.append((partner["my_quantity"], partner["my_price"]))
    missing, unpaid = 0, 0.0
    for taken in itertools.product((False, True), repeat=len(possible)):
        contracts = certain + [offer for offer, yes in zip(possible, taken, strict=True) if yes]
        items = np.array([q for q, _ in contracts] + [0], dtype=np.int64)
        row = settle_view(view, len(contracts), items, np.array([float(p) for _, p in contracts] + [0.0]))
        missing, unpaid = max(missing, row[8]), max(unpaid, row[2] - view["balance"])
    return missing, unpaid


@pytest.mark.parametrize("level", [SELLER, BUYER])
def test_decisions_are_judged_as_every_outcome_settles(level):
    generator, safe = np.random.default_rng(level), 0
    for _ in range(1000):
        view = make_view(level, int(generator.integers(0, 9)), n_partners=4)
        view["lines"], view["balance"] = generator.integers(1, 8), generator.integers(0, 250)
        actions = new_actions()
        for k in range(4):
            kind, offer = generator.integers(4), (int(generator.integers(1, 6)), int(generator.integers(14, 16)))
            partner = view["partners"][k]
            if kind == 0:
                partner["offer_quantity"], partner["offer_price"] = offer
                actions[k]["response"] = ACCEPT
            elif kind == 1:
                actions[k] = (OFFER, *offer)
            elif kind == 2:
                partner["my_turn"] = 0
                partner["my_quantity"], partner["my_price"] = offer
            else:
                partner["my_turn"] = partner["running"] = 0
                partner["agreed_quantity"], partner["agreed_price"] = offer
        found = judge_answers(view, actions)
        before, after = outcomes(view, actions, False), outcomes(view, actions, True)
        assert found.safe == (after[0] <= before[0] and after[1] <= before[1] + 1e-9)
        assert found.safe == (not found.unsafe)
        safe += found.safe
    assert 50 < safe < 950


def test_bounds_and_reasons():
    view = make_view(SELLER, 6, [(4, 15), (4, 14), (4, 15)])
    actions = new_actions()
    actions["response"][:3] = ACCEPT
    assert str(judge_answers(view, actions)) == "6 items missing"
    assert judge_answers(view, actions).unsafe == (1, 2)
    assert judge_answers(view, actions, "possible").missing == 2
    buyer = make_view(BUYER, 6, [(6, 14), (6, 15)])
    buyer["balance"] = 100.0
    actions = new_actions()
    actions["response"][:2] = ACCEPT
    assert str(judge_answers(buyer, actions)) == "74.00 of money short"
    assert judge_answers(buyer, actions).unsafe == (1,)
    assert [finding.bound for finding in find_unsafe(buyer, actions)] == ["covered", "possible"]
    assert judge_answers(buyer, new_actions()) == (0, (), 0, 0.0)


def test_a_tally_adds_up():
    tally, view, actions = Tally(), make_view(SELLER, 6, [(4, 15), (4, 14), (4, 15)]), new_actions()
    actions["response"][:3] = ACCEPT
    tally(view, actions)
    tally(view, actions)
    days = np.zeros(2, dtype=SETTLEMENT_DTYPE)
    days["missing"], days["produced"] = (1, 0), (2, 1)
    assert tally.columns(days) == {"acts": 6, "unsafe_covered": 4, "unsafe_possible": 2, "breach_rate": 0.25}
    assert len(tally.findings) == 4


def players(names):
    return [player_maker(name)(5) for name in names]


def test_as_many_acts_are_seen_of_agents_as_the_simulation_has():
    """Whether they answer all partners together or each by itself, and let one wait."""
    names, log = ("greedy", "best-subset", "sequential", "scml:SyncRandomOneShotAgent") * 2, WorldLog()
    world = ReferenceWorld(league_spec(5, 4, 4), players(names), 5, log=log)
    tallies = audit_world(world)
    world.run()
    acts = log.events[np.isin(log.events["response"], (ACCEPT, OFFER))]
    assert [tally.acts for tally in tallies] == np.bincount(acts["sender"], minlength=8).tolist()
    assert min(tally.acts for tally in tallies) > 0


def test_a_row_of_scores_tells_what_was_unsafe_and_nothing_is_played_otherwise():
    names, log = ("scml:GreedyOneShotAgent", "scml:SyncRandomOneShotAgent", "greedy") * 2, WorldLog()
    rows = play_line_up(players(names), 5, Setting(4), lambda *_: None, log)
    plain = ReferenceWorld(league_spec(5, days=4, factories_per_level=3), players(names), 5)
    plain.run()
    assert [row["score"] for row in rows] == plain.scores.tolist()
    for i, row in enumerate(rows):
        assert all(isinstance(row[name], column.type) for name, column in AUDIT_COLUMNS.items())
        assert row["acts"] > 0 and 0 <= row["breach_rate"] <= 1
        assert (row["breach_rate"] > 0) == (row["shortfall"] > 0)
        assert log.audits[i] == {name: row[name] for name in log.audits[i]}
        for bound in BOUNDS:
            assert sum(act[1] == i and act[4] == bound for act in log.unsafe) == row[f"unsafe_{bound}"]
    assert sum(row["unsafe_covered"] for row in rows) > 0


def test_an_unknown_bound_is_refused():
    with pytest.raises(InputError, match="bound='safe'; valid: covered, possible"):
        judge_answers(make_view(), new_actions(), "safe")


def test_answers_of_another_form_are_refused():
    with pytest.raises(InputError, match=r"^the array of answers is .*; valid: "):
        judge_answers(make_view(), new_actions()[:3])


def test_what_is_no_view_is_refused():
    for view in (None, np.zeros(1, dtype=np.int64)[0], make_view()["partners"][0]):
        with pytest.raises(InputError, match=r"^the view is .*; valid: one record of VIEW_DTYPE"):
            judge_answers(view, new_actions())
