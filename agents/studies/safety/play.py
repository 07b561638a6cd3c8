"""A world of the study, played: compiled or real, with the same columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager
from typing import Any

from scml_gym.core.errors import InputError
from scml_gym.evaluation.pool import WorkerPool
from scml_gym.game.definition import Setting
from scml_gym.standard.line_up import LINE_UP
from scml_gym.standard.players import player_maker
from scml_gym.standard.safety.audit import N_NUMBERS, audit_columns, audited
from scml_gym.standard.strategies.base import StrategyPolicy
from scml_gym.standard.worlds.generation import league_spec

Play = Callable[[Sequence[str], Set[int], int, Setting], list[dict[str, Any]]]
"""``(names, judged, seed, setting)`` -> for each factory that is judged the columns of
`scml_gym.standard.line_up.play_line_up`, in the order of factories."""

GAME = "standard"


def play_compiled(names: Sequence[str], judged: Set[int], seed: int, setting: Setting) -> list[dict[str, Any]]:
    """Play a compiled world of strategies; those that are judged are audited.

    Raises:
        InputError: if one of them plays in real worlds only.
    """
    from scml_gym.standard.worlds.compiled.world import CompiledWorld

    spec = league_spec(seed, setting.days, len(names) // setting.levels, setting.levels)
    players = []
    for i, name in enumerate(names):
        player = player_maker(name)(seed)
        if not isinstance(player, StrategyPolicy):
            raise InputError(f"{name!r} is no strategy, which alone play in compiled worlds; give world: real")
        if i in judged:
            player = StrategyPolicy(audited(player.strategy), player.seed, player.parameters)
        players.append(player)
    stock: Any = setting.stock
    world = CompiledWorld(spec, players, seed, stock)
    world.run()
    rows, days = LINE_UP.measure(world)
    return [rows[i] | audit_columns(world.states[i][-N_NUMBERS:], days[i]) for i in sorted(judged)]


@contextmanager
def playing(world: str, names: Sequence[str], limit: float) -> Iterator[Play]:
    """What plays the worlds of a part; real ones in a process of their own, as ``evaluate.py`` does.

    Args:
        world: ``compiled`` or ``real``.
        names: Of everybody who will play.
        limit: Seconds that a real world may take.
    """
    if world == "compiled":
        yield play_compiled
        return
    for name in names:
        player_maker(name)  # refuses what is not installed, before a process is started
    with WorkerPool(1, limit, GAME) as pool:
        pool.load(names)

        def play_real(names: Sequence[str], judged: Set[int], seed: int, setting: Setting) -> list[dict[str, Any]]:
            result = pool.play(names, seed, setting).result()
            if "value" not in result:
                who = names[result["player"]] if result["player"] >= 0 else "the world"
                raise InputError(f"world of seed {seed}: {who}: {result['failure']}: {result['message']}")
            return [result["value"][i] for i in sorted(judged)]

        yield play_real
