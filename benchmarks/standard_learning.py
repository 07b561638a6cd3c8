"""What was learnt in `standard_goals`, beside the same choice on every day, in compiled worlds.

A random search tries constant choices in as many days as a training has: half of them for all candidates, half for the
best. The best one, the measuring stick `ten-once` (which is one of the choices) and the policies of run folders then
play the same worlds, which nothing else was played in; differences to these two and to the first run are paired by
world. What is chosen, and how much is in stock, is written down by day and place in the chain.

    python benchmarks/standard_learning.py runs/standard-goals-* --out docs/results/standard_learning/league.json
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gymnasium
import matplotlib.pyplot as plt
import numpy as np
from gymnasium.vector import AutoresetMode

from scml_gym.core.config import load_experiment
from scml_gym.experiments.make_env import env_arguments
from scml_gym.policies.run_folders import load_agent
from scml_gym.standard.actions.traits import CHOSEN, SIZES
from scml_gym.standard.rules import STOCK_RULES
from scml_gym.standard.strategies.stock import TRAITS

PLACES = ("first", "middle", "last")
DAYS, CANDIDATES, FINALISTS = 50, 512, 16
SEARCH, JUDGE = 61_000_000, 64_000_000
"""Seeds of worlds."""

Choose = Callable[[np.ndarray], np.ndarray]
Numbers = Any


def environments(rows: int, stock: str, opponents: Sequence[str] = ()) -> Any:
    """Rows of the experiment's environment, with its opponents or with others."""
    settings = [f"env.days={DAYS}", f"env.stock={stock}"]
    settings += [f"env.opponents={json.dumps(opponents)}"] if opponents else []
    name, arguments = env_arguments(load_experiment("standard_goals", settings).config["env"])
    return gymnasium.make_vec(name, rows, autoreset_mode=AutoresetMode.SAME_STEP, **arguments)


def places_of(observations: np.ndarray) -> np.ndarray:
    """The place in the chain of each row."""
    return np.where(observations[:, 2] > 0, 0, np.where(observations[:, 3] > 0, 2, 1))


def play(envs: Any, choose: Choose, seed: int, worlds: int, habits: Numbers = None) -> tuple[np.ndarray, np.ndarray]:
    """Places and scores of that many worlds in each row, ``(rows, worlds)``; ``habits`` counts what is chosen."""
    observations, _ = envs.reset(seed=seed)
    n = len(observations)
    places, scores = np.zeros((n, worlds), int), np.zeros((n, worlds))
    done, total = np.zeros(n, int), np.ones(n)
    while (done < worlds).any():
        here, actions = places_of(observations), choose(observations)
        if habits is not None:
            days = np.rint(observations[:, 0] * DAYS).astype(int)
            chosen = [np.array(values)[actions[:, i]] for i, values in enumerate(CHOSEN.values())]
            np.add.at(habits, (here, days), np.column_stack([np.ones(n), observations[:, 6], *chosen]))
        observations, rewards, ended, _, _ = envs.step(actions)
        total += rewards
        for row in np.flatnonzero(ended & (done < worlds)):
            places[row, done[row]], scores[row, done[row]] = here[row], total[row]
        done, total = done + ended, np.where(ended, 1.0, total)
    return places, scores


def search(stock: str, budget: int) -> np.ndarray:
    """The best constant choice that a random search of so many days finds."""
    envs, generator = environments(CANDIDATES, stock), np.random.default_rng(SEARCH)
    candidates = generator.integers(0, SIZES, (CANDIDATES, len(SIZES)))
    half = max(1, budget // 2 // DAYS)
    _, scores = play(envs, lambda _: candidates, SEARCH, max(1, half // CANDIDATES))
    best = candidates[np.argsort(-scores.mean(axis=1))[:FINALISTS]]
    again = np.tile(best, (CANDIDATES // FINALISTS, 1))
    _, scores = play(envs, lambda _: again, SEARCH + CANDIDATES, max(1, half // CANDIDATES))
    envs.close()
    return best[scores.reshape(-1, FINALISTS, scores.shape[1]).mean(axis=(0, 2)).argmax()]


def paired(ours: np.ndarray, theirs: np.ndarray) -> list[float]:
    """The mean difference, and its 95 % interval."""
    difference = ours - theirs
    mean, error = difference.mean(), 1.96 * difference.std(ddof=1) / len(difference) ** 0.5
    return [round(float(number), 4) for number in (mean, mean - error, mean + error)]


def policy(run: Path) -> Choose:
    """What a run folder's learner chooses, the likeliest actions."""
    agent = load_agent(run)
    return lambda seen: agent.predict(seen)[0]


def draw(habits: dict[str, np.ndarray], path: Path) -> None:
    """The stock by day, for each place and player."""
    figure, axes = plt.subplots(1, len(PLACES), figsize=(10, 3), constrained_layout=True)
    for place, axis in enumerate(axes):
        for name, numbers in habits.items():
            axis.plot(numbers[place, :, 1] / np.maximum(numbers[place, :, 0], 1.0), label=name)
        axis.set(title=f"{PLACES[place]} level", xlabel="day", ylabel="stock in the morning / lines", ylim=(0, None))
    axes[0].legend(fontsize="small")
    figure.savefig(path)


def main() -> None:
    """Search, play and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--stock", choices=STOCK_RULES, default=STOCK_RULES[0], help="default: %(default)s")
    parser.add_argument(
        "--budget", type=int, default=2_048_000, help="days of the search; 0 for none (default: %(default)s)"
    )
    parser.add_argument("--rows", type=int, default=256, help="default: %(default)s")
    parser.add_argument("--worlds", type=int, default=6, help="of each row (default: %(default)s)")
    parser.add_argument("--opponents", nargs="+", default=(), help="in place of the experiment's, which a search has")
    parser.add_argument("--out", type=Path, required=True, help="JSON; the figure is put beside it")
    options = parser.parse_args()
    stick = np.array([CHOSEN[name].index((TRAITS | {"expected": 0.0})[name]) for name in CHOSEN])
    constants = {"ten-once": stick}
    if options.budget > 0:
        constants["best constant"] = search(options.stock, options.budget)
    players: dict[str, Choose] = {
        name: (lambda seen, choice=choice: np.tile(choice, (len(seen), 1))) for name, choice in constants.items()
    }
    for run in options.runs:
        players[run.name] = policy(run)
    envs = environments(options.rows, options.stock, options.opponents)
    told: dict[str, Any] = {"stock": options.stock, "budget": options.budget, "players": {}}
    told |= {"opponents": options.opponents} if options.opponents else {}
    told["constants"] = {
        name: {trait: CHOSEN[trait][i] for trait, i in zip(CHOSEN, choice, strict=True)}
        for name, choice in constants.items()
    }
    habits = {name: np.zeros((len(PLACES), DAYS, 2 + len(CHOSEN))) for name in players}
    scores: dict[str, np.ndarray] = {}
    others = [*constants, options.runs[0].name]
    for name, choose in players.items():
        places, scores[name] = (x.ravel() for x in play(envs, choose, JUDGE, options.worlds, habits[name]))
        parts = {"all": slice(None), "first and middle": places < 2}
        parts |= {place: places == i for i, place in enumerate(PLACES)}
        row = told["players"][name] = {
            part: {"n": len(scores[name][at]), "score": round(float(scores[name][at].mean()), 4)}
            | {f"less {other}": paired(scores[name][at], scores[other][at]) for other in others if other in scores}
            for part, at in parts.items()
        }
        print(name, json.dumps(row["all"]), json.dumps(row["first and middle"]), flush=True)
        for place, numbers in zip(PLACES, habits[name], strict=True):
            for days in (slice(0, 5), slice(5, 40), slice(40, DAYS)):
                count, stock, *chosen = numbers[days].sum(axis=0)
                means = {trait: round(number / count, 2) for trait, number in zip(CHOSEN, chosen, strict=True)}
                row[place][f"days {days.start} to {days.stop - 1}"] = {"stock": round(stock / count, 2)} | means
    options.out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    draw(habits, options.out.with_suffix(".png"))


if __name__ == "__main__":
    main()
