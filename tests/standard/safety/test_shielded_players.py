"""Any player behind a shield: strategies in both worlds, agents of scml of both kinds, policies."""

import copy
import dataclasses
import pickle
import random

import numpy as np
import pytest
from negmas.gb.common import ResponseType
from negmas.sao.common import SAOResponse
from scml.oneshot.common import UNIT_PRICE
from scml.std.agents import SyncRandomStdAgent

from scml_gym.core.errors import InputError
from scml_gym.simulator.recording.log import WorldLog
from scml_gym.standard.players import player_maker
from scml_gym.standard.safety import judge_answers
from scml_gym.standard.safety.agents import look_at, shielded_class
from scml_gym.standard.safety.audit import audit_world, audited
from scml_gym.standard.safety.players import shield_player
from scml_gym.standard.view import ACCEPT, OFFER
from scml_gym.standard.worlds.adapters import StandardAsyncAdapter
from scml_gym.standard.worlds.compiled.world import CompiledWorld
from scml_gym.standard.worlds.generation import league_spec
from scml_gym.standard.worlds.reference import ReferenceWorld
from tests.helpers.standard_worlds import BUILTINS, RandomAnswers

SPEC = league_spec(3, days=5, factories_per_level=2, n_levels=3)


def run_watched(make, stock, bound="covered"):
    """A real world with that player everywhere: decisions, those that are unsafe, and the world."""
    world, counts = ReferenceWorld(SPEC, [make(5) for _ in range(SPEC.n_factories)], 5, stock=stock), [0, 0]

    def look(view, actions):
        counts[0] += 1
        counts[1] += not judge_answers(view, actions, bound).safe

    for agent in world.agents:
        look_at(agent, look)
    world.run()
    return *counts, world


@pytest.mark.parametrize(("stock", "bound"), [("league", "covered"), ("physical", "possible")])
@pytest.mark.parametrize("of", [*BUILTINS, "greedy"])
def test_a_shielded_player_does_nothing_unsafe(of, stock, bound):
    decisions, unsafe, _ = run_watched(player_maker(of), stock, bound)
    assert decisions > 20 and (unsafe > 0 or bound == "possible")
    decisions, unsafe, world = run_watched(player_maker(f"shielded?of={of}&bound={bound}"), stock, bound)
    assert decisions > 20 and unsafe == 0
    assert world.done


def test_looking_changes_nothing():
    for of in (*BUILTINS, "sync-random"):
        make = player_maker(of)
        *_, watched = run_watched(make, "league")
        plain = ReferenceWorld(SPEC, [make(5) for _ in range(SPEC.n_factories)], 5)
        plain.run()
        assert np.array_equal(watched.contracts, plain.contracts)


def test_a_shielded_strategy_plays_alike_in_both_worlds():
    make = player_maker("shielded?of=greedy?target=0.5&future_price=0.8&bound=covered")
    assert make(0).strategy.name == "shielded greedy"
    assert make(0).parameters[:2].tolist() == [0.5, 0.8]
    worlds = [w(SPEC, [make(5) for _ in range(SPEC.n_factories)], 5) for w in (ReferenceWorld, CompiledWorld)]
    for world in worlds:
        world.run()
    assert len(worlds[0].contracts) > 0
    assert np.array_equal(worlds[0].contracts, worlds[1].contracts)
    again = pickle.loads(pickle.dumps(player_maker("shielded?of=greedy")))
    assert again(0).strategy.decide is player_maker("shielded?of=greedy")(0).strategy.decide


@pytest.mark.parametrize("way", [copy.deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))])
def test_copies_of_a_shielded_strategy_are_shielded(way):
    make = player_maker("shielded?of=greedy?target=0.5&future_price=0.8&bound=covered")
    assert way(make(5)).strategy == make(5).strategy
    world = CompiledWorld(SPEC, [make(5) for _ in range(SPEC.n_factories)], 5)
    copied = way(world)
    for each in (world, copied):
        each.run()
    assert len(world.contracts) > 0 and np.array_equal(world.contracts, copied.contracts)
    counted = audited(make(5).strategy)
    assert way(counted) == counted and way(counted).decide is counted.decide
    other = dataclasses.replace(counted, decide=lambda *_: None)
    with pytest.raises((AttributeError, pickle.PicklingError)):  # it would come back with another one than its own
        pickle.dumps(other)


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))])
def test_classes_of_shielded_agents_are_copied_and_their_agents_say_what_to_do(way):
    agent, arguments = shield_player((SyncRandomStdAgent, {}), 0)
    assert way((agent, arguments)) == (agent, arguments)
    assert issubclass(agent, SyncRandomStdAgent) and agent.__name__ == "ShieldedSyncRandomStdAgent"
    world = ReferenceWorld(SPEC, [(agent, arguments)] * SPEC.n_factories, 5)
    with pytest.raises(
        TypeError, match=r"^ShieldedSyncRandomStdAgent cannot be copied or pickled: .* its class"
    ) as error:
        way(world.agents[0])
    assert "\n" not in str(error.value)


def test_a_pickled_class_of_shielded_agents_is_made_again_elsewhere():
    """As in the processes of scml's tournaments; nothing that this process has made is known there."""
    told = pickle.dumps(shield_player((SyncRandomStdAgent, {}), 1, 0.5)[0])
    shielded_class.cache_clear()
    made = pickle.loads(told)
    assert made.made_of == (SyncRandomStdAgent, 1, 0.5)


class Plays(StandardAsyncAdapter):
    """An agent that answers each negotiation by itself, as deployed ones do."""

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.policy = player_maker("greedy")(5)


def test_whole_turns_are_shielded():
    decisions, unsafe, _ = run_watched(lambda seed: (Plays, {}), "physical")
    assert decisions > 20 and unsafe > 0
    decisions, unsafe, _ = run_watched(lambda seed: shield_player((Plays, {}), 0), "physical")
    assert decisions > 20 and unsafe == 0


class Alone(SyncRandomStdAgent):
    """Of the kind that answers all partners together, but takes each negotiation by itself."""

    def propose(self, negotiator_id, state, dest=None):
        """Thirty items for today."""
        return 30, self.awi.current_step, self.awi.current_output_issues[UNIT_PRICE].min_value

    def respond(self, negotiator_id, state, source=None):
        """Whatever is offered is fine."""
        return ResponseType.ACCEPT_OFFER


def test_agents_that_override_how_they_are_asked_are_shielded():
    decisions, unsafe, _ = run_watched(lambda seed: (Alone, {}), "physical")
    assert decisions > 20 and unsafe > 0
    decisions, unsafe, _ = run_watched(lambda seed: shield_player((Alone, {}), 0), "physical")
    assert decisions > 20 and unsafe == 0


class Halves(SyncRandomStdAgent):
    """Offers half items, and no offer to every second partner."""

    def first_proposals(self):
        """For today."""
        offer = 2.5, self.awi.current_step, self.awi.current_output_issues[UNIT_PRICE].min_value
        return {partner: offer for partner in list(self.negotiators)[::2]}

    def counter_all(self, offers, states):
        """All the same."""
        offer = next(iter(self.first_proposals().values()))
        return {partner: SAOResponse(ResponseType.REJECT_OFFER, offer) for partner in offers}


class Forgets(SyncRandomStdAgent):
    """Thinks of another first offer whenever it is asked, and forgets the last partner."""

    times = 0

    def first_proposals(self):
        """For today."""
        self.times += 1
        issues = self.awi.current_input_issues if self.awi.is_last_level else self.awi.current_output_issues
        price = issues[UNIT_PRICE].min_value
        return {partner: (self.times, self.awi.current_step, price) for partner in list(self.negotiators)[:-1]}


def test_first_offers_count_once():
    log = WorldLog()
    world = ReferenceWorld(SPEC, [(Forgets, {})] * SPEC.n_factories, 5, log=log)
    tallies = audit_world(world)
    world.run()
    acts = log.events[np.isin(log.events["response"], (ACCEPT, OFFER))]
    counts = np.bincount(acts["sender"], minlength=SPEC.n_factories)
    assert counts[[0, 1, 4, 5]].min() > 0  # who speaks first
    assert [int(tally.numbers[0]) for tally in tallies] == counts.tolist()


def test_what_ends_a_negotiation_is_no_act():
    players = [(Halves, {})] * SPEC.n_factories
    world = ReferenceWorld(SPEC, players, 5)
    tallies = audit_world(world)
    world.run()
    assert len(world.contracts) == 0
    assert all(tally.numbers[0] == 0 for tally in tallies)


def test_what_an_agent_asks_itself_is_not_looked_at():
    decisions = [run_watched(lambda seed, kind=kind: (kind, {}), "league")[0] for kind in (SyncRandomStdAgent, Muses)]
    assert decisions[0] == decisions[1] > 0


class Muses(SyncRandomStdAgent):
    """Thinks of first proposals at every decision."""

    def counter_all(self, offers, states):
        """As ever."""
        before = random.getstate()
        self.first_proposals()
        random.setstate(before)
        return super().counter_all(offers, states)


def test_a_policy_of_ones_own_is_shielded():
    *_, world = run_watched(lambda seed: shield_player(RandomAnswers(seed), 0), "physical")
    assert len(world.contracts) > 0
    decisions, unsafe, _ = run_watched(lambda seed: shield_player(RandomAnswers(seed), 0), "physical")
    assert decisions > 0 and unsafe == 0


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("shielded?of=gredy", "unknown strategy 'gredy'; did you mean 'greedy'"),
        ("shielded?of=scml:GreedyOneShotAgent", "agent of the OneShot track and does not play in the Standard track"),
        ("shielded?of=greedy&bound=safe", "bound='safe'; valid: covered, possible"),
        ("shielded?of=greedy&chance=often", "chance='often'; valid: 0 to 1"),
        ("shielded?of=greedy&chance=2", "valid: 0 to 1"),
        ("shielded?of=greedy&chance=1&chance=0.5", "chance is given twice"),
        ("shielded?bound=covered", "who is shielded is missing"),
        ("shielded?off=greedy", "who is shielded is missing"),
        ("shielded?of=greedy?wrong_target=1", "no parameter 'wrong_target'"),
        ("shielded?of=shielded?of=greedy", "shielded already"),
        (3, "^player=3; valid: its name"),
        ("shielded?of=shielded_runs/none", "^'?shielded_runs/none"),
    ],
)
def test_wrong_names_are_refused_in_one_line(name, words):
    with pytest.raises(InputError, match=words) as error:
        player_maker(name)
    assert "\n" not in str(error.value)
