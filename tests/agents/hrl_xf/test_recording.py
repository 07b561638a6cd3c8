"""Recorded negotiations: what was seen is what is seen while playing, nothing tells the answer, files are checked."""

import dataclasses

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scml_gym.agents.hrl_xf.leaks import check_leaks, most_told
from scml_gym.agents.hrl_xf.negotiations import ABOUT, IDENTITY, join, read, write
from scml_gym.agents.hrl_xf.observing import GAPS, GOALS, KNOWN, PROMISED, SAFE, SEEN, SIZE, hide_goals, observe
from scml_gym.agents.hrl_xf.recording import Line, Notes, noted, record
from scml_gym.core.errors import InputError
from scml_gym.standard.actions import PartnerChoices
from scml_gym.standard.observations import PartnerEncoder
from scml_gym.standard.players import player_maker
from scml_gym.standard.safety.bounds import COVERED
from scml_gym.standard.view import END
from scml_gym.standard.worlds.compiled.world import CompiledWorld
from scml_gym.standard.worlds.generation import league_spec
from scml_gym.standard.worlds.reference import ReferenceWorld
from tests.helpers.negotiations import STRATEGIES, small_recording, untrained


def test_both_worlds_give_the_same_recording():
    compiled, real = small_recording(worlds=1), small_recording(compiled=False, worlds=1)
    assert real.worlds.tolist() == [0] * len(real.starts) and (compiled.worlds == -1).all()
    for name in ("observations", "actions", "masks", "rewards", "starts"):
        assert np.array_equal(getattr(compiled, name), getattr(real, name)), name
    assert np.array_equal(compiled.identity[:, 1:], real.identity[:, 1:])


def test_what_is_recorded_is_what_is_seen_while_playing():
    """An executor plays in a real world, where it is looked at from outside as any expert is."""
    learner, shown = untrained("env.shield=null"), []
    inner = learner.continued

    def continued(rows, memories, masks, narrow=None):
        actions, after = inner(rows, memories, masks, narrow)
        shown.extend(zip(rows.copy(), masks, actions, strict=True))
        return actions, after

    learner.continued = continued
    spec = league_spec(5, 4, 3, 2)
    players = [learner.policy(0), *(player_maker(STRATEGIES[i % 3])(5) for i in range(5))]
    notes = [Notes(PartnerChoices()) for _ in players]
    world = ReferenceWorld(spec, players, 5, "league")
    world.look(notes)
    world.run()
    noted_too = notes[0].decisions
    said = [made for made in shown if made[2][0] != 0 or made[1][1]]  # who does not open is not seen to decide
    assert len(noted_too) == len(said) > 10
    for decision, (row, mask, action) in zip(noted_too, said, strict=True):
        assert np.array_equal(decision.row, row)
        assert np.array_equal(decision.mask, mask)
        if mask[3:].sum() > 3:  # where there was a choice
            assert decision.choice[0] == action[0]
            assert action[0] != 2 or np.array_equal(decision.choice, action)
    table = noted(world, notes, 5, [0] * 6, ("any",))
    last = np.append(table.starts[1:], len(table.rewards)) - 1
    agreed = table.rewards[last] > 0
    assert agreed.sum() == 2 * len(world.contracts) > 0  # each is in the recordings of both sides
    assert ((table.rewards == 0) | ((table.rewards >= 1) & (table.rewards <= 2))).all()


def test_an_observation_is_the_partners_and_what_is_safe_and_the_goals_of_the_day():
    table = small_recording()
    assert table.observations.shape[1] == SIZE and (table.observations[:, KNOWN] == 1).all()
    assert (table.observations[:, PROMISED] == 0).all()
    goals, gaps = table.observations[:, GOALS], table.observations[:, GAPS]
    assert (gaps <= goals).all() and (gaps < goals).any()
    first = table.starts[(table.identity[:, 1:4] == table.identity[0, 1:4]).all(axis=1)]
    asked = [table.actions[i] for i in first if table.actions[i, 0] == 2]
    assert (goals[first] > 0).any(axis=1).sum() >= len(asked) > 0
    hidden = hide_goals(table.observations)
    assert not hidden[:, KNOWN : GAPS.stop].any()
    assert np.array_equal(hidden[:, :KNOWN], table.observations[:, :KNOWN])
    world = ReferenceWorld(
        league_spec(3, 3, 3, 2), [None, *(player_maker("ten-once")(3) for _ in range(5))], 3, "league"
    )
    world.start()
    view = world.view(0).copy()
    shown = observe(view, COVERED)
    assert shown.due.tolist() == np.flatnonzero(view["partners"]["my_turn"]).tolist() != []
    for k, row in zip(shown.due.tolist(), shown.rows, strict=True):
        assert np.array_equal(row[:SEEN], PartnerEncoder().encode(view, k))
        assert row[SAFE] == shown.accepts[k] and not row[KNOWN:].any()
    world.close()


def test_the_input_tells_no_answer_and_a_planted_label_is_found():
    table = small_recording()
    check_leaks(table)
    assert max(leak.told for leak in most_told(hide_goals(table.observations), table.actions)) < 0.99
    for head, what in ((1, "quantity"), (2, "day"), (3, "price")):
        planted = table.observations.copy()
        planted[:, 110] = table.actions[:, head]
        with pytest.raises(
            InputError, match=rf"the label stands in the input: seen\[110\] tells the {what} of 100.0 %"
        ):
            check_leaks(dataclasses.replace(table, observations=planted))
    planted = table.observations.copy()
    planted[:, SAFE] = table.actions[:, 0] + 0.5
    with pytest.raises(InputError, match=r"safe tells the response of 100.0 %"):
        check_leaks(dataclasses.replace(table, observations=planted))


def test_a_file_keeps_negotiations(tmp_path):
    table = small_recording()
    write(table, tmp_path / "n.parquet", {"by": "a test"})
    again = read(tmp_path / "n.parquet")
    for field in dataclasses.fields(table):
        assert np.array_equal(getattr(again, field.name), getattr(table, field.name)), field.name
    twice = join([table, again])
    assert twice.starts[len(table.starts)] == len(table.rewards)


def altered(path, column, change, about=None):
    """The file with a column, or its facts, changed."""
    found = pq.read_table(path)
    meta = found.schema.metadata
    if column is not None:
        place = found.schema.get_field_index(column)
        found = found.set_column(place, column, change(found[column].combine_chunks()))
    found = found.replace_schema_metadata(meta if about is None else {ABOUT: about})
    pq.write_table(found, path)


@pytest.mark.parametrize(
    ("column", "change", "about", "message"),
    [
        (None, None, b'{"schema": "other"}', "has the schema 'other'; 'scml-gym-negotiations-2' is needed"),
        (None, None, b'{"schema": "scml-gym-negotiations-2"}', "negotiations"),
        (None, None, b'{"schema": "scml-gym-negotiations-2", "players": ["a"], "sizes": [3, 10]}', "sizes"),
        ("step", lambda c: pa.array(np.ones(len(c), np.int64)), None, "its steps are none of whole negotiations"),
        ("reward", lambda c: pa.array(np.full(len(c), np.nan, np.float32)), None, "numbers that are not finite"),
        ("player", lambda c: pa.array(np.full(len(c), 7)), None, "a player without a name"),
        (
            "mask",
            lambda c: pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(28 * len(c), np.uint8)), 28),
            None,
            "mask",
        ),
        (
            "observation",
            lambda c: pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(3 * len(c), np.float32)), 3),
            None,
            f"not {SIZE} numbers",
        ),
    ],
)
def test_files_of_another_form_are_refused_in_one_line(column, change, about, message, tmp_path):
    path = tmp_path / "n.parquet"
    write(small_recording(), path, {})
    altered(path, column, change, about)
    with pytest.raises(InputError) as refused:
        read(path)
    assert message in str(refused.value) and "\n" not in str(refused.value)


def test_no_file_and_no_parquet_are_refused(tmp_path):
    with pytest.raises(InputError, match="there is no such file of negotiations; null records one"):
        read(tmp_path / "none.parquet")
    (tmp_path / "x.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"x.parquet: no readable Parquet file"):
        read(tmp_path / "x.parquet")


def test_who_cannot_play_there_is_refused():
    with pytest.raises(InputError, match="is no strategy, which alone play in compiled worlds"):
        record([Line(["scml:GreedyStdAgent"], 1, True)], 3, 2, 2, "league", 0, PartnerChoices(), lambda done: None)
    assert IDENTITY[0] == "world"


def ending_from(number):
    """Of the stock planner's decisions, with what it is looked at before it ends all from one decision on."""
    spec, seen = league_spec(3, 3, 3, 2), Notes(PartnerChoices())
    players = [player_maker("stock-planner" if i == 4 else "sync-random")(3) for i in range(6)]
    world, calls = CompiledWorld(spec, players, 3), []

    def look(view, actions):
        calls.append(len(calls))
        if len(calls) > number:
            actions["response"][view["partners"]["my_turn"] != 0] = END
        seen(view, actions)

    world.look([look if i == 4 else lambda view, actions: None for i in range(6)])
    world.run()
    return seen.decisions


def depends_on_answers(first, second):
    """Whether two recordings of one factory, equal until they answer otherwise, differ before that in what is seen."""
    for one, other in zip(first, second, strict=False):
        if not np.array_equal(one.row, other.row):
            return True
        if not np.array_equal(one.choice, other.choice):
            return False
    return False


def test_what_is_seen_hangs_on_no_answer_that_comes_after_it():
    whole, cut = ending_from(100), ending_from(2)
    assert [d.choice.tolist() for d in whole] != [d.choice.tolist() for d in cut]
    assert not depends_on_answers(whole, cut)

    def plant(decisions):
        """As a history that holds the answer to be learnt."""
        return [d._replace(row=np.append(d.row[:-4], d.choice)) for d in decisions]

    assert depends_on_answers(plant(whole), plant(cut))


def test_worlds_of_several_sizes_are_recorded():
    table = record([Line(STRATEGIES, 4, True)], 4, (2, 3), (2, 4), "league", 0, PartnerChoices(), lambda done: None)
    factories = [len(np.unique(table.identity[table.worlds == world, 2])) for world in np.unique(table.worlds)]
    assert len(factories) == 4 and len(set(factories)) > 1
