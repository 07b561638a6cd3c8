"""Games without contracts: who fails is named, what a world brought is computed from answers, players are isolated."""

import dataclasses

import pytest

from scml_gym.evaluation import config
from scml_gym.evaluation.isolation.answers import rows_of
from scml_gym.evaluation.isolation.kinds import AGENTS
from scml_gym.evaluation.play import in_a_world
from scml_gym.evaluation.pool import WorkerPool
from scml_gym.game.definition import Setting
from scml_gym.simulator.line_up import MismatchError
from tests.helpers import pie_players
from tests.helpers.toy_game import TOY

GAME, SETTING = "tests.helpers.toy_game:TOY", Setting(6)
LIMIT = 2.0
"""Seconds, which a player that hangs takes; who cannot compute for so long is played isolated, with ten times more."""

PLAIN, CLAIM = "tests.helpers.pie_players:Plain", "claim?greed=0.5"


def played(pool, *names):
    return pool.play(names, 3, SETTING).result()


@pytest.mark.slow
def test_isolated_players_bring_the_same_and_who_fails_is_named():
    with WorkerPool(1, LIMIT, GAME) as pool:
        honest = played(pool, PLAIN, CLAIM)
        assert len(honest["value"]) == 2
        for name, failure in pie_players.FAILING.items():
            result = played(pool, CLAIM, f"tests.helpers.pie_players:{name}")
            assert (result["failure"], result["player"]) == (failure, 1), (name, result)
        for name in pie_players.CHEATING:
            result = played(pool, f"tests.helpers.pie_players:{name}", CLAIM)
            assert result == honest or result["player"] == 0, (name, result)
    with WorkerPool(1, LIMIT, GAME, isolate=AGENTS) as pool:
        assert played(pool, PLAIN, CLAIM) == honest
        result = played(pool, CLAIM, "tests.helpers.pie_players:Hangs")
        assert (result["failure"], result["player"]) == ("hang", 1)


TASK = {"game": GAME, "names": [PLAIN, CLAIM], "seed": 3, "setting": SETTING}


@pytest.fixture(scope="module")
def handed_over():
    return in_a_world(dict(TASK))["value"]


def test_what_a_world_brought_is_what_its_answers_bring(handed_over):
    assert rows_of(TASK, None, handed_over) == handed_over["rows"]
    assert handed_over["changed"] is None
    assert [len(answers) for answers in handed_over["answers"]] == [1 + 2 * SETTING.days] * 2


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value | {"rows": [row | {"score": 2.0} for row in value["rows"]]},
        lambda value: value | {"rows": value["rows"][::-1]},
        lambda value: value | {"answers": value["answers"][:1]},
        lambda value: value | {"answers": [part[:-1] for part in value["answers"]]},
        lambda value: value | {"answers": [[*part, None] for part in value["answers"]]},
        lambda value: value | {"answers": [[["x"]] * len(part) for part in value["answers"]]},
        lambda value: value | {"answers": [[[10**30]] * len(part) for part in value["answers"]]},
    ],
)
def test_what_cannot_be_true_is_refused(handed_over, change):
    with pytest.raises(MismatchError):
        rows_of(TASK, None, change(handed_over))


def test_the_game_says_how_its_players_are_called():
    assert TOY.competition.entry_points == ("begin", "act", "end_day")


def test_a_game_that_says_not_how_is_not_isolated(monkeypatch):
    monkeypatch.setattr(config, "competition_of", lambda game: dataclasses.replace(TOY.competition, entry_points=()))
    with pytest.raises(ValueError, match=r"are not isolated; valid: none"):
        config.TournamentConfig(game=GAME, competitors=("claim",), isolate=AGENTS)
    monkeypatch.undo()
    assert config.TournamentConfig(game=GAME, competitors=("claim",), isolate=AGENTS).isolate == AGENTS
