"""The scml agents that play a run folder, or a player by name, in scml's own tournaments; see
`scml_gym.policies.run_folders.deploy`."""

from __future__ import annotations

import functools
import os
import uuid
from pathlib import Path
from typing import Any

from scml.std.agent import StdAgent, StdSyncAgent

from scml_gym.oneshot.worlds.adapters import OneShotAsyncAdapter, OneShotSyncAdapter
from scml_gym.policies.run_folders import deployed_maker, write_count
from scml_gym.simulator.adapters import Adapter
from scml_gym.standard.worlds.adapters import StandardAsyncAdapter, StandardSyncAdapter


@functools.cache
def _maker(player: str, game: str, modified: float) -> Any:
    """Players of that name, loaded once a process and again when the folder or file has changed."""
    return deployed_maker(player, game)[1]


class Deployed(Adapter):
    """What all deployed agents share.

    Args:
        player: The run folder, or the player's name.
        game: That it plays.
        seed: Of whatever the policy draws.
        counts: A folder into which the agent writes, when its world ends, a JSON file with its decisions, invalid
            answers, agreements and negotiations; none by default.

    Raises:
        InputError: if it cannot be loaded: there is no agent to fall back to.
    """

    def __init__(self, *args: Any, player: str, game: str, seed: int = 0, counts: str | None = None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.policy = _maker(player, game, os.stat(player).st_mtime if os.path.exists(player) else 0.0)(seed)
        self._counts = counts

    def step(self) -> None:
        """The day's negotiations are over; after the last one the counts are written."""
        super().step()
        if self._counts is not None and self.view["day"] == self.view["n_days"] - 1:
            names = ("decisions", "invalid", "agreements", "negotiations")
            write_count(Path(self._counts), uuid.uuid4().hex, {n: getattr(self, n) for n in names})


class DeployedAgent(Deployed, OneShotSyncAdapter):
    """A player as a ``OneShotSyncAgent``: it answers all partners together."""


class DeployedAsyncAgent(Deployed, OneShotAsyncAdapter):
    """A player as a ``OneShotAgent``: it answers each negotiation by itself."""


class DeployedStdAgent(Deployed, StandardSyncAdapter, StdSyncAgent):
    """A player as a ``StdSyncAgent``: it answers all partners together."""


class DeployedStdAsyncAgent(Deployed, StandardAsyncAdapter, StdAgent):
    """A player as a ``StdAgent``: it answers each negotiation by itself."""


def agent_class(player: Any) -> type[Deployed]:
    """The class that asks a player of OneShot when it wants to be asked."""
    return DeployedAgent if player.synchronous else DeployedAsyncAgent


def std_agent_class(player: Any) -> type[Deployed]:
    """The class that asks a player of the Standard track when it wants to be asked."""
    return DeployedStdAgent if player.synchronous else DeployedStdAsyncAgent
