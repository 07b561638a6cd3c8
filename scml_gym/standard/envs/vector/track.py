"""The Standard track as its batches of worlds know it."""

from __future__ import annotations

from typing import Any

import numpy as np

from scml_gym.jit.compile import jittable
from scml_gym.simulator.vector.track import BatchedTrack, Functions, Layout
from scml_gym.standard.envs.config import StandardConfig
from scml_gym.standard.envs.sampling import draw_players
from scml_gym.standard.rules import stock_rule
from scml_gym.standard.strategies.base import STANDARD_INTERFACE
from scml_gym.standard.view import HIDDEN_DTYPE, MAX_FACTORIES, VIEW_DTYPE
from scml_gym.standard.worlds.compiled.advance import advance, fill_hidden_state
from scml_gym.standard.worlds.compiled.day import DAYS
from scml_gym.standard.worlds.compiled.generation import compiled_generate, compiled_spec
from scml_gym.standard.worlds.compiled.layout import MAX_PRODUCTS, WORLD_DTYPE
from scml_gym.standard.worlds.compiled.negotiation import PLAYERS, clear_actions
from scml_gym.standard.worlds.spec_record import DAILY_DTYPE, fill_spec


@jittable
def _generate(seed: int, ranges: np.ndarray, spec: Any, daily: Any) -> None:
    compiled_generate(seed, ranges[0], ranges[1], ranges[2], ranges[3], ranges[4], ranges[5], spec, daily)


@jittable
def _draw_players(
    stream: np.ndarray, spec: Any, places: np.ndarray, n_players: int, choices: np.ndarray
) -> tuple[int, int]:
    return draw_players(stream, spec["sizes"], spec["n_levels"], places[0], n_players, choices)


@jittable
def _count(spec: Any) -> int:
    return spec["n_factories"]


@jittable
def _no_measure(view: Any) -> float:
    return 0.0


def _ranges(config: StandardConfig) -> tuple[tuple[int, int], ...]:
    return config.days, config.factories_per_level, config.n_levels


def _places(config: StandardConfig) -> np.ndarray:
    return np.array([config.place])


def _settings(config: StandardConfig) -> dict[str, int]:
    return {"physical": stock_rule(config.stock), "horizon": config.horizon}


TRACK = BatchedTrack(
    layout=Layout(
        world=WORLD_DTYPE,
        daily=DAILY_DTYPE,
        view=VIEW_DTYPE,
        hidden=HIDDEN_DTYPE,
        factories=MAX_FACTORIES,
        products=MAX_PRODUCTS,
    ),
    functions=Functions(
        factories=MAX_FACTORIES,
        generate=_generate,
        draw_players=_draw_players,
        count=_count,
        begin_world=DAYS.begin_world,
        advance=advance,
        answer=PLAYERS.answer,
        clear_actions=clear_actions,
        fill_hidden_state=fill_hidden_state,
        measure=_no_measure,
    ),
    generator=compiled_spec,
    fill_spec=fill_spec,
    interface=STANDARD_INTERFACE,
    ranges=_ranges,
    places=_places,
    settings=_settings,
    render="scml_gym.standard.render:render_day",
)
