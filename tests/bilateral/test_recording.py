"""Recorded negotiations: the same tables in both worlds, nothing else changes, and every end is told as it was."""

import copy
import pickle

import gymnasium
import numpy as np
import pandas as pd
import pytest
from negmas.gb.common import ResponseType
from negmas.sao import SAOCallNegotiator, SAOResponse

from scml_gym.bilateral.envs.config import BilateralConfig, RandomScenarios
from scml_gym.bilateral.negotiators import NEGOTIATORS
from scml_gym.bilateral.recording import in_words, recompute, record_world
from scml_gym.bilateral.view import ACCEPT, END
from scml_gym.bilateral.worlds.negmas_world import NegmasWorld
from scml_gym.bilateral.worlds.recorded import RecordedWorld
from scml_gym.bilateral.worlds.table_world import TableWorld
from scml_gym.core.errors import InputError
from scml_gym.game.telling import tell
from scml_gym.simulator.recording.folder import Recording
from scml_gym.simulator.recording.log import WorldLog
from scml_gym.simulator.recording.schema import TABLES
from tests.helpers.recordings import about, same_columns

WORLDS = (NegmasWorld, TableWorld)
ABOUT = about(["first", "second"])


def negotiation(opponent="boulware", rounds=3, opponent_first=True, scenario="EnglandZimbabwe", profile=0, bids=None):
    return BilateralConfig(scenario, profile, opponent, rounds, opponent_first, bids).negotiation(4)


def recorded(kind, played, seed=4):
    world = RecordedWorld(kind(played), played, lambda seed: WorldLog())
    world.start(seed)
    return world


def play_on(world, order, rng):
    """Good offers of the learner's until the end; now and then it accepts."""
    while world.view["running"]:
        world.answer(ACCEPT if rng.random() < 0.02 else int(order[int(len(order) * 0.4 * rng.random())]))


@pytest.mark.parametrize("opponent_first", [True, False])
@pytest.mark.parametrize("scenario", ["EnglandZimbabwe", RandomScenarios()])
def test_both_worlds_give_the_same_tables_and_play_as_if_nobody_looked(scenario, opponent_first):
    answers = set()
    for i, opponent in enumerate(sorted(NEGOTIATORS)):
        played = negotiation(opponent, 4 + 4 * i, opponent_first, scenario, i % 2)
        found = []
        for kind in WORLDS:
            world, plain = recorded(kind, played), kind(played)
            play_on(world, played.tables[0].order, np.random.default_rng(i))
            plain.start(4)
            play_on(plain, played.tables[0].order, np.random.default_rng(i))
            assert plain.view["utility"] == world.view["utility"]
            assert plain.view["n_received"] == world.view["n_received"]
            found.append(record_world(world, ABOUT))
        theirs, ours = found
        assert (theirs["worlds"].pop("backend"), ours["worlds"].pop("backend")) == (["reference"], ["compiled"])
        for table, columns in theirs.items():
            assert same_columns(ours[table], columns) == [], table
            assert set(columns) <= set(TABLES[table])
        offers = theirs["offers"]
        answers |= set(offers["answer"])
        sent = np.bincount(offers["sender"], minlength=2)
        assert abs(sent[0] - sent[1]) <= 1
        assert (offers["round"] == np.arange(len(offers["round"])) // 2).all()
        assert offers["sender"][0] == (1 - i % 2 if opponent_first else i % 2)
    assert answers == {"countered", "accepted", "none"}


class Leaves(SAOCallNegotiator):
    """Offers once, and then ends the negotiation."""

    def __call__(self, state, dest=None):
        if state.step:
            return SAOResponse(ResponseType.END_NEGOTIATION, None)
        return SAOResponse(ResponseType.REJECT_OFFER, self.nmi.outcome_space.enumerate_or_sample()[0])


def told(world):
    offers = record_world(world, ABOUT)["offers"]
    return list(zip(offers["round"].tolist(), offers["sender"].tolist(), offers["answer"].tolist(), strict=True))


@pytest.mark.parametrize("kind", WORLDS)
def test_each_end_is_told_as_it_was(kind):
    world = recorded(kind, negotiation())
    for _ in range(3):
        world.answer(int(world.negotiation.tables[0].order[0]))
    assert told(world) == [(i // 2, 1 - i % 2, "none" if i == 5 else "countered") for i in range(6)]
    world.start(4)
    world.answer(END)
    assert told(world) == [(0, 1, "ended")]
    world.start(4)
    world.answer(ACCEPT)
    assert told(world) == [(0, 1, "accepted")]
    tables = record_world(world, ABOUT)
    assert tables["factories"]["score"].tolist() == [world.view["utility"], world.view["opponent_utility"]]
    assert tables["offers"]["receiver_utility"].tolist() == [world.view["utility"]]
    assert tables["offers"]["outcome"] == [in_words(world.negotiation.scenario, int(world.view["agreement"]))]
    silent = recorded(kind, negotiation(opponent_first=False))
    silent.answer(ACCEPT)  # of nothing, which ends it
    assert told(silent) == []
    assert record_world(silent, ABOUT)["factories"]["score"].tolist() == [0, 0]


@pytest.mark.parametrize("opponent_first", [True, False])
def test_an_opponent_that_ends_is_told(opponent_first):
    world = recorded(NegmasWorld, negotiation(Leaves, opponent_first=opponent_first))
    while world.view["running"]:
        world.answer(0)
    first = [(0, 1, "countered"), (0, 0, "ended")]
    assert told(world) == (first if opponent_first else [(0, 0, "countered"), (0, 1, "countered"), (1, 0, "ended")])


def test_a_copied_negotiation_records_alone():
    for twin in (copy.deepcopy, lambda world: pickle.loads(pickle.dumps(world))):
        world = RecordedWorld(TableWorld(negotiation()), negotiation(), new_log)
        world.start(4)
        other = twin(world)
        other.answer(0)
        tell(other.view, partner=0, chance=0.5)
        assert (len(world.log.events), len(other.log.events)) == (1, 3)
        assert (len(world.log.decisions), other.log.decisions) == (0, [(0, 0, 1, 1, "chance", 0.5)])
    with pytest.raises(InputError, match="partner=1"):
        tell(world.view, partner=1, chance=0.5)


def new_log(seed):
    return WorldLog()


@pytest.mark.parametrize("scenario", ["Party", "random"])
@pytest.mark.parametrize("backend", ["compiled", "reference"])
def test_environments_record_the_negotiations_that_end(tmp_path, backend, scenario):
    arguments = {"scenario": scenario, "profile": 1, "opponent": "conceder", "rounds": 5, "backend": backend}
    env = gymnasium.make("scml_gym/BilateralAcceptance-v0", **arguments, recording=tmp_path / "r").unwrapped
    env.reset(seed=1)
    env.reset()  # the one that was given up is not there
    gained = []
    for _ in range(2):
        done = False
        while not done:
            *_, done, _, info = env.step(0)
        gained.append([info["opponent_utility"], info["utility"]])
        env.reset()
    env.close()
    names = Recording(tmp_path / "r").names()
    assert len(names) == 2
    found = [pd.read_parquet(tmp_path / "r" / "worlds" / name / "factories.parquet") for name in names]
    assert [table["score"].tolist() for table in found] == gained
    for table in found:
        assert table["competitor"].tolist() == ["conceder", "learner"]
        assert table["role"].tolist() == ["background", "learner"]
    for name, scores in zip(names, gained, strict=True):
        offers = pd.read_parquet(tmp_path / "r" / "worlds" / name / "offers.parquet")
        assert recompute({"offers": offers}).scores.tolist() == scores
        assert offers["quantity"].isna().all()
