"""Tournaments: the same table whatever the workers, and failures that cost only those who fail."""

import pytest

from scml_gym.core.errors import InputError
from scml_gym.evaluation.config import TournamentConfig
from scml_gym.evaluation.pool import WorkerPool
from scml_gym.evaluation.schedule import substitute_of
from scml_gym.evaluation.tournament import MAX_FAILURES, run_tournament

pytestmark = pytest.mark.slow

BACKGROUND = ("scml:SyncRandomOneShotAgent", "greedy")


def tournament(*competitors, **settings):
    settings = {"worlds": 2, "days": 3, "factories": 3, "background": BACKGROUND, "workers": 1} | settings
    return run_tournament(TournamentConfig(competitors=competitors, **settings))


@pytest.fixture(scope="module")
def misbehaving():
    """Nobody's neighbours: one of each way to fail, and two players that do nothing wrong."""
    names = ("Raises", "Exits", "Segfaults", "CannotBeMade", "Handles", "Leaves")
    return tournament(*(f"tests.helpers.evaluation_players:{n}" for n in names), worlds=MAX_FAILURES + 1)


def labels(rows, role="competitor"):
    return {row["competitor"] for row in rows if row["role"] == role}


def test_the_table_does_not_depend_on_the_workers():
    names = (
        "tests.helpers.evaluation_players:Remembers",
        "tests.helpers.evaluation_players:Sometimes",
        "scml:RandDistOneShotAgent",
        "best-subset",
    )
    one, two = (tournament(*names, worlds=2, seed=3, workers=workers) for workers in (1, 2))
    assert one.rows == two.rows
    assert one.failures == two.failures
    assert {f["player"] for f in one.failures} == {"tests.helpers.evaluation_players:Sometimes"}
    remembers = [row["agreements"] for row in one.rows if row["competitor"] == names[0]]
    assert min(remembers) > 0


def test_misbehaving_players_are_blamed(misbehaving):
    blamed = {f["player"].partition(":")[2]: f for f in misbehaving.failures}
    assert set(blamed) == {"Raises", "Exits", "Segfaults", "CannotBeMade"}
    assert {name: f["failure"] for name, f in blamed.items()} == {
        "Raises": "exception",
        "Exits": "crash",
        "Segfaults": "crash",
        "CannotBeMade": "exception",
    }
    assert blamed["Raises"]["message"].startswith("RuntimeError: two lines (")
    assert "exit code 7" in blamed["Exits"]["message"]
    assert "SIGSEGV" in blamed["Segfaults"]["message"]
    assert "no model file" in blamed["CannotBeMade"]["message"]


def test_the_others_play_every_world(misbehaving):
    judged = {f"tests.helpers.evaluation_players:{name}" for name in ("Handles", "Leaves")}
    for label in judged:
        mine = [row for row in misbehaving.rows if (row["competitor"], row["role"]) == (label, "competitor")]
        assert len(mine) == 2 * (MAX_FAILURES + 1)
    assert labels(misbehaving.rows) == judged
    assert labels(misbehaving.rows, "substitute") == {substitute_of("oneshot").label}


def test_who_fails_again_is_withdrawn(misbehaving):
    for name in ("Raises", "Exits", "Segfaults"):
        failures = [f for f in misbehaving.failures if f["player"].endswith(name)]
        assert [f["configuration"] for f in failures] == list(range(MAX_FAILURES))
        assert failures[-1]["consequence"].endswith("withdrawn")


def test_a_hanging_player_is_stopped():
    outcome = tournament("greedy", "tests.helpers.evaluation_players:Hangs", worlds=1, time_limit=2.0)
    assert [(f["player"], f["failure"]) for f in outcome.failures] == [
        ("tests.helpers.evaluation_players:Hangs", "hang")
    ]
    assert labels(outcome.rows) == {"greedy"}


def test_one_on_one_has_no_substitute():
    outcome = tournament("greedy", "tests.helpers.evaluation_players:Raises", one_on_one=True, factories=2)
    assert outcome.rows == []
    assert {f["consequence"] for f in outcome.failures} == {"left out", "left out; withdrawn"}


def test_rows_hold_the_whole_profit():
    outcome = tournament("greedy", "nice", one_on_one=True, factories=2, worlds=1)
    assert len(outcome.rows) == 2 * 4
    for row in outcome.rows:
        parts = row["revenue"] - row["supplies"] - row["production"] - row["disposal"] - row["shortfall"]
        assert row["profit"] == pytest.approx(parts, abs=1e-6)
        assert row["score"] == pytest.approx(1 + row["profit"] / row["initial_balance"], abs=1e-12)
        assert 0 <= row["agreements"] <= row["negotiations"] == 2 * 3


def test_unknown_players_are_refused():
    with WorkerPool(workers=1, limit=60.0) as pool:
        for name in (
            "greddy",
            "scml:Nobody",
            "tests.helpers.evaluation_players:not_a_policy",
            "no_such_module:Name",
            "no/such/folder",
        ):
            result = pool.check(["greedy", name, "nice"], seed=0)
            assert (result["failure"], result["player"]) == ("input", 1)
            assert name in result["message"]
    with pytest.raises(InputError, match="did you mean 'greedy'"):
        tournament("greedy", "greddy", workers=1)
