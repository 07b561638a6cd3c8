"""StandardConfig: the worlds an environment plays in, and how one is drawn from a seed."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from scml_gym.core.arguments import Range, flag, whole, whole_range
from scml_gym.core.errors import InputError
from scml_gym.core.registry import Registry
from scml_gym.game.world_config import EpisodeSample, Opponent, WorldConfig
from scml_gym.simulator.recording.folder import Recording, episode_log
from scml_gym.simulator.spec_pool import named_generator
from scml_gym.simulator.world_spec import MOST_DAYS, check_spec, given_spec
from scml_gym.standard.envs.sampling import ANY, FIRST, LAST, MIDDLE, draw_players
from scml_gym.standard.recording import record_world
from scml_gym.standard.rules import stock_rule
from scml_gym.standard.safety.audit import audit_world
from scml_gym.standard.safety.bounds import BOUNDS
from scml_gym.standard.view import MAX_LEVELS, MAX_PER_LEVEL, MIN_LEVELS, MOST_HORIZON
from scml_gym.standard.worlds.pool import SpecPool
from scml_gym.standard.worlds.spec import WorldSpec

BACKENDS = Registry("backend")
BACKENDS.register("compiled", "scml_gym.standard.worlds.compiled.world:CompiledWorld")
BACKENDS.register("reference", "scml_gym.standard.worlds.reference:ReferenceWorld")

GENERATORS = Registry("world generator")
GENERATORS.register("compiled", "scml_gym.standard.worlds.compiled.generation:compiled_spec")
GENERATORS.register("league", "scml_gym.standard.worlds.generation:league_spec")
GENERATORS.register("surge", "scml_gym.standard.worlds.surge:surge_spec")
GENERATORS.register("supply-surge", "scml_gym.standard.worlds.surge:supply_surge_spec")

LEVELS = {None: ANY, "first": FIRST, "middle": MIDDLE, "last": LAST}

OPPONENTS = ("sync-random", "just-in-time", "greedy")

Generator = Callable[[int, Any, Any, Any], WorldSpec]


class StandardConfig(WorldConfig):
    """Which worlds are played: the arguments that all environments of the Standard track share.

    Args:
        level: Where in the chain the learner's factory is: ``"first"``, ``"middle"``, ``"last"``, or None for any,
            drawn anew for each world.
        opponents: Who may play the other factories, each drawn with equal chance: names (see
            `scml_gym.standard.players`), `Strategy` objects, or callables ``(seed) -> FactoryPolicy``.
        days: Simulated days, a number or a range.
        factories_per_level: A number or a range up to 8, drawn for each level of its own.
        n_levels: Levels of factories, 2 to 4: a number or a range; by default as the league draws them, 2 to 4 alike,
            and 3 or 4 for a learner in the middle.
        generator: ``"compiled"`` (worlds as the league draws them, quickly), ``"league"`` (scml's own generator),
            ``"surge"`` and ``"supply-surge"`` (as ``"compiled"``, but the prices of the last or the first product rise
            several-fold on some days, see `scml_gym.standard.worlds.surge`), or a callable ``(seed, days,
            factories_per_level, n_levels)``.
        spec: A `WorldSpec`, or the path of a saved one, to be played in every episode instead of drawing worlds.
        stock: ``"league"``, where inputs in stock are never used up, or ``"physical"``; see
            `scml_gym.standard.rules.stock_after`.
        horizon: Days ahead that goods may be traded for, 0 to 10.
        shield: ``"covered"`` or ``"possible"``: the learner's answers are made safe by that bound, and masks have only
            what is safe, see `scml_gym.standard.safety`; None for no shield.
        audit: Whether information tells of each step how many acts were unsafe, and why; see
            `scml_gym.standard.safety.audit`.
        backend: ``"compiled"``, or ``"reference"`` for scml's own simulation, in which every kind of opponent can play.
        recording: A folder that every world is recorded to which is played to its end, or None; see docs/analyzer.md.

    Raises:
        InputError: for an unknown name, a value of the wrong form, or a middle level in worlds that have none.
    """

    def __init__(
        self,
        level: str | None = None,
        opponents: Sequence[Opponent] = OPPONENTS,
        days: Range = 50,
        factories_per_level: Range = (4, 8),
        n_levels: Range | None = None,
        generator: str | Generator = "compiled",
        spec: WorldSpec | str | os.PathLike[str] | None = None,
        stock: str = "league",
        horizon: int = MOST_HORIZON,
        backend: str = "compiled",
        shield: str | None = None,
        audit: bool = False,
        recording: str | os.PathLike[str] | None = None,
    ):
        if not isinstance(level, str | None) or level not in LEVELS:
            raise InputError(f"level={level!r}; valid: first, middle, last, None", "level")
        self.place = LEVELS[level]
        stock_rule(stock)
        self.stock, self.backend = stock, backend
        if not isinstance(shield, str | None) or shield not in (None, *BOUNDS):
            raise InputError(f"shield={shield!r}; valid: {', '.join(BOUNDS)}, None", "shield")
        self.shield, self.audit = shield, flag("audit", audit)
        self.horizon = whole("horizon", horizon, 0, MOST_HORIZON)
        self.generate = named_generator(generator, GENERATORS, SpecPool)
        least = MIN_LEVELS + (self.place == MIDDLE)
        levels = whole_range("n_levels", (least, MAX_LEVELS) if n_levels is None else n_levels, MIN_LEVELS, MAX_LEVELS)
        if levels[0] < least:
            raise InputError(f"level='middle' in worlds of n_levels={n_levels!r}; valid: 3, 4 or (3, 4)", "n_levels")
        self.days = whole_range("days", days, 1, MOST_DAYS)
        self.factories_per_level = whole_range("factories_per_level", factories_per_level, 1, MAX_PER_LEVEL)
        self.n_levels = levels
        super().__init__(BACKENDS.get(backend, "backend"), opponents)
        self.spec = None if spec is None else given_spec(spec, WorldSpec)
        if self.spec is None:
            self.draw_spec(0)  # refuse an impossible config now
        elif self.spec.n_levels < least:
            raise InputError("spec: it has 2 levels, and no middle one: level='middle' cannot be played", "spec")
        self.recording = None if recording is None else Recording(recording)

    def draw_spec(self, seed: int) -> WorldSpec:
        """See `WorldConfig`."""
        if self.spec is not None:
            return self.spec
        spec = self.generate(seed, self.days, self.factories_per_level, self.n_levels)
        check_spec(spec, WorldSpec, "generator")
        return spec

    def draw_players(self, stream: np.ndarray, spec: WorldSpec, choices: np.ndarray) -> tuple[int, int]:
        """See `WorldConfig`."""
        sizes = np.array(spec.level_sizes)
        return draw_players(stream, sizes, spec.n_levels, self.place, len(self.makers), choices)

    def new_world(self, sample: EpisodeSample) -> Any:
        """See `WorldConfig`."""
        log = episode_log(self.recording, record_world, sample.players, sample.seed)
        rules: dict[str, Any] = {"stock": self.stock, "horizon": self.horizon}
        world = self._world(sample.spec, sample.players, seed=sample.seed, **rules, log=log)
        if log is not None:
            audit_world(world, log)
        return world
