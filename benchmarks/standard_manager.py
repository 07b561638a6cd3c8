"""Managers of the Standard track beside the players whose plans they imitate, in compiled worlds.

Everybody takes the learner's seat of the same worlds, which nothing else was played in; opponents are drawn as in the
experiment ``standard_manager``. A player is a run folder, a strategy, or ``plan:NAME``: what that strategy proposes
first on each day, as goals that the planner carries out. Differences to the first player are paired by world.

    python benchmarks/standard_manager.py ten-once plan:ten-once runs/manager-0 --out docs/results/manager/league.json
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium.utils.seeding import np_random

from scml_gym.core.cli import run_main
from scml_gym.core.config import load_experiment
from scml_gym.core.errors import InputError
from scml_gym.experiments.make_env import env_arguments
from scml_gym.experiments.run_folder import Run
from scml_gym.game.run_folders import is_folder
from scml_gym.policies.run_folders import load_agent
from scml_gym.simulator.vector.played import RowPlayer
from scml_gym.standard.actions import make_daily_codec
from scml_gym.standard.envs.config import StandardConfig
from scml_gym.standard.players import player_maker
from scml_gym.standard.rules import STOCK_RULES

PLACES, JUDGE = ("first", "middle", "last"), 65_000_000
OF_WORLDS = ("opponents", "days", "factories_per_level", "n_levels", "stock", "generator", "horizon", "level")


def play_rows(name: str, arguments: dict[str, Any], choose: Any, seeds: range) -> np.ndarray:
    """The scores of the worlds of some seeds, with actions chosen by ``choose(envs) -> act``."""
    envs: Any = gymnasium.make_vec(name, len(seeds), **arguments).unwrapped
    observations, infos = envs.reset(seed=seeds.start)
    act, total, live = choose(envs), np.ones(len(seeds)), np.ones(len(seeds), dtype=bool)
    while live.any():
        observations, rewards, ended, _, infos = envs.step(act(observations, infos["action_mask"], live))
        total += np.where(live, rewards, 0.0)
        live &= ~ended
    envs.close()
    return total


def planned(strategy: str, seeds: range) -> Any:
    """Chooses what a strategy proposes first."""

    def choose(envs: Any) -> Any:
        made = player_maker(strategy)(0)
        if isinstance(made, tuple):
            raise InputError(f"plan:{strategy}: an scml agent is asked by its own simulation alone; valid: a strategy")
        player = RowPlayer(envs, made)
        player.begin(np.arange(len(seeds)), np.array(seeds))
        return lambda observations, masks, live: player.act(live)

    return choose


def learnt(run: Path) -> Any:
    """Chooses the likeliest actions of a run folder's learner."""
    agent = load_agent(run)
    return lambda envs: lambda observations, masks, live: agent.predict(observations, None, masks)[0]


def episode_seed(seed: int) -> int:
    """Of the first episode of an environment that was reset with a seed."""
    return int(np_random(seed)[0].integers(2**62))


def seated(strategy: str, config: StandardConfig, seeds: range) -> np.ndarray:
    """The scores of a strategy in the learner's seat."""
    maker, scores = player_maker(strategy), np.zeros(len(seeds))
    for i, seed in enumerate(seeds):
        sample = config.sample(episode_seed(seed))
        (seat,) = sample.factories
        players = [maker(seed) if k == seat else player for k, player in enumerate(sample.players)]
        world = config.new_world(replace(sample, players=players))
        world.start()
        scores[i] = world.summary(seat)["score"]
    return scores


def places(config: StandardConfig, seeds: range) -> np.ndarray:
    """The place of the learner in the chain: 0 the first level, 1 the middle, 2 the last one."""
    found = []
    for seed in seeds:
        sample = config.sample(episode_seed(seed))
        level = int(np.searchsorted(np.cumsum(sample.spec.level_sizes), sample.factories[0], side="right"))
        found.append(0 if level == 0 else 2 if level == sample.spec.n_levels - 1 else 1)
    return np.array(found)


def paired(ours: np.ndarray, theirs: np.ndarray) -> list[float]:
    """The mean difference, and its 95 % interval."""
    difference = ours - theirs
    mean, error = difference.mean(), 1.96 * difference.std(ddof=1) / len(difference) ** 0.5
    return [round(float(number), 4) for number in (mean, mean - error, mean + error)]


def main() -> None:
    """Play and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("players", nargs="+", help="differences are to the first one")
    parser.add_argument("--stock", choices=STOCK_RULES, default=STOCK_RULES[0], help="default: %(default)s")
    parser.add_argument("--worlds", type=int, default=768, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=JUDGE, help="of the first world (default: %(default)s)")
    parser.add_argument("--action", default="goals-by-day", help="of plans (default: %(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="JSON")
    options = parser.parse_args()
    seeds = range(options.seed, options.seed + options.worlds)
    section = load_experiment("standard_manager", [f"env.stock={options.stock}"]).config["env"]
    name, arguments = env_arguments(section)
    worlds = {key: arguments[key] for key in OF_WORLDS if key in arguments}
    config, scores = StandardConfig(**worlds), dict[str, np.ndarray]()
    at = places(config, seeds)
    told: dict[str, Any] = {
        "stock": options.stock,
        "action": options.action,
        "seeds": [seeds.start, seeds.stop - 1],
        "players": {},
    }
    for player in options.players:
        if is_folder(player):
            _, own = env_arguments(Run.open(Path(player)).config["env"])
            scores[player] = play_rows(name, own | worlds | {"reward": "daily-profit"}, learnt(Path(player)), seeds)
        elif player.startswith("plan:"):
            goals: Any = make_daily_codec(options.action)
            plans = worlds | {"action": options.action, "executor": goals.form.executor}
            scores[player] = play_rows(name, plans, planned(player.removeprefix("plan:"), seeds), seeds)
        else:
            scores[player] = seated(player, config, seeds)
        parts = {"all": slice(None)} | {place: at == i for i, place in enumerate(PLACES)}
        row = told["players"][player] = {
            part: {
                "n": len(at[where]),
                "score": round(float(scores[player][where].mean()), 4),
                "less": paired(scores[player][where], scores[options.players[0]][where]),
            }
            for part, where in parts.items()
        }
        print(player, *(f"{part} {row[part]['score']} {row[part]['less']}" for part in parts), flush=True)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    run_main(main)
