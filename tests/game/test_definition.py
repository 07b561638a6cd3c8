"""The games, and what is asked of each of them."""

import dataclasses

import pytest

from scml_gym.core.errors import InputError, nearest
from scml_gym.core.registry import Registry
from scml_gym.game.definition import REGISTRIES, Game
from scml_gym.games import GAMES, game_of
from scml_gym.registration import ENVIRONMENTS, PARALLEL_ENVIRONMENTS
from tests.helpers.toy_game import TOY

ALL = [game for game in map(GAMES.get, GAMES) if game is not TOY]  # which other tests may have registered
OTHER_PARTS = ("players", "policies", "agents", "parity", "conservation")


@pytest.mark.parametrize("game", ALL, ids=lambda game: game.name)
def test_everything_that_a_game_names_can_be_loaded(game):
    assert isinstance(game, Game)
    assert GAMES.get(game.name) is game
    for kind in REGISTRIES:
        if getattr(game, kind) is not None:
            assert isinstance(game.registry(kind), Registry)
            assert len(game.registry(kind)) > 0
    for part in OTHER_PARTS:
        if getattr(game, part) is not None:
            assert callable(game.load(part))
    for name, entry_points in game.environments.items():
        assert game_of(name) is game
        assert ENVIRONMENTS[name] == entry_points
    assert game.parallel_environments.items() <= PARALLEL_ENVIRONMENTS.items()


def test_an_environment_of_nobody_has_no_game():
    assert game_of("CartPole-v1") is None


def test_players_of_every_game_that_has_some():
    for game in ALL:
        if game.players is None or game.strategies is None:
            continue
        name = next(iter(game.registry("strategies")))
        assert game.player_maker(name)(3) is not None
        with pytest.raises(InputError, match=f"did you mean '{name}'"):
            game.player_maker(f"{name}x")


def test_what_a_game_does_not_have_is_refused_in_one_line():
    game = dataclasses.replace(GAMES.get("commitment"), environments={"x": None})
    with pytest.raises(InputError, match="the game 'commitment' has no backends"):
        game.registry("backends")
    with pytest.raises(InputError, match="trained in x, which has no factories"):
        game.policy(lambda observation: observation, {"id": "x"})


@pytest.mark.slow
@pytest.mark.parametrize("name", ["oneshot", "bilateral"])
def test_backends_are_compared(name):
    from collections import Counter

    counts: Counter = Counter()
    assert GAMES.get(name).compare_backends(5, 1, counts) is None
    assert sum(counts.values()) > 0


def test_names_of_earlier_versions_are_answered():
    assert nearest("league", ["self_play", "seed"]) == "; did you mean 'self_play'?"
    assert nearest("league", ["seed", "leagues"]) == "; did you mean 'leagues'?"
    assert nearest("oneshot_threads_v0", ["oneshot_factories_v0", "oneshot_negotiations_v0"]).endswith(
        "'oneshot_negotiations_v0'?"
    )
