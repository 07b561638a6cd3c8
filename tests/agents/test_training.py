import os
import subprocess
import sys

import pytest
import yaml

from scml_gym.agents.training import start
from scml_gym.experiments.run_folder import Run
from tests.helpers.scripts import ROOT, Script, in_forked_process, in_new_interpreter

SMALL = [
    "maskable_ppo",
    *("--set", "env.days=3", "--set", "env.factories_per_level=4", "--set", "agent.n_envs=1"),
    *("--set", "agent.n_steps=16", "--set", "agent.batch_size=16", "--set", "agent.n_epochs=1"),
    *("--set", "checkpoint_minutes=0"),
]


def numbers(row):
    return {name: value for name, value in row.items() if value}


@pytest.mark.slow
def test_killed_and_resumed_a_training_ends_as_configured(tmp_path, command_line):
    folder = tmp_path / "run"
    total = 480
    arguments = [*SMALL, "--set", f"agent.total_steps={total}", "--out", str(folder)]
    script = Script(tmp_path, [sys.executable, ROOT / "train.py", *arguments])
    script.wait_for(lambda: folder.exists() and Run.open(folder).step)
    script.process.kill()
    script.ended()
    killed = Run.open(folder)
    assert 0 < killed.step < total
    before = [numbers(row) for row in killed.curve() if int(row["step"]) <= killed.step]

    done = command_line("train.py", "--resume", folder)
    assert done.returncode == 0, done.stderr
    run = Run.open(folder)
    rows = run.curve()
    assert run.step == total
    assert [int(row["step"]) for row in rows] == list(range(16, total + 1, 16))
    assert [numbers(row) for row in rows[: len(before)]] == before
    assert (folder / "learning_curve.png").is_file()
    assert (folder / "command.txt").read_text().count("\n") == 2


@pytest.mark.slow
def test_the_same_seed_trains_the_same_in_every_process(tmp_path, command_line):
    curves = []
    for hash_seed, variables in (("0", {}), ("1", {"PYTHONHASHSEED": "1"})):
        folder = tmp_path / hash_seed
        arguments = [*SMALL, "--set", "agent.total_steps=64", "--seed", 3, "--out", folder]
        done = command_line("train.py", *arguments, **variables)
        assert done.returncode == 0, done.stderr
        assert "trained 64 steps" in done.stdout
        curves.append((folder / "learning_curve.csv").read_bytes())
    assert curves[0] == curves[1]
    assert Run.open(tmp_path / "1").config["seed"] == 3


@pytest.mark.slow
def test_a_training_against_scmls_own_agents_repeats_too(tmp_path, monkeypatch):
    """They iterate over sets of names: `train.py` fixes the hash seed, to that of forked processes, where the user has
    not."""
    monkeypatch.delenv("PYTHONHASHSEED", raising=False)
    curves = []
    for name, run in (("forked", in_forked_process), ("new", in_new_interpreter)):
        small = ["agent.training.worlds=2", "agent.training.log_every=1", "env.days=3", "env.backend=reference"]
        small += ["env.opponents=[scml:SyncRandomOneShotAgent, scml:EqualDistOneShotAgent]"]
        options = [part for option in small for part in ("--set", option)]
        command = [sys.executable, ROOT / "train.py", "q_learning", *options, "--out", tmp_path / name]
        done = run(tmp_path, command, {})
        assert done.returncode == 0, done.stderr
        curves.append((tmp_path / name / "learning_curve.csv").read_bytes())
    assert curves[0] == curves[1]


WRONG = {
    "no experiment": ([], "give an EXPERIMENT"),
    "unknown experiment": (["pppo"], "did you mean 'ppo'?"),
    "misspelt option": (["ppo", "--sed", "1"], "--sed"),
    "misspelt key": (
        ["ppo", "--set", "agent.gama=1"],
        "agent.gama: unknown key; did you mean 'gamma'?",
    ),
    "wrong value": (["ppo", "--set", "env.days=many"], "many"),
    "negative seed": (["ppo", "--seed", "-1"], "--seed -1: seed: -1 is not valid"),
    "no run": (["--resume", "nowhere"], "nowhere is not a run folder"),
    "resume with more": (["ppo", "--resume", "used"], "give nothing else"),
    "folder in use": (["ppo", "--out", "used"], "used exists and is not empty"),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", WRONG)
def test_bad_input_is_told_in_one_line_and_nothing_is_written(case, tmp_path, command_line):
    arguments, told = WRONG[case]
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "file").write_text("mine")
    done = command_line("train.py", *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert told in done.stderr
    assert [p.name for p in tmp_path.rglob("*")] == ["used", "file"]
    assert (tmp_path / "used" / "file").read_text() == "mine"


class Fails:
    """A learner that fails, possibly after a first row."""

    def __init__(self, rows):
        self.rows = rows

    @classmethod
    def build(cls, config, env):
        return cls(config["rows"])

    def train(self, run):
        for step in range(self.rows):
            run.log(step, value=1.0)
        raise RuntimeError("of the learner's own")


def test_a_folder_in_which_nothing_was_learnt_does_not_stay(tmp_path):
    experiment = {"seed": 1, "threads": 1, "checkpoint_minutes": 1, "env": {"id": "scml_gym/Bilateral-v0"}}
    experiment["agent"] = {"name": f"{__name__}:Fails", "rows": 0}
    file, folder = tmp_path / "fails.yaml", tmp_path / "run"
    file.write_text(yaml.safe_dump(experiment))
    for rows, stays in ((0, False), (2, True)):
        with pytest.raises(RuntimeError, match="of the learner's own"):
            start(file, [f"agent.rows={rows}"], out=folder)
        assert folder.exists() == stays
    assert len(Run.open(folder).curve()) == 2


@pytest.mark.slow
def test_help_is_quick_and_loads_nothing_heavy(command_line):
    done = command_line("train.py", "--help")
    assert done.returncode == 0
    assert "--resume" in done.stdout
    experiments = " ".join(done.stdout.split()).rpartition("Experiments: ")[2].rstrip(".").split(", ")
    assert experiments == sorted(path.stem for path in (ROOT / "configs" / "experiment").glob("*.yaml"))
    probe = "import sys, train; print([m for m in ('torch', 'scml', 'negmas', 'matplotlib') if m in sys.modules])"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    loaded = subprocess.run([sys.executable, "-c", probe], env=environment, capture_output=True, text=True)
    assert loaded.stdout == "[]\n"
