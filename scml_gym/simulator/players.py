"""scml's agents as players by name: those that come with scml, those of the league, and a user's own classes.

An agent is made for one track of the league, and is refused by the games of the others.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scml_gym.core.arguments import brief
from scml_gym.core.errors import InputError, nearest
from scml_gym.core.registry import Registry, load_object
from scml_gym.game.players import own_maker, refuse_parameters, strategy_maker
from scml_gym.game.run_folders import RUN_FOLDERS, is_folder
from scml_gym.game.strategy import StrategyInterface
from scml_gym.game.world import FactoryPolicy, PlayerMaker

if TYPE_CHECKING:
    from scml.oneshot.agent import OneShotAgent

Player = FactoryPolicy | tuple[type, dict[str, Any]] | None
"""Who plays a factory: a policy, an scml agent class with its keyword arguments, or None where it is external."""


@dataclass(frozen=True)
class Track:
    """A track of the league.

    Attributes:
        name: As users know it.
        game: Its name in `scml_gym.games.GAMES`.
        base: The class that a user's own agents derive from, by name.
        builtin: The module of scml's own agents.
        league: As scml-agents calls it.
    """

    name: str
    game: str
    base: str
    builtin: str
    league: str


ONESHOT = Track("OneShot", "oneshot", "OneShotAgent", "scml.oneshot.agents", "oneshot")
STANDARD = Track("Standard", "standard", "StdAgent", "scml.std.agents", "std")
TRACKS = (ONESHOT, STANDARD)


def named_player(
    name: str, track: Track, strategies: Registry, interface: StrategyInterface, run_folders: str
) -> PlayerMaker:
    """What makes the players of a name.

    Args:
        name: ``scml:Name``, ``scml-agents:YEAR/Name``, ``module:Name`` (an own agent class, an own `Strategy`, or a
            callable ``(seed) -> FactoryPolicy``), the folder of a run, or a strategy; strategies, own ones too,
            possibly with parameters.
        track: Whose agents may play.
        strategies: Of the game.
        interface: Of its strategies.
        run_folders: What of a run folder plays, a name in `scml_gym.game.run_folders.RUN_FOLDERS`.

    Raises:
        InputError: if nothing of that name exists, or it plays another game or track; the message names the nearest
            valid one.
    """
    if not isinstance(name, str):
        raise InputError(f"player={brief(name)}; valid: its name, a text")
    prefix, _, rest = name.partition(":")
    if prefix == "scml" and rest:
        return _builtin(name, rest, track)
    if prefix == "scml-agents" and rest:
        return _league_agent(name, rest, track)
    if is_folder(name):
        return RUN_FOLDERS.get(run_folders)(name, track.game)
    if ":" in name:
        return _own(name, track, interface)
    return strategy_maker(strategies, name)


def _own(name: str, track: Track, interface: StrategyInterface) -> PlayerMaker:
    from scml.oneshot.agent import OneShotAgent

    target = load_object(name.partition("?")[0])
    if isinstance(target, type) and issubclass(target, OneShotAgent):
        refuse_parameters(name)
        found = track_of(target)
        if found is not track:
            derive = f"; derive it from {track.base}" if track is STANDARD else ""
            raise InputError(f"{_of_another_track(name, found, track)}{derive}")
        return lambda seed: (target, {})
    return own_maker(name, target, f"a {track.base} class, ", interface)


def track_of(agent: type[OneShotAgent]) -> Track:
    """The track that an agent's class is made for: agents of the Standard track derive from ``StdAgent``."""
    from scml.std.agent import StdAgent

    return STANDARD if issubclass(agent, StdAgent) else ONESHOT


def _of_another_track(name: str, found: Track, track: Track) -> str:
    return f"{name!r} is an agent of the {found.name} track and does not play in the {track.name} track"


def _builtin(name: str, class_name: str, track: Track) -> PlayerMaker:
    for other in (track, *(t for t in TRACKS if t is not track)):
        classes = _builtin_agents(other)
        if class_name in classes:
            if other is not track:
                raise InputError(_of_another_track(name, other, track))
            return lambda seed: (classes[class_name], {})
    raise InputError(
        f"{name!r}: scml has no {track.name} agent {class_name!r}{nearest(class_name, _builtin_agents(track))}"
    )


def _builtin_agents(track: Track) -> dict[str, type]:
    from scml.oneshot.agent import OneShotAgent

    found = vars(importlib.import_module(track.builtin)).items()
    agents = {k: v for k, v in found if isinstance(v, type) and issubclass(v, OneShotAgent)}
    return {k: v for k, v in agents.items() if track_of(v) is track}


def _league_agent(name: str, path: str, track: Track) -> PlayerMaker:
    year, _, class_name = path.partition("/")
    if not (year.isdigit() and class_name):
        raise InputError(f"{name!r} is not of the form 'scml-agents:YEAR/Name'")
    try:
        scml_agents = importlib.import_module("scml_agents")
    except ModuleNotFoundError as error:
        raise InputError(f"{name!r} needs the optional package: pip install scml-agents") from error

    def agents(of: Track) -> dict[str, str]:
        # names first: importing all agents of a year would need whatever each of them needs
        found = scml_agents.get_agents(int(year), track=of.league, as_class=False)
        return {p.rpartition(".")[2]: p for p in found}

    try:
        paths = agents(track)
    except ValueError as error:
        raise InputError(f"{name!r}: scml-agents has no agents of {year} ({error})") from error
    if class_name not in paths:
        for other in TRACKS:
            if class_name in agents(other):
                raise InputError(_of_another_track(name, other, track))
        if not paths:
            raise InputError(f"{name!r}: scml-agents has no {track.name} agents of {year}")
        hint = nearest(class_name, paths)
        raise InputError(f"{name!r}: there is no {track.name} agent {class_name!r} of {year}{hint}")
    module, _, attribute = paths[class_name].rpartition(".")
    agent = load_object(f"{module}:{attribute}")
    return lambda seed: (agent, {})
