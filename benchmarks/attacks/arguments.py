"""Odd arguments: of environments, and of every command."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from attacks.tries import Try
from scml_gym.core.errors import InputError

COUNT, QUICK = 300, 60

SECONDS = 60
"""Of the processor, for one try; what is taken may be compiled first."""

PATIENCE = 20 * SECONDS
"""Seconds for one try that waits, with many others on the machine."""

ODD: list[Any] = [None, True, 3.5, float("nan"), float("inf"), -1, 10**9, 2**70, "", "x", "evil:Name", b"x", [], [None]]
ODD += [{}, {"a": 1}, object(), (5, 2), (1, 2, 3), np.zeros((2, 2)), np.float64("nan"), int, "a" * 10_000]

ENVIRONMENTS = {
    "scml_gym/OneShotConcurrent-v0": (
        "days",
        "factories_per_level",
        "opponents",
        "generator",
        "reward",
        "level",
        "spec",
    )
    + ("observation", "action", "history", "timing", "backend", "episode", "observability", "strict"),
    "scml_gym/OneShotBilateral-v0": ("partner", "others", "observation", "quantity_bins", "price_bins", "reward"),
    "scml_gym/StandardConcurrent-v0": ("days", "n_levels", "stock", "horizon", "action", "opponents", "history"),
    "scml_gym/BilateralAcceptance-v0": ("scenario", "profile", "rounds", "opponent", "bids", "failure_penalty"),
    "scml_gym/Bilateral-v0": ("scenario", "targets", "action", "opponent_first", "history"),
}

NAMES = (
    "greedy?own_needs=nan",
    "greedy?own_needs=inf",
    "greedy?own_needs=1e999",
    "greedy?=1",
    "greedy?own_needs",
    "?",
    ":",
)
NAMES += (
    "greedy?own_needs=1&own_needs=2",
    "/nowhere",
    "zoo:",
    "zoo:nothing",
    "scml:",
    "scml-agents:",
    "scml:os.system",
)
NAMES += ("os:system", "..", "a" * 5000, "\x00", "\ud7ff")

LONG = "x" * 300
COMMANDS: list[list[str]] = [
    *[["evaluate", name, "greedy", "--worlds", "1", "--days", "3"] for name in NAMES],
    *[["evaluate", "greedy", "random", option, value] for option in ("--worlds", "--days", "--seed", "--factories")
      for value in ("-1", "nan", "99999999999999999999", "x", "")],
    *[["evaluate", "greedy", "random", "--time-limit", value] for value in ("-1", "nan", "inf", "0")],
    *[["evaluate", "greedy", "random", "--out", out] for out in (f"/tmp/{LONG}", "/proc/x/y", "/dev/null/x", "\x00")],
    ["evaluate", "greedy", "random", "--trust", "/nowhere"],
    *[["train", "demo", "--set", f"{key}={value}"]
      for key in ("env.days", "agent.training.worlds", "checkpoint_minutes", "threads", "seed", "env.opponents")
      for value in ("nan", "-1", ".inf", "[[", "!!int x", "1e400", "null", "{}", "{a: b}")],
    *[["train", "demo", "--out", out] for out in (f"/tmp/{LONG}", "/proc/x", "/dev/null/x")],
    *[["train", "--resume", name] for name in ("/nowhere", "zoo:flat", "", "\x00", f"/tmp/{LONG}")],
    *[["train", "--from", name] for name in ("/nowhere", "zoo:nothing", "/tmp")],
    *[["train", "demo", "--seeds", seeds] for seeds in ("x", "5-1", "0-99999999999", "", "-1")],
    *[["study", name] for name in ("nothing", "/dev/null", "/tmp", "\x00")],
    *[["plot", name] for name in ("/nowhere", "zoo:flat/x", "/dev/null")],
    *[["plot", "zoo:flat", option, value] for option, value in (("--by", "x.y"), ("--column", "x"), ("--format", "x"))],
    *[["analyze", name, "--report", "/tmp/x.html"] for name in ("/nowhere", "/tmp", "/dev/null")],
    *[["export", name, out] for name, out in (("greedy", "/proc/x"), ("nothing", "/tmp/ab"), ("greedy", "no-name"))],
]  # fmt: skip
"""Each must be refused before anything is computed."""


def attack(quick: bool, seed: int, folder: Path) -> Iterator[Try]:
    """See `attack.AREAS`."""
    with contextlib.chdir(folder):
        yield from _tries(quick, seed)


def _tries(quick: bool, seed: int) -> Iterator[Try]:
    rng = random.Random(seed)
    made = [(name, key, value) for name, keys in ENVIRONMENTS.items() for key, value in itertools.product(keys, ODD)]
    made += [("scml_gym/OneShotConcurrent-v0", "opponents", [name]) for name in NAMES]
    commands = list(COMMANDS)
    n = QUICK if quick else COUNT
    rng.shuffle(commands)
    commands = commands[: n // 2]
    for name, key, value in rng.sample(made, n - len(commands)):
        yield _told(f"{name} {key}={value!r:.60}", _environment, name, key, value)
    from scml_gym.commands.program import main

    for command in commands:
        yield _command(main, command)


def _environment(name: str, key: str, value: Any) -> None:
    days = {} if "Bilateral-" in name or "Acceptance" in name else {"days": 5}
    env = gymnasium.make(name, **{**days, key: value})
    env.reset(seed=1)
    env.close()


def _told(what: str, call: Callable[..., None], *arguments: Any) -> Try:
    """A call that is taken, or is refused in one line."""
    kind = what.partition(" ")[0]

    def late(*_: object) -> None:
        raise TimeoutError(f"not within {SECONDS} s of the processor, or {PATIENCE} s")

    for number in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(number, late)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    signal.alarm(PATIENCE)
    try:
        call(*arguments)
        return Try(what, True, "taken", kind)
    except (InputError, gymnasium.error.Error) as error:
        lines = str(error).splitlines()
        return Try(what, len(lines) == 1 and len(lines[0]) < 2000, str(error), kind)
    except Exception as error:
        return Try(what, False, f"{type(error).__name__}: {error}", kind)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)


def _command(main: Callable[[], object], command: list[str]) -> Try:
    """A command in a process that is forked from this one, where all is loaded."""
    what = f"{' '.join(command):.100}"
    with tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            for number in (signal.SIGALRM, signal.SIGPROF):
                signal.signal(number, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            signal.alarm(PATIENCE)
            null = os.open(os.devnull, os.O_RDWR)
            for old, new in ((null, 0), (null, 1), (err.fileno(), 2)):
                os.dup2(old, new)
            os.environ["PYTHONHASHSEED"] = "0"  # else a training starts Python once more
            sys.argv = ["scml-gym", *command]
            try:
                main()
            except SystemExit as end:
                sys.stderr.flush()
                os._exit(end.code if isinstance(end.code, int) else 1)
            except BaseException:
                traceback.print_exc()
                sys.stderr.flush()
            os._exit(1)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        err.seek(0)
        said = err.read().decode(errors="replace")
    lines = [line for line in said.splitlines() if line.startswith("error: ")]
    held = code == 2 and len(lines) == 1 and "Traceback" not in said
    return Try(what, held, said.strip()[-300:] or f"exit code {code}", f"command {command[0]}")
