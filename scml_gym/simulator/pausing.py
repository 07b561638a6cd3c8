"""Simulations that are paused in the middle of a call: how one is given up."""

from __future__ import annotations

import contextlib

import greenlet

from scml_gym.simulator.global_rng import GlobalStreams


def unwind(simulation: greenlet.greenlet, streams: GlobalStreams) -> None:
    """Unwind a paused simulation, whose frames would otherwise keep its world for ever.

    Args:
        simulation: The greenlet that it runs in; one that has ended, or was never started, is left alone.
        streams: The simulation's generators.
    """
    if simulation and not simulation.dead:
        with streams.active(), contextlib.suppress(greenlet.error):  # of a thread that is gone
            simulation.parent = greenlet.getcurrent()  # which may be another simulation: it is the one to go on
            simulation.throw()
