"""Worlds of three levels: a middle one needs what it sells and sells what it buys, so that its needs have no sum."""

import json

import pytest

from scml_gym.games import GAMES
from scml_gym.simulator.recording.folder import Recording, WriteWorld
from scml_gym.simulator.recording.log import WorldLog
from scml_gym.standard.players import player_maker
from scml_gym.standard.worlds.generation import league_spec
from scml_gym.standard.worlds.reference import ReferenceWorld
from tests.helpers.recordings import about

pytest.importorskip("duckdb", reason="pip install 'scml-gym[analyzer]'")

from scml_gym.analyzer import open_recordings
from scml_gym.analyzer.queries import competitors, worlds


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    folder, names = tmp_path_factory.mktemp("levels"), ["greedy"] * 6
    log = WorldLog(WriteWorld(Recording(folder), GAMES.get("standard").load("record"), about(names), "w"))
    players = [player_maker(name)(i) for i, name in enumerate(names)]
    ReferenceWorld(league_spec(3, 8, 2, 3), players, 3, log=log).run()
    with open_recordings(folder) as opened:
        yield opened


def test_the_needs_of_a_middle_level_are_told_apart_by_side(recordings):
    days = worlds.days_of_world(recordings, 0, "w")
    middle = days[days["place"] == "middle"]
    ends = days[days["place"] != "middle"]
    assert (middle["needed_supplies"] == -middle["needed_sales"]).all()
    assert middle["needed"].isna().all()
    assert middle["left_over"].isna().all()
    assert ends["needed"].tolist() == (ends["needed_supplies"] + ends["needed_sales"]).tolist()
    together = worlds.summary_of_days(recordings, 0, "w").set_index("day")
    assert together["needed"].tolist() == ends.groupby("day")["needed"].sum().tolist()
    left = ends["left_over"].clip(lower=0).groupby(ends["day"]).sum()
    assert together["untraded"].tolist() == left.tolist()
    needs = competitors.needs(recordings).set_index("place")
    assert needs.loc["middle", ["needed", "agreed", "untraded", "too_many"]].isna().all()
    assert needs.loc[["seller", "buyer"]].notna().all(axis=None)
    assert needs["produced"].notna().all()


def test_the_replay_ends_with_what_is_left_of_the_needs(recordings):
    pytest.importorskip("dash", reason="pip install 'scml-gym[analyzer]'")
    from scml_gym.analyzer.web.replay import needs_so_far

    names, seen = {i: f"{i}" for i in range(6)}, set()
    for day in range(8):
        days = worlds.days_of_world(recordings, 0, "w")
        today = days[days["day"] == day].set_index("factory", drop=False)
        contracts = worlds.contracts(recordings, 0, "w", day)
        shown = needs_so_far(names, day, 20, contracts, today)
        body = json.loads(json.dumps(shown, default=lambda part: part.to_plotly_json()))
        for line in body["props"]["children"]["props"]["children"][1]["props"]["children"]:
            who, needed, _, left = (cell["props"] for cell in line["props"]["children"])
            factory, _, side = who["children"].partition(", ")
            row = today.loc[int(factory)]
            side = {"buys": "supplies", "sells": "sales"}.get(side, "sales" if row["place"] == "seller" else "supplies")
            assert (row["place"] == "middle") == ("," in who["children"])
            assert needed["children"] == row[f"needed_{side}"]
            assert int(left["data-by-round"].split()[-1]) == row[f"left_{side}"]
            seen.add((row["place"], side))
    assert len(seen) == 4
