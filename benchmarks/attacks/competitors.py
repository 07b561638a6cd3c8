"""Competitors that misbehave, in worlds of a tournament: all players in one process, and each in one of its own."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attacks.tries import Try
from scml_gym.evaluation.isolation.descendants import descendants
from scml_gym.evaluation.isolation.kinds import ISOLATION, MISMATCH
from scml_gym.evaluation.pool import WorkerPool
from scml_gym.game.definition import Setting
from tests.helpers.misbehaving import MISBEHAVING, name_of

LIMIT = 20.0
"""Seconds that a world, or an isolated player of it, may take."""

OTHERS = ("best-subset", "greedy", "scml:GreedySyncAgent")
SEED, SETTING = 1, Setting(3)


def attack(quick: bool, seed: int, folder: Path) -> Iterator[Try]:
    """Each must be named, or its world be as with a player that keeps to the rules in its place."""
    kinds = list(MISBEHAVING)[seed % 8 :: 8] if quick else list(MISBEHAVING)
    for isolate in ISOLATION:
        with WorkerPool(1, LIMIT, isolate=isolate) as pool:
            pool.load([name_of("Plain"), *OTHERS])
            honest = pool.play([name_of("Plain"), *OTHERS], SEED, SETTING).result()
            for kind in kinds:
                start = time.monotonic()
                result = pool.play([name_of(kind), *OTHERS], SEED, SETTING).result()
                yield _judge(kind, isolate, honest, result, time.monotonic() - start)
        left = descendants(os.getpid())
        yield Try(f"isolate={isolate}: nothing is left", not left, f"{len(left)} processes", f"isolate={isolate}")


def _judge(kind: str, isolate: str, honest: dict[str, Any], result: dict[str, Any], seconds: float) -> Try:
    what = f"isolate={isolate}: {kind}, which {MISBEHAVING[kind]}"
    if "value" in result:
        same = result == honest
        return Try(
            what, same, "its world is as without it" if same else "what it did was taken as valid", f"isolate={isolate}"
        )
    message = f"{result['failure']} of player {result['player']}: {result['message']} ({seconds:.0f} s)"
    nobody = result["failure"] == MISMATCH and result["player"] == -1  # all are told, and nobody is scored
    return Try(what, result["player"] == 0 or nobody, message, f"isolate={isolate}")
