"""Bilateral negotiations: negmas' mechanism and the compiled tables are the same game, step for step."""

import gc
import itertools
import random
import sys
from collections import Counter

import gymnasium
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from negmas.gb.common import ResponseType
from negmas.sao import SAOMechanism, SAONegotiator

from scml_gym.bilateral.envs.config import BilateralConfig, RandomScenarios
from scml_gym.bilateral.negotiators import NEGOTIATORS, AgentK, Boulware, Gahboninho
from scml_gym.bilateral.negotiators.base import TablePlayer, TableStrategy, make_table
from scml_gym.bilateral.parity import NegotiationCase, compare_negotiation, draw_negotiation, view_numbers
from scml_gym.bilateral.scenarios import Scenario, TabulatedProfile
from scml_gym.bilateral.view import ACCEPT, END, LEARNER, NOBODY, OPPONENT
from scml_gym.bilateral.worlds.negmas_world import NegmasWorld
from scml_gym.bilateral.worlds.protocol import Bidder, Negotiation
from scml_gym.bilateral.worlds.table_world import TableWorld, play
from scml_gym.core.errors import InputError
from scml_gym.jit.random import counter_draws
from tests.helpers.scripts import in_forked_process

WORLDS = (NegmasWorld, TableWorld)
SCENARIOS = ("EnglandZimbabwe", "Party", RandomScenarios(), RandomScenarios(issues=(1, 2), values=(1, 2)))


@pytest.mark.parametrize("index", range(40))
def test_random_episodes_are_equal_to_the_last_bit(index):
    assert compare_negotiation(draw_negotiation(2, index, SCENARIOS, rounds=(2, 30)), Counter()) is None


@pytest.mark.parametrize("opponent_first", [True, False])
@pytest.mark.parametrize("name", NEGOTIATORS)
def test_every_negotiator_is_the_same_on_both_sides_of_both_worlds(name, opponent_first):
    arguments = {"scenario": "EnglandZimbabwe", "opponent": name, "bids": name, "rounds": 25}
    for env_id, more in (("scml_gym/BilateralAcceptance-v0", {}), ("scml_gym/Bilateral-v0", {"action": "outcome"})):
        options = arguments | more | {"opponent_first": opponent_first}
        if "Acceptance" not in env_id:
            del options["bids"]
        assert compare_negotiation(NegotiationCase(env_id, options, 4, 0.995), Counter()) is None


def tables(first, second):
    profiles = tuple(TabulatedProfile(n, np.array(u)) for n, u in (("first", first), ("second", second)))
    scenario = Scenario("numbers", {"issue": tuple(str(i) for i in range(len(first)))}, profiles)
    return scenario, (make_table(first), make_table(second))


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=2, max_size=12).filter(
        lambda pairs: all(len(set(side)) > 1 for side in zip(*pairs, strict=True))
    ),
    st.integers(2, 6),
    st.booleans(),
    st.sampled_from(sorted(NEGOTIATORS)),
    st.lists(st.integers(-3, 11), min_size=12, max_size=12),
)
def test_any_tables_and_any_responses(utilities, rounds, opponent_first, name, responses):
    first, second = zip(*utilities, strict=True)
    scenario, both = tables([u / 8 for u in first], [u / 8 for u in second])
    negotiation = Negotiation(scenario, 0, both, rounds, opponent_first, Bidder(NEGOTIATORS.get(name)))
    negmas, table = (world(negotiation) for world in WORLDS)
    for world in (negmas, table):
        world.start(9)
    for response in responses:
        response = ACCEPT if response == -1 else response
        assert np.array_equal(view_numbers(negmas.view), view_numbers(table.view))
        if not table.view["running"]:
            break
        for world in (negmas, table):
            world.answer(min(response, len(first) - 1))
    assert table.view["step"] < rounds


def boulware(rounds=3, opponent_first=True, bids=None):
    setting = BilateralConfig("EnglandZimbabwe", 0, "boulware", rounds, opponent_first, bids)
    return setting.negotiation(0)


@pytest.mark.parametrize("world", WORLDS)
def test_the_rules_of_a_negotiation(world):
    played = world(boulware())
    played.start(0)
    own, other = boulware().tables
    view = played.view
    assert view["running"]
    assert view["offer"] == other.order[0] or other.utilities[view["offer"]] >= 1 - 0.25**4
    assert view["offer_utility"] == own.utilities[view["offer"]]
    for step in range(3):
        assert view["step"] == step
        assert view["n_received"] == step + 1
        played.answer(int(own.order[0]))
    assert not view["running"]
    assert (view["agreement"], view["accepted_by"], view["utility"]) == (-1, NOBODY, 0.0)
    with pytest.raises(InputError, match="has ended"):
        played.answer(ACCEPT)
    played.start(0)
    offer = int(view["offer"])
    played.answer(ACCEPT)
    assert (view["agreement"], view["accepted_by"], view["step"]) == (offer, LEARNER, 0)
    assert (view["utility"], view["opponent_utility"]) == (own.utilities[offer], other.utilities[offer])
    played.start(0)
    played.answer(int(other.order[0]))  # the best for the opponent
    assert (view["agreement"], view["accepted_by"], view["step"]) == (other.order[0], OPPONENT, 1)
    played.start(0)
    played.answer(END)
    assert (view["agreement"], view["accepted_by"], view["step"]) == (-1, NOBODY, 0)
    played.start(0)
    for wrong in (-1, -4, 576):
        with pytest.raises(InputError, match=str(wrong)):
            played.answer(wrong)


@pytest.mark.parametrize("world", WORLDS)
def test_who_opens_has_nothing_to_accept_and_the_last_offer_is_seen(world):
    played = world(boulware(opponent_first=False))
    played.start(0)
    view, best = played.view, int(boulware().tables[0].order[0])
    assert view["offer"] == -1
    for _ in range(3):
        played.answer(best)
    assert not view["running"]
    assert view["n_received"] == 3
    played.start(0)
    played.answer(ACCEPT)
    assert (view["running"], view["agreement"]) == (0, -1)


def test_compiled_play_is_the_two_players_in_python():
    negotiation = boulware(rounds=40, bids="AgentK")
    assert negotiation.bids is not None
    seeds = [3, 4, 5]
    for seed, view in zip(seeds, play(negotiation, seeds), strict=True):
        players = [
            TablePlayer(side.strategy, table, 40, lambda step, s=seed, k=k: counter_draws(s, k, step, 0))
            for k, (side, table) in enumerate(
                zip((negotiation.bids, negotiation.opponent), negotiation.tables, strict=True)
            )
        ]
        offer, agreement = -1, None
        for step, side in itertools.product(range(40), (OPPONENT, LEARNER)):
            bid, accepts = players[side].turn(step, offer)
            if accepts:
                agreement = offer, side, step
                break
            offer = bid
        assert agreement == (view["agreement"], view["accepted_by"], view["step"])


@pytest.mark.parametrize(("name", "shell"), [("AgentK", AgentK), ("Gahboninho", Gahboninho), ("boulware", Boulware)])
def test_compiled_play_is_that_of_the_negmas_negotiators(name, shell):
    negotiation = BilateralConfig("EnglandZimbabwe", 0, name, 30, False, name).negotiation(0)
    views = play(negotiation, range(5))
    for seed, view in enumerate(views):
        negmas = negotiation.scenario.to_negmas()
        mechanism = SAOMechanism(outcome_space=negmas.outcome_space, n_steps=30)
        for ufun in negmas.ufuns:
            mechanism.add(shell(seed=seed), ufun=ufun)
        agreement = mechanism.run().agreement
        expected = -1 if agreement is None else negotiation.scenario.index(agreement)
        assert view["agreement"] == expected
        assert view["step"] + 1 == mechanism.state.step  # negmas counts the rounds played
    assert (views["agreement"] >= 0).any() or name == "Gahboninho"


def test_a_draw_that_differs_is_seen(monkeypatch):
    case = NegotiationCase("scml_gym/BilateralAcceptance-v0", {"scenario": "Party", "rounds": 10}, 1, 1.0)
    assert compare_negotiation(case, Counter()) is None
    monkeypatch.setattr(
        "scml_gym.bilateral.worlds.negmas_world.counter_draws", lambda *place: counter_draws(*place[:-1], 1)
    )
    assert "step 0" in (compare_negotiation(case, Counter()) or "")


@pytest.mark.usefixtures("own_garbage")
def test_an_abandoned_negmas_world_ends():
    world = NegmasWorld(boulware())
    world.start(0)
    running = world._greenlet
    del world
    gc.collect()
    assert running.dead


def test_negmas_own_negotiators_play_in_the_reference_world_alone():
    options = {"scenario": "EnglandZimbabwe", "opponent": "negmas.sao:BoulwareTBNegotiator", "rounds": 10}
    env = gymnasium.make("scml_gym/Bilateral-v0", backend="reference", **options)
    ends = []
    for _ in range(2):
        env.reset(seed=1)
        best = 2 + int(env.get_wrapper_attr("table").order[0])
        for action in [best] * 8 + [1]:
            _, reward, done, _, info = env.step(action)
        ends.append((reward, info["round"], info["accepted_by"]))
    assert done
    assert ends[0] == ends[1]
    assert ends[0][1:] == (9, "learner")
    for make in (gymnasium.make, gymnasium.make_vec):
        with pytest.raises(InputError, match=r"BoulwareTBNegotiator.*backend='reference'"):
            make("scml_gym/Bilateral-v0", **options)


class Quitter(SAONegotiator):
    """Ends at once, always or at times."""

    chance = 1.0

    def propose(self, state, dest=None):
        return None if random.random() < self.chance else self.nmi.random_outcome()

    def respond(self, state, source=None):
        return ResponseType.END_NEGOTIATION


class Hesitant(Quitter):
    chance = 0.5


def test_an_opponent_that_ends_before_the_learner_is_asked():
    options = {"scenario": "EnglandZimbabwe", "backend": "reference", "rounds": 5}
    env = gymnasium.make("scml_gym/Bilateral-v0", opponent=Hesitant, **options)
    offers = []
    for seed in (1, 2, 3, 4, 1):
        env.reset(seed=seed)
        offers.append(int(env.get_wrapper_attr("view")["offer"]))
        _, _, done, _, info = env.step(2)
        assert (done, info["accepted_by"], info["round"]) == (True, "nobody", 2)
    assert min(offers) >= 0
    assert offers[0] == offers[-1]
    with pytest.raises(InputError, match="before the learner was asked"):
        gymnasium.make("scml_gym/Bilateral-v0", opponent=Quitter, **options).reset(seed=1)


def refuses_to_compile(table, step, n_steps, state, params, draws):
    return int({"first": table.order[0]}["first"]) if isinstance(table, object) else 0


@pytest.mark.slow
def test_a_strategy_that_does_not_compile_is_named():
    strategy = NEGOTIATORS.get("boulware")
    own = TableStrategy("own", strategy.receive, refuses_to_compile, strategy.accepts, strategy.parameters)
    with pytest.raises(InputError, match=r"'own' does not compile.*backend='reference'"):
        gymnasium.make("scml_gym/Bilateral-v0", opponent=own)
    gymnasium.make("scml_gym/Bilateral-v0", opponent=own, backend="reference").reset(seed=0)


@pytest.mark.slow
def test_without_a_compiler_the_reference_backend_plays(tmp_path):
    code = """if True:
        import sys
        sys.modules["numba"] = None
        import gymnasium, scml_gym
        from scml_gym.core.errors import InputError
        for name in ("scml_gym/BilateralAcceptance-v0", "scml_gym/Bilateral-v0"):
            env = gymnasium.make(name, backend="reference", rounds=3)
            env.reset(seed=0)
            env.step(0)
            for make in (gymnasium.make, gymnasium.make_vec):
                try:
                    make(name)
                except InputError as error:
                    print(error)
    """
    done = in_forked_process(tmp_path, [sys.executable, "-c", code])
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("backend='compiled' needs Numba") == 4
