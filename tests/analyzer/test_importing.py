"""Folders of scml's own tournaments are shown like recordings, as far as scml kept what happened."""

import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest

from scml_gym.core.errors import InputError

pytest.importorskip("duckdb", reason="pip install 'scml-gym[analyzer]'")

from scml.oneshot.agents import GreedyOneShotAgent, RandDistOneShotAgent
from scml.std.agents import GreedyStdAgent, SyncRandomStdAgent
from scml.utils import anac2024_oneshot, anac2024_std

from scml_gym.analyzer import open_recordings
from scml_gym.analyzer.importing import import_tournament
from scml_gym.analyzer.queries import competitors, worlds
from scml_gym.analyzer.report import report
from scml_gym.analyzer.sources import open_readable

pytestmark = pytest.mark.slow

TOURNAMENTS = {
    "oneshot": (anac2024_oneshot, [GreedyOneShotAgent, RandDistOneShotAgent]),
    "standard": (anac2024_std, [GreedyStdAgent, SyncRandomStdAgent]),
}


@pytest.fixture(scope="module", params=TOURNAMENTS)
def tournament(request, tmp_path_factory):
    """A small tournament of two built-in agents; the game and the folder."""
    play, agents = TOURNAMENTS[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    sizes = {"n_configs": 1, "n_runs_per_world": 1, "n_steps": 6, "compact": False, "parallelism": "serial"}
    play(competitors=agents, tournament_path=str(folder), verbose=False, print_exceptions=False, **sizes)
    (stage,) = folder.iterdir()
    return request.param, stage


def kept(folder, name):
    return {path.parent.name: pd.read_parquet(path) for path in folder.rglob(f"{name}.parquet")}


def test_a_tournament_shows_ranking_worlds_and_negotiations(tournament):
    game, folder = tournament
    scores, contracts = pd.read_csv(folder / "scores.csv"), kept(folder, "contracts")
    with open_recordings(folder) as recordings:
        assert not recordings.problems
        seen = worlds.worlds(recordings)
        assert seen["world"].tolist() == sorted(contracts)
        assert set(seen["game"]) == {game}
        for world, table in contracts.items():
            negotiated = table[~table["seller"].eq("SELLER") & ~table["buyer"].eq("BUYER")]
            assert seen.set_index("world")["contracts"][world] == len(negotiated) > 0
        found = worlds.scores(recordings)
        ours = found[found["role"] == "competitor"].sort_values(["world", "factory"])["score"]
        assert sorted(ours) == pytest.approx(sorted(scores["score"]))
        assert np.allclose(found["score"], 1 + found["profit"] / found["initial_balance"])
        offers = recordings.ask("SELECT count(*) FILTER (answer = 'accepted') AS n, count(*) AS offers FROM offers")
        assert offers["n"][0] == seen["contracts"].sum() < offers["offers"][0]
        rounds = recordings.ask("SELECT count(*) AS n FROM contracts WHERE round IS NULL")
        assert rounds["n"][0] == 0
        assert len(worlds.day(recordings, 0, seen["world"][0], 1))
        assert len(competitors.partners(recordings))
        assert "Ranking" in report(recordings)


def test_what_a_day_brought_adds_up(tournament):
    with open_recordings(tournament[1]) as recordings:
        days = recordings.ask(
            """
            SELECT d.*, coalesce(s.paid, 0) + exogenous_sales * exogenous_price AS sales,
                sum(d.profit) OVER (PARTITION BY world, factory ORDER BY day) AS total, f.initial_balance
            FROM days d JOIN factories f USING (run, world, factory)
            LEFT JOIN (SELECT world, seller AS factory, delivery AS day, sum(quantity * price) AS paid FROM contracts
                WHERE executed GROUP BY ALL) s USING (world, factory, day)
            """
        )
        full = days[days["missing"] == 0]
        assert len(full)
        assert np.allclose(full["revenue"].astype(float), full["sales"].astype(float))
        assert np.allclose(days["balance"] + days["profit"], days["initial_balance"] + days["total"])
        if tournament[0] == "oneshot":
            losses = recordings.ask("SELECT * FROM losses")
            assert len(losses) == len(days)
            assert np.allclose(losses["loss"], losses["untraded"] + losses["price"] + losses["excess"])
            assert (losses["loss"] > -1e-9).all()


def test_what_was_not_kept_is_absent_and_the_rest_is_shown(tournament, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(tournament[1], folder)
    first, *others = sorted(path.parent for path in folder.rglob("info.json"))
    for path in first.glob("actions.*"):
        path.unlink()
    for path in (others or [first])[-1].glob("contracts.*"):
        path.unlink()
    with open_recordings(folder) as recordings:
        if others:
            assert not len(recordings.ask("SELECT * FROM offers WHERE world = $world", world=first.name))
            assert len(recordings.ask("SELECT * FROM contracts WHERE world = $world", world=first.name))
        assert any("contracts.parquet" in problem for problem in recordings.problems)
        assert len(worlds.scores(recordings))


def test_scores_alone_are_shown(tmp_path):
    folder = tmp_path / "compact"
    folder.mkdir()
    (folder / "params.json").write_text("{}")
    kind = "scml.oneshot.sysagents.DefaultOneShotAdapter:mine.<b>Agent"
    (folder / "scores.csv").write_text(f"world,agent_id,agent_type,score\nw/1,00@0,{kind},1.25\nw/1,01@1,{kind},0.5\n")
    with open_recordings(folder) as recordings:
        assert recordings.problems == ["compact: world w_1: its scores alone were kept"]
        assert worlds.scores(recordings)["score"].tolist() == [1.25, 0.5]
        assert worlds.scores(recordings)["competitor"].tolist() == ["<b>Agent"] * 2
        assert "<b>" not in report(recordings)
    with pytest.raises(InputError, match="is no folder of"):
        import_tournament(tmp_path, tmp_path / "out")


HEADER = "world,agent_id,agent_type,score\n"


@pytest.mark.parametrize(
    ("scores", "told"),
    [
        ("", "cannot be read .EmptyDataError"),
        (f"{HEADER}w,00@0,m.A,abc\n", "not every score is a number"),
        ("world,score\nw,1\n", "no column agent_id, agent_type"),
        ('a,"b\n', "cannot be read"),
    ],
)
def test_scores_that_cannot_be_read_end_no_other_folder(tmp_path, scores, told):
    for name, text in (("bad", scores), ("good", f"{HEADER}w,00@0,m.A,1.5\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "params.json").write_text("{}")
        (tmp_path / name / "scores.csv").write_text(text)
    with open_readable(tmp_path / "bad", tmp_path / "good") as recordings:
        assert [run.label for run in recordings.runs] == ["good"]
        assert len(recordings.problems) == 2
        assert any(re.search(told, problem) for problem in recordings.problems)
        assert all("\n" not in problem for problem in recordings.problems)


def test_worlds_that_are_not_as_scml_writes_them_are_left_out(tmp_path):
    (tmp_path / "params.json").write_text("{}")
    (tmp_path / "scores.csv").write_text(f"{HEADER}..,00@0,m.A,1\n.,00@0,m.A,1\nw,00@0,m.A,1.5\n")
    for name, profiles in (("listed", []), ("none", None)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "info.json").write_text(json.dumps({"agent_profiles": profiles}))
    with open_recordings(tmp_path) as recordings:
        told = "\n".join(recordings.problems)
        for part in (
            "listed is left out .AttributeError",
            r"\.\. is left out",
            r"world \. is left out",
            "world w: its",
        ):
            assert re.search(part, told), part
        assert worlds.names(recordings, 0) == ["w"]
