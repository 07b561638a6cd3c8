"""OneShotConfig: the worlds an environment plays in, and how one is drawn from a seed."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from scml_gym.core.arguments import Range, one_of, whole_range
from scml_gym.core.errors import InputError
from scml_gym.core.registry import Registry
from scml_gym.game.world_config import EpisodeSample, Opponent, WorldConfig
from scml_gym.oneshot.envs.sampling import draw_players
from scml_gym.oneshot.recording import record_world
from scml_gym.oneshot.safety.audit import audit_world
from scml_gym.oneshot.view import BUYER, MAX_PARTNERS, SELLER
from scml_gym.oneshot.worlds.pool import SpecPool
from scml_gym.oneshot.worlds.protocol import TIMINGS
from scml_gym.oneshot.worlds.spec import WorldSpec
from scml_gym.simulator.recording.folder import Recording, episode_log
from scml_gym.simulator.spec_pool import named_generator
from scml_gym.simulator.world_spec import MOST_DAYS, check_spec, given_spec

BACKENDS = Registry("backend")
BACKENDS.register("compiled", "scml_gym.oneshot.worlds.compiled.world:CompiledWorld")
BACKENDS.register("reference", "scml_gym.oneshot.worlds.reference:ReferenceWorld")

GENERATORS = Registry("world generator")
GENERATORS.register("compiled", "scml_gym.oneshot.worlds.compiled.generation:compiled_spec")
GENERATORS.register("league", "scml_gym.oneshot.worlds.generation:league_spec")

LEVELS = {"any": (SELLER, BUYER), "seller": (SELLER,), "buyer": (BUYER,)}

Generator = Callable[[int, Any, Any], WorldSpec]


def answered_together(**arguments: Any) -> OneShotConfig:
    """The config of an environment in which the partners are answered together.

    Raises:
        InputError: as `OneShotConfig`, and for ``timing="negotiations"``.
    """
    config = OneShotConfig(**arguments)
    if config.timing == "negotiations":
        raise InputError("timing='negotiations' is played in OneShotConcurrent-v0; valid here: rounds, moves", "timing")
    return config


class OneShotConfig(WorldConfig):
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
        timing: ``"rounds"`` (the league's), ``"moves"`` (the league's RL mode), or ``"negotiations"``: rounds, but the
            learner answers one negotiation at a time and may wait (``OneShotConcurrent-v0`` only).
        backend: ``"compiled"``, or ``"reference"`` for scml's own simulation, in which every kind of opponent can play.
        recording: A folder that every world is recorded to which is played to its end, or None; see docs/analyzer.md.

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
        recording: str | os.PathLike[str] | None = None,
    ):
        one_of("level", level, LEVELS)
        one_of("timing", timing, TIMINGS)
        self.levels = np.array(LEVELS[level])
        self.timing = timing
        self.generate = named_generator(generator, GENERATORS, SpecPool)
        whole_range("days", days, 1, MOST_DAYS)
        whole_range("factories_per_level", factories_per_level, 1, MAX_PARTNERS)
        self.days = days
        self.factories_per_level = factories_per_level
        super().__init__(BACKENDS.get(backend, "backend"), opponents)
        self.spec = None if spec is None else given_spec(spec, WorldSpec)
        if self.spec is None:
            self.draw_spec(0)  # refuse an impossible config now
        self.recording = None if recording is None else Recording(recording)

    def draw_spec(self, seed: int) -> WorldSpec:
        """See `WorldConfig`."""
        if self.spec is not None:
            return self.spec
        spec = self.generate(seed, self.days, self.factories_per_level)
        check_spec(spec, WorldSpec, "generator")
        return spec

    def draw_players(self, stream: np.ndarray, spec: WorldSpec, choices: np.ndarray) -> tuple[int, int]:
        """See `WorldConfig`."""
        return draw_players(stream, spec.n_sellers, spec.n_buyers, self.levels, len(self.makers), choices)

    def new_world(self, sample: EpisodeSample) -> Any:
        """See `WorldConfig`."""
        log = episode_log(self.recording, record_world, sample.players, sample.seed)
        world = self._world(sample.spec, sample.players, seed=sample.seed, timing=self.timing, log=log)
        if log is not None:
            audit_world(world, log)
        return world
