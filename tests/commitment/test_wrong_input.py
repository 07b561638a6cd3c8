"""Wrong games, arguments and actions of commitments are told in one line."""

import numpy as np
import pytest
from gymnasium import spaces
from pettingzoo.utils import parallel_to_aec

from scml_gym.commitment import commitment_env, make_game, parallel_env
from scml_gym.commitment.matrix import MatrixGame
from scml_gym.core.errors import InputError
from tests.helpers.commitment import SQUARE, Leaving


class Empty:
    """No game at all."""


class Continuous(Leaving):
    def action_space(self, agent):
        return spaces.Box(0, 1)


def native(actions):
    game = make_game("grid")
    game.step(game.initial(()), actions)


WRONG = {
    "a flat matrix": (lambda: MatrixGame([[1, 2], [3, 4]]), "payoffs: the shape (2, 2) is wrong; (A,) * n + (n,)"),
    "unequal actions": (lambda: MatrixGame(np.zeros((2, 3, 2))), "payoffs: the shape (2, 3, 2) is wrong"),
    "a ragged matrix": (lambda: MatrixGame([[[1, 2], [3]], [[1, 2], [3, 4]]]), "payoffs: a table of numbers"),
    "an infinite payoff": (lambda: MatrixGame(np.full((2, 2, 2), np.inf)), "payoffs: every payoff must be a finite"),
    "names": (lambda: MatrixGame(SQUARE, action_names=["x"]), "action_names=['x']: 2 names are needed"),
    "a horizon": (lambda: make_game("grid", horizon=0), "horizon=0; valid: 1 or more"),
    "memory": (lambda: make_game("stag-hunt", memory=-1), "memory=-1; valid: 0 to 1000"),
    "a mega-step": (
        lambda: make_game("grid", mega_step=3),
        "mega_step=3: the horizon 16 is not divisible by it; valid: 1, 2, 4, 8, 16",
    ),
    "a wrapped mega-step": (lambda: commitment_env(parallel_env("grid"), 5), "mega_step=5: the horizon 16 is not"),
    "continuous actions": (
        lambda: commitment_env(Continuous()),
        "a: its actions are Box(0.0, 1.0, (1,), float32); only",
    ),
    "a misspelt game": (lambda: make_game("gird"), "unknown game 'gird'; did you mean 'grid'?"),
    "a misspelt argument": (lambda: make_game("grid", cels=3), "cels: the game 'grid' has no such argument; did you"),
    "a long mega-step": (
        lambda: make_game("grid", horizon=32, mega_step=32),
        "mega_step=32: 2 to the power 32 sequences are too many; at most 65536",
    ),
    "a long wrapped mega-step": (lambda: commitment_env(Leaving(), 40), "mega_step=40: 2 to the power 40 sequences"),
    "a true mega-step": (lambda: make_game("grid", mega_step=True), "mega_step=True; valid: a whole number, 1 or more"),
    "a mega-step of 1.0": (lambda: make_game("grid", mega_step=1.0), "mega_step=1.0; valid: a whole number, 1 or more"),
    "no name": (lambda: make_game(None), "game: None is no game: agents, actions, horizon"),
    "a number": (lambda: make_game(3), "game: 3 is no game: agents, actions, horizon"),
    "no game": (
        lambda: make_game("tests.commitment.test_wrong_input:Empty"),
        "game: 'tests.commitment.test_wrong_input:Empty' is no game: agents",
    ),
    "no maker": (lambda: make_game("math:pi"), "game: 'math:pi' is no class or function that makes a game"),
    "a factor": (lambda: make_game("public-goods", factor="x"), "factor='x'; valid: a finite number"),
    "names of numbers": (lambda: MatrixGame(SQUARE, action_names=[1, 2]), "action_names=[1, 2]: 2 names are needed"),
    "no names": (lambda: MatrixGame(SQUARE, action_names=5), "action_names=5: 2 names are needed"),
    "equal names": (lambda: MatrixGame(SQUARE, action_names=["a", "a"]), "action_names=['a', 'a']: 2 names are needed"),
    "complex payoffs": (lambda: MatrixGame(np.zeros((2, 2, 2), complex)), "payoffs: a table of numbers"),
    "a name for an environment": (
        lambda: commitment_env("prisoners-dilemma"),
        "env: 'prisoners-dilemma' is no PettingZoo parallel environment; scml_gym.commitment.parallel_env makes one",
    ),
    "a native game": (lambda: commitment_env(make_game("grid")), "env: GridGame is no PettingZoo parallel"),
    "nothing": (lambda: commitment_env(None), "env: None is no PettingZoo parallel environment"),
    "turns": (lambda: commitment_env(parallel_to_aec(parallel_env("grid"))), "env: "),
    "a native action": (lambda: native(np.array([0, 2])), "actions: 2 is not valid; valid: 0 to 1"),
    "a negative native action": (lambda: native(np.array([0, -1])), "actions: -1 is not valid; valid: 0 to 1"),
    "native actions of one": (lambda: native(np.array([0])), "actions: int64 of shape (1,); integers of shape (2,)"),
    "no matrix": (lambda: make_game("matrix"), "payoffs: the game 'matrix' needs it"),
}


@pytest.mark.parametrize("case", WRONG)
def test_bad_input_is_told_in_one_line(case):
    make, told = WRONG[case]
    with pytest.raises(InputError) as caught:
        make()
    assert str(caught.value).startswith(told)
    assert "\n" not in str(caught.value)


ACTIONS = {
    "none": ({"agent_0": None, "agent_1": 0}, "agent_0: None is no action; a whole number is needed"),
    "text": ({"agent_0": "x", "agent_1": 0}, "agent_0: 'x' is no action"),
    "a fraction": ({"agent_0": 0.9, "agent_1": 0}, "agent_0: 0.9 is no action"),
    "an array": ({"agent_0": np.array([0, 1]), "agent_1": 0}, "agent_0: array([0, 1]) is no action"),
    "a stranger": ({"agent_0": 0, "agent_1": 0, "zz": 5}, "zz: there is no such agent; valid: agent_0, agent_1"),
    "a large array": ({"agent_0": np.zeros((9, 9)), "agent_1": 0}, "agent_0: ndarray is no action"),
    "one missing": ({"agent_0": 0}, "agent_1: no action"),
    "a list": ([0, 0], "actions: [0, 0] is not valid; a dict"),
}


@pytest.mark.parametrize("case", ACTIONS)
@pytest.mark.parametrize("wrap", [lambda env: env, commitment_env], ids=["plain", "commitment"])
def test_a_wrong_action_is_told_in_one_line(wrap, case):
    actions, told = ACTIONS[case]
    env = wrap(parallel_env("prisoners-dilemma"))
    with pytest.raises(InputError, match="reset the environment first"):
        env.step({"agent_0": 0, "agent_1": 0})
    env.reset()
    with pytest.raises(InputError) as caught:
        env.step(actions)
    assert str(caught.value).startswith(told)
    while env.agents:
        env.step(dict.fromkeys(env.agents, 1))
    with pytest.raises(InputError, match="reset the environment first"):
        env.step({})


def test_numbers_of_numpy_are_whole_numbers():
    game = make_game("grid", mega_step=np.int64(2), horizon=np.int64(4), cells=np.int32(3))
    assert (game.horizon, game.actions, game.features) == (2, 4, 7)
    assert commitment_env(parallel_env("grid"), np.int64(2)).mega_step == 2
    assert make_game("stag-hunt", memory=np.int64(1)).features == 5


def test_an_invalid_action_is_refused():
    env = commitment_env(parallel_env("purely-conflicting"), mega_step=2)
    env.reset()
    env.step({"agent_0": 3, "agent_1": 0})
    with pytest.raises(InputError, match="agent_0: 2 is not valid in commit; valid: 0 to 1"):
        env.step({"agent_0": 2, "agent_1": 0})
    plain = parallel_env("grid")
    plain.reset()
    with pytest.raises(InputError, match="agent_1: 7; valid: 0 to 1"):
        plain.step({"agent_0": 0, "agent_1": 7})
