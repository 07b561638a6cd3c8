import json
import signal
import sys
import time

import pytest

from scml_gym.core.errors import InputError
from scml_gym.experiments import run_folder
from scml_gym.experiments.run_folder import Run, find_policy_file
from scml_gym.experiments.run_info import current_hyperparameters, read_config
from tests.helpers.scripts import start_with_pipes

CONFIG = {"seed": 5, "agent": {"name": "x"}, "env": {"id": "y"}, "checkpoint_minutes": 0, "threads": 1}


@pytest.fixture
def run(tmp_path):
    return Run.create(tmp_path / "run", CONFIG, "train x")


def save(text):
    def write(folder):
        for name in ("a", "b"):
            (folder / name).write_text(text)

    return write


def test_a_run_is_opened_as_it_was_created(run):
    again = Run.open(run.path)
    assert again.config == CONFIG
    assert again.info["agent"] == "x"
    assert again.latest_checkpoint() is None
    assert again.step == 0
    assert (run.path / "command.txt").read_text() == "train x\n"
    assert json.loads((run.path / "versions.json").read_text())["scml"]


def test_a_folder_in_use_is_refused_and_left_alone(run, tmp_path):
    before = {p: p.read_bytes() for p in run.path.iterdir() if p.is_file()}
    with pytest.raises(InputError, match="is not empty"):
        Run.create(run.path, CONFIG, "train y")
    assert {p: p.read_bytes() for p in run.path.iterdir() if p.is_file()} == before
    (tmp_path / "empty").mkdir()
    Run.create(tmp_path / "empty", CONFIG, "train y")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError):
        Run.create(tmp_path / "file", CONFIG, "train y")
    with pytest.raises(InputError):
        Run.create(tmp_path / "file" / "under", CONFIG, "train y")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["empty", "file", "run"]


def test_the_current_folder_is_not_replaced(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for place in (".", tmp_path / "here"):
        with pytest.raises(InputError, match="is the current folder"):
            Run.create(place, CONFIG, "train y")
    assert [p.name for p in tmp_path.rglob("*")] == ["here"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("run.json", ""),
        ("run.json", "[]"),
        ("run.json", '{"schema": "scml-gym-run-0"}'),
        ("run.json", '{"schema": "scml-gym-run-1"}'),
        ("config.yaml", ""),
        ("config.yaml", "a: ["),
        ("config.yaml", "a: 1"),
        ("config.yaml", "{seed: 1, agent: ppo, env: {}}"),
    ],
)
def test_a_corrupt_folder_is_refused_in_one_line(run, name, content):
    (run.path / name).write_text(content)
    with pytest.raises(InputError) as caught:
        Run.open(run.path)
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(InputError, match="not a run folder"):
        Run.open(tmp_path)


def test_a_folder_of_an_earlier_version_is_read_and_resumed_by_the_names_of_now(run):
    info = json.loads((run.path / "run.json").read_text())
    for former, name in (
        ("agents.sb3:PPO", "ppo"),
        ("agents.q_learning:QLearning", "q-learning"),
        ("mine:X", "mine:X"),
    ):
        (run.path / "run.json").write_text(json.dumps(info | {"agent": former}))
        assert Run.open(run.path).info["agent"] == name
    agent = {"name": "agents.sb3:PPO", "league": {"every": 1}}
    (run.path / "config.yaml").write_text(json.dumps(CONFIG | {"agent": agent}))
    (run.path / "league").mkdir()
    (run.path / "league" / "000000000064.npz").write_bytes(b"past")
    again = Run.open(run.path)
    assert again.config["agent"] == {"name": "ppo", "self_play": {"every": 1}}
    assert (run.path / "league").is_dir()  # reading changes nothing
    again.resumed("train x")
    assert (run.path / "self_play" / "000000000064.npz").read_bytes() == b"past"
    assert not (run.path / "league").exists()


def test_a_policy_file_is_found_by_either_name(tmp_path):
    assert find_policy_file(tmp_path) is None
    for name in ("snapshot.npz", "policy.npz"):
        (tmp_path / name).touch()
        assert find_policy_file(tmp_path) == tmp_path / name


def test_the_last_two_checkpoints_are_kept(run):
    for step in (10, 20, 30):
        run.checkpoint(step, save(str(step)))
    assert sorted(p.name for p in (run.path / "checkpoints").iterdir()) == [f"{20:012d}", f"{30:012d}"]
    again = Run.open(run.path)
    assert again.step == 30
    assert (again.latest_checkpoint() / "a").read_text() == "30"
    run.checkpoint(30, save("other"))
    assert (Run.open(run.path).latest_checkpoint() / "b").read_text() == "other"


def test_a_save_that_fails_leaves_the_checkpoint_before(run):
    run.checkpoint(10, save("good"))

    def fail(folder):
        (folder / "a").write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        run.checkpoint(20, fail)
    assert (Run.open(run.path).latest_checkpoint() / "b").read_text() == "good"
    run.checkpoint(30, save("next"))
    assert len(list((run.path / "checkpoints").iterdir())) == 2


def test_a_missing_checkpoint_is_refused(run):
    run.checkpoint(10, save("x"))
    run.latest_checkpoint().rename(run.path / "elsewhere")
    with pytest.raises(InputError, match="is missing"):
        Run.open(run.path)


def test_a_checkpoint_that_is_replaced_meanwhile_is_not_missing(run, monkeypatch):
    """Another process trains: after run.json was read, what it named goes."""
    run.checkpoint(10, save("x"))

    def train_on(path):
        for step in (run.step + 10, run.step + 20):
            run.checkpoint(step, save(str(step)))
        return read_config(path)

    monkeypatch.setattr(run_folder, "read_config", train_on)
    again = Run.open(run.path)
    assert again.step == 30
    assert (again.latest_checkpoint() / "a").read_text() == "30"


def test_a_run_goes_on_where_another_process_left_it(run):
    run.checkpoint(10, save("x"))
    run.log(10, score=1.0)
    early = Run.open(run.path)
    for step in (20, 30, 40):
        run.log(step, score=1.0)
        run.checkpoint(step, save("y"))
    run._lock.close()  # the process ends
    early.resumed("again")
    assert early.step == 40
    assert [int(row["step"]) for row in early.curve()] == [10, 20, 30, 40]


def test_the_learning_curve_grows_columns_and_is_cut(run):
    run.log(10, score=1.0, steps_per_second=3.5)
    run.log(20, score=2.5, loss=0.125)
    run.log(30, loss=0.25)
    text = (run.path / "learning_curve.csv").read_text()
    assert text == "step,score,loss\n10,1.0,\n20,2.5,0.125\n30,,0.25\n"
    with (run.path / "learning_curve.csv").open("a") as file:
        file.write("40,1.")
    run.truncate_log(20)
    assert (run.path / "learning_curve.csv").read_text() == "step,score,loss\n10,1.0,\n20,2.5,0.125\n"
    assert run.plot().read_bytes().startswith(b"\x89PNG")


def test_tensorboard_reads_what_was_logged(run):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for step in (10, 20):
        run.log(step, score=step / 2, steps_per_second=7.0)
    events = EventAccumulator(str(run.path / "tb")).Reload()
    assert [(e.step, e.value) for e in events.Scalars("score")] == [(10, 5.0), (20, 10.0)]
    assert events.Scalars("steps_per_second")[0].value == 7.0


def test_checkpoints_are_due_by_time(tmp_path, monkeypatch):
    run = Run.create(tmp_path / "r", CONFIG | {"checkpoint_minutes": 2}, "c")
    now = time.monotonic()

    def due_after(seconds):
        monkeypatch.setattr(time, "monotonic", lambda: now + seconds)
        return run.checkpoint_due()

    assert [due_after(59), due_after(61)] == [False, True]  # the first one comes early
    run.checkpoint(1, save("x"))
    assert [due_after(61), due_after(180), due_after(182)] == [False, False, True]
    often = Run.create(tmp_path / "often", CONFIG | {"checkpoint_minutes": 0}, "c")
    assert often.checkpoint_due()


def test_progress_is_shown_on_stderr(run, capsys):
    with run.progress(10, "training") as bar:
        bar.update(4, "score 1.0")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "training" in captured.err
    assert "4/10" in captured.err


WORKER = """
import sys
from scml_gym.experiments.run_folder import Run

def save(text):
    def write(folder):
        for name in "abc":
            (folder / name).write_text(text * 2000)
    return write

run = Run.open(sys.argv[1])
run.resumed("again")
first = step = run.step
while True:
    if step == first + 1:
        print("started", flush=True)
    step += 1
    run.log(step, x=step / 3, **{f"y{step // 50}": 1.0})
    run.checkpoint(step, save(f"{step},"))
"""


def start(path):
    process = start_with_pipes([sys.executable, "-c", WORKER, path])
    assert process.stdout.readline() == b"started\n"
    return process


def test_a_former_hyperparameter_has_its_name_of_now():
    assert current_hyperparameters({"diary": "logs", "penalty": 1.0}) == {"decision_log": "logs", "penalty": 1.0}


def test_a_former_learner_of_games_has_its_name_of_now(tmp_path):
    agent, game = {"name": "ippo", "updates": 8}, {"game": "grid", "mega_step": 1}
    config = {"seed": 1, "agent": agent, "env": game, "checkpoint_minutes": 5, "threads": 1}
    opened = Run.open(Run.create(tmp_path / "before", config, "").path)
    assert opened.info["agent"] == opened.config["agent"]["name"] == "independent-ppo"
    opened = Run.open(Run.create(tmp_path / "now", config | {"env": {"id": "game_v0", "game": "grid"}}, "").path)
    assert opened.info["agent"] == opened.config["agent"]["name"] == "ippo"


@pytest.mark.slow
def test_killed_at_any_moment_nothing_is_half_written(run):
    for trial in range(6):
        process = start(run.path)
        time.sleep(0.05 + 0.037 * trial)
        process.send_signal(signal.SIGKILL)
        process.wait()
        again = Run.open(run.path)
        rows = again.curve()
        assert [int(row["step"]) for row in rows] == list(range(1, len(rows) + 1))
        assert len(rows) - again.step in (0, 1)
        for name in "abc":
            assert (again.latest_checkpoint() / name).read_text() == f"{again.step}," * 2000
    again.resumed("last")
    assert len(again.curve()) == again.step
    assert (again.path / "command.txt").read_text().count("\n") == 8
    assert not [p for p in again.path.rglob("*") if p.name.startswith(".") and p.name != ".lock"]


def test_two_processes_cannot_train_in_one_folder(run):
    process = start(run.path)
    try:
        with pytest.raises(InputError, match="another process is training"):
            Run.open(run.path).resumed("second")
    finally:
        process.kill()
        process.wait()
