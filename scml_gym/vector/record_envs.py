"""A game whose state is one record, as a Gymnasium environment, as a PettingZoo environment, and as a `Game`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from scml_gym.core.arguments import brief, check_render_mode, flag, named_arguments, whole
from scml_gym.core.copying import Independent
from scml_gym.core.errors import InputError
from scml_gym.game.definition import Column, Competition, EntryPoints, Game, Setting
from scml_gym.game.env import EnvParts, WorldEnv
from scml_gym.game.parallel_env import ParallelParts, ParallelWorldEnv
from scml_gym.game.players import player_maker
from scml_gym.game.world import Drawn, PlayerMaker
from scml_gym.vector.record_world import Gain, LearntPolicy, RecordCodec, RecordEncoder, RecordWorld, read_answer
from scml_gym.vector.records import RecordGame, load_game

ENTRY_POINTS = ("begin", "act", "end_day")
"""The methods by which a world calls a player."""


@named_arguments()
class RecordEnv(Independent, WorldEnv):
    """One player of a game is the learner's, the others are played by name; an episode is so many days.

    ``info["action_mask"]`` holds the valid choices as ``action_space.sample(mask=...)`` takes them; infos of an
    episode's last step have the game's summary too. A copy goes on from where the original stands, alike and alone.

    Args:
        game: What is played, or its ``"module:NAME"``.
        player: Name of the learner's player; by default the first one.
        opponent: Who plays the others (see `scml_gym.game.players.player_maker`); None for the game's choice.
        days: Of an episode.
        strict: Whether a masked choice raises.
        render_mode: None.

    Raises:
        InputError: for an unknown name, a value of the wrong form, an action outside the action space.
    """

    metadata = {"render_modes": []}

    def __init__(
        self,
        game: RecordGame | str,
        player: str | None = None,
        opponent: str | None = None,
        days: int = 10,
        strict: bool = False,
        render_mode: str | None = None,
    ):
        self.game = game = load_game(game)
        make = game.opponent_maker(opponent)
        codec = RecordCodec(game)
        parts = EnvParts(
            draw=partial(_draw, game, whole("days", days), make, players=(game.player(player),)),
            encoder=RecordEncoder(game),
            codec=codec,
            reward=Gain(),
            no_ops=game.interface.new_actions,
            validate=codec.validate,
        )
        super().__init__(parts, strict=flag("strict", strict), render_mode=check_render_mode(render_mode, ()))


@named_arguments()
class RecordParallelEnv(Independent, ParallelWorldEnv):
    """Players of a game as agents of a PettingZoo parallel environment; episodes end for all of them at once.

    Infos of each agent are those of `RecordEnv`, and ``my_turn``.

    Args:
        game: What is played, or its ``"module:NAME"``.
        agents: Names of the players that are agents; by default all.
        opponent: Who plays the others, as in `RecordEnv`.
        days: Of an episode.
        strict: Whether a masked choice raises.
        render_mode: None.

    Raises:
        InputError: as `RecordEnv`.
    """

    def __init__(
        self,
        game: RecordGame | str,
        agents: Sequence[str] | None = None,
        opponent: str | None = None,
        days: int = 10,
        strict: bool = False,
        render_mode: str | None = None,
    ):
        self.game = game = load_game(game)
        self.metadata = {"name": game.name, "render_modes": [], "is_parallelizable": True}
        make = game.opponent_maker(opponent)
        names = list(game.players if agents is None else agents)
        if not names or len(set(names)) != len(names):
            raise InputError(
                f"agents={brief(agents)}; valid: at least one of {', '.join(game.players)}, once", "agents"
            )
        indices, codec = {name: game.player(name) for name in names}, RecordCodec(game)
        parts = ParallelParts(
            agents=indices,
            draw=partial(_draw, game, whole("days", days), make),
            encoders={name: RecordEncoder(game) for name in names},
            codec=codec,
            rewards={name: Gain() for name in names},
            validate=codec.validate,
        )
        super().__init__(parts, flag("strict", strict), check_render_mode(render_mode, ()))


def _draw(game: RecordGame, days: int, make: PlayerMaker, seed: int, players: tuple[int, ...]) -> Drawn:
    """A world in which these players are decided from outside."""
    seats = [None if i in players else make(seed) for i in range(len(game.players))]
    return Drawn(RecordWorld(game, seed, days, seats), players)


def entry_points(path: str) -> EntryPoints:
    """The environments of the game that ``path``, ``"module:NAME"``, stands for."""
    module = "scml_gym.vector"
    single, vector = f"{module}.record_envs:RecordEnv", f"{module}.record_batch:RecordVectorEnv"
    return EntryPoints(single, vector, {"game": path})


def try_player(player: Any, name: str) -> None:
    """Refuse what could not play.

    Raises:
        InputError: if it is no player.
    """
    if not all(hasattr(player, part) for part in ENTRY_POINTS):
        raise InputError(f"{name!r} makes a {type(player).__name__}, which is no player")


def play_line_up(
    game: RecordGame,
    players: Sequence[Any],
    seed: int,
    setting: Setting,
    watch: Callable[[Any, int, Sequence[str]], None],
) -> list[dict[str, Any]]:
    """Play one world; see `scml_gym.game.definition.Competition`. A row has the name of the player and its summary."""
    for index, player in enumerate(players):
        player.act = _answering(game, index, player.act)  # before `watch`: a wrong answer is the player's failure
        watch(player, index, ENTRY_POINTS)
    world = RecordWorld(game, seed, setting.days, players)
    world.start()
    return [{"level": name} | world.summary(i) for i, name in enumerate(game.players)]


def _answering(game: RecordGame, player: int, act: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """What a player answers, which is refused here where it is no answer."""
    return lambda view: read_answer(game, player, act(view))


def define_game(game: RecordGame, path: str, summary: str, env_id: str, columns: Mapping[str, Column]) -> Game:
    """A game of records for two players as a `Game`: its environments, players by name, learners and rankings.

    Args:
        game: Its rules.
        path: ``"module:NAME"`` of them; the module's ``parallel_env`` is a `RecordParallelEnv`.
        summary: One line.
        env_id: Of the Gymnasium environment, such as ``"own/Pie-v0"``.
        columns: Of the summary, what is reported of a world beside ``score``.

    Raises:
        InputError: if it has not two players.
    """
    if len(game.players) != 2:
        raise InputError(f"{game.name} has {len(game.players)} players; only games of 2 can be ranked")
    module, name = path.partition(":")[0], env_id.partition("/")[2].partition("-")
    return Game(
        name=game.name,
        summary=summary,
        environments={env_id: entry_points(path)},
        parallel_environments={f"{name[0].lower()}_{name[2]}": module},
        strategies=game.strategies,
        players=partial(player_maker, game.strategies),
        policies=partial(LearntPolicy, game),
        competition=Competition(
            play=partial(play_line_up, game),
            try_player=try_player,
            background=(game.opponent,),
            substitute=game.opponent,
            most_positions=1,
            positions=1,
            positions_one_on_one=1,
            entry_points=ENTRY_POINTS,
            columns=columns,
        ),
    )
