"""Tournaments of the Standard track: every level in turn, the same seat, and what a profit is made of."""

from collections import Counter
from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError
from scml.std.agents import GreedyStdAgent

from scml_gym.evaluation.config import TournamentConfig
from scml_gym.evaluation.schedule import schedule
from scml_gym.evaluation.statistics import levels_of, ranking
from scml_gym.evaluation.table import columns_of
from scml_gym.evaluation.tournament import run_tournament

PLACES = {2: ("first", "last"), 3: ("first", "middle", "last"), 4: ("first", "middle", "middle", "last")}


class Raises(GreedyStdAgent):
    """An exception in the middle of a negotiation."""

    def propose(self, negotiator_id, state, source=None):
        if self.awi.current_step == 1:
            raise RuntimeError("two\nlines")
        return super().propose(negotiator_id, state)


def config(*competitors, **settings):
    return TournamentConfig(game="standard", competitors=competitors, **settings)


@pytest.mark.parametrize("n", [1, 4, 12, 16])
def test_everyone_plays_each_level_once(n):
    settings = config(*(f"p{i}" for i in range(n)), worlds=6, levels=(2, 3, 4))
    for configuration, match in enumerate(schedule(settings)):
        levels = match.setting.levels
        assert levels == (2, 3, 4)[configuration % 3]
        each = settings.factories_on(levels)
        assert len(match.positions) == each * levels >= max(12, n)
        seats = Counter(
            (o.label, place // each, place % each)
            for play in match.plays
            for place, o in enumerate(match.line_up(play))
            if o.role == "competitor"
        )
        for label in (f"p{i}" for i in range(n)):
            mine = [seat for seat in seats.elements() if seat[0] == label]
            assert [level for _, level, _ in sorted(mine)] == list(range(levels))
            assert len({place for *_, place in mine}) == 1


def test_in_the_same_seat_nothing_but_the_competitor_differs():
    settings = config("a", "b", "c", worlds=4, same_seat=True, background=tuple("vwxyz"))
    matches = list(schedule(settings))
    assert [(m.configuration, m.block) for m in matches] == [(c, b) for c in range(4) for b in range(3)]
    assert settings.n_plays == 3 * (2 + 3 + 2 + 3)
    for first in range(0, 12, 3):
        blocks = matches[first : first + 3]
        assert len({m.seed for m in blocks}) == 1
        for seat in zip(*(m.positions for m in blocks), strict=True):
            labels = [o.label for o in seat]
            assert labels == ["a", "b", "c"] or (len(set(labels)) == 1 and seat[0].role == "background")
    assert matches[0].positions != matches[6].positions


def test_one_on_one_both_have_half_of_each_level():
    for match in schedule(config("a", "b", one_on_one=True, worlds=3, levels=(2, 3, 4))):
        for play in match.plays:
            each = len(match.positions) // match.setting.levels
            counts = Counter((o.label, place // each) for place, o in enumerate(match.line_up(play)))
            assert set(counts.values()) == {each // 2}


def test_defaults_are_those_of_the_game():
    settings = config("a")
    assert (settings.days, settings.levels, settings.stock, settings.factories_on(3)) == (50, (2, 3), "league", 4)
    oneshot = TournamentConfig(competitors=("a",))
    assert (oneshot.days, oneshot.levels, oneshot.stock) == (30, (2,), "")
    assert config("a", levels="2,4").levels == (2, 4)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"levels": (2, 5)}, "5: a world of standard has 2 to 4 levels"),
        ({"levels": "few"}, "valid: whole numbers, such as 2,3"),
        ({"stock": "used"}, "'used'; valid: league, physical"),
        ({"days": 4}, "at least 5 days"),
        ({"factories": 9}, "at most 8"),
        ({"one_on_one": True, "competitors": ("a", "b"), "same_seat": True}, "exclude each other"),
    ],
)
def test_what_a_world_does_not_have_is_refused(settings, told):
    with pytest.raises(ValidationError, match=told):
        TournamentConfig(**{"game": "standard", "competitors": ("a",), **settings})
    wrongs: list[dict[str, Any]] = [{"levels": 3}, {"stock": "league"}]
    for wrong in wrongs:
        with pytest.raises(ValidationError, match="oneshot has"):
            TournamentConfig(**{"competitors": ("a",), **wrong})


@pytest.fixture(scope="module")
def played():
    settings = {"worlds": 2, "days": 6, "factories": 2, "workers": 1, "background": ("sync-random", "greedy")}
    names = ("ten-once", "scml:SyncRandomStdAgent")
    return run_tournament(config(*names, stock="physical", levels=(2, 3), same_seat=True, **settings))


@pytest.mark.slow
def test_rows_hold_the_whole_profit(played):
    table: Any = pd.DataFrame(played.rows)
    assert played.failures == []
    assert list(table.columns) == list(columns_of("standard"))
    assert len(table) == 2 * (2 * 4 + 3 * 6)
    parts = table["revenue"] - table[["supplies", "production", "storage", "shortfall"]].sum(axis=1)
    pd.testing.assert_series_equal(table["profit"], parts, check_names=False, atol=1e-6)
    pd.testing.assert_series_equal(table["score"], 1 + table["profit"] / table["initial_balance"], check_names=False)
    assert (table["agreements"] <= table["negotiations"]).all()
    for configuration, levels in enumerate((2, 3)):
        rows = table[(table["configuration"] == configuration) & (table["competitor"] == "ten-once")]
        assert rows["level"].tolist() != []
        assert sorted(rows["level"]) == sorted(PLACES[levels])


@pytest.mark.slow
def test_the_ranking_says_by_place_and_by_cause(played):
    table: Any = pd.DataFrame(played.rows)
    ranks: Any = ranking(table)
    assert levels_of(table) == ["first", "middle", "last"]
    causes = ["revenue", "supplies", "production", "storage", "shortfall"]
    assert set(["first", "middle", "last", "bankrupt", *causes]) <= set(ranks.columns)
    assert "cost" not in ranks
    rest = 1 + ranks["revenue"] - ranks[causes[1:]].sum(axis=1)
    pd.testing.assert_series_equal(ranks["score"], rest, check_names=False)


@pytest.mark.slow
def test_who_raises_is_judged_as_in_the_other_games():
    name = f"{__name__}:Raises"
    settings = {"worlds": 1, "days": 5, "factories": 1, "workers": 1, "levels": 3, "background": ("sync-random",)}
    outcome = run_tournament(config("just-in-time", name, **settings))
    (failure,) = outcome.failures
    assert failure["player"] == name
    assert failure["message"].startswith("RuntimeError: two lines (")
    assert failure["consequence"] == "played again with a substitute"
    assert {row["competitor"] for row in outcome.rows if row["role"] == "competitor"} == {"just-in-time"}


@pytest.mark.slow
def test_the_command_plays_the_standard_track(command_line, tmp_path):
    options = [
        "--days",
        5,
        "--worlds",
        2,
        "--factories",
        1,
        "--levels",
        "2,4",
        "--stock",
        "physical",
        "--same-seat",
        "--workers",
        1,
    ]
    done = command_line(
        "evaluate.py", "--game", "standard", "ten-once", "no-trade", *options, "--out", tmp_path / "out"
    )
    assert done.returncode == 0, done.stderr
    assert "2 levels of 1 factories or 4 levels of 1 factories, 5 days, physical stock rule" in done.stdout
    text = (tmp_path / "out" / "ranking.md").read_text()
    assert "first, middle, last: score on that level" in text
    assert "score = 1 + revenue - supplies - production - storage - shortfall" in text
    assert (tmp_path / "out" / "profit.png").exists()
    done = command_line("evaluate.py", "--game", "standard", "ten-once", "--levels", 6, "--out", tmp_path / "none")
    assert (done.returncode, done.stderr) == (2, "error: levels: 6: a world of standard has 2 to 4 levels\n")
