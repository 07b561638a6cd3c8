"""Strategies, policy files and own players in scml's own tournaments, without a run folder."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from scml_gym.core.errors import InputError
from scml_gym.core.trained import ZOO
from scml_gym.export.players import exported_player
from scml_gym.games import GAMES
from scml_gym.oneshot.strategies.simple import NICE
from scml_gym.policies.run_folders import deploy
from tests.helpers.networks import FORMS, random_policy
from tests.helpers.submissions import assert_same_contracts

MINE = NICE


@pytest.fixture(params=["oneshot", "standard"])
def policy_file(request, tmp_path, monkeypatch):
    """In the current folder, and the game that it plays."""
    monkeypatch.chdir(tmp_path)
    random_policy(request.param, FORMS[request.param][0], scale=0.3).save(Path("policy.npz"))
    return "policy.npz", request.param


@pytest.mark.parametrize(
    ("name", "game"),
    [("greedy?own_needs=1", ""), ("boulware", "oneshot"), (f"{__name__}:MINE", ""), ("just-in-time", "standard")],
)
def test_a_name_plays_as_an_scml_agent(name, game):
    kind, parameters = deploy(name, game, seed=0)
    track = GAMES.get(game or "oneshot")
    arguments = parameters["controller_params"]
    assert_same_contracts(track.name, [track.player_maker(name)], [(kind, arguments)], days=5)


def test_a_policy_file_is_found_from_other_folders(policy_file, monkeypatch):
    path, game = policy_file
    kind, parameters = deploy(path)
    assert parameters["controller_params"]["game"] == game
    monkeypatch.chdir("/")
    assert os.path.isabs(parameters["controller_params"]["player"])
    agent = kind(**parameters["controller_params"])
    assert agent.policy.synchronous


@pytest.mark.parametrize("policy_file", ["standard"], indirect=True)
@pytest.mark.parametrize("where", ["", "runs/"])
def test_a_shielded_policy_file_is_no_file_of_that_name(policy_file, where):
    path, game = policy_file
    Path("runs").mkdir()
    shutil.copy(path, "runs")
    kind, parameters = deploy(f"shielded?of={where}{path}", game, seed=0)
    assert kind(**parameters["controller_params"]).policy.synchronous
    with pytest.raises(InputError, match="cannot be exported"):
        exported_player(f"shielded?of={where}{path}", game)


def test_a_policy_file_of_another_game_is_not_deployed(policy_file):
    path, game = policy_file
    other = {"oneshot": "standard", "standard": "oneshot"}[game]
    with pytest.raises(InputError, match=f"plays the game '{game}' and does not play '{other}'"):
        deploy(path, other)


@pytest.mark.parametrize(
    ("name", "game", "told"),
    [
        ("best-subst", "", "did you mean 'best-subset'"),
        ("scml:GreedyOneShotAgent", "", "is an scml agent already"),
        ("boulware", "bilateral", "has no agents"),
        ("runs/none", "", "runs/none"),
        ("none.npz", "", "none.npz"),
    ],
)
def test_what_is_not_deployed(name, game, told):
    with pytest.raises(InputError, match=told) as error:
        deploy(name, game)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("damage", ["no learner", "no numbers"])
def test_a_run_folder_of_other_content_is_told_in_one_line(damage, tmp_path):
    run = shutil.copytree(ZOO / "flat", tmp_path / "run")
    if damage == "no learner":
        info = json.loads((run / "run.json").read_text())
        (run / "run.json").write_text(json.dumps(info | {"agent": "os:getcwd"}))
    else:
        (file,) = run.rglob("weights.npz")
        with np.load(file) as kept:
            np.savez(file, **{name: np.array(["text"]) for name in kept})
    with pytest.raises(InputError, match=r"it names 'os:getcwd'|was trained with another network") as error:
        deploy(run)
    assert "\n" not in str(error.value)


def test_a_file_that_is_named_as_a_strategy_is_not_meant(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "boulware").touch()
    assert deploy("boulware")[1]["controller_params"]["player"] == "boulware"
