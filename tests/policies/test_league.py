"""Agents of the league play: as competitors of evaluate.py and as opponents in the reference world."""

import gymnasium
import numpy as np
import pandas as pd
import pytest

from scml_gym.core.errors import InputError
from scml_gym.oneshot.players import player_maker

pytestmark = pytest.mark.league

NAMES = ["scml-agents:2024/CautiousOneShotAgent", "scml-agents:2025/CostAverseAgent"]
"""Finalists that need none of the packages which scml-agents asks for and ``make league`` leaves out."""


@pytest.fixture(autouse=True)
def agents_of_the_league():
    return pytest.importorskip("scml_agents", reason="agents of the league are not installed: make league")


@pytest.mark.parametrize("name", NAMES)
def test_an_agent_is_found_by_its_year_and_name(name):
    agent_class, parameters = player_maker(name)(0)
    assert agent_class.__name__ == name.rpartition("/")[2]
    assert agent_class.__module__.startswith(f"scml_agents.scml{name[12:16]}.oneshot.")
    assert parameters == {}
    with pytest.raises(InputError, match=f"did you mean '{agent_class.__name__}'"):
        player_maker(name[:-1])


def test_they_are_ranked_by_evaluate(command_line, tmp_path):
    out = tmp_path / "out"
    done = command_line("evaluate.py", *NAMES, "best-subset", "--worlds", 1, "--days", 3, "--workers", 1, "--out", out)
    assert done.returncode == 0, done.stdout + done.stderr
    scores = pd.read_csv(out / "scores.csv")
    played = scores[scores["role"] == "competitor"].groupby("competitor")
    assert set(played.groups) == {*NAMES, "best-subset"}
    assert np.isfinite(played["score"].sum()).all()
    assert (played["agreements"].sum() > 0).all()


def test_an_agent_that_raises_plays_by_the_rule_of_the_league(command_line, tmp_path):
    name, out = "scml-agents:2026/LatticeOneShotAgent", tmp_path / "out"
    options = ("--worlds", 2, "--days", 5, "--workers", 1, "--errors", "league", "--out", out)
    done = command_line("evaluate.py", name, "best-subset", *options)
    assert done.returncode == 0, done.stdout + done.stderr
    scores = pd.read_csv(out / "scores.csv")
    assert len(scores[scores["competitor"].eq(name)]) == 2 * 2
    failures = pd.read_csv(out / "failures.csv")
    assert set(failures["player"]) == {name}
    assert failures["consequence"].str.match(r"played on; exceptions: \d+$").all()


def test_they_are_opponents_in_the_reference_world():
    env = gymnasium.make("scml_gym/OneShotConcurrent-v0", backend="reference", opponents=NAMES, days=3)
    env.action_space.seed(1)
    env.reset(seed=1)
    world, done, info = env.unwrapped.world, False, {}
    while not done:
        action = env.action_space.sample(mask=env.unwrapped.sample_mask())
        _, _, done, _, info = env.step(action)
    played = {type(agent).__name__ for agent in world.agents if agent is not None}
    assert {name.rpartition("/")[2] for name in NAMES} <= played
    assert len(world.contracts) > 0
    assert np.isfinite(info["score"])
    assert world.scores.shape == (world.spec.n_factories,)
