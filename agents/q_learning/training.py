"""Training by play: real worlds in which any number of factories learn, and the learning curves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from agents.q_learning.policy import EndHook, QPolicy
from agents.q_learning.settings import QLearningSettings, Training
from agents.q_learning.tables import QTable
from scml_gym.errors import InputError
from scml_gym.partner import NegotiationEnd
from scml_gym.players import PlayerMaker, player_maker
from scml_gym.view import SELLER
from scml_gym.worlds.generation import Range, league_spec
from scml_gym.worlds.reference import Player, ReferenceWorld
from scml_gym.worlds.spec import WorldSpec

SELF_PLAY, MIXED = "self-play", "mixed"


class Worlds:
    """The ``env`` section as far as worlds are drawn from it.

    Args:
        env: ``opponents``, ``days`` and ``factories_per_level`` count; ``id`` names the environment of the same game.

    Raises:
        InputError: if one is missing or another key is given.
    """

    KEYS = ("id", "opponents", "days", "factories_per_level")

    def __init__(self, env: Mapping[str, Any]):
        for key in env:
            if key not in self.KEYS:
                raise InputError(f"env.{key}: Q-learning draws its worlds itself, see configs/env/worlds.yaml")
        for key in self.KEYS[1:]:
            if key not in env:
                raise InputError(f"env.{key}: missing")
        self.days = _range("days", env["days"])
        self.factories = _range("factories_per_level", env["factories_per_level"])
        league_spec(0, self.days, self.factories)  # refuse impossible ranges now
        if not isinstance(env["opponents"], list | tuple):
            raise InputError(f"env.opponents: {env['opponents']!r} is not a list of players")
        self.opponents: list[str] = list(env["opponents"])
        self.makers: dict[str, PlayerMaker] = {name: player_maker(name) for name in self.opponents}

    def draw(self, seed: int) -> WorldSpec:
        """A league world."""
        return league_spec(seed, self.days, self.factories)


@dataclass
class Tally:
    """What happened in the worlds of one kind since the last row of the learning curve."""

    negotiations: int = 0
    agreements: int = 0
    reward: float = 0.0
    scores: float = 0.0
    factories: int = 0

    def row(self, name: str) -> dict[str, float]:
        """The columns of the learning curve; none where nothing was played."""
        if not self.negotiations or not self.factories:
            return {}
        return {
            f"reward/{name}": self.reward / self.negotiations,
            f"agreement_rate/{name}": self.agreements / self.negotiations,
            f"score/{name}": self.scores / self.factories,
        }


class Trainer:
    """Plays the worlds of a training, one after the other; what world ``i`` holds depends on the seed and ``i`` alone.

    Each world is one of three kinds, drawn by the weights in `Training`: ``self_play`` (every factory learns),
    ``single`` (the others are all of one opponent) or ``mixed`` (each other factory is drawn). All learning factories
    of a level share that level's table.
    """

    def __init__(self, settings: QLearningSettings, worlds: Worlds, tables: tuple[QTable, QTable], seed: int):
        self.settings = settings
        self.worlds = worlds
        self.tables = tables
        self.seed = seed
        self.negotiations = 0
        self.tallies: dict[str, Tally] = {}

    def epsilon(self, index: int) -> float:
        """The probability of exploring in world ``index``: it falls linearly."""
        s = self.settings.learning
        done = min(1.0, index / max(1.0, s.epsilon_until * self.settings.training.worlds))
        return s.epsilon_start + (s.epsilon_end - s.epsilon_start) * done

    def play(self, index: int) -> None:
        """Play and learn from world ``index``."""
        rng = np.random.default_rng([self.seed, index])
        kind = self._kind(rng)
        spec = self.worlds.draw(int(rng.integers(2**62)))
        seats = self._seats(rng, spec, 1.0 if kind == SELF_PLAY else self.settings.training.seats)
        world_seed = int(rng.integers(2**62))
        tally = Tally()

        def count(factory: int, end: NegotiationEnd) -> None:
            tally.negotiations += 1
            tally.agreements += end.agreed
            tally.reward += end.reward

        players: list[Player] = []
        for factory in range(spec.n_factories):
            name = self.worlds.opponents[rng.integers(len(self.worlds.opponents))] if kind == MIXED else kind
            if factory in seats:
                players.append(self._learner(index, count))
            else:
                players.append(self.worlds.makers[name](world_seed))
        world = ReferenceWorld(spec, players, world_seed)
        world.run()
        tally.scores, tally.factories = float(world.scores[list(seats)].sum()), len(seats)
        self.negotiations += tally.negotiations
        self._add(kind, tally)

    def row(self, index: int) -> dict[str, float]:
        """A row of the learning curve, after world ``index``; starts the next row's counts."""
        total = Tally()
        for tally in self.tallies.values():
            _sum(total, tally)
        row = total.row("all") | {"epsilon": self.epsilon(index), "worlds": index + 1}
        row["visited"] = float(np.mean([np.mean(t.visits > 0) for t in self.tables]))
        for kind in sorted(self.tallies):
            row |= self.tallies[kind].row(kind)
        self.tallies = {}
        return row

    def _learner(self, index: int, count: EndHook) -> QPolicy:
        epsilon, learning, seed = self.epsilon(index), self.settings.learning, (self.seed, index)
        return QPolicy(
            self.settings, self.tables, seed, lambda _: epsilon, learning.rate, learning.visits, False, count
        )

    def _kind(self, rng: np.random.Generator) -> str:
        names = [SELF_PLAY, *self.worlds.opponents, MIXED]
        weights = kind_weights(self.settings.training, len(self.worlds.opponents))
        return names[rng.choice(len(names), p=weights)]

    def _seats(self, rng: np.random.Generator, spec: WorldSpec, share: float) -> tuple[int, ...]:
        """The factories that learn: the share of each level, rounded at random, one at least in all."""
        seats: list[int] = []
        for level in (SELLER, 1 - SELLER):
            factories = rng.permutation(np.flatnonzero(spec.level == level))
            seats += factories[: int(share * len(factories) + rng.random())].tolist()
        return tuple(sorted(seats)) or (int(rng.integers(spec.n_factories)),)

    def _add(self, kind: str, tally: Tally) -> None:
        _sum(self.tallies.setdefault(kind, Tally()), tally)


def kind_weights(training: Training, n_opponents: int) -> np.ndarray:
    """Probabilities of self-play, of each opponent alone, and of the mixed field, in this order.

    Raises:
        InputError: if all weights are 0.
    """
    weights = np.array(
        [training.self_play, *[training.single / max(1, n_opponents)] * n_opponents, training.mixed], dtype=np.float64
    )
    if n_opponents == 0:
        weights[-1] = 0.0
    if weights.sum() <= 0:
        raise InputError("agent.training: self_play, single and mixed are all 0, or there are no env.opponents")
    return weights / weights.sum()


def _sum(total: Tally, part: Tally) -> None:
    for name in ("negotiations", "agreements", "reward", "scores", "factories"):
        setattr(total, name, getattr(total, name) + getattr(part, name))


def _range(name: str, value: Any) -> Range:
    if isinstance(value, int):
        return value
    if isinstance(value, list | tuple) and len(value) == 2:
        return int(value[0]), int(value[1])
    raise InputError(f"env.{name}: {value!r} is neither a number nor a pair [low, high]")
