"""OneShotConfig: the worlds an environment plays in, and how one is drawn from a seed."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from scml_gym.core.arguments import Range, whole_range
from scml_gym.core.errors import InputError, about
from scml_gym.core.registry import Registry
from scml_gym.game.strategy import Strategy, StrategyPolicy
from scml_gym.game.world import Drawn, PlayerMaker
from scml_gym.oneshot.envs.sampling import begin_sampling, draw_players
from scml_gym.oneshot.players import Player
from scml_gym.oneshot.view import BUYER, MAX_PARTNERS, SELLER
from scml_gym.oneshot.worlds.spec import WorldSpec
from scml_gym.simulator.world_spec import MOST_DAYS

BACKENDS = Registry("backend")
BACKENDS.register("compiled", "scml_gym.oneshot.worlds.compiled.world:CompiledWorld")
BACKENDS.register("reference", "scml_gym.oneshot.worlds.reference:ReferenceWorld")

GENERATORS = Registry("world generator")
GENERATORS.register("compiled", "scml_gym.oneshot.worlds.compiled.generation:compiled_spec")
GENERATORS.register("league", "scml_gym.oneshot.worlds.generation:league_spec")

LEVELS = {"any": (SELLER, BUYER), "seller": (SELLER,), "buyer": (BUYER,)}

Opponent = str | Strategy | PlayerMaker
Generator = Callable[[int, Any, Any], WorldSpec]


def _maker(opponent: Opponent) -> str | PlayerMaker:
    """A name as it is, and what makes the players of any other opponent.

    Raises:
        InputError: if it is nothing that could make players.
    """
    if isinstance(opponent, Strategy):
        return partial(StrategyPolicy, opponent)
    if not isinstance(opponent, str) and not callable(opponent):
        valid = "a name, a Strategy, or a callable (seed) -> FactoryPolicy"
        raise InputError(f"opponents: {opponent!r}; valid: {valid}", "opponents")
    return opponent


@dataclass(frozen=True)
class EpisodeSample:
    """Who plays where in which world.

    Attributes:
        spec: The world's parameters.
        players: One for each factory; None where the learner plays.
        factories: Indices of the learner's factories.
        seed: Of the world.
    """

    spec: WorldSpec
    players: list[Player]
    factories: tuple[int, ...]
    seed: int


class OneShotConfig:
    """Which worlds are played: the arguments that all OneShot environments share.

    Args:
        level: ``"seller"``, ``"buyer"`` or ``"any"`` (drawn anew for each world).
        opponents: Who may play the other factories, each drawn with equal chance: names (see
            `scml_gym.oneshot.players`), `Strategy` objects, or callables ``(seed) -> FactoryPolicy``.
        days: Simulated days, a number or a range.
        factories_per_level: A number or a range, drawn for each level of its own.
        generator: ``"compiled"`` (worlds as the league draws them, quickly), ``"league"`` (scml's own generator), or a
            callable ``(seed, days, factories_per_level)``.
        spec: A `WorldSpec`, or the path of a saved one, to be played in every episode instead of drawing worlds.
        timing: ``"rounds"`` (the league's) or ``"moves"`` (the league's RL mode).
        backend: ``"compiled"``, or ``"reference"`` for scml's own simulation, in which every kind of opponent can play.

    Raises:
        InputError: for an unknown name or a value of the wrong form.
    """

    def __init__(
        self,
        level: str = "any",
        opponents: Sequence[Opponent] = ("best-subset", "best-subset-even", "greedy"),
        days: Range = 50,
        factories_per_level: Range = (4, 8),
        generator: str | Generator = "compiled",
        spec: WorldSpec | str | os.PathLike[str] | None = None,
        timing: str = "rounds",
        backend: str = "compiled",
    ):
        if level not in LEVELS:
            raise InputError(f"level={level!r}; valid: {', '.join(LEVELS)}", "level")
        if timing not in ("rounds", "moves"):
            raise InputError(f"timing={timing!r}; valid: rounds, moves", "timing")
        self.levels = np.array(LEVELS[level])
        self.timing = timing
        self.generate = GENERATORS.get(generator, "generator") if isinstance(generator, str) else generator
        whole_range("days", days, 1, MOST_DAYS)
        whole_range("factories_per_level", factories_per_level, 1, MAX_PARTNERS)
        self.days = days
        self.factories_per_level = factories_per_level
        self._world: Any = BACKENDS.get(backend, "backend")
        self.set_opponents(opponents)
        self.spec = spec if isinstance(spec, WorldSpec) or spec is None else WorldSpec.load(spec)
        if self.spec is None:
            self.generate(0, days, factories_per_level)  # refuse an impossible config now

    def set_opponents(self, opponents: Sequence[Opponent]) -> None:
        """Let others play in the worlds drawn from now on; one that is listed twice is drawn twice as often.

        Raises:
            InputError: if there is none, or one that the backend cannot play.
        """
        if isinstance(opponents, str) or not opponents:
            raise InputError(f"opponents={opponents!r}; give a list of at least one player", "opponents")
        with about("opponents"):
            self.makers: list[PlayerMaker] = [self._world.player_maker(_maker(o)) for o in opponents]

    def draw(self, seed: int, factories: Sequence[int] | None = None) -> Drawn:
        """A world and the learner's factory in it: a pure function of the config and the seed; see `sample`."""
        sample = self.sample(seed, factories)
        world = self._world(sample.spec, sample.players, seed=sample.seed, timing=self.timing)
        return Drawn(world, sample.factories)

    def sample(self, seed: int, factories: Sequence[int] | None = None) -> EpisodeSample:
        """What a world is made of: a pure function of the config and the seed.

        Args:
            seed: Any non-negative integer.
            factories: Indices of the learner's factories where they are not to be drawn.

        Raises:
            InputError: if a factory index is outside the world.
        """
        stream = np.zeros(1, dtype=np.uint64)
        spec_seed = begin_sampling(stream, seed)
        spec = self.generate(int(spec_seed), self.days, self.factories_per_level) if self.spec is None else self.spec
        choices = np.zeros(spec.n_factories, dtype=np.int64)
        drawn, world_seed = draw_players(stream, spec.n_sellers, spec.n_buyers, self.levels, len(self.makers), choices)
        factories = (int(drawn),) if factories is None else factories
        for factory in factories:
            if not 0 <= factory < spec.n_factories:
                raise InputError(f"factory {factory}: this world has factories 0 to {spec.n_factories - 1}")
        players = [None if i in factories else self.makers[k](int(world_seed)) for i, k in enumerate(choices)]
        return EpisodeSample(spec, players, tuple(factories), int(world_seed))
