"""The audit: what is unsafe, under which rule, and why; in environments and of any player."""

import gymnasium
import numpy as np
import pytest

from scml_gym.core.errors import InputError
from scml_gym.game.definition import Setting
from scml_gym.simulator.recording.log import WorldLog
from scml_gym.standard.envs import standard_factories_v0, standard_negotiations_v0
from scml_gym.standard.game import AUDIT_COLUMNS
from scml_gym.standard.line_up import play_line_up
from scml_gym.standard.players import player_maker
from scml_gym.standard.safety import BOUNDS, judge_answers
from scml_gym.standard.safety.audit import COUNTS, REASONS, Tally, audit_world, find_unsafe
from scml_gym.standard.settlement import SETTLEMENT_DTYPE
from scml_gym.standard.view import ACCEPT, OFFER, new_actions
from scml_gym.standard.worlds.compiled.world import CompiledWorld
from scml_gym.standard.worlds.generation import league_spec
from scml_gym.standard.worlds.reference import ReferenceWorld
from tests.helpers.standard_views import make_view
from tests.helpers.standard_worlds import BUILTINS

CONCURRENT, DAILY = "scml_gym/StandardConcurrent-v0", "scml_gym/StandardDaily-v0"
SETTING = {"days": 4, "factories_per_level": (2, 3), "opponents": ["greedy", "sync-random"]}


def promising(view):
    """Three items accepted for today, four for tomorrow, and eleven offered for the day after."""
    actions = new_actions()
    actions["response"][[8, 9]] = ACCEPT
    actions[10] = OFFER, 11, view["day"] + 2, 27
    return actions


def settled(missing, produced):
    """A day on which that many items were sold and not delivered, and delivered."""
    days = np.zeros(1, dtype=SETTLEMENT_DTYPE)
    days["missing"], days["produced"] = missing, produced
    return days


NO_DAYS = settled(0, 0)


def test_acts_are_counted_under_both_rules_and_both_bounds():
    view = make_view(consumers=[(3, 3, 27), (4, 4, 27), (0, 0, 0)], stock=5)
    tally = Tally()
    tally(view, promising(view))
    columns = tally.columns(settled(2, 6))
    assert list(columns) == list(AUDIT_COLUMNS)
    # by the league's rule five items serve both days, and the offer is too large for stock and lines; by the physical
    # one two are left for tomorrow
    assert columns == {
        **{"acts": 3, "unsafe_covered": 1, "unsafe_possible": 1, "other_rule_covered": 2, "other_rule_possible": 1},
        **{"accepted_sales": 2, "unsafe_sales": 0, "other_rule_sales": 1, "sets": 1, "unsafe_sets": 1},
        "breach_rate": 0.25,
    }
    view["physical"] = 1
    physical = Tally()
    physical(view, promising(view))
    assert physical.columns(NO_DAYS)["unsafe_covered"] == 2
    assert physical.columns(NO_DAYS)["other_rule_covered"] == 1
    assert view["physical"] == 1
    assert Tally().columns(NO_DAYS)["breach_rate"] == 0


def test_findings_say_which_day_and_how_many():
    view = make_view(consumers=[(3, 3, 27), (4, 4, 27), (0, 0, 0)], stock=5, physical=1)
    covered, possible = find_unsafe(view, promising(view))
    assert covered.partners == (9, 10) and covered.harm == judge_answers(view, promising(view))
    assert str(covered) == "day 3, covered, to 9, 10: day 4: 2 items missing"
    assert str(possible) == "day 3, possible, to 10: day 5: 1 items missing"
    poor = make_view(suppliers=[(10, 3, 15)], balance=100.0)
    actions = new_actions()
    actions["response"][0] = ACCEPT
    assert str(find_unsafe(poor, actions)[1]) == "day 3, possible, to 0: day 3: 50.00 of money short"
    assert find_unsafe(view, new_actions()) == []


SPEC = league_spec(4, days=5, factories_per_level=2, n_levels=3)


def audited(names, log=None):
    """A real world with these players in turn, played to its end, and the tallies of its agents."""
    players = [player_maker(names[i % len(names)])(7) for i in range(SPEC.n_factories)]
    world = ReferenceWorld(SPEC, players, 7, stock="physical", log=log)
    tallies = audit_world(world)
    world.run()
    return world, tallies


def test_a_row_of_scores_tells_what_was_unsafe_and_nothing_is_played_otherwise():
    names = ["scml:GreedyStdAgent", "sync-random", "shielded?of=scml:SyncRandomStdAgent"]

    def players():
        return [player_maker(name)(7) for name in names * 2]

    rows = play_line_up(players(), 7, Setting(5, 3, "physical"), lambda *_: None)
    plain = ReferenceWorld(league_spec(7, 5, 2, 3), players(), 7, stock="physical")
    plain.run()
    assert [row["score"] for row in rows] == plain.scores.tolist()
    for i, row in enumerate(rows):
        assert list(row)[-len(AUDIT_COLUMNS) :] == list(AUDIT_COLUMNS)
        assert all(isinstance(row[name], column.type) for name, column in AUDIT_COLUMNS.items())
        assert 0 <= row["breach_rate"] <= 1 and (row["breach_rate"] > 0) == (row["missing"] > 0)
        assert row["acts"] > 0
        assert row["unsafe_covered"] == 0 or i % 3 < 2
    assert sum(row["unsafe_covered"] for row in rows) > 10


def test_as_many_acts_are_seen_of_agents_as_compiled_worlds_have():
    """Whether a strategy answers all partners together or each by itself."""
    names, log = ["random", "sync-random", "greedy"], WorldLog()
    world, tallies = audited(names)
    players = [player_maker(names[i % 3])(7) for i in range(SPEC.n_factories)]
    compiled = CompiledWorld(SPEC, players, 7, stock="physical", log=log)
    compiled.run()
    assert np.array_equal(compiled.contracts, world.contracts)
    assert [int(tally.numbers[0]) for tally in tallies] == acts_of(log)
    assert min(acts_of(log)) > 0
    for tally in tallies:
        assert (tally.numbers[1] > 0) == any(finding.bound == "covered" for finding in tally.findings)


def test_as_many_acts_are_seen_of_scmls_own_agents_as_the_simulation_has():
    log = WorldLog()
    _, tallies = audited(BUILTINS, log)
    assert [int(tally.numbers[0]) for tally in tallies] == acts_of(log)


def acts_of(log):
    """Acceptances and offers of each factory."""
    acts = log.events[np.isin(log.events["response"], (ACCEPT, OFFER))]
    return np.bincount(acts["sender"], minlength=SPEC.n_factories).tolist()


def test_what_is_unsafe_is_told_to_a_recording():
    log, players = WorldLog(), [player_maker(name)(7) for name in ("greedy", "sync-random") * 3]
    rows = play_line_up(players, 7, Setting(5, 3, "physical"), lambda *_: None, log)
    for factory, row in enumerate(rows):
        assert log.audits[factory] == {name: row[name] for name in log.audits[factory]}
        for bound in BOUNDS:
            assert sum(act[1] == factory and act[4] == bound for act in log.unsafe) == row[f"unsafe_{bound}"]
    assert log.unsafe
    assert all(act[9] >= act[0] and sum(act[10:]) > 0 for act in log.unsafe)  # the day that falls short, and by what


def totals(env, seeds=6):
    """What the information of some episodes adds up to, with random actions."""
    env.action_space.seed(0)
    sums = dict.fromkeys((*COUNTS, *REASONS), 0)
    for seed in range(seeds):
        _, info = env.reset(seed=seed)
        assert all(info[name] == 0 for name in sums)
        done = False
        while not done:
            _, _, done, _, info = env.step(env.action_space.sample())
            assert (info["unsafe_covered"] > 0) == (info["unsafe_within"] > 0)
            sums = {name: number + info[name] for name, number in sums.items()}
    return sums


@pytest.mark.parametrize(("env_id", "options"), [(CONCURRENT, {}), (DAILY, {"stock": "physical"})])
def test_information_tells_what_was_unsafe(env_id, options):
    free = totals(gymnasium.make(env_id, **SETTING | options, audit=True, level="middle").unwrapped)
    assert 0 < free["unsafe_covered"] <= free["acts"]
    assert free["unsafe_missing"] + free["unsafe_unpaid"] > 0
    safe = totals(gymnasium.make(env_id, **SETTING | options, audit=True, shield="covered", level="middle").unwrapped)
    assert safe["acts"] > 0 and safe["unsafe_covered"] == safe["unsafe_within"] == 0


def test_agents_are_told_too():
    env = standard_negotiations_v0.parallel_env(**SETTING, audit=True)
    env.reset(seed=1)
    _, _, _, _, infos = env.step({a: env.action_space(a).sample() for a in env.agents})
    assert len({info["acts"] for info in infos.values()}) == 1
    options = {"factories": (0, 2, 4), "factories_per_level": 2, "n_levels": 3, "days": 6, "opponents": ["greedy"]}
    env, acts = standard_factories_v0.parallel_env(**options, audit=True), 0
    _, infos = env.reset(seed=1)
    for agent in env.agents:
        env.action_space(agent).seed(2)
    while env.agents:
        due = {a for a in env.agents if infos[a]["my_turn"]}
        _, _, _, _, infos = env.step({a: env.action_space(a).sample() for a in env.agents})
        assert {a for a in infos if infos[a]["acts"] > 0} <= due
        acts += sum(info["acts"] for info in infos.values())
    assert acts > 0


def test_only_yes_or_no_is_taken():
    with pytest.raises(InputError, match="audit='yes'"):
        gymnasium.make(CONCURRENT, audit="yes")
    assert "acts" not in gymnasium.make(CONCURRENT, days=2).reset(seed=0)[1]
    assert np.isin(list(COUNTS), list(AUDIT_COLUMNS)).all()
