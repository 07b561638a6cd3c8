"""Several seeds of one experiment, and trainings that begin with what another one learnt."""

import json
import signal
import sys
import time

import pytest

from scml_gym.agents.seeds import parse_seeds, runs_of
from scml_gym.agents.training import start
from scml_gym.core.errors import InputError
from scml_gym.experiments.run_folder import Run
from tests.helpers.scripts import ROOT, Script

TINY = ["agent.updates=6", "agent.batch=40", "agent.log_every=2", "checkpoint_minutes=0"]


def options(*values):
    return [part for value in values for part in ("--set", value)]


def test_seeds_are_ranges_and_lists():
    assert parse_seeds("0-4") == [0, 1, 2, 3, 4]
    assert parse_seeds("7") == [7]
    assert parse_seeds("3,0-1,10-10") == [3, 0, 1, 10]


@pytest.mark.parametrize("text", ["", "0-", "-1", "1-0", "0,0", "0-2,1", "a", "1.5", "0-99999999999", "٣", "0--1"])
def test_other_seeds_are_refused_in_one_line(text):
    with pytest.raises(InputError, match=r"^--seeds ") as refused:
        parse_seeds(text)
    assert "\n" not in str(refused.value)


@pytest.mark.slow
def test_each_seed_trains_as_it_does_alone(tmp_path, command_line):
    arguments = ["independent_ppo", *options(*TINY)]
    done = command_line("train.py", *arguments, "--seeds", "0,2", "--workers", 2, "--out", "all")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "trained: all\n"
    folder = tmp_path / "all"
    assert [path.name for path in runs_of(folder)] == ["seed-0", "seed-2"]
    assert (folder / "learning_curve.png").is_file()
    alone = start("independent_ppo", TINY, seed=2, out=tmp_path / "alone")
    assert (folder / "seed-2" / "learning_curve.csv").read_bytes() == (alone.path / "learning_curve.csv").read_bytes()
    assert Run.open(folder / "seed-2").finished

    before = {path: path.read_bytes() for path in folder.rglob("*.csv")}
    again = command_line("train.py", "--resume", "all")
    assert again.returncode == 0, again.stderr
    assert {path: path.read_bytes() for path in folder.rglob("*.csv")} == before


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "n"), [(signal.SIGKILL, 2), (signal.SIGTERM, 3)])
def test_stopped_seeds_go_on_and_end_as_others_do(kind, n, tmp_path, command_line):
    longer = [*TINY[1:], "agent.updates=200"]
    folder = tmp_path / "stopped"
    command = [sys.executable, ROOT / "train.py", "independent_ppo", *options(*longer), "--out", folder]
    script = Script(ROOT, [*command, "--seeds", f"0-{n - 1}", "--workers", 2])
    script.wait_for(lambda: list(folder.glob("seed-*/checkpoints/0*")))
    script.process.send_signal(kind)
    stopped = script.ended()
    if kind == signal.SIGTERM:
        assert stopped.returncode == 130
        assert stopped.stderr.endswith(f"interrupted; go on with: python train.py --resume {folder}\n")
    assert [path for path in runs_of(folder) if Run.open(path).step]
    assert not all(Run.open(path).finished for path in runs_of(folder)) or len(runs_of(folder)) < n
    deadline = time.monotonic() + 100
    while True:  # trainings that lost their parent end by themselves, and give the folder back
        done = command_line("train.py", "--resume", folder, "--workers", 2)
        if "another process" not in done.stderr or time.monotonic() > deadline:
            break
    assert done.returncode == 0, done.stderr
    whole = start("independent_ppo", longer, seed=1, out=tmp_path / "whole")
    assert all(Run.open(path).finished for path in runs_of(folder))
    assert (folder / "seed-1" / "learning_curve.csv").read_bytes() == (whole.path / "learning_curve.csv").read_bytes()


@pytest.mark.slow
def test_a_seed_that_fails_is_told_and_the_others_are_trained(tmp_path, command_line):
    experiment = {"seed": 1, "threads": 1, "checkpoint_minutes": 1, "env": {"id": "scml_gym/Bilateral-v0"}}
    experiment["agent"] = {"name": "tests.agents.test_training:Fails", "rows": 1}
    (tmp_path / "fails.yaml").write_text(json.dumps(experiment))
    done = command_line("train.py", "fails.yaml", "--seeds", "0-1", "--workers", 2, "--out", "all")
    assert done.returncode == 2
    told = done.stderr.splitlines()[-1]
    assert told == (
        "error: seed 0 failed (RuntimeError: of the learner's own; see all/seed-0.log); "
        "seed 1 failed (RuntimeError: of the learner's own; see all/seed-1.log); "
        "go on with: python train.py --resume all"
    )


WRONG = {
    "both": (["--seed", 1, "--seeds", "0-1"], "give --seed or --seeds, not both"),
    "workers of one": (["--workers", 2], "--workers is for several trainings at once"),
    "no workers": (["--seeds", "0-1", "--workers", 0], "--workers=0; valid: 1 or more"),
    "no run": (["--from", "nowhere"], "nowhere is not a run folder"),
    "a folder in use": (["--seeds", "0-1", "--out", "used"], "used exists and is not empty"),
    "a wrong setting": (["--seeds", "0-1", "--set", "agent.bach=1"], "did you mean 'batch'?"),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", WRONG)
def test_bad_input_is_told_in_one_line_and_nothing_is_written(case, tmp_path, command_line):
    arguments, told = WRONG[case]
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "file").write_text("mine")
    done = command_line("train.py", "independent_ppo", *arguments)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert told in done.stderr
    assert [p.name for p in tmp_path.rglob("*")] == ["used", "file"]


@pytest.mark.slow
def test_a_training_begins_with_what_another_one_learnt(tmp_path):
    first = start("independent_ppo", TINY, seed=1, out=tmp_path / "first")
    second = start("independent_ppo", TINY, seed=2, out=tmp_path / "second", begin_from=first.path)
    fresh = start("independent_ppo", TINY, seed=2, out=tmp_path / "fresh")
    assert second.step == fresh.step
    assert [row["step"] for row in second.curve()] == [row["step"] for row in fresh.curve()]
    assert [row["welfare"] for row in second.curve()] != [row["welfare"] for row in fresh.curve()]
    assert second.info["from"] == str(first.latest_checkpoint())


@pytest.mark.slow
def test_a_training_that_was_killed_before_its_first_checkpoint_still_begins_there(tmp_path):
    from scml_gym.agents.training import resume

    first = start("independent_ppo", TINY, seed=1, out=tmp_path / "first")
    whole = start("independent_ppo", TINY, seed=2, out=tmp_path / "whole", begin_from=first.path)
    killed = Run.create(tmp_path / "killed", whole.config, "train", first.latest_checkpoint())
    for checkpoint in first.path.glob("checkpoints/*"):
        (checkpoint / "networks.npz").unlink()  # what the other run does later is of no account
    resumed = resume(killed.path)
    assert (resumed.path / "learning_curve.csv").read_bytes() == (whole.path / "learning_curve.csv").read_bytes()


def test_another_learner_another_game_and_other_networks_are_refused(tmp_path):
    first = start("independent_ppo", TINY, seed=1, out=tmp_path / "first")
    for experiment, changes, told in (
        ("dcl", [], r"agent.name: 'dcl', but .* was trained by 'independent-ppo'"),
        ("independent_ppo", ["env.game=stag-hunt"], r"env.game: 'stag-hunt', but .* was trained with"),
        ("independent_ppo", ["agent.hidden=3"], r"agent: its networks are not those of"),
        ("dnb_accept_logistic", [], "was trained by 'independent-ppo'"),
    ):
        with pytest.raises(InputError, match=told):
            start(
                experiment,
                [*TINY, *changes] if experiment == "independent_ppo" else changes,
                out=tmp_path / "new",
                begin_from=first.path,
            )
        assert not (tmp_path / "new").exists()


def test_a_damaged_list_of_seeds_is_told_in_one_line(tmp_path):
    for content in ("", "[]", json.dumps({"schema": "scml-gym-seeds-1", "seeds": ["a"], "commands": [], "from": None})):
        (tmp_path / "seeds.json").write_text(content)
        with pytest.raises(InputError, match=r"seeds.json is not"):
            runs_of(tmp_path)
