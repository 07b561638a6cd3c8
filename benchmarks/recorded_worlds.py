"""Recordings against the worlds that were recorded: are they equal, how large, and what do they cost?

    python benchmarks/recorded_worlds.py equal --worlds 100
    python benchmarks/recorded_worlds.py cost --worlds 20

``equal`` plays random worlds of both tracks, and bilateral negotiations, in the simulations of scml and negmas and
compiled, and compares the tables of the two. Profits, scores and needs recomputed from the tables alone are compared
with those of the simulation. ``cost`` plays the worlds of a tournament in turn without and with a recording, in this
process, and measures CPU time and bytes.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import gymnasium
import numpy as np
import typer

from scml_gym.analyzer import open_recordings
from scml_gym.analyzer.queries.worlds import recompute
from scml_gym.bilateral.parity import draw_negotiation
from scml_gym.bilateral.scenarios import SCENARIOS
from scml_gym.core.cli import command_app, run_cli
from scml_gym.game.definition import Setting
from scml_gym.games import GAMES
from scml_gym.oneshot import parity as oneshot_parity
from scml_gym.oneshot.game import COMPETITION
from scml_gym.oneshot.line_up import play_line_up
from scml_gym.oneshot.players import player_maker as oneshot_maker
from scml_gym.oneshot.safety.audit import audit_world as audit_oneshot
from scml_gym.oneshot.worlds.compiled.world import CompiledWorld as OneShotCompiled
from scml_gym.oneshot.worlds.reference import ReferenceWorld as OneShotReference
from scml_gym.simulator.recording.folder import Recording, WriteWorld
from scml_gym.simulator.recording.log import WorldLog
from scml_gym.simulator.recording.tables import About
from scml_gym.standard import parity as standard_parity
from scml_gym.standard.players import player_maker as standard_maker
from scml_gym.standard.safety.audit import audit_world as audit_standard
from scml_gym.standard.worlds.compiled.world import CompiledWorld as StandardCompiled
from scml_gym.standard.worlds.reference import ReferenceWorld as StandardReference

app = command_app()
AUDITS = {"oneshot": audit_oneshot, "standard": audit_standard}
NEEDS = ("needed_supplies", "needed_sales", "left_supplies", "left_sales")


class Truth:
    """What a simulation itself says of needs, asked in every morning and every evening."""

    def __init__(self, world: Any):
        self.needs = {name: np.zeros((world.spec.n_factories, world.spec.n_days), dtype=np.int64) for name in NEEDS}
        self._world, self._step = world, world.world.simulation_step
        world.world.simulation_step = self._stage

    def _stage(self, stage: int = 0) -> None:
        if stage == 1:
            self._ask("left")
        self._step(stage)
        if stage == 0:
            self._ask("needed")

    def _ask(self, when: str) -> None:
        simulation = self._world.world
        for factory, agent in enumerate(self._world.ids):
            awi = simulation.agents[agent].awi
            self.needs[f"{when}_supplies"][factory, simulation.current_step] = awi.needed_supplies
            self.needs[f"{when}_sales"][factory, simulation.current_step] = awi.needed_sales


def _cases(game: str, index: int) -> tuple[Any, Any, dict[str, Any], tuple[Any, Any]]:
    """A random case of a game: its spec and seed, the maker of players, arguments of worlds, and both kinds of them."""
    if game == "oneshot":
        case = oneshot_parity.draw_case(14, index, ("rounds", "moves")[index % 2], index % 3 == 0, (3, 12))
        return case, oneshot_maker, {"timing": case.timing}, (OneShotReference, OneShotCompiled)
    case = standard_parity.draw_case(14, index, (4, 12), (1, 5))
    return case, standard_maker, {"stock": case.stock, "horizon": case.horizon}, (StandardReference, StandardCompiled)


def compare(game: str, index: int, folder: Path, counts: Counter[str]) -> list[str]:
    """Play a random world in both kinds of world, record it, and say what differs."""
    case, maker, rules, kinds = _cases(game, index)
    about = About(case.seed, case.strategies, ["competitor"] * len(case.strategies))
    recording, worlds, truth = Recording(folder), {}, None
    for kind in kinds:
        log = WorldLog(WriteWorld(recording, GAMES.get(game).load("record"), about, f"{index}-{kind.backend}"))
        players = [maker(name)(case.seed) for name in case.strategies]
        world = worlds[kind.backend] = kind(case.spec, players, case.seed, log=log, **rules)
        truth = Truth(world) if kind.backend == "reference" else truth
        AUDITS[game](world, log)
        world.run()
    assert truth is not None
    different = []
    with open_recordings(folder) as recordings:
        for table in ("worlds", "factories", "days", "offers", "contracts", "unsafe"):
            # factories that decide at once may do so in another order
            order = "ORDER BY day, factory, decision, bound, partner" if table == "unsafe" else ""
            parts = [
                recordings.ask(f"SELECT * FROM {table} WHERE world = $world {order}", world=f"{index}-{backend}").drop(
                    columns=["world", "backend"], errors="ignore"
                )
                for backend in worlds
            ]
            counts[table] += len(parts[0])
            if not parts[0].equals(parts[1]):
                different.append(f"{game} {index}: {table} of the two worlds")
        for backend, world in worlds.items():
            again = recompute(recordings, 0, f"{index}-{backend}")
            if not np.array_equal(again.profits, world.profits) or not np.array_equal(again.scores, world.scores):
                different.append(f"{game} {index}: profits or scores recomputed, {backend}")
            if any(not np.array_equal(again.needs[name], truth.needs[name]) for name in NEEDS):
                different.append(f"{game} {index}: needs recomputed, {backend}")
    return different


def compare_negotiation(index: int, folder: Path, counts: Counter[str]) -> list[str]:
    """The same of a random bilateral negotiation, played by random actions that seldom end it."""
    case = draw_negotiation(14, index, [*SCENARIOS, "random"])
    sides, profile = {}, case.arguments["profile"]
    for backend in ("reference", "compiled"):
        env: Any = gymnasium.make(case.env_id, backend=backend, recording=folder / backend, **case.arguments).unwrapped
        rng, done, info = np.random.default_rng(case.seed), False, {}
        env.reset(seed=case.seed)
        while not done:
            offers = np.arange(1) if "Acceptance" in case.env_id else np.flatnonzero(env.action_masks())[2:]
            *_, done, _, info = env.step(int(rng.choice(offers)) if rng.random() < 0.98 and len(offers) else 1)
        sides[backend] = [info["utility"], info["opponent_utility"]][:: 1 if profile == 0 else -1]
    with open_recordings(*(folder / backend for backend in sides)) as recordings:
        different = []
        for table in ("worlds", "factories", "offers"):
            parts = [
                recordings.ask(f"SELECT * FROM {table} WHERE run = $run", run=run).drop(
                    columns=["run", "world", "backend"], errors="ignore"
                )
                for run in range(len(sides))
            ]
            counts[table] += len(parts[0])
            if not parts[0].equals(parts[1]):
                different.append(f"bilateral {index}: {table} of the two worlds")
        for run, (backend, utilities) in enumerate(sides.items()):
            (world,) = recordings.ask("SELECT world FROM worlds WHERE run = $run", run=run)["world"].tolist()
            if recompute(recordings, run, world).scores.tolist() != utilities:
                different.append(f"bilateral {index}: utilities recomputed, {backend}")
    return different


@app.command()
def equal(worlds: Annotated[int, typer.Option(help="Of each game.")] = 100) -> int:
    """Compare the tables of both worlds, and what is recomputed from them with the simulation."""
    counts: Counter[str] = Counter()
    different = []
    for game in ("oneshot", "standard"):
        for index in range(worlds):
            with tempfile.TemporaryDirectory() as folder:
                different += compare(game, index, Path(folder), counts)
    for index in range(worlds):
        with tempfile.TemporaryDirectory() as folder:
            different += compare_negotiation(index, Path(folder), counts)
    print("\n".join(different) or "all equal")
    print(dict(counts))
    return min(1, len(different))


@app.command()
def cost(
    worlds: Annotated[int, typer.Option(help="Worlds.")] = 20,
    days: Annotated[int, typer.Option(help="Simulated days.")] = 30,
) -> None:
    """CPU time of tournament worlds of 10 factories without and with a recording, in turn, and bytes of a world."""
    names = [COMPETITION.background[i % len(COMPETITION.background)] for i in range(10)]
    times: dict[bool, list[float]] = {False: [], True: []}
    with tempfile.TemporaryDirectory() as folder:
        recording = Recording(folder)
        for index in range(-1, worlds):  # the first one warms up
            for recorded in (False, True) if index % 2 else (True, False):
                about = About(index, names, ["competitor"] * len(names))
                end = WriteWorld(recording, GAMES.get("oneshot").load("record"), about, f"{index:04d}")
                players = [oneshot_maker(name)(index + 1) for name in names]
                start = time.process_time()
                log = WorldLog(end) if recorded else None
                play_line_up(players, index + 1, Setting(days), lambda *_: None, log)
                times[recorded] += [time.process_time() - start] if index >= 0 else []
        sizes = [sum(p.stat().st_size for p in world.iterdir()) for world in (Path(folder) / "worlds").iterdir()]
        with open_recordings(folder) as recordings:
            offers = recordings.ask("SELECT count(*) / count(DISTINCT world) AS offers FROM offers")["offers"][0]
    without, with_it = (np.array(times[recorded]) for recorded in (False, True))
    print(f"CPU seconds a world: {without.mean():.3f} without, {with_it.mean():.3f} with a recording")
    print(f"ratio: {with_it.sum() / without.sum():.3f}; median of the pairs: {np.median(with_it / without):.3f}")
    print(f"bytes a world: mean {np.mean(sizes):.0f}, greatest {max(sizes)}; offers a world: {offers:.0f}")


if __name__ == "__main__":
    run_cli(app)
