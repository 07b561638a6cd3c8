"""Tabular Q-learning in worlds: training, resuming, saving, playing, and the switches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agents.q_learning import QLearning
from agents.q_learning.curves import plot_opponents
from agents.q_learning.tables import load_tables
from agents.q_learning.training import SELF_PLAY, Trainer, Worlds
from scml_gym.config import load_experiment, merge
from scml_gym.errors import InputError
from scml_gym.runs import Run
from scml_gym.view import BUYER, SELLER, new_view
from scml_gym.worlds.generation import league_spec
from scml_gym.worlds.protocol import FactoryPolicy
from scml_gym.worlds.reference import ReferenceWorld
from tests.test_q_learning import ENV, config, settings


def test_players_share_nothing_that_changes():
    agent = QLearning.build(config(), ENV)
    before = [t.values.copy() for t in agent.tables]
    spec = league_spec(3, 5, 3)
    policies = [agent.policy(7) for _ in range(spec.n_factories)]
    assert all(isinstance(p, FactoryPolicy) for p in policies)
    ReferenceWorld(spec, policies, 7).run()
    assert all(np.array_equal(a, t.values) for a, t in zip(before, agent.tables, strict=True))
    assert len({id(t) for p in policies for t in p.tables}) == sum(len(p.tables) for p in policies)
    changed = [not np.array_equal(t.values, before[i >= 3]) for i, p in enumerate(policies) for t in p.tables]
    assert np.mean(changed) > 0.9


def play(agent: QLearning, seed=5) -> np.ndarray:
    spec = league_spec(seed, 5, 3)
    world = ReferenceWorld(spec, [agent.policy(seed) for _ in range(spec.n_factories)], seed)
    world.run()
    return world.profits.copy()


def test_play_repeats_and_its_switches_switch():
    agent = QLearning.build(config(), ENV)
    Trainer(agent.settings, Worlds(ENV), agent.tables, 0).play(0)

    def with_play(**changes):
        return QLearning(settings(**{f"play__{k}": v for k, v in changes.items()}), ENV, agent.tables)

    assert np.array_equal(play(agent), play(agent))
    untrained = play(QLearning.build(config(), ENV))
    assert np.array_equal(play(with_play(pretrained=False)), untrained)
    assert not np.array_equal(play(agent), untrained)
    still = with_play(learn=False).policy(5)
    assert still._rate == 0.0
    one = with_play(per_opponent=False).policy(5)
    view = new_view()
    view["n_partners"] = 3
    one.begin(view)
    assert len({id(t) for t in one.tables}) == 1
    assert with_play(epsilon_start=0.5, epsilon_end=0.1).policy(5)._epsilon(0.5) == pytest.approx(0.3)


def test_training_is_a_function_of_the_seed():
    def train(seed):
        agent = QLearning.build(config(), ENV)
        trainer = Trainer(agent.settings, Worlds(ENV), agent.tables, seed)
        for index in range(3):
            trainer.play(index)
        return agent.tables, trainer.row(2)

    (first, row), (again, row_again), (other, _) = train(1), train(1), train(2)
    assert row == row_again and row["worlds"] == 3
    for level in (SELLER, BUYER):
        assert np.array_equal(first[level].values, again[level].values)
        assert np.array_equal(first[level].visits, again[level].visits)
        assert not np.array_equal(first[level].values, other[level].values)


def a_run(folder: Path, **changes) -> tuple[Run, QLearning]:
    conf = {"seed": 1, "agent": config(**changes), "env": ENV, "checkpoint_minutes": 0, "threads": 1}
    return Run.create(folder, conf, "test", "agents.q_learning:QLearning"), QLearning.build(conf["agent"], ENV)


def test_resumed_training_ends_as_an_uninterrupted_one(tmp_path, monkeypatch):
    changes = {"training__worlds": 4, "training__log_every": 1, "training__self_play": 2.0}
    whole, agent = a_run(tmp_path / "whole", **changes)
    agent.train(whole)
    broken, cut = a_run(tmp_path / "broken", **changes)
    played = Trainer.play

    def die(self, index):
        if index == 2:
            raise KeyboardInterrupt
        played(self, index)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "play", die)
        with pytest.raises(KeyboardInterrupt):
            cut.train(broken)
    assert 0 < broken.step < whole.step
    _, resumed = a_run(tmp_path / "other", **changes)
    broken.resumed("again")
    resumed.train(broken)
    assert resumed.worlds_played == 4 and resumed.negotiations == agent.negotiations == whole.step
    for mine, theirs in zip(agent.tables, resumed.tables, strict=True):
        assert np.array_equal(mine.values, theirs.values) and np.array_equal(mine.visits, theirs.visits)
    assert (whole.path / "learning_curve.csv").read_bytes() == (broken.path / "learning_curve.csv").read_bytes()
    assert (whole.path / "opponents.png").stat().st_size > 1000
    columns = whole.curve()[-1]
    assert f"reward/{SELF_PLAY}" in columns and columns["epsilon"]


def test_saved_and_loaded_tables_are_equal(tmp_path):
    agent = QLearning.build(config(), ENV)
    Trainer(agent.settings, Worlds(ENV), agent.tables, 0).play(0)
    agent.worlds_played, agent.negotiations = 1, 36
    agent.save(tmp_path)
    other = QLearning.load(tmp_path)
    assert other.settings == agent.settings and other.env == agent.env
    assert (other.worlds_played, other.negotiations) == (1, 36)
    for mine, theirs in zip(agent.tables, other.tables, strict=True):
        assert np.array_equal(mine.values, theirs.values) and np.array_equal(mine.visits, theirs.visits)
    assert np.array_equal(play(agent), play(other))


def test_bad_folders_are_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        QLearning.load(tmp_path / "none")
    agent = QLearning.build(config(), ENV)
    agent.save(tmp_path)
    meta = tmp_path / "q_learning.json"
    text = meta.read_text()
    meta.write_text(text.replace("q-tables-1", "q-tables-0"))
    with pytest.raises(InputError, match="schema"):
        load_tables(tmp_path)
    meta.write_text(text.replace('"needs_bins": 10', '"needs_bins": 9'))
    with pytest.raises(InputError, match="tables of"):
        QLearning.load(tmp_path)
    meta.write_text(text)
    (tmp_path / "tables.npz").write_bytes((tmp_path / "tables.npz").read_bytes()[:100])
    with pytest.raises(InputError, match="cannot be read"):
        QLearning.load(tmp_path)


@pytest.mark.parametrize(
    ("agent", "env", "problem"),
    [
        ({"learning": {"gama": 1.0}}, {}, "agent.learning.gama"),
        ({"states": {"kind": "all"}}, {}, "agent.states.kind"),
        ({"training": {"self_play": 0.0, "single": 0.0, "mixed": 0.0}}, {}, "all 0"),
        ({}, {"days": "many"}, "env.days"),
        ({}, {"level": "buyer"}, "env.level"),
        ({}, {"opponents": ["best-subste"]}, "best-subset"),
    ],
)
def test_bad_configurations_are_refused(agent, env, problem):
    with pytest.raises(InputError, match=problem):
        QLearning.build(merge(config(), agent), ENV | env)


@pytest.mark.parametrize("name", ["q_learning", "demo"])
def test_experiments_are_complete(name):
    loaded = load_experiment(name)
    env = {key: value for key, value in loaded.config["env"].items() if key != "name"}
    agent = QLearning.build(loaded.config["agent"], env)
    assert agent.tables[0].values.shape == (agent.states.n, agent.actions.n)


def test_curves_of_opponents():
    rows = [{"step": str(i), "reward/self-play": "1.0", "reward/a": "", "reward/b": str(i)} for i in range(3)]
    assert plot_opponents(rows, "title").startswith(b"\x89PNG")
