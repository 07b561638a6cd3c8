"""Training by play: worlds in which any number of factories learn, and the learning curves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from scml_gym.agents.q_learning.hyperparameters import QLearningHyperparameters, Training
from scml_gym.agents.q_learning.memory import make_rules
from scml_gym.agents.q_learning.policy import QPolicy
from scml_gym.agents.q_learning.tables import Tables, shared
from scml_gym.core.arguments import Range, whole_range
from scml_gym.core.config import ConfigError, arguments_of
from scml_gym.core.errors import about
from scml_gym.core.registry import Registry
from scml_gym.game.world import PlayerMaker
from scml_gym.oneshot.envs.config import BACKENDS, GENERATORS
from scml_gym.oneshot.view import MAX_PARTNERS, SELLER
from scml_gym.oneshot.worlds.spec import WorldSpec
from scml_gym.simulator.world_spec import MOST_DAYS

SELF_PLAY, MIXED = "self-play", "mixed"


Play = Callable[[WorldSpec, list[Any], np.void, Tables, int], tuple[np.ndarray, np.ndarray]]
"""``play(spec, players, rules, tables, seed)``: one world to its end, in which each factory whose player is None learns
into the seller's and the buyer's table by the rules (``RULES_DTYPE``). Gives the memories (``MEMORY_DTYPE``) and the
scores of those factories. All backends do the same, number for number."""

PLAYS = Registry("backend")
PLAYS.register("compiled", "scml_gym.agents.q_learning.compiled:play")
PLAYS.register("reference", "scml_gym.agents.q_learning.training:play_reference")


def play_reference(
    spec: WorldSpec, players: list[Any], rules: np.void, tables: Tables, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """`Play` in the real simulation, where all kinds of opponents can play."""
    from scml_gym.oneshot.worlds.reference import ReferenceWorld

    learners = {i: QPolicy(rules, shared(tables), seed) for i, player in enumerate(players) if player is None}
    world = ReferenceWorld(spec, [learners.get(i, player) for i, player in enumerate(players)], seed)
    world.run()
    memories = np.array([learner.learner.memory for learner in learners.values()])
    return memories, world.scores[list(learners)]


class Worlds:
    """The ``env`` section as far as worlds are drawn from it.

    Args:
        env: ``opponents``, ``days``, ``factories_per_level``, ``generator`` and ``backend`` as an environment takes
            them; ``id`` names the environment of the same game.

    Raises:
        InputError: if one is missing, another key is given, or an opponent cannot play in the backend.
    """

    KEYS = ("id", "opponents", "days", "factories_per_level", "generator", "backend")

    def __init__(self, env: Mapping[str, Any]):
        for key in env:
            if key not in self.KEYS:
                raise ConfigError(("env", key), "Q-learning draws its worlds itself, see configs/env/worlds.yaml")
        for key in self.KEYS[1:]:
            if key not in env:
                raise ConfigError(("env", key), "missing")
        with arguments_of("env", env):
            self.days = _range("days", env["days"], MOST_DAYS)
            self.factories = _range("factories_per_level", env["factories_per_level"], MAX_PARTNERS)
        if not isinstance(env["opponents"], list | tuple):
            raise ConfigError(("env", "opponents"), f"{env['opponents']!r} is not a list of players")
        self.opponents: list[str] = list(env["opponents"])
        with arguments_of("env", env):
            self.generate = GENERATORS.get(env["generator"], "generator")
            self.generate(0, self.days, self.factories)  # refuse impossible ranges now
            backend = BACKENDS.get(env["backend"], "backend")
            self.play: Play = PLAYS.get(env["backend"], "backend")
            with about("opponents"):
                self.makers: dict[str, PlayerMaker] = {name: backend.player_maker(name) for name in self.opponents}

    def draw(self, seed: int) -> WorldSpec:
        """A league world."""
        return self.generate(seed, self.days, self.factories)


@dataclass
class Tally:
    """What happened in the worlds of one kind since the last row of the learning curve."""

    negotiations: int = 0
    agreements: int = 0
    reward: float = 0.0
    scores: float = 0.0
    factories: int = 0

    def add(self, memories: np.ndarray, scores: np.ndarray) -> None:
        """Count what the learning factories of a world did; ``MEMORY_DTYPE`` and float64, shapes ``(factories,)``."""
        self.negotiations += int(memories["negotiations"].sum())
        self.agreements += int(memories["agreements"].sum())
        self.reward += float(memories["reward"].sum())
        self.scores += float(scores.sum())
        self.factories += len(scores)

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

    def __init__(self, hyperparameters: QLearningHyperparameters, worlds: Worlds, tables: Tables, seed: int):
        self.hyperparameters = hyperparameters
        self.worlds = worlds
        self.tables = tables
        self.seed = seed
        self.negotiations = self.decisions = self.updates = 0
        self.tallies: dict[str, Tally] = {}
        self.total = Tally()
        self._kinds = [SELF_PLAY, *worlds.opponents, MIXED]
        self._weights = kind_weights(hyperparameters.training, len(worlds.opponents)).cumsum()
        self._rules = make_rules(
            hyperparameters, hyperparameters.learning.rate, hyperparameters.learning.visits, 0.0, 0.0
        )

    def epsilon(self, index: int) -> float:
        """The probability of exploring in world ``index``: it falls linearly."""
        s = self.hyperparameters.learning
        done = min(1.0, index / max(1.0, s.epsilon_until * self.hyperparameters.training.worlds))
        return s.epsilon_start + (s.epsilon_end - s.epsilon_start) * done

    def play(self, index: int) -> None:
        """Play and learn from world ``index``."""
        rng = np.random.default_rng([self.seed, index])
        kind = self._kinds[int(np.searchsorted(self._weights, rng.random(), side="right"))]
        spec = self.worlds.draw(int(rng.integers(2**62)))
        factories = self._learner_factories(
            rng, spec, 1.0 if kind == SELF_PLAY else self.hyperparameters.training.seats
        )
        world_seed = int(rng.integers(2**62))
        players: list[Any] = [None] * spec.n_factories
        for factory in range(spec.n_factories):
            name = self.worlds.opponents[rng.integers(len(self.worlds.opponents))] if kind == MIXED else kind
            if factory not in factories:
                players[factory] = self.worlds.makers[name](world_seed)
        self._rules["epsilon_start"] = self._rules["epsilon_end"] = self.epsilon(index)
        memories, scores = self.worlds.play(spec, players, self._rules, self.tables, world_seed)
        for tally in (self.total, self.tallies.setdefault(kind, Tally())):
            tally.add(memories, scores)
        self.negotiations += int(memories["negotiations"].sum())
        self.decisions += int(memories["decisions"].sum())
        self.updates += int(memories["updates"].sum())

    def row(self, index: int) -> dict[str, float]:
        """A row of the learning curve, after world ``index``; starts the next row's counts."""
        row = self.total.row("all") | {"epsilon": self.epsilon(index), "worlds": index + 1}
        row["visited"] = float(np.mean(self.tables.visits > 0))
        for kind in sorted(self.tallies):
            row |= self.tallies[kind].row(kind)
        self.tallies, self.total = {}, Tally()
        return row

    def counts(self) -> dict[str, Any]:
        """What the next row of the learning curve counts so far, as plain data."""
        return {"total": asdict(self.total), "kinds": {kind: asdict(tally) for kind, tally in self.tallies.items()}}

    def count_on(self, counts: Mapping[str, Any]) -> None:
        """Take what `counts` gave; TypeError or KeyError for anything else."""
        self.total = Tally(**counts["total"])
        self.tallies = {kind: Tally(**tally) for kind, tally in counts["kinds"].items()}

    def _learner_factories(self, rng: np.random.Generator, spec: WorldSpec, share: float) -> tuple[int, ...]:
        """The factories that learn: the share of each level, rounded at random, one at least in all."""
        found: list[int] = []
        for level in (SELLER, 1 - SELLER):
            factories = rng.permutation(np.flatnonzero(spec.level == level))
            found += factories[: int(share * len(factories) + rng.random())].tolist()
        return tuple(sorted(found)) or (int(rng.integers(spec.n_factories)),)


def kind_weights(training: Training, n_opponents: int) -> np.ndarray:
    """Probabilities of self-play, of each opponent alone, and of mixed opponents, in this order.

    Raises:
        InputError: if all weights are 0.
    """
    weights = np.array(
        [training.self_play, *[training.single / max(1, n_opponents)] * n_opponents, training.mixed], dtype=np.float64
    )
    if n_opponents == 0:
        weights[-1] = 0.0
    if weights.sum() <= 0:
        raise ConfigError(("agent", "training"), "self_play, single and mixed are all 0, or there are no env.opponents")
    return weights / weights.sum()


def _range(name: str, value: Any, most: int) -> Range:
    low, high = whole_range(name, value, 1, most)
    return low if low == high else (low, high)
