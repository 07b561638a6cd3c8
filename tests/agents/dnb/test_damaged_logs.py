"""Logs that are missing, damaged, or half written: one clear line."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from scml_gym.agents.dnb.generation import generate_dataset
from scml_gym.agents.dnb.logs import find_logs, read_log
from scml_gym.core.errors import InputError
from scml_gym.oneshot.players import player_maker
from scml_gym.oneshot.worlds.compiled.generation import compiled_spec
from scml_gym.oneshot.worlds.log import OfferLog, record_world
from tests.helpers.dnb_datasets import hyperparameters


@pytest.fixture
def copied(tmp_path):
    """The logs of a small world, to be damaged."""
    players = [player_maker("greedy")(1) for _ in range(4)]
    record_world(compiled_spec(1, 4, 2), players, ["greedy"] * 4, tmp_path / "copy", 1)
    return tmp_path / "copy"


def table(folder, name):
    return pd.read_parquet(folder / f"{name}.parquet")


def test_folders_without_logs_are_one_clear_line(tmp_path):
    with pytest.raises(InputError, match="there is no such folder of logs"):
        find_logs(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"holds no logs: neither log\.json"):
        find_logs(tmp_path)
    with pytest.raises(InputError, match="holds no logs"):
        generate_dataset(hyperparameters(source="logs", logs=[str(tmp_path)]), 1, tmp_path / "dataset")


def test_damaged_logs_are_one_clear_line(copied):
    log = copied / "log.json"
    log.write_text(json.dumps({"schema": "scml-gym-world-log-0"}))
    with pytest.raises(InputError, match="schema 'scml-gym-world-log-0'; 'scml-gym-world-log-1' is needed"):
        read_log(copied)
    log.write_text("{")
    with pytest.raises(InputError, match=r"no readable log\.json"):
        read_log(copied)
    log.write_text(json.dumps({"schema": "scml-gym-world-log-1"}))
    needs = table(copied, "needs")
    needs.iloc[1:].to_parquet(copied / "needs.parquet")
    with pytest.raises(InputError, match="the table of needs lacks rows"):
        read_log(copied)
    needs.drop(columns="needs").to_parquet(copied / "needs.parquet")
    with pytest.raises(InputError, match=r"needs\.parquet: columns are missing: needs"):
        read_log(copied)
    (copied / "needs.parquet").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"needs\.parquet: cannot be read"):
        read_log(copied)
    (copied / "needs.parquet").unlink()
    with pytest.raises(InputError, match=r"there is no table needs\.parquet or needs\.csv"):
        read_log(copied)


def test_tables_that_do_not_fit_are_one_clear_line(copied):
    days, negs = table(copied, "days"), table(copied, "negs")
    days.iloc[1:].to_parquet(copied / "days.parquet")
    with pytest.raises(InputError, match="not one row for each day and factory"):
        read_log(copied)
    days.to_parquet(copied / "days.parquet")
    negs[negs["id"] > 10].to_parquet(copied / "negs.parquet")
    with pytest.raises(InputError, match="names 1, which is in no other table"):
        read_log(copied)


def test_worlds_are_logged_as_a_whole_or_not_at_all(tmp_path, monkeypatch):
    spec = compiled_spec(1, 3, 2)
    players = [player_maker("greedy")(1) for _ in range(4)]
    (tmp_path / "taken").mkdir()
    with pytest.raises(InputError, match="taken exists"):
        record_world(spec, players, ["greedy"] * 4, tmp_path / "taken", 1)
    with pytest.raises(InputError, match="none of which may be external"):
        record_world(spec, [None, *players[1:]], ["greedy"] * 4, tmp_path / "new", 1)
    with pytest.raises(InputError, match="3 names for 4 players"):
        record_world(spec, players, ["greedy"] * 3, tmp_path / "new", 1)
    monkeypatch.setattr(OfferLog, "save", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        record_world(spec, players, ["greedy"] * 4, tmp_path / "new", 1)
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
