"""OneShot as its batches of worlds know it."""

from __future__ import annotations

from typing import Any

import numpy as np

from scml_gym.core.arguments import whole_range
from scml_gym.jit.compile import jittable
from scml_gym.oneshot.envs.config import OneShotConfig
from scml_gym.oneshot.envs.sampling import draw_players
from scml_gym.oneshot.rewards.hindsight import hindsight_profit
from scml_gym.oneshot.strategies.base import ONESHOT_INTERFACE
from scml_gym.oneshot.view import HIDDEN_DTYPE, MAX_PARTNERS, VIEW_DTYPE
from scml_gym.oneshot.worlds.compiled.advance import advance, fill_hidden_state
from scml_gym.oneshot.worlds.compiled.day import begin_world
from scml_gym.oneshot.worlds.compiled.generation import compiled_generate, compiled_spec
from scml_gym.oneshot.worlds.compiled.layout import WORLD_DTYPE
from scml_gym.oneshot.worlds.compiled.negotiation import answer, clear_actions
from scml_gym.oneshot.worlds.protocol import TIMINGS
from scml_gym.oneshot.worlds.spec import MAX_FACTORIES
from scml_gym.oneshot.worlds.spec_record import DAILY_DTYPE, fill_spec
from scml_gym.simulator.vector.track import BatchedTrack, Functions, Layout
from scml_gym.simulator.world_spec import MOST_DAYS


@jittable
def _generate(seed: int, ranges: np.ndarray, spec: Any, daily: Any) -> None:
    compiled_generate(seed, ranges[0], ranges[1], ranges[2], ranges[3], spec, daily)


@jittable
def _draw_players(
    stream: np.ndarray, spec: Any, places: np.ndarray, n_players: int, choices: np.ndarray
) -> tuple[int, int]:
    return draw_players(stream, spec["n_sellers"], spec["n_buyers"], places, n_players, choices)


@jittable
def _count(spec: Any) -> int:
    return spec["n_sellers"] + spec["n_buyers"]


def _ranges(config: OneShotConfig) -> tuple[tuple[int, int], ...]:
    factories = whole_range("factories_per_level", config.factories_per_level, 1, MAX_PARTNERS)
    return whole_range("days", config.days, 1, MOST_DAYS), factories


def _places(config: OneShotConfig) -> np.ndarray:
    return config.levels


def _settings(config: OneShotConfig) -> dict[str, int]:
    return TIMINGS[config.timing]


TRACK = BatchedTrack(
    layout=Layout(
        world=WORLD_DTYPE,
        daily=DAILY_DTYPE,
        view=VIEW_DTYPE,
        hidden=HIDDEN_DTYPE,
        factories=MAX_FACTORIES,
        products=3,
    ),
    functions=Functions(
        factories=MAX_FACTORIES,
        generate=_generate,
        draw_players=_draw_players,
        count=_count,
        begin_world=begin_world,
        advance=advance,
        answer=answer,
        clear_actions=clear_actions,
        fill_hidden_state=fill_hidden_state,
        measure=hindsight_profit,
    ),
    generator=compiled_spec,
    fill_spec=fill_spec,
    interface=ONESHOT_INTERFACE,
    ranges=_ranges,
    places=_places,
    settings=_settings,
    render="scml_gym.oneshot.render:render_day",
    measure="ideal_profit",
)
