"""Tabular Q-learning in worlds: training, resuming, saving, playing, and the switches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scml_gym.agents.q_learning import QLearning, compiled, policy
from scml_gym.agents.q_learning.curves import plot_opponents
from scml_gym.agents.q_learning.tables import load_tables
from scml_gym.agents.q_learning.training import MIXED, SELF_PLAY, Trainer, Worlds
from scml_gym.core.config import load_experiment, merge
from scml_gym.core.errors import InputError
from scml_gym.experiments.run_folder import Run
from scml_gym.game.world import FactoryPolicy
from scml_gym.jit.cache import code_folder
from scml_gym.jit.sources import source_files
from scml_gym.oneshot.view import BUYER, SELLER, new_view
from scml_gym.oneshot.worlds.generation import league_spec
from scml_gym.oneshot.worlds.reference import ReferenceWorld
from tests.helpers.q_learning import CHANGES, ENV, config, hyperparameters


def test_players_share_nothing_that_changes():
    agent = QLearning.build(config(), ENV)
    before = agent.tables.values.copy()
    spec = league_spec(3, 5, 3)
    policies = [agent.policy(7) for _ in range(spec.n_factories)]
    assert all(isinstance(p, FactoryPolicy) for p in policies)
    ReferenceWorld(spec, policies, 7).run()
    assert np.array_equal(before, agent.tables.values)
    played = [p.learner for p in policies]
    assert all(one.values.shape[0] == 3 and one.memory["table"][:3].tolist() == [0, 1, 2] for one in played)
    changed = [not np.array_equal(v, before[i >= 3]) for i, one in enumerate(played) for v in one.values]
    assert np.mean(changed) > 0.9


def play(agent: QLearning, seed=5) -> np.ndarray:
    spec = league_spec(seed, 5, 3)
    world = ReferenceWorld(spec, [agent.policy(seed) for _ in range(spec.n_factories)], seed)
    world.run()
    return world.profits.copy()


@pytest.mark.slow
def test_play_repeats_and_its_switches_switch():
    agent = QLearning.build(config(), ENV)
    trainer = Trainer(agent.hyperparameters, Worlds(ENV), agent.tables, 0)
    for index in range(5):
        trainer.play(index)

    def with_play(**changes):
        return QLearning(hyperparameters(**{f"play__{k}": v for k, v in changes.items()}), ENV, agent.tables)

    assert np.array_equal(play(agent), play(agent))
    untrained = play(QLearning.build(config(), ENV))
    assert np.array_equal(play(with_play(pretrained=False)), untrained)
    assert not np.array_equal(play(agent), untrained)
    view = new_view()
    view["n_partners"] = 3

    def begun(**changes):
        player = with_play(**changes).policy(5)
        player.begin(view)
        return player.learner

    assert begun(learn=False).rules["rate"] == 0.0 and begun().rules["rate"] > 0.0
    assert len(begun(per_opponent=False).values) == 1 and len(begun().values) == 3
    exploring = begun(epsilon_start=0.5, epsilon_end=0.1).rules
    assert (exploring["epsilon_start"], exploring["epsilon_end"]) == (0.5, 0.1)
    assert not np.array_equal(play(with_play(epsilon_start=0.5)), play(agent))


def trained(seed, worlds=6, env=ENV, **changes):
    agent = QLearning.build(config(**changes), env)
    trainer = Trainer(agent.hyperparameters, Worlds(env), agent.tables, seed)
    for index in range(worlds):
        trainer.play(index)
    return agent.tables, trainer.row(worlds - 1)


def test_training_is_a_function_of_the_seed():
    (first, row), (again, row_again), (other, _) = trained(1), trained(1), trained(2)
    assert row == row_again and row["worlds"] == 6
    assert equal(first, again)
    assert all(first.visits[level].any() for level in (SELLER, BUYER))
    assert not np.array_equal(first.values, other.values)


@pytest.mark.slow
@pytest.mark.parametrize("changes", CHANGES)
def test_both_worlds_train_the_same_tables(changes):
    """Self-play, single opponents and mixed fields: the reference world and the compiled one, to the last bit."""
    env = ENV | {"opponents": ["best-subset", "single-agreement"], "days": 3}
    (fast, row), (slow, its_row) = (
        trained(3, 8, env | {"backend": backend}, training__self_play=1.0, **changes)
        for backend in ("compiled", "reference")
    )
    assert {f"score/{kind}" for kind in (SELF_PLAY, MIXED, "best-subset", "single-agreement")} <= set(row)
    assert row == its_row
    assert equal(fast, slow)


def test_compiled_learning_is_kept_on_disk_by_its_source():
    assert code_folder() is not None
    for function in (compiled._play, policy._decide):
        assert function.stats.cache_path == str(code_folder())
        names = {path.name for path in source_files(function)}
        assert {"decision.py", "view.py"} <= names


@pytest.mark.slow
def test_it_learns_to_trade():
    """Without any knowledge at first, within some hundred worlds."""
    env = ENV | {"days": 10, "opponents": ["best-subset", "greedy"]}
    agent = QLearning.build(config(training__worlds=400, initialisation__preference=0.0), env)
    trainer, scores = Trainer(agent.hyperparameters, Worlds(env), agent.tables, 0), []
    for index in range(400):
        trainer.play(index)
        if index in (9, 349, 399):
            scores.append(trainer.row(index)["score/all"])
    assert scores[-1] > max(1.03, scores[0] + 0.07)
    assert trainer.decisions > 10_000 and trainer.updates > trainer.decisions


def a_run(folder: Path, **changes) -> tuple[Run, QLearning]:
    conf = {"seed": 1, "agent": config(**changes), "env": ENV, "checkpoint_minutes": 0, "threads": 1}
    return Run.create(folder, conf, "test"), QLearning.build(conf["agent"], ENV)


def equal(mine, theirs) -> bool:
    return np.array_equal(mine.values, theirs.values) and np.array_equal(mine.visits, theirs.visits)


@pytest.mark.slow
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
    assert equal(agent.tables, resumed.tables)
    assert (whole.path / "learning_curve.csv").read_bytes() == (broken.path / "learning_curve.csv").read_bytes()
    assert (whole.path / "opponents.png").stat().st_size > 1000
    columns = whole.curve()[-1]
    assert f"reward/{SELF_PLAY}" in columns and columns["epsilon"]


def test_saved_and_loaded_tables_are_equal(tmp_path):
    agent = QLearning.build(config(), ENV)
    Trainer(agent.hyperparameters, Worlds(ENV), agent.tables, 0).play(0)
    agent.worlds_played, agent.negotiations = 1, 36
    agent.save(tmp_path)
    other = QLearning.load(tmp_path)
    assert other.hyperparameters == agent.hyperparameters and other.env == agent.env
    assert (other.worlds_played, other.negotiations) == (1, 36)
    assert equal(agent.tables, other.tables)
    assert np.array_equal(play(agent), play(other))


def test_bad_folders_are_refused(tmp_path):
    with pytest.raises(InputError, match="cannot read"):
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
        ({}, {"opponents": ["scml:GreedyOneShotAgent"]}, "backend='reference'"),
        ({}, {"backend": "compield"}, "compiled"),
        ({}, {"generator": "compield"}, "compiled"),
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
    assert agent.tables.values.shape == (2, agent.states.n, agent.actions.n)


def test_curves_of_opponents():
    rows = [{"step": str(i), "reward/self-play": "1.0", "reward/a": "", "reward/b": str(i)} for i in range(3)]
    assert plot_opponents(rows, "title").startswith(b"\x89PNG")
