"""What an exception of a player costs, by both rules."""

from functools import partial

import pytest
from scml.oneshot.agents import SyncRandomOneShotAgent

from scml_gym.evaluation.exceptions import ERRORS, NOBODY, League, PlayerError, Strict, watch
from scml_gym.game.definition import Setting
from scml_gym.oneshot.line_up import play_line_up, play_line_up_on
from scml_gym.oneshot.worlds.generation import league_spec
from scml_gym.oneshot.worlds.reference import ReferenceWorld
from scml_gym.simulator.line_up import ENTRY_POINTS
from tests.helpers.evaluation_players import raising_in, skipping

SEED, DAYS, HALF = 5, 4, 2
OF_ALL = ("before_step", "on_preferences_changed")
"""Where scml lets an exception of one agent cost all agents the rest of what is done before the day."""
UNUSED = ("on_negotiation_failure", "on_negotiation_end", "take_turn")
"""Never called in these worlds; the last one is that of policies."""
IGNORED = "agent_exception", "negotiation_exceptions", "simulation_exceptions", "contract_execution_exceptions"


def line_up(agent):
    """Positions 0 and 2 are the agent's: a seller and a buyer, each with another agent after it."""
    return [(agent, {}), (SyncRandomOneShotAgent, {})] * HALF


def played_by_scml(agent):
    """Scores in a world that nobody watches, which ignores exceptions as ``scml --ignore-exceptions`` does."""
    world = ReferenceWorld(league_spec(SEED, days=DAYS, factories_per_level=HALF), line_up(agent), SEED)
    for what in IGNORED:
        assert hasattr(world.world, f"ignore_{what}")
        setattr(world.world, f"ignore_{what}", True)
    world.run()
    return world.scores.tolist()


def played_by_us(agent):
    rule, mark = League(), [NOBODY]
    rows = play_line_up_on(line_up(agent), SEED, Setting(DAYS), partial(watch, rule, mark))
    assert mark[0] == NOBODY
    return [row["score"] for row in rows], rule.raised


@pytest.mark.parametrize("method", [name for name in ENTRY_POINTS if name not in OF_ALL])
def test_the_league_rule_plays_what_scml_plays_when_it_ignores_exceptions(method):
    scores, raised = played_by_us(raising_in(method))
    assert scores == played_by_scml(raising_in(method))
    if method not in UNUSED:
        assert raised
    assert set(raised) <= {0, 2}
    for told in raised.values():
        assert told["count"] >= 1
        assert f"RuntimeError: in {method} (" in told["first"]


@pytest.mark.parametrize("method", OF_ALL)
def test_an_exception_before_a_day_is_nobody_elses(method):
    scores, raised = played_by_us(raising_in(method))
    assert scores == played_by_us(skipping(method))[0]
    assert {position: told["count"] >= DAYS - 1 for position, told in raised.items()} == {0: True, 2: True}


def test_who_never_raises_plays_alike_by_both_rules():
    strict = play_line_up(line_up(SyncRandomOneShotAgent), SEED, Setting(DAYS), partial(watch, Strict(), [NOBODY]))
    assert [row["score"] for row in strict] == played_by_us(SyncRandomOneShotAgent)[0]


@pytest.mark.parametrize("method", ["init", "counter_all", "step"])
def test_the_strict_rule_ends_the_world_and_tells_whose_fault_it_was(method):
    mark = [NOBODY]
    with pytest.raises(PlayerError):
        play_line_up(line_up(raising_in(method)), SEED, Setting(DAYS), partial(watch, Strict(), mark))
    assert mark[0] in (0, 2)


class Asked:
    """A policy that is asked negotiation by negotiation, and fails."""

    synchronous = False

    def begin(self, view):
        pass

    def act(self, view):
        raise RuntimeError("asked")

    def end_day(self, view):
        pass


def test_policies_asked_negotiation_by_negotiation_are_judged_like_agents():
    players, mark, rule = [Asked(), (SyncRandomOneShotAgent, {})] * HALF, [NOBODY], League()
    with pytest.raises(PlayerError):
        play_line_up(players, SEED, Setting(DAYS), partial(watch, Strict(), mark))
    assert mark[0] in (0, 2)
    play_line_up_on(players, SEED, Setting(DAYS), partial(watch, rule, [NOBODY]))
    assert {position: told["first"].startswith("RuntimeError: asked") for position, told in rule.raised.items()} == {
        0: True,
        2: True,
    }


def test_every_rule_is_one_of_the_options(command_line):
    done = command_line("evaluate.py", "best-subset", "--errors", "leage")
    assert done.returncode == 2
    assert done.stderr == "error: errors: 'leage' is not valid; did you mean 'league'?\n"
    assert set(ERRORS) == {"strict", "league"}
