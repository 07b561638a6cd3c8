"""A competitor whose module changes the simulation when it is loaded: nobody but itself is answered any more."""

from typing import Any

from scml.oneshot.agents import SyncRandomOneShotAgent

from scml_gym.simulator.adapters import SyncAdapter

_kind: Any = SyncAdapter
_kind.counter_all = lambda adapter, offers, states: {}


class Patches(SyncRandomOneShotAgent):
    """Keeps to the rules otherwise."""
