"""The acceptance dataset: what is recorded in compiled worlds, and its files."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scml_gym.agents.dnb.dataset import TABLE, join, join_records, read_about, read_dataset, shards, split, write_shard
from scml_gym.agents.dnb.dataset_config import DatasetConfig
from scml_gym.agents.dnb.events import fill_context, fill_history, fill_offer
from scml_gym.agents.dnb.generation import as_dataset, draw_world, generate_dataset, play_compiled
from scml_gym.agents.dnb.recording import RECORD_DTYPE, Records
from scml_gym.agents.dnb.records import MEMORY_DTYPE
from scml_gym.agents.dnb.tracking import (
    COUNTERED,
    SILENT,
    TAKEN,
    answer_to,
    begin_day,
    hear,
    needs_of_offers,
    note,
    take_answer,
)
from scml_gym.core.config import validate
from scml_gym.core.errors import InputError
from scml_gym.oneshot.players import player_maker
from scml_gym.oneshot.rules import repair
from scml_gym.oneshot.strategies import STRATEGIES
from scml_gym.oneshot.view import OFFER
from scml_gym.oneshot.worlds.compiled.advance import ROWS
from scml_gym.oneshot.worlds.compiled.generation import compiled_spec
from scml_gym.oneshot.worlds.compiled.world import CompiledWorld
from scml_gym.oneshot.worlds.reference import ReferenceWorld
from scml_gym.simulator.compiled.advance import DAY
from tests.helpers.dnb_datasets import config, hyperparameters, in_order


def equal(one, other):
    return np.array_equal(one.samples, other.samples) and np.array_equal(one.accepted, other.accepted)


def cast(seed, n=3, days=5):
    """A world in which every strategy of the registry turns up for some seed, asynchronous ones too."""
    spec = compiled_spec(seed, days, n)
    return spec, [sorted(STRATEGIES)[(seed * 2 * n + i) % len(STRATEGIES)] for i in range(2 * n)]


CASTS = range(-(-len(STRATEGIES) // 6))


def play(seed, recorder):
    """A compiled world whose players are recorded by ``recorder(player)``; and all records."""
    spec, names = cast(seed)
    records = Records(spec.rounds, 1.0, seed)
    world = CompiledWorld(spec, [recorder(records, player_maker(name)(seed)) for name in names])
    parts = []
    while ROWS.advance(*world.arrays, 0) == DAY:
        parts.append(records.take())
    return world, join_records(parts, RECORD_DTYPE)


class PlainRecorder:
    """The same record by record in plain Python, around a strategy in the reference world."""

    def __init__(self, player, records):
        self.player, self.synchronous, self.records = player, player.synchronous, records
        self.memory, self.pending = np.zeros(1, MEMORY_DTYPE)[0], {}

    def begin(self, view):
        self.player.begin(view)

    def hear_answers(self, view, day_over):
        for k in range(view["n_partners"]):
            if self.memory["partners"][k]["pending"]:
                answer = answer_to(view, k, day_over)
                take_answer(self.memory, k, answer)
                if answer != SILENT:
                    self.pending.pop(k)["answer"] = answer

    def act(self, view):
        begin_day(view, self.memory)
        self.hear_answers(view, False)
        hear(view, self.memory)
        actions = self.player.act(view)
        repair(view, actions)
        for k in range(view["n_partners"]):
            if actions[k]["response"] == OFFER:
                record = np.zeros(1, RECORD_DTYPE)[0]
                fill_context(view, needs_of_offers(view, actions), record["sample"])
                fill_history(self.memory["partners"][k], view["partners"][k]["relative_time"], record["sample"])
                fill_offer(actions[k]["quantity"], actions[k]["price"], record["sample"])
                record["factory"], record["partner"] = view["factory"], k
                record["index"], record["round"] = (
                    self.memory["partners"][k]["n_offers"],
                    view["partners"][k]["step"],
                )
                self.pending[k] = record
                self.records.append(record)
        note(view, actions, self.memory)
        return actions

    def end_day(self, view):
        begin_day(view, self.memory)
        self.hear_answers(view, True)
        self.player.end_day(view)


@pytest.mark.parametrize("seed", CASTS)
def test_a_recorded_strategy_plays_as_it_does_unrecorded(seed):
    recorded, records = play(seed, Records.record)
    plain, none = play(seed, lambda records, player: player)
    assert np.array_equal(recorded.arrays[1], plain.arrays[1])  # profits of all days
    assert len(none) == 0 and len(records) > 0


@pytest.mark.parametrize("seed", CASTS)
def test_records_are_the_same_in_both_worlds_and_in_plain_python(seed):
    spec, names = cast(seed)
    _, records = play(seed, Records.record)
    plain = []
    players = [PlainRecorder(player_maker(name)(seed), plain) for name in names]
    ReferenceWorld(spec, players, seed).run()
    expected = np.array([r for r in plain if r["answer"] in (TAKEN, COUNTERED)])
    assert np.array_equal(in_order(records), in_order(expected))


def test_a_recorded_strategy_plays_in_the_reference_world():
    spec, names = cast(0)
    records, parts = Records(spec.rounds, 1.0, 0), []

    class Draining:
        def __init__(self, player):
            self.player, self.synchronous = player, player.synchronous
            self.begin, self.act = player.begin, player.act

        def end_day(self, view):
            self.player.end_day(view)
            if view["factory"] == spec.n_factories - 1:  # the last one to be told
                parts.append(records.take())

    players = [Draining(records.record(player_maker(name)(0))) for name in names]
    ReferenceWorld(spec, players, 0).run()
    assert np.array_equal(in_order(join_records(parts, RECORD_DTYPE)), in_order(play(0, Records.record)[1]))


@pytest.mark.parametrize("seed", CASTS)
def test_each_contract_is_one_accepted_offer_and_nothing_else_is(seed):
    spec, names = cast(seed)
    _, records = play(seed, Records.record)
    world = CompiledWorld(spec, [player_maker(name)(seed) for name in names])
    world.run()
    taken = records[records["answer"] == TAKEN]
    sample, seller = taken["sample"], taken["sample"]["level"] == 0
    other = np.where(seller, taken["partner"] + spec.n_sellers, taken["partner"])
    offers = zip(
        sample["day"],
        np.where(seller, taken["factory"], other),
        np.where(seller, other, taken["factory"]),
        sample["quantity"],
        sample["price"],
        strict=True,
    )
    assert sorted(tuple(map(int, offer)) for offer in offers) == sorted(map(tuple, world.contracts.tolist()))


def test_the_identity_of_rows(tmp_path):
    number, seed = 3, 11
    dataset = play_compiled(hyperparameters(), seed, number, tmp_path)
    spec, names, _ = draw_world(hyperparameters(), seed, number)
    table = dataset.table
    assert list(table) == list(TABLE) and (table["world"] == number).all()
    buyer = table["role"] == "buyer"
    assert set(table["role"]) == {"buyer", "seller"}
    assert (buyer == (table["proposer"] >= spec.n_sellers)).all()
    responder = table["partner"] + np.where(buyer, 0, spec.n_sellers)
    assert table["responder_family"].tolist() == [names[i] for i in responder]
    assert table["proposer_family"].tolist() == [names[i] for i in table["proposer"]]
    first = table[table["offer_index"] == 0]
    assert (first["round"] == 0).all() and not first.duplicated(["day", "proposer", "partner"]).any()
    assert (dataset.samples["day"] == table["day"]).all() and table["day"].nunique() == spec.n_days


def test_a_share_keeps_all_offers_of_some_pairs(tmp_path):
    pair, kept, pairs = ["proposer", "partner"], 0, 0
    for number in range(5):
        whole = play_compiled(hyperparameters(), 5, number, tmp_path)
        some = play_compiled(hyperparameters(share=0.5), 5, number, tmp_path)
        drawn = {tuple(row) for row in some.table[pair].to_numpy().tolist()}
        mask = np.array([tuple(row) in drawn for row in whole.table[pair].to_numpy().tolist()])
        assert equal(some, whole.take(mask))
        kept, pairs = kept + len(drawn), pairs + len(whole.table[pair].drop_duplicates())
        assert equal(some, play_compiled(hyperparameters(share=0.5), 5, number, tmp_path))
    assert 0.35 < kept / pairs < 0.65


def test_a_dataset_is_read_as_it_was_written_and_shards_change_nothing(tmp_path):
    seen = []
    generate_dataset(hyperparameters(), 7, tmp_path / "a", show=seen.append)
    generate_dataset(hyperparameters(worlds_per_shard=5), 7, tmp_path / "b")
    read = read_dataset(tmp_path / "a")
    expected = join([play_compiled(hyperparameters(), 7, number, tmp_path) for number in range(5)])
    assert equal(read, expected)
    pd.testing.assert_frame_equal(read.table, expected.table)
    assert equal(read_dataset(tmp_path / "b"), expected)
    assert [path.name for path in shards(tmp_path / "a")] == [f"shard-0000{i}.parquet" for i in range(3)]
    assert seen == [0, 2, 4, 5]
    mask = read.accepted
    assert equal(read.take(mask), read.take(np.flatnonzero(mask))) and read.take(mask).accepted.all()


@pytest.mark.slow
def test_processes_change_nothing(tmp_path):
    generate_dataset(hyperparameters(worlds_per_shard=3), 7, tmp_path / "one")
    generate_dataset(hyperparameters(worlds_per_shard=3), 7, tmp_path / "two", workers=2)
    for one, two in zip(shards(tmp_path / "one"), shards(tmp_path / "two"), strict=True):
        assert one.read_bytes() == two.read_bytes()


def test_only_what_is_missing_is_made(tmp_path):
    generate_dataset(hyperparameters(), 7, tmp_path)
    content = [path.read_bytes() for path in shards(tmp_path)]
    shards(tmp_path)[1].unlink()
    seen = []
    generate_dataset(hyperparameters(), 7, tmp_path, show=seen.append)
    assert seen == [3, 5] and [path.read_bytes() for path in shards(tmp_path)] == content
    with pytest.raises(InputError, match="other config or another seed"):
        generate_dataset(hyperparameters(), 8, tmp_path)
    with pytest.raises(InputError, match="other config or another seed"):
        generate_dataset(hyperparameters(share=0.5), 7, tmp_path)


def test_the_derived_columns(tmp_path):
    path = write_shard(tmp_path, 0, play_compiled(hyperparameters(), 1, 0, tmp_path), {"of": "this"})
    table = pd.read_parquet(path)
    assert read_about(path) == {"of": "this"}
    assert np.allclose(table["q_norm"], table["quantity"] / table["lines"])
    assert ((table["p_bin"] == 1) == (table["price"] == table["max_price"])).all()  # of two prices the higher one
    assert np.allclose(table["need_norm"] * table["lines"], table["needs"])
    assert ((table["role_is_seller"] == 1) == (table["role"] == "seller")).all()
    assert ((table["p_norm"] >= 0) & (table["p_norm"] <= 1)).all()


@pytest.fixture
def written(tmp_path):
    return write_shard(tmp_path, 0, play_compiled(hyperparameters(worlds=1), 1, 0, tmp_path))


def test_a_folder_without_a_dataset_is_one_clear_line(tmp_path):
    with pytest.raises(InputError, match="there is no such folder"):
        read_dataset(tmp_path / "nowhere")
    with pytest.raises(InputError, match="holds no dataset"):
        read_dataset(tmp_path)


def test_a_file_that_is_no_shard_is_one_clear_line(written):
    content = written.read_bytes()
    for broken in (b"", b"no parquet", content[: len(content) // 2]):
        written.write_bytes(broken)
        with pytest.raises(InputError, match=r"shard-00000.parquet: cannot be read as Parquet") as error:
            read_dataset(written.parent)
        assert "\n" not in str(error.value)


def test_damage_inside_a_shard_is_one_clear_line(written):
    content = bytearray(written.read_bytes())
    content[200:3000] = bytes(2800)
    written.write_bytes(bytes(content))
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        read_dataset(written.parent)


def test_another_schema_is_one_clear_line(written):
    table = pq.read_table(written)
    metadata = {**table.schema.metadata, b"schema": b"scml-gym-dnb-dataset-0"}
    pq.write_table(table.replace_schema_metadata(metadata), written)
    with pytest.raises(InputError, match="'scml-gym-dnb-dataset-0'; 'scml-gym-dnb-dataset-1' is needed"):
        read_dataset(written.parent)
    pq.write_table(table.replace_schema_metadata({}), written)
    with pytest.raises(InputError, match="schema 'none'"):
        read_dataset(written.parent)


def test_missing_and_wrong_columns_are_one_clear_line(written):
    table = pq.read_table(written)
    pq.write_table(table.drop_columns(["needs", "events_time"]), written)
    with pytest.raises(InputError, match="columns are missing: needs, events_time"):
        read_dataset(written.parent)
    names = table.column("needs").cast(pa.string())
    pq.write_table(table.set_column(table.schema.get_field_index("needs"), "needs", names), written)
    with pytest.raises(InputError, match="columns are of another type: needs"):
        read_dataset(written.parent)


def test_a_dataset_may_be_empty(tmp_path):
    empty = as_dataset(np.zeros(0, RECORD_DTYPE), 0, 2, ["greedy"] * 4)
    write_shard(tmp_path, 0, empty)
    read = read_dataset(tmp_path)
    assert len(read) == 0 and list(read.table) == list(TABLE)
    assert len(join([])) == 0


def test_the_split_keeps_held_out_families_and_worlds_from_training(tmp_path):
    generate_dataset(hyperparameters(worlds=20, days=3), 7, tmp_path)
    table = read_dataset(tmp_path).table
    parts = split(table, ["greedy", "random"], 0.3, 1)
    assert (np.sum(parts, axis=0) == 1).all() and all(part.any() for part in parts)
    assert set(table["responder_family"][parts.train]) == {"subset-population"}
    assert set(table["responder_family"][parts.families]) == {"greedy", "random"}
    assert not set(table["world"][parts.train]) & set(table["world"][parts.worlds])
    again = split(table[table["world"] > 9].reset_index(drop=True), ["greedy", "random"], 0.3, 1)
    assert np.array_equal(again.worlds, parts.worlds[(table["world"] > 9).to_numpy()])  # world by world
    assert not np.array_equal(split(table, ["greedy", "random"], 0.3, 2).worlds, parts.worlds)
    with pytest.raises(InputError, match="nobody in the dataset is 'gredy'; valid: greedy, random"):
        split(table, ["gredy"], 0.3, 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"held_out": ["gredy"]}, "'gredy' is not among the opponents; did you mean 'greedy'"),
        ({"source": "logs"}, "folders are needed with source: logs"),
        ({"logs": ["somewhere"]}, "and none with another"),
        ({"share": 0.0}, "share"),
        ({"opponents": {}}, "opponents"),
        ({"opponents": {"greedy": -1.0}, "held_out": []}, "opponents"),
        ({"wrods": 1}, "wrods"),
    ],
)
def test_impossible_settings_are_one_clear_line(changes, message):
    with pytest.raises(InputError, match=message):
        validate(DatasetConfig, config(**changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"opponents": {"gredy": 1.0}, "held_out": []}, "'gredy'"),
        ({"opponents": {"scml:GreedyOneShotAgent": 1.0}, "held_out": []}, "source: real"),
        ({"factories_per_level": (2, 20)}, "factories_per_level"),
    ],
)
def test_what_cannot_be_played_is_one_clear_line(tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        generate_dataset(hyperparameters(**changes), 1, tmp_path)
