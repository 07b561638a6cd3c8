"""WorldConfig: which worlds an environment plays in and who plays there, as far as games of factories agree."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from scml_gym.core.errors import InputError, about
from scml_gym.game.sampling import begin_sampling
from scml_gym.game.strategy import Strategy, StrategyPolicy
from scml_gym.game.world import Drawn, PlayerMaker

Opponent = str | Strategy | PlayerMaker


@dataclass(frozen=True)
class EpisodeSample:
    """Who plays where in which world.

    Attributes:
        spec: The world's parameters.
        players: One for each factory; None where the learner plays.
        factories: Indices of the learner's factories.
        seed: Of the world.
    """

    spec: Any
    players: list[Any]
    factories: tuple[int, ...]
    seed: int


class WorldConfig(ABC):
    """Which worlds are played; a game says how a spec, the learner's factory and a world are made.

    Args:
        world: The class of the worlds, one of the game's backends.
        opponents: Who may play the other factories, each drawn with equal chance: names, `Strategy` objects, or
            callables ``(seed) -> FactoryPolicy``.

    Raises:
        InputError: if there is no opponent, or one that the backend cannot play.
    """

    def __init__(self, world: Any, opponents: Sequence[Opponent]):
        self._world = world
        self.set_opponents(opponents)

    @abstractmethod
    def draw_spec(self, seed: int) -> Any:
        """The parameters of the world of a seed, 0 to 2**62 - 1."""

    @abstractmethod
    def draw_players(self, stream: np.ndarray, spec: Any, choices: np.ndarray) -> tuple[int, int]:
        """The learner's factory and the seed of the simulation; ``choices``, int64 ``(n_factories,)``, receives the
        player of each factory."""

    @abstractmethod
    def new_world(self, sample: EpisodeSample) -> Any:
        """The world of a sample, not yet started."""

    def set_opponents(self, opponents: Sequence[Opponent]) -> None:
        """Let others play in the worlds drawn from now on; one that is listed twice is drawn twice as often.

        Raises:
            InputError: if there is none, or one that the backend cannot play.
        """
        named = [] if isinstance(opponents, str) or not isinstance(opponents, Iterable) else list(opponents)
        if not named:
            raise InputError(f"opponents={opponents!r}; give a list of at least one player", "opponents")
        with about("opponents"):
            self.makers: list[PlayerMaker] = [self._world.player_maker(_maker(o)) for o in named]

    def draw(self, seed: int, factories: Sequence[int] | None = None) -> Drawn:
        """A world and the learner's factory in it: a pure function of the config and the seed; see `sample`."""
        sample = self.sample(seed, factories)
        return Drawn(self.new_world(sample), sample.factories)

    def sample(self, seed: int, factories: Sequence[int] | None = None) -> EpisodeSample:
        """What a world is made of: a pure function of the config and the seed.

        Args:
            seed: Any non-negative integer.
            factories: Indices of the learner's factories where they are not to be drawn.

        Raises:
            InputError: if a factory index is outside the world.
        """
        stream = np.zeros(1, dtype=np.uint64)
        spec = self.draw_spec(int(begin_sampling(stream, seed)))
        choices = np.zeros(spec.n_factories, dtype=np.int64)
        drawn, world_seed = self.draw_players(stream, spec, choices)
        factories = (int(drawn),) if factories is None else factories
        for factory in factories:
            if not 0 <= factory < spec.n_factories:
                raise InputError(
                    f"factory {factory}: this world has factories 0 to {spec.n_factories - 1}", "factories"
                )
        players = [None if i in factories else self.makers[k](int(world_seed)) for i, k in enumerate(choices)]
        return EpisodeSample(spec, players, tuple(factories), int(world_seed))


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
