"""The compiled world behind the World protocol: the reference world's results, thousands of times faster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scml_gym.game.world import PlayerMaker
from scml_gym.jit.compile import require_numba
from scml_gym.oneshot.players import player_maker
from scml_gym.oneshot.strategies.base import ONESHOT_INTERFACE
from scml_gym.oneshot.view import HIDDEN_DTYPE, MAX_PARTNERS
from scml_gym.oneshot.worlds.protocol import TIMINGS, check_players
from scml_gym.oneshot.worlds.spec import MAX_FACTORIES, WorldSpec
from scml_gym.oneshot.worlds.spec_record import DAILY_DTYPE
from scml_gym.simulator.recording.log import WorldLog

require_numba()

from scml_gym.oneshot.worlds.compiled.advance import ROWS, hidden_state_one  # noqa: E402
from scml_gym.oneshot.worlds.compiled.layout import WORLD_DTYPE  # noqa: E402
from scml_gym.oneshot.worlds.spec_record import fill_spec  # noqa: E402
from scml_gym.simulator.compiled.world import CompiledSimulation, compiled_maker  # noqa: E402


class CompiledWorld(CompiledSimulation):
    """One OneShot simulation in machine code; see `scml_gym.oneshot.worlds.protocol.OneShotWorld`. A copy plays on by
    itself.

    Args:
        spec: The world's parameters.
        players: For each factory the `StrategyPolicy` that plays it; None marks it external.
        seed: Not used: nothing but the strategies draws, each with a seed of its own.
        timing: ``"rounds"``, ``"moves"`` or ``"negotiations"``; see `scml_gym.oneshot.worlds.reference.ReferenceWorld`.
        log: Receives what happens, where the world is recorded; see `scml_gym.oneshot.recording`.

    Raises:
        InputError: if the number of players is not that of the spec's factories, a player is no strategy of the track
            or one that does not compile, or the timing is unknown.
    """

    rows, interface = ROWS, ONESHOT_INTERFACE

    def __init__(
        self,
        spec: WorldSpec,
        players: Sequence[Any],
        seed: int = 0,
        timing: str = "rounds",
        log: WorldLog | None = None,
    ):
        check_players(spec, players, timing)
        self.timing = timing
        worlds = np.zeros(1, dtype=WORLD_DTYPE)
        daily = np.zeros((1, spec.n_days, MAX_FACTORIES), dtype=DAILY_DTYPE)
        for name, value in TIMINGS[timing].items():
            worlds[name] = value
        fill_spec(spec, worlds[0]["spec"], daily[0])
        super().__init__(spec, players, worlds, daily, np.zeros((1, spec.n_days + 1, 3)), log)

    @staticmethod
    def player_maker(opponent: Any) -> PlayerMaker:
        """What makes an opponent's players: strategies, and run folders as policy files; see `compiled_maker`."""
        return compiled_maker(player_maker, opponent)

    def hidden_state(self) -> np.ndarray:
        """The hidden state of all factories, ``HIDDEN_DTYPE``, shape ``(2 * MAX_PARTNERS,)``."""
        table = np.zeros(2 * MAX_PARTNERS, dtype=HIDDEN_DTYPE)
        hidden_state_one(self._worlds, self._daily, 0, table)
        return table
