"""How the agents that come with the package are measured, each where it plays: see benchmarks/zoo.py.

What plays a factory is judged in scml's own simulation beside scml's best agent and a strategy, each alone in the same
positions; acceptance in negotiations; learners of games by their welfare, the sum of the agents' returns.
"""

from __future__ import annotations

import json
import math
import os
import re
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from scml_gym.core.trained import PREFIX, ZOO
from scml_gym.evaluation.one_play import BILATERAL, play_together
from scml_gym.evaluation.statistics import mean_and_error
from scml_gym.experiments.make_parallel import GAME_ENVIRONMENTS
from scml_gym.experiments.run_folder import Run
from scml_gym.policies.run_folders import load_agent

ROOT = Path(__file__).resolve().parents[1]

BESIDE = ["best-subset", "scml:SyncRandomOneShotAgent"]
"""Who is judged in the same positions."""

NEGOTIATIONS = 400
BATCHES = 40
"""Of episodes of a game, as many as an update of the learner plays."""


class Measured(NamedTuple):
    """A mean of ``n`` observations with its standard error."""

    value: float
    error: float
    n: int

    def apart(self, other: Measured) -> float:
        """The other less this, in standard errors of the difference."""
        if (error := math.hypot(self.error, other.error)) == 0:
            return 0.0 if self.value == other.value else math.inf
        return (other.value - self.value) / error

    def agrees(self, other: Measured) -> bool:
        """Whether the difference of 0 is within the 95 % interval, by Welch's t."""
        from scipy import stats

        if self.error == other.error == 0:
            return self.value == other.value
        parts = [part.error**4 / (part.n - 1) for part in (self, other)]
        freedom = math.hypot(self.error, other.error) ** 4 / sum(parts)
        return abs(self.apart(other)) <= float(stats.t.ppf(0.975, freedom))


def numbers_of(scores: Mapping[str, Any]) -> dict[str, Measured]:
    """All that a card says was measured, by what it is."""
    n = int(scores["n"])
    found = {scores["measure"]: Measured(scores["mean"], scores["standard_error"], n)}
    for row in scores.get("differences", ()):
        found[f"score less that of {row['other']}"] = Measured(row["difference"], row["error"], n)
    return found


def scores_of(names: Sequence[str], worlds: int, days: int, seed: int) -> dict[str, dict[str, Any]]:
    """What trained agents reach, as their cards say it.

    Args:
        names: Of agents in scml_gym/zoo.
        worlds: Configurations in which factories are judged.
        days: Of these.
        seed: Of all that is drawn.
    """
    envs = {name: Run.open(ZOO / name).config["env"] for name in names}
    games = [name for name in names if "game" in envs[name]]
    bilateral = [name for name in names if name not in games and envs[name]["id"].startswith(BILATERAL)]
    factories = [name for name in names if name not in (*games, *bilateral)]
    return (
        {name: welfare(name, seed) for name in games}
        | {name: utility(name, seed) for name in bilateral}
        | (judged(factories, worlds, days, seed) if factories else {})
    )


def judged(names: Sequence[str], worlds: int, days: int, seed: int) -> dict[str, dict[str, Any]]:
    """Of players of factories, all in one tournament.

    As each is alone in its positions, that gives each what the command of its own would.
    """
    players = {name: f"{PREFIX}{name}" for name in names}
    with tempfile.TemporaryDirectory() as folder:
        options = ["--same-seat", "--worlds", str(worlds), "--days", str(days), "--seed", str(seed)]
        called("evaluate.py", *players.values(), *BESIDE, *options, "--workers", "1", "--out", f"{folder}/judged")
        found = json.loads((Path(folder) / "judged" / "ranking.json").read_text())
    rows = {row["competitor"]: row for row in found["ranking"]}
    return {
        name: {
            "command": " ".join(["scml-gym", "evaluate", player, *BESIDE, *options]),
            "opponents": found["config"]["background"],
            "measure": "score",
            "mean": rows[player]["score"],
            "standard_error": rows[player]["standard_error"],
            "n": rows[player]["configurations"],
            "differences": [difference(found["paired"], player, other) for other in BESIDE],
        }
        for name, player in players.items()
    }


def difference(pairs: Sequence[Mapping[str, Any]], player: str, other: str) -> dict[str, Any]:
    """A paired difference as seen from one of both."""
    pair = next(pair for pair in pairs if {pair["competitor"], pair["other"]} == {player, other})
    sign = 1 if pair["competitor"] == player else -1
    low, high = sorted((sign * pair["low"], sign * pair["high"]))
    return {"other": other, "difference": sign * pair["difference"], "error": pair["error"], "low": low, "high": high}


def utility(name: str, seed: int) -> dict[str, Any]:
    """Of a learner of acceptance: in negotiations like those that it learnt in."""
    arguments = [f"{PREFIX}{name}", "--negotiations", str(NEGOTIATIONS), "--seed", str(seed * NEGOTIATIONS)]
    told, _ = called("examples/judge_acceptance.py", *arguments)
    numbers = re.search(r"mean utility ([\d.]+) \(standard error ([\d.]+)\)", told)
    assert numbers is not None, told
    return {
        "command": " ".join(["python", "examples/judge_acceptance.py", *arguments]),
        "opponents": [Run.open(ZOO / name).config["env"]["opponent"]],
        "measure": "utility",
        "mean": float(numbers[1]),
        "standard_error": float(numbers[2]),
        "n": NEGOTIATIONS,
    }


def welfare(name: str, seed: int) -> dict[str, Any]:
    """Of a learner of a game: episodes as it plays them while it learns, from where its training ended."""
    played, env = [], Run.open(ZOO / name).config["env"]
    for batch in range(BATCHES):
        if env.get("id") in GAME_ENVIRONMENTS:
            learner = load_agent(f"{PREFIX}{name}")
            learner.seed(seed * BATCHES + batch)
            played.append(sum(play_together(learner, env, batch, deterministic=False).values()))
            continue
        method = load_agent(f"{PREFIX}{name}").method
        method.rngs[0].bit_generator.state = np.random.default_rng([seed, batch]).bit_generator.state
        played.append(float(method.update()["returns"][0].sum()))
    mean, error = mean_and_error(np.array(played))
    return {
        "command": f"python benchmarks/zoo.py {name} --check --seed {seed}",
        "opponents": ["itself"],
        "measure": "welfare",
        "mean": mean,
        "standard_error": error,
        "n": BATCHES,
    }


def called(script: str, *arguments: str) -> tuple[str, float]:
    """Call a script of the repository: what it printed, and the CPU minutes that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command, environment = [sys.executable, str(ROOT / script), *arguments], os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout, (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / 60
