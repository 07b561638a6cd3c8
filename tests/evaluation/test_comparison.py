"""Trainings are compared by groups of runs: tables, figures and one-line refusals."""

import csv
import sys

import numpy as np
import pytest

from scml_gym.core.errors import InputError
from scml_gym.evaluation.comparison import compare, improvements, profile, summary
from scml_gym.evaluation.plot_command import plot_command
from scml_gym.experiments.run_folder import Run


@pytest.fixture
def runs(tmp_path):
    """``runs(values, agent=.., env=..)``: run folders that ended with these scores."""
    made = []

    def make(values, agent="ppo", env="e", column="score", **settings):
        folders = []
        for value in values:
            config = {"seed": len(made), "agent": {"name": agent} | settings, "env": {"id": env}}
            run = Run.create(tmp_path / "runs" / str(len(made)), config | {"loggers": []}, "train")
            for step, share in ((10, 0.5), (20, 1.0)):
                run.log(step, **{column: share * value})
            made.append(run)
            folders.append(run.path)
        return folders

    return make


def rows(files, name):
    return list(csv.DictReader(files[name].splitlines()))


@pytest.mark.slow
def test_means_and_intervals_of_two_learners(runs):
    better, worse = [1.0, 1.1, 1.2, 1.3], [0.1, 0.2, 0.3, 0.4]
    files = compare([*runs(better), *runs(worse, agent="dqn")], "agent", None)
    assert set(files) == {"summary.csv", "improvement.csv", "curves.png", "profile.png"}
    first, second = rows(files, "summary.csv")
    assert (first["group"], first["runs"], second["group"]) == ("ppo", "4", "dqn")
    assert float(first["mean"]) == pytest.approx(np.mean(better))
    assert float(first["iqm"]) == pytest.approx(1.15)
    assert 1.0 < float(first["mean_low"]) < float(first["mean"]) < float(first["mean_high"]) < 1.3
    (pair,) = rows(files, "improvement.csv")
    assert [float(pair[k]) for k in ("probability", "low", "high")] == [1.0, 1.0, 1.0]


@pytest.mark.slow
def test_equal_runs_improve_on_each_other_in_half_of_the_cases():
    same = np.array([[1.0], [2.0], [3.0]])
    (pair,) = improvements({"a": same, "b": same})
    assert pair["probability"] == 0.5
    assert pair["low"] < 0.5 < pair["high"]


def test_runs_are_drawn_within_their_task():
    (row,) = summary({"a": np.array([[0.0, 10.0], [0.0, 10.0]])})
    assert (row["mean"], row["mean_low"], row["mean_high"]) == (5.0, 5.0, 5.0)


def test_a_profile_is_the_share_that_reaches_more():
    assert profile(np.array([[1.0], [2.0]]), np.array([0.0, 1.0, 1.5, 2.0])).tolist() == [1.0, 0.5, 0.5, 0.0]


@pytest.mark.slow
def test_groups_are_of_any_key_or_of_each_run(runs):
    folders = [*runs([1.0, 2.0], rate=0.1), *runs([3.0], rate=0.2)]
    assert [row["group"] for row in rows(compare(folders, "agent.rate", None), "summary.csv")] == ["0.1", "0.2"]
    each = rows(compare(folders, "run", None), "summary.csv")
    assert [row["group"] for row in each] == [str(folder) for folder in folders]
    assert each[0]["mean_low"] == "nan"
    one = compare(folders[:2], "agent", "score", "svg")
    assert set(one) == {"summary.csv", "curves.svg", "profile.svg"}


def test_bad_input_is_told_in_one_line_and_nothing_is_written(runs, tmp_path):
    folders = runs([1.0, 2.0])
    empty = Run.create(tmp_path / "empty", {"seed": 0, "agent": {"name": "x"}, "env": {}}, "train").path
    other = runs([1.0], column="welfare")
    uneven = [*folders, *runs([1.0], env="f")]
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "file").touch()
    new, used = tmp_path / "new", tmp_path / "used"
    for paths, by, column, form, out, told in (
        ([tmp_path / "nowhere"], "agent", None, "png", new, "nowhere is not a run folder"),
        ([empty], "agent", None, "png", new, "empty: its learning curve has no rows yet"),
        ([folders[0], folders[0]], "agent", None, "png", new, "is given twice"),
        (folders, "agent.nme", None, "png", new, "has no 'nme'; did you mean 'name'"),
        (folders, "agent.name.x", None, "png", new, "has no 'x'; valid: run"),
        (folders, "agent", "scor", "png", new, "--column scor: not every run has it; did you mean 'score'"),
        ([*folders, *other], "agent", None, "png", new, "give a --column that every run has; valid: none"),
        (folders, "agent", None, "gif", new, "--format gif: there is no such format"),
        (uneven, "agent", None, "png", new, "ppo: each environment needs equally many runs"),
        (folders, "agent", None, "png", used, "used exists and is not empty"),
    ):
        with pytest.raises(InputError) as refused:
            plot_command(paths, by, column, form, out, "plot")
        assert told in str(refused.value)
        assert "\n" not in str(refused.value)
        assert not new.exists()


def test_without_rliable_it_says_what_to_install(runs, monkeypatch):
    monkeypatch.setitem(sys.modules, "rliable", None)
    with pytest.raises(InputError, match=r"pip install 'scml-gym\[plot\]'"):
        compare(runs([1.0]), "agent", None)


@pytest.mark.slow
def test_the_command_writes_a_folder_and_shows_its_tables(runs, command_line, tmp_path):
    folders = [*runs([1.0, 2.0]), *runs([0.0, 0.5], agent="dqn")]
    done = command_line("evaluate.py", "plot", *folders, "--by", "agent", "--out", "compared")
    assert done.returncode == 0, done.stderr
    assert "probability" in done.stdout and "dqn" in done.stdout
    found = {path.name for path in (tmp_path / "compared").iterdir()}
    assert found == {"summary.csv", "improvement.csv", "curves.png", "profile.png", "command.txt"}
