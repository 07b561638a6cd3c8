"""What a track's batches of worlds are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from scml_gym.game.strategy import StrategyInterface

SUMMARY_DTYPE = np.dtype(
    [
        ("agreements", np.int64),
        ("negotiations", np.int64),
        ("decisions", np.int64),
        ("score", np.float64),
        ("profit", np.float64),  # money
        ("invalid_actions", np.int64),
        ("bankrupt", np.bool_),
    ],
    align=True,
)
"""What became of the learner's factory, in all tracks; as `scml_gym.game.world.World.summary`."""


class Layout(NamedTuple):
    """The records and tables of a track.

    Attributes:
        world: Dtype of a world, whose first field is its ``spec``; see `scml_gym.simulator.compiled.layout`.
        daily: Dtype of a factory's day.
        view: Dtype of what a factory sees.
        hidden: Dtype of what nobody sees of a factory.
        factories: The most that a world has.
        products: Likewise.
    """

    world: np.dtype
    daily: np.dtype
    view: np.dtype
    hidden: np.dtype
    factories: int
    products: int


class Functions(NamedTuple):
    """How a track's worlds are drawn, run and shown, as compiled code calls it.

    Attributes:
        factories: The most that a world has.
        generate: ``(seed, ranges, spec, daily)``: the compiled generator; ``ranges`` are int64, both ends of each.
        draw_players: ``(stream, spec, places, n_players, choices) -> (factory, seed)``: the learner's factory among
            those ``places``, the seed of the simulation, and in ``choices`` the player of each factory.
        count: ``(spec) -> int``: a world's factories.
        begin_world: ``(world, prices)``; see `scml_gym.simulator.compiled.advance.Days`.
        advance: ``(world, daily, prices) -> int``; see `scml_gym.simulator.compiled.advance.compile_advance`.
        answer: ``(world, factory)``; see `scml_gym.simulator.compiled.players.Players`.
        clear_actions: ``(actions)``; see `scml_gym.simulator.compiled.players.Track`.
        fill_hidden_state: ``(world, daily, table)``.
        measure: ``(view) -> float``: a number of each day that ended, whose sum a step tells.
    """

    factories: int
    generate: Callable[..., None]
    draw_players: Callable[..., tuple[int, int]]
    count: Callable[..., int]
    begin_world: Callable[..., None]
    advance: Callable[..., int]
    answer: Callable[..., None]
    clear_actions: Callable[..., None]
    fill_hidden_state: Callable[..., None]
    measure: Callable[..., float]


class BatchedTrack(NamedTuple):
    """A track as its vector environments know it.

    Attributes:
        layout: Of its worlds.
        functions: Of them.
        generator: The generator of specs that ``functions.generate`` is the compiled form of.
        fill_spec: ``(spec, record, daily)``.
        interface: Of the strategies that play in its worlds.
        ranges: ``(config) -> pairs``: both ends of the ranges that worlds are drawn from, in the order in which the
            generator takes them; days are the first.
        places: ``(config) -> int64 array``: where the learner's factory may be, as ``functions.draw_players`` takes it.
        settings: ``(config) -> numbers``: fields of a world that its spec does not decide, by name.
        render: ``"module:Name"`` of ``(view, mode) -> picture or text``.
        measure: The name under which information has the sum of ``functions.measure``; None where it is of no use.
    """

    layout: Layout
    functions: Functions
    generator: Callable[..., Any]
    fill_spec: Callable[..., None]
    interface: StrategyInterface
    ranges: Callable[[Any], tuple[tuple[int, int], ...]]
    places: Callable[[Any], np.ndarray]
    settings: Callable[[Any], dict[str, int]]
    render: str
    measure: str | None = None
