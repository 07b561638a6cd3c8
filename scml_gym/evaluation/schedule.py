"""Line-ups: who plays in which position of every world of a tournament, a pure function of its configuration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from scml_gym.evaluation.config import TournamentConfig, competition_of
from scml_gym.game.definition import Setting

Role = Literal["competitor", "background", "substitute"]


@dataclass(frozen=True)
class Occupant:
    """Who plays a factory.

    Attributes:
        label: Shown in tables; unique among the competitors and unique among the background opponents.
        name: As the game's `player_maker` takes it.
        role: A competitor, a background opponent, or a substitute for one that failed.
    """

    label: str
    name: str
    role: Role


def substitute_of(game: str) -> Occupant:
    """Who takes the positions of a player that crashed or hung, so that the others can be judged."""
    name = competition_of(game).substitute
    return Occupant(name, name, "substitute")


@dataclass(frozen=True)
class Match:
    """One world with its occupants, to be played as often as it has levels.

    Attributes:
        index: Position in the schedule.
        configuration: From 0; all blocks of one configuration play the same world.
        block: From 0; more than one only where the competitors do not fit into one world.
        seed: Of the world and of its players.
        positions: Occupants of the first play, in order: those of the first level, then equally many of each next one.
        setting: What the world is like.
    """

    index: int
    configuration: int
    block: int
    seed: int
    positions: tuple[Occupant, ...]
    setting: Setting

    @property
    def plays(self) -> range:
        """Numbers of its plays: everyone plays on each level in turn."""
        return range(self.setting.levels)

    def line_up(self, play: int) -> tuple[Occupant, ...]:
        """Occupants of a play: 0 as drawn; in each next one everyone has the same position of another level."""
        moved = play * len(self.positions) // self.setting.levels
        return self.positions[moved:] + self.positions[:moved]


def occupants(names: Sequence[str], role: Role) -> tuple[Occupant, ...]:
    """Occupants with short, unique labels: the end of a path, as long as it takes to tell it from the others, else the
    name; ``#2`` for who is named a second time."""
    shown = [_label(name, names) for name in names]
    times = [shown[: i + 1].count(label) for i, label in enumerate(shown)]
    labels = [label if time == 1 else f"{label}#{time}" for label, time in zip(shown, times, strict=True)]
    return tuple(Occupant(label, name, role) for label, name in zip(labels, names, strict=True))


def _label(name: str, names: Sequence[str]) -> str:
    path = _path(name)
    if path is None:
        return name
    paths = [_path(other) for other in names]
    others = [other.parts for other in paths if other is not None and other != path]
    taken = {other for other, is_path in zip(names, paths, strict=True) if is_path is None}
    for n in range(1, len(path.parts)):
        end = path.parts[-n:]
        if "/".join(end) not in taken and all(other[-n:] != end for other in others):
            return "/".join(end)
    return str(path)


def _path(name: str) -> Path | None:
    """The run folder or policy file that a name stands for; None for other names."""
    is_path = ":" not in name and ("/" in name or Path(name).is_dir())
    return Path(name).resolve() if is_path else None


def world_seed(seed: int, configuration: int) -> int:
    """The seed of a configuration's world; that of world 7 does not depend on how many worlds there are."""
    return int(np.random.SeedSequence([seed, configuration]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def schedule(config: TournamentConfig) -> Iterator[Match]:
    """All matches in order; the first ``n`` configurations are the same whatever ``worlds`` is.

    The competitors of a configuration are divided into blocks of (nearly) equal size, such that over the
    configurations all pairs meet about equally often; free positions go round the background opponents; who plays in
    which position is drawn at random. In the same seat, each competitor is a block, and nothing else differs between
    the blocks of a configuration.
    """
    players = occupants(config.competitors, "competitor")
    background = occupants(config.background, "background")
    met = np.zeros((len(players), len(players)), dtype=np.int64)
    index = turn = 0
    for configuration in range(config.worlds):
        rng = np.random.default_rng([config.seed, configuration, 1])
        setting = config.setting(configuration)
        each = config.factories_in(configuration)
        total, seed = each * setting.levels, world_seed(config.seed, configuration)
        if config.same_seat:
            order = rng.permutation(total)
            others = [background[(turn + i) % len(background)] for i in range(total - 1)]
            turn += total - 1
            for block, player in enumerate(players):
                seated = [player, *others]
                yield Match(index, configuration, block, seed, tuple(seated[i] for i in order), setting)
                index += 1
            continue
        for block, members in enumerate(_blocks(rng, met, config.n_blocks)):
            if config.one_on_one:
                positions = _one_on_one(rng, players, each, setting.levels)
            else:
                free = total - len(members)
                others = [background[(turn + i) % len(background)] for i in range(free)]
                positions = [players[i] for i in members] + others
                turn += free
                positions = [positions[i] for i in rng.permutation(total)]
            yield Match(index, configuration, block, seed, tuple(positions), setting)
            index += 1


def _blocks(rng: np.random.Generator, met: np.ndarray, n_blocks: int, trials: int = 32) -> list[np.ndarray]:
    """Divide the players: of some random divisions the one that evens out ``met`` best, which is updated."""
    if n_blocks == 1:
        return [np.arange(len(met))]
    divisions = [np.array_split(rng.permutation(len(met)), n_blocks) for _ in range(trials)]
    costs = [sum(int(met[np.ix_(block, block)].sum()) for block in division) for division in divisions]
    best = divisions[int(np.argmin(costs))]
    for block in best:
        met[np.ix_(block, block)] += 1
    return best


def _one_on_one(rng: np.random.Generator, players: Sequence[Occupant], each: int, levels: int) -> list[Occupant]:
    """Half of each level for each; the same positions of neighbouring levels are of opposite players."""
    first = rng.permutation([0, 1] * (each // 2)) if each > 1 else rng.integers(2, size=1)
    return [players[(i + level) % 2] for level in range(levels) for i in first]
