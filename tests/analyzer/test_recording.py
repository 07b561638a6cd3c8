"""What worlds record: the same in both, written whole, and nothing else changes."""

import copy
import json
import pickle

import gymnasium
import numpy as np
import pyarrow.parquet as pq
import pytest

from scml_gym.analyzer.queries.decisions import in_day
from scml_gym.analyzer.sources import open_recordings
from scml_gym.core.errors import InputError
from scml_gym.game.telling import tell
from scml_gym.games import GAMES
from scml_gym.oneshot import parity as oneshot
from scml_gym.oneshot.players import player_maker as oneshot_maker
from scml_gym.oneshot.safety.audit import BOUNDS
from scml_gym.oneshot.safety.audit import audit_world as audit_oneshot
from scml_gym.oneshot.worlds.compiled.world import CompiledWorld as OneShotCompiled
from scml_gym.oneshot.worlds.generation import league_spec
from scml_gym.oneshot.worlds.reference import ReferenceWorld as OneShotReference
from scml_gym.simulator.compiled.alternating_offers import ACCEPT, END, OFFER
from scml_gym.simulator.recording.folder import Recording
from scml_gym.simulator.recording.log import EVENT_DTYPE, WorldLog
from scml_gym.simulator.recording.packing import pack
from scml_gym.simulator.recording.schema import SCHEMA, TABLES, arrow_schema
from scml_gym.simulator.recording.tables import offers_of
from scml_gym.standard import parity as standard
from scml_gym.standard.players import player_maker as standard_maker
from scml_gym.standard.safety.audit import audit_world as audit_standard
from scml_gym.standard.worlds.compiled.world import CompiledWorld as StandardCompiled
from scml_gym.standard.worlds.reference import ReferenceWorld as StandardReference
from tests.helpers.evaluation_players import Raises
from tests.helpers.recordings import about, play_recorded, same_columns


def oneshot_case(index):
    case = oneshot.draw_case(14, index, ("rounds", "moves")[index % 2], index == 0, (3, 5))
    return case, oneshot_maker, {"timing": case.timing}, (OneShotReference, OneShotCompiled)


def standard_case(index):
    case = standard.draw_case(14, index, (6, 8), (2, 3))
    return case, standard_maker, {"stock": case.stock, "horizon": case.horizon}, (StandardReference, StandardCompiled)


AUDITS = {"oneshot": audit_oneshot, "standard": audit_standard}


@pytest.mark.slow
@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize(("game", "draw"), [("oneshot", oneshot_case), ("standard", standard_case)])
def test_both_worlds_give_the_same_tables_and_play_as_if_nobody_looked(game, draw, index):
    case, maker, rules, kinds = draw(index)
    found = []
    for kind in kinds:
        played = []
        for log in (WorldLog(), None):
            players = [maker(name)(case.seed) for name in case.strategies]
            world = kind(case.spec, players, case.seed, log=log, **rules)
            if log is not None:
                AUDITS[game](world, log)
            world.run()
            played.append(world)
        assert np.array_equal(played[0].profits, played[1].profits)
        assert np.array_equal(played[0].contracts, played[1].contracts)
        found.append(GAMES.get(game).load("record")(played[0], about(case.strategies)))
    theirs, ours = found
    for tables in found:  # each factory's acts in their order; factories that decide at once may change places
        rows = sorted(zip(*tables["unsafe"].values(), strict=True), key=lambda row: row[:5])
        tables["unsafe"] = dict(zip(tables["unsafe"], zip(*rows, strict=True), strict=True))
    assert theirs["worlds"].pop("backend") == ["reference"]
    assert ours["worlds"].pop("backend") == ["compiled"]
    for table, columns in theirs.items():
        assert same_columns(ours[table], columns) == [], table
        assert set(columns) <= set(TABLES[table])
    assert len(theirs["unsafe"]["day"]) == sum(sum(theirs["factories"][f"unsafe_{bound}"]) for bound in BOUNDS) > 0
    assert len(theirs["offers"]["day"]) > len(theirs["contracts"]["day"]) > 0
    accepted = theirs["offers"]["answer"] == "accepted"
    names = ("day", "quantity", "price", "delivery")
    agreed = zip(*(theirs["offers"][name][accepted].tolist() for name in names), strict=True)
    contracts = theirs["contracts"]
    assert sorted(agreed) == sorted(zip(*(contracts[name].tolist() for name in names), strict=True))
    assert min(contracts["round"]) >= 0


def test_an_offer_is_answered_by_what_follows_in_its_negotiation():
    events = np.array(
        [
            (0, 2, 0, 0, OFFER, 5, 10, 0),
            (0, 2, 1, 0, OFFER, 3, 10, 0),
            (0, 0, 2, 0, OFFER, 4, 11, 0),
            (0, 1, 2, 0, ACCEPT, 0, 0, 0),
            (0, 2, 0, 1, END, 0, 0, 0),
            (1, 2, 0, 0, END, 0, 0, 0),
            (2, 2, 0, 0, OFFER, 1, 10, 2),
        ],
        dtype=EVENT_DTYPE,
    )
    offers = offers_of(events)
    assert offers["answer"].tolist() == ["countered", "accepted", "ended", "none"]
    assert offers["quantity"].tolist() == [5, 3, 4, 1]
    assert offers_of(events[:0])["answer"].tolist() == []


def test_a_copied_world_records_alone():
    spec = league_spec(1, days=3, factories_per_level=1)
    logs = []
    for twin in (copy.deepcopy, lambda world: pickle.loads(pickle.dumps(world))):
        world = OneShotCompiled(spec, [oneshot_maker("greedy")(1), None], log=WorldLog())
        world.start()
        other = twin(world)
        logs.append(world.log)
        while other.pending:
            tell(other.view(1), partner=0, needs=other.view(1)["needs"])
            other.step({1: oneshot_maker("best-subset")(1).act(other.view(1))})
        assert other.done
        assert len(other.log.events) > len(world.log.events)
        assert other.log.decisions
        assert not world.log.decisions
        assert world.pending


class Thinks:
    """Plays greedily and tells what it thinks."""

    synchronous = True

    def __init__(self, seed):
        self.inner = oneshot_maker("greedy")(seed)
        self.begin, self.end_day = self.inner.begin, self.inner.end_day

    def act(self, view):
        tell(view, needs=int(view["needs"]))
        tell(view, partner=1, chance=0.25)
        return self.inner.act(view)


class TellingAgent(Raises):
    """An agent of scml's that tells what it thinks, and fails on day 1."""

    def before_step(self):
        super().before_step()
        tell(self, day_twice=2 * self.awi.current_step)
        tell(self, partner=self.awi.my_suppliers[0], first=1.0)
        for value in (5.0, 3.0, 4.0):
            tell(self, hopes=value)


def test_players_tell_what_they_think_and_failures_are_kept(tmp_path):
    makers = {"thinks": Thinks, "scml": lambda seed: (TellingAgent, {})}
    names = ["thinks", "thinks", "scml", "greedy"]
    play_recorded(tmp_path, names=names, days=3, make=lambda name: makers.get(name) or oneshot_maker(name))
    told = pq.ParquetFile(tmp_path / "worlds" / "w" / "decisions.parquet").read().to_pandas()
    policies = told[told["factory"] < 2]
    assert set(policies["name"]) == {"needs", "chance"}
    assert set(policies[policies["name"] == "chance"]["partner"]) == {3}
    agent = told[told["factory"] == 2]
    assert agent[agent["name"] == "day_twice"]["value"].tolist() == [0, 2, 4]
    assert agent["decision"].isna().all()
    with open_recordings(tmp_path) as recordings:
        hopes = in_day(recordings, 0, "scml", "w", 2).query("name == 'hopes'")
    assert hopes[["decision", "value"]].values.tolist() == [[0, 5.0], [1, 3.0], [2, 4.0]], "in the order of telling"
    assert set(agent[agent["name"] == "first"]["partner"]) == {0}
    errors = pq.ParquetFile(tmp_path / "worlds" / "w" / "errors.parquet").read().to_pandas()
    assert set(errors["factory"]) == {2}
    assert set(errors["day"]) == {1}
    assert errors["message"].str.contains("lines").all()


def test_what_interrupts_an_audit_is_not_lost():
    spec = league_spec(1, days=3, factories_per_level=1)
    world = OneShotCompiled(spec, [oneshot_maker("greedy")(1)] * 2, log=WorldLog())

    def interrupt(view, actions):
        raise KeyboardInterrupt

    with pytest.raises(InputError, match="1 looks; valid: one for each of 2 factories"):
        world.look([interrupt])
    world.look([interrupt] * 2)
    with pytest.raises(KeyboardInterrupt):
        world.run()


def test_a_day_that_does_not_fit_its_log_is_refused_and_not_written_beside_it():
    players = [oneshot_maker("greedy")(1)] * 2
    world = OneShotCompiled(league_spec(1, days=3, factories_per_level=1), players, log=WorldLog())
    world._record["log_size"] = len(EVENT_DTYPE)
    world._events = world._events[:1]
    with pytest.raises(AssertionError, match="answers on a day with room for 1"):
        world.run()


def test_what_cannot_be_told_is_refused_and_without_a_recording_nothing_happens():
    spec = league_spec(1, days=3, factories_per_level=1)
    world = OneShotReference(spec, [oneshot_maker("greedy")(1), None], log=WorldLog())
    world.start()
    with pytest.raises(InputError, match="partner=1: factory 1 has no such partner"):
        tell(world.view(1), partner=1, a=1)
    with pytest.raises(InputError, match="a='x'; valid: a number"):
        tell(world.view(1), a="x")
    tell(world.view(1).copy(), a=1)
    tell(None, a=1)
    assert not world.log.decisions
    world.close()


def test_worlds_are_replaced_whole_and_kept_by_name(tmp_path):
    recording = Recording(tmp_path / "r")
    tables = {"errors": {"day": [0], "factory": [1], "partner": [None], "message": ["<b>'"]}, "decisions": {"day": []}}
    recording.write("a", tables)
    recording.write("b", tables)
    tables["errors"]["message"] = ["other"]
    Recording(tmp_path / "r").write("a", tables)
    assert recording.names() == ["a", "b"]
    table = pq.ParquetFile(tmp_path / "r" / "worlds" / "a" / "errors.parquet").read()
    assert table.to_pylist() == [{"world": "a", "day": 0, "factory": 1, "partner": None, "message": "other"}]
    assert table.schema.equals(arrow_schema("errors"))
    assert [path.name for path in (tmp_path / "r" / "worlds" / "a").iterdir()] == ["errors.parquet"]
    recording.keep(["b"])
    assert recording.names() == ["b"]
    assert sorted(path.name for path in (tmp_path / "r").iterdir()) == ["recording.json", "worlds"]


def test_a_number_that_does_not_fit_is_refused_and_leaves_no_world(tmp_path):
    recording = Recording(tmp_path)
    with pytest.raises((ValueError, OverflowError)):
        recording.write("a", {"errors": {"day": np.array([40_000]), "factory": [1], "partner": [1], "message": [""]}})
    assert recording.names() == []


def test_packed_worlds_are_the_same_and_killed_packing_goes_on(tmp_path):
    tables = {"errors": {"day": [0, 1], "factory": [1, 2], "partner": [None, 1], "message": ["a", "b"]}}
    world = {"game": ["x"], "catalog_prices": [[1, 2]]}  # what is not given is null
    recording = Recording(tmp_path)
    for name in ("b", "a", "c"):
        recording.write(name, {"worlds": world} | (tables if name != "c" else {}))
    before = [pq.ParquetFile(tmp_path / "worlds" / name / "errors.parquet").read().to_pylist() for name in ("a", "b")]
    pack(recording)
    assert sorted(path.name for path in (tmp_path / "packed").iterdir()) == ["errors.parquet", "worlds.parquet"]
    assert pq.ParquetFile(tmp_path / "packed" / "errors.parquet").read().to_pylist() == before[0] + before[1]
    assert not list((tmp_path / "worlds").iterdir())
    assert recording.names() == ["a", "b", "c"]
    recording.write("a", {"worlds": world})  # as a kill leaves it, before the worlds' own folders are gone
    pack(recording)
    assert not list((tmp_path / "worlds").iterdir())


@pytest.mark.parametrize("head", ['{"schema": "other-2"}', "[]", "{"])
def test_other_folders_are_refused(tmp_path, head):
    (tmp_path / "recording.json").write_text(head)
    with pytest.raises(InputError, match=r"other-2|is no recording"):
        Recording(tmp_path)
    (tmp_path / "recording.json").unlink()
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(InputError, match="something else"):
        Recording(tmp_path)


def test_environments_record_the_worlds_that_are_played_to_their_end(tmp_path):
    arguments = {"days": 3, "factories_per_level": 1, "opponents": ["greedy"]}
    env = gymnasium.make("scml_gym/OneShotConcurrent-v0", recording=tmp_path / "r", **arguments).unwrapped
    env.reset(seed=1)
    env.reset(seed=2)
    done = False
    while not done:
        tell(env.view, value=1.5)
        _, _, done, _, info = env.step(env.action_space.sample(mask=env.sample_mask()))
    env.close()
    (name,) = Recording(tmp_path / "r").names()
    factories = pq.ParquetFile(tmp_path / "r" / "worlds" / name / "factories.parquet").read().to_pandas()
    learner = factories[factories["role"] == "learner"].iloc[0]
    assert learner["score"] == info["score"]
    assert learner["decisions"] == info["decisions"]
    assert set(factories["competitor"]) == {"learner", "greedy"}
    told = pq.ParquetFile(tmp_path / "r" / "worlds" / name / "decisions.parquet").read().to_pandas()
    assert set(told["value"]) == {1.5}
    assert factories["acts"].tolist() == factories["acts"].astype(int).tolist() and learner["acts"] > 0
    assert factories["unsafe_covered"].notna().all()
    assert json.loads((tmp_path / "r" / "recording.json").read_text())["schema"] == SCHEMA
