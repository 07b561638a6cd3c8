"""The rules of alternating offers over tables, as negmas' ``SAOMechanism`` has them; compiled code only.

A round is one move of each side. The side that is asked may accept the other's standing offer, or make one of its own.
A negotiation without agreement ends after the last move of the last round: that offer is never answered.

Source: negmas 0.16.0, negmas/sao/mechanism.py, ``SAOMechanism.__call__``.
"""

from __future__ import annotations

import numpy as np

from scml_gym.bilateral.negotiators.base import NO_OFFER
from scml_gym.bilateral.view import ACCEPT, LEARNER, NOBODY, OPPONENT, close_view, open_view, see_offer
from scml_gym.bilateral.worlds.compiled.calls import PLAYER_STATE_DTYPE, call_turn
from scml_gym.bilateral.worlds.compiled.layout import Game
from scml_gym.jit.callbacks import floats_at
from scml_gym.jit.compile import compiled, jittable

_PLAYER_SIZE = PLAYER_STATE_DTYPE.itemsize


@jittable
def begin(game: Game, seed: np.uint64) -> None:
    """A new negotiation between the two players, up to the learner's first turn."""
    open_view(game["view"])
    for side in range(2):
        player = game["players"][side]
        player["seed"] = seed
        player["failed"] = 0
        state = floats_at(player["state"], player["n_state"])
        for i in range(player["n_state"]):
            state[i] = 0.0
    if game["view"]["opponent_first"] != 0:
        opponent_moves(game, NO_OFFER)
    prepare_bid(game)


@jittable
def answer(game: Game, response: int) -> None:
    """The learner's response, and on to its next turn or the end; see `BilateralWorld.answer`."""
    view = game["view"]
    if response == ACCEPT and view["offer"] != NO_OFFER:
        close(game, view["offer"], LEARNER)
    elif response < 0:
        close(game, NO_OFFER, NOBODY)
    else:
        view["mine"] = response
        view["my_utility"] = utility_of(game, LEARNER, response)
        if view["opponent_first"] != 0:
            next_round(game)
            if view["running"] != 0:
                opponent_moves(game, response)
        else:
            opponent_moves(game, response)
            if view["running"] != 0:
                next_round(game)
        prepare_bid(game)


@jittable
def next_round(game: Game) -> None:
    """The round is over, and with the last one the negotiation."""
    view = game["view"]
    if view["step"] + 1 < view["n_steps"]:
        view["step"] += 1
    else:
        close(game, NO_OFFER, NOBODY)


@jittable
def opponent_moves(game: Game, offer: int) -> None:
    """The opponent answers the learner's offer, or opens."""
    take_turn(game, OPPONENT, offer)
    player = game["players"][OPPONENT]
    if failed(game):
        close(game, NO_OFFER, NOBODY)
    elif player["accepts"] != 0:
        close(game, offer, OPPONENT)
    else:
        see_offer(game["view"], player["bid"], utility_of(game, LEARNER, player["bid"]))


@jittable
def prepare_bid(game: Game) -> None:
    """Let the learner's bidding strategy prepare its bid, where the learner has one and a turn."""
    if game["view"]["running"] != 0 and game["players"][LEARNER]["turn"] != 0:
        take_turn(game, LEARNER, game["view"]["offer"])
        game["view"]["bid"] = game["players"][LEARNER]["bid"]
        if failed(game):
            close(game, NO_OFFER, NOBODY)


@jittable
def failed(game: Game) -> bool:
    """Whether a side's strategy failed; the negotiation has ended then. See `layout.check_game`."""
    return game["players"][LEARNER]["failed"] != 0 or game["players"][OPPONENT]["failed"] != 0


@jittable
def take_turn(game: Game, side: int, offer: int) -> None:
    """Have a side's strategy decide; its bid and whether it accepts are in its record."""
    player = game["players"][side]
    player["step"] = game["view"]["step"]
    player["offer"] = offer
    call_turn(player["turn"], (game["players"].ctypes.data + side * _PLAYER_SIZE,))


@jittable
def utility_of(game: Game, side: int, outcome: int) -> float:
    """What an outcome is worth to a side."""
    player = game["players"][side]
    return floats_at(player["utilities"], player["n_outcomes"])[outcome]


@jittable
def close(game: Game, agreement: int, accepted_by: int) -> None:
    """The negotiation has ended."""
    utility, opponent_utility = 0.0, 0.0
    if agreement != NO_OFFER:
        utility, opponent_utility = utility_of(game, LEARNER, agreement), utility_of(game, OPPONENT, agreement)
    close_view(game["view"], agreement, accepted_by, utility, opponent_utility)


@jittable
def play_out(game: Game) -> None:
    """To the end, the learner's strategy deciding for itself too."""
    while game["view"]["running"] != 0:
        player = game["players"][LEARNER]
        answer(game, ACCEPT if player["accepts"] != 0 else player["bid"])


@compiled
def begin_one(games: np.ndarray, i: int, seed: int) -> None:
    """`begin` in one record of an array."""
    begin(games[i], np.uint64(seed))


@compiled
def answer_one(games: np.ndarray, i: int, response: int) -> None:
    """`answer` in one record of an array."""
    answer(games[i], response)


@compiled
def play_seeds(games: np.ndarray, seeds: np.ndarray, results: np.ndarray) -> None:
    """Play the first record's negotiation once with each seed, both sides by their strategies.

    Args:
        games: ``GAME_DTYPE``.
        seeds: int64 ``(n,)``.
        results: ``VIEW_DTYPE (n,)``: gets the last view of each, up to the first in which a strategy failed.
    """
    for i in range(len(seeds)):
        begin(games[0], np.uint64(seeds[i]))
        play_out(games[0])
        results[i] = games[0]["view"]
        if failed(games[0]):
            break
