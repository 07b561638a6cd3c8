"""What a game is, for all that serves more than one: players by name, evaluation, deployment, parity and learners.

A game's folder has a ``game.py`` with one `Game`, and ``scml_gym.games.GAMES`` has its name. All that is heavy stands
there as a text ``"module:Name"``, which is loaded when it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from scml_gym.core.errors import InputError
from scml_gym.core.registry import Registry, load

if TYPE_CHECKING:
    from collections import Counter

    from scml_gym.game.world import PlayerMaker, Predict

Named = Any
"""An object, or a text ``"module:Name"`` that is loaded when asked for."""

REGISTRIES = ("backends", "generators", "strategies", "actions", "observations", "rewards")
"""The fields of `Game` that are registries."""


class EntryPoints(NamedTuple):
    """Where the single environment of an id stands, the one that plays many at once, and what both are given."""

    single: str
    vector: str | None = None
    arguments: Mapping[str, Any] | None = None


class Column(NamedTuple):
    """A number that is measured of a player in a world: its type and what it says; and whether it is new, so that
    older tables do without."""

    type: type
    meaning: str
    new: bool = False


class Setting(NamedTuple):
    """What a world of a competition is like, beside what its seed draws.

    Attributes:
        days: Simulated days.
        levels: How many there are, each with equally many positions.
        stock: The stock rule; empty in games without one.
    """

    days: int
    levels: int = 2
    stock: str = ""


@dataclass(frozen=True)
class Competition:
    """How competitors of a game are ranked against each other.

    A world has levels with equally many positions: sellers and buyers, the first and the second player, or those of a
    chain. It is played as often as it has levels, so that everyone plays on each of them.

    Attributes:
        play: ``(players, seed, setting, watch, log=None) -> rows``: plays one world of a `Setting` with these players,
            those of the first level first, and gives a row for each of them: ``level`` (the name of its level),
            ``score``, and `columns`. ``watch(agent, index, entry_points)`` is to be called with each object that the
            simulation calls, the index of its player, and the names of the methods by which it is called. ``log`` is
            given where the world is to be recorded, see `Game.record`.
        try_player: ``(player, name) -> None``: makes a player ready to play, as a trial.
        background: Names of those who fill the positions that competitors leave.
        substitute: Name of the player that takes the positions of one that fails.
        most_positions: Of a level.
        positions: Of a level of a world of two levels by default; worlds of more have as many positions in all.
        positions_one_on_one: Likewise, by default, where two competitors play alone; an even number, or 1.
        days: Of a world by default.
        least_days: Of the shortest world.
        play_on: As `play`, but an exception in a negotiation ends that negotiation alone, as in scml's tournaments;
            None where the game cannot go on.
        levels: How many levels worlds have by default: the first world the first number, and so on in turn.
        most_levels: Of a world.
        stock_rules: Names of stock rules, the default first; none in games without.
        columns: What `play` measures beside ``level`` and ``score``.
        line_up: How its worlds are made, played and settled, a `scml_gym.simulator.line_up.LineUp`: what a world
            brought is then computed from its contracts, where no player's code runs, and its players can be isolated.
            None in games whose worlds have no contracts.
        entry_points: In games without a ``line_up``, the names of the methods by which worlds call players, where they
            need nothing else of them and the answers are arrays of numbers, or None: what a world brought is then
            computed from the answers, where no player's code runs, and its players can be isolated. Empty in games
            where it cannot: what the process of a world says of it is taken, and nobody is named where that dies.
    """

    play: Named
    try_player: Named
    background: tuple[str, ...]
    substitute: str
    most_positions: int
    positions: int
    positions_one_on_one: int
    days: int = 30
    least_days: int = 1
    levels: tuple[int, ...] = (2,)
    most_levels: int = 2
    stock_rules: tuple[str, ...] = ()
    play_on: Named = None
    line_up: Named = None
    entry_points: tuple[str, ...] = ()
    columns: Mapping[str, Column] = field(default_factory=dict)


@dataclass(frozen=True)
class Game:
    """A game; what it does not have is empty or None.

    Attributes:
        name: In ``scml_gym.games.GAMES``.
        summary: One line.
        environments: Gymnasium id -> `EntryPoints`.
        parallel_environments: Name of a PettingZoo environment -> its module, with ``parallel_env`` and
            ``vector_env``, the native batch of ``num_worlds``.
        backends: Registry of simulations: classes of a `scml_gym.game.world.World`.
        generators: Registry of functions that draw the parameters of a world.
        strategies: Registry of `scml_gym.game.strategy.Strategy`.
        actions: Registry of action codecs.
        observations: Registry of encoders.
        rewards: Registry of rewards.
        players: ``(name) -> (seed) -> player``: what makes the players of a name.
        policies: ``(predict, env, deterministic) -> player``: what a learner learnt in one of the environments, as a
            player; ``env`` has the environment's ``id`` and its arguments.
        forms: ``(env) -> Call``: the same player as data, made of ``predict`` and ``deterministic``, without the
            environment; see `scml_gym.core.calls`.
        networks: How trained networks are strategies of this game, and so policy files its players; a
            `scml_gym.game.network_strategies.NetworkForms`.
        adapters: For a player that answers all partners together (True), and for one that answers each negotiation by
            itself (False): the classes, by name, that an scml agent which plays it derives from.
        agents: ``(player) -> class``: the scml agent class with which a player of a run folder is deployed.
        competition: How competitors are ranked.
        record: ``(world, about) -> tables``: a world that was played as the tables of a recording, see
            `scml_gym.simulator.recording.folder`.
        recompute: ``(tables) -> Recomputed``: what a world brought, from its tables alone.
        parity: ``(seed, index, counts) -> text or None``: plays one random case in all backends and says what differs
            first; ``counts`` receives what was covered.
        conservation: ``(actions, rows, seed) -> counts``: plays at least that many random actions, some of them in
            batches of so many rows, checks that money and goods are conserved, and tells what was covered; raises an
            ``AssertionError`` where something is not.
    """

    name: str
    summary: str
    environments: Mapping[str, EntryPoints] = field(default_factory=dict)
    parallel_environments: Mapping[str, str] = field(default_factory=dict)
    backends: Named = None
    generators: Named = None
    strategies: Named = None
    actions: Named = None
    observations: Named = None
    rewards: Named = None
    players: Named = None
    policies: Named = None
    forms: Named = None
    networks: Named = None
    adapters: Mapping[bool, tuple[str, ...]] = field(default_factory=dict)
    agents: Named = None
    competition: Competition | None = None
    record: Named = None
    recompute: Named = None
    parity: Named = None
    conservation: Named = None

    def load(self, part: str) -> Any:
        """A field of this game, loaded.

        Raises:
            InputError: if the game does not have it.
        """
        target = getattr(self, part)
        if target is None:
            raise InputError(f"the game {self.name!r} has no {part}")
        return load(target)

    def registry(self, kind: str) -> Registry:
        """One of `REGISTRIES`.

        Raises:
            InputError: if the game has none of that kind.
        """
        return self.load(kind)

    def player_maker(self, name: str) -> PlayerMaker:
        """What makes the players of a name: ``make(seed) -> player``.

        Raises:
            InputError: if nothing of that name exists; the message names the nearest one.
        """
        return self.load("players")(name)

    def policy(self, predict: Predict, env: Mapping[str, Any], deterministic: bool = True) -> Any:
        """What a learner learnt in an environment of this game, as a player.

        Args:
            predict: The learner's ``predict``, see `scml_gym.game.world.Predict`.
            env: The ``id`` and the arguments of the environment.
            deterministic: Whether to take the best action rather than to sample.

        Raises:
            InputError: if who acts in that environment is no player of this game, or could not play elsewhere.
        """
        if self.policies is None:
            raise InputError(f"trained in {env.get('id')}, which has no factories: it cannot play in a league")
        return self.load("policies")(predict, env, deterministic)

    def agent_class(self, player: Any) -> type:
        """The scml agent class with which a player of a run folder is deployed.

        Raises:
            InputError: if players of this game are no scml agents.
        """
        return self.load("agents")(player)

    def compare_backends(self, seed: int, index: int, counts: Counter[str]) -> str | None:
        """Play a random case in every backend: the first difference in words, or None.

        Raises:
            InputError: if there is nothing to compare.
        """
        return self.load("parity")(seed, index, counts)
