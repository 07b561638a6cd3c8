"""Disks that take nothing more: a limit on files, a small file system if one may be mounted, folders that are none."""

from __future__ import annotations

import hashlib
import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attacks.tries import ROOT, Ended, Try, refusal, run

TRAIN = [str(ROOT / "train.py"), "demo", "--set", "agent.training.worlds=6", "--set", "agent.training.log_every=2"]
EVALUATE = [str(ROOT / "evaluate.py"), "greedy", "random", "--worlds", "1", "--days", "3", "--factories", "2"]
PLOT = [str(ROOT / "evaluate.py"), "plot", "zoo:flat"]
EXPORT = [str(ROOT / "evaluate.py"), "export", "greedy"]
POOL = ["-m", "scml_gym.oneshot.worlds.pool", "--worlds", "4", "--days", "5"]

SECONDS = 400.0
"""For one command, which may have to compile."""

LIMITED = [
    ("a pool", [*POOL, "--out", "out"], (0, 2_000)),
    ("plots", [*PLOT, "--out", "out"], (0, 3_000)),
    ("a training", [*TRAIN, "--out", "out"], (0, 700, 3_000, 20_000)),
    ("a submission", [*EXPORT, "out"], (0, 5_000)),
    ("a tournament", [*EVALUATE, "--out", "out"], (0, 3_000)),
]
"""What writes files, and limits of bytes in a file that it cannot keep."""

LIMIT, RESUMED = "a limit on files", "a training that goes on"
"""Kinds."""

NO_FOLDERS = ("/proc/scml", "/dev/null/x", "/sys/scml")


def attack(quick: bool, seed: int, folder: Path) -> Iterator[Try]:
    """See `attack.AREAS`."""
    for what, command, limits in LIMITED:
        for limit in limits[:1] if quick else limits:
            yield from _limited(folder, f"{what} with files of {limit} bytes", command, limit)
        for out in NO_FOLDERS[:1] if quick else NO_FOLDERS:
            yield _told(f"{what} in {out}", run([*command[:-1], out], folder, SECONDS), "no folder")
    if not quick:
        yield from _resumed(folder)
        yield from _uncached(folder)
        yield from _full(folder)


def _limited(folder: Path, what: str, command: list[str], limit: int) -> Iterator[Try]:
    before = set(os.listdir(folder))
    ended = run(command, folder, SECONDS, limits={resource.RLIMIT_FSIZE: limit})
    yield _told(what, ended, LIMIT)
    left = sorted(name for name in set(os.listdir(folder)) - before if name.startswith(".") and name not in ended.err)
    yield Try(f"{what}: what is left", not left, ", ".join(left), LIMIT)
    for name in set(os.listdir(folder)) - before:
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).unlink(missing_ok=True) if (folder / name).is_file() else None


def _resumed(folder: Path) -> Iterator[Try]:
    """A training that goes on where nothing can be written keeps what it has."""
    kept = run([*TRAIN, "--out", "kept"], folder, SECONDS)
    yield Try("a training with all the room", kept.code == 0, kept.err[-200:], RESUMED)
    config = folder / "kept" / "config.yaml"
    config.write_text(config.read_text().replace("worlds: 6", "worlds: 12"))
    before = _digests(folder / "kept")
    for limit in (0, 1_000, 5_000):
        ended = run([TRAIN[0], "--resume", "kept"], folder, SECONDS, limits={resource.RLIMIT_FSIZE: limit})
        yield _told(f"a training resumed with files of {limit} bytes", ended, RESUMED)
        now = _digests(folder / "kept")
        lost = sorted(name for name in before if "checkpoints" in name and before[name] != now.get(name))
        yield Try("its checkpoint", not lost, ", ".join(lost), RESUMED)
    ended = run([TRAIN[0], "--resume", "kept"], folder, SECONDS)
    yield Try("it goes on when there is room", ended.code == 0, ended.err[-200:], RESUMED)


def _uncached(folder: Path) -> Iterator[Try]:
    """Without a place for compiled code, everything is compiled anew."""
    for name, variables in {
        "no folder for compiled code": {"SCML_GYM_CACHE_DIR": "/proc/scml"},
        "a file in place of the folder": {"SCML_GYM_CACHE_DIR": str(folder / "file")},
    }.items():
        (folder / "file").write_text("")
        ended = run([*TRAIN, "--out", name.replace(" ", "-")], folder, 2 * SECONDS, variables=variables)
        told = ended.err.count("compiled anew in every process")
        yield Try(
            name,
            ended.code == 0 and told >= 1 and "Traceback" not in ended.err,
            ended.err[-300:],
            "no place for compiled code",
        )


def _full(folder: Path) -> Iterator[Try]:
    """On a file system of 64 KB, where one may be mounted here."""
    with _small_disk(folder / "small") as mounted:
        if not mounted:
            return
        for what, command, _ in LIMITED:
            (folder / "small" / "filler").write_bytes(b"x" * 60_000)
            ended = run([*command[:-1], "small/out"], folder, SECONDS)
            yield _told(f"{what} on a full disk", ended, "a full disk")
            for path in (folder / "small").iterdir():
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()


@contextmanager
def _small_disk(place: Path) -> Iterator[bool]:
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    mounted = shutil.which("mount") is not None and subprocess.run(command, capture_output=True).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", str(place)], capture_output=True)


def _told(what: str, ended: Ended, kind: str) -> Try:
    problem = refusal(ended)
    return Try(what, not problem, problem or ended.err.strip().splitlines()[-1], kind)


def _digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }
