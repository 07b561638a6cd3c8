"""Trainings that are interrupted at random moments: what is lost, and whether they end as they were configured.

    python benchmarks/interrupted_training.py                 # 10 moments, SIGKILL and SIGINT by turns, every 5 s saved
    python benchmarks/interrupted_training.py --interval 60 --moments 1

For each moment a training of about 90 s is started, interrupted then, and resumed to its end. What is lost is counted
twice: the seconds since the last checkpoint, and the decisions since then, against those that the training made in an
interval until then. On a busy machine, where a training stands still now and then, the decisions tell more. Exits 1
where more than the interval and one rollout is lost by both, or a curve cannot be read.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from scml_gym.experiments.run_folder import Run

ROOT = Path(__file__).resolve().parents[1]
ROLLOUT = 16 * 64
SETTINGS = ("agent.n_envs=16", "agent.n_steps=64", "agent.batch_size=256", "agent.log_steps=1")
OPTIONS = ["planner", *(word for setting in SETTINGS for word in ("--set", setting))]


def main() -> None:
    """Interrupt and resume."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--interval", type=float, default=5.0, help="seconds between two checkpoints")
    parser.add_argument("--moments", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=90.0, help="that a training takes, about")
    parser.add_argument("--slack", type=float, default=3.0, help="seconds of a rollout, and of saving")
    parser.add_argument("--signals", nargs="+", default=["SIGKILL", "SIGINT"], help="by turns")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    draw, worst, failed = random.Random(arguments.seed), Lost(0.0, 0, 1), 0
    steps = int(arguments.seconds * speed())
    print(f"a training has {steps} steps")
    for moment in range(arguments.moments):
        with tempfile.TemporaryDirectory() as folder:
            kind = signal.Signals[arguments.signals[moment % len(arguments.signals)]]
            seconds = draw.uniform(0, arguments.seconds)
            lost, told = interrupted(Path(folder) / "run", steps, arguments.interval, kind, seconds)
        worst = max(worst, lost, key=lambda one: one.steps / one.of)
        too_much = lost.seconds > arguments.interval + arguments.slack and lost.steps > lost.of + ROLLOUT
        failed += told != "" or too_much
        print(f"{kind.name} after {seconds:5.1f} s: {lost}{told and '; FAILED: ' + told}", flush=True)
    print(f"{arguments.moments} moments, interval {arguments.interval} s: at most {worst}; {failed} failed")
    raise SystemExit(failed > 0)


class Lost(NamedTuple):
    """What an interruption cost.

    Attributes:
        seconds: Since the last checkpoint, or since the start.
        steps: Decisions since then, which are made again.
        of: Decisions that the training had made in an interval, on average.
    """

    seconds: float
    steps: int
    of: int

    def __str__(self) -> str:
        return f"{self.seconds:.1f} s and {self.steps} decisions lost, {self.of} in an interval"


def started(folder: Path, steps: int, interval: float) -> subprocess.Popen[bytes]:
    """A training that has begun: its folder is there."""
    options = [f"checkpoint_minutes={interval / 60}", f"agent.total_steps={steps}"]
    command = [
        sys.executable,
        ROOT / "train.py",
        *OPTIONS,
        *(w for o in options for w in ("--set", o)),
        "--out",
        folder,
    ]
    environment, nowhere = os.environ | {"PYTHONPATH": str(ROOT)}, subprocess.DEVNULL
    process = subprocess.Popen(
        [str(w) for w in command], env=environment, stdout=nowhere, stderr=nowhere, preexec_fn=heed_sigint
    )
    while not (folder / "run.json").exists() or not Run.open(folder).curve():  # until all is compiled
        if process.poll() is not None:
            raise SystemExit(f"no training: {' '.join(map(str, command))} says why")
        time.sleep(0.05)
    return process


def heed_sigint() -> None:
    """What shells start in the background ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def speed() -> float:
    """Steps a second, here and now."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        process = started(run, 10**9, 5.0)
        begin = time.monotonic()
        time.sleep(15.0)
        process.kill()
        process.wait()
        rows = Run.open(run).curve()
        return int(rows[-1]["step"]) / (time.monotonic() - begin)


def interrupted(folder: Path, steps: int, interval: float, kind: signal.Signals, seconds: float) -> tuple[Lost, str]:
    """Interrupt a training and resume it.

    Returns:
        What is lost; what is wrong, or nothing.
    """
    process = started(folder, steps, interval)
    begin = time.time()
    sent = False
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        sent = not Run.open(folder).finished  # else it is just ending
        process.send_signal(kind)
    stopped = time.time()  # what is saved from now on, as after SIGINT, is not lost
    process.wait()
    run = Run.open(folder)
    if sent and run.finished:
        return Lost(0.0, 0, 1), f"{kind.name} did not stop it"
    saved = (folder / "run.json").stat().st_mtime if run.step else begin
    reached = int(run.curve()[-1]["step"])
    pace = max(int(reached * interval / max(stopped - begin, interval)), 1)
    lost = Lost(0.0, 0, pace) if run.finished else Lost(max(stopped - saved, 0.0), max(reached - run.step, 0), pace)
    if not run.finished:
        again = [sys.executable, str(ROOT / "train.py"), "--resume", str(folder)]
        done = subprocess.run(again, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
        if done.returncode != 0:
            return lost, done.stderr.strip().rpartition("\n")[2]
    run = Run.open(folder)
    reached = [int(row["step"]) for row in run.curve()]
    if not run.finished or run.step < steps or reached != sorted(set(reached)) or reached[-1] < steps:
        return lost, f"ended at step {run.step} with a curve of {len(reached)} rows"
    shutil.rmtree(folder)
    return lost, ""


if __name__ == "__main__":
    main()
