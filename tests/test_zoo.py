"""Trained agents that come with the package: data alone, cards that are so, and names that work as players."""

import json
import re
from pathlib import Path

import gymnasium
import numpy as np
import pytest

from scml_gym.agents import AGENTS
from scml_gym.agents.seeds import runs_in
from scml_gym.agents.training import resume
from scml_gym.core.errors import InputError
from scml_gym.core.trained import CARD, ZOO, run_path, trained_names
from scml_gym.evaluation.one_play import one_play
from scml_gym.oneshot.strategies.base import StrategyPolicy
from scml_gym.oneshot.worlds.compiled.world import CompiledWorld

NAMES = trained_names()


def card(name):
    return json.loads((ZOO / name / CARD).read_text())


@pytest.mark.parametrize("name", NAMES)
def test_it_is_data_alone_and_small(name):
    files = [path for path in (ZOO / name).rglob("*") if path.is_file()]
    assert {path.suffix for path in files} <= {".json", ".yaml", ".csv", ".npz", ".safetensors"}
    assert sum(path.stat().st_size for path in files) < 2 * 2**20
    for path in files:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                assert all(arrays[key] is not None for key in arrays)


@pytest.mark.parametrize("name", NAMES)
def test_its_card_says_how_it_was_made_and_what_it_reached(name):
    told = card(name)
    assert told["name"] == name
    assert told["command"].startswith("scml-gym train ")
    assert told["cpu_minutes"] > 0 and told["steps"] > 0 and told["commit"] and told["versions"]["numpy"]
    assert re.fullmatch(r"[0-9a-f]{40}", told["commit"])  # without changes beside it
    scores = told["scores"]
    assert scores["command"] and scores["opponents"] and scores["n"] > 1
    assert np.isfinite([scores["mean"], scores["standard_error"]]).all()
    if scores["measure"] == "score":
        assert [row["other"] for row in scores["differences"]] == ["best-subset", "scml:SyncRandomOneShotAgent"]


def test_every_learner_has_one_and_the_pages_name_them_all():
    root = Path(__file__).resolve().parents[1]
    page = (root / "docs" / "training.md").read_text()
    rows = dict(re.findall(r"^\| `zoo:(\w+)` \| `([\w-]+)` \|", page, flags=re.M))
    assert rows == {name: card(name)["learner"] for name in NAMES}
    learners = re.findall(
        r"^\| `([\w-]+)` \|", (root / "README.md").read_text().partition("## Learners")[2], flags=re.M
    )
    assert set(AGENTS) == set(learners)
    of_data = {
        "behaviour-cloning",
        "clone",
        "decision-transformer",
        "executor",
        "hrl-xf",
    }  # they do as somebody's data do
    assert set(rows.values()) == set(AGENTS) - of_data


IN_COMPILED_WORLDS = {"planner", "flat", "fast_planner", "fast_flat", "dnb"}


@pytest.mark.parametrize("name", NAMES)
def test_it_plays_in_compiled_worlds_or_a_line_says_why_not(name):
    try:
        player = CompiledWorld.player_maker(f"zoo:{name}")(0)
        assert isinstance(player, StrategyPolicy) and name in IN_COMPILED_WORLDS
    except InputError as error:
        assert name not in IN_COMPILED_WORLDS
        assert "\n" not in str(error) and f"zoo:{name}" in str(error)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_it_plays_as_its_card_says(name):
    ((told,), (now,)) = card(name)["one_play"].values(), one_play(f"zoo:{name}").values()
    assert now == pytest.approx(told, abs=1e-6)


@pytest.mark.slow
def test_it_is_an_opponent_in_an_environment():
    env = gymnasium.make("scml_gym/OneShotConcurrent-v0", opponents=["zoo:planner", "zoo:fast_flat"], days=3)
    env.reset(seed=0)
    assert np.isfinite(env.step(env.action_space.sample())[1])


def test_an_unknown_name_is_refused_with_the_nearest_one(tmp_path, command_line):
    with pytest.raises(InputError, match="unknown trained agent 'zoo:planer'; did you mean 'planner'"):
        run_path(tmp_path.with_name("zoo:planer").relative_to(tmp_path.parent))
    done = command_line("evaluate.py", "zoo:planer", "best-subset", "--out", "never")
    assert done.returncode == 2
    assert done.stderr == "error: unknown trained agent 'zoo:planer'; did you mean 'planner'?\n"
    assert not (tmp_path / "never").exists()


def test_it_is_compared_with_others_but_not_trained_further():
    assert runs_in(Path("zoo:independent_ppo")) == [ZOO / "independent_ppo"]
    with pytest.raises(InputError, match="unknown trained agent 'zoo:independent_po'"):
        runs_in(Path("zoo:independent_po"))
    told = r"zoo:independent_ppo comes with the package .* valid: --from zoo:independent_ppo"
    with pytest.raises(InputError, match=told):
        resume(Path("zoo:independent_ppo"))


@pytest.mark.slow
def test_a_training_begins_from_one_of_the_same_learner_only(tmp_path, command_line):
    small = ["--set", "agent.updates=4", "--set", "agent.batch=16"]
    done = command_line("train.py", "--from", "zoo:independent_ppo", *small, "--out", "more")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "more" / "from" / "networks.npz").is_file()
    wrong = command_line("train.py", "moca", "--from", "zoo:independent_ppo", "--out", "wrong")
    assert wrong.returncode == 2
    assert wrong.stderr.count("\n") == 1 and "zoo:independent_ppo was trained by 'independent-ppo'" in wrong.stderr
    assert not (tmp_path / "wrong").exists()
