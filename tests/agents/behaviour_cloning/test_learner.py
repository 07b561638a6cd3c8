"""Behaviour cloning: it does as its data do, repeats itself, plays as other learners do, and refuses other data."""

import numpy as np
import pytest

from scml_gym.agents.training import start
from scml_gym.core.errors import InputError
from scml_gym.experiments.run_folder import POLICY_FILE
from scml_gym.game.world import FactoryPolicy
from scml_gym.games import GAMES
from scml_gym.offline.reading import load_decisions
from scml_gym.policies.run_folders import load_agent
from tests.helpers.offline import CONCURRENT, SMALL, small_dataset

pytest.importorskip("minari", reason="pip install 'scml-gym[offline]'")

PLAIN = [f"env.{option}" for option in SMALL] + [
    "env.observation=flat",
    "agent.features=flatten",
    "agent.net_arch=[32]",
]
QUICK = ["agent.batch_size=16", "agent.learning_rate=1e-2", "agent.held_out=0.25"]


def cloned(folder, name, *options):
    given = [f"agent.data=[{name}]", "env.generator=compiled", *PLAIN, *QUICK, *options]
    return start("behaviour_cloning", given, out=folder)


@pytest.mark.slow
def test_it_does_as_its_data_do(tmp_path, monkeypatch):
    name = small_dataset(monkeypatch, tmp_path / "data", competitor="subset-strong", episodes=30)
    run = cloned(tmp_path / "run", name, "agent.epochs=30")
    first, *_, last = run.curve()
    assert float(last["loss"]) < 0.5 * float(first["loss"])
    assert float(last["held_out_loss"]) < float(first["held_out_loss"])
    assert float(last["held_out_met"]) > float(first["held_out_met"])
    agent = load_agent(run.path)
    decisions = load_decisions([name], agent.observation_space, agent.action_space)
    played, _ = agent.predict(decisions.observations, mask=decisions.masks)
    assert np.take_along_axis(decisions.masks.reshape(len(played), 8, 22), played[:, :, None], axis=2).all()
    assert (played == decisions.actions).all(axis=1).mean() > 0.4
    assert (run.latest_checkpoint() / POLICY_FILE).is_file()  # so that compiled worlds play it too
    player = GAMES.get("oneshot").player_maker(str(run.path))(0)
    assert isinstance(player, FactoryPolicy)
    assert agent.exported()


def test_the_same_seed_learns_the_same(tmp_path, monkeypatch):
    name = small_dataset(monkeypatch, tmp_path / "data", episodes=6)
    runs = [cloned(tmp_path / part, name, "agent.epochs=2") for part in "ab"]
    curves = [(run.path / "learning_curve.csv").read_bytes() for run in runs]
    assert curves[0] == curves[1]


@pytest.mark.parametrize(
    ("options", "env"),
    [
        (["action=continuous"], ["env.action=continuous"]),
        (["observation=dict"], ["env.observation=dict"]),
        (["observation=entities"], ["env.observation=entities", "agent.features=partners", "agent.embedding_size=8"]),
    ],
)
def test_it_learns_numbers_too_and_with_our_networks(options, env, tmp_path, monkeypatch):
    name = small_dataset(monkeypatch, tmp_path / "data", *options, episodes=4)
    agent = load_agent(cloned(tmp_path / "run", name, "agent.epochs=2", *env).path)
    decisions = load_decisions([name], agent.observation_space, agent.action_space)
    first = (
        {key: part[0] for key, part in decisions.observations.items()}
        if isinstance(decisions.observations, dict)
        else decisions.observations[0]
    )
    assert agent.action_space.contains(agent.predict(first, mask=decisions.masks[0])[0])
    assert callable(agent.policy(0).act)


def test_data_of_another_environment_are_refused(tmp_path, monkeypatch):
    name = small_dataset(monkeypatch, tmp_path / "data", episodes=1)
    assert CONCURRENT.startswith("scml_gym/")
    for data, options, message in (
        (name, ["env.action=continuous"], "which are not those of this environment"),
        (
            "tests/best-subse-v0",
            [],
            "agent.data: there is no dataset 'tests/best-subse-v0'; did you mean 'tests/best-subset-v0'?",
        ),
    ):
        with pytest.raises(InputError) as refused:
            cloned(tmp_path / "run", data, *options)
        assert message in str(refused.value)
        assert not (tmp_path / "run").exists()
