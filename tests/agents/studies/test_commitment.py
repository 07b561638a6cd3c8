"""The study of commitment: its runs, its tables and its page."""

import json

import numpy as np
import pytest

from scml_gym.agents import STUDIES
from scml_gym.agents.studies.commitment.report import decisions_to_target
from scml_gym.agents.studies.commitment.study import CommitmentStudy, Stubborn, against_stubborn
from scml_gym.commitment import make_game
from scml_gym.core.errors import InputError
from scml_gym.evaluation.studies.study import load_study, run_study, study_command

SMALL = ["seeds=2", "share=0.003", "first_seed=3"]


def limited(method, games):
    """A method that names no other games than these."""
    kept = {name: more for name, more in method.get("games", {}).items() if name in games}
    return method | {"games": kept, "only": [name for name in method.get("only", games) if name in games]}


@pytest.mark.slow
def test_the_study_makes_its_page_and_repeats(tmp_path):
    _, whole = load_study(STUDIES, "commitment")
    games = {name: whole["games"][name] for name in ("prisoners-dilemma", "conflict-mega")}
    methods = {name: limited(about, games) for name, about in whole["methods"].items()}
    options = [*SMALL, f"games={json.dumps(games)}", f"methods={json.dumps(methods)}"]
    study, config = load_study(STUDIES, "commitment", options)
    run_study(study, config, tmp_path / "results")
    page = (tmp_path / "results" / "study.md").read_text()
    assert {p.name for p in (tmp_path / "results").glob("curves-*.png")} == {f"curves-{game}.png" for game in games}
    for about in (*games.values(), *config["methods"].values()):
        assert about["title"] in page
    final = (tmp_path / "results" / "final.csv").read_text().splitlines()
    assert final[0] == "method,game,seed,updates,decisions,welfare,return_0,return_1,agreement"
    assert len(final) == 1 + 2 * len(study.runs())
    assert {line.split(",")[2] for line in final[1:]} == {"3", "4"}
    run = "dcl-ic-decentralised.prisoners-dilemma"
    tables = study.compute(run, lambda work: None)
    kept = json.loads((tmp_path / "results" / "runs" / f"{run}.json").read_text())["tables"]
    assert json.loads(json.dumps({name: list(rows) for name, rows in tables.items()})) == kept
    assert len(kept["stubborn"]) == 4


WRONG = {
    "methods.dcl.hyperparameters.constrant=1": (
        "methods.dcl: in prisoners-dilemma: agent.constrant: unknown key; did you mean"
    ),
    "games.grid.env.mega_step=3": "games.grid: env.mega_step: mega_step=3: the horizon 16 is not divisible",
    "games.grid.defection=[1]": "games.grid.defection: [1] is not valid; an action of each of its 2 agents is needed",
    "games.grid.defection=[5, 5]": "games.grid.defection: [5, 5] is not valid; an action of each of its 2 agents",
    "games.grid.defection=[]": "games.grid.defection: [] is not valid",
    "methods.dcl.agent=dqn": "methods.dcl.agent: dqn does not learn games",
    "methods.dcl.agent=dlc": "methods.dcl.agent: unknown learner 'dlc'; did you mean 'dcl'?",
    "methods.dcl.only=[gird]": "methods.dcl.only: there is no game 'gird'; did you mean 'grid'?",
    "methods.dcl.games.gird.updates=3": "methods.dcl.games: there is no game 'gird'; did you mean 'grid'?",
    "games={}": "methods",
    "games.grid.wellfare=3": "games.grid.wellfare: unknown key",
    "share=2": "share: 2 is not valid",
}


@pytest.mark.parametrize("option", WRONG)
def test_a_wrong_setting_is_told_in_one_line(option):
    with pytest.raises(InputError) as caught:
        load_study(STUDIES, "commitment", [option])
    assert WRONG[option] in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_study_without_runs_leaves_nothing(tmp_path):
    _, whole = load_study(STUDIES, "commitment")
    methods = {name: about | {"games": {}, "only": []} for name, about in whole["methods"].items()}
    with pytest.raises(InputError, match="methods: no method plays any game, so that there is nothing to compute"):
        study_command(STUDIES, "commitment", [f"methods={json.dumps(methods)}"], tmp_path / "out", 1, "")
    assert not (tmp_path / "out").exists()


def test_a_game_that_nobody_plays_is_checked_too():
    _, whole = load_study(STUDIES, "commitment")
    methods = {name: about | {"games": {}, "only": ["grid"]} for name, about in whole["methods"].items()}
    options = [f"methods={json.dumps(methods)}", "games.stag-hunt.env.mega_step=2"]
    with pytest.raises(InputError, match=r"games\.stag-hunt: env\.mega_step: mega_step=2: the horizon 1 is not"):
        load_study(STUDIES, "commitment", options)


@pytest.mark.slow
def test_games_of_different_numbers_of_agents_share_a_study(tmp_path):
    _, whole = load_study(STUDIES, "commitment")
    goods = {"title": "Public goods", "env": {"game": "public-goods"}, "agent": {}, "returns": 0.4}
    games = {"prisoners-dilemma": whole["games"]["prisoners-dilemma"], "goods": goods | {"defection": [1, 1, 1]}}
    methods = {name: whole["methods"][name] for name in ("dcl", "ippo")}
    config = {**whole, "games": games, "methods": methods, "seeds": 2, "share": 0.003}
    study = CommitmentStudy.build({key: value for key, value in config.items() if key != "name"})
    run_study(study, config, tmp_path / "out")
    final = (tmp_path / "out" / "final.csv").read_text().splitlines()
    assert final[0] == "method,game,seed,updates,decisions,welfare,return_0,return_1,return_2,agreement"
    two, three = (next(line for line in final if f"dcl,{game}," in line).split(",") for game in games)
    assert two[8] == ""
    assert float(three[5]) == pytest.approx(sum(map(float, three[6:9])), abs=1e-3)
    before, after = (tmp_path / "out" / "study.md").read_text().split("\n## Policies")[0].split("\n## Public goods")
    assert "return of agent 2" in after
    assert "return of agent 2" not in before
    assert len((tmp_path / "out" / "stubborn.csv").read_text().splitlines()) == 1 + 2 * 2 + 2 * 3


def test_a_target_of_returns_is_every_agents():
    curve = {"decisions": np.array([[10.0] * 2, [20.0] * 2]), "welfare": np.full((2, 2), 1.4)}
    curve |= {"return_0": np.ones((2, 2)), "return_1": np.ones((2, 2)), "return_2": np.array([[1, 0], [1, 0.0]])}
    study, _ = load_study(STUDIES, "commitment", ["games.grid.returns=0.4"])
    reached = decisions_to_target(curve, study.config.games["grid"])
    assert reached[0] == 10.0
    assert np.isnan(reached[1])


class Obliging:
    """Proposes and does the first action, and accepts everything."""

    def __init__(self, game, rngs):
        self.game, self.rngs = game, rngs

    def propose(self, x):
        return np.broadcast_to([9e2, 0.0], (len(self.rngs), self.game.agents, x.shape[2], 2)).copy()

    def commit(self, x, m):
        return np.broadcast_to([0.0, 9e2], (len(self.rngs), self.game.agents, x.shape[2], 2)).copy()

    act = propose


def test_a_stubborn_co_player_exploits_who_accepts_everything():
    game = make_game("prisoners-dilemma")
    rows = against_stubborn(Obliging(game, [None, None]), game, [1, 1])
    assert [(row["agent"], row["return"], row["agreement"]) for row in rows] == [
        (0, -3.0, 1.0),
        (0, -3.0, 1.0),
        (1, -3.0, 1.0),
        (1, -3.0, 1.0),
    ]
    stubborn = Stubborn(Obliging(game, [None]), 0, 1)
    assert stubborn.act(np.zeros((1, 1, 1, 1))).argmax(axis=-1)[0, :, 0].tolist() == [1, 0]


def test_the_target_is_reached_where_the_curve_stays():
    study, _ = load_study(STUDIES, "commitment", SMALL)
    about = study.config.games["prisoners-dilemma"]
    welfare = np.array([[-3.0, -2.0, -4.0], [-2.0, -3.0, -4.0], [-2.0, -2.0, -4.0]])
    curve = {"decisions": np.array([[10.0] * 3, [20.0] * 3, [30.0] * 3]), "welfare": welfare}
    assert decisions_to_target(curve, about).tolist()[:2] == [20.0, 30.0]
    assert np.isnan(decisions_to_target(curve, about)[2])
