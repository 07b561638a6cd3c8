"""``--engine ray``: what several machines compute is what this one computes, also where one of them is lost."""

import os
import signal
import subprocess
import sys
import threading
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from scml_gym.agents import STUDIES
from scml_gym.agents.seeds import start_seeds
from scml_gym.core.engines import find_engine
from scml_gym.core.engines.ray_actors import BEGINNING
from scml_gym.evaluation import evaluate_command
from scml_gym.evaluation.studies.study import load_study, run_study
from tests.helpers.clusters import HEAD, MARK, QUICK, ThreeNodes, kill_the_node_that_waits
from tests.helpers.offline import CONCURRENT, SMALL

pytestmark = [  # that Ray is there is seen without loading it, which takes each process of a test run seconds
    pytest.mark.slow,
    pytest.mark.cluster,
    pytest.mark.skipif(find_spec("ray") is None, reason="pip install 'scml-gym[ray]'"),
]

OWN = """\
from pathlib import Path

from scml.oneshot.agents import GreedyOneShotAgent

from tests.helpers.clusters import wait_for_the_end_of_this_node
from tests.helpers.tiny_study import TinyStudy
from tests.helpers.tuned import Parabola


class Learner(Parabola):
    def train(self, run):
        if Path("{beside}").exists():
            wait_for_the_end_of_this_node("{beside}")
        super().train(run)


class Patient(GreedyOneShotAgent):
    \"\"\"Asks what must be done for its machine to be lost.\"\"\"

    def before_step(self):
        beside = Path("{beside}")
        if self.awi.current_step == 1 and beside.exists():
            wait_for_the_end_of_this_node(beside)
        super().before_step()


class Study(TinyStudy):
    def compute(self, run, advance):
        if self.config.wait_at and Path(self.config.wait_at).exists():
            wait_for_the_end_of_this_node(self.config.wait_at)
        return super().compute(run, advance)
"""
"""A user's module; tests import nothing of it, so that it must be sent to be found."""

STUDY = """\
name: own:Study
seed: 3
games: 5
rounds: 10
noise: {none: 0.0, little: 0.1, much: 0.5, more: 0.7, most: 0.9}
wait_at: ""
"""


EXPERIMENT = """\
seed: 0
agent: {name: "own:Learner", steps: 20, x: 0.0, deep: {kind: bad}}
env: {id: scml_gym/OneShotConcurrent-v0}
checkpoint_minutes: 0
threads: 1
"""
SEARCH = """\
agent: own:Learner
budget: agent.steps
share: 0.5
objective: value
reports: 5
together: 3
space: {agent.x: {low: 0.0, high: 6.0}, agent.deep.kind: {choices: [good, bad]}}
"""


@pytest.fixture(scope="module")
def nodes():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("PYTHONPATH", os.pathsep.join([os.getcwd(), QUICK]))
        started = ThreeNodes()
        yield started
        started.end()


@pytest.fixture
def here(nodes, tmp_path, monkeypatch):
    """The folder that a user is in, and beside it, where nothing is sent from, one in which the head is told."""
    nodes.complete()
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[3]))
    folder, beside = tmp_path / "mine", tmp_path / "beside"
    folder.mkdir()
    beside.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "own", raising=False)  # of another test
    (beside / HEAD).write_text(str(nodes.head()))
    (folder / "own.py").write_text(OWN.format(beside=beside))
    yield folder
    # a thread that still asks Ray for something when Ray is shut down would crash the process
    assert BEGINNING not in {thread.name for thread in threading.enumerate()}


def contents(folder, *patterns):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for pattern in patterns for path in folder.rglob(pattern)
    }


def wait_until(condition):
    end = time.monotonic() + 200
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def killed(folder):
    thread = threading.Thread(target=kill_the_node_that_waits, args=(folder,), daemon=True)
    thread.start()


def test_a_tournament_of_which_a_machine_is_lost_is_that_of_one_machine(nodes, here, capfd):
    options = {
        "competitors": ["own:Patient", "best-subset"],
        "background": ["greedy"],
        "worlds": 4,
        "days": 5,
        "factories": 2,
        "seed": 7,
        "record": 1,
    }
    beside = here.parent / "beside"
    beside.rename(here / "later")
    assert evaluate_command(None, options | {"workers": 1, "out": here / "local"}, "x") == 0
    (here / "later").rename(beside)
    killed(beside)
    assert evaluate_command(None, options | {"out": here / "ray"}, "x", find_engine("ray", nodes.address)) == 0
    assert "is lost; its jobs are played again" in capfd.readouterr().err
    local, ray = (contents(here / name, "*.csv", "*.parquet") for name in ("local", "ray"))
    assert {"scores.csv", "failures.csv"} < set(local)
    assert len(local) > 6
    assert ray == local


def test_a_study_of_which_a_machine_is_lost_is_that_of_one_machine(nodes, here, capfd):
    (here / "study.yaml").write_text(STUDY)
    run_study(*load_study(STUDIES, "study.yaml"), here / "local")
    study, config = load_study(STUDIES, "study.yaml", [f"wait_at={here.parent / 'beside'}"])
    killed(here.parent / "beside")
    run_study(study, config, here / "ray", None, engine=find_engine("ray", nodes.address))
    assert "is lost; its jobs are played again" in capfd.readouterr().err
    local, ray = (contents(here / name, "*.csv") for name in ("local", "ray"))
    assert local
    assert ray == local


def test_a_search_of_which_a_machine_is_lost_is_that_of_one_machine(nodes, here, capfd):
    pytest.importorskip("optuna", reason="pip install 'scml-gym[tune]'")
    from scml_gym.agents.tuning.study import by_engine, tune

    (here / "experiment.yaml").write_text(EXPERIMENT)
    (here / "search.yaml").write_text(SEARCH)
    beside = here.parent / "beside"
    beside.rename(here / "later")
    with by_engine(find_engine(), 1) as execute:
        tune("experiment.yaml", 6, execute, [], "search.yaml", out=here / "local")
    (here / "later").rename(beside)
    killed(beside)
    with by_engine(find_engine("ray", nodes.address), None) as execute:
        tune("experiment.yaml", 6, execute, [], "search.yaml", out=here / "ray")
    assert "is lost; its jobs are played again" in capfd.readouterr().err
    local, ray = (contents(here / name, "*.csv", "*.yaml", "run.json") for name in ("local", "ray"))
    assert {"trials.csv", "best.yaml", "trials/0005/learning_curve.csv"} < set(local)
    assert ray == local


def test_datasets_are_those_of_one_machine(nodes, here, monkeypatch):
    minari = pytest.importorskip("minari", reason="pip install 'scml-gym[offline]'")
    from scml_gym.offline.command import dataset_command

    found = []
    for name, engine in (("local", find_engine()), ("ray", find_engine("ray", nodes.address))):
        monkeypatch.setenv("MINARI_DATASETS_PATH", str(here / name))
        arguments = (["best-subset", "uniform"], CONCURRENT, list(SMALL), 2, 0, "tests")
        names = dataset_command(*arguments, 2 if name == "ray" else 1, engine)
        assert names == ["tests/best-subset-v0", "tests/uniform-v0"]
        found.append([episode for each in names for episode in minari.load_dataset(each).iterate_episodes()])
    assert len(found[0]) == 4
    for local, ray in zip(*found, strict=True):
        np.testing.assert_equal(ray.observations, local.observations)
        np.testing.assert_equal(ray.actions, local.actions)
        np.testing.assert_equal(ray.infos, local.infos)


def test_an_interrupted_tournament_leaves_no_process(nodes, here):
    root = Path(__file__).resolve().parents[3]
    arguments = ["own:Patient", "greedy", "--days", "5", "--out", "out", "--engine", "ray", "--address", nodes.address]
    command = [sys.executable, str(root / "evaluate.py"), *arguments]
    with subprocess.Popen(command, cwd=here, stderr=subprocess.PIPE, text=True) as process:
        wait_until(lambda: (here.parent / "beside" / MARK).exists() or process.poll() is not None)
        assert nodes.computing()
        process.send_signal(signal.SIGINT)
        told = process.communicate(timeout=60)[1]
    assert process.returncode == 130, told
    assert "worlds are kept, go on with: " in told or told.endswith("interrupted\n")
    wait_until(lambda: not nodes.computing())


def test_seeds_of_which_machines_are_lost_are_trained_as_on_one_machine(nodes, here, capfd):
    options = ["agent.updates=3000", "agent.batch=40", "agent.log_every=10", "checkpoint_minutes=0"]
    start_seeds("independent_ppo", options, [0, 2], 2, here / "local")

    def kill_soon():
        wait_until(lambda: list(here.glob("ray/seed-*/checkpoints/0*")))
        nodes.kill_workers()

    threading.Thread(target=kill_soon, daemon=True).start()
    start_seeds("independent_ppo", options, [0, 2], 2, "ray", engine=find_engine("ray", nodes.address))
    assert "is lost; its jobs are played again" in capfd.readouterr().err
    local, ray = (contents(here / name, "*.csv", "run.json", "*.npz") for name in ("local", "ray"))
    assert {"seed-0/learning_curve.csv", "seed-2/run.json"} < set(local)
    assert ray == local
    assert sorted(p.name for p in (here / "ray").iterdir()) == sorted(p.name for p in (here / "local").iterdir())
