"""Ctrl-C and SIGTERM: what was computed is kept, the command says how to go on and exits with 130, quietly."""

import re
import shlex
import signal
import sys
import threading
import time

import pytest

from scml_gym.agents import AGENTS
from scml_gym.agents.training import resume, start
from scml_gym.core.interrupts import Interrupted, stop_requests
from scml_gym.core.reporting import Progress
from scml_gym.experiments.run_folder import Run
from tests.helpers.negotiations import RECORD, SMALL_AGENT
from tests.helpers.offline import small_dataset
from tests.helpers.scripts import ROOT, Script

pytestmark = pytest.mark.slow

WORLDS = ["env.days=3", "env.factories_per_level=3"]
PPO = ["agent.total_steps=64", "agent.n_envs=2", "agent.n_steps=8", "agent.batch_size=16", "agent.n_epochs=1", *WORLDS]
CLONED = ["agent.batch_size=16", "agent.features=flatten", "agent.net_arch=[8]", "env.observation=flat", *WORLDS]
GAME = ["agent.updates=6", "agent.batch=40", "agent.log_every=2"]
AGENTS_OF_A_GAME = ["agent.total_steps=240", "agent.n_worlds=4", "agent.n_steps=10", "agent.batch_size=20"]
TINY = {
    "ppo": ("ppo", PPO),
    "maskable-ppo": ("maskable_ppo", PPO),
    "recurrent-ppo": ("recurrent_ppo", [*PPO, "agent.net_arch=[8]", "agent.lstm_hidden_size=8"]),
    "fast-ppo": ("fast_planner", PPO),
    "fast-maskable-ppo": ("fast_flat", PPO),
    "dqn": (
        "dqn",
        ["agent.total_steps=96", "agent.learning_starts=32", "agent.log_steps=32", "agent.buffer_size=96", *WORLDS],
    ),
    "q-learning": ("q_learning", ["agent.training.worlds=8", "agent.training.log_every=4", *WORLDS]),
    "clone": (
        "clone",
        [
            "agent.agents=[best-subset, subset-strong, greedy-sync]",
            *("agent.others={}", "agent.worlds=2", "agent.days=3", "agent.factories_per_level=6"),
        ],
    ),
    "dnb": (
        "dnb_accept_logistic",
        [
            *("agent.data.worlds=6", "agent.data.days=4", "agent.data.factories_per_level=3"),
            *("agent.data.worlds_per_shard=1", "agent.data.test_worlds=0.3", "agent.validation=0.3"),
            *("agent.data.held_out=[subset-population]", "agent.models.logistic.iterations=20"),
        ],
    ),
    "behaviour-cloning": ("behaviour_cloning", ["agent.data=[tests/best-subset-v0]", "agent.epochs=3", *CLONED]),
    "decision-transformer": (
        "decision_transformer",
        [
            *("agent.data=[tests/best-subset-v0]", "agent.epochs=3", "agent.batch_size=16", "agent.context=4"),
            *("agent.width=8", "agent.layers=1", "agent.attention_heads=2", *WORLDS),
        ],
    ),
    "executor": (
        "executor",
        [
            *(f"agent.record={RECORD}", "agent.epochs=3", "agent.batch_size=200"),
            *("agent.width=8", "agent.layers=1", "agent.attention_heads=2"),
        ],
    ),
    "hrl-xf": ("hrl_xf", SMALL_AGENT),
    "dcl": ("dcl", GAME),
    "independent-ppo": ("independent_ppo", GAME),
    "ippo": ("ippo", AGENTS_OF_A_GAME),
    "mappo": ("mappo", AGENTS_OF_A_GAME),
    "mediated": ("mediated", GAME),
    "moca": ("moca", GAME),
}
"""Learner -> an experiment with it, small enough to be trained in a second."""

OF_DATA = {"behaviour-cloning", "decision-transformer"}
"""Learners that learn from datasets."""

IN_HIERARCHY = {"hrl-xf"}
"""Learners that record datasets themselves."""

NEW_EPISODES = {"ppo", "maskable-ppo", "recurrent-ppo", "dqn"}
"""Learners that begin new episodes where they resume, so that their curves differ from those of a whole training."""


INTERRUPTED_AT = {
    "behaviour-cloning": 3,
    "decision-transformer": 3,
    "executor": 8,
    "hrl-xf": 34,
    "dcl": 1,
    "independent-ppo": 1,
    "mediated": 1,
    "moca": 1,
    "q-learning": 3,
}
INTERRUPTED_AT |= {"clone": 4, "dnb": 3, "fast-ppo": 3, "fast-maskable-ppo": 3, "ippo": 3, "mappo": 3}
"""When the interrupt comes: how often the progress was told by then; others tell it at every step."""


def small(name):
    experiment, options = TINY[name]
    return experiment, [*options, "checkpoint_minutes=60"]


@pytest.fixture
def interrupted_at(monkeypatch):
    """``interrupted_at(n)``: a Ctrl-C arrives while the progress is told for the ``n``-th time."""

    def arrange(n):
        told, update = 0, Progress.update

        def tell(self, step, note=""):
            nonlocal told
            told += 1
            if told == n:
                signal.raise_signal(signal.SIGINT)
            update(self, step, note)

        monkeypatch.setattr(Progress, "update", tell)

    return arrange


@pytest.mark.parametrize("name", AGENTS)
def test_an_interrupted_learner_goes_on_as_it_promises(name, tmp_path, interrupted_at, monkeypatch):
    if name in OF_DATA | IN_HIERARCHY:
        pytest.importorskip("minari", reason="pip install 'scml-gym[offline]'")
    if name in OF_DATA:
        small_dataset(monkeypatch, tmp_path / "data", episodes=6)
    experiment, options = small(name)
    whole = start(experiment, options, out=tmp_path / "whole")
    folder = tmp_path / "two words"
    interrupted_at(INTERRUPTED_AT.get(name, 20))
    with pytest.raises(Interrupted) as stopped:
        start(experiment, options, out=folder)
    at = Run.open(folder).step
    assert str(stopped.value) == (
        f"interrupted; saved at step {at}, go on with: scml-gym train --resume {shlex.quote(str(folder))}"
    )
    assert at < whole.step
    if name == "dnb":
        assert sorted(p.stem for p in (folder / "dataset").glob("*.parquet"))
    else:
        assert at > 0 or name in NEW_EPISODES
        assert Run.open(folder).latest_checkpoint()
    run = resume(folder)
    assert run.step == whole.step
    if name in NEW_EPISODES:
        steps = [int(row["step"]) for row in run.curve()]
        assert steps == sorted(set(steps)) and steps[-1] > at
    else:
        assert (folder / "learning_curve.csv").read_bytes() == (whole.path / "learning_curve.csv").read_bytes()


def test_within_a_rollout_nothing_is_lost_but_the_rollout(tmp_path, interrupted_at):
    """A learner on policy is saved as it was when the rollout began, at once."""
    experiment, options = small("ppo")
    interrupted_at(12)  # the first rollout has 8 steps of 2 environments, and tells after its row once more
    with pytest.raises(Interrupted, match="saved at step 16"):
        start(experiment, options, out=tmp_path / "run")
    run = Run.open(tmp_path / "run")
    assert [row["step"] for row in run.curve()] == ["16"]
    assert (run.path / "learning_curve.png").is_file()
    assert [row["step"] for row in resume(run.path).curve()] == ["16", "32", "48", "64"]


def test_a_second_signal_interrupts_at_once():
    before = signal.getsignal(signal.SIGTERM)
    with stop_requests() as request:
        signal.raise_signal(signal.SIGTERM)
        assert request.made
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGTERM) is before
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_signals_are_left_alone_where_they_are_ignored_or_no_ones(monkeypatch):
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with stop_requests() as request:
            signal.raise_signal(signal.SIGTERM)
            assert not request.made
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)
    made = []

    def elsewhere():
        with stop_requests() as request:
            made.append(request.made)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert made == [False]


def interrupted(folder, command, when, number=signal.SIGINT):
    """Start a script of the repository, wait for something, then send a signal to its whole process group, as a
    terminal does; exit code, and the lines on stderr."""
    script, *arguments = command
    process = Script(folder, [sys.executable, ROOT / script, *arguments])
    process.wait_for(when)
    process.signal(number)
    ended = process.ended()
    return ended.returncode, ended.stderr.splitlines()


def go_on(lines):
    """The command that the last line names."""
    assert not any("Traceback" in line for line in lines), lines
    told = re.search(r"go on with: python \S*?(train|evaluate)\.py (.*)", lines[-1])
    assert told, lines
    return f"{told[1]}.py", *shlex.split(told[2])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_training_ends_with_130_and_says_how_to_go_on(number, tmp_path, command_line):
    options = ["agent.training.worlds=10000000", "agent.training.log_every=1000", "env.days=3"]  # few rows to draw
    given = [part for option in options for part in ("--set", option)]
    command = ["train.py", "q_learning", *given, "--out", "a run"]
    code, lines = interrupted(tmp_path, command, (tmp_path / "a run" / "learning_curve.csv").exists, number)
    assert code == 130
    assert go_on(lines) == ("train.py", "--resume", "a run")
    run = Run.open(tmp_path / "a run")
    assert run.step > 0 and run.latest_checkpoint() and (run.path / "learning_curve.png").exists()


def test_environments_in_processes_of_their_own_end_quietly(tmp_path):
    options = ["env.backend=reference", "agent.n_envs=2", "agent.workers=2", "agent.n_steps=1024", "env.days=50"]
    given = [part for option in (*options, "agent.batch_size=16") for part in ("--set", option)]
    command = ["train.py", "ppo", *given, "--out", "run"]
    started = time.monotonic()
    code, lines = interrupted(tmp_path, command, lambda: (tmp_path / "run").exists() and time.monotonic() > started + 8)
    assert code == 130
    assert go_on(lines) == ("train.py", "--resume", "run")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_tournament_ends_with_130_and_its_worlds_are_kept(number, tmp_path, command_line):
    options = ["best-subset", "--background", "greedy", "--days", 3, "--factories", 2, "--worlds", 500, "--workers", 2]
    code, lines = interrupted(
        tmp_path,
        ["evaluate.py", *options],
        lambda: any(len(p.read_text().splitlines()) > 3 for p in tmp_path.glob("runs/*.plays.jsonl")),
        number,
    )
    assert code == 130
    script, *again = go_on(lines)
    kept = int(re.search(r"(\d+) worlds are kept", lines[-1])[1])
    (journal,) = tmp_path.glob("runs/*.plays.jsonl")
    assert kept >= 3 and len(journal.read_text().splitlines()) == 1 + kept
    again[again.index("500")] = "2"
    again[again.index("--workers") + 1] = "1"
    done = command_line(script, *again)
    assert done.returncode == 0, done.stderr
    assert f"{kept} worlds are played already" in done.stdout
    assert (tmp_path / journal.name.removesuffix(".plays.jsonl")).exists() or list(tmp_path.glob("runs/*/ranking.md"))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_study_ends_with_130_and_its_cells_are_kept(workers, tmp_path, command_line):
    lines = ["name: tests.helpers.tiny_study:TinyStudy", "seed: 3", "games: 5", "rounds: 10", "wait_at: noise-more"]
    lines += ["noise: {none: 0.0, much: 0.5, more: 0.7}"]
    (tmp_path / "slow.yaml").write_text("\n".join(lines))
    command = ["evaluate.py", "study", "slow.yaml", "--workers", workers]
    runs = tmp_path / "runs" / "study-slow" / "runs"
    code, lines = interrupted(
        tmp_path, command, lambda: (tmp_path / "waiting").exists() and len(list(runs.glob("*.json"))) == 2
    )
    assert code == 130
    assert "2 of 3 runs are kept" in lines[-1]
    done = command_line(*go_on(lines))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "runs" / "study-slow" / "study.md").exists()
