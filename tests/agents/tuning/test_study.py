"""Searches: what they find, that they go on, that workers change nothing, and what they refuse."""

import pytest

from scml_gym.agents.training import build
from scml_gym.agents.tuning import study
from scml_gym.agents.tuning.config import load_tuning, with_values
from scml_gym.agents.tuning.study import BEST, TABLE, by_engine, tune
from scml_gym.agents.tuning.trial import run_trial
from scml_gym.core.config import Loaded, load_experiment, read_yaml
from scml_gym.core.data_files import dump_yaml
from scml_gym.core.engines.local import Local
from scml_gym.core.errors import InputError
from scml_gym.core.interrupts import Interrupted

pytest.importorskip("optuna", reason="pip install 'scml-gym[tune]'")

LEARNER = "tests.helpers.tuned:Parabola"
EXPERIMENT = {
    "seed": 0,
    "agent": {"name": LEARNER, "steps": 20, "x": 0.0, "deep": {"kind": "bad"}},
    "env": {"id": "scml_gym/OneShotConcurrent-v0"},
    "checkpoint_minutes": 0,
    "threads": 1,
}
SEARCH = {
    "agent": LEARNER,
    "budget": "agent.steps",
    "share": 0.5,
    "objective": "value",
    "reports": 5,
    "space": {"agent.x": {"low": 0.0, "high": 6.0}, "agent.deep.kind": {"choices": ["good", "bad"]}},
}


@pytest.fixture
def files(tmp_path):
    """The paths of an experiment and of a search for it; more may be said of the latter."""

    def write(**changes):
        paths = tmp_path / "experiment.yaml", tmp_path / "search.yaml"
        for path, content in zip(paths, (EXPERIMENT, SEARCH | changes), strict=True):
            path.write_text(dump_yaml(content))
        return tuple(map(str, paths))

    return write


def one_by_one(jobs):
    return map(run_trial, jobs)


def searched(paths, out, trials, execute=one_by_one, options=()):
    return tune(paths[0], trials, execute, list(options), paths[1], out=out, command="scml-gym tune again")


def test_the_best_settings_become_an_experiment(files, tmp_path):
    folder = searched(files(), tmp_path / "out", 24)
    table = (folder / TABLE).read_text().splitlines()
    assert len(table) == 25
    states = [line.split(",")[1] for line in table[1:]]
    assert {"complete", "pruned"} == set(states)
    found = load_experiment(folder / BEST).config
    assert found["agent"]["steps"] == 20  # the whole training
    assert found["agent"]["deep"] == {"kind": "good"}
    assert abs(found["agent"]["x"] - 3) < 0.7
    assert read_yaml(folder / "trials" / "0000" / "config.yaml")["agent"]["steps"] == 10


@pytest.mark.parametrize(("sampler", "pruner"), [("tpe", "median"), ("random", "halving"), ("qmc", "quarter")])
def test_an_interrupted_search_goes_on_as_if_nothing_had_been(sampler, pruner, files, tmp_path):
    paths = files(sampler=sampler, pruner=pruner, together=3)

    def stopped(jobs):
        for job in jobs:
            if job.number == 4:
                raise KeyboardInterrupt
            yield run_trial(job)

    whole = searched(paths, tmp_path / "whole", 9)
    with pytest.raises(Interrupted, match="interrupted; 4 trials are kept, go on with: scml-gym tune again"):
        searched(paths, tmp_path / "out", 9, stopped)
    folder = searched(paths, tmp_path / "out", 7)
    folder = searched(paths, folder, 9)
    for name in (TABLE, BEST):
        assert (folder / name).read_bytes() == (whole / name).read_bytes()


@pytest.mark.slow
def test_several_workers_find_the_same(files, tmp_path):
    paths = files(together=2)
    alone = searched(paths, tmp_path / "alone", 6)
    with by_engine(Local(), 2) as execute:
        folder = searched(paths, tmp_path / "both", 6, execute)
    for name in (TABLE, BEST):
        assert (folder / name).read_bytes() == (alone / name).read_bytes()


def test_what_is_wrong_is_refused_in_one_line(files, tmp_path):
    for changes, message in (
        ({"agent": "ppo"}, "tunes 'ppo', but"),
        ({"sampler": "tpee"}, "unknown sampler 'tpee'; did you mean 'tpe'?"),
        ({"pruner": "no"}, "unknown pruner 'no'"),
        ({"space": {"agent.y": {"low": 0, "high": 1}}}, "agent.y: the experiment has no such setting"),
        ({"space": {"agent.x": {"low": 2, "high": 1}}}, "low=2 is above high=1"),
        ({"space": {"agent.x": {}}}, "valid: low and high, or choices"),
        ({"budget": "agent.worlds"}, "agent.worlds: the experiment has no such setting"),
        ({"budget": "agent.deep"}, "budget: agent.deep is {'kind': 'bad'}; valid: a setting that is a number above 0"),
        ({"budget": "agent.x"}, "budget: agent.x is 0.0; valid"),
        ({"space": {"env": {"choices": [1]}}}, "space.env: a section is no setting that is searched"),
        ({"space": {"agent.steps": {"low": 1, "high": 2}}}, "space.agent.steps: the budget is no setting"),
        ({"space": {"agent.x": {"low": 0, "high": 6, "step": 0.5}}}, "step=0.5 is for ranges of numbers, and whole"),
        ({"space": {"agent.x": {"low": 0.0, "high": 6.0, "step": 0}}}, "greater than 0"),
        ({"space": {"agent.x": {"choices": [1, 2], "step": 1}}}, "step=1 is for ranges of numbers"),
        ({"sampler": "os:getcwd"}, "'os:getcwd' makes no BaseSampler of Optuna"),
        ({"pruner": "os:getcwd"}, "'os:getcwd' makes a str, which is no BasePruner of Optuna"),
    ):
        with pytest.raises(InputError) as refused:
            searched(files(**changes), tmp_path / "out", 2)
        assert message in str(refused.value) and "\n" not in str(refused.value)
        assert not (tmp_path / "out").exists()
    with pytest.raises(InputError, match="no row of the learning curve has 'step' and 'score'; it has step, value"):
        searched(files(objective="score"), tmp_path / "wrong", 2)
    with pytest.raises(InputError, match="--trials=0"):
        searched(files(), tmp_path / "out", 0)


def test_settings_that_the_learner_does_not_take_are_left_out(files, tmp_path, capsys):
    space = {"agent.x": SEARCH["space"]["agent.x"], "agent.deep.kind": {"choices": ["good", "odd"]}}
    folder = searched(files(space=space), tmp_path / "out", 10)
    states = [line.split(",")[1] for line in (folder / TABLE).read_text().splitlines()[1:]]
    assert len(states) == 10 and {"fail", "complete"} <= set(states)
    assert load_experiment(folder / BEST).config["agent"]["deep"] == {"kind": "good"}
    notes = [line for line in capsys.readouterr().err.splitlines() if line.startswith("note: ")]
    assert len(notes) == states.count("fail")
    assert all("agent.deep.kind: 'odd' is not valid" in note and "the trial is left out" in note for note in notes)
    odd = {"agent.deep.kind": {"choices": ["odd"]}}
    with pytest.raises(InputError, match=r"trial 4: agent.deep.kind: .*no trial before it was better"):
        searched(files(space=odd), tmp_path / "odd", 10)


def test_a_training_that_diverges_is_left_out(files, tmp_path, capsys):
    space = {"agent.x": {"choices": [3.0, 1e200]}}
    folder = searched(files(space=space, pruner="none", sampler="random"), tmp_path / "out", 6)
    assert {line.split(",")[1] for line in (folder / TABLE).read_text().splitlines()[1:]} == {"fail", "complete"}
    assert "value is -inf; the trial is left out" in capsys.readouterr().err
    assert load_experiment(folder / BEST).config["agent"]["x"] == 3


def test_a_folder_of_another_search_is_refused(files, tmp_path):
    folder = searched(files(), tmp_path / "out", 1)
    before = (folder / study.TUNE).read_bytes()
    with pytest.raises(InputError, match=r"is a search of another experiment \(agent.steps differs\)"):
        searched(files(), folder, 2, options=["agent.steps=40"])
    with pytest.raises(InputError, match=r"is a search of another tuning \(share differs\)"):
        searched(files(), folder, 2, options=["tune.share=0.25"])
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="is no folder of a search; nothing is overwritten"):
        searched(files(), tmp_path / "other", 2)
    assert (folder / study.TUNE).read_bytes() == before


def test_a_line_that_a_kill_left_half_written_is_dropped(files, tmp_path):
    whole = searched(files(), tmp_path / "whole", 5)
    folder = searched(files(), tmp_path / "out", 3)
    journal = folder / study.JOURNAL
    journal.write_bytes(journal.read_bytes() + journal.read_bytes()[:40])
    searched(files(), folder, 5)
    assert (folder / TABLE).read_bytes() == (whole / TABLE).read_bytes()


@pytest.mark.parametrize("content", [b"garbage\n", b"\xff\x00\n" * 9, b"{}\n[]\n"])
def test_a_damaged_journal_is_told_in_one_line(content, files, tmp_path):
    folder = searched(files(), tmp_path / "out", 1)
    (folder / study.JOURNAL).write_bytes(content)
    with pytest.raises(InputError, match=r"study\.log: cannot be read as a journal of Optuna") as refused:
        searched(files(), folder, 2)
    assert "\n" not in str(refused.value)
    assert (folder / study.JOURNAL).read_bytes() == content


def test_an_executor_tells_of_each_job_once(files, tmp_path):
    with pytest.raises(ValueError, match="shorter"):
        searched(files(), tmp_path / "out", 2, lambda jobs: [])


@pytest.mark.parametrize("name", ["fast_planner", "q_learning"])
def test_the_searches_of_the_package_are_of_their_experiments(name):
    loaded = load_experiment(name)
    tuning, path = load_tuning(name, loaded, None, [])
    assert path.stem == name
    assert 0 < tuning.share < 1
    for end in (0, -1):  # the learner takes both ends of all ranges
        values = {key: (dimension.choices or dimension.ends)[end] for key, dimension in tuning.space.items()}
        build(Loaded(with_values(loaded.config, values), {"": name}))
